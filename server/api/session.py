"""Logging in and out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, StringConstraints

from rooms.values import PersonId
from server.api.me import Me, me
from server.api.routing import PUBLIC, Call, Input, Routes

__all__ = ["routes"]

routes = Routes(tag="session")


class WithPassword(Input):
    """Adults."""

    method: Literal["password"]
    email: Annotated[str, StringConstraints(min_length=3, max_length=320)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class WithCode(Input):
    """Pupils: the five words of the code card. Case, spaces, accents and one slip a word do not matter."""

    method: Literal["code"]
    code: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200),
        Field(examples=["brave-otter-lemon-train-cloud"]),
    ]


class LogIn(RootModel[Annotated[WithPassword | WithCode, Field(discriminator="method")]]):
    pass


@routes.post("/session", access=PUBLIC, body=LogIn, returns=Me, summary="Log in", errors=(401, 429))
async def log_in(call: Call, body: LogIn) -> Me:
    """Sets the session cookie. An unknown account and a wrong secret get the same answer."""
    sessions, log_in = call.services.sessions, body.root
    replaces = call.principal.session_id if call.principal else None
    if isinstance(log_in, WithPassword):
        made = await sessions.log_in_with_password(
            log_in.email, log_in.password, address=call.address, replaces=replaces
        )
    else:
        made = await sessions.log_in_with_code(log_in.code, address=call.address, replaces=replaces)
    call.set_session(made.token)
    return await me(call.services, PersonId(made.principal.person or ""))


@routes.delete("/session", access=PUBLIC, summary="Log out")
async def log_out(call: Call) -> None:
    """The session's sockets close at once. Without a log-in only the cookie is removed."""
    if call.principal is not None and call.principal.session_id is not None:
        await call.services.sessions.log_out(call.principal.session_id)
    call.clear_session()
