"""many nodes: changes as rows, the limits of log-ins, text in the order of code points"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "login_limits",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('school', 'address', 'everybody', 'familiar')", name=op.f("ck_login_limits_kind")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_limits")),
    )
    with op.batch_alter_table("login_limits", schema=None) as batch_op:
        batch_op.create_index("ix_login_limits_kind_at", ["kind", "at"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.alter_column(
            "language",
            existing_type=sa.String(length=10),
            type_=sa.String(length=20),
            existing_nullable=True,
        )
    if op.get_bind().dialect.name == "postgresql":
        _order_by_code_points()


def _order_by_code_points() -> None:
    columns = sa.inspect(op.get_bind())
    for table in sorted(columns.get_table_names()):
        for column in columns.get_columns(table) if table in TABLES else ():
            if isinstance(column["type"], sa.String):
                kind = column["type"].compile(op.get_bind().dialect)
                op.execute(f'ALTER TABLE {table} ALTER COLUMN {column["name"]} TYPE {kind} COLLATE "C"')


TABLES = {
    "appointments", "changes", "countries", "credentials", "login_limits", "login_tries", "memberships",
    "pages", "people", "room_members", "rooms", "schools", "sessions", "settings", "spaces",
}  # fmt: skip
"""All there are; the documents' log may have others."""
