"""proposals, direct messages, when a room was last used"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    if length is None:
        return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "direct_messages",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("sender_id", _text(32), nullable=False),
        sa.Column("recipient_id", _text(32), nullable=False),
        sa.Column("key", _text(64), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.Column("read_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["people.id"], name=op.f("fk_direct_messages_recipient_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["people.id"], name=op.f("fk_direct_messages_sender_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_direct_messages")),
        sa.UniqueConstraint("sender_id", "key", name=op.f("uq_direct_messages_sender_id_key")),
    )
    with op.batch_alter_table("direct_messages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_direct_messages_recipient_id_read_at", ["recipient_id", "read_at"], unique=False
        )
        batch_op.create_index(
            "ix_direct_messages_sender_id_recipient_id_created_at",
            ["sender_id", "recipient_id", "created_at"],
            unique=False,
        )

    op.create_table(
        "proposals",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("kind", _text(20), nullable=False),
        sa.Column("concerned_id", _text(32), nullable=True),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("because", _text(500), nullable=False),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("asked_by", _text(32), nullable=True),
        sa.Column("decided_by", _text(32), nullable=True),
        sa.Column("decided_because", _text(500), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("kind IN ('floor', 'mute')", name=op.f("ck_proposals_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'refused', 'withdrawn')", name=op.f("ck_proposals_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["memberships.id"], name=op.f("fk_proposals_asked_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["concerned_id"], ["memberships.id"], name=op.f("fk_proposals_concerned_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["people.id"], name=op.f("fk_proposals_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_proposals_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposals_concerned_id"), ["concerned_id"], unique=False)
        batch_op.create_index("ix_proposals_space_id_state", ["space_id", "state"], unique=False)

    # Idle times count from the upgrade: when older rooms were used last is not known.
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("used_at", sa.Double(), nullable=False, server_default=sa.text(str(time.time())))
        )
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.alter_column("used_at", server_default=None)
