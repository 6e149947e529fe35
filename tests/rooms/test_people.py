"""People and schools."""

from __future__ import annotations

import asyncio

import pytest
from village import PASSWORD, Village, email_of

from rooms.accounts.people import MOST_AT_ONCE
from rooms.accounts.schools import Country
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.values import PersonId, PersonKind, PersonState, SpaceId


async def make(village: Village, names: list[str | None], who: str = "teacher") -> list[str]:
    made = await village.services.people.make_pupils(
        village.person(who), village.facts.schools["ebro"], village.space, names
    )
    return [card.person_id for card in made]


async def test_a_class_is_made_in_one_batch_and_can_log_in(village: Village) -> None:
    services = village.services
    made = await services.people.make_pupils(
        village.person("teacher"),
        village.facts.schools["ebro"],
        village.space,
        [None] * 30,
        language="es",
    )
    assert len({card.card.code for card in made}) == 30
    assert len({card.card.selector for card in made}) == 30
    for card in made:
        assert card.name == card.card.selector.replace("-", " ").title()
    entered = await services.sessions.log_in_with_code(made[7].card.code, address="")
    assert entered.principal.person == made[7].person_id
    pupils = {pupil.person_id: pupil for pupil in await services.people.pupils(
        village.person("teacher"), village.facts.schools["ebro"])}  # fmt: skip
    assert pupils[made[7].person_id].state is PersonState.ACTIVE
    assert pupils[made[8].person_id].state is PersonState.CREATED
    assert pupils[made[7].person_id].spaces == [(village.space, "Two rivers")]


async def test_two_cards_with_the_same_words_get_numbers(village: Village) -> None:
    people = village.services.people
    people._choose = lambda words: words[0]
    made = await people.make_pupils(
        village.person("teacher"), village.facts.schools["ebro"], village.space, [None] * 3
    )
    assert [card.card.selector for card in made] == ["able-albatross", "able-albatross-2", "able-albatross-3"]
    assert made[2].name == "Able Albatross 3"


async def test_a_batch_is_made_whole_or_not_at_all(village: Village) -> None:
    people, school = village.services.people, village.facts.schools["ebro"]
    before = await people.pupils(village.person("teacher"), school)
    with pytest.raises(Conflict):
        await make(village, [None] * (MOST_AT_ONCE + 1))
    with pytest.raises(NotFound):
        await people.make_pupils(village.person("teacher"), school, SpaceId("nowhere"), ["A", "B"])
    assert await people.pupils(village.person("teacher"), school) == before


async def test_batches_at_the_same_moment_do_not_disturb_each_other(village: Village) -> None:
    made = await asyncio.gather(*(make(village, [None] * 5) for _ in range(4)))
    assert len({person for batch in made for person in batch}) == 20


@pytest.mark.parametrize(
    ("who", "school", "error"),
    [
        ("partner", "ebro", NotFound),  # a teacher of another school
        ("outsider", "far", NotFound),  # of the school, but not in the space
        ("guest", "ebro", NotFound),
        ("student", "ebro", NotFound),
        ("editor", "ebro", NotFound),
        ("removed", "ebro", NotFound),  # of the school, no longer in the space
    ],
)
async def test_who_cannot_make_pupils(
    village: Village, who: str, school: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await village.services.people.make_pupils(
            village.person(who), village.facts.schools[school], village.space, ["New"]
        )


async def test_a_teacher_who_is_only_a_guest_in_the_space_makes_no_pupils_there(village: Village) -> None:
    from rooms.values import Role

    await village.services.members.change_role(
        village.person("founder"), village.member("partner"), Role.GUEST
    )
    with pytest.raises(NotAllowed):
        await village.services.people.make_pupils(
            village.person("partner"), village.facts.schools["douro"], village.space, ["New"]
        )


async def test_an_adult_nobody_confirmed_has_no_pupils(village: Village) -> None:
    people, school = village.services.people, village.facts.schools["ebro"]
    person = await people.add_adult(
        name="Claims", email="claims@school.example", password=PASSWORD, school=school, confirmed=False
    )
    with pytest.raises(NotFound):
        await people.pupils(person, school)


async def test_cards_of_pupils_are_reset_by_own_school_teachers_only(village: Village) -> None:
    people, student = village.services.people, village.person("student")
    for who in ("partner", "editor", "mate", "guest"):
        with pytest.raises(NotAllowed):
            await people.reset_code(village.person(who), student)
    for who in ("outsider", "stranger"):
        with pytest.raises(NotFound):
            await people.reset_code(village.person(who), student)
    # A teacher of the school, though not in the space, is still responsible for the pupil.
    await people.reset_code(village.person("removed"), student)
    for person in (village.person("teacher"), PersonId("nobody")):
        with pytest.raises(NotFound):
            await people.reset_code(village.person("founder"), person)


async def test_an_address_is_taken_once_whatever_its_case(village: Village) -> None:
    with pytest.raises(Conflict) as refused:
        await village.services.people.add_adult(
            name="Twin", email=email_of("TEACHER").upper(), password=PASSWORD, school=None
        )
    assert refused.value.code == "email-taken"


async def test_of_a_pupil_no_more_is_known_than_needed(village: Village) -> None:
    view = await village.services.people.get(village.person("student"))
    assert (view.name, view.kind, view.language) == ("Student", PersonKind.PUPIL, None)
    assert view.school is not None
    assert view.school.town == "Zaragoza"


async def test_a_language_is_kept(village: Village) -> None:
    await village.services.people.set_language(village.person("student"), "pt")
    assert (await village.services.people.get(village.person("student"))).language == "pt"


async def test_a_renamed_pupil_is_told_to_those_who_see_the_name(village: Village) -> None:
    await village.services.people.change_pupil(
        village.person("teacher"), village.person("student"), name="Kingfisher"
    )
    assert [change.notice for change in village.heard("person") if change.space] == [("members",)]
    assert (await village.services.people.get(village.person("student"))).name == "Kingfisher"


async def test_schools_need_a_known_country_and_time_zone(village: Village) -> None:
    schools = village.services.schools
    for country, zone, code in (
        ("XX", "Europe/Madrid", "no-such-country"),
        ("ES", "Europe/Nowhere", "no-such-time-zone"),
        ("ES", "../../etc/passwd", "no-such-time-zone"),
    ):
        with pytest.raises(Conflict) as refused:
            await schools.add(name="S", town="T", country=country, time_zone=zone, languages=[])
        assert refused.value.code == code
    await schools.add_country(Country("ES", "Again", []))
