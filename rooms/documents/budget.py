"""What one sender may cost: bytes, structs and messages per second, as token buckets.

A spent budget is never a reason to drop an edit. The caller stops reading from that sender for
the time :meth:`Budget.spend` names, and tells it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["Budget", "Rates"]


@dataclass(frozen=True, slots=True)
class Rates:
    """Sustained rates of one sender, and how many seconds of them may be spent in one burst."""

    bytes: float = 512 * 1024
    """Bytes per second."""
    structs: float = 10_000
    """Structs and deleted ranges per second: what the engine's cost grows with."""
    messages: float = 500
    """Frames per second, presence included. A fast typist sends about 30."""
    burst: float = 20.0
    """Seconds of each rate that a quiet sender has saved up."""


@cache
def _full(rates: Rates) -> Rates:
    """What full buckets hold."""
    burst = rates.burst
    return Rates(rates.bytes * burst, rates.structs * burst, rates.messages * burst)


class Budget:
    """Three buckets that drain together. A bucket may go negative: the debt is waited for."""

    __slots__ = ("_bytes", "_messages", "_most", "_rates", "_structs", "_then")

    def __init__(self, rates: Rates, now: float) -> None:
        self._rates = rates
        self._most = most = _full(rates)
        self._bytes, self._structs, self._messages = most.bytes, most.structs, most.messages
        self._then = now

    def spend(self, now: float, *, size: int = 0, structs: int = 0, messages: int = 0) -> float:
        """Takes what messages cost and returns the seconds until the sender is out of debt (0: go on).

        ``now`` is monotonic seconds, ``size`` bytes.
        """
        rates, most = self._rates, self._most
        elapsed, self._then = now - self._then, now
        left = self._bytes + elapsed * rates.bytes
        self._bytes = (left if left < most.bytes else most.bytes) - size
        left = self._structs + elapsed * rates.structs
        self._structs = (left if left < most.structs else most.structs) - structs
        left = self._messages + elapsed * rates.messages
        self._messages = (left if left < most.messages else most.messages) - messages
        if self._bytes >= 0 and self._structs >= 0 and self._messages >= 0:
            return 0.0
        return max(
            -self._bytes / rates.bytes, -self._structs / rates.structs, -self._messages / rates.messages
        )
