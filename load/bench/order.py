"""By which power a figure grows."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["order", "power"]


def power(points: Sequence[tuple[float, float]]) -> float:
    """The k of the y = c * x ** k that comes closest, by least squares of the logarithms; 0 counts as 1."""
    across = [math.log(max(x, 1.0)) for x, _ in points]
    up = [math.log(max(y, 1e-9)) for _, y in points]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    over = sum((x - middle) ** 2 for x in across)
    if not over:
        return 0.0
    return sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True)) / over


def order(name: str, points: Sequence[tuple[float, float]]) -> str:
    """From where to where it goes, and by which power of what it is named after."""
    said = ", ".join(f"{y:,.3g} at {x:,g}" for x, y in points)
    return f"about {name}^{power(points):.2f} ({said})"
