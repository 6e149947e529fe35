"""Whether a goal is met, and how far it is, by the medians of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from .plan import Case, Column, Goal
from .sides import SIDES

__all__ = ["Verdict", "judged", "ours_of", "times_better"]

Value = Callable[[str, str, str], float]
"""The median of a case, a server and a figure; nan if there is none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    case: str
    words: str
    shown: Mapping[str, str]
    """What was measured, by whose family it is."""
    far: str
    """How far TwinSpace is, beside what is asked for."""
    word: str
    """met, not met, not measured, or nothing where the goal names no number."""

    def as_json(self) -> Mapping[str, object]:
        return asdict(self)


def ours_of(case: Case) -> str:
    """As what TwinSpace takes part in a case."""
    return next(key for key in case.sides if SIDES[key].ours)


def times_better(ours: float, theirs: float, column: Column) -> float:
    """How many times better ours is; nan if that cannot be said."""
    over, under = (ours, theirs) if column.more_is_better else (theirs, ours)
    return over / under if under > 0 else math.nan


def judged(goal: Goal, case: Case, value: Value) -> Verdict:
    column = next(column for column in case.columns if column.key == goal.figure)
    mine = ours_of(case)
    ours = value(case.key, mine, goal.figure)
    shown = {}
    for side in case.sides:
        measured = value(case.key, side, goal.figure)
        if SIDES[side].family and not math.isnan(measured):
            shown[SIDES[side].family] = f"{measured:,.{column.digits}f}"
    if goal.over:
        base = value(goal.over, mine, goal.figure)
        ours = ours / base if base > 0 else math.nan
    far, word = _against(goal, column, ours, [value(case.key, side, goal.figure) for side in goal.than])
    return Verdict(case.key, goal.words, shown, far, word)


def _against(goal: Goal, column: Column, ours: float, others: list[float]) -> tuple[str, str]:
    """How far it is and whether it is met."""
    if goal.than:
        # A server that could not do it at all (nan) is no excuse: what is there has to be beaten.
        ratios = [ratio for each in others if not math.isnan(ratio := times_better(ours, each, column))]
        if math.isnan(ours) or not ratios:
            return "", "not measured"
        alone = f", {len(others) - len(ratios)} without a figure" if len(ratios) < len(others) else ""
        return f"{min(ratios):.2f} x, asked {goal.times:g} x{alone}", _word(min(ratios) >= goal.times)
    if math.isnan(ours):
        return "", "not measured"
    digits = 2 if goal.over else column.digits
    ours = round(ours, digits)
    what = f"{ours:,.{digits}f}"
    if goal.at_most is not None:
        return f"{what}, at most {goal.at_most:g}", _word(ours <= goal.at_most)
    if goal.at_least is not None:
        return f"{what}, at least {goal.at_least:,g}", _word(ours >= goal.at_least)
    return what, ""


def _word(met: bool) -> str:
    return "met" if met else "not met"
