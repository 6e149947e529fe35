"""The rules of a space as its teachers read them: what is chosen, what the age band allows, what holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, PageEditing, SpacePolicy
from rooms.rights.standing import stand
from rooms.safety.filters import FilterAction, Finding, examine, strictest
from rooms.storage.records import Records
from rooms.values import AgeBand, Clock, PersonId, Posting, SpaceId

__all__ = ["Outcome", "RulesView", "SpaceRules", "Trial", "outcome"]


class Outcome(StrEnum):
    """What becomes of a pupil's post."""

    SHOWN = "shown"
    FLAGGED = "flagged"
    """Shown, and told to teachers."""
    FIRST_HELD = "first-held"
    """A teacher reads it first if it is one of the pupil's first, else it is shown."""
    HELD = "held"
    BLOCKED = "blocked"
    OFF = "off"
    """Pupils do not post."""


@dataclass(frozen=True, slots=True)
class RulesView:
    chosen: SpacePolicy
    page_editing: list[PageEditing]
    """All that the age band allows, from tight to free; like the next three."""
    posting: list[Posting]
    chat: list[Chat]
    contacts: list[FilterAction | None]
    """What may be done about a kind of contact; None: nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    findings: list[Finding]
    outcome: Outcome


class SpaceRules:
    """The rules of every space. `Spaces.change` writes them."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def read(self, actor: PersonId, space: SpaceId) -> RulesView:
        """For teachers, who answer for them to their pupils. Raises NotFound or NotAllowed."""
        policy = await self._policy(actor, space, Action.STAFF_READ)
        pupils = policy.age_band is not AgeBand.ADULTS
        return RulesView(
            policy,
            [each for each in PageEditing if each.tighter(policy.floor) is each],
            [each for each in Posting if each.tighter(policy.posting_floor) is each],
            [each for each in Chat if each.tighter(policy.chat_floor) is each],
            [FilterAction.HOLD, FilterAction.BLOCK] if pupils else [None, *FilterAction],
        )

    async def try_out(
        self, actor: PersonId, space: SpaceId, text: str, filters: Mapping[str, Any] | None = None
    ) -> Trial:
        """What would become of a pupil's post with this text, with these filters or with those that hold.

        Nothing of it is kept. Raises NotFound or NotAllowed.
        """
        policy = await self._policy(actor, space, Action.SPACE_SETTINGS)
        if filters is not None:
            policy = replace(policy, filtering=filters)
        findings = examine(text, policy.filters)
        return Trial(findings, outcome(policy.posts_open, findings))

    async def _policy(self, actor: PersonId, space: SpaceId, action: Action) -> SpacePolicy:
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(action)
        return standing.policy


def outcome(posting: Posting, findings: Sequence[Finding]) -> Outcome:
    """What becomes of a pupil's post in which this was found, by how posts of pupils come to be seen."""
    found = strictest(findings)
    if posting is Posting.OFF:
        return Outcome.OFF
    if found is FilterAction.BLOCK:
        return Outcome.BLOCKED
    if found is FilterAction.HOLD or posting is Posting.HOLD:
        return Outcome.HELD
    if posting is Posting.HOLD_FIRST:
        return Outcome.FIRST_HELD
    return Outcome.FLAGGED if found is FilterAction.FLAG else Outcome.SHOWN
