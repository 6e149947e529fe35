"""Invitations of adults: made by those in a space, answered by whoever has the link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from rooms.rights.policy import Action
from rooms.spaces.invitations import DAY
from rooms.values import InvitationState, Role, SpaceId, SpaceKind
from server.api.me import person_id
from server.api.routing import LOGGED_IN, PUBLIC, Call, Input, Output, Routes
from server.names import is_text

__all__ = ["MadeInvitation", "routes"]

routes = Routes(tag="invitations")


class Invitation(Output):
    id: str
    role: Role
    state: InvitationState
    email: str | None = Field(description="For whom it is; only for who made it.")
    maker: str | None = Field(description="Membership id.")
    mine: bool
    expires_at: float = Field(description="Unix seconds.")
    created_at: float
    can: dict[str, bool] = Field(description="confirm, withdraw")


class MadeInvitation(Output):
    invitation: Invitation
    token: str = Field(description="For the link /invitations/<token>. It is told only this once.")


class Invited(Output):
    space_title: str
    space_kind: SpaceKind
    founder: bool = Field(description="Who accepts founds the project, too: an adult of another school.")
    role: Role
    inviter: str
    school: str | None = Field(description="The inviter's.")
    expires_at: float


class Joined(Output):
    space_id: str


def _plain(value: str) -> str:
    if not is_text(value):
        raise ValueError("must not have control characters")
    return value


Email = Annotated[
    str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,255}$", max_length=320), AfterValidator(_plain)
]


class NewInvitation(Input):
    role: Literal[Role.GUEST, Role.TEACHER, Role.ADMIN]
    email: Email | None = Field(None, description="A note for whom it is; nothing is sent.")
    days: Annotated[int, Field(ge=1, le=60)] = Field(14, description="How long the link works.")


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


@routes.post(
    "/spaces/{space_id}/invitations",
    action=Action.ADULT_INVITE,
    body=NewInvitation,
    returns=MadeInvitation,
    status=201,
    summary="Invite an adult into a space by a link",
    errors=(409,),
)
async def invite(call: Call, body: NewInvitation) -> MadeInvitation:
    """What a teacher makes is proposed: its link works once an admin has confirmed it."""
    return MadeInvitation.model_validate(
        await call.services.invitations.invite(
            person_id(call), _space(call), body.role, email=body.email, lasts=body.days * DAY
        )
    )


@routes.get(
    "/spaces/{space_id}/invitations",
    action=Action.ADULT_INVITE,
    returns=list[Invitation],
    summary="List a space's invitations: all for admins, else my own",
)
async def list_invitations(call: Call) -> list[Invitation]:
    found = await call.services.invitations.of_space(person_id(call), _space(call))
    return [Invitation.model_validate(each) for each in found]


@routes.put(
    "/spaces/{space_id}/invitations/{id}/confirmed",
    action=Action.ADULT_INVITE,
    returns=Invitation,
    summary="Confirm a proposed invitation",
    errors=(409,),
)
async def confirm(call: Call) -> Invitation:
    return Invitation.model_validate(
        await call.services.invitations.confirm(person_id(call), _space(call), call.params["id"])
    )


@routes.delete(
    "/spaces/{space_id}/invitations/{id}",
    action=Action.ADULT_INVITE,
    summary="Withdraw an invitation",
    errors=(409,),
)
async def withdraw(call: Call) -> None:
    await call.services.invitations.withdraw(person_id(call), _space(call), call.params["id"])


@routes.get(
    "/invitations/{token}",
    access=PUBLIC,
    returns=Invited,
    summary="Read what an invitation is about",
    errors=(404, 409, 429),
)
async def read_invitation(call: Call) -> Invited:
    return Invited.model_validate(
        await call.services.invitations.read(call.params["token"], address=call.address)
    )


@routes.post(
    "/invitations/{token}/accept",
    access=LOGGED_IN,
    returns=Joined,
    summary="Accept an invitation",
    errors=(404, 409, 429),
)
async def accept(call: Call) -> Joined:
    """For confirmed adults; the link works for nobody after that."""
    space = await call.services.invitations.accept(
        person_id(call), call.params["token"], address=call.address
    )
    return Joined(space_id=space)


@routes.post(
    "/invitations/{token}/decline",
    access=LOGGED_IN,
    summary="Decline an invitation",
    errors=(404, 409, 429),
)
async def decline(call: Call) -> None:
    await call.services.invitations.decline(person_id(call), call.params["token"], address=call.address)
