"""Every limit on what comes from outside, with its reason."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "MAX_SAFE_INTEGER", "MIB", "STORED", "Limits"]

KIB = 1024
MIB = 1024 * KIB

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer JavaScript counts exactly; client ids never exceed it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message, one document and one sender may cost."""

    update_bytes: int = 8 * MIB
    """Size of one update."""
    structs: int = 60_000
    """Structs plus deleted ranges in one update: what the reader's time grows with."""
    clients: int = 20_000
    """Client ids in one update, state vector or awareness message."""
    nesting: int = 64
    """Levels of arrays, maps, JSON and `any` values inside one another, and of types inside one another.
    The engine overflows the stack at about 26,000, browsers throw at about 4,500."""
    clock: int = 2**31 - 1
    """Largest clock and length of anything. The engine counts in 32 bits, signed in places."""
    name_bytes: int = 1024
    """Length of a root name, map key, attribute name, format name or element name, in UTF-8 bytes."""
    scan_steps: int = 1_000_000
    """Neighbours that one call of the engine may have to look at: 45 nanoseconds each. An insert at a place
    where many have inserted looks at them all."""
    engine_seconds: float = 0.05
    """Processor time the engine may take for one update, whatever its size ..."""
    engine_seconds_per_struct: float = 0.0002
    """... and for each of its structs and deletions: in a page they take a hundredth of it, in a very large
    document half."""
    pending_updates: int = 500
    """Updates of one document that wait for a predecessor."""
    pending_bytes: int = 2 * MIB
    """Their total size."""
    pending_updates_per_sender: int = 100
    """Updates of one sender that wait in one document."""
    pending_bytes_per_sender: int = MIB // 2
    """Their total size."""
    merge: int = 200
    """Updates merged at a time: the engine's merge is quadratic in their number."""
    state_vector_bytes: int = 512 * KIB
    """Size of one state vector."""
    awareness_bytes: int = 64 * KIB
    """Size of one awareness message."""
    awareness_state_bytes: int = 16 * KIB
    """Size of one client's presence in it, as JSON."""


DEFAULT = Limits()

STORED = Limits(
    update_bytes=2**40,
    structs=2**40,
    clients=2**40,
    name_bytes=2**40,
    state_vector_bytes=2**40,
    scan_steps=2**80,
    pending_updates=2**40,
    pending_bytes=2**40,
    pending_updates_per_sender=2**40,
    pending_bytes_per_sender=2**40,
)
"""For what our own log or engine wrote: the shape is checked as ever, the size was paid for when it came."""
