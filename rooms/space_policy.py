"""What the admins of a space have set, within what the age band allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .values import AgeBand

__all__ = ["PageEditing", "SpacePolicy"]


class PageEditing(StrEnum):
    """How far pages are open to pupils, by the age band's floor. Admins may tighten it (left is tighter)."""

    TEACHERS = "teachers"
    TEAMS = "teams"
    OPEN = "open"

    def tighter(self, other: PageEditing) -> PageEditing:
        return min(self, other, key=list(PageEditing).index)


_FLOOR: Final[Mapping[AgeBand, PageEditing]] = {
    AgeBand.UP_TO_6: PageEditing.TEACHERS,
    AgeBand.FROM_7: PageEditing.TEAMS,
    AgeBand.FROM_12: PageEditing.TEAMS,
    AgeBand.FROM_16: PageEditing.OPEN,
    AgeBand.ADULTS: PageEditing.OPEN,
}


@dataclass(frozen=True, slots=True)
class SpacePolicy:
    """What the admins of a space have set; as private as can be unless they say otherwise."""

    age_band: AgeBand
    guests_read: bool = False
    guests_edit: bool = False
    students_create: bool = True
    """Students make pages in the team rooms they are listed in."""
    page_editing: PageEditing | None = None
    """``None``: what the age band allows."""

    @property
    def pages_open(self) -> PageEditing:
        """The tighter of the admins' choice and what the age band allows."""
        return self.floor if self.page_editing is None else self.floor.tighter(self.page_editing)

    @property
    def floor(self) -> PageEditing:
        """As open as the age band allows."""
        return _FLOOR[self.age_band]

    @classmethod
    def of(cls, age_band: str, stored: Mapping[str, object]) -> SpacePolicy:
        """From the space's records. Unknown keys are ignored: an older server may read a newer record."""
        editing = stored.get("page_editing")
        return cls(
            AgeBand(age_band),
            guests_read=stored.get("guests_read") is True,
            guests_edit=stored.get("guests_edit") is True,
            students_create=stored.get("students_create") is not False,
            page_editing=PageEditing(str(editing)) if editing else None,
        )
