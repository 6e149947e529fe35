"""Brings the records of an older version to this one (Alembic). The server does so itself on every start.

A new revision, after a change of rooms/storage/schema.py:

    .venv/bin/python -m rooms.storage.migrations "what it changes"
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from rooms.faults import RecordsUnusable

__all__ = ["VERSION_TABLE", "upgrade"]

HERE = Path(__file__).parent
VERSION_TABLE = "records_version"


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrades to the newest revision, or to the one named, inside the caller's transaction.

    Raises RecordsUnusable for records that a newer version of the program has upgraded.
    """
    settings = config(connection)
    known = [script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()]
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    if current is not None and current not in known:
        raise RecordsUnusable(
            f"These records are of a newer version of TwinSpace: they are at revision {current}, and this "
            f"version knows them up to {known[0]}. Start that version or a newer one; nothing was changed."
        )
    command.upgrade(settings, revision)
