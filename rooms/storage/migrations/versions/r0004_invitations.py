"""invitations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    if length is None:
        return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("role", _text(20), nullable=False),
        sa.Column("token_hash", _text(64), nullable=False),
        sa.Column("email", _text(320), nullable=True),
        sa.Column("maker_id", _text(32), nullable=True),
        sa.Column("voucher_id", _text(32), nullable=True),
        sa.Column("accepted_id", _text(32), nullable=True),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("role IN ('guest', 'teacher', 'admin')", name=op.f("ck_invitations_role")),
        sa.CheckConstraint(
            "state IN ('proposed', 'open', 'accepted', 'declined', 'withdrawn', 'expired')",
            name=op.f("ck_invitations_state"),
        ),
        sa.ForeignKeyConstraint(
            ["accepted_id"],
            ["memberships.id"],
            name=op.f("fk_invitations_accepted_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["maker_id"], ["memberships.id"], name=op.f("fk_invitations_maker_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_invitations_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["memberships.id"], name=op.f("fk_invitations_voucher_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitations_space_id"), ["space_id"], unique=False)
