"""boards: a page has a kind; polls are closed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("pages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", _text(20), nullable=False, server_default="page"))
        batch_op.create_check_constraint(op.f("ck_pages_kind"), "kind IN ('page', 'board')")
    with op.batch_alter_table("pages", schema=None) as batch_op:
        batch_op.alter_column("kind", server_default=None)
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", sa.Double(), nullable=True))
