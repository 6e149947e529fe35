"""TwinSpaces and their rooms."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from rooms.rights.hours import Hours
from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, PageEditing, Supervising
from rooms.safety.contacts import normal_domain
from rooms.safety.filters import MOST_DOMAINS, MOST_WORDS, FilterAction
from rooms.values import (
    AgeBand,
    Audience,
    JoinRule,
    MembershipId,
    Posting,
    Role,
    RoomId,
    RoomKind,
    RoomStatus,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)
from server.api.fields import Id, Language, Line, Name, Prose
from server.api.me import School, person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["Room", "Space", "routes"]

routes = Routes(tag="spaces")


TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]


class OpeningHours(Input):
    """By the clock of each pupil's own school."""

    model_config = ConfigDict(serialize_by_alias=True)

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)] = Field(
        description="On which they open: 1 Monday to 7 Sunday."
    )
    opens: TimeOfDay = Field(alias="from")
    closes: TimeOfDay = Field(alias="to", description="On the next day, where that is not later.")


class Room(Output):
    id: str
    title: str
    kind: RoomKind
    state: RoomStatus
    audience: Audience = Field(description="Who sees the room; listed: its members and all teachers.")
    posting: Posting = Field(description="How posts of pupils there come before the others' eyes.")
    hours: OpeningHours | None = Field(description="When pupils may write there; null: always.")
    open_now: bool = Field(description="It is within the hours, for me.")
    reason: str = Field(description="Why I may write nothing there now, as a key; empty: nothing in the way.")
    members: list[str] = Field(description="Listed members, by membership id.")
    can: dict[str, bool] = Field(description="create_pages, settings, state, supervise")


class Decision(Output):
    approved: bool
    because: str
    at: float = Field(description="Unix seconds.")


class Space(Output):
    id: str
    kind: SpaceKind
    title: str
    summary: str
    languages: list[str]
    age_band: AgeBand
    status: SpaceStatus
    frozen: bool = Field(description="Nobody writes until an admin lifts this.")
    my_role: Role | None = Field(description="Null, like the membership, for an officer with a case.")
    my_membership: str | None
    schools: list[School]
    rooms: list[Room] = Field(description="Those I may see.")
    can: dict[str, bool] = Field(
        description="settings, close, freeze, unfreeze, make_rooms, invite, partner, ask_again, take_back, "
        "join_rule, requests, leave, hand_over: what I may do here."
    )
    join_rule: JoinRule = Field(description="How teachers come into a group.")
    featured: bool
    founders: list[str] = Field(description="Membership ids.")
    decision: Decision | None = Field(description="Of the national office; only for teachers.")


def _one_owners(name: str) -> str:
    domain = normal_domain(name)
    if not domain:
        raise ValueError("must be a domain that belongs to one owner, such as school.example")
    return domain


def _has_letters(text: str) -> str:
    if not any(char.isalnum() for char in text):
        raise ValueError("must have a letter or digit in it")
    return text


Domain = Annotated[str, Field(min_length=3, max_length=253), AfterValidator(_one_owners)]
ContactAction = Literal["off", FilterAction.FLAG, FilterAction.HOLD, FilterAction.BLOCK]


class FilterWord(Input):
    text: Annotated[Name, AfterValidator(_has_letters)] = Field(
        description="A word or some words; with * at the end, whatever begins so."
    )
    action: FilterAction = FilterAction.HOLD
    language: Language | Literal[""] = Field("", description="Whose spelling says which accents count.")


class Filters(Input):
    """What is looked for in posts of pupils. Where there are pupils, contact data is held at least."""

    phone: ContactAction = FilterAction.HOLD
    email: ContactAction = FilterAction.HOLD
    handle: ContactAction = FilterAction.HOLD
    link: Annotated[ContactAction, Field(description="A link that is not to an allowed domain.")] = (
        FilterAction.HOLD
    )
    address: ContactAction = FilterAction.HOLD
    domains: Annotated[list[Domain], Field(max_length=MOST_DOMAINS)] = Field(
        default_factory=list, description="Links to these and below them are allowed, beside the usual ones."
    )
    words: Annotated[list[FilterWord], Field(max_length=MOST_WORDS)] = Field(
        default_factory=list, description="Beside those of the installation."
    )


class PolicyPatch(Input):
    guests_read: bool = False
    guests_edit: bool = False
    guests_post: bool = False
    students_create: bool = True
    page_editing: PageEditing | None = Field(
        None, description="Who of the pupils edits pages: never wider than the age band allows."
    )
    block_owners: bool = Field(
        False,
        description="On pages, blocks that pupils make are protected for them; up to 11 they always are.",
    )
    posting: Posting | None = Field(
        None, description="How posts of pupils come to be seen: never wider than the age band allows."
    )
    chat: Chat | None = Field(None, description="When pupils chat: never wider than the age band allows.")
    supervision: Supervising = Field(
        Supervising.ONE, description="Whose teacher has to be there while pupils write in supervised rooms."
    )
    filters: Filters = Filters()


class SpacePatch(Input):
    title: Line | None = None
    summary: Prose | None = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=24)] | None = None
    policy: PolicyPatch | None = None


class StatusChange(Input):
    status: Literal[SpaceStatus.OPEN, SpaceStatus.CLOSED, SpaceStatus.ARCHIVED]


MemberIds = Annotated[list[Id], Field(max_length=500, description="Membership ids.")]


class NewRoom(Input):
    title: Line
    kind: RoomKind = RoomKind.TEAM
    members: MemberIds = Field(default_factory=list)


class RoomPatch(Input):
    title: Line | None = None
    members: MemberIds | None = None
    posting: Posting | None = Field(None, description="At most what the age band allows.")


class RoomStateChange(Input):
    state: RoomStatus


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


def _room(call: Call) -> RoomId:
    return RoomId(call.params["room_id"])


def _members(ids: list[str]) -> list[MembershipId]:
    return [MembershipId(id) for id in ids]


@routes.get("/spaces/{space_id}", action=Action.SPACE_READ, returns=Space, summary="Read a space")
async def read_space(call: Call) -> Space:
    return Space.model_validate(await call.services.spaces.get(person_id(call), _space(call)))


@routes.patch(
    "/spaces/{space_id}",
    action=Action.SPACE_SETTINGS,
    body=SpacePatch,
    returns=Space,
    max_body=256 * 1024,
    summary="Change a space's words and policy",
    errors=(409,),
)
async def change_space(call: Call, body: SpacePatch) -> Space:
    changes: dict[str, Any] = body.model_dump(exclude_none=True, exclude={"policy"})
    policy = body.policy.model_dump(exclude_unset=True, mode="json") if body.policy else None
    return Space.model_validate(
        await call.services.spaces.change(person_id(call), _space(call), **changes, policy=policy)
    )


@routes.put(
    "/spaces/{space_id}/status",
    action=Action.SPACE_STATUS,
    body=StatusChange,
    summary="Close, archive or reopen a space",
    errors=(409,),
)
async def change_status(call: Call, body: StatusChange) -> None:
    """open to closed, closed to archived, and both back to open. Nobody writes in a space not open."""
    await call.services.spaces.set_status(person_id(call), _space(call), body.status)


@routes.put("/spaces/{space_id}/freeze", action=Action.SPACE_FREEZE, summary="Freeze a space")
async def freeze_space(call: Call) -> None:
    """Stops all writing in the space at once."""
    await call.services.spaces.freeze(person_id(call), _space(call), frozen=True)


@routes.delete("/spaces/{space_id}/freeze", action=Action.SPACE_UNFREEZE, summary="Unfreeze a space")
async def unfreeze_space(call: Call) -> None:
    await call.services.spaces.freeze(person_id(call), _space(call), frozen=False)


@routes.post(
    "/spaces/{space_id}/rooms",
    action=Action.ROOM_MAKE,
    body=NewRoom,
    returns=Room,
    status=201,
    summary="Make a room",
    errors=(409,),
)
async def make_room(call: Call, body: NewRoom) -> Room:
    """A team room is seen by its listed members and all teachers; in it listed students make pages."""
    return Room.model_validate(
        await call.services.spaces.make_room(
            person_id(call), _space(call), title=body.title, kind=body.kind, members=_members(body.members)
        )
    )


@routes.patch(
    "/rooms/{room_id}",
    action=Action.ROOM_MAKE,
    body=RoomPatch,
    returns=Room,
    summary="Rename a room, list other members, tighten posting",
    errors=(409,),
)
async def change_room(call: Call, body: RoomPatch) -> Room:
    members = None if body.members is None else _members(body.members)
    return Room.model_validate(
        await call.services.spaces.change_room(
            person_id(call), _room(call), title=body.title, members=members, posting=body.posting
        )
    )


@routes.put(
    "/rooms/{room_id}/state",
    action=Action.ROOM_STATE,
    body=RoomStateChange,
    returns=Room,
    summary="Open or close a room for writing",
)
async def change_room_state(call: Call, body: RoomStateChange) -> Room:
    """supervised: pupils write while a teacher is there; read-only: only teachers; frozen, archived: nobody.

    Any teacher of the space may turn an open room into a supervised one.
    """
    return Room.model_validate(
        await call.services.spaces.set_room_state(person_id(call), _room(call), body.state)
    )


@routes.put(
    "/rooms/{room_id}/hours",
    action=Action.ROOM_STATE,
    body=OpeningHours,
    returns=Room,
    summary="Give a room opening hours",
)
async def change_hours(call: Call, body: OpeningHours) -> Room:
    """Outside of them pupils read and do not write."""
    hours = Hours.of(body.days, body.opens, body.closes)
    return Room.model_validate(await call.services.spaces.set_hours(person_id(call), _room(call), hours))


@routes.delete("/rooms/{room_id}/hours", action=Action.ROOM_STATE, summary="Take a room's hours away")
async def remove_hours(call: Call) -> None:
    await call.services.spaces.set_hours(person_id(call), _room(call), None)
