"""What the browser reached, beside what issue 5 asks of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .opening import BUSY, MARKS, Openings
from .writing import Frames

__all__ = ["Report", "Written"]

EDITABLE_MS = 1200
FRAMES = 50
PREAMBLE = """\
Headless Chromium without a graphics processor: whatever is painted is painted by the processor, which server,
class and browser share. The browser slows down the page's own thread only: painting, network and service
worker go on as they are. So figures are for comparing within one run, beside those of a page on which nothing
happens but that a box moves. Nothing is far away here: on a real line each question to the server waits."""


@dataclass(frozen=True, slots=True)
class Written:
    """On one processor."""

    slower: float
    typed: Frames
    alone: Frames
    """Of the page on which a box moves, the class at work all the same."""

    @property
    def word(self) -> str:
        if self.typed.worst >= FRAMES:
            return "met"
        return "not met" if self.alone.worst >= FRAMES else "not met, nor by the machine itself"

    @property
    def title(self) -> str:
        return f"{self.slower:g} times slower" if self.slower > 1 else "as it is"


@dataclass(slots=True)
class Report:
    cursors: int
    slower: float
    openings: Openings = field(default_factory=Openings)
    written: list[Written] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def goals(self) -> list[Mapping[str, str]]:
        editable = self.openings.values("editable")
        median = self.openings.editable
        rows: list[Mapping[str, str]] = [
            {
                "asked": f"editable, processor {self.slower:g} times slower, caches warm: {EDITABLE_MS:,} ms",
                "measured": f"{_spread(editable)} ms, {len(editable)} navigations",
                "alone": "",
                "word": "met" if median <= EDITABLE_MS else "not met",
            }
        ]
        for each in self.written:
            rows.append({
                "asked": f"typing among {self.cursors} carets, processor {each.title}: {FRAMES} frames/s",
                "measured": f"{each.typed.worst} in the worst second",
                "alone": f"{each.alone.worst}",
                "word": each.word,
            })  # fmt: skip
        return rows

    def table(self) -> str:
        lines = ["| asked for | measured | a page where a box moves | met? |", "|---|---|---|---|"]
        lines += ["| {asked} | {measured} | {alone} | {word} |".format(**row) for row in self.goals()]
        return "\n".join(lines)

    def markdown(self) -> str:
        return "\n".join(["# The browser", "", self.table(), "", PREAMBLE, "", *self._details()]) + "\n"

    def _details(self) -> Iterator[str]:
        yield "## Opening"
        yield ""
        yield "Medians [smallest to largest], in ms since the navigation."
        yield ""
        yield "| | ms |"
        yield "|---|---|"
        for what, words in (MARKS | BUSY).items():
            if values := self.openings.values(what):
                yield f"| {words} | {_spread(values)} |"
        yield ""
        yield f"A fixed piece of work took {self.openings.slower:.1f} times as long as without slowing down."
        yield ""
        yield "## Typing"
        yield ""
        columns = {
            f"{what}, {each.title}": frames.as_json()
            for each in self.written
            for what, frames in (("typing", each.typed), ("a box moves", each.alone))
        }
        yield "| " + " | ".join(["", *columns]) + " |"
        yield "|---" * (1 + len(columns)) + "|"
        for key in next(iter(columns.values()), {}):
            cells = [str(values.get(key, "")) for values in columns.values()]
            yield "| " + " | ".join([key.replace("_", " "), *cells]) + " |"
        yield ""
        yield "## The machine"
        yield ""
        yield from (f"- {name}: {value}" for name, value in self.facts.items())

    def as_json(self) -> Mapping[str, object]:
        openings = self.openings
        return {
            "facts": self.facts,
            "goals": self.goals(),
            "opening": {"marks": openings.marks, "busy": openings.busy, "slower": openings.slower},
            "typing": [
                {"slower": each.slower, "typed": each.typed.as_json(), "alone": each.alone.as_json()}
                for each in self.written
            ],
        }

    def write(self, folder: Path) -> None:
        """Writes browser.md and browser.json into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "browser.md").write_text(self.markdown())
        (folder / "browser.json").write_text(json.dumps(self.as_json(), indent=1) + "\n")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} [{min(values):,.0f}-{max(values):,.0f}]"
