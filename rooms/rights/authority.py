"""What a log-in may do with the documents of spaces: the `Authority` of access.py, from the records."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import exists, or_, select

from crdt.codec import JsonValue
from rooms.faults import NotFound
from rooms.rights.access import DENIED, Access, Principal, Scope
from rooms.rights.policy import Action
from rooms.rights.standing import Standing, page_row, stand
from rooms.spaces.members import UNTIL_LIFTED
from rooms.storage.records import Reading, Records
from rooms.storage.schema import memberships, rooms, sessions, threads
from rooms.talk.threads import ThreadStanding, may_see, thread_rows
from rooms.values import Clock, MembershipState, PersonId, RoomStatus, SpaceId, ThreadKind

__all__ = ["PALETTE", "RecordsAuthority"]

PALETTE: Final = (
    "#a4243b", "#c2410c", "#92600a", "#4d6b1f", "#18794e", "#0f766e",
    "#0369a1", "#2456c7", "#5145cd", "#7c3aad", "#a21c86", "#7a5230",
)  # fmt: skip
"""Colours of people: each at least 4.5 : 1 on white."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""No other text is asked for: PostgreSQL would take some as an error."""


class RecordsAuthority:
    """``page/<id>`` by membership, role, rules, lock and state; ``thread/<id>`` and ``space/<id>`` are
    written by the server only: there the reason says why the person may not post, or ``server-written``."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def access(self, principal: Principal, document: str) -> Access:
        kind, _, name = document.partition("/")
        if principal.person is None or kind not in ("page", "space", "thread") or not _ID.fullmatch(name):
            return DENIED
        async with self._records.reading() as tx:
            now = self._clock()
            session = await tx.first(
                select(sessions.c.person_id, sessions.c.expires_at).where(
                    sessions.c.id == principal.session_id
                )
            )
            if session is None or session["person_id"] != principal.person:
                return Access(Scope.NONE, reason="logged-out")
            if session["expires_at"] <= now:
                return Access(Scope.NONE, reason="session-expired")
            person = PersonId(principal.person)
            if kind == "thread":
                return await self._thread(tx, person, name, now)
            if kind == "page":
                return await self._page(tx, person, name, now)
            return await self._space(tx, person, SpaceId(name), now)

    async def _page(self, tx: Reading, person: PersonId, page: str, now: float) -> Access:
        try:
            row = await page_row(tx, page)
        except NotFound:
            return DENIED
        space = SpaceId(row["space_id"])
        standing = await _member(tx, person, space, now)
        if isinstance(standing, Access):
            return standing
        scope, reason = standing.page_scope(row)
        if scope is Scope.NONE:
            return Access(Scope.NONE, reason=reason, space=space)
        locked = standing.lock_holds(row)
        return _granted(
            standing,
            scope,
            reason,
            note=row["locked_because"] or "" if reason == "locked" else "",
            ends=(row["locked_until"] if locked else None, standing.next_turn(row["hours"])),
            supervised=standing.rests_on_teachers(RoomStatus(row["room_state"])),
        )

    async def _thread(self, tx: Reading, person: PersonId, thread: str, now: float) -> Access:
        row = await tx.first(thread_rows().where(threads.c.id == thread))
        if row is None:
            return DENIED
        space = SpaceId(row["space_id"])
        standing = await _member(tx, person, space, now)
        if isinstance(standing, Access):
            return standing
        if not may_see(standing, row):
            return Access(Scope.NONE, reason="see-rule", space=space)
        found = ThreadStanding(standing, row)
        chat = found.kind is ThreadKind.CHAT
        return _granted(
            standing,
            Scope.READONLY,
            found.decide_post().reason or "server-written",
            note=row["locked_because"] or "" if found.lock_holds else "",
            ends=(row["locked_until"] if found.lock_holds else None, standing.next_turn(row["hours"])),
            supervised=standing.rests_on_teachers(RoomStatus(row["room_state"]), chat=chat),
        )

    async def _space(self, tx: Reading, person: PersonId, space: SpaceId, now: float) -> Access:
        standing = await _member(tx, person, space, now)
        if isinstance(standing, Access):
            return standing
        readable = standing.decide(Action.SPACE_READ)
        if not readable:
            return Access(Scope.NONE, reason=readable.reason, space=space)
        supervised = await _rests_on_teachers(tx, standing)
        return _granted(standing, Scope.READONLY, "server-written", supervised=supervised)


async def _rests_on_teachers(tx: Reading, standing: Standing) -> bool:
    """Whether there is a room or a chat in the space that a teacher who comes or goes opens or closes."""
    here = rooms.c.space_id == standing.space
    chats = select(threads.c.id).join(rooms, rooms.c.id == threads.c.room_id)
    kinds = []
    if standing.rests_on_teachers(RoomStatus.SUPERVISED):
        kinds.append(exists(select(rooms.c.id).where(here, rooms.c.state == RoomStatus.SUPERVISED)))
    if standing.rests_on_teachers(RoomStatus.OPEN, chat=True):
        kinds.append(exists(chats.where(here, threads.c.kind == ThreadKind.CHAT)))
    return bool(kinds) and bool(await tx.value(select(or_(*kinds))))


def _granted(
    standing: Standing,
    scope: Scope,
    reason: str,
    *,
    note: str = "",
    ends: Iterable[float | None] = (),
    supervised: bool = False,
) -> Access:
    """Until the first of the ends, or until a mute does."""
    times = [end for end in (*ends, standing.muted_until) if end is not None]
    return Access(
        scope,
        subject=f"membership:{standing.actor.membership}",
        reason=reason,
        note=note,
        until=min((end for end in times if standing.now < end < UNTIL_LIFTED), default=None),
        space=standing.space,
        staff=standing.is_staff,
        teacher_of=standing.teacher_of,
        supervised=supervised,
        presence=_presence(standing),
    )


async def _member(tx: Reading, person: PersonId, space: SpaceId, now: float) -> Standing | Access:
    """Where a member stands, or what anybody else gets: only who was one is told of having been removed."""
    try:
        standing = await stand(tx, person, space, now)
    except NotFound:
        gone = await tx.value(
            select(memberships.c.id).where(
                memberships.c.space_id == space,
                memberships.c.person_id == person,
                memberships.c.state.in_((MembershipState.LEFT, MembershipState.REMOVED)),
            )
        )
        return Access(Scope.NONE, reason="removed") if gone else DENIED
    return standing if standing.is_member else DENIED


def _presence(standing: Standing) -> dict[str, JsonValue]:
    membership = standing.actor.membership or ""
    color = PALETTE[hashlib.sha256(membership.encode()).digest()[0] % len(PALETTE)]
    return {
        "id": standing.actor.person,
        "name": standing.name,
        "role": standing.actor.role,
        "school": standing.school_name,
        "country": standing.country,
        "color": color,
        "colorLight": color + "33",
    }
