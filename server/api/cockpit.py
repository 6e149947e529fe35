"""The teacher's cockpit: what waits, who is silent, what is new since the last visit."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import Field

from rooms.rights.policy import Action
from rooms.spaces.cockpit import Cockpit
from rooms.values import SpaceId
from server.api.me import person_id
from server.api.routing import Call, Output, Routes

__all__ = ["COCKPIT", "routes"]

COCKPIT: Final = web.AppKey("cockpit", Cockpit)

routes = Routes(tag="cockpit")


class ChangedPage(Output):
    id: str
    title: str
    last_at: float = Field(description="Unix seconds.")
    authors: list[str] = Field(description="Who has edited it since, by membership id, last first.")


class FreshThread(Output):
    id: str
    title: str
    last_at: float
    new_posts: int = Field(description="Of others.")


class NewMember(Output):
    id: str
    name: str
    at: float


class CockpitView(Output):
    """What there is for a teacher to see."""

    since: float = Field(description="My last visit; before the first one, when I joined. Unix seconds.")
    pages: list[ChangedPage]
    threads: list[FreshThread]
    members: list[NewMember]
    silent: list[str] = Field(
        description="Membership ids of pupils who have written nothing for half an hour, here or not."
    )
    counts: dict[str, int] = Field(description="held, reports, muted: what waits for me.")


def _cockpit(call: Call) -> Cockpit:
    return call.request.app[COCKPIT]


@routes.get(
    "/spaces/{space_id}/cockpit",
    action=Action.STAFF_READ,
    returns=CockpitView,
    summary="See what waits and what is new since my last visit",
    errors=(503,),
)
async def read_cockpit(call: Call) -> CockpitView:
    found = await _cockpit(call).of_space(person_id(call), SpaceId(call.params["space_id"]))
    return CockpitView.model_validate(found)


@routes.post(
    "/spaces/{space_id}/visit",
    action=Action.STAFF_READ,
    summary="Say that I have seen what is new",
)
async def visit(call: Call) -> None:
    await _cockpit(call).visit(person_id(call), SpaceId(call.params["space_id"]))
