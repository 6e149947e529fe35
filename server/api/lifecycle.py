"""How spaces come to be: made, with their partner, approved."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rooms.rights.policy import Action
from rooms.spaces.invitations import DAY
from rooms.values import AgeBand, MembershipId, SpaceId, SpaceKind, SpaceStatus
from server.api.fields import Id, Language, Line, Prose, prose
from server.api.invitations import MadeInvitation
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["Because", "routes"]

routes = Routes(tag="lifecycle")

Because = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(prose), Field(default="")
]


class NewSpace(Input):
    kind: Literal[SpaceKind.PROJECT, SpaceKind.GROUP]
    title: Line
    summary: Prose = ""
    languages: Annotated[list[Language], Field(min_length=1, max_length=24)]
    age_band: AgeBand = Field(description="Of the youngest class. A group is for adults, whatever this says.")


class MadeSpace(Output):
    id: str
    status: SpaceStatus


class PartnerLink(Input):
    days: Annotated[int, Field(ge=1, le=60)] = Field(14, description="How long the link works.")


class Founder(Output):
    name: str
    school: str | None
    town: str | None
    country: str | None


class WaitingSpace(Output):
    id: str
    kind: SpaceKind
    title: str
    summary: str
    languages: list[str]
    age_band: AgeBand
    founders: list[Founder]
    asked_at: float = Field(description="Unix seconds.")


class Approval(Input):
    approve: bool
    because: Because

    @model_validator(mode="after")
    def _says_why_not(self) -> Approval:
        if not self.approve and not self.because:
            raise ValueError("a refusal says why")
        return self


class Featured(Input):
    featured: bool


class HandedOver(Input):
    member: Id = Field(description="Membership id of another admin.")


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


@routes.post(
    "/spaces",
    action=Action.PROJECT_CREATE,
    body=NewSpace,
    returns=MadeSpace,
    status=201,
    summary="Make a project or a group",
    errors=(409,),
)
async def make_space(call: Call, body: NewSpace) -> MadeSpace:
    """For confirmed teachers. A project is a draft until a founder of another school has come."""
    return MadeSpace.model_validate(
        await call.services.lifecycle.make(
            person_id(call),
            kind=body.kind,
            title=body.title,
            summary=body.summary,
            languages=body.languages,
            age_band=body.age_band,
        )
    )


@routes.post(
    "/spaces/{space_id}/partner",
    action=Action.ADULT_INVITE,
    body=PartnerLink,
    returns=MadeInvitation,
    status=201,
    summary="Make the link for a draft project's partner",
    errors=(409,),
)
async def invite_partner(call: Call, body: PartnerLink) -> MadeInvitation:
    """For its founder. An older link works no more."""
    return MadeInvitation.model_validate(
        await call.services.invitations.invite_partner(person_id(call), _space(call), lasts=body.days * DAY)
    )


@routes.put(
    "/spaces/{space_id}/asked",
    action=Action.SPACE_SETTINGS,
    summary="Hand a draft in again",
    errors=(409,),
)
async def ask_again(call: Call) -> None:
    """For its founders, after it was refused or taken back; a project needs its partner first."""
    await call.services.lifecycle.ask_again(person_id(call), _space(call))


@routes.delete(
    "/spaces/{space_id}/asked",
    action=Action.SPACE_SETTINGS,
    summary="Take a space back that waits to be approved",
    errors=(409,),
)
async def take_back(call: Call) -> None:
    await call.services.lifecycle.take_back(person_id(call), _space(call))


@routes.delete(
    "/spaces/{space_id}",
    action=Action.SPACE_SETTINGS,
    summary="Throw a draft away",
    errors=(409,),
)
async def throw_away(call: Call) -> None:
    """For its founders: it is gone for everybody in it. What was ever open is closed instead."""
    await call.services.lifecycle.throw_away(person_id(call), _space(call))


@routes.get(
    "/approvals",
    action=Action.SPACE_APPROVE,
    returns=list[WaitingSpace],
    summary="List what waits to be approved by me",
)
async def list_approvals(call: Call) -> list[WaitingSpace]:
    """A national officer's are those with a founder from the country, a platform admin's are all."""
    found = await call.services.lifecycle.waiting(person_id(call))
    return [WaitingSpace.model_validate(each) for each in found]


@routes.put(
    "/spaces/{space_id}/approval",
    action=Action.SPACE_APPROVE,
    body=Approval,
    summary="Approve a space, or refuse it",
    errors=(409,),
)
async def approve(call: Call, body: Approval) -> None:
    """Nobody decides about a space that they are in. What is refused is a draft again."""
    await call.services.lifecycle.decide(
        person_id(call), _space(call), approve=body.approve, because=body.because
    )


@routes.put(
    "/spaces/{space_id}/featured",
    action=Action.SPACE_APPROVE,
    body=Featured,
    summary="Show a group before the others",
    errors=(409,),
)
async def feature(call: Call, body: Featured) -> None:
    await call.services.lifecycle.feature(person_id(call), _space(call), body.featured)


@routes.put(
    "/spaces/{space_id}/founder",
    action=Action.SPACE_SETTINGS,
    body=HandedOver,
    summary="Hand my founding over to another admin",
    errors=(409,),
)
async def hand_over(call: Call, body: HandedOver) -> None:
    """In a project to one of my own school, where founders of two schools would not be left otherwise."""
    await call.services.members.hand_over(person_id(call), _space(call), MembershipId(body.member))


@routes.delete(
    "/spaces/{space_id}/me",
    action=Action.MEMBER_REMOVE,
    summary="Leave a space",
    errors=(409,),
)
async def leave(call: Call) -> None:
    """For adults, but not for a founder and not for the last admin. What they wrote stays."""
    await call.services.members.leave(person_id(call), _space(call))
