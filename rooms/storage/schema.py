"""The tables of the records, one schema for SQLite and PostgreSQL.

Times are unix seconds (UTC). Ids are random strings of `rooms.values.new_id`. Lists of words and policies
are JSON. What pages hold is not here but in the documents' log, under the name ``page/<id>``.

Text is compared and ordered by code points on both, whatever the locale of a PostgreSQL database is: an order
that a new version of the operating system changes would break indexes.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from rooms import values as v

__all__ = [
    "appointments",
    "audit",
    "blocks",
    "cases",
    "changes",
    "consents",
    "contacts",
    "countries",
    "credentials",
    "direct_messages",
    "hands",
    "invitations",
    "join_requests",
    "login_limits",
    "login_tries",
    "mail_settings",
    "memberships",
    "metadata",
    "notifications",
    "pages",
    "people",
    "posts",
    "proposals",
    "reactions",
    "reports",
    "room_members",
    "rooms",
    "schools",
    "sessions",
    "settings",
    "spaces",
    "threads",
    "votes",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(length: int | None = None) -> TypeEngine[str]:
    """Text of at most so many characters. SQLite orders by code points anyway."""
    if length is None:
        return Text().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")


ID = _text(32)
NAME = _text(200)


def _one_of(name: str, words: Iterable[str]) -> tuple[Column[str], CheckConstraint]:
    listed = ", ".join(f"'{word}'" for word in words)
    return Column(name, _text(20), nullable=False), CheckConstraint(f"{name} IN ({listed})", name=name)


def _time(name: str, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


settings = Table(
    "settings",
    metadata,
    Column("key", _text(50), primary_key=True),
    Column("value", _text(), nullable=False),
)

countries = Table(
    "countries",
    metadata,
    Column("code", _text(2), primary_key=True),
    Column("name", NAME, nullable=False),
    Column("languages", JSON, nullable=False),
    Column("consent_age", Integer, nullable=False),
)

schools = Table(
    "schools",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("town", NAME, nullable=False),
    Column("country_code", ForeignKey("countries.code"), nullable=False, index=True),
    Column("time_zone", _text(64), nullable=False),
    Column("languages", JSON, nullable=False),
    *_one_of("state", v.SchoolState),
    _time("created_at"),
)

people = Table(
    "people",
    metadata,
    Column("id", ID, primary_key=True),
    *_one_of("kind", v.PersonKind),
    Column("name", NAME, nullable=False),
    Column("school_id", ForeignKey("schools.id"), index=True),
    Column("language", _text(20)),
    *_one_of("state", v.PersonState),
    _time("created_at"),
    CheckConstraint("kind = 'adult' OR school_id IS NOT NULL", name="pupil_has_school"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    *_one_of("kind", v.CredentialKind),
    Column("selector", _text(320), nullable=False),
    Column("secret_hash", _text(200), nullable=False),
    _time("issued_at"),
    _time("used_at", nullable=True),
    PrimaryKeyConstraint("person_id", "kind"),
    UniqueConstraint("kind", "selector"),
)

login_tries = Table(
    "login_tries",
    metadata,
    Column("account", _text(64), primary_key=True),
    Column("wrong", Integer, nullable=False),
    _time("held_until"),
    _time("last_at"),
    Index("ix_login_tries_last_at", "last_at"),
)

login_limits = Table(
    "login_limits",
    metadata,
    Column("key", _text(64), primary_key=True),
    *_one_of("kind", ("school", "address", "everybody", "familiar")),
    Column("level", Double, nullable=False),
    _time("at"),
    Index("ix_login_limits_kind_at", "kind", "at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_hash", _text(64), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    _time("created_at"),
    _time("expires_at"),
    Index("ix_sessions_expires_at", "expires_at"),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("office", v.Office),
    Column("country_code", ForeignKey("countries.code")),
    _time("starts_at"),
    _time("ends_at", nullable=True),
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", ID, primary_key=True),
    *_one_of("kind", v.SpaceKind),
    Column("title", NAME, nullable=False),
    Column("summary", _text(), nullable=False),
    Column("languages", JSON, nullable=False),
    *_one_of("age_band", v.AgeBand),
    *_one_of("status", v.SpaceStatus),
    Column("frozen", Boolean, nullable=False),
    Column("policy", JSON, nullable=False),
    *_one_of("join_rule", v.JoinRule),
    Column("featured", Boolean, nullable=False),
    Column("decided_by", ForeignKey("people.id", ondelete="SET NULL")),
    Column("decided_because", _text(500)),
    _time("decided_at", nullable=True),
    _time("created_at"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("role", v.Role),
    Column("founder", Boolean, nullable=False),
    Column("school_id", ForeignKey("schools.id")),
    *_one_of("state", v.MembershipState),
    _time("muted_until", nullable=True),
    Column("muted_because", _text(500)),
    _time("visited_at", nullable=True),
    _time("created_at"),
    UniqueConstraint("space_id", "person_id"),
    CheckConstraint("role = 'admin' OR NOT founder", name="founder_is_admin"),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", NAME, nullable=False),
    *_one_of("kind", v.RoomKind),
    *_one_of("audience", v.Audience),
    *_one_of("state", v.RoomStatus),
    Column("place", Integer, nullable=False),
    Column("hours", JSON),
    Column("posting", _text(20)),
    Column("author_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    _time("used_at"),
    _time("created_at"),
)

room_members = Table(
    "room_members",
    metadata,
    Column("room_id", ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("membership_id", ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True),
)

pages = Table(
    "pages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("room_id", ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("kind", v.PageKind),
    Column("title", NAME, nullable=False),
    Column("parent_id", ForeignKey("pages.id", ondelete="SET NULL"), index=True),
    Column("place", Integer, nullable=False),
    *_one_of("see_rule", v.SeeRule),
    *_one_of("edit_rule", v.EditRule),
    Column("author_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("template", _text(50)),
    Column("locked_by", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("locked_because", _text(500)),
    _time("locked_at", nullable=True),
    _time("locked_until", nullable=True),
    _time("binned_at", nullable=True),
    _time("created_at"),
)

threads = Table(
    "threads",
    metadata,
    Column("id", ID, primary_key=True),
    Column("room_id", ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("kind", v.ThreadKind),
    Column("title", NAME, nullable=False),
    Column("author_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("pinned", Boolean, nullable=False),
    Column("locked_by", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("locked_because", _text(500)),
    _time("locked_at", nullable=True),
    _time("locked_until", nullable=True),
    Column("version", Integer, nullable=False),
    Column("last_number", Integer, nullable=False),
    _time("last_at"),
    _time("created_at"),
)

posts = Table(
    "posts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("key", _text(64), nullable=False),
    Column("number", Integer),
    *_one_of("state", v.PostState),
    Column("body", _text(), nullable=False),
    Column("waiting_body", _text()),
    Column("language", _text(20)),
    Column("reply_to", ForeignKey("posts.id", ondelete="SET NULL")),
    Column("mentions", JSON, nullable=False),
    Column("options", JSON),
    _time("closed_at", nullable=True),
    Column("reasons", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("decided_by", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("decided_because", _text(500)),
    _time("decided_at", nullable=True),
    _time("edited_at", nullable=True),
    _time("created_at"),
    UniqueConstraint("author_id", "key"),
    Index("ix_posts_thread_id_version", "thread_id", "version"),
    Index("ix_posts_state_thread_id", "state", "thread_id"),
)

reactions = Table(
    "reactions",
    metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("membership_id", ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("mark", _text(20), primary_key=True),
)

votes = Table(
    "votes",
    metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("membership_id", ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("option", Integer, nullable=False),
)

hands = Table(
    "hands",
    metadata,
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("membership_id", ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True, index=True),
    _time("at"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("reporter_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    *_one_of("target", v.ReportTarget),
    Column("target_id", ID, nullable=False),
    Column("concerned_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    *_one_of("reason", v.ReportReason),
    Column("words", _text(), nullable=False),
    *_one_of("state", v.ReportState),
    Column("handler_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("answer", _text()),
    _time("due_at"),
    _time("escalated_at", nullable=True),
    _time("answered_at", nullable=True),
    _time("created_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _time("at"),
    Column("actor_id", ID),
    Column("action", _text(40), nullable=False),
    Column("object", _text(80), nullable=False),
    Column("concerned_id", ID),
    Column("details", JSON, nullable=False),
    Column("previous", _text(64), nullable=False),
    Column("hash", _text(64), nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("blocked_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True),
    _time("created_at"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), index=True),
    Column("kind", _text(40), nullable=False),
    Column("ref", _text(80), nullable=False),
    Column("details", JSON, nullable=False),
    _time("deliver_at"),
    _time("read_at", nullable=True),
    _time("mailed_at", nullable=True),
    _time("created_at"),
    Index("ix_notifications_person_id_created_at", "person_id", "created_at"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("role", (v.Role.GUEST, v.Role.TEACHER, v.Role.ADMIN)),
    Column("token_hash", _text(64), nullable=False, unique=True),
    Column("email", _text(320)),
    Column("maker_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("voucher_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("accepted_id", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("founder", Boolean, nullable=False),
    *_one_of("state", v.InvitationState),
    _time("expires_at"),
    _time("created_at"),
)

join_requests = Table(
    "join_requests",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("words", _text(), nullable=False),
    *_one_of("state", v.JoinRequestState),
    Column("decided_by", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("decided_because", _text(500)),
    _time("decided_at", nullable=True),
    _time("created_at"),
    Index("ix_join_requests_space_id_state", "space_id", "state"),
)

consents = Table(
    "consents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    *_one_of("purpose", v.ConsentPurpose),
    Column("given_on", _text(10), nullable=False),
    Column("valid_until", _text(10)),
    Column("recorded_by", ForeignKey("people.id", ondelete="SET NULL")),
    _time("withdrawn_at", nullable=True),
    Column("withdrawn_by", ForeignKey("people.id", ondelete="SET NULL")),
    _time("created_at"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("asker_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("asked_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True),
    *_one_of("state", v.ContactState),
    _time("answered_at", nullable=True),
    _time("created_at"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    *_one_of("kind", v.ProposalKind),
    Column("concerned_id", ForeignKey("memberships.id", ondelete="CASCADE"), index=True),
    Column("wish", JSON, nullable=False),
    Column("because", _text(500), nullable=False),
    *_one_of("state", v.ProposalState),
    Column("asked_by", ForeignKey("memberships.id", ondelete="SET NULL")),
    Column("decided_by", ForeignKey("people.id", ondelete="SET NULL")),
    Column("decided_because", _text(500)),
    _time("decided_at", nullable=True),
    _time("created_at"),
    Index("ix_proposals_space_id_state", "space_id", "state"),
)

direct_messages = Table(
    "direct_messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sender_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("recipient_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("key", _text(64), nullable=False),
    Column("body", _text(), nullable=False),
    _time("read_at", nullable=True),
    _time("created_at"),
    UniqueConstraint("sender_id", "key"),
    Index("ix_direct_messages_sender_id_recipient_id_created_at", "sender_id", "recipient_id", "created_at"),
    Index("ix_direct_messages_recipient_id_read_at", "recipient_id", "read_at"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", ID, primary_key=True),
    Column("space_id", ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("report_id", ForeignKey("reports.id", ondelete="SET NULL")),
    Column("ground", _text(500), nullable=False),
    _time("closed_at", nullable=True),
    _time("created_at"),
)

mail_settings = Table(
    "mail_settings",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    *_one_of("digest", v.Digest),
    Column("hour", Integer, nullable=False),
    Column("quiet_from", _text(5)),
    Column("quiet_until", _text(5)),
    Column("leave_hash", _text(64), unique=True),
    _time("last_at", nullable=True),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _time("at"),
    Column("origin", _text(32), nullable=False),
    Column("body", JSON, nullable=False),
    sqlite_autoincrement=True,  # a number that was pruned must not come again
)
