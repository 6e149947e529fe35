"""What SQLite's errors mean to people and machines."""

import os
import sqlite3
from pathlib import Path

from crdt.errors import LogCorrupt, LogError, LogUnavailable
from crdt.log import faults

__all__ = ["REASONS", "as_log_error", "classify", "unavailable"]

REASONS = {
    **faults.REASONS,
    "disk-full": "The server's disk is full. Free some space; saving goes on by itself then.",
    "io-error": "The server's disk reports an error. Saving goes on by itself when it answers again.",
    "read-only": "The server may not write to its data folder. Make the folder writable.",
    "busy": "Another program holds the log file. Stop it; saving goes on by itself then.",
    "corrupt": "The log file is damaged. Stop the server, run `twinspace check`, restore a backup.",
    "moved": "The log file was moved or deleted under the running server. Put it back or restart the server.",
    "stalled": "The server's disk has not answered for a while. Edits are saved as soon as it does.",
    "in-use": "Another TwinSpace process uses this data folder.",
}

_CODES = {
    sqlite3.SQLITE_FULL: "disk-full",
    sqlite3.SQLITE_IOERR: "io-error",
    sqlite3.SQLITE_CANTOPEN: "io-error",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_PROTOCOL: "busy",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
}
_FULL_BELOW = 1 << 20


def classify(error: BaseException, folder: Path) -> str:
    """The machine code of an error met while reading or writing the log file in `folder`."""
    if isinstance(error, LogUnavailable):
        return error.code
    if isinstance(error, LogCorrupt | UnicodeDecodeError):  # SQLite's own words may quote damaged text
        return "corrupt"
    if not isinstance(error, sqlite3.Error):
        return "io-error" if isinstance(error, OSError) else "internal"
    number = getattr(error, "sqlite_errorcode", None)
    if number is None:
        # Errors that the sqlite3 module raises itself carry no code; among them text that is not UTF-8.
        if "decode" in str(error):
            return "corrupt"
        code = "io-error" if isinstance(error, sqlite3.OperationalError) else "internal"
    else:
        code = _CODES.get(number & 0xFF, "internal")
    # A full disk shows as a plain I/O error where SQLite maps shared memory or calls fsync.
    return "disk-full" if code == "io-error" and _is_full(folder) else code


def unavailable(code: str) -> LogUnavailable:
    """A new error for one waiting caller."""
    return faults.unavailable(code, REASONS)


def as_log_error(error: BaseException, folder: Path) -> LogError:
    """What a reader is told of an error."""
    if isinstance(error, LogError):
        return error
    code = classify(error, folder)
    return LogCorrupt(REASONS[code]) if code == "corrupt" else unavailable(code)


def _is_full(folder: Path) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_bavail * status.f_frsize < _FULL_BELOW
