"""What a log refuses before it meets others, and what every engine says of a stored blob."""

from crdt.errors import LogCorrupt
from crdt.log import Entry

__all__ = ["FORMAT_V1", "check_entry", "check_name", "is_name", "verified"]

FORMAT_V1 = 1
"""Format tag of a stored blob: a raw Yjs V1 update. Readers refuse a tag they do not know."""

_AT_MAX = 2**50
_CLIENT_MAX = 2**63 - 1
_EPOCH_MAX = 2**31 - 1
_NAME_MAX = 1024


def is_name(document: str) -> bool:
    """Whether a document of this name can be stored."""
    return 0 < len(document) <= _NAME_MAX and _is_text(document)


def check_name(document: str) -> None:
    """Raises ValueError for a name that can never be stored."""
    if not is_name(document):
        raise ValueError(f"A document name has 1 to {_NAME_MAX} characters and no NUL: {document!r}.")


def check_entry(entry: Entry) -> None:
    """Raises ValueError for an entry that can never be stored."""
    check_name(entry.document)
    if entry.clients and not all(0 <= client <= _CLIENT_MAX for client in entry.clients):
        raise ValueError(f"A client id is a number from 0 to 2**63 - 1, not {entry.clients}.")
    if not _is_text(entry.subject):
        raise ValueError(f"A subject has no NUL: {entry.subject!r}.")
    if not abs(entry.at) < _AT_MAX:
        raise ValueError(f"A time is a number of seconds, not {entry.at}.")
    if not 0 <= entry.epoch <= _EPOCH_MAX:
        raise ValueError(f"An epoch is a number from 0 to 2**31 - 1, not {entry.epoch}.")


def verified(what: str, format: int, crc: int, computed: int, body: bytes) -> bytes:
    """The body of a stored blob. Raises LogCorrupt when its checksum is wrong or its format unknown."""
    if crc != computed:
        raise LogCorrupt(f"The checksum of {what} is wrong: the bytes were damaged on disk.")
    if format != FORMAT_V1:
        raise LogCorrupt(f"The format {format} of {what} is unknown: start the newer program that wrote it.")
    return body


def _is_text(words: str) -> bool:
    """Whether the words can be written as UTF-8, which half a surrogate pair cannot, and hold no NUL."""
    if "\0" in words:
        return False
    if not words.isascii():
        try:
            words.encode()
        except UnicodeEncodeError:
            return False
    return True
