"""What the admins of a space have set, within what the age band allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from rooms.safety.filters import FilterRules
from rooms.values import AgeBand, Posting

__all__ = ["MARKS", "Chat", "Lowered", "PageEditing", "Reactions", "SpacePolicy", "Supervising"]

MARKS: Final = ("heart", "thumb", "smile", "surprise", "idea", "question")
"""Reactions there are."""


class PageEditing(StrEnum):
    """How far pages are open to pupils, by the age band's floor. Admins may tighten it (left is tighter)."""

    TEACHERS = "teachers"
    TEAMS = "teams"
    OPEN = "open"

    def tighter(self, other: PageEditing) -> PageEditing:
        return min(self, other, key=list(PageEditing).index)


class Chat(StrEnum):
    """When pupils chat, from tight to free."""

    OFF = "off"
    SUPERVISED = "supervised"
    """While a teacher is there."""
    HOURS = "hours"
    """Within the room's opening hours, or while a teacher is there."""
    FREE = "free"

    def tighter(self, other: Chat) -> Chat:
        return min(self, other, key=list(Chat).index)


class Supervising(StrEnum):
    """Whose teacher has to be there while pupils write in a supervised room."""

    ONE = "one"
    """A teacher of any school."""
    EACH_SCHOOL = "each-school"
    """For each school's pupils one of their own."""


@dataclass(frozen=True, slots=True)
class Reactions:
    """How people react to posts, and what is told of polls."""

    marks: tuple[str, ...] = ()
    """What can be set on a post; empty: nothing."""
    counts: bool = False
    """Everybody sees who has set a mark, and so how many. Without, nobody does, teachers neither: of a post
    it is only told which marks are on it, and to each person which of them are their own. So it is with who
    has voted for what in a poll (rooms/talk/polls.py)."""


@dataclass(frozen=True, slots=True)
class _Band:
    """What an age band allows at most, ``usual_chat`` without a choice of the admins, and its reactions."""

    page_editing: PageEditing
    posting: Posting
    chat: Chat
    usual_chat: Chat
    reactions: Reactions
    block_owners: bool = False
    """Blocks that pupils make are theirs."""


_BANDS: Final[Mapping[AgeBand, _Band]] = {
    AgeBand.UP_TO_6: _Band(
        PageEditing.TEACHERS, Posting.OFF, Chat.OFF, Chat.OFF, Reactions(), block_owners=True
    ),
    AgeBand.FROM_7: _Band(
        PageEditing.TEAMS,
        Posting.HOLD,
        Chat.SUPERVISED,
        Chat.SUPERVISED,
        Reactions(("heart", "thumb", "smile")),
        block_owners=True,
    ),
    AgeBand.FROM_12: _Band(
        PageEditing.TEAMS, Posting.HOLD_FIRST, Chat.SUPERVISED, Chat.SUPERVISED, Reactions(MARKS)
    ),
    AgeBand.FROM_16: _Band(PageEditing.OPEN, Posting.FREE, Chat.HOURS, Chat.SUPERVISED, Reactions(MARKS)),
    AgeBand.ADULTS: _Band(
        PageEditing.OPEN, Posting.FREE, Chat.FREE, Chat.FREE, Reactions(MARKS, counts=True)
    ),
}


Step = TypeVar("Step", PageEditing, Posting, Chat)


@dataclass(frozen=True, slots=True)
class Lowered:
    """How far beyond its age band a space may be opened, where the national office lets it."""

    page_editing: PageEditing | None = None
    """``None``: no further than the age band allows; like the next two."""
    posting: Posting | None = None
    chat: Chat | None = None

    @classmethod
    def of(cls, stored: Mapping[str, object]) -> Lowered:
        """From `record`. Unknown keys are ignored."""
        editing, posting, chat = (stored.get(key) for key in ("page_editing", "posting", "chat"))
        return cls(
            page_editing=PageEditing(str(editing)) if editing else None,
            posting=Posting(str(posting)) if posting else None,
            chat=Chat(str(chat)) if chat else None,
        )

    def beyond(self, policy: SpacePolicy) -> bool:
        """Whether something is set, and all that is set is wider than what may be chosen in the space."""
        pages, posting, chat = self.page_editing, self.posting, self.chat
        wider = (
            pages and pages.tighter(policy.floor) is not pages,
            posting and posting.tighter(policy.posting_floor) is not posting,
            chat and chat.tighter(policy.chat_floor) is not chat,
        )
        wished = [each for each in wider if each is not None]
        return bool(wished) and all(wished)

    def record(self) -> dict[str, Any]:
        """What is set, by name."""
        found = {"page_editing": self.page_editing, "posting": self.posting, "chat": self.chat}
        return {key: value.value for key, value in found.items() if value is not None}


def _looser(band: Step, granted: Step | None) -> Step:
    return band if granted is None else max(band, granted, key=list(type(band)).index)


@dataclass(frozen=True, slots=True)
class SpacePolicy:
    """What the admins of a space have set; as private as can be unless they say otherwise."""

    age_band: AgeBand
    guests_read: bool = False
    guests_edit: bool = False
    guests_post: bool = False
    students_create: bool = True
    """Students make pages in the team rooms they are listed in."""
    page_editing: PageEditing | None = None
    """``None``: what the age band allows."""
    owning: bool = False
    """Blocks that pupils make are theirs, also where the age band does not want it."""
    posting: Posting | None = None
    """``None``: what the age band allows."""
    chatting: Chat | None = None
    """``None``: what is usual in the age band."""
    supervision: Supervising = Supervising.ONE
    filtering: Mapping[str, object] = field(default_factory=dict, hash=False)
    """`FilterRules` as they are stored."""
    lowered: Lowered = Lowered()
    """It opens nothing by itself: the admins may choose wider than the age band, and have to."""

    @property
    def pages_open(self) -> PageEditing:
        """The admins' choice, as far as it is allowed; without one what the age band allows."""
        band = _BANDS[self.age_band].page_editing
        return band if self.page_editing is None else self.floor.tighter(self.page_editing)

    @property
    def floor(self) -> PageEditing:
        """As open as may be chosen: by the age band, or as the national office has granted."""
        return _looser(_BANDS[self.age_band].page_editing, self.lowered.page_editing)

    @property
    def posts_open(self) -> Posting:
        """How posts of pupils come before the others' eyes, like `pages_open`."""
        band = _BANDS[self.age_band].posting
        return band if self.posting is None else self.posting_floor.tighter(self.posting)

    @property
    def posting_floor(self) -> Posting:
        return _looser(_BANDS[self.age_band].posting, self.lowered.posting)

    @property
    def chat(self) -> Chat:
        """When pupils chat: the tighter of choice and age band."""
        return (
            _BANDS[self.age_band].usual_chat
            if self.chatting is None
            else self.chat_floor.tighter(self.chatting)
        )

    @property
    def chat_floor(self) -> Chat:
        return _looser(_BANDS[self.age_band].chat, self.lowered.chat)

    @property
    def block_owners(self) -> bool:
        """On pages, a block that a pupil makes is protected for them (ADR 13) until they open it."""
        return self.owning or self.block_owners_floor

    @property
    def block_owners_floor(self) -> bool:
        return _BANDS[self.age_band].block_owners

    @property
    def reactions(self) -> Reactions:
        return _BANDS[self.age_band].reactions

    @property
    def band_alone(self) -> SpacePolicy:
        """The same without what the national office has granted."""
        return replace(self, lowered=Lowered())

    @property
    def beyond_band(self) -> dict[str, str]:
        """What is chosen wider than the age band, by name in the records: as wide as that allows instead."""
        alone = self.band_alone
        chosen: dict[str, tuple[StrEnum | None, StrEnum]] = {
            "page_editing": (self.page_editing, alone.pages_open),
            "posting": (self.posting, alone.posts_open),
            "chat": (self.chatting, alone.chat),
        }
        return {key: kept.value for key, (wish, kept) in chosen.items() if wish not in (None, kept)}

    @property
    def filters(self) -> FilterRules:
        """What is looked for in texts: where there are pupils, contact data is held at least."""
        rules = FilterRules.of(self.filtering)
        return rules if self.age_band is AgeBand.ADULTS else rules.with_pupils()

    @classmethod
    def of(cls, age_band: str, stored: Mapping[str, object]) -> SpacePolicy:
        """From the space's records. Unknown keys are ignored: an older server may read a newer record."""
        editing, posting, chat = (stored.get(key) for key in ("page_editing", "posting", "chat"))
        filters, lowered = stored.get("filters"), stored.get("lowered")
        if not isinstance(lowered, Mapping) or lowered.get("age_band") != age_band:
            lowered = {}
        return cls(
            AgeBand(age_band),
            guests_read=stored.get("guests_read") is True,
            guests_edit=stored.get("guests_edit") is True,
            guests_post=stored.get("guests_post") is True,
            students_create=stored.get("students_create") is not False,
            page_editing=PageEditing(str(editing)) if editing else None,
            owning=stored.get("block_owners") is True,
            posting=Posting(str(posting)) if posting else None,
            chatting=Chat(str(chat)) if chat else None,
            supervision=Supervising(str(stored.get("supervision") or Supervising.ONE)),
            filtering=filters if isinstance(filters, Mapping) else {},
            lowered=Lowered.of(lowered),
        )
