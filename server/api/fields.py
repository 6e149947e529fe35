"""Kinds of values that several resources take."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from server.names import is_text

__all__ = ["Id", "Language", "Line", "Name", "Prose", "Time", "prose"]

MAX_TIME = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows: a name with one could show as another."""


def _one_line(value: str) -> str:
    if not is_text(value) or _TURNING.search(value):
        raise ValueError("must be one line of text without control characters")
    return value


def prose(value: str) -> str:
    if not is_text(value.replace("\n", "").replace("\t", "")):
        raise ValueError("must be text without control characters")
    return value


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Language = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"), Field(examples=["es"])
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]
"""A title: one line, 1 to 200 characters."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
    AfterValidator(_one_line),
]
"""How a person is called: one line, 1 to 60 characters."""
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(prose)]
Time = Annotated[float, Field(ge=0, le=MAX_TIME, allow_inf_nan=False, description="Unix seconds, UTC.")]
