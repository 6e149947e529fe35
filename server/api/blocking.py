"""Whom I have blocked."""

from __future__ import annotations

from pydantic import Field

from rooms.rights.policy import Action
from rooms.values import PersonId
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Output, Routes

__all__ = ["Block", "routes"]

routes = Routes(tag="me")


class Block(Output):
    person_id: str
    name: str | None = Field(description="null for somebody who is in no space with me any more.")
    at: float = Field(description="Unix seconds, UTC.")


def _other(call: Call) -> PersonId:
    return PersonId(call.params["person_id"])


@routes.get("/me/blocks", access=LOGGED_IN, returns=list[Block], summary="Whom have I blocked?")
async def list_blocks(call: Call) -> list[Block]:
    return [Block.model_validate(each) for each in await call.services.blocking.of(person_id(call))]


@routes.put(
    "/me/blocks/{person_id}",
    action=Action.BLOCK_PERSON,
    summary="Block somebody for myself",
    errors=(409,),
)
async def block(call: Call) -> None:
    """Their posts are not shown to me any more. They are not told, and a pupil's own teachers stay."""
    await call.services.blocking.block(person_id(call), _other(call))


@routes.delete("/me/blocks/{person_id}", action=Action.BLOCK_PERSON, summary="Unblock somebody")
async def unblock(call: Call) -> None:
    await call.services.blocking.unblock(person_id(call), _other(call))
