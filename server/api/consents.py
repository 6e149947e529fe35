"""What families of pupils have agreed to, for the teachers of their school."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from rooms.accounts.consents import MOST_AT_ONCE, ConsentState
from rooms.rights.policy import Action
from rooms.values import ConsentPurpose, PersonId, SchoolId
from server.api.fields import Id
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="consents")

Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2200, 1, 1), examples=["2026-09-01"])]


class Consent(Output):
    purpose: ConsentPurpose
    state: ConsentState
    given_on: date | None
    valid_until: date | None = Field(description="Its last day; null: until it is withdrawn.")
    recorded_by: str | None = Field(description="A teacher's name.")


class PupilConsents(Output):
    person_id: str
    name: str
    consents: list[Consent] = Field(description="One for each purpose.")


class SchoolConsents(Output):
    today: date = Field(description="At the school.")
    pupils: list[PupilConsents]


class ConsentEntry(Output):
    purpose: ConsentPurpose
    state: ConsentState = Field(description="replaced: a later entry counts.")
    given_on: date
    valid_until: date | None
    recorded_by: str | None
    recorded_at: float = Field(description="Unix seconds, UTC.")
    withdrawn_by: str | None
    withdrawn_at: float | None


class NewConsent(Input):
    pupils: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)] = Field(
        description="Ids of people."
    )
    purpose: ConsentPurpose
    given_on: Day
    valid_until: Day | None = Field(None, description="Its last day; null: until it is withdrawn.")


@routes.get(
    "/schools/{school_id}/consents",
    action=Action.PUPIL_MANAGE,
    returns=SchoolConsents,
    summary="What have the families of my school's pupils agreed to?",
)
async def read_consents(call: Call) -> SchoolConsents:
    return SchoolConsents.model_validate(
        await call.services.consents.of_school(person_id(call), SchoolId(call.params["school_id"]))
    )


@routes.put(
    "/schools/{school_id}/consents",
    action=Action.PUPIL_MANAGE,
    body=NewConsent,
    summary="Note the consent of families, for several pupils at once",
    errors=(409,),
)
async def record_consent(call: Call, body: NewConsent) -> None:
    """For all of them or, where one is no pupil of the school, for none."""
    await call.services.consents.record(
        person_id(call),
        SchoolId(call.params["school_id"]),
        [PersonId(each) for each in body.pupils],
        body.purpose,
        body.given_on,
        body.valid_until,
    )


@routes.get(
    "/people/{person_id}/consents",
    action=Action.PUPIL_MANAGE,
    returns=list[ConsentEntry],
    summary="All that was ever noted about a pupil's consent, newest first",
)
async def read_history(call: Call) -> list[ConsentEntry]:
    found = await call.services.consents.of_pupil(person_id(call), PersonId(call.params["person_id"]))
    return [ConsentEntry.model_validate(each) for each in found]


@routes.put(
    "/people/{person_id}/consents/{purpose}/withdrawn",
    action=Action.PUPIL_MANAGE,
    summary="A family takes its consent back",
    patterns={"purpose": "|".join(ConsentPurpose)},
)
async def withdraw_consent(call: Call) -> None:
    """It ends at once. The entry stays in the ledger."""
    await call.services.consents.withdraw(
        person_id(call), PersonId(call.params["person_id"]), ConsentPurpose(call.params["purpose"])
    )
