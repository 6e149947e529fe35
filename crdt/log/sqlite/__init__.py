"""The embedded log: one SQLite file in a data folder, for one process."""

from crdt.log.sqlite.log import SqliteLog

__all__ = ["SqliteLog"]
