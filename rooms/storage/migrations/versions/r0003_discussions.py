"""discussions, moderation, reports, audit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    if length is None:
        return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor_id", _text(32), nullable=True),
        sa.Column("action", _text(40), nullable=False),
        sa.Column("object", _text(80), nullable=False),
        sa.Column("concerned_id", _text(32), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", _text(64), nullable=False),
        sa.Column("hash", _text(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_audit_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "number", name=op.f("pk_audit")),
    )
    op.create_table(
        "blocks",
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("blocked_id", _text(32), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["blocked_id"], ["people.id"], name=op.f("fk_blocks_blocked_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_blocks_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "blocked_id", name=op.f("pk_blocks")),
    )
    with op.batch_alter_table("blocks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blocks_blocked_id"), ["blocked_id"], unique=False)

    op.create_table(
        "notifications",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=True),
        sa.Column("kind", _text(40), nullable=False),
        sa.Column("ref", _text(80), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("deliver_at", sa.Double(), nullable=False),
        sa.Column("read_at", sa.Double(), nullable=True),
        sa.Column("mailed_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_notifications_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_notifications_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notifications_person_id_created_at", ["person_id", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_notifications_space_id"), ["space_id"], unique=False)

    op.create_table(
        "reports",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("reporter_id", _text(32), nullable=True),
        sa.Column("target", _text(20), nullable=False),
        sa.Column("target_id", _text(32), nullable=False),
        sa.Column("concerned_id", _text(32), nullable=True),
        sa.Column("reason", _text(20), nullable=False),
        sa.Column("words", _text(), nullable=False),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("handler_id", _text(32), nullable=True),
        sa.Column("answer", _text(), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("escalated_at", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('unkind', 'private', 'scary', 'unwelcome', 'self-harm', 'violence', 'other')",
            name=op.f("ck_reports_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'taken', 'escalated', 'answered')", name=op.f("ck_reports_state")
        ),
        sa.CheckConstraint("target IN ('post', 'page', 'person')", name=op.f("ck_reports_target")),
        sa.ForeignKeyConstraint(
            ["concerned_id"], ["memberships.id"], name=op.f("fk_reports_concerned_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["memberships.id"], name=op.f("fk_reports_handler_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["memberships.id"], name=op.f("fk_reports_reporter_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_reports_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reports_space_id"), ["space_id"], unique=False)

    op.create_table(
        "threads",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("room_id", _text(32), nullable=False),
        sa.Column("kind", _text(20), nullable=False),
        sa.Column("title", _text(200), nullable=False),
        sa.Column("author_id", _text(32), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("locked_by", _text(32), nullable=True),
        sa.Column("locked_because", _text(500), nullable=True),
        sa.Column("locked_at", sa.Double(), nullable=True),
        sa.Column("locked_until", sa.Double(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("kind IN ('thread', 'chat', 'ask')", name=op.f("ck_threads_kind")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["memberships.id"], name=op.f("fk_threads_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["locked_by"], ["memberships.id"], name=op.f("fk_threads_locked_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_threads_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_threads_room_id"), ["room_id"], unique=False)

    op.create_table(
        "hands",
        sa.Column("thread_id", _text(32), nullable=False),
        sa.Column("membership_id", _text(32), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_hands_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_hands_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("thread_id", "membership_id", name=op.f("pk_hands")),
    )
    with op.batch_alter_table("hands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hands_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "posts",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("thread_id", _text(32), nullable=False),
        sa.Column("author_id", _text(32), nullable=True),
        sa.Column("key", _text(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.Column("waiting_body", _text(), nullable=True),
        sa.Column("language", _text(20), nullable=True),
        sa.Column("reply_to", _text(32), nullable=True),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decided_by", _text(32), nullable=True),
        sa.Column("decided_because", _text(500), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("edited_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("state IN ('held', 'visible', 'hidden', 'rejected')", name=op.f("ck_posts_state")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["memberships.id"], name=op.f("fk_posts_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["memberships.id"], name=op.f("fk_posts_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["reply_to"], ["posts.id"], name=op.f("fk_posts_reply_to"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_posts_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("author_id", "key", name=op.f("uq_posts_author_id_key")),
    )
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.create_index("ix_posts_state_thread_id", ["state", "thread_id"], unique=False)
        batch_op.create_index("ix_posts_thread_id_version", ["thread_id", "version"], unique=False)

    op.create_table(
        "reactions",
        sa.Column("post_id", _text(32), nullable=False),
        sa.Column("membership_id", _text(32), nullable=False),
        sa.Column("mark", _text(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_reactions_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_reactions_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "membership_id", "mark", name=op.f("pk_reactions")),
    )
    with op.batch_alter_table("reactions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reactions_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "votes",
        sa.Column("post_id", _text(32), nullable=False),
        sa.Column("membership_id", _text(32), nullable=False),
        sa.Column("option", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_votes_membership_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_votes_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "membership_id", name=op.f("pk_votes")),
    )
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_votes_membership_id"), ["membership_id"], unique=False)

    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.add_column(sa.Column("visited_at", sa.Double(), nullable=True))

    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hours", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("posting", _text(20), nullable=True))
