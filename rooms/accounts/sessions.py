"""Log-ins: who has proved who they are, and until when.

A session's token is 256 random bits in the browser's cookie; the records keep its SHA-256. A session
slides: using it prolongs it. It ends at once on log-out, on a new card or password, and when the person
is disabled, and its sockets close with it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, delete, insert, select, update

from rooms.accounts import codecards
from rooms.accounts.hashing import Hasher
from rooms.accounts.throttle import Throttle
from rooms.faults import RecordsUnavailable, WrongCredentials
from rooms.rights.access import Change, Principal
from rooms.storage.records import Records, Writing
from rooms.storage.schema import credentials, people, sessions
from rooms.values import Clock, CredentialKind, NewId, PersonId, PersonKind, PersonState, SchoolId

__all__ = ["HALF_DAY", "TWO_WEEKS", "NewSession", "Sessions", "end_sessions", "normal_email"]

HALF_DAY: Final = 12 * 3600.0
TWO_WEEKS: Final = 14 * 86_400.0
SLIDE: Final = 0.02
"""A session is prolonged once this part of its life is over, so that most requests write nothing."""
PATIENCE: Final = 0.5
"""Seconds that a request waits for its turn to prolong its session; else a later one does it."""
PROLONG_AGAIN: Final = 5.0
"""Seconds without a try after it could not be done."""


@dataclass(frozen=True, slots=True)
class NewSession:
    token: str
    """For the cookie; kept nowhere else."""
    principal: Principal


class Sessions:
    """The log-ins of an installation."""

    def __init__(
        self,
        records: Records,
        hasher: Hasher,
        throttle: Throttle,
        clock: Clock,
        new_id: NewId,
        *,
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
        pupil_life: float = HALF_DAY,
        adult_life: float = TWO_WEEKS,
    ) -> None:
        self._records = records
        self._hasher = hasher
        self._throttle = throttle
        self._clock = clock
        self._new_id = new_id
        self._new_token = new_token
        self._life = {PersonKind.PUPIL: pupil_life, PersonKind.ADULT: adult_life}
        self._prolong_from = float("-inf")

    async def log_in_with_password(
        self, email: str, password: str, *, address: str, replaces: str | None = None
    ) -> NewSession:
        """Logs an adult in; see `log_in_with_code`."""
        selector = normal_email(email)
        return await self._log_in(CredentialKind.PASSWORD, selector, password, address, replaces)

    async def log_in_with_code(self, code: str, *, address: str, replaces: str | None = None) -> NewSession:
        """Logs a pupil in. ``replaces`` is the id of the session the browser had, which ends.

        Raises WrongCredentials, the same for an unknown account and a wrong secret, or TooManyTries.
        """
        typed = codecards.read(code)
        return await self._log_in(CredentialKind.CODE_CARD, typed.selector, typed.secret, address, replaces)

    async def _log_in(
        self, kind: CredentialKind, selector: str, secret: str, address: str, replaces: str | None
    ) -> NewSession:
        async with self._records.reading() as tx:
            known = await tx.first(
                select(credentials.c.secret_hash, people.c.id, people.c.school_id, people.c.state)
                .join(people, people.c.id == credentials.c.person_id)
                .where(credentials.c.kind == kind, credentials.c.selector == selector)
            )
        school = SchoolId(known["school_id"]) if known and known["school_id"] else None
        this = await self._throttle.begin(f"{kind}:{selector}", school, address)
        right = await self._hasher.check(known["secret_hash"] if known else None, secret)
        if known is None or not right or not PersonState(known["state"]).may_log_in:
            raise WrongCredentials
        renewed = await self._hasher.hash(secret) if self._hasher.outdated(known["secret_hash"]) else None
        async with self._records.writing() as tx:
            # The card may have been reset, or the person disabled, while the hash was computed.
            person = await tx.first(
                select(people)
                .join(credentials, credentials.c.person_id == people.c.id)
                .where(people.c.id == known["id"], credentials.c.secret_hash == known["secret_hash"])
            )
            if person is None or not PersonState(person["state"]).may_log_in:
                raise WrongCredentials
            await self._throttle.right(tx, this)
            mine = (credentials.c.person_id == known["id"]) & (credentials.c.kind == kind)
            used = {"used_at": self._clock()} | ({"secret_hash": renewed} if renewed else {})
            await tx.do(update(credentials).where(mine).values(used))
            if person["state"] == PersonState.CREATED:
                await tx.do(
                    update(people).where(people.c.id == person["id"]).values(state=PersonState.ACTIVE)
                )
            if replaces is not None:
                await self._end(tx, replaces)
            return await self._begin(tx, person)

    async def _begin(self, tx: Writing, person: RowMapping) -> NewSession:
        now, token, session = self._clock(), self._new_token(), self._new_id()
        await tx.do(delete(sessions).where(sessions.c.expires_at <= now))
        expires = now + self._life[PersonKind(person["kind"])]
        await tx.do(
            insert(sessions).values(
                id=session,
                token_hash=_digest(token),
                person_id=person["id"],
                created_at=now,
                expires_at=expires,
            )
        )
        return NewSession(token, _principal(person, session, expires))

    async def resolve(self, token: str) -> Principal | None:
        """Whose session the token is, prolonging it; None when it is nobody's or over."""
        now = self._clock()
        async with self._records.reading() as tx:
            row = await tx.first(
                select(people, sessions.c.id.label("session"), sessions.c.expires_at)
                .join(people, people.c.id == sessions.c.person_id)
                .where(sessions.c.token_hash == _digest(token))
            )
        if row is None or row["expires_at"] <= now or not PersonState(row["state"]).may_log_in:
            return None
        life, expires = self._life[PersonKind(row["kind"])], row["expires_at"]
        if now + life - expires > life * SLIDE and now >= self._prolong_from:
            expires = await self._prolong(row["session"], expires, now + life)
        return _principal(row, row["session"], expires)

    async def _prolong(self, session: str, until: float, wished: float) -> float:
        """Whoever only reads must not fail, or wait for long, because nothing can be written now."""
        try:
            async with self._records.writing(PATIENCE) as tx:
                longer = update(sessions).where(sessions.c.id == session, sessions.c.expires_at < wished)
                await tx.do(longer.values(expires_at=wished))
        except RecordsUnavailable:
            self._prolong_from = self._clock() + PROLONG_AGAIN
            return until
        return wished

    async def log_out(self, session: str) -> None:
        """Ends the session with this id, if there is one."""
        async with self._records.writing() as tx:
            await self._end(tx, session)

    async def change_password(self, person: PersonId, old: str, new: str, *, keep: str, address: str) -> None:
        """Sets a new password; all sessions but ``keep`` (an id) end. Raises like a log-in."""
        mine = (credentials.c.person_id == person) & (credentials.c.kind == CredentialKind.PASSWORD)
        async with self._records.reading() as tx:
            known = await tx.first(
                select(credentials, people.c.school_id)
                .join(people, people.c.id == credentials.c.person_id)
                .where(mine)
            )
        if known is None:
            raise WrongCredentials
        this = await self._throttle.begin(
            f"{CredentialKind.PASSWORD}:{known['selector']}", known["school_id"], address
        )
        if not await self._hasher.check(known["secret_hash"], old):
            raise WrongCredentials
        made = await self._hasher.hash(new)
        async with self._records.writing() as tx:
            await self._throttle.right(tx, this)
            await tx.do(
                update(credentials)
                .where(mine)
                .values(secret_hash=made, issued_at=self._clock(), used_at=None)
            )
            await end_sessions(tx, person, "password-changed", keep=keep)

    async def _end(self, tx: Writing, session: str) -> None:
        person = await tx.value(select(sessions.c.person_id).where(sessions.c.id == session))
        if person is not None:
            await tx.do(delete(sessions).where(sessions.c.id == session))
            tx.publish(Change("logged-out", person=person, session=session))


async def end_sessions(tx: Writing, person: PersonId, why: str, *, keep: str | None = None) -> None:
    """Ends every session of the person but ``keep``, in the caller's transaction."""
    for row in await tx.all(select(sessions.c.id).where(sessions.c.person_id == person)):
        if row["id"] != keep:
            await tx.do(delete(sessions).where(sessions.c.id == row["id"]))
            tx.publish(Change(why, person=person, session=row["id"]))


def normal_email(email: str) -> str:
    """An address as it is compared: case does not matter. No address has a NUL, nor has PostgreSQL."""
    return email.strip().casefold().replace("\0", "\ufffd")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _principal(person: RowMapping, session: str, expires: float) -> Principal:
    return Principal(
        "member", f"person:{person['id']}", name=person["name"], session_id=session, expires_at=expires
    )
