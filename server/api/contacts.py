"""My contacts: adults who know each other beyond a space."""

from __future__ import annotations

from pydantic import Field

from rooms.rights.policy import Action
from rooms.values import PersonId
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="me")


class Contact(Output):
    person_id: str
    name: str
    school: str
    town: str
    country: str = Field(description="Two letters.", examples=["ES"])
    since: float = Field(description="When it was accepted; of a request, when it was made. Unix seconds.")


class Contacts(Output):
    contacts: list[Contact] = Field(description="By name.")
    asked_me: list[Contact] = Field(description="Who waits for my answer.")
    i_asked: list[Contact] = Field(description="Who has not said yes.")


class ContactAnswer(Input):
    accept: bool


def _other(call: Call) -> PersonId:
    return PersonId(call.params["person_id"])


@routes.get("/me/contacts", access=LOGGED_IN, returns=Contacts, summary="Whom do I know?")
async def list_contacts(call: Call) -> Contacts:
    """For confirmed adults; everybody else knows nobody here."""
    return Contacts.model_validate(await call.services.contacts.of(person_id(call)))


@routes.put(
    "/me/contacts/{person_id}",
    action=Action.MESSAGE,
    summary="Ask somebody to be a contact",
    errors=(409,),
)
async def ask(call: Call) -> None:
    """Somebody of a space of mine. Who has asked me becomes a contact at once."""
    await call.services.contacts.ask(person_id(call), _other(call))


@routes.put(
    "/me/contacts/{person_id}/answer",
    action=Action.MESSAGE,
    body=ContactAnswer,
    summary="Answer somebody who asks me to be a contact",
)
async def answer_contact(call: Call, body: ContactAnswer) -> None:
    """They are not told of a no."""
    await call.services.contacts.answer(person_id(call), _other(call), accept=body.accept)


@routes.delete(
    "/me/contacts/{person_id}", action=Action.MESSAGE, summary="Take a request back, or end a contact"
)
async def end(call: Call) -> None:
    await call.services.contacts.end(person_id(call), _other(call))
