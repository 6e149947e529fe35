"""International teams: how pupils are mixed, and what a team gets."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from village import Village

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.spaces import teams as teams_module
from rooms.spaces.teams import Proposal, mix
from rooms.values import PageKind, PersonId, RoomId, RoomKind, RoomStatus, SpaceStatus

SCHOOLS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 40), max_size=8)


def pupils(sizes: dict[str, int]) -> dict[str, list[tuple[str, int]]]:
    return {school: [(school, number) for number in range(size)] for school, size in sizes.items()}


def spread(numbers: list[int]) -> int:
    return max(numbers) - min(numbers)


@given(SCHOOLS, st.integers(1, 20), st.integers(0, 2**31 - 1))
def test_everybody_is_in_one_team_and_teams_are_balanced(
    sizes: dict[str, int], count: int, seed: int
) -> None:
    by_school = pupils(sizes)
    teams = mix(by_school, count, seed)
    assert len(teams) == count
    assert sorted(itertools.chain(*teams)) == sorted(itertools.chain(*by_school.values()))
    assert spread([len(team) for team in teams]) <= 1
    assert spread([len({school for school, _ in team}) for team in teams]) <= 1
    for school, size in sizes.items():
        there = [sum(each == school for each, _ in team) for team in teams]
        assert spread(there) <= 1
        assert sum(number > 0 for number in there) == min(size, count), "in as many teams as it can be"


@given(SCHOOLS, st.integers(1, 20), st.integers(0, 2**31 - 1))
def test_a_seed_gives_the_same_teams_in_whatever_order_schools_are_told(
    sizes: dict[str, int], count: int, seed: int
) -> None:
    told = pupils(sizes)
    assert mix(told, count, seed) == mix(dict(reversed(told.items())), count, seed)


def test_seeds_give_different_teams() -> None:
    told = pupils({"ebro": 12, "douro": 9})
    assert len({str(mix(told, 4, seed)) for seed in range(20)}) > 10


async def furnished(village: Village) -> None:
    """Six pupils of the one school and three of the other."""
    people, schools = village.services.people, village.facts.schools
    await people.make_pupils(village.person("teacher"), schools["ebro"], village.space, [None] * 3)
    await people.make_pupils(village.person("partner"), schools["douro"], village.space, [None] * 2)


async def mixed(village: Village, count: int, who: str = "teacher") -> Proposal:
    return await village.services.teams.propose(village.person(who), village.space, count=count, seed=7)


async def test_each_team_gets_a_room_a_page_a_board_and_a_discussion_that_its_members_see(
    village: Village,
) -> None:
    await furnished(village)
    services, teacher = village.services, village.person("teacher")
    made = await services.teams.make(teacher, village.space, await mixed(village, 3))
    assert [team.title for team in made] == ["Team 1", "Team 2", "Team 3"]
    people = {m.id: PersonId(m.person_id) for m in await services.members.of_space(teacher, village.space)}
    for team in made:
        assert [len(part.members) for part in team.schools] in ([1, 2], [2, 1])
        for member in itertools.chain(*(part.members for part in team.schools)):
            view = await services.spaces.get(people[member], village.space)
            rooms = [room for room in view.rooms if room.kind is RoomKind.TEAM and room.title != "Team"]
            assert [room.id for room in rooms] == [team.room_id]
            pages = {
                page.id: page.kind
                for page in await services.pages.of_space(people[member], village.space)
                if page.room_id == team.room_id
            }
            assert pages == {team.page_id: PageKind.PAGE, team.board_id: PageKind.BOARD}
            threads = await services.discussions.of_space(people[member], village.space)
            assert [thread.id for thread in threads] == [team.thread_id]


async def test_a_proposal_makes_nothing_and_comes_true_with_its_seed(village: Village) -> None:
    await furnished(village)
    services, teacher = village.services, village.person("teacher")
    before = await services.teams.of_space(teacher, village.space)
    proposed = await mixed(village, 2)
    assert await services.teams.of_space(teacher, village.space) == before
    made = await services.teams.make(teacher, village.space, await mixed(village, 2))
    assert [team.schools for team in made] == [team.schools for team in proposed.teams]


async def test_mixing_again_leaves_the_rooms_that_are_there_alone(village: Village) -> None:
    await furnished(village)
    services, teacher = village.services, village.person("teacher")
    first = await services.teams.make(teacher, village.space, await mixed(village, 2))
    [old] = [
        t for t in await services.teams.of_space(teacher, village.space) if t.room_id == first[0].room_id
    ]
    await services.teams.make(teacher, village.space, await mixed(village, 3))
    now = await services.teams.of_space(teacher, village.space)
    assert len(now) == 1 + 2 + 3
    assert old in now
    archived = await services.spaces.set_room_state(
        teacher, RoomId(str(first[0].room_id)), RoomStatus.ARCHIVED
    )
    assert archived.state is RoomStatus.ARCHIVED


async def test_the_balance_tells_of_the_rooms_one_sees(village: Village) -> None:
    teams, schools = village.services.teams, village.facts.schools
    for who in ("student", "teacher"):
        [team] = await teams.of_space(village.person(who), village.space)
        assert {part.school_id: len(part.members) for part in team.schools} == {
            schools["ebro"]: 2,
            schools["douro"]: 1,
        }
    assert await teams.of_space(village.person("mate"), village.space) == []
    with pytest.raises(NotAllowed):
        await teams.of_space(village.person("guest"), village.space)
    for who in ("outsider", "stranger", "removed"):
        with pytest.raises(NotFound):
            await teams.of_space(village.person(who), village.space)


async def test_size_says_how_many_are_in_a_team_at_most(village: Village) -> None:
    await furnished(village)
    teams = village.services.teams
    for size, sizes in ((4, [3, 3, 3]), (5, [4, 5]), (9, [9]), (50, [9])):
        proposed = await teams.propose(village.person("partner"), village.space, size=size)
        assert sorted(sum(len(part.members) for part in team.schools) for team in proposed.teams) == sizes


async def test_teams_are_called_by_the_names_given_first(village: Village) -> None:
    proposed = await village.services.teams.propose(
        village.person("teacher"), village.space, count=3, names=["Otters", "Herons"], seed=1
    )
    assert [team.title for team in proposed.teams] == ["Otters", "Herons", "Team 3"]
    proposed = await village.services.teams.propose(
        village.person("teacher"), village.space, count=1, names=["Otters", "Herons"]
    )
    assert [team.title for team in proposed.teams] == ["Otters"]


async def test_who_cannot_make_teams(village: Village) -> None:
    for who in ("student", "editor", "guest"):
        with pytest.raises(NotAllowed):
            await mixed(village, 1, who)
    for who in ("outsider", "removed"):
        with pytest.raises(NotFound):
            await mixed(village, 1, who)
    proposal = await mixed(village, 1)
    await village.services.spaces.set_status(village.person("founder"), village.space, SpaceStatus.CLOSED)
    with pytest.raises(NotAllowed) as refused:
        await village.services.teams.make(village.person("teacher"), village.space, proposal)
    assert refused.value.reason == "space-closed"


async def test_no_team_is_left_half_made(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Conflict) as refused:
        await mixed(village, 5)
    assert refused.value.code == "too-few-pupils"
    proposal = await mixed(village, 1)
    many = replace(proposal, teams=proposal.teams * 198)
    with pytest.raises(Conflict) as refused:
        await village.services.teams.make(village.person("teacher"), village.space, many)
    assert refused.value.code == "too-many-rooms"
    monkeypatch.setattr(teams_module, "MOST_PAGES", 4)  # three are there, and a team needs two
    with pytest.raises(Conflict) as refused:
        await village.services.teams.make(village.person("teacher"), village.space, proposal)
    assert refused.value.code == "too-many-pages"
    assert len(await village.services.teams.of_space(village.person("teacher"), village.space)) == 1
    monkeypatch.setattr(teams_module, "MOST_PAGES", 5)
    assert len(await village.services.teams.make(village.person("teacher"), village.space, proposal)) == 1
