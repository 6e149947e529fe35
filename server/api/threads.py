"""Discussions: threads, posts, and what teachers decide about them.

What everybody sees of a thread is its live document, ``thread/<id>``; see rooms/talk/projection.py for its
form. The same things can be done over the socket: server/sockets/commands.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from rooms.rights.policy import Action
from rooms.services import Services
from rooms.talk.threads import PostView
from rooms.values import (
    MembershipId,
    PersonId,
    PostId,
    Posting,
    PostState,
    RoomId,
    SpaceId,
    ThreadId,
    ThreadKind,
)
from server.api.fields import Id, Language, Line, Time, prose
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = [
    "Decision",
    "Edit",
    "Hide",
    "NewPost",
    "NewThreadLock",
    "Post",
    "Thread",
    "ThreadPatch",
    "Vote",
    "post_in",
    "routes",
]

routes = Routes(tag="discussions")

Body = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000),
    AfterValidator(prose),
    Field(
        description="Text, 1 to 4,000 characters, with a little Markdown: bold, italic, code, lists, links."
    ),
]
Key = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$"),
    Field(description="Made by the client, once for each post: sent again, the post is not made again."),
]
Reason = Annotated[Line, Field(description="Shown to the author, and kept in the audit log.")]
Mark = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]


class ThreadLock(Output):
    by: str | None = Field(description="Membership id.")
    reason: str
    until: float | None = Field(description="Unix seconds; null: until somebody unlocks it.")


class Post(Output):
    """A post as its author or a moderator sees it."""

    id: str
    thread_id: str
    author: str | None = Field(description="Membership id.")
    state: PostState
    number: int | None = Field(description="Its place in the thread; null while it was never seen.")
    body: str
    waiting_body: str | None = Field(description="An edit that waits for a teacher.")
    language: str | None
    reply_to: str | None
    mentions: list[str]
    options: list[str] | None
    reasons: list[str] = Field(
        description="Why it waits: policy, first, phone, email, handle, link, address, word."
    )
    decided_because: str | None
    at: float
    edited_at: float | None


class Thread(Output):
    id: str
    room_id: str
    kind: ThreadKind
    title: str
    author: str | None = Field(description="Membership id.")
    pinned: bool
    lock: ThreadLock | None
    document: str = Field(examples=["thread/Fq3k9vZt0aXw2LhY"])
    posts_count: int
    last_at: float
    policy: Posting = Field(description="How my own posts come before the others' eyes.")
    reason: str = Field(description="Message key why I may not post now; else empty.")
    can: dict[str, bool] = Field(description="post, lock, pin, rename, approve, hide")
    marks: list[str] = Field(description="The reactions that are used here; empty: none.")
    counts: bool = Field(
        description="The document tells who has set which mark, and voted for what. Else it only tells which "
        "marks a post has, and of a poll that is closed the options in order, what was chosen most first."
    )
    mine_waiting: list[Post] = Field(description="My own that wait or were rejected; empty in lists.")
    my_marks: dict[str, list[str]] = Field(description="My own reactions by post id; empty in lists.")
    my_votes: dict[str, int] = Field(description="My own votes by post id; empty in lists.")
    votes: dict[str, list[int]] = Field(
        description="For teachers, where the document does not tell: how many have chosen each option, by "
        "the post id of the poll; empty in lists."
    )


class HeldPost(Output):
    post: Post
    thread_title: str
    room_title: str
    author_name: str
    author_school: str | None
    since: float
    own_school: bool = Field(description="It is of a pupil of my own school.")


class NewThread(Input):
    title: Line
    kind: ThreadKind = ThreadKind.THREAD
    key: Key
    body: Body | None = None
    language: Language | None = None


class ThreadPatch(Input):
    title: Line | None = None
    pinned: bool | None = None


class NewThreadLock(Input):
    reason: Line = Field(description="Shown to everybody who opens the thread.")
    until: Time | None = None


class NewPost(Input):
    key: Key
    body: Body
    language: Language | None = None
    reply_to: Id | None = None
    mentions: Annotated[list[Id], Field(max_length=20, description="Membership ids.")] = Field(
        default_factory=list
    )
    options: Annotated[list[Line], Field(min_length=2, max_length=8)] | None = Field(
        None, description="Makes it a poll. For teachers."
    )


class Edit(Input):
    body: Body


class Vote(Input):
    option: Annotated[int, Field(ge=0, le=7)]


class Decision(Input):
    approve: bool
    because: Reason | None = None


class Hide(Input):
    because: Reason | None = None


def _thread(call: Call) -> ThreadId:
    return ThreadId(call.params["thread_id"])


def _post(call: Call) -> PostId:
    return PostId(call.params["post_id"])


@routes.get(
    "/spaces/{space_id}/threads",
    action=Action.SPACE_READ,
    returns=list[Thread],
    summary="List the discussions of a space that I may see",
)
async def list_threads(call: Call) -> list[Thread]:
    """Pinned ones first, then the one written in last."""
    found = await call.services.discussions.of_space(person_id(call), SpaceId(call.params["space_id"]))
    return [Thread.model_validate(thread) for thread in found]


@routes.post(
    "/rooms/{room_id}/threads",
    action=Action.THREAD_START,
    body=NewThread,
    returns=Thread,
    status=201,
    summary="Start a discussion",
    errors=(409,),
)
async def start_thread(call: Call, body: NewThread) -> Thread:
    """chat: for a lesson, by teachers. ask: a pupil's question to the teachers of their own school."""
    return Thread.model_validate(
        await call.services.discussions.start(
            person_id(call),
            RoomId(call.params["room_id"]),
            title=body.title,
            kind=body.kind,
            key=body.key,
            body=body.body,
            language=body.language,
        )
    )


@routes.get("/threads/{thread_id}", action=Action.SPACE_READ, returns=Thread, summary="Read a discussion")
async def read_thread(call: Call) -> Thread:
    """With my own posts that wait; those that are seen are in the document."""
    return Thread.model_validate(await call.services.discussions.get(person_id(call), _thread(call)))


@routes.patch(
    "/threads/{thread_id}",
    action=Action.ROOM_STATE,
    body=ThreadPatch,
    returns=Thread,
    summary="Rename or pin a discussion",
)
async def change_thread(call: Call, body: ThreadPatch) -> Thread:
    return Thread.model_validate(
        await call.services.discussions.change(
            person_id(call), _thread(call), title=body.title, pinned=body.pinned
        )
    )


@routes.put(
    "/threads/{thread_id}/lock",
    action=Action.ROOM_STATE,
    body=NewThreadLock,
    returns=Thread,
    summary="Lock a discussion",
    errors=(409,),
)
async def lock_thread(call: Call, body: NewThreadLock) -> Thread:
    """Nobody posts in it until then."""
    return Thread.model_validate(
        await call.services.discussions.lock(person_id(call), _thread(call), body.reason, body.until)
    )


@routes.delete(
    "/threads/{thread_id}/lock", action=Action.ROOM_STATE, returns=Thread, summary="Unlock a discussion"
)
async def unlock_thread(call: Call) -> Thread:
    return Thread.model_validate(await call.services.discussions.unlock(person_id(call), _thread(call)))


@routes.post(
    "/threads/{thread_id}/posts",
    action=Action.POST_REPLY,
    body=NewPost,
    returns=Post,
    status=201,
    summary="Post",
    errors=(409,),
)
async def make_post(call: Call, body: NewPost) -> Post:
    """state says whether everybody sees it now or it waits for a teacher (reasons)."""
    return Post.model_validate(await post_in(call.services, person_id(call), _thread(call), body))


async def post_in(services: Services, person: PersonId, thread: ThreadId, new: NewPost) -> PostView:
    return await services.discussions.post(
        person,
        thread,
        key=new.key,
        body=new.body,
        language=new.language,
        reply_to=None if new.reply_to is None else PostId(new.reply_to),
        mentions=[MembershipId(id) for id in new.mentions],
        options=new.options,
    )


@routes.put("/threads/{thread_id}/hand", action=Action.POST_REPLY, summary="Raise my hand")
async def raise_hand(call: Call) -> None:
    await call.services.discussions.raise_hand(person_id(call), _thread(call), up=True)


@routes.delete("/threads/{thread_id}/hand", action=Action.SPACE_READ, summary="Take my hand down")
async def lower_hand(call: Call) -> None:
    await call.services.discussions.raise_hand(person_id(call), _thread(call), up=False)


@routes.patch(
    "/posts/{post_id}",
    action=Action.POST_EDIT,
    body=Edit,
    returns=Post,
    summary="Change my post within 15 minutes",
    errors=(409,),
)
async def edit_post(call: Call, body: Edit) -> Post:
    """Where posts are held, the new words wait and the old ones are still shown."""
    return Post.model_validate(await call.services.discussions.edit(person_id(call), _post(call), body.body))


@routes.put("/posts/{post_id}/reactions/{mark}", action=Action.POST_REPLY, summary="React to a post")
async def react(call: Call) -> None:
    """heart, thumb, smile, surprise, idea, question: those that the thread names as marks. Where there are
    none, or not this one, the reason of the 403 is reactions-off or mark-off."""
    await call.services.discussions.react(person_id(call), _post(call), call.params["mark"], on=True)


@routes.delete("/posts/{post_id}/reactions/{mark}", action=Action.POST_REPLY, summary="Take a reaction back")
async def unreact(call: Call) -> None:
    await call.services.discussions.react(person_id(call), _post(call), call.params["mark"], on=False)


@routes.put(
    "/posts/{post_id}/vote", action=Action.POST_REPLY, body=Vote, summary="Vote in a poll", errors=(409,)
)
async def vote(call: Call, body: Vote) -> None:
    """A second vote takes the place of the first. Nobody votes in a poll that is closed."""
    await call.services.discussions.vote(person_id(call), _post(call), body.option)


@routes.put("/posts/{post_id}/closed", action=Action.POLL_CLOSE, summary="Close a poll", errors=(409,))
async def close_poll(call: Call) -> None:
    """For teachers, and whoever has made it. From then on everybody sees what was chosen."""
    await call.services.discussions.close_poll(person_id(call), _post(call))


# Moderation


@routes.get(
    "/spaces/{space_id}/held",
    action=Action.POST_APPROVE,
    returns=list[HeldPost],
    summary="List the posts that wait for me",
)
async def list_held(call: Call) -> list[HeldPost]:
    """Of pupils of my own school; as an admin, also what has waited long or has nobody else."""
    found = await call.services.moderation.held(person_id(call), SpaceId(call.params["space_id"]))
    return [HeldPost.model_validate(each) for each in found]


@routes.put(
    "/posts/{post_id}/decision",
    action=Action.POST_APPROVE,
    body=Decision,
    returns=Post,
    summary="Approve or reject a held post",
    errors=(409,),
)
async def decide(call: Call, body: Decision) -> Post:
    return Post.model_validate(
        await call.services.moderation.decide(
            person_id(call), _post(call), approve=body.approve, because=body.because
        )
    )


@routes.put(
    "/posts/{post_id}/hidden",
    action=Action.POST_HIDE,
    body=Hide,
    returns=Post,
    summary="Hide a post",
    errors=(409,),
)
async def hide_post(call: Call, body: Hide) -> Post:
    """It leaves every screen; a stub says that there was one. It can be restored."""
    return Post.model_validate(
        await call.services.moderation.hide(person_id(call), _post(call), body.because)
    )


@routes.delete(
    "/posts/{post_id}/hidden",
    action=Action.POST_HIDE,
    returns=Post,
    summary="Restore a hidden post",
    errors=(409,),
)
async def restore_post(call: Call) -> Post:
    return Post.model_validate(await call.services.moderation.restore(person_id(call), _post(call)))


@routes.get(
    "/posts/{post_id}/original",
    action=Action.POST_HIDE,
    returns=Post,
    summary="Read the words of a hidden post",
    errors=(409,),
)
async def read_original(call: Call) -> Post:
    """For who may restore it."""
    return Post.model_validate(await call.services.moderation.original(person_id(call), _post(call)))
