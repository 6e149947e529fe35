"""Who wrote what on a page, and taking back what one member did."""

from __future__ import annotations

import math
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from crdt.preview import Fate
from rooms.documents.history import PageHistory
from rooms.rights.policy import Action
from rooms.values import MembershipId, PageId, Role
from server.api.fields import Id, Time
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["HISTORY", "routes"]

HISTORY: Final = web.AppKey("history", PageHistory)

routes = Routes(tag="history")


class Author(Output):
    membership_id: str | None = Field(description="Null, like the name, for people who were erased.")
    name: str | None
    school: str | None
    role: Role | None
    characters: int = Field(description="Of those that are on the page now.")
    last_at: float | None = Field(description="Last edit, Unix seconds; null when it is too long ago.")


class WhatToUndo(Input):
    membership_id: Id
    since: Time


class NewUndo(WhatToUndo):
    until: Time | None = Field(None, description="Of the preview: what was done after that stays.")
    seen: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        None, description="Of the preview: just that is done, or, if that has changed, nothing (409)."
    )


class Piece(Output):
    fate: Fate
    text: str = Field(description="Of what stays only as much as is needed to know where one is.")
    node: str = Field(description="Instead of text: the kind of a thing without words, such as image.")


class Block(Output):
    node: str = Field(description="Kind of block, such as paragraph.")
    pieces: list[Piece]
    look: bool = Field(description="How something looks changes too.")
    by_others: int = Field(description="Characters that others have written in it since then; they stay.")


class UndoPreview(Output):
    blocks: list[Block] = Field(description="Empty when there is nothing to take back.")
    more: int = Field(description="How many further blocks change.")
    gone_already: int = Field(description="Characters of the member that others have deleted already.")
    until: float
    seen: str = Field(description="For the undo.")


class Undone(Output):
    undone: bool = Field(description="False when there was nothing to take back.")


def _history(call: Call) -> PageHistory:
    return call.request.app[HISTORY]


def _page(call: Call) -> PageId:
    return PageId(call.params["page_id"])


@routes.get(
    "/pages/{page_id}/authors",
    action=Action.SPACE_READ,
    returns=list[Author],
    summary="List who has written on a page",
    errors=(503,),
)
async def list_authors(call: Call) -> list[Author]:
    """Most characters first; those who have left the space are there too."""
    found = await _history(call).authors(person_id(call), _page(call))
    return [Author.model_validate(author) for author in found]


@routes.get(
    "/pages/{page_id}/authorship",
    action=Action.SPACE_READ,
    returns=dict[str, str | None],
    summary="Read whose the client ids of a page are",
    errors=(503,),
)
async def read_authorship(call: Call) -> dict[str, str | None]:
    """Client id to membership id; null for people who were erased."""
    return await _history(call).authorship(person_id(call), _page(call))


@routes.post(
    "/pages/{page_id}/undo/preview",
    action=Action.PAGE_RESTORE,
    body=WhatToUndo,
    returns=UndoPreview,
    summary="See what taking back would do",
    errors=(409, 503),
)
async def preview_undo(call: Call, body: WhatToUndo) -> UndoPreview:
    """What would go and what would come back, block by block. Nothing is changed."""
    view = await _history(call).preview(
        person_id(call), _page(call), MembershipId(body.membership_id), body.since
    )
    found = view.preview
    return UndoPreview(
        blocks=[Block.model_validate(block) for block in found.blocks],
        more=found.more,
        gone_already=found.gone_already,
        until=view.until,
        seen=found.fingerprint,
    )


@routes.post(
    "/pages/{page_id}/undo",
    action=Action.PAGE_RESTORE,
    body=NewUndo,
    returns=Undone,
    summary="Take back what one member did on a page",
    errors=(409, 413, 503),
)
async def undo(call: Call, body: NewUndo) -> Undone:
    """Everything since then, at most 30 days ago; what others wrote stays. A lock does not hinder it."""
    undone = await _history(call).undo(
        person_id(call),
        _page(call),
        MembershipId(body.membership_id),
        body.since,
        until=math.inf if body.until is None else body.until,
        seen=body.seen,
    )
    return Undone(undone=undone)
