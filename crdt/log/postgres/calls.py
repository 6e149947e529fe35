"""What the writer calls: a group of entries or one deletion, as arguments, and its answer as outcomes.

The database answers, and keeps in the writer's row, only where each document stood and which entries it
refused. The rest follows, so an outcome that was lost on its way can be read later.
"""

import asyncio
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from crdt.errors import ClientTaken, LogError, StaleEpoch
from crdt.log import FIRST_EPOCH, Entry
from crdt.log.postgres.schema import key_of, update_checksum
from crdt.log.store import Tail

__all__ = ["Append", "Call", "Delete", "DeleteCall", "GroupCall", "Item", "PlainCall", "Result", "is_plain"]

_STALE, _TAKEN = 1, 2


@dataclass(slots=True)
class Append:
    """One entry waiting for its commit."""

    entry: Entry
    future: asyncio.Future[Any]
    marker: str | None = None
    """A seed: stored only if the document lacks the marker, which it gets; the outcome says whether."""
    is_entry: ClassVar = True

    @property
    def size(self) -> int:
        return len(self.entry.update)


@dataclass(slots=True)
class Delete:
    """A document to be taken out of sight; the outcome says whether there was one."""

    document: str
    future: asyncio.Future[bool]
    size: ClassVar = 0
    is_entry: ClassVar = False


Item = Append | Delete
Result = tuple[list[Any], list[Tail]]
"""The outcome of each item (a LogError is a refusal of that item alone), and the tails that grew."""


class Call(Protocol):
    """One call of a procedure, which happens as a whole or not at all."""

    items: Sequence[Item]
    statement: ClassVar[str]

    def arguments(self) -> Sequence[Any]:
        """What follows the writer's id and the number of the call."""
        ...

    def result(
        self,
        heads: Sequence[int],
        refused: Sequence[int] = (),
        tail_counts: Sequence[int] = (),
        tail_sizes: Sequence[int] = (),
    ) -> Result:
        """What an answer means. Without what it says of tails, none is told of."""
        ...


class DeleteCall:
    """Deletes one document."""

    statement: ClassVar = "CALL log.delete($1, $2, $3, NULL)"

    def __init__(self, item: Delete) -> None:
        self.items: Sequence[Item] = [item]
        self._key = key_of(item.document)

    def arguments(self) -> Sequence[Any]:
        return (self._key,)

    def result(
        self,
        heads: Sequence[int],
        refused: Sequence[int] = (),
        tail_counts: Sequence[int] = (),
        tail_sizes: Sequence[int] = (),
    ) -> Result:
        return [bool(heads[0])], []


class _Document:
    """What a group wants of one document."""

    __slots__ = ("count", "epoch", "first", "index", "key", "name", "size")

    def __init__(self, name: str, epoch: int) -> None:
        self.name = name
        self.key = key_of(name)
        self.epoch = epoch
        self.first = False
        self.count = 0
        self.size = 0
        self.index = 0


class GroupCall:
    """Appends a group of entries, each with the next sequence of its document."""

    statement: ClassVar = """
        CALL log.append($1, $2, $3, $4, $5::text::boolean[], $6::text::boolean[], $7::text::integer[],
            $8::text::bigint[], $9::text::bigint[], $10, $11, $12::text::integer[], $13::text::integer[],
            $14::text::integer[], $15::text::integer[], $16::text::bigint[], $17::text::integer[], $18,
            $19::text::integer[], $20::text::bigint[], $21::text::integer[], $22, NULL, NULL, NULL, NULL)"""

    def __init__(self, items: Sequence[Append], known: Container[str]) -> None:
        """known: documents that are surely there, unless another node has deleted one."""
        self.items: Sequence[Item] = items
        self._appends = items
        self._known = known
        self._where: list[_Document] = []
        self._documents: list[_Document] = []

    def arguments(self) -> Sequence[Any]:
        documents: dict[str, _Document] = {}
        subjects: dict[str, int] = {}
        where, places, who, epochs, ats, checksums, bodies = self._where, [], [], [], [], [], []
        claim_entries, claim_clients, marker_entries, markers = [], [], [], []
        mixed = False
        for number, item in enumerate(self._appends, 1):
            entry = item.entry
            name, epoch, subject, update = entry.document, entry.epoch, entry.subject, entry.update
            document = documents.get(name)
            if document is None:
                document = documents[name] = _Document(name, epoch)
            if epoch == FIRST_EPOCH:
                document.first = True
            if epoch != document.epoch:
                mixed = True
            document.count += 1
            document.size += len(update)
            at = round(entry.at * 1000)
            where.append(document)
            places.append(document.count)
            who.append(subjects.setdefault(subject, len(subjects) + 1))
            epochs.append(epoch)
            ats.append(at)
            checksums.append(update_checksum(name, epoch, at, subject, update))
            bodies.append(update)
            for client in entry.clients:
                claim_entries.append(number)
                claim_clients.append(client)
            if item.marker is not None:
                marker_entries.append(number)
                markers.append(item.marker)
        ordered = self._documents = sorted(documents.values(), key=lambda document: document.key)
        for index, document in enumerate(ordered, 1):
            document.index = index
        return (
            [document.key for document in ordered],
            [document.name for document in ordered],
            _numbers(document.name not in self._known for document in ordered),
            _numbers(document.first for document in ordered),
            _numbers(document.epoch for document in ordered),
            _numbers(document.count for document in ordered),
            _numbers(document.size for document in ordered),
            [key_of(subject) for subject in subjects],
            list(subjects),
            _numbers(document.index for document in where),
            _numbers(places),
            _numbers(who),
            _numbers(epochs) if mixed else None,
            _numbers(ats),
            _numbers(checksums),
            bodies,
            _numbers(claim_entries),
            _numbers(claim_clients),
            _numbers(marker_entries),
            markers,
        )

    def result(
        self,
        heads: Sequence[int],
        refused: Sequence[int] = (),
        tail_counts: Sequence[int] = (),
        tail_sizes: Sequence[int] = (),
    ) -> Result:
        refusals = {refused[i]: (refused[i + 1], refused[i + 2]) for i in range(0, len(refused), 3)}
        next_seq = [head + 1 for head in heads]
        sizes = [0] * len(heads)
        outcomes: list[Any] = []
        for number, (item, document) in enumerate(zip(self._appends, self._where, strict=True), 1):
            if refusals and number in refusals:
                outcomes.append(_refusal(item, *refusals[number]))
                continue
            index = document.index - 1
            outcomes.append(next_seq[index] if item.marker is None else True)
            next_seq[index] += 1
            sizes[index] += item.size
        tails = [
            Tail(document.name, count + after - head - 1, size + new)
            for document, head, after, count, size, new in zip(
                self._documents, heads, next_seq, tail_counts, tail_sizes, sizes, strict=False
            )
            if after > head + 1
        ]
        return outcomes, tails


class PlainCall(GroupCall):
    """Appends a group in which nothing can be refused; see `is_plain`. Where the database disagrees, the call
    does nothing and answers no heads."""

    statement: ClassVar = """
        CALL log.append_to($1, $2, $3, $4, $5, $6, $7::text::bigint[], $8::text::integer[], $9,
            NULL, NULL, NULL)"""

    def arguments(self) -> Sequence[Any]:
        entries = [item.entry for item in self._appends]
        document = _Document(entries[0].document, entries[0].epoch)
        document.index = 1
        self._documents = [document]
        self._where = [document] * len(entries)
        ats = [round(entry.at * 1000) for entry in entries]
        return (
            document.key,
            document.epoch,
            sum(item.size for item in self._appends),
            [key_of(entry.subject) for entry in entries],
            _numbers(ats),
            _numbers(
                update_checksum(entry.document, entry.epoch, at, entry.subject, entry.update)
                for entry, at in zip(entries, ats, strict=True)
            ),
            [entry.update for entry in entries],
        )

    def whole(self) -> GroupCall:
        """The same as a call in which anything may be refused."""
        return GroupCall(self._appends, self._known)


def is_plain(items: Sequence[Append], known: Container[str]) -> bool:
    """Whether they are of one document that is surely there and of one epoch, without claims and markers."""
    first = items[0].entry
    return first.document in known and all(
        item.entry.document == first.document
        and item.entry.epoch == first.epoch
        and not item.entry.clients
        and item.marker is None
        for item in items
    )


def _numbers(values: Iterable[int]) -> str:
    """Numbers, or whether, as PostgreSQL writes an array: asyncpg takes six times as long for each one."""
    return f"{{{','.join(map(str, values))}}}"


def _refusal(item: Append, kind: int, value: int) -> LogError | bool:
    entry = item.entry
    if kind == _STALE:
        return StaleEpoch(entry.document, entry.epoch, value)
    if kind == _TAKEN:
        return ClientTaken(entry.document, value)
    return False
