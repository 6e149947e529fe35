"""The pupils of a school, for the teachers of that school."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from rooms.accounts.people import MOST_AT_ONCE
from rooms.rights.policy import Action
from rooms.values import PersonState, SchoolId, SpaceId
from server.api.fields import Id, Language, Name
from server.api.me import person_id
from server.api.people import Card, cards
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="schools")


class PupilSpace(Output):
    id: str
    title: str


class Pupil(Output):
    person_id: str
    name: str
    language: str | None
    state: PersonState
    selector: str = Field(description="The first words of the card: enough to give a lost one back.")
    last_seen: float | None = Field(description="Last log-in with this card, unix seconds.")
    spaces: list[PupilSpace]


class NewPupil(Input):
    name: Name | None = Field(None, description="A pseudonym; left out: the words on the card.")


class NewPupils(Input):
    """Either a list of pupils or how many."""

    space_id: Id = Field(description="Where they become students.")
    pupils: Annotated[list[NewPupil], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    count: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _one_of(self) -> NewPupils:
        if (self.pupils is None) == (self.count is None):
            raise ValueError("give either pupils or count")
        return self


class Cards(Output):
    cards: list[Card]


@routes.get(
    "/schools/{school_id}/pupils",
    action=Action.PUPIL_MANAGE,
    returns=list[Pupil],
    summary="List the pupils of my school",
)
async def list_pupils(call: Call) -> list[Pupil]:
    found = await call.services.people.pupils(person_id(call), SchoolId(call.params["school_id"]))
    return [
        Pupil(
            person_id=pupil.person_id,
            name=pupil.name,
            language=pupil.language,
            state=pupil.state,
            selector=pupil.selector,
            last_seen=pupil.last_seen,
            spaces=[PupilSpace(id=id, title=title) for id, title in pupil.spaces],
        )
        for pupil in found
    ]


@routes.post(
    "/schools/{school_id}/pupils",
    action=Action.PUPIL_MANAGE,
    body=NewPupils,
    returns=Cards,
    status=201,
    summary="Make pupils with code cards",
    errors=(409, 429),
)
async def make_pupils(call: Call, body: NewPupils) -> Cards:
    """The cards are in this answer only: print them now. Later there are only new ones."""
    names = [pupil.name for pupil in body.pupils] if body.pupils else [None] * (body.count or 0)
    made = await call.services.people.make_pupils(
        person_id(call),
        SchoolId(call.params["school_id"]),
        SpaceId(body.space_id),
        names,
        language=body.language,
    )
    return Cards(cards=await cards(call, made))
