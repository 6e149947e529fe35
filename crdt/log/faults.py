"""Why a log cannot be used, in words for people; each engine adds those of its own."""

from collections.abc import Mapping

from crdt.errors import LogUnavailable

__all__ = ["REASONS", "unavailable"]

REASONS: Mapping[str, str] = {
    "overloaded": "More edits wait to be saved than the server can hold. Try again in a moment.",
    "closed": "The server is stopping.",
    "internal": "The log met an error of its own; the server's log file tells more.",
}


def unavailable(code: str, reasons: Mapping[str, str] = REASONS) -> LogUnavailable:
    """A new error for one waiting caller."""
    return LogUnavailable(reasons[code], code)
