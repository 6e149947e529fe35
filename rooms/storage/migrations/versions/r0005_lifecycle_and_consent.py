"""lifecycle of spaces, consent, contacts, cases, mail"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    if length is None:
        return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("purpose", _text(20), nullable=False),
        sa.Column("given_on", _text(10), nullable=False),
        sa.Column("valid_until", _text(10), nullable=True),
        sa.Column("recorded_by", _text(32), nullable=True),
        sa.Column("withdrawn_at", sa.Double(), nullable=True),
        sa.Column("withdrawn_by", _text(32), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('account', 'image', 'voice-video', 'public-name', 'publication')",
            name=op.f("ck_consents_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_consents_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["people.id"], name=op.f("fk_consents_recorded_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["people.id"], name=op.f("fk_consents_withdrawn_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_person_id"), ["person_id"], unique=False)

    op.create_table(
        "contacts",
        sa.Column("asker_id", _text(32), nullable=False),
        sa.Column("asked_id", _text(32), nullable=False),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'accepted', 'refused')", name=op.f("ck_contacts_state")),
        sa.ForeignKeyConstraint(
            ["asked_id"], ["people.id"], name=op.f("fk_contacts_asked_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["people.id"], name=op.f("fk_contacts_asker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asker_id", "asked_id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contacts_asked_id"), ["asked_id"], unique=False)

    op.create_table(
        "mail_settings",
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("digest", _text(20), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("quiet_from", _text(5), nullable=True),
        sa.Column("quiet_until", _text(5), nullable=True),
        sa.Column("leave_hash", _text(64), nullable=True),
        sa.Column("last_at", sa.Double(), nullable=True),
        sa.CheckConstraint("digest IN ('off', 'daily', 'weekly')", name=op.f("ck_mail_settings_digest")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_mail_settings_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_mail_settings")),
        sa.UniqueConstraint("leave_hash", name=op.f("uq_mail_settings_leave_hash")),
    )
    op.create_table(
        "join_requests",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("words", _text(), nullable=False),
        sa.Column("state", _text(20), nullable=False),
        sa.Column("decided_by", _text(32), nullable=True),
        sa.Column("decided_because", _text(500), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'refused', 'withdrawn')", name=op.f("ck_join_requests_state")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["memberships.id"], name=op.f("fk_join_requests_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_join_requests_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_join_requests_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_requests")),
    )
    with op.batch_alter_table("join_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_join_requests_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_join_requests_space_id_state", ["space_id", "state"], unique=False)

    op.create_table(
        "cases",
        sa.Column("id", _text(32), nullable=False),
        sa.Column("space_id", _text(32), nullable=False),
        sa.Column("person_id", _text(32), nullable=False),
        sa.Column("report_id", _text(32), nullable=True),
        sa.Column("ground", _text(500), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_cases_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_cases_report_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_cases_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cases_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_space_id"), ["space_id"], unique=False)

    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("founder", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("spaces", schema=None) as batch_op:
        batch_op.add_column(sa.Column("join_rule", _text(20), nullable=False, server_default="invitation"))
        batch_op.add_column(sa.Column("featured", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("decided_by", _text(32), nullable=True))
        batch_op.add_column(sa.Column("decided_because", _text(500), nullable=True))
        batch_op.add_column(sa.Column("decided_at", sa.Double(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_spaces_decided_by"), "people", ["decided_by"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_spaces_join_rule"), "join_rule IN ('invitation', 'request', 'open')"
        )
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_rooms_kind"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_rooms_kind"), "kind IN ('general', 'team', 'staff', 'free')"
        )
    for table, name in (("invitations", "founder"), ("spaces", "join_rule"), ("spaces", "featured")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(name, server_default=None)
