"""Pages of a space: the tree, rules, locks and the bin. Their text is at /pages/{page_id}/content."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rooms.rights.access import Scope
from rooms.rights.policy import Action
from rooms.values import EditRule, PageId, PageKind, RoomId, SeeRule, SpaceId
from server.api.fields import Id, Line, Time
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["Page", "routes"]

routes = Routes(tag="pages")


class Lock(Output):
    by: str = Field(description="Name of the person who locked it.")
    reason: str
    at: float = Field(description="Unix seconds.")
    until: float | None = Field(description="Unix seconds; null: until somebody unlocks it.")


class Page(Output):
    id: str
    kind: PageKind = Field(description="A board holds cards in columns instead of running text.")
    title: str
    parent_id: str | None = Field(description="Null at the top, and below a page that I may not see.")
    order: int = Field(description="Place among the pages with the same parent, from 0; hidden ones count.")
    room_id: str
    see_rule: SeeRule
    edit_rule: EditRule
    lock: Lock | None
    document: str = Field(description="Name of the live document.", examples=["page/Fq3k9vZt0aXw2LhY"])
    scope: Scope = Field(description="What I may do with the document now.")
    reason: str = Field(description="Message key why not read-write, such as locked; else empty.")
    mine: bool
    can: dict[str, bool] = Field(description="lock, rename, settings, delete: what I may do with the page.")
    block_owners: bool = Field(
        description="The blocks or cards that I make are protected for me, by my editor: protected is my "
        "client id."
    )


class NewPage(Input):
    title: Line
    kind: PageKind = PageKind.PAGE
    parent_id: Id | None = None


class PagePatch(Input):
    title: Line | None = None
    parent_id: Id | None = Field(None, description="Null moves it to the top of its room.")
    order: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        None, description="Place among the pages with the same parent, from 0. Left out on a move: the end."
    )
    see_rule: SeeRule | None = None
    edit_rule: EditRule | None = None


class NewLock(Input):
    reason: Line = Field(description="Shown to everybody who opens the page.")
    until: Time | None = None


def _page(call: Call) -> PageId:
    return PageId(call.params["page_id"])


@routes.get(
    "/spaces/{space_id}/pages",
    action=Action.SPACE_READ,
    returns=list[Page],
    summary="List the pages of a space that I may see",
)
async def list_pages(call: Call) -> list[Page]:
    found = await call.services.pages.of_space(person_id(call), SpaceId(call.params["space_id"]))
    return [Page.model_validate(page) for page in found]


@routes.get(
    "/spaces/{space_id}/bin",
    action=Action.SPACE_READ,
    returns=list[Page],
    summary="List the binned pages that I may take out again",
)
async def list_bin(call: Call) -> list[Page]:
    found = await call.services.pages.bin_of(person_id(call), SpaceId(call.params["space_id"]))
    return [Page.model_validate(page) for page in found]


@routes.post(
    "/rooms/{room_id}/pages",
    action=Action.PAGE_CREATE,
    body=NewPage,
    returns=Page,
    status=201,
    summary="Make a page or a board",
    errors=(409,),
)
async def make_page(call: Call, body: NewPage) -> Page:
    """The new page is the last among its siblings and empty."""
    parent = PageId(body.parent_id) if body.parent_id is not None else None
    return Page.model_validate(
        await call.services.pages.create(
            person_id(call), RoomId(call.params["room_id"]), title=body.title, kind=body.kind, parent=parent
        )
    )


@routes.get("/pages/{page_id}", action=Action.SPACE_READ, returns=Page, summary="Read a page's settings")
async def read_page(call: Call) -> Page:
    return Page.model_validate(await call.services.pages.get(person_id(call), _page(call)))


@routes.patch(
    "/pages/{page_id}",
    action=Action.PAGE_SETTINGS,
    body=PagePatch,
    returns=Page,
    summary="Change a page's title, place or rules",
    errors=(409,),
)
async def change_page(call: Call, body: PagePatch) -> Page:
    changes = body.model_dump(exclude_none=True)
    if "parent_id" in body.model_fields_set:
        changes["parent_id"] = body.parent_id
    return Page.model_validate(await call.services.pages.change(person_id(call), _page(call), changes))


@routes.delete("/pages/{page_id}", action=Action.PAGE_BIN, summary="Put a page into the bin", errors=(409,))
async def bin_page(call: Call) -> None:
    """The pages below it go along."""
    await call.services.pages.bin(person_id(call), _page(call))


@routes.post(
    "/pages/{page_id}/restore",
    action=Action.PAGE_BIN,
    returns=Page,
    summary="Take a page out of the bin",
)
async def restore_page(call: Call) -> Page:
    return Page.model_validate(await call.services.pages.restore(person_id(call), _page(call)))


@routes.put(
    "/pages/{page_id}/lock",
    action=Action.PAGE_LOCK,
    body=NewLock,
    returns=Page,
    summary="Lock a page",
    errors=(409,),
)
async def lock_page(call: Call, body: NewLock) -> Page:
    """Everybody can read it and nobody write, from this moment on, also those who have it open."""
    return Page.model_validate(
        await call.services.pages.lock(person_id(call), _page(call), body.reason, body.until)
    )


@routes.delete("/pages/{page_id}/lock", action=Action.PAGE_LOCK, summary="Unlock a page")
async def unlock_page(call: Call) -> None:
    await call.services.pages.unlock(person_id(call), _page(call))
