"""The log on PostgreSQL, shared by any number of nodes."""

from crdt.log.postgres.log import PostgresLog

__all__ = ["PostgresLog"]
