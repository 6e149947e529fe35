"""Pages: the tree, the rules, locks and the bin."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from village import NOON, Village

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Scope
from rooms.spaces.pages import PageView
from rooms.values import EditRule, PageId, SeeRule


async def make(village: Village, title: str, parent: str | None = None, who: str = "founder") -> PageId:
    view = await village.services.pages.create(
        village.person(who),
        village.facts.rooms["general"],
        title=title,
        parent=PageId(parent) if parent else None,
    )
    return PageId(view.id)


async def change(village: Village, page: str, who: str = "founder", **changes: object) -> PageView:
    return await village.services.pages.change(village.person(who), PageId(page), changes)


async def tree(village: Village, who: str = "founder") -> list[tuple[str, str | None, int]]:
    """Title, parent's title and order of the pages of the general room."""
    views = await village.services.pages.of_space(village.person(who), village.space)
    titles = {view.id: view.title for view in views}
    general = village.facts.rooms["general"]
    return [
        (view.title, titles.get(view.parent_id or ""), view.order)
        for view in views
        if view.room_id == general
    ]


async def test_a_new_page_is_the_last_of_its_siblings(village: Village) -> None:
    first = await make(village, "First")
    await make(village, "Below", first)
    await make(village, "Second")
    assert sorted(await tree(village)) == [
        ("Below", "First", 0),
        ("First", None, 1),
        ("Open", None, 0),
        ("Second", None, 2),
    ]
    assert [change.notice for change in village.heard("page-created")] == [("pages",)] * 3


async def test_moving_and_ordering_count_the_siblings_anew(village: Village) -> None:
    first, second, third = [await make(village, title) for title in ("First", "Second", "Third")]
    await change(village, third, order=0)
    await change(village, second, parent_id=first)
    await change(village, first, order=99)
    assert sorted(await tree(village)) == [
        ("First", None, 2),
        ("Open", None, 1),
        ("Second", "First", 0),
        ("Third", None, 0),
    ]
    await change(village, second, parent_id=None, order=1)
    assert ("Second", None, 1) in await tree(village)


@pytest.mark.parametrize("seed", range(5))
async def test_no_sequence_of_moves_makes_a_cycle_or_loses_a_page(village: Village, seed: int) -> None:
    chance = random.Random(seed)
    made = [await make(village, str(number)) for number in range(8)]
    for _ in range(40):
        parent = chance.choice([*made, None])
        with suppress(Conflict):
            await change(village, chance.choice(made), parent_id=parent, order=chance.randrange(5))
    views = await village.services.pages.of_space(village.person("founder"), village.space)
    parents = {view.id: view.parent_id for view in views}
    assert set(made) <= set(parents)
    for page in made:
        step: str | None = page
        for _ in range(20):
            step = parents[step] if step else None
        assert step is None
    for parent in {view.parent_id for view in views}:
        orders = [
            v.order for v in views if v.parent_id == parent and v.room_id == village.facts.rooms["general"]
        ]
        assert sorted(orders) == list(range(len(orders)))


async def test_a_page_cannot_stand_below_one_of_another_room_or_one_that_is_not_there(
    village: Village,
) -> None:
    page = await make(village, "Page")
    for parent in (village.facts.pages["team"], village.facts.pages["elsewhere"], "nowhere"):
        with pytest.raises(Conflict) as refused:
            await change(village, page, parent_id=parent)
        assert refused.value.code == "no-such-parent"


async def test_the_tree_goes_eight_levels_deep_and_no_deeper(village: Village) -> None:
    above: str | None = None
    for level in range(8):
        above = await make(village, str(level), above)
    with pytest.raises(Conflict, match="8 levels"):
        await make(village, "too deep", above)


async def test_everybody_sees_the_pages_of_their_own_rooms_and_rules(village: Village) -> None:
    drafts = {who: await make(village, f"Draft of {who}", who=who) for who in ("editor", "founder")}
    for who, page in drafts.items():
        await change(village, page, who, see_rule=SeeRule.DRAFT)
    student_draft = await village.services.pages.create(
        village.person("student"), village.facts.rooms["team"], title="Draft of student"
    )
    await change(village, student_draft.id, "student", see_rule=SeeRule.DRAFT)
    everything = {"Open", "Team", "Staff", "Draft of editor", "Draft of founder", "Draft of student"}
    seen = {
        who: {
            view.title for view in await village.services.pages.of_space(village.person(who), village.space)
        }
        for who in ("founder", "admin", "teacher", "partner", "editor", "student", "mate", "pal")
    }
    assert seen == {
        "founder": everything,
        "admin": everything,
        "teacher": everything,
        "partner": everything,
        "editor": everything - {"Staff"},
        "student": {"Open", "Team", "Draft of student"},
        "mate": {"Open"},
        "pal": {"Open", "Team"},
    }


async def test_below_a_hidden_page_nothing_tells_of_it(village: Village) -> None:
    hidden = await make(village, "Hidden")
    await make(village, "Shown", hidden)
    await change(village, hidden, see_rule=SeeRule.STAFF)
    assert ("Shown", None, 0) in await tree(village, "student")
    with pytest.raises(NotFound):
        await village.services.pages.get(village.person("student"), hidden)


async def test_nobody_hides_a_page_from_themselves(village: Village) -> None:
    page = await make(village, "Mine", who="editor")
    with pytest.raises(Conflict) as refused:
        await change(village, page, "editor", see_rule=SeeRule.STAFF)
    assert refused.value.code == "would-hide"
    view = await village.services.pages.get(village.person("editor"), page)
    assert view.see_rule is SeeRule.MEMBERS


async def test_a_lock_makes_the_page_readonly_for_everybody_until_its_end(village: Village) -> None:
    pages, page = village.services.pages, village.facts.pages["open"]
    view = await pages.lock(village.person("founder"), page, "We read it together.", NOON + 60)
    assert view.lock is not None
    assert (view.lock.by, view.lock.reason, view.lock.until) == ("Founder", "We read it together.", NOON + 60)
    for who in ("founder", "teacher", "student"):
        seen = await pages.get(village.person(who), page)
        assert (seen.scope, seen.reason) == (Scope.READONLY, "locked")
    village.clock.now += 60
    seen = await pages.get(village.person("student"), page)
    assert (seen.scope, seen.lock) == (Scope.READ_WRITE, None)


async def test_unlocking_opens_it_again_and_a_lock_in_the_past_is_refused(village: Village) -> None:
    pages, page, founder = village.services.pages, village.facts.pages["open"], village.person("founder")
    await pages.lock(founder, page, "Wait.", None)
    await pages.unlock(founder, page)
    assert (await pages.get(village.person("student"), page)).scope is Scope.READ_WRITE
    with pytest.raises(Conflict) as refused:
        await pages.lock(founder, page, "Too late.", NOON)
    assert refused.value.code == "lock-over"
    assert [change.document for change in village.heard("lock") + village.heard("unlock")] == [
        f"page/{page}"
    ] * 2


async def test_a_lock_also_holds_the_settings_for_those_who_cannot_take_it_off(village: Village) -> None:
    page = await make(village, "Mine", who="editor")
    await village.services.pages.lock(village.person("founder"), page, "Finished.", None)
    with pytest.raises(NotAllowed) as refused:
        await change(village, page, "editor", title="Other")
    assert refused.value.reason == "locked"
    assert (await change(village, page, "founder", title="Other")).title == "Other"


async def test_the_bin_takes_the_branch_and_gives_it_back(village: Village) -> None:
    pages, founder = village.services.pages, village.person("founder")
    top = await make(village, "Top")
    below = await make(village, "Below", top)
    await pages.bin(founder, top)
    for page in (top, below):
        with pytest.raises(NotFound):
            await pages.get(founder, page)
    assert {view.title for view in await pages.bin_of(founder, village.space)} == {"Top", "Below"}
    await pages.restore(founder, top)
    assert ("Below", "Top", 0) in await tree(village)
    assert await pages.bin_of(founder, village.space) == []


async def test_a_page_whose_parent_is_gone_comes_back_at_the_top(village: Village) -> None:
    pages, founder = village.services.pages, village.person("founder")
    top = await make(village, "Top")
    below = await make(village, "Below", top)
    await pages.bin(founder, below)
    await pages.bin(founder, top)
    assert (await pages.restore(founder, below)).parent_id is None


async def test_what_others_wrote_below_is_not_binned_along(village: Village) -> None:
    pages = village.services.pages
    top = await make(village, "Top", who="teacher")
    await make(village, "Below", top, who="founder")
    with pytest.raises(Conflict) as refused:
        await pages.bin(village.person("teacher"), top)
    assert refused.value.code == "others-below"
    assert (await pages.get(village.person("teacher"), top)).title == "Top"


async def test_the_bin_shows_each_only_what_they_may_take_out(village: Village) -> None:
    pages = village.services.pages
    page = await make(village, "Of the editor", who="editor")
    await pages.bin(village.person("editor"), page)
    seen = {
        who: [view.title for view in await pages.bin_of(village.person(who), village.space)]
        for who in ("editor", "admin", "teacher", "student")
    }
    assert seen == {"editor": ["Of the editor"], "admin": ["Of the editor"], "teacher": [], "student": []}
    with pytest.raises(NotFound):
        await pages.restore(village.person("student"), page)


async def test_pages_of_the_staff_room_begin_for_teachers_only(village: Village) -> None:
    view = await village.services.pages.get(village.person("teacher"), village.facts.pages["staff"])
    assert (view.see_rule, view.edit_rule) == (SeeRule.STAFF, EditRule.TEACHERS)


async def test_what_i_may_do_is_what_can_says(village: Village) -> None:
    pages = village.services.pages
    mine = await village.services.pages.create(
        village.person("student"), village.facts.rooms["team"], title="Mine"
    )
    assert mine.can == {"lock": False, "rename": True, "settings": True, "delete": False}
    draft = await change(village, mine.id, "student", see_rule=SeeRule.DRAFT)
    assert draft.can["delete"]
    assert (await pages.get(village.person("founder"), PageId(mine.id))).can == dict.fromkeys(mine.can, True)
    other = await pages.get(village.person("student"), village.facts.pages["open"])
    assert other.can == dict.fromkeys(mine.can, False)
