"""The words of the domain (ids, roles, kinds, states), spelt as they are on the wire and in the records."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import NewType

__all__ = [
    "ADULT_ROLES",
    "PUPIL_ROLES",
    "STAFF",
    "STAFF_ROOMS",
    "AgeBand",
    "Audience",
    "Clock",
    "ConsentPurpose",
    "ContactState",
    "CredentialKind",
    "Digest",
    "EditRule",
    "InvitationState",
    "JoinRequestState",
    "JoinRule",
    "MembershipId",
    "MembershipState",
    "NewId",
    "Office",
    "PageId",
    "PageKind",
    "PersonId",
    "PersonKind",
    "PersonState",
    "PostId",
    "PostState",
    "Posting",
    "ProposalKind",
    "ProposalState",
    "ReportId",
    "ReportReason",
    "ReportState",
    "ReportTarget",
    "Role",
    "RoomId",
    "RoomKind",
    "RoomStatus",
    "SchoolId",
    "SchoolState",
    "SeeRule",
    "SessionId",
    "SpaceId",
    "SpaceKind",
    "SpaceStatus",
    "ThreadId",
    "ThreadKind",
    "new_id",
]

PersonId = NewType("PersonId", str)
SchoolId = NewType("SchoolId", str)
SpaceId = NewType("SpaceId", str)
MembershipId = NewType("MembershipId", str)
RoomId = NewType("RoomId", str)
PageId = NewType("PageId", str)
ThreadId = NewType("ThreadId", str)
PostId = NewType("PostId", str)
ReportId = NewType("ReportId", str)
SessionId = NewType("SessionId", str)

Clock = Callable[[], float]
"""Unix seconds, UTC."""

NewId = Callable[[], str]


def new_id() -> str:
    """A random id of 16 URL-safe characters (96 bits): nobody meets one by guessing."""
    return secrets.token_urlsafe(12)


class Role(StrEnum):
    """What a member is in one space."""

    GUEST = "guest"
    STUDENT = "student"
    STUDENT_EDITOR = "student-editor"
    TEACHER = "teacher"
    ADMIN = "admin"


STAFF = frozenset({Role.TEACHER, Role.ADMIN})
PUPIL_ROLES = frozenset({Role.STUDENT, Role.STUDENT_EDITOR})
ADULT_ROLES = frozenset({Role.GUEST, Role.TEACHER, Role.ADMIN})


class Office(StrEnum):
    """An appointment outside any space."""

    AMBASSADOR = "ambassador"
    OFFICER = "nso-officer"
    PLATFORM = "platform-admin"
    EVALUATOR = "evaluator"
    EDITOR = "editor"


class PersonKind(StrEnum):
    ADULT = "adult"
    PUPIL = "pupil"


class PersonState(StrEnum):
    REGISTERED = "registered"
    """An adult nobody has vouched for yet."""
    CONFIRMED = "confirmed"
    """An adult vouched for by the school or the national office."""
    SUSPENDED = "suspended"
    CREATED = "created"
    """A pupil who has not logged in yet."""
    ACTIVE = "active"
    DISABLED = "disabled"
    ERASED = "erased"

    @property
    def may_log_in(self) -> bool:
        return self not in (PersonState.SUSPENDED, PersonState.DISABLED, PersonState.ERASED)


class CredentialKind(StrEnum):
    PASSWORD = "password"  # noqa: S105 (the kind, not one)
    CODE_CARD = "code-card"


class SchoolState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    INACTIVE = "inactive"


class SpaceKind(StrEnum):
    PROJECT = "project"
    GROUP = "group"
    COURSE = "course"
    EVENT = "event"


class SpaceStatus(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"
    ERASED = "erased"


class AgeBand(StrEnum):
    """eTwinning's prize bands; a space has the band of its youngest school. No birth dates are kept."""

    UP_TO_6 = "up-to-6"
    FROM_7 = "7-11"
    FROM_12 = "12-15"
    FROM_16 = "16-19"
    ADULTS = "adults"


class MembershipState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    LEFT = "left"
    REMOVED = "removed"


class InvitationState(StrEnum):
    PROPOSED = "proposed"
    """An admin has to confirm it first."""
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class JoinRule(StrEnum):
    """How an adult comes into a group."""

    INVITATION = "invitation"
    REQUEST = "request"
    """Asks, and a moderator answers."""
    OPEN = "open"
    """Any teacher who is confirmed."""


class JoinRequestState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ProposalKind(StrEnum):
    """What one may ask and somebody else decides."""

    FLOOR = "floor"
    """Open a space wider than its age band allows; the NSO decides."""
    MUTE = "mute"
    """Mute a teacher of another school; a second admin or the NSO decides."""


class ProposalState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RoomKind(StrEnum):
    GENERAL = "general"
    TEAM = "team"
    STAFF = "staff"
    FREE = "free"
    """Opened by any teacher, for the teachers of the space."""


STAFF_ROOMS = frozenset({RoomKind.STAFF, RoomKind.FREE})


class Audience(StrEnum):
    """Who may see a room."""

    ALL = "all"
    LISTED = "listed"
    """Its listed members, and every teacher of the space."""
    STAFF = "staff"


class RoomStatus(StrEnum):
    OPEN = "open"
    SUPERVISED = "supervised"
    """Pupils write only while a teacher is there."""
    READ_ONLY = "read-only"
    """Only teachers write."""
    FROZEN = "frozen"
    """Nobody writes."""
    ARCHIVED = "archived"


class SeeRule(StrEnum):
    DRAFT = "draft"
    """Its author, student editors and teachers."""
    MEMBERS = "members"
    STAFF = "staff"


class EditRule(StrEnum):
    EVERYONE = "everyone"
    EDITORS = "editors"
    """Student editors and teachers."""
    TEACHERS = "teachers"


class PageKind(StrEnum):
    PAGE = "page"
    BOARD = "board"
    """A page of cards in columns (ADR 15)."""


class ThreadKind(StrEnum):
    THREAD = "thread"
    CHAT = "chat"
    """Lessons' quick talk: kept for 90 days."""
    ASK = "ask"
    """A pupil's question to the teachers of their school; admins see it too where that is only one."""


class PostState(StrEnum):
    HELD = "held"
    """Waits for a teacher. Only its author and who may approve it see it."""
    VISIBLE = "visible"
    HIDDEN = "hidden"
    """Was seen and is not any more: a stub is left."""
    REJECTED = "rejected"
    """Was held and will not be shown."""


class Posting(StrEnum):
    """How posts of pupils come before the others' eyes, from tight to free."""

    OFF = "off"
    """Only teachers post."""
    HOLD = "hold"
    """A teacher approves each one first."""
    HOLD_FIRST = "hold-first"
    """The first three of each pupil are held, the others only when a filter says so."""
    FREE = "free"
    """Filters hold or block what they find, nothing else."""

    def tighter(self, other: Posting) -> Posting:
        return min(self, other, key=list(Posting).index)


class ReportTarget(StrEnum):
    POST = "post"
    PAGE = "page"
    PERSON = "person"
    """A membership."""


class ReportReason(StrEnum):
    UNKIND = "unkind"
    PRIVATE = "private"
    """Somebody's address, number or picture."""
    SCARY = "scary"
    UNWELCOME = "unwelcome"
    """Somebody wants what one does not want: to meet, to be sent pictures, to keep a secret."""
    SELF_HARM = "self-harm"
    VIOLENCE = "violence"
    OTHER = "other"


class ReportState(StrEnum):
    NEW = "new"
    TAKEN = "taken"
    ESCALATED = "escalated"
    """With the national office too: nobody answered in time, or it is too grave to wait."""
    ANSWERED = "answered"


class ConsentPurpose(StrEnum):
    """What a family has agreed to, each by itself (GDPR art. 6 and 7): one never follows from another."""

    ACCOUNT = "account"
    IMAGE = "image"
    VOICE_VIDEO = "voice-video"
    PUBLIC_NAME = "public-name"
    PUBLICATION = "publication"


class ContactState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Digest(StrEnum):
    """How often somebody wants a mail of what they have not read."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"
