"""Line plots as SVG, by hand: a handful of series, axes with round numbers, a legend; nothing to install."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

__all__ = ["plot"]

WIDTH, HEIGHT = 960, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 260, 50, 60
COLOURS = ("#0b6e4f", "#c1440e", "#1f4e9e", "#8a3ffc", "#6b6b6b", "#b8860b", "#008b8b")

Point = tuple[float, float]


def plot(
    title: str, x_title: str, y_title: str, series: Mapping[str, Sequence[Point]], *, percent: bool = False
) -> str:
    """The series as lines; an axis whose values span more than a factor of thirty is logarithmic.

    percent: the values across are percent, and stay as they are.
    """
    across = _Axis([x for points in series.values() for x, _ in points], LEFT, WIDTH - RIGHT, linear=percent)
    up = _Axis([y for points in series.values() for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="600">{escape(title)}</text>',
    ]
    for value, at in up.ticks():
        parts.append(
            f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        )
    for value, at in across.ticks():
        parts.append(
            f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>'
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_short(value)}</text>'
        )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    centre = (LEFT + WIDTH - RIGHT) / 2
    parts += [
        f'<text x="{centre}" y="{HEIGHT - 16}" text-anchor="middle">{escape(x_title)}</text>',
        f'<text transform="translate(20 {middle}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>',
    ]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3" fill="{colour}"/>' for x, y in points
        ]
        y = TOP + 16 + 18 * number
        parts.append(
            f'<path d="M{WIDTH - RIGHT + 16} {y - 4}h18" stroke="{colour}" stroke-width="3"/>'
            f'<text x="{WIDTH - RIGHT + 40}" y="{y}">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    def __init__(self, values: Sequence[float], start: float, end: float, *, linear: bool = False) -> None:
        above = [value for value in values if value > 0] or [1.0]
        self._start, self._end = start, end
        self._log = not linear and max(above) / min(above) > 30
        self._low = math.floor(math.log10(min(above))) if self._log else 0.0
        self._high = math.log10(max(above)) if self._log else max(above)
        if self._high <= self._low:
            self._high = self._low + 1

    def at(self, value: float) -> float:
        if self._log:
            value = max(self._low, math.log10(value)) if value > 0 else self._low
        return self._start + (self._end - self._start) * (value - self._low) / (self._high - self._low)

    def ticks(self) -> Iterator[tuple[float, float]]:
        if self._log:
            values = [10.0**power for power in range(int(self._low), math.floor(self._high) + 1)]
        else:
            step = 10 ** math.floor(math.log10(self._high))
            step *= next(part for part in (0.2, 0.5, 1, 2) if self._high / (step * part) <= 6)
            values = [number * step for number in range(int(self._high / step) + 1)]
        for value in values:
            yield value, self.at(value)


def _short(value: float) -> str:
    return f"{value / 1000:g} k" if value >= 10_000 else f"{value:g}"
