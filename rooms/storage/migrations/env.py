"""Run by Alembic. The connection and its transaction are the caller's."""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy.schema import SchemaItem

from rooms.storage.migrations import VERSION_TABLE
from rooms.storage.schema import metadata


def ours(
    item: SchemaItem, name: str | None, kind: str, reflected: bool, compared_to: SchemaItem | None
) -> Literal[True, False]:
    """The documents' log may keep its tables in the same file: they are not ours to compare or drop."""
    return not (kind == "table" and name not in metadata.tables)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_object=ours,
    render_as_batch=True,
    transactional_ddl=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
