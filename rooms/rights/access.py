"""Who may do what with one document right now: values, and the seams to records and tokens.

A socket never asks for rights itself. It holds an :class:`Access`, an immutable value per
(socket, routing key) that the :class:`Authority` gave, and takes a new one whenever
:class:`Changes` says that something it rests on has changed.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, Protocol

from crdt.codec import JsonValue

__all__ = [
    "DENIED",
    "Access",
    "Authority",
    "Change",
    "Changes",
    "Principal",
    "Scope",
    "in_a_space",
    "in_logs",
    "person_colors",
    "token_access",
]

logger = logging.getLogger(__name__)


class Scope(StrEnum):
    """What a holder may do with a document. The values are Hocuspocus' own words on the wire."""

    NONE = "none"
    READONLY = "readonly"
    READ_WRITE = "read-write"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has proved who they are, by a log-in session or by a document token."""

    kind: Literal["member", "token"]
    subject: str
    """``person:<id>`` for a log-in, the token's ``sub`` claim for a token."""
    name: str = ""
    session_id: str | None = None
    """Which log-in this is (never the cookie's secret); ``None`` for a token."""
    document: str | None = None
    """The one document a token opens; ``None`` for a log-in."""
    scope: Scope = Scope.NONE
    """What a token grants; a log-in's scope comes from the records for each document."""
    expires_at: float | None = None
    """Unix seconds; ``None`` means it does not expire by itself."""

    @property
    def person(self) -> str | None:
        """The person's id, for a log-in."""
        return self.subject.removeprefix("person:") if self.kind == "member" else None


@dataclass(frozen=True, slots=True)
class Access:
    """What one principal may do with one document, and how it appears to the others there."""

    scope: Scope
    subject: str = ""
    """Who the log says wrote: ``membership:<id>`` or ``token:<sub>``."""
    reason: str = ""
    """Message key that says why the scope is not read-write, such as ``locked``."""
    note: str = ""
    """A person's own words on the reason, such as why a teacher locked the page."""
    until: float | None = None
    """Unix seconds at which this must be asked again: a lock that ends, a token that expires."""
    space: str | None = None
    """The id of the space the document belongs to, so that a change of the space finds its sockets."""
    staff: bool = False
    """The holder is a teacher or an admin of the space."""
    teacher_of: str | None = field(default=None, compare=False)
    """The school that vouches for this teacher: with one in it, a supervised room is open to pupils."""
    supervised: bool = field(default=False, compare=False)
    """What the holder may write rests on whether a teacher is in the space."""
    presence: Mapping[str, JsonValue] | None = None
    """The ``user`` field the server stamps on this holder's awareness states. ``None`` leaves the
    client's own: only for tokens that carry no name, where the application vouches for its users."""

    @property
    def may_read(self) -> bool:
        return self.scope is not Scope.NONE

    @property
    def may_write(self) -> bool:
        return self.scope is Scope.READ_WRITE

    @property
    def minds_protection(self) -> bool:
        """Whether protected blocks of others are closed to the holder: `Action.BLOCK_EDIT` is for staff.
        Outside of spaces nothing is protected."""
        return self.space is not None and not self.staff


DENIED = Access(Scope.NONE, reason="permission-denied")


class Authority(Protocol):
    """Answers, from records or claims, what a principal may do with a document."""

    async def access(self, principal: Principal, document: str) -> Access:
        """Never raises for a missing document or right: the answer is then an Access of no scope."""
        ...


def token_access(principal: Principal, document: str) -> Access:
    """What a document token gives: its one document, and never one of a space."""
    if principal.document != document or in_a_space(document):
        return DENIED
    presence: Mapping[str, JsonValue] | None = None
    if principal.name:
        presence = {"id": principal.subject, "name": principal.name, **person_colors(principal.subject)}
    return Access(
        principal.scope,
        subject=f"token:{principal.subject}",
        reason="" if principal.scope is Scope.READ_WRITE else "token-readonly",
        until=principal.expires_at,
        presence=presence,
    )


def person_colors(key: str) -> dict[str, str]:
    """A stable pair of cursor colours for whoever ``key`` names: all readable on white and on black."""
    hue = zlib.crc32(key.encode()) % 12 * 30
    return {"color": f"hsl({hue} 65% 38%)", "colorLight": f"hsl({hue} 65% 38% / 0.25)"}


def in_logs(document: str) -> str:
    """How a document is named in logs: ours by their ids, others by a hash, since names may be personal."""
    if in_a_space(document):
        return document
    return f"document {hashlib.sha256(document.encode()).hexdigest()[:12]}"


def in_a_space(document: str) -> bool:
    """Whether a document belongs to a TwinSpace, so that no token may ever open it."""
    return document.startswith(("page/", "space/", "thread/"))


EVERYTHING: Final = (
    "pages", "members", "space", "threads", "held", "mine", "reports", "notifications",
)  # fmt: skip
"""All that a space's members may be told to fetch again."""


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change of the records that may alter rights. Fields that are set must all match.

    ``Change("lock", document="page/x")`` concerns everybody on that page;
    ``Change("removed", person="p1", space="s1")`` concerns one person's sockets.
    """

    kind: str
    """What happened: ``lock``, ``role``, ``removed``, ``logged-out``, ``code-reset``, ..."""
    document: str | None = None
    space: str | None = None
    person: str | None = None
    session: str | None = None
    """This log-in is over (log-out, expiry, code reset, removal of the person): its sockets close."""
    notice: tuple[str, ...] = ()
    """What members of ``space`` should fetch again: some of `EVERYTHING`."""
    told: str = ""
    """Who gets the notice: everybody in the space, only its ``staff``, or only the ``person``."""
    content: bool = False
    """Something was written or decided: nobody's rights rest on it."""
    supervised: bool = False
    """A teacher has come or gone: it concerns only those whose rights rest on that. Of this node only."""
    everybody: bool = False
    """Concerns every socket there is, and ``notice`` every space."""

    @classmethod
    def everything(cls) -> Change:
        """Changes were missed, so whatever rests on the records has to be asked for anew."""
        return cls("missed", notice=EVERYTHING, everybody=True)


@dataclass(slots=True)
class Changes:
    """Carries committed changes to whoever keeps rights in memory. One process; the bus spreads it."""

    foreign: bool = False
    """Whether the change that listeners hear now was made by another process."""
    _listeners: list[Callable[[Change], None]] = field(default_factory=list)

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Calls ``listener`` for every change from now on; returns the function that stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: Change, *, foreign: bool = False) -> None:
        """Tells every listener. Called after the transaction that made the change has committed."""
        self.foreign = foreign
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                logger.exception("a listener failed on the change %r", change.kind)
