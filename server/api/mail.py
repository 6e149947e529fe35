"""Whether and when I am mailed what is new."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from rooms.accounts.digest import MailSettings
from rooms.values import Digest
from server.api.me import person_id
from server.api.routing import LOGGED_IN, ApiError, Call, Input, Output, Routes

__all__ = ["HAS_MAIL", "routes"]

HAS_MAIL: Final = web.AppKey("has-mail", bool)
"""Whether this server sends mail at all."""

routes = Routes(tag="me")

TimeOfDay = Annotated[
    str, StringConstraints(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$"), Field(examples=["20:00"])
]


class Quiet(Output):
    model_config = ConfigDict(serialize_by_alias=True)

    start: str = Field(alias="from")
    until: str


class Mail(Output):
    available: bool = Field(description="False where this server sends no mail, and for pupils always.")
    digest: Digest
    hour: int
    quiet: Quiet | None


class NewQuiet(Input):
    start: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    @model_validator(mode="after")
    def _differ(self) -> NewQuiet:
        if self.start == self.until:
            raise ValueError("quiet hours begin and end at different times")
        return self


class MailChoice(Input):
    digest: Annotated[Digest, Field(strict=False)]
    hour: Annotated[int, Field(ge=0, le=23, description="By the clock of my school.")]
    quiet: NewQuiet | None = Field(None, description="No mail between these times.")


def _view(call: Call, found: MailSettings | None) -> Mail:
    found = found or MailSettings(Digest.OFF, 0, None)
    quiet = Quiet.model_validate({"from": found.quiet[0], "until": found.quiet[1]}) if found.quiet else None
    return Mail(available=True, digest=found.digest, hour=found.hour, quiet=quiet)


@routes.get("/me/mail", access=LOGGED_IN, returns=Mail, summary="Am I mailed what is new?")
async def read_mail(call: Call) -> Mail:
    found = await call.services.digests.of(person_id(call))
    view = _view(call, found)
    view.available = found is not None and call.request.app[HAS_MAIL]
    return view


@routes.put(
    "/me/mail",
    access=LOGGED_IN,
    body=MailChoice,
    returns=Mail,
    summary="Choose whether and when I am mailed what is new",
    errors=(403, 409),
)
async def choose_mail(call: Call, body: MailChoice) -> Mail:
    """For adults. A mail has numbers and the titles of spaces in it, never words or names."""
    if not call.request.app[HAS_MAIL]:
        raise ApiError(409, "no-mail", "This server sends no mail.")
    quiet = (body.quiet.start, body.quiet.until) if body.quiet else None
    await call.services.digests.choose(person_id(call), MailSettings(body.digest, body.hour, quiet))
    return await read_mail(call)
