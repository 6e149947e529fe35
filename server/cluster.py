"""What a node shares with others, as its settings say: the log, the bus, the secret.

A single node has its own, and loads none of the drivers that the others need.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Final

from crdt.log import Log, LogSettings
from crdt.log.sqlite import SqliteLog
from rooms.bus import Bus
from rooms.bus.local import LocalBus
from rooms.storage.records import Records
from server.config import Settings
from server.tokens import read_secret

__all__ = ["make_bus", "make_log", "token_secret"]

PREFIX: Final = "twinspace:"
STALLED_SECONDS: Final = 3.0
"""How long PostgreSQL may leave a commit unanswered before people are told that nothing is saved. A database
that answers at all does so at once, while a busy disk may well take longer."""


def make_log(settings: Settings) -> Log:
    """The log of these settings, not yet opened."""
    tuned = LogSettings(
        history_days=settings.history_days,
        tail_updates=settings.compaction_updates,
        tail_bytes=settings.compaction_bytes,
    )
    if settings.in_postgres:
        from crdt.log.postgres import PostgresLog

        assert settings.database is not None
        return PostgresLog(settings.database, replace(tuned, stalled_seconds=STALLED_SECONDS))
    return SqliteLog(settings.data, tuned)


def make_bus(settings: Settings, records: Records, node: str) -> Bus:
    """The bus of these settings, not yet opened. node: this node's name in the log.

    Installations that share a Redis do not hear each other, and could not read each other's envelopes.
    """
    if settings.redis is None:
        return LocalBus(node=node)
    from rooms.bus.redis import RedisBus

    installation = _derived(records, b"installation").hex()[:12]
    return RedisBus(settings.redis, key=_derived(records, b"bus"), prefix=PREFIX + installation, node=node)


def token_secret(settings: Settings, records: Records) -> bytes:
    """Signs document tokens; all nodes on one PostgreSQL have the same. Raises SecretError."""
    if settings.in_postgres and settings.secret_file is None:
        return records.secret
    return read_secret(settings.data, settings.secret_file)


def _derived(records: Records, what: bytes) -> bytes:
    return hmac.new(records.pepper, what, hashlib.sha256).digest()
