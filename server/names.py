"""Document names as they come in a path: percent-decoded once, any UTF-8 text without control characters."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

__all__ = ["NAME_BYTES", "is_document_name", "is_text", "name_in_path"]

NAME_BYTES: Final = 512
"""A document's name is at most this long in UTF-8."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


def is_text(value: str) -> bool:
    """Whether a text has neither control characters nor halves of surrogate pairs."""
    return _CONTROL.search(value) is None


def is_document_name(name: str) -> bool:
    """Whether a document may have this name. A NUL would begin the session in a Hocuspocus routing key."""
    return 0 < len(name) <= NAME_BYTES and is_text(name) and len(name.encode()) <= NAME_BYTES


def name_in_path(raw_path: str, prefix: str) -> str | None:
    """The document's name in a path as it came on the wire; None if it cannot be one.

    `raw_path` is request.raw_path, which may end in a query; everything between `prefix` and `?` is the name.
    Stock clients do not encode the name, so it may contain slashes.
    """
    path = raw_path.partition("?")[0]
    if not path.startswith(prefix):
        return None
    try:
        name = unquote_to_bytes(path[len(prefix) :]).decode()
    except UnicodeDecodeError:
        return None
    return name if is_document_name(name) else None
