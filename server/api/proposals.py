"""What an admin of a space proposes and somebody else agrees to: a wider space, a teacher's mute."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, Lowered, PageEditing
from rooms.safety.proposals import MuteWish
from rooms.values import AgeBand, MembershipId, Posting, ProposalKind, ProposalState, SpaceId
from server.api.fields import Id, Time, prose
from server.api.lifecycle import Because
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="proposals")

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(prose),
]


class FloorWish(Input):
    """How far beyond its age band the space is to be opened; at least one of these."""

    page_editing: PageEditing | None = None
    posting: Posting | None = None
    chat: Chat | None = None


class NewMuteWish(Input):
    member: Id = Field(description="Membership id of a teacher of another school.")
    minutes: Annotated[int, Field(ge=1, le=60 * 24 * 366)] | None = Field(
        None, description="From when it is confirmed. With neither this nor until: until somebody lifts it."
    )
    until: Time | None = None

    @model_validator(mode="after")
    def _one_end(self) -> NewMuteWish:
        if self.minutes is not None and self.until is not None:
            raise ValueError("give minutes or until, not both")
        return self


class NewProposal(Input):
    floor: FloorWish | None = None
    mute: NewMuteWish | None = None
    because: Reason = Field(description="For who decides. Of a mute also for the other teachers.")

    @model_validator(mode="after")
    def _one_wish(self) -> NewProposal:
        if (self.floor is None) == (self.mute is None):
            raise ValueError("give floor or mute, and only one of them")
        return self


class Floor(Output):
    page_editing: PageEditing | None = Field(description="Null: no wider than now; like the others.")
    posting: Posting | None
    chat: Chat | None


class Mute(Output):
    minutes: int | None = Field(description="From when it is confirmed.")
    until: float | None = Field(description="Unix seconds. With neither it ends when it is lifted.")


class Somebody(Output):
    member: str = Field(description="Membership id.")
    name: str
    school: str | None
    town: str | None
    country: str | None


class Answer(Output):
    by: str | None = Field(description="The admin who has decided; null: the national office.")
    because: str
    at: float = Field(description="Unix seconds.")


class Proposal(Output):
    id: str
    kind: ProposalKind
    state: ProposalState = Field(
        description="What nobody has decided within 7 days counts as withdrawn. What was granted and then "
        "taken back is withdrawn, too, and has an answer."
    )
    space_id: str
    space_title: str
    age_band: AgeBand
    floor: Floor | None
    mute: Mute | None
    because: str
    asked_by: Somebody | None
    concerned: Somebody | None = Field(description="Who is to be muted.")
    asked_at: float = Field(description="Unix seconds, like ends_at.")
    ends_at: float = Field(description="When it is over if nobody decides.")
    answer: Answer | None
    can: dict[str, bool] = Field(description="decide, withdraw: what I may do about it.")


class GrantedFloor(Output):
    space_id: str
    space_title: str
    age_band: AgeBand
    floor: Floor


class TakenBack(Input):
    because: Reason = Field(description="For the admins of the space.")


class Decision(Input):
    accept: bool
    because: Because

    @model_validator(mode="after")
    def _says_why_not(self) -> Decision:
        if not self.accept and not self.because:
            raise ValueError("a refusal says why")
        return self


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


@routes.post(
    "/spaces/{space_id}/proposals",
    action=Action.FLOOR_LOWER,
    body=NewProposal,
    returns=Proposal,
    status=201,
    summary="Propose to open a space wider, or to mute a teacher of another school",
    errors=(409,),
)
async def propose(call: Call, body: NewProposal) -> Proposal:
    """For admins. The national office decides; a mute may also be confirmed by a second admin."""
    service, actor, space = call.services.proposals, person_id(call), _space(call)
    if body.floor is not None:
        wish = Lowered(body.floor.page_editing, body.floor.posting, body.floor.chat)
        return Proposal.model_validate(await service.ask_floor(actor, space, wish, body.because))
    assert body.mute is not None
    member, wanted = MembershipId(body.mute.member), MuteWish(body.mute.minutes, body.mute.until)
    return Proposal.model_validate(await service.ask_mute(actor, space, member, wanted, body.because))


@routes.get(
    "/spaces/{space_id}/proposals",
    action=Action.FLOOR_LOWER,
    returns=list[Proposal],
    summary="List what is proposed in a space",
)
async def list_proposals(call: Call) -> list[Proposal]:
    """For admins: what waits, then what was decided in the last 30 days. Nothing that concerns the caller."""
    found = await call.services.proposals.of_space(person_id(call), _space(call))
    return [Proposal.model_validate(each) for each in found]


@routes.get(
    "/proposals",
    action=Action.FLOOR_LOWER,
    returns=list[Proposal],
    summary="List what is proposed and waits for my office",
)
async def list_waiting(call: Call) -> list[Proposal]:
    """A national officer's are those with a founder from the country, or with a teacher from there who is to
    be muted; a platform admin's are all."""
    found = await call.services.proposals.waiting(person_id(call))
    return [Proposal.model_validate(each) for each in found]


@routes.put(
    "/proposals/{proposal_id}/decision",
    action=Action.FLOOR_LOWER,
    body=Decision,
    summary="Agree to what is proposed, or not",
    errors=(409,),
)
async def decide_proposal(call: Call, body: Decision) -> None:
    """Nobody decides about what they have proposed themselves. A mute begins at once."""
    await call.services.proposals.decide(
        person_id(call), call.params["proposal_id"], accept=body.accept, because=body.because
    )


@routes.delete(
    "/proposals/{proposal_id}",
    action=Action.FLOOR_LOWER,
    summary="Take back what I have proposed",
    errors=(409,),
)
async def withdraw_proposal(call: Call) -> None:
    await call.services.proposals.withdraw(person_id(call), call.params["proposal_id"])


@routes.get(
    "/floors",
    action=Action.FLOOR_LOWER,
    returns=list[GrantedFloor],
    summary="List the spaces that may be opened wider than their age band",
)
async def list_floors(call: Call) -> list[GrantedFloor]:
    """A national officer's are those with a founder from the country, a platform admin's are all."""
    found = await call.services.floors.granted(person_id(call))
    return [GrantedFloor.model_validate(each) for each in found]


@routes.put(
    "/spaces/{space_id}/floor/taken-back",
    action=Action.FLOOR_LOWER,
    body=TakenBack,
    summary="Take back what was granted a space beyond its age band",
    errors=(409,),
)
async def take_back_floor(call: Call, body: TakenBack) -> None:
    """What is chosen wider than the age band allows is as wide as that at once."""
    await call.services.floors.take_back(person_id(call), _space(call), body.because)
