"""How often a log-in may be wrong, so that a class gets in within a minute and a guesser never does.

Four limits at once, all on *wrong* tries; a right one takes back what it had counted:

* account: 5 tries, then a pause of 30 s that doubles up to 15 min. Kept in the records.
* school: 300 at once, and one more every 10 s: thirty pupils may all be wrong nine times.
* address: 300 at once, and one more every 2 s.
* everybody: 3,000 at once, and one more every 2 s. Addresses that somebody logged in from within a week,
  such as schools, are exempt, so that a flood from elsewhere does not lock them out.

Whether an account exists makes no difference: an unknown one is counted under its name like a known one,
and belongs to a school drawn by a keyed hash. So an answer never depends on it. A try counts before its
secret is checked: a hundred tries sent at the same moment are a hundred tries. Only keyed hashes of names
are kept. The in-memory limits start anew with the server; those of accounts do not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from .faults import TooManyTries
from .records import Records
from .schema import login_tries, schools
from .values import Clock, SchoolId

__all__ = ["Bucket", "Throttle", "Try"]

FREE_TRIES: Final = 5
FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 900.0
FORGET_AFTER: Final = 86_400.0
FAMILIAR_FOR: Final = 7 * 86_400.0
MOST_KEYS: Final = 50_000
CLEAN_EVERY: Final = 500
"""Tries between two clean-ups of forgotten accounts."""


@dataclass(slots=True)
class Bucket:
    """Counts per key that drain with time: at most ``room`` at once, and ``drain`` a second after that."""

    room: float
    drain: float
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Key -> level and when it was that."""

    def wait(self, key: str, now: float) -> float:
        """Seconds until one more fits; 0 when it fits now."""
        return max(0.0, (self._level(key, now) + 1 - self.room) / self.drain)

    def add(self, key: str, now: float, amount: float = 1.0) -> None:
        self.levels[key] = (max(0.0, self._level(key, now) + amount), now)
        if len(self.levels) > MOST_KEYS:
            kept = sorted(self.levels, key=lambda k: self._level(k, now))[MOST_KEYS // 2 :]
            self.levels = {k: self.levels[k] for k in kept}

    def _level(self, key: str, now: float) -> float:
        level, at = self.levels.get(key, (0.0, now))
        return max(0.0, level - (now - at) * self.drain)


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was let through and is counted as wrong until `Throttle.right` is told otherwise."""

    account: str
    school: str
    address: str


class Throttle:
    """The limits of one server."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self.schools = Bucket(room=300, drain=0.1)
        self.addresses = Bucket(room=300, drain=0.5)
        self.everybody = Bucket(room=3_000, drain=0.5)
        self._familiar: dict[str, float] = {}
        self._tries = 0

    async def begin(self, name: str, school: SchoolId | None, address: str) -> Try:
        """Lets a try through and counts it. ``school`` is None for an account that is unknown or has none.

        Raises TooManyTries with the seconds to wait; such a try is not counted.
        """
        now = self._clock()
        account, address = self._keyed(name), _network(address)
        drawn = await self._some_school(account)
        this = Try(account, school or drawn, address)
        wait = max(self.schools.wait(this.school, now), self.addresses.wait(address, now))
        familiar = self._familiar.get(address, float("-inf")) > now - FAMILIAR_FOR
        if not familiar:
            wait = max(wait, self.everybody.wait("", now))
        if wait > 0:
            raise TooManyTries(wait)
        await self._count(account, now)
        self.schools.add(this.school, now)
        self.addresses.add(address, now)
        if not familiar:
            self.everybody.add("", now)
        return this

    async def right(self, this: Try) -> None:
        """The secret was right: the account's wrong tries are forgotten, and this one was none."""
        now = self._clock()
        async with self._records.writing() as tx:
            await tx.do(delete(login_tries).where(login_tries.c.account == this.account))
        for bucket, key in (
            (self.schools, this.school),
            (self.addresses, this.address),
            (self.everybody, ""),
        ):
            bucket.add(key, now, -1.0)
        self._familiar.pop(this.address, None)
        self._familiar[this.address] = now
        if len(self._familiar) > MOST_KEYS:
            del self._familiar[next(iter(self._familiar))]

    async def forget(self, name: str) -> None:
        """A new card or password: what was tried against the old one no longer counts."""
        async with self._records.writing() as tx:
            await tx.do(delete(login_tries).where(login_tries.c.account == self._keyed(name)))

    async def _count(self, account: str, now: float) -> None:
        self._tries += 1
        async with self._records.writing() as tx:
            if self._tries % CLEAN_EVERY == 0:
                await tx.do(delete(login_tries).where(login_tries.c.last_at < now - FORGET_AFTER))
            row = await tx.first(select(login_tries).where(login_tries.c.account == account))
            wrong = 0
            if row is not None and row["last_at"] > now - FORGET_AFTER:
                if row["held_until"] > now:
                    raise TooManyTries(row["held_until"] - now)
                wrong = row["wrong"]
            wrong += 1
            pause = 0.0
            if wrong >= FREE_TRIES:
                pause = min(FIRST_PAUSE * 2.0 ** min(wrong - FREE_TRIES, 20), LONGEST_PAUSE)
            values = {"wrong": wrong, "held_until": now + pause, "last_at": now}
            await tx.do(
                insert(login_tries)
                .values(account=account, **values)
                .on_conflict_do_update(index_elements=["account"], set_=values)
            )

    async def _some_school(self, account: str) -> str:
        # Ids are random, so the first id behind a keyed hash is as good as a draw, and always the same one.
        async with self._records.reading() as tx:
            behind = select(schools.c.id).order_by(schools.c.id).limit(1)
            drawn = base64.urlsafe_b64encode(bytes.fromhex(account)[:12]).decode()
            found = await tx.value(behind.where(schools.c.id >= drawn)) or await tx.value(behind)
        return found or "no-school"

    def _keyed(self, name: str) -> str:
        return hmac.new(self._records.pepper, name.encode(), hashlib.sha256).hexdigest()


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
