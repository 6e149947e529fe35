"""The guarded edge to the engine, pycrdt (which is Yrs). Nothing else may hand it a stranger's bytes.

Whatever it throws becomes EngineRefused, panics of its Rust side included, which derive from BaseException.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pycrdt

from crdt.codec import Reader
from crdt.errors import CrdtError, EngineRefused
from crdt.limits import DEFAULT, STORED, Limits
from crdt.update import EMPTY_UPDATE, read_state_vector

if TYPE_CHECKING:
    EngineDocument = pycrdt.Doc[Any]

__all__ = ["Engine", "XmlNode", "XmlRun", "check_decodable", "merge"]

_VAR_UINT: Final = re.compile(rb"[\x80-\xff]*[\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class XmlRun:
    """Text of one format."""

    text: str
    formats: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class XmlNode:
    """An XML element; a fragment inside another type has no name."""

    name: str
    attributes: Mapping[str, Any]
    children: Sequence[XmlNode | XmlRun]


class Engine:
    """One engine document. Give it only complete updates: what has to wait, it hides."""

    __slots__ = ("_failure", "_later", "_whole")

    def __init__(self, state: bytes | None = None) -> None:
        self._whole: EngineDocument = pycrdt.Doc()
        """The document, without what is applied later."""
        self._later: list[bytes] = []
        self._failure: EngineRefused | None = None
        """Why updates that were to be applied later could not be: then nothing here can be trusted."""
        if state is not None:
            self.apply(state)

    def restart(self, state: bytes) -> None:
        """Begins anew with this state. Raises EngineRefused."""
        self._later.clear()
        self._whole = pycrdt.Doc()
        self.apply(state)

    @property
    def _document(self) -> EngineDocument:
        if self._later:
            self._catch_up()
        return self._whole

    def apply_later(self, update: bytes) -> None:
        """Applies an update before anything else is applied or asked, with others in one transaction: its
        end costs as much as the run of text that the letter is added to is long. See `settle`."""
        self._later.append(update)

    def _catch_up(self) -> None:
        later, self._later = self._later, []
        try:
            if len(later) == 1:
                self._whole.apply_update(later[0])
                return
            with self._whole.transaction():
                for update in later:
                    self._whole.apply_update(update)
        except BaseException as error:
            refusal = _refusal(error, poisoned=True)
            if not isinstance(refusal, EngineRefused):
                raise
            self._failure = refusal

    def settle(self) -> None:
        """Applies what was to be applied later. Raises EngineRefused if that failed, now or before."""
        if self._later:
            self._catch_up()
        if self._failure is not None:
            raise self._failure

    def apply(self, update: bytes) -> None:
        """Raises EngineRefused; `poisoned` unless the update could not even be decoded."""
        try:
            self._document.apply_update(update)
        except ValueError as error:
            raise EngineRefused(str(error), poisoned=False) from None
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error

    def waits(self, update: bytes) -> bool:
        """Whether a part of an applied update waits for what is not here. Raises EngineRefused."""
        try:
            vector = self._document.get_state()
            rest = pycrdt.get_update(update, vector)
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error
        return rest[0] != 0 or _deletes_beyond(rest, read_state_vector(vector, STORED))

    def state_vector(self) -> bytes:
        return self._document.get_state()

    def update_since(self, vector: bytes) -> bytes:
        """What a state vector lacks, and all deletions. Raises EngineRefused."""
        try:
            return self._document.get_update(vector)
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error

    def entries(self, root: str) -> dict[str, Any]:
        """What stands in the root map of this name: JSON values by key. Raises EngineRefused."""
        try:
            with self._document.transaction():
                found = self._document.get(root, type=pycrdt.Map)
                return {key: found[key] for key in found.keys()}  # noqa: SIM118 (it is no dict)
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error

    def put(self, changes: Mapping[str, Mapping[str, Any]]) -> bytes:
        """Sets JSON values in root maps, by root and key; None takes a key away. Returns the one update."""
        updates: list[bytes] = []
        try:
            subscription = self._document.observe(lambda event: updates.append(event.update))
            try:
                with self._document.transaction():
                    for root, entries in changes.items():
                        _put(self._document.get(root, type=pycrdt.Map), entries)
            finally:
                self._document.unobserve(subscription)
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error
        return updates[0] if updates else EMPTY_UPDATE

    def xml(self, root: str) -> list[XmlNode | XmlRun]:
        """What stands in the root fragment of this name. Raises EngineRefused."""
        try:
            with self._document.transaction():
                return _xml_children(self._document.get(root, type=pycrdt.XmlFragment))
        except BaseException as error:
            raise _refusal(error, poisoned=True) from error


def _put(into: pycrdt.Map[Any], entries: Mapping[str, Any]) -> None:
    for key, value in entries.items():
        if value is not None:
            into[key] = value
        elif key in into:
            del into[key]


def _deletes_beyond(update: bytes, known: Mapping[int, int]) -> bool:
    """Whether an update without structs deletes more than these clocks of each client id.

    Only the last range of each client id is looked at: they are sorted.
    """
    numbers = _VAR_UINT.findall(update, 1)
    at = 1
    for _ in range(_number(numbers[0])):
        client, ranges = _number(numbers[at]), _number(numbers[at + 1])
        at += 2 + 2 * ranges
        if ranges and known.get(client, 0) < _number(numbers[at - 2]) + _number(numbers[at - 1]):
            return True
    return False


def _number(var_uint: bytes) -> int:
    return Reader(var_uint).var_uint()


def check_decodable(update: bytes) -> None:
    """Raises EngineRefused when the engine cannot decode an update."""
    try:
        pycrdt.get_state(update)
    except BaseException as error:
        raise _refusal(error, poisoned=False) from None


def merge(updates: Sequence[bytes], limits: Limits = DEFAULT) -> bytes:
    """One update with everything that `updates` hold, waiting ones included; the engine's merge, in a tree.

    Raises EngineRefused when one of them cannot be decoded.
    """
    level = list(updates) or [EMPTY_UPDATE]
    try:
        while len(level) > 1:
            level = [
                pycrdt.merge_updates(*level[start : start + limits.merge])
                for start in range(0, len(level), limits.merge)
            ]
    except BaseException as error:
        raise _refusal(error, poisoned=False) from error
    return level[0]


def _refusal(error: BaseException, *, poisoned: bool) -> BaseException:
    """What to raise instead of `error`; a cancellation or an interrupt is no fault of the engine."""
    if isinstance(error, CrdtError):
        return error
    if isinstance(error, Exception) or type(error).__name__ == "PanicException":  # cannot be imported
        return EngineRefused(f"{type(error).__name__}: {error}", poisoned=poisoned)
    return error


def _xml_children(parent: pycrdt.XmlFragment | pycrdt.XmlElement) -> list[XmlNode | XmlRun]:
    children: list[XmlNode | XmlRun] = []
    for child in parent.children:
        if isinstance(child, pycrdt.XmlText):
            runs = child.diff()
            children.extend(XmlRun(text, formats or {}) for text, formats in runs if isinstance(text, str))
        elif isinstance(child, pycrdt.XmlElement):
            attributes = dict(child.attributes.__iter__())  # its annotation is an iterable's
            children.append(XmlNode(child.tag or "", attributes, _xml_children(child)))
        elif isinstance(child, pycrdt.XmlFragment):
            children.append(XmlNode("", {}, _xml_children(child)))
    return children
