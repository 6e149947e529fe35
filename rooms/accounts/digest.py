"""Mails of what somebody has not read: who wants one, when, and what is in it.

Adults only, and only those who have asked for it. A mail counts what is unread by kind and by space; it has
no words of anybody's in it, and no names but the titles of spaces. It comes at an hour that its reader has
chosen, by the clock of their school, never within their quiet hours, and never on a Saturday or Sunday.

Several nodes send none twice: only who has the turn sends. The turn is a record that holds for some minutes,
so that it does not outlive its node for long. What a mail tells of is marked when the mail is on its way: it
comes again only where a node ends between these two, or where the mail server's answer is lost.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, and_, case, delete, false, func, insert, or_, select, update

from rooms.accounts.notifications import still_there
from rooms.faults import NotAllowed
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import (
    credentials,
    mail_settings,
    memberships,
    notifications,
    people,
    schools,
    settings,
    spaces,
)
from rooms.values import Clock, CredentialKind, Digest, MembershipState, PersonId, PersonKind, PersonState

__all__ = ["TURN_SECONDS", "DigestMail", "Digests", "MailSettings", "SpaceNews", "TurnLost"]

TURN: Final = "mail-turn"
"""Key of the record that says who sends, and until when."""
TURN_SECONDS: Final = 300.0
AT_ONCE: Final = 200
MOST_TOLD: Final = 2_000
"""Notifications that one mail counts; the next one tells of the others."""
USUAL_HOUR: Final = 7
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_SCHOOL_DAYS: Final = range(5)


class TurnLost(Exception):
    """Another node sends now."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    digest: Digest
    hour: int
    """Of the day, by the clock of the person's school."""
    quiet: tuple[str, str] | None
    """No mail from the one time, such as ``20:00``, until the other; it may be past midnight."""


OFF: Final = MailSettings(Digest.OFF, USUAL_HOUR, None)


@dataclass(frozen=True, slots=True)
class SpaceNews:
    space: str | None
    title: str | None
    """None where the reader is no member."""
    counts: dict[str, int]
    """How much is unread, by its kind."""


@dataclass(frozen=True, slots=True)
class DigestMail:
    """What one mail tells."""

    person: PersonId
    address: str
    languages: tuple[str, ...]
    """The reader's own, then those of their school."""
    news: list[SpaceNews]
    told: list[str]
    """Ids of the notifications."""
    leave: str
    """A token by which whoever has the mail ends these mails."""


class Digests:
    """Who wants to be mailed, and what of."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    # For the person

    async def of(self, person: PersonId) -> MailSettings | None:
        """What a person has chosen; None for pupils, who are never mailed to."""
        async with self._records.reading() as tx:
            if not await _is_adult(tx, person):
                return None
            row = await tx.first(select(mail_settings).where(mail_settings.c.person_id == person))
        if row is None:
            return OFF
        quiet = (row["quiet_from"], row["quiet_until"]) if row["quiet_from"] else None
        return MailSettings(Digest(row["digest"]), row["hour"], quiet)

    async def choose(self, person: PersonId, chosen: MailSettings) -> None:
        """The first mail comes at the next time that is chosen. Raises NotAllowed, ValueError."""
        _check(chosen)
        quiet_from, quiet_until = chosen.quiet or (None, None)
        values: dict[str, Any] = {
            "digest": chosen.digest,
            "hour": chosen.hour,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "leave_hash": _hash(self.leave_token(person)),
        }
        mine = mail_settings.c.person_id == person
        async with self._records.writing() as tx:
            if not await _is_adult(tx, person):
                raise NotAllowed("role")
            before = await tx.value(select(mail_settings.c.digest).where(mine))
            if before in (None, Digest.OFF):
                values["last_at"] = self._clock()
            if before is None:
                await tx.do(insert(mail_settings).values(person_id=person, **values))
            else:
                await tx.do(update(mail_settings).where(mine).values(values))

    def leave_token(self, person: PersonId) -> str:
        """Ends this person's mails, and opens nothing. It stays the same, so that old mails work too."""
        made = hmac.digest(self._records.pepper, f"leave-mail:{person}".encode(), "sha256")
        return urlsafe_b64encode(made).decode().rstrip("=")

    async def leave(self, token: str) -> bool:
        """Turns off the mails of whoever the token was mailed to. Whether there is such a token."""
        whose = mail_settings.c.leave_hash == _hash(token)
        async with self._records.reading() as tx:
            row = await tx.first(select(mail_settings.c.digest).where(whose))
        if row is not None and row["digest"] != Digest.OFF:
            async with self._records.writing() as tx:
                await tx.do(update(mail_settings).where(whose).values(digest=Digest.OFF))
        return row is not None

    # For whoever sends

    async def take_turn(self, node: str) -> bool:
        """Whether this node sends now, for the next `TURN_SECONDS`. Asked again while it sends."""
        async with self._records.writing() as tx:
            return await self._take_turn(tx, node)

    async def _take_turn(self, tx: Writing, node: str) -> bool:
        now = self._clock()
        held: str | None = await tx.value(select(settings.c.value).where(settings.c.key == TURN))
        if held is not None:
            until, _, holder = held.partition(" ")
            if holder != node and now < float(until):
                return False
        await tx.put(settings, [{"key": TURN, "value": f"{now + TURN_SECONDS} {node}"}])
        return True

    async def end_turn(self, node: str) -> None:
        """Lets others send."""
        mine = settings.c.key == TURN, settings.c.value.endswith(f" {node}", autoescape=True)
        async with self._records.writing() as tx:
            await tx.do(delete(settings).where(*mine))

    async def due(self, after: str = "") -> list[PersonId]:
        """Some who are to be mailed to now, by their ids from ``after`` on; none: no more are."""
        async with self._records.reading() as tx:
            due = await self._due(tx)
            rows = await tx.all(
                _wanting().where(due, people.c.id > after).order_by(people.c.id).limit(AT_ONCE)
            )
        return [PersonId(row["id"]) for row in rows]

    async def prepare(self, node: str, person: PersonId) -> DigestMail | None:
        """What to mail to a person, if it is still time for it and there is anything to tell.

        Where there is nothing, their time has passed all the same. Raises TurnLost.
        """
        async with self._records.writing() as tx:
            if not await self._take_turn(tx, node):
                raise TurnLost
            row = await tx.first(_wanting().where(people.c.id == person))
            due = row and _due_in(self._clock(), row["time_zone"])
            if row is None or await tx.first(_wanting().where(due, people.c.id == person)) is None:
                return None
            found = await tx.all(
                select(
                    notifications.c.id,
                    notifications.c.kind,
                    notifications.c.space_id,
                    case((memberships.c.id.is_not(None), spaces.c.title)).label("title"),
                )
                .outerjoin(spaces, spaces.c.id == notifications.c.space_id)
                .outerjoin(
                    memberships,
                    and_(
                        memberships.c.space_id == notifications.c.space_id,
                        memberships.c.person_id == person,
                        memberships.c.state == MembershipState.ACTIVE,
                    ),
                )
                .where(
                    notifications.c.person_id == person,
                    notifications.c.deliver_at <= self._clock(),
                    notifications.c.read_at.is_(None),
                    notifications.c.mailed_at.is_(None),
                    still_there(person),
                )
                .order_by(notifications.c.created_at, notifications.c.id)
                .limit(MOST_TOLD)
            )
            if not found:
                await self._mark(tx, person, [])
                return None
        by_space: dict[str | None, SpaceNews] = {}
        for each in found:
            news = by_space.setdefault(each["space_id"], SpaceNews(each["space_id"], each["title"], {}))
            news.counts[each["kind"]] = news.counts.get(each["kind"], 0) + 1
        languages = [row["language"], *(row["languages"] or [])]
        return DigestMail(
            person=person,
            address=row["selector"],
            languages=tuple(each for each in languages if each),
            news=list(by_space.values()),
            told=[each["id"] for each in found],
            leave=self.leave_token(person),
        )

    async def sent(self, person: PersonId, told: Collection[str]) -> None:
        """The mail that tells of these is on its way, or with none of them: it can never be."""
        async with self._records.writing() as tx:
            await self._mark(tx, person, told)

    async def _mark(self, tx: Writing, person: PersonId, told: Collection[str]) -> None:
        now = self._clock()
        if told:
            await tx.do(update(notifications).where(notifications.c.id.in_(told)).values(mailed_at=now))
        mine = mail_settings.c.person_id == person
        await tx.do(update(mail_settings).where(mine).values(last_at=now))

    async def _due(self, tx: Reading) -> ColumnElement[bool]:
        now = self._clock()
        rows = await tx.all(
            select(schools.c.time_zone)
            .select_from(mail_settings)
            .join(people, people.c.id == mail_settings.c.person_id)
            .outerjoin(schools, schools.c.id == people.c.school_id)
            .where(mail_settings.c.digest != Digest.OFF)
            .distinct()
        )
        return or_(false(), *(_due_in(now, row["time_zone"]) for row in rows))


def _wanting() -> Any:
    """The adults who may log in and have chosen to be mailed to, with all that says when and where."""
    return (
        select(
            people.c.id,
            people.c.language,
            schools.c.languages,
            schools.c.time_zone,
            credentials.c.selector,
        )
        .join(mail_settings, mail_settings.c.person_id == people.c.id)
        .join(
            credentials,
            and_(credentials.c.person_id == people.c.id, credentials.c.kind == CredentialKind.PASSWORD),
        )
        .outerjoin(schools, schools.c.id == people.c.school_id)
        .where(
            people.c.kind == PersonKind.ADULT,
            people.c.state.in_([each for each in PersonState if each.may_log_in]),
            mail_settings.c.digest != Digest.OFF,
        )
    )


def _due_in(now: float, name: str | None) -> ColumnElement[bool]:
    """Whose hour has come since they were last mailed to, of those in one time zone, and who is not quiet."""
    zone = _zone(name)
    local = datetime.fromtimestamp(now, zone)
    if local.weekday() not in _SCHOOL_DAYS:
        return false()
    mine = mail_settings.c
    days = [local.date() - timedelta(days=back) for back in range(8)]
    school_days = [day for day in days if day.weekday() in _SCHOOL_DAYS]
    mondays = [day for day in days if day.weekday() == 0]
    daily, weekly = (_last_times(each, now, zone) for each in (school_days, mondays))
    last_time = case((mine.digest == Digest.WEEKLY, weekly), else_=daily)
    at = local.strftime("%H:%M")
    loud = or_(
        mine.quiet_from.is_(None),
        and_(mine.quiet_from <= mine.quiet_until, or_(mine.quiet_from > at, mine.quiet_until <= at)),
        and_(mine.quiet_from > mine.quiet_until, mine.quiet_from > at, mine.quiet_until <= at),
    )
    return and_(
        schools.c.time_zone.is_not_distinct_from(name), func.coalesce(mine.last_at, 0) < last_time, loud
    )


def _last_times(days: Iterable[date], now: float, zone: ZoneInfo) -> ColumnElement[float]:
    """When each hour of the day was last, on one of these days, the newest first."""
    times = {}
    for hour in range(24):
        on = (datetime.combine(day, time(hour), zone).timestamp() for day in days)
        times[hour] = next((each for each in on if each <= now), 0.0)
    return case(times, value=mail_settings.c.hour, else_=0.0)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return ZoneInfo("UTC")


def _check(chosen: MailSettings) -> None:
    if chosen.hour not in range(24):
        raise ValueError("hours are from 0 to 23")
    if chosen.quiet and (
        not all(_TIME.fullmatch(each) for each in chosen.quiet) or chosen.quiet[0] == chosen.quiet[1]
    ):
        raise ValueError("quiet hours are two times, written as 20:00")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _is_adult(tx: Reading, person: PersonId) -> bool:
    kind = await tx.value(select(people.c.kind).where(people.c.id == person))
    return bool(kind == PersonKind.ADULT)
