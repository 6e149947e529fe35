"""Brings the records of an older version to this one (Alembic). The server does so itself on every start.

A new revision, after a change of rooms/schema.py:

    .venv/bin/python -m rooms.migrations "what it changes"
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["upgrade"]

HERE = Path(__file__).parent


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection) -> None:
    """Upgrades to the newest revision, inside the caller's transaction."""
    command.upgrade(config(connection), "head")
