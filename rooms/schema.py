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

from . import values as v

__all__ = [
    "appointments",
    "changes",
    "countries",
    "credentials",
    "login_limits",
    "login_tries",
    "memberships",
    "metadata",
    "pages",
    "people",
    "room_members",
    "rooms",
    "schools",
    "sessions",
    "settings",
    "spaces",
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
    Column("author_id", ForeignKey("memberships.id", ondelete="SET NULL")),
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

changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _time("at"),
    Column("origin", _text(32), nullable=False),
    Column("body", JSON, nullable=False),
    sqlite_autoincrement=True,  # a number that was pruned must not come again
)
