"""The rules of a space as its teachers read them, and what would become of a text, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from village import Village

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.space_policy import Chat, PageEditing, SpacePolicy
from rooms.safety.filters import FilterAction, Finding, examine
from rooms.spaces.space_rules import Outcome, RulesView, outcome
from rooms.storage.schema import spaces
from rooms.values import AgeBand, Posting

HOLD, BLOCK, FLAG = FilterAction.HOLD, FilterAction.BLOCK, FilterAction.FLAG


async def in_band(village: Village, band: AgeBand) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(age_band=band))


async def read(village: Village, who: str = "founder") -> RulesView:
    return await village.services.space_rules.read(village.person(who), village.space)


async def change(village: Village, **policy: object) -> None:
    await village.services.spaces.change(village.person("admin"), village.space, policy=policy)


@pytest.mark.parametrize(
    ("band", "pages", "posting", "chat"),
    [
        (AgeBand.UP_TO_6, ["teachers"], ["off"], ["off"]),
        (AgeBand.FROM_7, ["teachers", "teams"], ["off", "hold"], ["off", "supervised"]),
        (AgeBand.FROM_12, ["teachers", "teams"], ["off", "hold", "hold-first"], ["off", "supervised"]),
        (AgeBand.FROM_16, list(PageEditing), list(Posting), ["off", "supervised", "hours"]),
        (AgeBand.ADULTS, list(PageEditing), list(Posting), list(Chat)),
    ],
)
async def test_exactly_what_the_band_allows_is_offered_and_taken(
    village: Village, band: AgeBand, pages: list[str], posting: list[str], chat: list[str]
) -> None:
    await in_band(village, band)
    view = await read(village)
    assert (view.page_editing, view.posting, view.chat) == (pages, posting, chat)
    assert view.contacts == ([None, FLAG, HOLD, BLOCK] if band is AgeBand.ADULTS else [HOLD, BLOCK])
    for key, every, offered in (
        ("page_editing", PageEditing, pages),
        ("posting", Posting, posting),
        ("chat", Chat, chat),
    ):
        for each in every:
            if each in offered:
                await change(village, **{key: each})
            else:
                with pytest.raises(Conflict):
                    await change(village, **{key: each})
    chosen = (await read(village)).chosen
    assert (chosen.page_editing, chosen.posting, chosen.chatting) == (pages[-1], posting[-1], chat[-1])


async def test_what_was_chosen_for_older_pupils_does_not_hold_for_younger_ones(village: Village) -> None:
    await in_band(village, AgeBand.ADULTS)
    await change(village, page_editing="open", posting="free", chat="free", filters={"phone": "off"})
    await in_band(village, AgeBand.FROM_7)
    chosen = (await read(village)).chosen
    assert (chosen.page_editing, chosen.posting, chosen.chatting) == ("open", "free", "free")
    assert (chosen.pages_open, chosen.posts_open, chosen.chat) == ("teams", "hold", "supervised")
    assert chosen.filters.phone is HOLD


async def test_teachers_read_them_and_admins_try_them(village: Village) -> None:
    rules = village.services.space_rules
    for who in ("teacher", "partner", "admin", "founder"):
        assert (await read(village, who)).chosen.age_band
    for who, refusal in (
        *((who, NotAllowed) for who in ("guest", "student", "editor")),
        *((who, NotFound) for who in ("removed", "outsider", "stranger")),
    ):
        with pytest.raises(refusal):
            await read(village, who)
        with pytest.raises(refusal):
            await rules.try_out(village.person(who), village.space, "Hello")
    with pytest.raises(NotAllowed):
        await rules.try_out(village.person("teacher"), village.space, "Hello")


async def test_a_text_is_tried_with_what_holds_and_with_what_may_come(village: Village) -> None:
    async def tried(text: str, filters: dict[str, object] | None = None) -> tuple[list[str], Outcome]:
        trial = await village.services.space_rules.try_out(
            village.person("admin"), village.space, text, filters
        )
        return [each.kind for each in trial.findings], trial.outcome

    await in_band(village, AgeBand.FROM_16)
    word = {"words": [{"text": "otter", "action": "block", "language": "en"}]}
    assert await tried("An otter") == ([], Outcome.SHOWN)
    assert await tried("An otter", word) == (["word"], Outcome.BLOCKED)
    assert await tried("An otter") == ([], Outcome.SHOWN)
    assert (await read(village)).chosen.filtering == {}
    await change(village, filters=word)
    assert await tried("An 0tter") == (["word"], Outcome.BLOCKED)
    # Where there are pupils, contact data is held at least, whatever the draft says.
    assert await tried("612 345 678", {"phone": "off"}) == (["phone"], Outcome.HELD)


async def test_trying_leaves_no_trace(village: Village) -> None:
    rules, audit = village.services.space_rules, village.services.audit
    before = await audit.of_space(village.person("founder"), village.space)
    await rules.try_out(village.person("founder"), village.space, "canary@mail.example")
    assert await audit.of_space(village.person("founder"), village.space) == before


async def test_the_log_tells_of_a_change_without_the_words(village: Village) -> None:
    await change(village, filters={"words": [{"text": "canary"}], "domains": ["rivers.example"]})
    [entry, *_] = await village.services.audit.of_space(village.person("founder"), village.space)
    assert (entry.action, entry.details) == ("policy", {"filters": {"words": 1, "domains": 1}})


async def test_a_record_with_unknown_keys_and_nonsense_is_read(village: Village) -> None:
    stored = {
        "newer": {"a": 1},
        "filters": {"newer": True, "phone": "maybe", "words": 7, "domains": [None, "com"]},
    }
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(policy=stored))
    rules = (await read(village)).chosen.filters
    assert (rules.phone, rules.words, rules.domains) == (HOLD, (), ())


@pytest.mark.parametrize(
    ("posting", "found", "becomes"),
    [
        (Posting.OFF, BLOCK, Outcome.OFF),
        (Posting.HOLD, BLOCK, Outcome.BLOCKED),
        (Posting.HOLD, None, Outcome.HELD),
        (Posting.HOLD, FLAG, Outcome.HELD),
        (Posting.HOLD_FIRST, None, Outcome.FIRST_HELD),
        (Posting.HOLD_FIRST, FLAG, Outcome.FIRST_HELD),
        (Posting.HOLD_FIRST, HOLD, Outcome.HELD),
        (Posting.FREE, BLOCK, Outcome.BLOCKED),
        (Posting.FREE, HOLD, Outcome.HELD),
        (Posting.FREE, FLAG, Outcome.FLAGGED),
        (Posting.FREE, None, Outcome.SHOWN),
    ],
)
def test_the_strictest_counts(posting: Posting, found: FilterAction | None, becomes: Outcome) -> None:
    findings = [] if found is None else [Finding("word", each, 0, 1) for each in (FLAG, found)]
    assert outcome(posting, findings) is becomes


def test_every_band_has_filters() -> None:
    for band in AgeBand:
        assert examine("Hello", SpacePolicy(band).filters) == []
