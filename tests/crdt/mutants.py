"""Makes hostile updates and feeds them to the guarded edge.

Run as a program by test_mutants.py, in its own process, so that a crash of the engine is seen for what it is:

    python tests/crdt/mutants.py SEED FIRST COUNT

Prints a line for each mutant, `index<TAB>base<TAB>verdict<TAB>base64`, the first half before it is tried.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crdt.codec import Writer, var_bytes, var_string, var_uint
from crdt.document import Document
from crdt.errors import CrdtError, EngineRefused
from crdt.limits import STORED
from crdt.nodes import tree
from crdt.rendering import to_html
from crdt.update import read_sections, read_state_vector, read_update

GOLDEN = json.loads((Path(__file__).parent / "golden" / "yjs-13.6.json").read_text())["cases"]
STALL = 0.05


@dataclass(frozen=True)
class Base:
    """A document to which a mutant comes, and what would have come in its place."""

    updates: tuple[bytes, ...]
    state: bytes
    next: bytes


@cache
def bases() -> list[Base]:
    found = []
    for case in GOLDEN:
        if case["name"] in ("long", "deep"):  # too large to be opened thousands of times
            continue
        updates = [base64.b64decode(update) for update in case["updates"]]
        document = Document()
        for index, update in enumerate(updates):
            if index % 3 == 0 or index == len(updates) - 1:
                found.append(Base(tuple(updates[:index]), document.diff(None)[0], update))
            document.load(update)
        found.append(Base(tuple(updates), document.diff(None)[0], base64.b64decode(case["state"])))
        document.close()
    return found


BYTES = (0, 1, 2, 3, 7, 10, 31, 32, 63, 64, 116, 117, 118, 119, 127, 128, 129, 192, 240, 255)


def flip(update: bytearray, rng: random.Random) -> None:
    update[rng.randrange(len(update))] ^= 1 << rng.randrange(8)


def poke(update: bytearray, rng: random.Random) -> None:
    update[rng.randrange(len(update))] = rng.choice(BYTES)


def nudge(update: bytearray, rng: random.Random) -> None:
    index = rng.randrange(len(update))
    update[index] = (update[index] + rng.choice((-2, -1, 1, 2))) % 256


def insert(update: bytearray, rng: random.Random) -> None:
    index = rng.randrange(len(update) + 1)
    update[index:index] = rng.choice(
        (rng.randbytes(1), b"\xff\xff\xff\xff\x0f", b"\xf0\x9f\x98\x80", b"\x00")
    )


def remove(update: bytearray, rng: random.Random) -> None:
    index = rng.randrange(len(update))
    del update[index : index + rng.randint(1, 3)]


def repeat(update: bytearray, rng: random.Random) -> None:
    index = rng.randrange(len(update))
    chunk = update[index : index + rng.randint(1, 12)]
    update[index:index] = chunk * rng.randint(1, 3)


def truncate(update: bytearray, rng: random.Random) -> None:
    del update[rng.randrange(len(update)) :]


def splice(update: bytearray, rng: random.Random) -> None:
    other = rng.choice(bases()).next
    start = rng.randrange(len(other))
    index = rng.randrange(len(update) + 1)
    update[index : index + rng.randint(0, 8)] = other[start : start + rng.randint(1, 16)]


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, poke, poke, nudge, nudge, insert, remove, repeat, truncate, splice,
)  # fmt: skip


def mutate(base: Base, rng: random.Random) -> bytes:
    update = bytearray(base.next)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if update:
            rng.choice(MUTATIONS)(update, rng)
    return bytes(update)


def forge(base: Base, rng: random.Random) -> bytes:
    """A well-formed update whose items hang wherever the dice say."""
    known = read_state_vector(_vector_of(base.state))
    for section in read_sections(base.state):
        known.setdefault(section.client, section.clocks[-1])
    strangers = [rng.randrange(1, 50) for _ in range(2)]
    clients = [*known, *strangers]
    writers = sorted({rng.choice(clients) for _ in range(rng.choice((1, 1, 1, 2, 3)))}, reverse=True)
    ends = {client: known.get(client, 0) for client in clients}
    out = Writer().var_uint(len(writers))
    for client in writers:
        start = max(0, ends[client] + rng.choice((0, 0, 0, 0, 0, -1, -2, 1)))
        structs = []
        clock = start
        for _ in range(rng.randint(1, 6)):
            struct, length = _forge_struct(client, clock, ends, rng)
            structs.append(struct)
            clock += length
            ends[client] = max(ends[client], clock)
        out.var_uint(len(structs)).var_uint(client).var_uint(start).raw(b"".join(structs))
    deleted = sorted({rng.choice(clients) for _ in range(rng.choice((0, 0, 1, 2)))})
    out.var_uint(len(deleted))
    for client in deleted:
        end = max(1, ends[client])
        cuts = sorted(rng.sample(range(end + 1), min(end + 1, rng.choice((2, 4)))))
        pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
        out.var_uint(client).var_uint(len(pairs))
        for start, stop in pairs:
            out.var_uint(start).var_uint(stop - start)
    return bytes(out)


def _forge_struct(client: int, clock: int, ends: dict[int, int], rng: random.Random) -> tuple[bytes, int]:
    def some_id() -> bytes:
        of = rng.choice((client, client, *ends))
        limit = clock if of == client else ends[of]
        if not limit and rng.random() < 0.9:
            of = max(ends, key=lambda other: ends[other] if other != client else -1)
            limit = ends[of]
        where = rng.randrange(limit) if limit else 0
        return var_uint(of) + var_uint(where)

    kind = rng.choice((0, 1, 3, 4, 4, 4, 5, 6, 7, 7, 7, 8, 8, 9, 10))
    if kind in (0, 10):
        length = rng.randint(1, 3)
        return bytes((kind, length)), length
    info = kind | rng.choice((0, 0, 128, 192, 64)) | rng.choice((0, 0, 32))
    out = bytearray((info,))
    if info & 128:
        out += some_id()
    if info & 64:
        out += some_id()
    if not info & 192:
        names = ("text", "map", "array", "prosemirror", "list", "folder", "new")
        out += b"\x01" + var_string(rng.choice(names)) if rng.random() < 0.4 else b"\x00" + some_id()
        if info & 32:
            out += var_string(rng.choice(("a", "key", "nested", "kind", "🙂")))
    text = rng.choice(("x", "xyz", "é😀", "😀😀", "a𝄞b"))
    json_value = rng.choice(("null", "true", '{"a":[1,{}]}', '"\\ud83d\\ude00"', "1e5", '""'))
    match kind:
        case 1:
            length = rng.randint(1, 4)
            out += var_uint(length)
        case 3:
            length = 1
            out += var_bytes(rng.randbytes(3))
        case 4:
            length = len(text.encode("utf-16-le")) // 2
            out += var_string(text)
        case 5:
            length = 1
            out += var_string(json_value)
        case 6:
            length = 1
            out += var_string(rng.choice(("bold", "link--aGFzaDEy", ""))) + var_string(json_value)
        case 7:
            length = 1
            ref = rng.choice((0, 1, 2, 3, 4, 6))
            out += var_uint(ref) + (var_string(rng.choice(("p", "", "table_cell"))) if ref == 3 else b"")
        case 8:
            length = rng.randint(1, 3)
            out += var_uint(length)
            for _ in range(length):
                out += bytes(Writer().any(rng.choice((1, -5, 0.5, None, "s", [1, [2]], {"k": b"v"}, True))))
        case _:
            length = 1
            out += var_string("guid") + bytes(Writer().any({"gc": False, "meta": None}))
    return bytes(out), length


@cache
def _vector_of(state: bytes) -> bytes:
    document = Document()
    document.load(state)
    vector = document.state_vector()
    document.close()
    return vector


def verdict(base: Base, mutant: bytes) -> str:
    """What the guarded edge made of it: "refused ...", "applied", "pending", "nothing new", or FAULT."""
    started = time.thread_time()
    try:
        summary = read_update(mutant)
    except CrdtError as error:
        return f"refused by the reader: {getattr(error, 'what', '')}{_stall(started)}"
    read = time.thread_time() - started
    document = Document()
    document.load(base.state)
    started = time.thread_time() - read
    try:
        outcome = document.apply(mutant, summary).value
    except EngineRefused as error:
        return f"refused by the engine, poisoned={error.poisoned}: {error}{_stall(started)}"
    except CrdtError as error:
        return f"refused by the document: {getattr(error, 'what', '')}{_stall(started)}"
    parts = document.diff(None)
    late = _stall(started)
    to_html(tree(document.xml("prosemirror")))
    # Whatever was accepted, the document must still be whole: it can be read, loaded and written to.
    copy = Document()
    for part in parts:
        copy.load(part)
    if read_state_vector(copy.state_vector(), STORED) != read_state_vector(document.state_vector(), STORED):
        return "FAULT: the state does not load to the same state vector"
    if {client: clock for client, clock in document._known.clocks.items() if clock} != read_state_vector(
        document.state_vector(), STORED
    ):
        return "FAULT: the engine holds other clocks than the document believes"
    try:
        document.apply(base.next, read_update(base.next))
    except EngineRefused as error:
        return f"FAULT: the next honest update is refused: {error}"
    except CrdtError:
        pass
    document.close()
    copy.close()
    return outcome + late


def _stall(started: float) -> str:
    took = time.thread_time() - started
    return f" FAULT: stalled {took * 1000:.0f} ms" if took > STALL else ""


def main() -> None:
    seed, first, count = map(int, sys.argv[1:])
    for index in range(first, first + count):
        rng = random.Random(f"{seed}/{index}")
        number = rng.randrange(len(bases()))
        base = bases()[number]
        mutant = forge(base, rng) if rng.random() < 0.35 else mutate(base, rng)
        print(f"{index}\t{number}", end="\t", flush=True)
        try:
            result = verdict(base, mutant)
        except BaseException as error:
            result = f"FAULT: untyped {type(error).__name__}: {error}"
        print(f"{' '.join(result.split())}\t{base64.b64encode(mutant).decode()}", flush=True)


if __name__ == "__main__":
    main()
