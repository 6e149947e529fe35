"""Who belongs to a space."""

from __future__ import annotations

from pydantic import Field

from rooms.rights.policy import Action
from rooms.values import MembershipId, PersonId, PersonKind, Role, SpaceId
from server.api.fields import Id, Line, Time
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="members")


class Mute(Output):
    reason: str
    until: float | None = Field(description="Unix seconds; null: until somebody lifts it.")


class Member(Output):
    id: str = Field(description="The membership's id.")
    person_id: str
    name: str
    kind: PersonKind
    role: Role
    founder: bool
    school_id: str | None
    mute: Mute | None = Field(description="Why the member may not write now; only for who may mute.")
    can: dict[str, bool] = Field(
        description="role, remove, mute, unmute, reset_code: what I may do with this member; "
        "ask_mute: what I may propose, for another to confirm."
    )


class PlacedPupil(Input):
    person_id: Id


class RoleChange(Input):
    role: Role


class NewMute(Input):
    reason: Line = Field(description="For the other teachers; the member is told kindly.")
    until: Time | None = Field(None, description="Unix seconds; left out: until somebody lifts it.")


@routes.get(
    "/spaces/{space_id}/members",
    action=Action.SPACE_READ,
    returns=list[Member],
    summary="List a space's members",
)
async def list_members(call: Call) -> list[Member]:
    found = await call.services.members.of_space(person_id(call), SpaceId(call.params["space_id"]))
    return [Member.model_validate(member) for member in found]


@routes.post(
    "/spaces/{space_id}/members",
    action=Action.PUPIL_MANAGE,
    body=PlacedPupil,
    returns=Member,
    status=201,
    summary="Put a pupil of my school into a space",
    errors=(409,),
)
async def place_pupil(call: Call, body: PlacedPupil) -> Member:
    return Member.model_validate(
        await call.services.members.place_pupil(
            person_id(call), SpaceId(call.params["space_id"]), PersonId(body.person_id)
        )
    )


@routes.patch(
    "/memberships/{membership_id}",
    action=Action.MEMBER_ROLE,
    body=RoleChange,
    returns=Member,
    summary="Give a member another role",
    errors=(409,),
)
async def change_role(call: Call, body: RoleChange) -> Member:
    """Pupils are students or student editors; adults are guests, teachers or admins. Founders stay admins."""
    return Member.model_validate(
        await call.services.members.change_role(
            person_id(call), MembershipId(call.params["membership_id"]), body.role
        )
    )


@routes.delete(
    "/memberships/{membership_id}", action=Action.MEMBER_REMOVE, summary="Take a member out of a space"
)
async def remove_member(call: Call) -> None:
    """What they wrote stays; their open pages close at once."""
    await call.services.members.remove(person_id(call), MembershipId(call.params["membership_id"]))


@routes.put(
    "/memberships/{membership_id}/mute",
    action=Action.MEMBER_MUTE,
    body=NewMute,
    returns=Member,
    summary="Let a member read and not write",
    errors=(409,),
)
async def mute_member(call: Call, body: NewMute) -> Member:
    """It takes effect on open pages at once, and ends by itself if an end is given."""
    return Member.model_validate(
        await call.services.members.mute(
            person_id(call), MembershipId(call.params["membership_id"]), body.reason, body.until
        )
    )


@routes.delete(
    "/memberships/{membership_id}/mute", action=Action.MEMBER_MUTE, summary="Let a muted member write again"
)
async def unmute_member(call: Call) -> None:
    """The right to write is back at once."""
    await call.services.members.unmute(person_id(call), MembershipId(call.params["membership_id"]))
