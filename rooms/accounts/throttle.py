"""How often a log-in may be wrong, so that a class gets in within a minute and a guesser never does.

Four limits at once, all on *wrong* tries; a right one takes back what it had counted:

* account: 5 tries, then a pause of 30 s that doubles up to 15 min.
* school: 300 at once, and one more every 10 s: thirty pupils may all be wrong nine times.
* address: 300 at once, and one more every 2 s.
* everybody: 3,000 at once, and one more every 2 s. Addresses that somebody logged in from within a week,
  such as schools, are exempt, so that a flood from elsewhere does not lock them out.

Whether an account exists makes no difference: an unknown one is counted under its name like a known one,
and belongs to a school drawn by a keyed hash. So an answer never depends on it. A try counts before its
secret is checked: a hundred tries sent at the same moment are a hundred tries, on whichever nodes. All counts
are in the records, in one transaction with each other, so neither a second node nor a restart gives a guesser
more tries. Only keyed hashes of names and addresses are kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, delete, select

from rooms.faults import TooManyTries
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import login_limits, login_tries, schools
from rooms.values import Clock, SchoolId

__all__ = ["ADDRESS", "EVERYBODY", "SCHOOL", "Bucket", "Throttle", "Try"]

FREE_TRIES: Final = 5
FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 900.0
FORGET_AFTER: Final = 86_400.0
FAMILIAR: Final = "familiar"
FAMILIAR_FOR: Final = 7 * 86_400.0
MOST_FAMILIAR: Final = 50_000
"""Addresses; the others are few, because everybody's limit holds back whoever adds them."""
CLEAN_EVERY: Final = 500
"""Tries between two clean-ups of what has drained or is forgotten."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A count that drains with time: at most ``room`` at once, and ``drain`` a second after that."""

    kind: str
    room: float
    drain: float

    def level(self, row: RowMapping | None, now: float) -> float:
        """What is left of a count that was ``level`` at the time ``at``; nothing is left of no row."""
        return 0.0 if row is None else max(0.0, row["level"] - max(0.0, now - row["at"]) * self.drain)

    def wait(self, level: float) -> float:
        """Seconds until one more fits; 0 when it fits now."""
        return max(0.0, (level + 1 - self.room) / self.drain)


SCHOOL: Final = Bucket("school", room=300, drain=0.1)
ADDRESS: Final = Bucket("address", room=300, drain=0.5)
EVERYBODY: Final = Bucket("everybody", room=3_000, drain=0.5)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Where a try is counted: keyed hashes."""

    account: str
    school: str
    address: str
    everybody: str
    familiar: str
    """Whose row says when somebody last logged in from the address."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What counts against a try that is let through."""

    keys: _Keys
    rows: Mapping[str, RowMapping]
    counting: Mapping[str, Bucket]
    wrong: int
    """Tries at the account before this one."""
    now: float


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was let through and is counted as wrong until `Throttle.right` is told otherwise."""

    keys: _Keys
    counted: Mapping[str, Bucket]


class Throttle:
    """The limits of one installation."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._tries = 0

    async def begin(self, name: str, school: SchoolId | None, address: str) -> Try:
        """Lets a try through and counts it. ``school`` is None for an account that is unknown or has none.

        Raises TooManyTries with the seconds to wait; such a try is not counted.
        """
        account, network = self._keyed(name), _network(address)
        async with self._records.reading() as tx:  # whoever is held back takes no writer's turn
            drawn = await self._some_school(tx, account)
            keys = self._keys(account, school or drawn, network)
            await self._look(tx, keys)
        async with self._records.writing() as tx:
            seen = await self._look(tx, keys)
            await self._count(tx, seen)
            self._tries += 1
            if self._tries % CLEAN_EVERY == 0:
                await self._clean(tx)
        return Try(keys, seen.counting)

    async def right(self, tx: Writing, this: Try) -> None:
        """The secret was right: the account's wrong tries are forgotten, and this one was none."""
        now, keys = self._clock(), this.keys
        await tx.do(delete(login_tries).where(login_tries.c.account == keys.account))
        rows = await self._levels(tx, keys)
        familiar = {"key": keys.familiar, "kind": FAMILIAR, "level": 0.0, "at": now}
        await tx.put(login_limits, [familiar, *_added(rows, this.counted, -1.0, now)])

    async def forget(self, tx: Writing, name: str) -> None:
        """A new card or password: what was tried against the old one no longer counts."""
        await tx.do(delete(login_tries).where(login_tries.c.account == self._keyed(name)))

    async def _look(self, tx: Reading, keys: _Keys) -> _Seen:
        """What counts against a try now. Raises TooManyTries."""
        now, rows = self._clock(), await self._levels(tx, keys)
        counting = {keys.school: SCHOOL, keys.address: ADDRESS}
        if keys.familiar not in rows or rows[keys.familiar]["at"] <= now - FAMILIAR_FOR:
            counting[keys.everybody] = EVERYBODY
        wait = max(bucket.wait(bucket.level(rows.get(key), now)) for key, bucket in counting.items())
        if wait > 0:
            raise TooManyTries(wait)
        row = await tx.first(select(login_tries).where(login_tries.c.account == keys.account))
        wrong = 0
        if row is not None and row["last_at"] > now - FORGET_AFTER:
            if row["held_until"] > now:
                raise TooManyTries(row["held_until"] - now)
            wrong = row["wrong"]
        return _Seen(keys, rows, counting, wrong, now)

    async def _count(self, tx: Writing, seen: _Seen) -> None:
        wrong, pause = seen.wrong + 1, 0.0
        if wrong >= FREE_TRIES:
            pause = min(FIRST_PAUSE * 2.0 ** min(wrong - FREE_TRIES, 20), LONGEST_PAUSE)
        account = {
            "account": seen.keys.account,
            "wrong": wrong,
            "held_until": seen.now + pause,
            "last_at": seen.now,
        }
        await tx.put(login_tries, [account])
        await tx.put(login_limits, _added(seen.rows, seen.counting, 1.0, seen.now))

    async def _levels(self, tx: Reading, keys: _Keys) -> dict[str, RowMapping]:
        wanted = (keys.school, keys.address, keys.everybody, keys.familiar)
        found = await tx.all(select(login_limits).where(login_limits.c.key.in_(wanted)))
        return {row["key"]: row for row in found}

    async def _clean(self, tx: Writing) -> None:
        now, kind, at = self._clock(), login_limits.c.kind, login_limits.c.at
        await tx.do(delete(login_tries).where(login_tries.c.last_at < now - FORGET_AFTER))
        for bucket in (SCHOOL, ADDRESS, EVERYBODY):
            drained = now - bucket.room / bucket.drain
            await tx.do(delete(login_limits).where(kind == bucket.kind, at < drained))
        familiar_since = await tx.value(
            select(at).where(kind == FAMILIAR).order_by(at.desc()).offset(MOST_FAMILIAR).limit(1)
        )
        forgotten = max(now - FAMILIAR_FOR, familiar_since or 0.0)
        await tx.do(delete(login_limits).where(kind == FAMILIAR, at <= forgotten))

    async def _some_school(self, tx: Reading, account: str) -> str:
        # Ids are random, so the first id behind a keyed hash is as good as a draw, and always the same one.
        behind = select(schools.c.id).order_by(schools.c.id).limit(1)
        drawn = base64.urlsafe_b64encode(bytes.fromhex(account)[:12]).decode()
        found = await tx.value(behind.where(schools.c.id >= drawn)) or await tx.value(behind)
        return found or "no-school"

    def _keys(self, account: str, school: str, network: str) -> _Keys:
        return _Keys(
            account,
            self._keyed(f"{SCHOOL.kind}:{school}"),
            self._keyed(f"{ADDRESS.kind}:{network}"),
            self._keyed(EVERYBODY.kind),
            self._keyed(f"{FAMILIAR}:{network}"),
        )

    def _keyed(self, name: str) -> str:
        return hmac.new(self._records.pepper, name.encode(), hashlib.sha256).hexdigest()


def _added(
    rows: Mapping[str, RowMapping], counting: Mapping[str, Bucket], amount: float, now: float
) -> list[dict[str, Any]]:
    """The rows of these buckets with so much more in each."""
    return [
        {
            "key": key,
            "kind": bucket.kind,
            "level": max(0.0, bucket.level(rows.get(key), now) + amount),
            "at": now,
        }
        for key, bucket in counting.items()
    ]


def _network(address: str) -> str:
    """The address, or for IPv6 the /64 it is in, which one household or school has to itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False).network_address)
    return str(ip)
