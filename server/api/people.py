"""Pupils and their code cards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from io import BytesIO

import segno
from pydantic import Field

from rooms.accounts.people import NewCard
from rooms.rights.policy import Action
from rooms.values import PersonId
from server.api.fields import Name
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["Card", "cards", "routes"]

routes = Routes(tag="people")


class Card(Output):
    """A code card, shown this once."""

    person_id: str
    name: str
    code: str = Field(examples=["brave-otter-lemon-train-cloud"])
    login_url: str = Field(description="Opens the log-in; the code is in the fragment, so no log sees it.")
    qr_svg: str = Field(description="The same as a QR code, an SVG element.")


class CardAnswer(Output):
    card: Card


class PupilPatch(Input):
    name: Name | None = None
    disabled: bool | None = Field(None, description="True logs the pupil out and keeps them out.")


async def cards(call: Call, made: Sequence[NewCard]) -> list[Card]:
    """The cards ready to print."""
    # A change was let in because it came from our own page, whose address this then is.
    base = call.request.headers.get("Origin") or f"{call.request.scheme}://{call.request.host}"
    return await asyncio.to_thread(lambda: [_card(base, one) for one in made])


def _card(base: str, made: NewCard) -> Card:
    url = f"{base}/card#{made.card.code}"
    svg = BytesIO()
    segno.make(url, error="m", micro=False).save(
        svg, kind="svg", xmldecl=False, svgns=True, border=2, svgclass=None, lineclass=None, omitsize=True
    )
    return Card(
        person_id=made.person_id,
        name=made.name,
        code=made.card.code,
        login_url=url,
        qr_svg=svg.getvalue().decode().strip(),
    )


@routes.patch("/people/{person_id}", action=Action.PUPIL_MANAGE, body=PupilPatch, summary="Change a pupil")
async def change_pupil(call: Call, body: PupilPatch) -> None:
    await call.services.people.change_pupil(
        person_id(call), PersonId(call.params["person_id"]), name=body.name, disabled=body.disabled
    )


@routes.post(
    "/people/{person_id}/code",
    action=Action.PUPIL_MANAGE,
    returns=CardAnswer,
    summary="Give a pupil a new code card",
    errors=(429,),
)
async def reset_code(call: Call) -> CardAnswer:
    """The old card and its log-ins are dead at once."""
    made = await call.services.people.reset_code(person_id(call), PersonId(call.params["person_id"]))
    return CardAnswer(card=(await cards(call, [made]))[0])
