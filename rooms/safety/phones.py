"""Finds phone numbers as they are written in Europe, and leaves other numbers alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

__all__ = ["phones"]

Span = tuple[int, int]

_LIKELY: Final = re.compile(r"(?<![\w,])(?:\+\s?|\(\+?)?\d(?:[ .()/~•·*_-]{0,3}\d){6,}(?!\w)")
_DIGITS: Final = re.compile(r"\d+")
_OTHERS: Final = re.compile(
    r"isbn(?:-1[03])?[\s:]{0,3}[\d -]{9,20}x?"
    r"|(?<![\d.,/-])(?:0?[1-9]|[12]\d|3[01])\s?[./-]\s?(?:0?[1-9]|1[0-2])\s?[./-]\s?(?:1\d|20)\d\d(?!\d)"
    r"|(?<![\d.,/-])(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-]\d\d(?![ ./-]?\d)"
    r"|(?<![\d.,/-])(?:1\d|20)\d\d[./-](?:0?[1-9]|1[0-2])[./-](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<![\d.,/-])(?:1\d|20)\d\d\s?[/-]\s?(?:1\d|20)\d\d(?![ ./-]?\d)"
    r"|(?<![\d.:])(?:[01]?\d|2[0-3])\s?[:h]\s?[0-5]\d(?::[0-5]\d)?(?!\d)"
    r"|(?<![\d.,+])-?\d{1,3}[.,]\d{3,15}(?![\d ./-]?\d)"
    r"|(?<!\d)97[89][ -]?(?:\d[ -]?){9}\d(?!\d)"
)
"""Book numbers, dates, years from and to, times, and decimal fractions."""
_UNITS: Final = re.compile(
    r"\s?(?:km|m|cm|mm|kg|mg|t|ha|l|km2|m2|m3|km/h|m/s|€|eur|euros?|\$|£|zl|kr|kc|%|°|people|inhabitants|habitants?|"
    r"habitantes|personas|pessoas|personnes|einwohner|menschen|abitanti|persone|osob|mieszkancow|ludzi|years?|anos|"
    r"ans|jahre|anni|lat|tonnes?|toneladas|tonnen|votes?|votos|stimmen|bytes?)(?!\w)"
)
_CODES: Final = re.compile(r"(?:[37-9]\d|35\d|37\d|38\d|4[0-9]|42\d|90|7)")
"""Country codes of Europe and around, as they begin a number whose + was left out."""
_MOST_GROUPS: Final = 12


def phones(text: str) -> Iterator[Span]:
    """Where phone numbers stand in a text of small letters and ASCII digits."""
    text = _OTHERS.sub(lambda match: "\x00" * len(match.group()), text)
    for match in _LIKELY.finditer(text):
        groups = [group.span() for group in _DIGITS.finditer(text, *match.span())]
        plus = match.group().lstrip("(").startswith("+")
        numbers = [text[start:end] for start, end in groups]
        if plus and sum(map(len, numbers)) >= 8:
            yield match.span()
        elif not _counts(text, match, numbers):
            yield from _within(text, match.start(), groups, numbers)


def _counts(text: str, match: re.Match[str], numbers: Sequence[str]) -> bool:
    """Whether these are numbers of something: a row of them, years, or one written in thousands."""
    if len(set("".join(numbers))) == 1:
        return True
    if len(numbers) > 2:
        values = [int(number) for number in numbers if len(number) < 10]
        steps = {later - earlier for earlier, later in pairwise(values)}
        if len(values) == len(numbers) and len(steps) == 1 and abs(min(steps)) <= 10:
            return True
        if not any(number.startswith("0") for number in numbers) and _is_row(numbers):
            return True
    if len(numbers) > 1 and all(len(number) == 4 and "1000" <= number <= "2100" for number in numbers):
        return True
    first, *rest = numbers
    if rest and first[0] != "0" and all(len(number) == 3 for number in rest):
        if len(first) < 3 and len(rest) > 1:
            return True
        return len(first) == 3 and _UNITS.match(text, match.end()) is not None
    return False


def _is_row(numbers: Sequence[str]) -> bool:
    """Whether they only grow or only shrink, or are as many short ones as no phone number has."""
    lengths = {len(number) for number in numbers}
    if len(lengths) == 1 and 1 in lengths:
        return False
    values = [int(number[:18]) for number in numbers]
    ordered = values in (sorted(values), sorted(values, reverse=True))
    return (len(numbers) > 4 and ordered) or (len(numbers) > 6 and max(lengths) < 3)


def _within(text: str, start: int, groups: Sequence[Span], numbers: Sequence[str]) -> Iterator[Span]:
    """The longest runs of groups that make a phone number."""
    if all(len(number) == 1 for number in numbers):
        apart = {text[end:begin] for (_, end), (begin, _) in pairwise(groups)}
        if 9 <= len(numbers) <= 15 and len(apart) == 1 and _national("".join(numbers), [9]):
            yield start, groups[-1][1]
        return
    at = 0
    while at < len(numbers):
        for size in range(min(_MOST_GROUPS, len(numbers) - at), 0, -1):
            some = numbers[at : at + size]
            if 7 <= sum(map(len, some)) <= 17 and _is_phone(some):
                yield groups[at][0], groups[at + size - 1][1]
                at += size
                break
        else:
            at += 1


def _is_phone(groups: Sequence[str]) -> bool:
    digits, lengths = "".join(groups), [len(group) for group in groups]
    if digits.startswith("00"):
        return 10 <= len(digits) <= 17 and digits[2] != "0"
    if lengths.count(1) > 1 or (lengths[-1] == 1 and len(lengths) > 1):
        return False
    return _national(digits, lengths)


def _national(digits: str, lengths: Sequence[int]) -> bool:
    size, first = len(digits), digits[0]
    together = len(lengths) == 1
    if first == "0":
        return (9 if together else 8) <= size <= 13
    if not together and lengths[0] == 1:
        return size in (11, 12) and first == "7"
    match size:
        case 7:
            return list(lengths) in ([3, 4], [3, 2, 2]) and first in "23456789" and not _is_year(digits[3:])
        case 8:
            paired = all(length == 2 for length in lengths) or list(lengths) in ([4, 4], [2, 3, 3], [3, 2, 3])
            return first in "23456789" and (paired or together) and not _is_date(digits)
        case 9:
            return first in "256789" and max(lengths) != 4
        case 10:
            usual = digits.startswith(("2", "3", "69")) and 5 not in lengths
            return usual or list(lengths) in ([3, 3, 4], [3, 3, 2, 2])
        case 11 | 12:
            return _CODES.match(digits) is not None and (together or lengths[0] in (2, 3))
    return False


def _is_year(digits: str) -> bool:
    return "1900" <= digits <= "2100"


def _is_date(digits: str) -> bool:
    try:
        return (
            _is_year(digits[:4])
            and date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}") is not None
        )
    except ValueError:
        return False
