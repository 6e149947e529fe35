"""Sessions of our own making in the recordings' format: several writers who hear of each other late."""

import random
from typing import Any

from pycrdt import Doc, Text

WORDS = ("a", "bc", "\n", "é", "𝄞", "school ", "ñandú")


def make_session(rng: random.Random, writers: int, transactions: int) -> dict[str, Any]:
    """A concurrent session; its end content is what Yjs makes of it with client ids in the writers' order.

    A recording ends in one head that knows everything.
    """
    docs: list[Doc] = [Doc(client_id=number + 1) for number in range(writers)]
    texts = [doc.get("text", type=Text) for doc in docs]
    known: list[set[int]] = [set() for _ in docs]
    ancestors: list[set[int]] = []
    updates: list[bytes] = []
    txns: list[dict[str, Any]] = []

    def hear(writer: int, of: set[int]) -> None:
        for index in sorted(of - known[writer]):
            docs[writer].apply_update(updates[index])
        known[writer] |= of

    def type_something(writer: int) -> None:
        patches = []
        before = docs[writer].get_state()
        with docs[writer].transaction():
            for _ in range(rng.choice((1, 1, 1, 2))):
                text = str(texts[writer])
                position = rng.randint(0, len(text))
                deleted = min(rng.choice((0, 0, 0, 1, 3)), len(text) - position)
                inserted = "" if deleted and rng.random() < 0.5 else rng.choice(WORDS)
                start, end = (len(text[:to].encode()) for to in (position, position + deleted))
                if end > start:
                    del texts[writer][start:end]
                if inserted:
                    texts[writer].insert(start, inserted)
                patches.append([position, deleted, inserted])
        index = len(txns)
        heads = {
            each for each in known[writer] if not any(each in ancestors[other] for other in known[writer])
        }
        txns.append({"parents": sorted(heads), "agent": writer, "patches": patches})
        ancestors.append(set(known[writer]))
        updates.append(docs[writer].get_update(before))
        known[writer].add(index)

    type_something(0)
    for writer in range(writers):
        hear(writer, {0})
    while len(txns) < transactions - 1:
        writer = rng.randrange(writers)
        if rng.random() < 0.3:
            heard = rng.randrange(len(txns))
            hear(writer, ancestors[heard] | {heard})
        type_something(writer)
    hear(0, set(range(len(txns))))
    type_something(0)
    return {"kind": "concurrent", "numAgents": writers, "endContent": str(texts[0]), "txns": txns}
