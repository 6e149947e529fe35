"""Messages between two adults: whom I write with, and what we wrote."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rooms.rights.policy import Action
from rooms.talk.direct_messages import MOST_LISTED, MOST_READ
from rooms.values import PersonId
from server.api.fields import Time, prose
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Input, Output, Query, Routes

__all__ = ["routes"]

routes = Routes(tag="me")


class Message(Output):
    id: str
    mine: bool
    key: str | None = Field(description="Of my own: the one it was sent with.")
    body: str
    at: float = Field(description="Unix seconds, UTC. No two of a conversation have the same.")


class Partner(Output):
    person_id: str
    name: str
    school: str | None
    town: str | None
    country: str | None = Field(description="Two letters.", examples=["ES"])


class ConversationLine(Output):
    partner: Partner
    last: Message = Field(description="With the first 200 characters of its words.")
    unread: int


class Conversations(Output):
    unread: int
    conversations: list[ConversationLine] = Field(
        description=f"The one written in last first; at most {MOST_LISTED}."
    )


class Conversation(Output):
    partner: Partner
    can_write: bool
    contact: bool = Field(description="We are contacts.")
    blocked: bool = Field(description="By me.")
    unread: int
    messages: list[Message] = Field(description="The first first.")
    more: bool = Field(description="There are older ones; where I asked for what came after, newer ones.")


class NewMessage(Input):
    key: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        Field(description="Made by the client, once for each message: sent again, it is not written again."),
    ]
    body: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000),
        AfterValidator(prose),
        Field(description="Plain text, 1 to 4,000 characters."),
    ]


class Part(Query):
    """Which messages: the last ones, unless it says more."""

    before: Time | None = Field(None, description="Only what was written before.")
    after: Time | None = Field(None, description="Only what was written after, the first of it.")
    most: Annotated[int, Field(ge=1, le=MOST_READ)] = Field(50, description="Read so many.")

    @model_validator(mode="after")
    def _one_side(self) -> Part:
        if self.before is not None and self.after is not None:
            raise ValueError("ask for what came before or for what came after")
        return self


class Read(Input):
    until: Time


def _other(call: Call) -> PersonId:
    return PersonId(call.params["person_id"])


@routes.get("/me/messages", access=LOGGED_IN, returns=Conversations, summary="Who writes with me?")
async def list_conversations(call: Call) -> Conversations:
    """For confirmed adults; everybody else has none. Messages are kept for 90 days."""
    return Conversations.model_validate(await call.services.direct_messages.of(person_id(call)))


@routes.get(
    "/me/messages/{person_id}",
    action=Action.MESSAGE,
    query=Part,
    returns=Conversation,
    summary="Read what somebody and I wrote to each other",
    errors=(409,),
)
async def read_conversation(call: Call) -> Conversation:
    """Also of somebody to whom I could write, where there is nothing yet."""
    part = call.query
    return Conversation.model_validate(
        await call.services.direct_messages.read(
            person_id(call), _other(call), before=part.before, after=part.after, most=part.most
        )
    )


@routes.post(
    "/me/messages/{person_id}",
    action=Action.MESSAGE,
    body=NewMessage,
    returns=Message,
    status=201,
    summary="Write to somebody",
    errors=(409,),
)
async def send_message(call: Call, body: NewMessage) -> Message:
    """To a contact, or an adult of a space of mine."""
    return Message.model_validate(
        await call.services.direct_messages.send(person_id(call), _other(call), key=body.key, body=body.body)
    )


@routes.put(
    "/me/messages/{person_id}/read",
    action=Action.MESSAGE,
    body=Read,
    summary="I have read what they wrote until then",
)
async def read_messages(call: Call, body: Read) -> None:
    """They are not told."""
    await call.services.direct_messages.seen(person_id(call), _other(call), body.until)
