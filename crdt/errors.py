"""Every error of the paper, in one tree.

CrdtError
├── Malformed           the bytes are not what the format says; .what, .where
├── LimitExceeded       the bytes are well formed but too many, too deep or too large; .what, .limit, .value
├── EngineRefused       the engine could not apply it; .poisoned: the document must be loaded again
├── Overtaken           what was looked at before has changed meanwhile
└── LogError            the durable log
    ├── LogUnavailable  it cannot be read or written now; .reason is for people, .code for machines
    ├── LogCorrupt      what it holds cannot be true
    ├── StaleEpoch      the entry is of another epoch than its document; .current
    ├── ClientTaken     the entry claims a client id that belongs to somebody else; .client
    ├── CompactionFailed  a document's tail could not be folded into a snapshot; nothing was changed
    └── ArchiveError    a backup could not be made or restored
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "ClientTaken",
    "CompactionFailed",
    "CrdtError",
    "EngineRefused",
    "LimitExceeded",
    "LogCorrupt",
    "LogError",
    "LogUnavailable",
    "Malformed",
    "Overtaken",
    "StaleEpoch",
]


class CrdtError(Exception):
    """Anything that can go wrong with documents, their bytes and their log."""

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross the process pool: rebuild them without calling __init__ with the message as argument.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[CrdtError], args: tuple[object, ...], state: dict[str, object]) -> CrdtError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class Malformed(CrdtError):
    """The bytes do not follow the format.

    what: a short machine reason, for example "trailing-bytes".
    where: the byte offset at which reading stopped.
    """

    def __init__(self, what: str, where: int) -> None:
        super().__init__(f"The message is malformed at byte {where}: {what}.")
        self.what = what
        self.where = where


class LimitExceeded(CrdtError):
    """Well formed, but over a limit of `crdt.limits.Limits`.

    what: the limit's name, for example "nesting".
    """

    def __init__(self, what: str, limit: int, value: int) -> None:
        super().__init__(f"Over the limit {what}: {value} where at most {limit} is allowed.")
        self.what = what
        self.limit = limit
        self.value = value


class EngineRefused(CrdtError):
    """The engine could not apply an update that the structural reader let through.

    poisoned: True when the document in memory can no longer be trusted and must be loaded again from the log;
    False when it is unchanged.
    """

    def __init__(self, reason: str, *, poisoned: bool) -> None:
        super().__init__(f"The engine refused the update: {reason}")
        self.reason = reason
        self.poisoned = poisoned


class Overtaken(CrdtError):
    """What was looked at before has changed meanwhile: look again."""


class LogError(CrdtError):
    """The durable log."""


class LogUnavailable(LogError):
    """The log cannot be written or read now (disk full, I/O error, closed).

    reason: words for people.
    code: for machines, one of those of `crdt.log.LogHealth.code`.
    """

    def __init__(self, reason: str, code: str = "internal") -> None:
        super().__init__(f"The log is not available: {reason}")
        self.reason = reason
        self.code = code


class LogCorrupt(LogError):
    """The log holds something that cannot be true."""


class StaleEpoch(LogError):
    """The entry was written for another epoch of its document: its writer has to load the document again."""

    def __init__(self, document: str, epoch: int, current: int) -> None:
        super().__init__(
            f"The update is of epoch {epoch}, but {document!r} is at epoch {current}: load it again."
        )
        self.current = current


class ClientTaken(LogError):
    """The entry claims a client id that another subject wrote under first."""

    def __init__(self, document: str, client: int) -> None:
        super().__init__(f"Client id {client} of {document!r} belongs to somebody else.")
        self.client = client


class CompactionFailed(LogError):
    """A document's tail could not be folded into a snapshot. The stored document is as it was."""


class ArchiveError(LogError):
    """A backup could not be made or restored. The message says what to do."""
