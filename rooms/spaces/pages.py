"""Pages: their tree, who may see and edit them, locks, and the bin.

What is written on a page is not here: it lives in the document ``page/<id>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, func, insert, select, update

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change, Scope
from rooms.rights.policy import Action, Target, allowed
from rooms.rights.standing import Standing, page_row, page_rows, stand
from rooms.safety.audit import Audit
from rooms.spaces.spaces import Spaces
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import pages, rooms
from rooms.values import (
    STAFF_ROOMS,
    Clock,
    EditRule,
    NewId,
    PageId,
    PageKind,
    PersonId,
    Role,
    RoomId,
    SeeRule,
    SpaceId,
)

__all__ = ["MOST_PAGES", "LockView", "PageView", "Pages", "document_of"]

MOST_PAGES: Final = 1_000
"""In one space, the bin not counted."""
DEEPEST: Final = 8
"""Levels of pages below pages."""


def document_of(page: str) -> str:
    return f"page/{page}"


@dataclass(frozen=True, slots=True)
class LockView:
    by: str
    reason: str
    at: float
    until: float | None


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as one person sees it."""

    id: str
    kind: PageKind
    title: str
    parent_id: str | None
    order: int
    room_id: str
    see_rule: SeeRule
    edit_rule: EditRule
    lock: LockView | None
    document: str
    scope: Scope
    reason: str
    mine: bool
    can: dict[str, bool]
    block_owners: bool
    """A block or card that the person makes here is theirs: their editor protects it for them."""


class Pages:
    """Every page of an installation."""

    def __init__(self, records: Records, spaces: Spaces, audit: Audit, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._spaces = spaces
        self._audit = audit
        self._clock = clock
        self._new_id = new_id

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[PageView]:
        """The pages the actor may see, in the order of rooms and places. Raises NotFound or NotAllowed."""
        return await self._list(actor, space, binned=False)

    async def bin_of(self, actor: PersonId, space: SpaceId) -> list[PageView]:
        """The pages in the bin that the actor may take out again."""
        return await self._list(actor, space, binned=True)

    async def get(self, actor: PersonId, page: PageId) -> PageView:
        """Raises NotFound also for a page the actor may not see."""
        async with self._records.reading() as tx:
            standing, row = await self._find(tx, actor, page)
            view = await self._view(tx, standing, row)
        await self._audit.note_reading(standing, document_of(page))
        return view

    async def create(
        self,
        actor: PersonId,
        room: RoomId,
        *,
        title: str,
        kind: PageKind = PageKind.PAGE,
        parent: PageId | None = None,
        template: str | None = None,
    ) -> PageView:
        """Makes an empty page at the end of its siblings. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing, row = await self._spaces.find_room(tx, actor, room)
            standing.require(Action.PAGE_CREATE, standing.target(row))
            count = await tx.value(
                select(func.count())
                .select_from(pages)
                .join(rooms, rooms.c.id == pages.c.room_id)
                .where(rooms.c.space_id == standing.space, pages.c.binned_at.is_(None))
            )
            if count >= MOST_PAGES:
                raise Conflict("too-many-pages", f"A space has at most {MOST_PAGES} pages. Bin some first.")
            if parent is not None:
                await self._check_parent(tx, standing, parent, room, height=1)
            page = PageId(self._new_id())
            staff = row["kind"] in STAFF_ROOMS
            await tx.do(
                insert(pages).values(
                    id=page,
                    room_id=room,
                    kind=kind,
                    title=title,
                    parent_id=parent,
                    place=await self._count_siblings(tx, room, parent),
                    see_rule=SeeRule.STAFF if staff else SeeRule.MEMBERS,
                    edit_rule=EditRule.TEACHERS if staff else EditRule.EVERYONE,
                    author_id=standing.actor.membership,
                    template=template,
                    created_at=self._clock(),
                )
            )
            tx.publish(_change("page-created", standing.space, page))
            return await self._view(tx, standing, await page_row(tx, page))

    async def change(self, actor: PersonId, page: PageId, changes: Mapping[str, Any]) -> PageView:
        """Changes title, see_rule, edit_rule, parent_id or order: the keys that are given.

        ``order`` counts from 0 among the pages with the same parent. Raises NotFound, NotAllowed or Conflict.
        """
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, page)
            standing.require(Action.PAGE_SETTINGS, self._settings_target(standing, row))
            values = {key: changes[key] for key in ("title", "see_rule", "edit_rule") if key in changes}
            if values:
                await tx.do(update(pages).where(pages.c.id == page).values(values))
            if "parent_id" in changes or "order" in changes:
                parent = changes.get("parent_id", row["parent_id"])
                if parent is not None and parent != row["parent_id"]:
                    height = await self._height(tx, page)
                    await self._check_parent(tx, standing, PageId(parent), row["room_id"], height, page)
                await self._place(tx, row, parent, changes.get("order"))
            tx.publish(_change("page-changed", standing.space, page))
            rules: dict[str, Any] = {key: values[key] for key in ("see_rule", "edit_rule") if key in values}
            if rules:
                await self._note(tx, standing, "rules", row, rules)
            row = await page_row(tx, page)
            if not standing.may_see_page(row):
                raise Conflict("would-hide", "With this rule you could not see the page yourself any more.")
            return await self._view(tx, standing, row)

    async def lock(self, actor: PersonId, page: PageId, reason: str, until: float | None) -> PageView:
        """Makes the page read-only for everybody, with a reason in the locker's words and perhaps an end."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, page)
            standing.require(Action.PAGE_LOCK, standing.page_target(row))
            if until is not None and until <= standing.now:
                raise Conflict("lock-over", "The end of the lock is already past. Choose a later time.")
            await tx.do(
                update(pages)
                .where(pages.c.id == page)
                .values(
                    locked_by=standing.actor.membership,
                    locked_because=reason,
                    locked_at=standing.now,
                    locked_until=until,
                )
            )
            tx.publish(_change("lock", standing.space, page))
            await self._note(tx, standing, "lock", row, {"because": reason, "until": until})
            return await self._view(tx, standing, await page_row(tx, page))

    async def unlock(self, actor: PersonId, page: PageId) -> None:
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, page)
            standing.require(Action.PAGE_LOCK, standing.page_target(row))
            await tx.do(
                update(pages)
                .where(pages.c.id == page)
                .values(locked_by=None, locked_because=None, locked_at=None, locked_until=None)
            )
            tx.publish(_change("unlock", standing.space, page))
            await self._note(tx, standing, "unlock", row)

    async def bin(self, actor: PersonId, page: PageId) -> None:
        """Puts the page and all below it into the bin. Raises Conflict if some are not the actor's to bin."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, page)
            standing.require(Action.PAGE_BIN, self._settings_target(standing, row))
            branch = [row]
            for parent in branch:  # grows while it is walked
                branch += await tx.all(page_rows().where(pages.c.parent_id == parent["id"]))
            for below in branch[1:]:
                if not standing.decide(Action.PAGE_BIN, self._settings_target(standing, below)):
                    raise Conflict(
                        "others-below", "There are pages of others below this one. Move them away first."
                    )
            await tx.do(
                update(pages)
                .where(pages.c.id.in_([below["id"] for below in branch]))
                .values(binned_at=standing.now)
            )
            await self._count(tx, await self._siblings(tx, row["room_id"], row["parent_id"]))
            for below in branch:
                tx.publish(_change("page-binned", standing.space, below["id"]))
                await self._note(tx, standing, "binned", below)

    async def restore(self, actor: PersonId, page: PageId) -> PageView:
        """Takes a page out of the bin, with the pages below it that went in with it."""
        async with self._records.writing() as tx:
            row = await page_row(tx, page, binned=True)
            standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
            if not self._may_restore(standing, row):
                raise NotFound
            standing.require(Action.PAGE_BIN, self._settings_target(standing, row))
            branch = [page]
            for parent in branch:  # grows while it is walked
                below = select(pages.c.id).where(
                    pages.c.parent_id == parent, pages.c.binned_at == row["binned_at"]
                )
                branch += [PageId(child["id"]) for child in await tx.all(below)]
            parent_there = await tx.value(
                select(pages.c.id).where(pages.c.id == row["parent_id"], pages.c.binned_at.is_(None))
            )
            place = await self._count_siblings(tx, row["room_id"], parent_there)
            await tx.do(update(pages).where(pages.c.id == page).values(parent_id=parent_there, place=place))
            await tx.do(update(pages).where(pages.c.id.in_(branch)).values(binned_at=None))
            for child in branch:
                tx.publish(_change("page-restored", standing.space, child))
                await self._note(tx, standing, "restored", await page_row(tx, child))
            return await self._view(tx, standing, await page_row(tx, page))

    async def _note(
        self,
        tx: Writing,
        standing: Standing,
        action: str,
        page: RowMapping,
        details: Mapping[str, Any] = {},
    ) -> None:
        await self._audit.note(
            tx,
            standing.space,
            standing.actor.membership,
            action,
            document_of(page["id"]),
            concerned=page["author_id"],
            details={**details, **standing.office},
        )

    # The tree

    async def _check_parent(
        self,
        tx: Reading,
        standing: Standing,
        parent: PageId,
        room: str,
        height: int,
        page: PageId | None = None,
    ) -> None:
        """Raises Conflict unless ``page``, with ``height`` levels of its own, may stand below ``parent``."""
        try:
            above = await page_row(tx, parent)
        except NotFound:
            above = None
        if above is None or above["room_id"] != room or not standing.may_see_page(above):
            raise Conflict("no-such-parent", "A page can only stand below another page of the same room.")
        depth = 1
        step: str | None = parent
        while step is not None:
            if step == page:
                raise Conflict("cycle", "A page cannot stand below itself or below a page that is below it.")
            depth += 1
            step = await tx.value(select(pages.c.parent_id).where(pages.c.id == step))
        if depth + height - 1 > DEEPEST:
            raise Conflict("too-deep", f"Pages go at most {DEEPEST} levels deep.")

    async def _height(self, tx: Reading, page: PageId) -> int:
        """Levels of the page and what is below it."""
        level, height = [str(page)], 0
        while level:
            height += 1
            below = select(pages.c.id).where(pages.c.parent_id.in_(level), pages.c.binned_at.is_(None))
            level = [row["id"] for row in await tx.all(below)]
        return height

    async def _place(self, tx: Writing, page: RowMapping, parent: str | None, order: int | None) -> None:
        """Puts the page at ``order`` below ``parent`` (None: at the end) and counts the siblings anew."""
        siblings = [id for id in await self._siblings(tx, page["room_id"], parent) if id != page["id"]]
        siblings.insert(len(siblings) if order is None else min(order, len(siblings)), page["id"])
        await tx.do(update(pages).where(pages.c.id == page["id"]).values(parent_id=parent))
        await self._count(tx, siblings)
        if parent != page["parent_id"]:
            await self._count(tx, await self._siblings(tx, page["room_id"], page["parent_id"]))

    async def _count(self, tx: Writing, siblings: list[str]) -> None:
        for place, sibling in enumerate(siblings):
            await tx.do(update(pages).where(pages.c.id == sibling).values(place=place))

    async def _siblings(self, tx: Reading, room: str, parent: str | None) -> list[str]:
        below = pages.c.parent_id.is_(None) if parent is None else pages.c.parent_id == parent
        rows = await tx.all(
            select(pages.c.id)
            .where(pages.c.room_id == room, below, pages.c.binned_at.is_(None))
            .order_by(pages.c.place, pages.c.created_at, pages.c.id)
        )
        return [row["id"] for row in rows]

    async def _count_siblings(self, tx: Reading, room: str, parent: str | None) -> int:
        return len(await self._siblings(tx, room, parent))

    # Views

    async def _find(self, tx: Reading, actor: PersonId, page: PageId) -> tuple[Standing, RowMapping]:
        """A page the actor may see. Raises NotFound."""
        row = await page_row(tx, page)
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
        if not standing.is_here or not standing.may_see_page(row):
            raise NotFound
        return standing, row

    def _settings_target(self, standing: Standing, row: RowMapping) -> Target:
        """A lock stops changes of the page itself only for those who could not take it off."""
        unlocker = allowed(Action.PAGE_LOCK, standing.actor, standing.page_target(row, locked=False))
        return standing.page_target(row, locked=not unlocker)

    def _may_restore(self, standing: Standing, row: RowMapping) -> bool:
        return standing.is_here and bool(
            standing.decide(Action.PAGE_BIN, standing.page_target(row, locked=False))
        )

    async def _list(self, actor: PersonId, space: SpaceId, *, binned: bool) -> list[PageView]:
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            standing.require(Action.SPACE_READ)
            if not standing.is_here:
                raise NotAllowed("role")
            rows = await tx.all(
                page_rows(binned=binned)
                .where(rooms.c.space_id == space)
                .order_by(rooms.c.place, pages.c.place, pages.c.created_at, pages.c.id)
            )
            if binned:
                shown = [row for row in rows if self._may_restore(standing, row)]
            else:
                shown = [row for row in rows if standing.may_see_page(row)]
        await self._audit.note_reading(standing, f"space/{space}")
        seen = {row["id"] for row in shown}
        return [self._as_view(standing, row, seen) for row in shown]

    async def _view(self, tx: Reading, standing: Standing, row: RowMapping) -> PageView:
        seen = set()
        if row["parent_id"] is not None:
            above = await tx.first(page_rows().where(pages.c.id == row["parent_id"]))
            if above is not None and standing.may_see_page(above):
                seen.add(row["parent_id"])
        return self._as_view(standing, row, seen)

    def _as_view(self, standing: Standing, row: RowMapping, seen: set[str]) -> PageView:
        scope, reason = standing.page_scope(row)
        lock = None
        if standing.lock_holds(row):
            lock = LockView(
                row["locker"] or "", row["locked_because"] or "", row["locked_at"], row["locked_until"]
            )
        settings = self._settings_target(standing, row)
        change = bool(standing.decide(Action.PAGE_SETTINGS, settings))
        return PageView(
            id=row["id"],
            kind=PageKind(row["kind"]),
            title=row["title"],
            parent_id=row["parent_id"] if row["parent_id"] in seen else None,
            order=row["place"],
            room_id=row["room_id"],
            see_rule=SeeRule(row["see_rule"]),
            edit_rule=EditRule(row["edit_rule"]),
            lock=lock,
            document=document_of(row["id"]),
            scope=scope,
            reason=reason,
            mine=row["author_id"] is not None and row["author_id"] == standing.actor.membership,
            can={
                "lock": bool(standing.decide(Action.PAGE_LOCK, settings)),
                "rename": change,
                "settings": change,
                "delete": bool(standing.decide(Action.PAGE_BIN, settings)),
            },
            block_owners=_owns_blocks(standing, row),
        )


def _owns_blocks(standing: Standing, row: RowMapping) -> bool:
    """On a board every pupil's and guest's card is theirs; on a page it is the space's choice."""
    if row["kind"] == PageKind.BOARD:
        return standing.is_pupil or standing.actor.role is Role.GUEST
    return standing.is_pupil and standing.policy.block_owners


def _change(kind: str, space: SpaceId, page: str) -> Change:
    return Change(kind, document=document_of(page), space=space, notice=("pages",))
