"""What PostgreSQL's errors mean to people and machines."""

import asyncpg

from crdt.errors import LogCorrupt, LogError, LogUnavailable
from crdt.log import faults

__all__ = ["REASONS", "Deaf", "as_log_error", "classify", "is_undone", "may_be_tried_again", "unavailable"]

REASONS = {
    **faults.REASONS,
    "unreachable": "The database does not answer. Saving goes on by itself when it does.",
    "denied": "The database does not let this server in. Check user, password and rights in --database.",
    "read-only": "The database takes no writes: it is a standby, or was made read-only.",
    "unsafe": "The database may forget what it has confirmed: fsync or full_page_writes is off.",
    "disk-full": "The database's disk is full. Free some space; saving goes on by itself then.",
    "io-error": "The database's disk reports an error. Saving goes on by itself when it answers again.",
    "busy": "The database is too busy. Saving goes on by itself when it has room for us again.",
    "corrupt": "The database reports damaged data. Run `twinspace check`, restore a backup.",
    "moving": "The log is being moved to or from this database. The server starts when that is done.",
    "moved": "The log's tables are gone from the database. Restore a backup or restart the server.",
    "stalled": "The database has not answered for a while. Edits are saved as soon as it does.",
}

_CLASSES = {
    "08": "unreachable",  # connection exceptions
    "57P": "unreachable",  # shut down, crashed, starting
    "28": "denied",
    "3D000": "denied",
    "42501": "denied",
    "25006": "read-only",
    "53100": "disk-full",
    "53": "busy",  # too many connections, out of memory
    "55P03": "busy",  # a lock was not to be had in time
    "57014": "busy",  # cancelled, by statement_timeout or by hand
    "40": "busy",
    "58": "io-error",
    "XX001": "corrupt",
    "XX002": "corrupt",
    "3F": "moved",
    "42P01": "moved",
    "42883": "moved",
}
_AGAIN = {"40P01", "40001"}
_UNDONE = _AGAIN | {"53100", "55P03", "25006", "3F000", "42P01", "42883"}
"""These come from a statement before the commit. Most others may, but need not."""


class Deaf(Exception):
    """A call was not answered in time, or its answer was not one to rely on."""


def classify(error: BaseException) -> str:
    """The machine code of an error met while talking to the database."""
    if isinstance(error, LogUnavailable):
        return error.code
    if isinstance(error, LogCorrupt):
        return "corrupt"
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        for length in (5, 3, 2):
            if state[:length] in _CLASSES:
                return _CLASSES[state[:length]]
        return "internal"
    if isinstance(error, Deaf | OSError | asyncpg.InterfaceError | TimeoutError):
        return "unreachable"
    return "internal"


def may_be_tried_again(error: BaseException) -> bool:
    """Whether the database undid the transaction for the sake of another."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _AGAIN


def is_undone(error: BaseException) -> bool:
    """Whether the error alone proves that the call did not happen."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _UNDONE


def unavailable(code: str) -> LogUnavailable:
    """A new error for one waiting caller."""
    return faults.unavailable(code, REASONS)


def as_log_error(error: BaseException) -> LogError:
    """What a reader is told of an error."""
    if isinstance(error, LogError):
        return error
    code = classify(error)
    return LogCorrupt(REASONS[code]) if code == "corrupt" else unavailable(code)
