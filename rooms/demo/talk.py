"""What is said in the demo's discussions, and what a teacher has to decide there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rooms.services import Services
from rooms.values import (
    MembershipId,
    PersonId,
    PostId,
    ReportReason,
    ReportTarget,
    RoomId,
    SpaceId,
    ThreadId,
    ThreadKind,
)

__all__ = ["GROUP_TALK", "SPACE_TALK", "DemoPost", "DemoThread", "Speaker", "Who", "talk"]

Who = Literal["ana", "rui", "otter", "heron", "trout", "kingfisher"]
"""The teachers of the first and second school, and two pupils of each."""


@dataclass(frozen=True, slots=True)
class Speaker:
    person: PersonId
    membership: MembershipId


@dataclass(frozen=True, slots=True)
class DemoPost:
    who: Who
    body: str
    language: str = "en"
    answers: int | None = None
    """The number, from 0, of an earlier post in the same thread."""
    mentions: tuple[Who, ...] = ()
    options: tuple[str, ...] = ()
    liked_by: tuple[tuple[Who, str], ...] = ()
    reported_by: Who | None = None
    reported_words: str = ""
    hidden_by: Who | None = None
    hidden_because: str = ""


@dataclass(frozen=True, slots=True)
class DemoThread:
    title: str
    room: Literal["general", "team", "staff"]
    who: Who
    posts: tuple[DemoPost, ...]
    kind: ThreadKind = ThreadKind.THREAD
    pinned: bool = False


SPACE_TALK: Final = (
    DemoThread(
        "Who lives in our river?",
        "general",
        "ana",
        (
            DemoPost(
                "ana",
                "What have you seen on the bank this week? Tell us *where* and *when*, and how sure you are.",
                liked_by=(("heron", "heart"),),
            ),
            DemoPost(
                "otter",
                "Hoy hemos visto un martín pescador debajo del **Puente de Piedra**. ¡Azul, azul!",
                "es",
                liked_by=(("trout", "heart"), ("rui", "surprise"), ("kingfisher", "heart")),
            ),
            DemoPost(
                "trout",
                "No Douro só gaivotas... mas muitas! Contámos 41 em cinco minutos.",
                "pt",
                answers=1,
                liked_by=(("otter", "smile"),),
            ),
            DemoPost("heron", "41! We only had 12. Maybe because we are far from the sea?", answers=2),
            DemoPost(
                "heron",
                "41? I do not believe a word. Porto always makes things up!",
                reported_by="trout",
                reported_words="We did not make it up, and now I do not want to count any more.",
                hidden_by="ana",
                hidden_because="Ask how they counted, and be fair to the others, please.",
            ),
            DemoPost(
                "rui",
                "Good thinking. Let us vote: what do we count together next week?",
                options=("Birds", "Fish", "Plastic bottles"),
                mentions=("otter", "trout"),
            ),
            DemoPost(
                "kingfisher",
                "Can somebody from Zaragoza call me about the counting? My number is +351 912 345 678.",
            ),
        ),
        pinned=True,
    ),
    DemoThread(
        "Kingfisher: who draws the map?",
        "team",
        "otter",
        (
            DemoPost("otter", "I draw the Ebro from the spring to Zaragoza. Who takes the delta?"),
            DemoPost(
                "trout", "I can draw the mouth of the Douro:\n\n- the bridge\n- the lighthouse\n- the boats"
            ),
        ),
    ),
    DemoThread(
        "Before the video call on Tuesday",
        "staff",
        "rui",
        (
            DemoPost("rui", "Ten o'clock with you is nine with us. Shall we say 10:30 your time?"),
            DemoPost("ana", "Perfect. I open the room and stay in it.", answers=0),
        ),
    ),
)
GROUP_TALK: Final = (
    DemoThread(
        "A spare thermometer?",
        "general",
        "rui",
        (
            DemoPost("rui", "Ours fell into the river. Does anybody have one to lend until June?"),
            DemoPost("ana", "We have two. I bring one to the meeting in Salamanca.", answers=0),
        ),
    ),
)


async def talk(
    services: Services,
    space: SpaceId,
    rooms: Mapping[str, RoomId],
    speakers: Mapping[Who, Speaker],
    threads: tuple[DemoThread, ...],
) -> dict[str, list[PostId]]:
    """Says it all, as the people themselves would; the posts of each thread, by its title."""
    made: dict[str, list[PostId]] = {}
    for number, thread in enumerate(threads):
        started = await services.discussions.start(
            speakers[thread.who].person,
            rooms[thread.room],
            title=thread.title,
            kind=thread.kind,
            key=f"demo-thread-{number}",
        )
        ids = made[thread.title] = []
        for place, post in enumerate(thread.posts):
            ids.append(
                await _say(services, space, speakers, ThreadId(started.id), ids, post, f"{number}-{place}")
            )
        if thread.pinned:
            await services.discussions.change(speakers["ana"].person, ThreadId(started.id), pinned=True)
    return made


async def _say(
    services: Services,
    space: SpaceId,
    speakers: Mapping[Who, Speaker],
    thread: ThreadId,
    earlier: list[PostId],
    post: DemoPost,
    number: str,
) -> PostId:
    made = await services.discussions.post(
        speakers[post.who].person,
        thread,
        key=f"demo-post-{number}",
        body=post.body,
        language=post.language,
        reply_to=None if post.answers is None else earlier[post.answers],
        mentions=[speakers[who].membership for who in post.mentions],
        options=post.options or None,
    )
    identifier = PostId(made.id)
    for who, mark in post.liked_by:
        await services.discussions.react(speakers[who].person, identifier, mark, on=True)
    if post.reported_by is not None:
        reporter = speakers[post.reported_by].person
        reason = ReportReason.UNKIND
        await services.reports.send(
            reporter, space, ReportTarget.POST, identifier, reason, post.reported_words
        )
    if post.hidden_by is not None:
        await services.moderation.hide(speakers[post.hidden_by].person, identifier, post.hidden_because)
    return identifier
