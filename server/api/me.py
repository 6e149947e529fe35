"""Who is logged in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from rooms.services import Services
from rooms.values import PersonId, PersonKind, Role, SpaceStatus
from server.api.fields import Language
from server.api.routing import LOGGED_IN, Call, Input, Output, Routes

__all__ = ["Me", "School", "me", "person_id", "routes"]

routes = Routes(tag="me")

PASSWORD_LENGTH = 10


class School(Output):
    id: str
    name: str
    town: str
    country: str = Field(description="Two letters.", examples=["ES"])
    time_zone: str = Field(examples=["Europe/Madrid"])


class Person(Output):
    id: str
    name: str = Field(description="A pupil's is a pseudonym.")
    kind: PersonKind
    school: School | None
    language: str | None


class MySpace(Output):
    id: str
    title: str
    role: Role
    status: SpaceStatus


class Me(Output):
    person: Person
    spaces: list[MySpace]
    can: dict[str, bool] = Field(
        description="create_space, approve, cases, legal_cases: what I may do outside my spaces."
    )


class MePatch(Input):
    language: Language | None = None


class PasswordChange(Input):
    old: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    new: Annotated[str, StringConstraints(min_length=PASSWORD_LENGTH, max_length=200)]


def person_id(call: Call) -> PersonId:
    """Who is calling."""
    return PersonId(call.member.person or "")


async def me(services: Services, person: PersonId) -> Me:
    return Me(
        person=Person.model_validate(await services.people.get(person)),
        spaces=[MySpace.model_validate(line) for line in await services.spaces.of(person)],
        can=await services.lifecycle.can(person),
    )


@routes.get("/me", access=LOGGED_IN, returns=Me, summary="Who am I, and in which spaces?")
async def read_me(call: Call) -> Me:
    return await me(call.services, person_id(call))


@routes.patch("/me", access=LOGGED_IN, body=MePatch, returns=Me, summary="Change my language")
async def change_me(call: Call, body: MePatch) -> Me:
    if "language" in body.model_fields_set:
        await call.services.people.set_language(person_id(call), body.language)
    return await me(call.services, person_id(call))


@routes.put(
    "/me/password",
    access=LOGGED_IN,
    body=PasswordChange,
    summary="Change my password",
    errors=(429,),
)
async def change_password(call: Call, body: PasswordChange) -> None:
    """Every other log-in of mine ends at once. Pupils have no password: their teacher gives a new card."""
    await call.services.sessions.change_password(
        person_id(call), body.old, body.new, keep=call.member.session_id or "", address=call.address
    )
