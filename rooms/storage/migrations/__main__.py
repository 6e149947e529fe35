"""Writes the next revision: python -m rooms.storage.migrations "what it changes"."""

from __future__ import annotations

import sys

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from rooms.storage.migrations import config, upgrade

with create_engine("sqlite://", poolclass=StaticPool).begin() as connection:
    upgrade(connection)
    command.revision(config(connection), message=" ".join(sys.argv[1:]) or "change", autogenerate=True)
