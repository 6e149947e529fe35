"""Furnishes a demo: two schools in two countries, a TwinSpace about two rivers, and a group of teachers.

Beside them a national officer, for whom another project waits.

Passwords and cards are drawn at random when the demo is made and kept beside it in ``demo-logins.json``,
readable for its owner only, so that every later start prints the same ones.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rooms.accounts import codecards
from rooms.accounts.people import NewCard
from rooms.accounts.schools import Country
from rooms.demo.boards import COLUMNS, OUR_IDEAS, TEAM_BOARDS, DemoCard
from rooms.demo.pages import PAGES, Block
from rooms.demo.talk import GROUP_TALK, SPACE_TALK, Speaker, Who, talk
from rooms.services import Services
from rooms.spaces.pages import PageView, document_of
from rooms.values import (
    AgeBand,
    JoinRule,
    MembershipId,
    Office,
    PageId,
    PageKind,
    PersonId,
    Role,
    RoomId,
    RoomKind,
    SchoolId,
    SpaceId,
    SpaceKind,
)

__all__ = ["LOGINS", "OFFICER", "Demo", "Login", "SeedBoard", "SeedCard", "SeedPage", "furnish"]

LOGINS: Final = "demo-logins.json"
TITLE: Final = "Ebro and Douro: two rivers, one notebook"
SERVER: Final = "server:demo"
OFFICER: Final = "officer"
"""The role, in the list of log-ins, of who approves what is new in Spain."""
STUDENTS: Final = 4
"""Of each school."""
TEAMS: Final = ("North bank", "South bank")
"""Who walks together on the excursion: mixed by the server."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody of the demo and how they log in: with e-mail and password, or with a code."""

    name: str
    role: str
    school: str
    town: str
    email: str = ""
    password: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class SeedPage:
    """A page and its first content, to be written into its document once."""

    document: str
    title: str
    blocks: tuple[Block, ...]
    subject: str
    """Who the log says has written it."""


@dataclass(frozen=True, slots=True)
class SeedCard:
    subject: str
    """Whose card the log says it is."""
    column: int
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class SeedBoard:
    """A board and its first columns and cards, in their order."""

    document: str
    title: str
    subject: str
    """Who has made the columns."""
    columns: tuple[str, ...]
    cards: tuple[SeedCard, ...]


@dataclass(frozen=True, slots=True)
class Demo:
    space: SpaceId
    title: str
    logins: tuple[Login, ...]
    pages: tuple[SeedPage, ...]
    boards: tuple[SeedBoard, ...]


@dataclass(frozen=True, slots=True)
class _School:
    id: SchoolId
    name: str
    town: str
    teacher: PersonId
    students: Sequence[NewCard]


async def furnish(records: Path) -> Demo:
    """Makes the demo in the new records file ``records``, or tells of the one that is there.

    To be called before anything else opens the file. It appears whole or not at all: a demo that was cut
    off while it was made is begun again. Raises FileExistsError when the file belongs to something else.
    """
    known = _known(records)
    if known is not None:
        return known
    draft = _empty(records.with_name("demo-unfinished"))
    made = await _make(draft / records.name)
    _write_private(records.with_name(LOGINS), _to_json(made))
    (draft / records.name).rename(records)
    draft.rmdir()
    return made


def _known(records: Path) -> Demo | None:
    logins = records.with_name(LOGINS)
    if not records.exists():
        return None
    if not logins.exists():
        raise FileExistsError(
            f"{records} is not a demo: {LOGINS} is missing beside it. Choose another --data folder."
        )
    return _read(logins)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder


async def _make(file: Path) -> Demo:
    services = await Services.open(f"sqlite:///{file}", approval=True)
    try:
        return await _furnish(services)
    finally:
        await services.close()


async def _furnish(services: Services) -> Demo:
    for country in (Country("ES", "España", ["es"]), Country("PT", "Portugal", ["pt"])):
        await services.schools.add_country(country)
    zaragoza = await services.schools.add(
        name="IES Puente de Piedra",
        town="Zaragoza",
        country="ES",
        time_zone="Europe/Madrid",
        languages=["es"],
    )
    porto = await services.schools.add(
        name="Escola Secundária da Ribeira",
        town="Porto",
        country="PT",
        time_zone="Europe/Lisbon",
        languages=["pt"],
    )
    ana = Login(
        "Ana Lahoz",
        "admin",
        "IES Puente de Piedra",
        "Zaragoza",
        "ana@puentedepiedra.example",
        codecards.draw_password(secrets.choice),
    )
    rui = Login(
        "Rui Tavares",
        "teacher",
        "Escola Secundária da Ribeira",
        "Porto",
        "rui@ribeira.example",
        codecards.draw_password(secrets.choice),
    )
    ids = [
        await services.people.add_adult(
            name=login.name, email=login.email, password=login.password, school=school, language=language
        )
        for login, school, language in ((ana, zaragoza, "es"), (rui, porto, "pt"))
    ]
    space = await services.spaces.create(
        title=TITLE,
        summary="Two classes measure, draw and tell the rivers they live on, from the spring to the sea.",
        languages=["en", "es", "pt"],
        age_band=AgeBand.FROM_16,
        founders=[ids[0]],
    )
    await services.members.add_adult(space, ids[1], Role.TEACHER)
    group = await services.spaces.create(
        title="Teachers on river banks",
        summary="For teachers whose classes work on rivers: ideas, dates, and who has a spare thermometer.",
        languages=["en"],
        age_band=AgeBand.ADULTS,
        founders=[ids[1]],
        kind=SpaceKind.GROUP,
    )
    await services.members.add_adult(group, ids[0], Role.TEACHER)
    schools = [
        _School(
            school,
            login.school,
            login.town,
            teacher,
            await services.people.make_pupils(teacher, school, space, [None] * STUDENTS, language=language),
        )
        for school, login, teacher, language in ((zaragoza, ana, ids[0], "es"), (porto, rui, ids[1], "pt"))
    ]
    await _promote(services, space, schools)
    speakers = await _speakers(services, space, schools)
    pages = await _pages(services, ids[0], space, schools, speakers)
    await _talk(services, space, group, speakers)
    teams = await services.teams.propose(ids[0], space, count=len(TEAMS), names=TEAMS)
    made = await services.teams.make(ids[0], space, teams)
    boards = await _boards(services, space, schools, speakers, {team.title: team.board_id for team in made})
    officer = await _officer(services)
    await _waiting(services, zaragoza, porto, group, ids[1])
    logins = [
        login
        for school, teacher in zip(schools, (ana, rui), strict=True)
        for login in (teacher, *_students(school))
    ]
    return Demo(space, TITLE, (*logins, officer), pages, boards)


async def _officer(services: Services) -> Login:
    """Who approves what is new in Spain."""
    marta = Login(
        "Marta Gil",
        OFFICER,
        "National office",
        "Spain",
        "marta@office.example",
        codecards.draw_password(secrets.choice),
    )
    person = await services.people.add_adult(
        name=marta.name, email=marta.email, password=marta.password, school=None, language="es"
    )
    await services.offices.appoint(person, Office.OFFICER, "ES")
    return marta


async def _waiting(
    services: Services, zaragoza: SchoolId, porto: SchoolId, group: SpaceId, moderator: PersonId
) -> None:
    """A project of two other teachers that waits for the national office, and one of them for the group."""
    bea, joao = [
        await services.people.add_adult(
            name=name,
            email=email,
            password=codecards.draw_password(secrets.choice),
            school=school,
            language=language,
        )
        for name, email, school, language in (
            ("Bea Sanz", "bea@puentedepiedra.example", zaragoza, "es"),
            ("João Reis", "joao@ribeira.example", porto, "pt"),
        )
    ]
    made = await services.lifecycle.make(
        bea,
        kind=SpaceKind.PROJECT,
        title="Lighthouses and tides",
        summary="Two classes build a model lighthouse each, and send each other its light in Morse code.",
        languages=["en"],
        age_band=AgeBand.FROM_12,
    )
    link = await services.invitations.invite_partner(bea, made.id)
    await services.invitations.accept(joao, link.token, address="")
    await services.joining.set_rule(moderator, group, JoinRule.REQUEST)
    words = "My class measures the Douro every Friday. We have two spare thermometers."
    await services.joining.join(joao, group, words)


def _students(school: _School) -> list[Login]:
    return [
        Login(
            made.name,
            Role.STUDENT_EDITOR if number == 0 else Role.STUDENT,
            school.name,
            school.town,
            code=made.card.code,
        )
        for number, made in enumerate(school.students)
    ]


async def _promote(services: Services, space: SpaceId, schools: Sequence[_School]) -> None:
    """The first student of each school is a student editor."""
    for school in schools:
        first = school.students[0].person_id
        for member in await services.members.of_space(school.teacher, space):
            if member.person_id == first:
                await services.members.change_role(
                    school.teacher, MembershipId(member.id), Role.STUDENT_EDITOR
                )


async def _speakers(services: Services, space: SpaceId, schools: Sequence[_School]) -> dict[Who, Speaker]:
    zaragoza, porto = schools
    people: dict[Who, PersonId] = {
        "ana": zaragoza.teacher,
        "rui": porto.teacher,
        "otter": PersonId(zaragoza.students[0].person_id),
        "heron": PersonId(zaragoza.students[2].person_id),
        "trout": PersonId(porto.students[0].person_id),
        "kingfisher": PersonId(porto.students[2].person_id),
    }
    members = {each.person_id: each.id for each in await services.members.of_space(zaragoza.teacher, space)}
    return {who: Speaker(person, MembershipId(members[person])) for who, person in people.items()}


async def _talk(services: Services, space: SpaceId, group: SpaceId, speakers: Mapping[Who, Speaker]) -> None:
    """A discussion with a post that was reported and hidden, one that waits for Rui, and the group's."""
    ana = speakers["ana"].person
    for where, threads in ((space, SPACE_TALK), (group, GROUP_TALK)):
        rooms = {room.kind.value: RoomId(room.id) for room in (await services.spaces.get(ana, where)).rooms}
        await talk(services, where, rooms, speakers, threads)


async def _pages(
    services: Services,
    teacher: PersonId,
    space: SpaceId,
    schools: Sequence[_School],
    speakers: Mapping[Who, Speaker],
) -> tuple[SeedPage, ...]:
    team = {made.person_id for school in schools for made in school.students[:2]}
    members = await services.members.of_space(teacher, space)
    await services.spaces.make_room(
        teacher,
        space,
        title="Team Kingfisher",
        kind=RoomKind.TEAM,
        members=[MembershipId(member.id) for member in members if member.person_id in team],
    )
    rooms = {room.kind: RoomId(room.id) for room in (await services.spaces.get(teacher, space)).rooms}
    made: dict[str, PageId] = {}
    for page in PAGES:
        parent = made[page.parent] if page.parent else None
        view = await services.pages.create(
            teacher, rooms[RoomKind(page.room)], title=page.title, parent=parent
        )
        made[page.title] = PageId(view.id)
        await services.pages.change(
            teacher, PageId(view.id), {"see_rule": page.see_rule, "edit_rule": page.edit_rule}
        )
        if page.locked_because:
            await services.pages.lock(teacher, PageId(view.id), page.locked_because, None)
    return tuple(
        SeedPage(
            document_of(made[page.title]),
            page.title,
            page.blocks,
            f"membership:{speakers[page.by].membership}" if page.by else SERVER,
        )
        for page in PAGES
    )


async def _boards(
    services: Services,
    space: SpaceId,
    schools: Sequence[_School],
    speakers: Mapping[Who, Speaker],
    made: Mapping[str, str | None],
) -> tuple[SeedBoard, ...]:
    """One for everybody, and one for each team, some of which are ``made`` already: by the team's title."""
    ana = speakers["ana"].person
    people: dict[str, str] = {who: speaker.membership for who, speaker in speakers.items()}
    [general] = [
        RoomId(room.id)
        for room in (await services.spaces.get(ana, space)).rooms
        if room.kind is RoomKind.GENERAL
    ]
    view = await services.pages.create(ana, general, title="Our ideas", kind=PageKind.BOARD)
    boards = [_board(view, people, OUR_IDEAS)]
    for team in await services.teams.of_space(ana, space):
        title = f"{team.title}: who does what"
        if board := made.get(team.title):
            view = await services.pages.change(ana, PageId(board), {"title": title})
        else:
            room = RoomId(team.room_id or "")
            view = await services.pages.create(ana, room, title=title, kind=PageKind.BOARD)
        members = {part.school_id: part.members for part in team.schools}
        for river, school in zip(("ebro", "douro"), schools, strict=True):
            people |= {f"{river} {number}": id for number, id in enumerate(members[school.id], 1)}
        boards.append(_board(view, people, TEAM_BOARDS[team.title]))
    return tuple(boards)


def _board(page: PageView, people: Mapping[str, str], cards: Sequence[DemoCard]) -> SeedBoard:
    return SeedBoard(
        page.document,
        page.title,
        f"membership:{people['ana']}",
        COLUMNS,
        tuple(
            SeedCard(f"membership:{people[card.who]}", card.column, card.text, card.color) for card in cards
        ),
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _to_json(demo: Demo) -> str:
    stored = {
        "space": demo.space,
        "title": demo.title,
        "logins": [asdict(login) for login in demo.logins],
        "pages": {page.title: [page.document, page.subject] for page in demo.pages},
        "boards": [asdict(board) for board in demo.boards],
    }
    return json.dumps(stored, ensure_ascii=False, indent=2) + "\n"


def _read(path: Path) -> Demo:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Demo(
        SpaceId(stored["space"]),
        stored["title"],
        tuple(Login(**login) for login in stored["logins"]),
        tuple(
            SeedPage(document, page.title, page.blocks, subject)
            for page in PAGES
            for document, subject in [_seeded(stored["pages"].get(page.title, ""))]
            if document
        ),
        tuple(_seeded_board(**board) for board in stored.get("boards", ())),
    )


def _seeded_board(columns: list[str], cards: list[dict[str, Any]], **board: str) -> SeedBoard:
    return SeedBoard(columns=tuple(columns), cards=tuple(SeedCard(**card) for card in cards), **board)


def _seeded(stored: str | list[str]) -> tuple[str, str]:
    """A page's document and who wrote it; demos of the first version know the document only."""
    return (stored, SERVER) if isinstance(stored, str) else (stored[0], stored[1])
