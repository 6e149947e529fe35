"""From nothing to a first lesson: what `twinspace add` and `twinspace list` promise an operator."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result
from served import Server
from sqlalchemy import select

from rooms.services import Services
from rooms.storage.schema import appointments
from rooms.values import PersonId
from server.cli import main

SCHOOL = (
    "school", "--country", "ES", "--town", "Zaragoza", "--time-zone", "Europe/Madrid", "--language", "es",
    "IES Puente de Piedra",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def twinspace(data: Path, *arguments: str, says: str | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)], input=says)


def add(data: Path, *arguments: str, says: str | None = None) -> str:
    """What standard output said, one line at most."""
    result = twinspace(data, "add", *arguments, says=says)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") <= 1
    return result.stdout.removesuffix("\n")


def rows(data: Path, what: str) -> list[list[str]]:
    result = twinspace(data, "list", what)
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def furnish(data: Path) -> tuple[str, str]:
    """A country, a school and its teacher Ana: the school's id and her password."""
    assert add(data, "country", "ES", "España", "--language", "es") == ""
    school = add(data, *SCHOOL)
    return school, add(data, "teacher", "--school", school, "--email", "Ana@school.example", "Ana Lahoz")


def test_a_teacher_added_beside_the_running_server_logs_in_and_makes_cards(data: Path) -> None:
    with Server(data) as server:
        school, password = furnish(data)
        space = add(data, "space", "--founder", "ana@SCHOOL.example", "Two rivers")
        asyncio.run(first_lesson(server.http, school, space, password))


async def first_lesson(url: str, school: str, space: str, password: str) -> None:
    async with aiohttp.ClientSession(
        url, headers={"Origin": url}, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:

        async def log_in(**body: str) -> tuple[dict[str, Any], dict[str, str]]:
            async with http.post("/api/session", json=body) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json(), {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

        ana, cookie = await log_in(method="password", email="ana@school.example", password=password)
        assert ana["person"]["name"] == "Ana Lahoz"
        assert ana["person"]["school"]["town"] == "Zaragoza"
        assert ana["spaces"] == [{"id": space, "title": "Two rivers", "role": "admin", "status": "open"}]
        async with http.get(f"/api/spaces/{space}", headers=cookie) as answer:
            opened = await answer.json()
        assert [room["kind"] for room in opened["rooms"]] == ["general", "staff"]
        assert (opened["languages"], opened["age_band"]) == (["es"], "12-15")
        body = {"space_id": space, "count": 2}
        async with http.post(f"/api/schools/{school}/pupils", json=body, headers=cookie) as answer:
            assert answer.status == 201, await answer.text()
            cards = (await answer.json())["cards"]
        assert len(cards) == 2
        for card in cards:
            pupil, _ = await log_in(method="code", code=card["code"])
            assert pupil["spaces"] == [
                {"id": space, "title": "Two rivers", "role": "student", "status": "open"}
            ]


def test_lists_begin_with_the_ids(data: Path) -> None:
    school, _ = furnish(data)
    space = add(data, "space", "--founder", "ana@school.example", "--age-band", "16-19", "Two rivers")
    assert rows(data, "schools") == [
        [school, "IES Puente de Piedra", "Zaragoza", "ES", "Europe/Madrid", "es"]
    ]
    [[_, *ana]] = rows(data, "teachers")
    assert ana == ["ana@school.example", "Ana Lahoz", "confirmed", school]
    assert rows(data, "spaces") == [[space, "Two rivers", "open", "16-19", "Ana Lahoz"]]


def test_a_list_of_nothing_makes_no_folder(data: Path) -> None:
    result = twinspace(data, "list", "schools")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is nothing in" in result.stderr
    assert not data.exists()


def test_countries_and_schools_are_added_once(data: Path) -> None:
    school, _ = furnish(data)
    assert add(data, "country", "ES", "Spain", "--language", "en") == ""
    assert add(data, *SCHOOL) == school
    assert len(rows(data, "schools")) == 1


def test_the_password_is_of_readable_words_and_kept_nowhere(data: Path) -> None:
    _, password = furnish(data)
    assert re.fullmatch(r"[a-z]+(-[a-z]+){3}", password)
    assert all(password.encode() not in file.read_bytes() for file in data.iterdir())
    assert all(file.stat().st_mode & 0o077 == 0 for file in data.iterdir())


def test_a_given_password_is_taken_from_standard_input_and_not_printed(data: Path) -> None:
    school, _ = furnish(data)
    rui = ("teacher", "--school", school, "--email", "rui@school.example", "Rui", "--password-stdin")
    result = twinspace(data, "add", *rui, says="too short\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "10 to 200 characters" in result.stderr
    assert add(data, *rui, says="a long pass phrase\n") == ""
    assert [row[1] for row in rows(data, "teachers")] == ["ana@school.example", "rui@school.example"]


def teacher(school: str, email: str = "rui@school.example", name: str = "Rui") -> tuple[str, ...]:
    return ("teacher", "--school", school, "--email", email, name)


def test_what_cannot_be_added_is_refused_in_a_sentence_and_nothing_is_changed(data: Path) -> None:
    school, _ = furnish(data)
    for arguments, code, says in (
        (("country", "Spain", "Spain", "--language", "es"), 2, "two capital letters"),
        (("country", "GR", "Ellada", "--language", "el"), 2, "EL for Greece"),
        (("country", "PT", "Portugal", "--language", "Portuguese"), 2, "short code"),
        ((*SCHOOL[:2], "PT", *SCHOOL[3:]), 1, "There is no country 'PT' yet."),
        ((*SCHOOL[:4], "Huesca", "--time-zone", "Europe/Huesca", *SCHOOL[7:]), 1, "is no time zone"),
        ((*SCHOOL[:-1], "two\nlines"), 2, "one line of text"),
        (teacher("nobody"), 1, "There is no school 'nobody'. See: twinspace list schools"),
        (teacher(school, email="ANA@school.example"), 1, "this e-mail address is here already"),
        (teacher(school, email="rui"), 2, "name@school.example"),
        (teacher(school, name=" "), 2, "at least 1 character"),
        (("space", "--founder", "rui@school.example", "Rivers"), 1, "Nobody has the address"),
        (("space", "--founder", "ana@school.example", "--age-band", "30", "Rivers"), 2, "'30' is not one of"),
        (("space", "Rivers"), 2, "--founder"),
    ):
        result = twinspace(data, "add", *arguments)
        assert (result.exit_code, result.stdout) == (code, ""), arguments
        assert says in result.stderr.replace("\n", " "), arguments
        assert len(result.stderr.partition("Error: ")[2].splitlines()) == 1, arguments
        assert isinstance(result.exception, SystemExit)
    assert [len(rows(data, what)) for what in ("schools", "teachers", "spaces")] == [1, 1, 0]


def appointed(data: Path) -> list[tuple[str, str | None, bool]]:
    """The offices there are, their countries, and whether they run."""

    async def look() -> list[tuple[str, str | None, bool]]:
        services = await Services.open(f"sqlite:///{data / 'records.sqlite3'}")
        try:
            async with services.records.reading() as tx:
                rows = await tx.all(select(appointments).order_by(appointments.c.office))
            return [(row["office"], row["country_code"], row["ends_at"] is None) for row in rows]
        finally:
            await services.close()

    return asyncio.run(look())


def test_an_officer_is_appointed_logs_in_and_is_dismissed(data: Path) -> None:
    furnish(data)
    officer = ("officer", "--email", "olga@office.example", "--country", "ES", "Olga")
    assert re.fullmatch(r"[a-z]+(-[a-z]+){3}", add(data, *officer))
    assert add(data, *officer) == ""
    assert add(data, "officer", "--email", "ANA@school.example", "Ana") == ""
    assert appointed(data) == [("nso-officer", "ES", True), ("platform-admin", None, True)]
    assert [row[2:] for row in rows(data, "teachers")] == [
        ["Ana Lahoz", "confirmed", rows(data, "schools")[0][0]],
        ["Olga", "confirmed", "-"],
    ]
    end = ("dismiss", "officer", "--email", "olga@office.example")
    assert twinspace(data, *end).exit_code == 1
    assert twinspace(data, *end, "--country", "ES").exit_code == 0
    assert twinspace(data, *end, "--country", "ES").exit_code == 1
    assert appointed(data) == [("nso-officer", "ES", False), ("platform-admin", None, True)]


def test_an_officer_of_no_country_that_is_there_is_not_made(data: Path) -> None:
    furnish(data)
    result = twinspace(data, "add", "officer", "--email", "olga@office.example", "--country", "PT", "Olga")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no country 'PT' yet." in result.stderr
    assert len(rows(data, "teachers")) == 1


def test_the_folder_may_come_from_the_environment(data: Path) -> None:
    made = CliRunner().invoke(
        main, ["add", "country", "ES", "España", "--language", "es"], env={"TWINSPACE_DATA": str(data)}
    )
    assert made.exit_code == 0
    assert add(data, *SCHOOL)


# PostgreSQL


def on_postgres(database: str, data: Path, *arguments: str) -> str:
    result = twinspace(data, *arguments, "--database", database)
    assert result.exit_code == 0, result.output
    return result.stdout.removesuffix("\n")


def test_a_postgresql_database_is_furnished_with_the_same_commands(database: str, data: Path) -> None:
    def add(*arguments: str) -> str:
        return on_postgres(database, data, "add", *arguments)

    assert add("country", "ES", "España", "--language", "es") == ""
    school = add(*SCHOOL)
    assert add(*SCHOOL) == school
    password = add("teacher", "--school", school, "--email", "Ana@school.example", "Ana Lahoz")
    space = add("space", "--founder", "ana@school.example", "Two rivers")
    listed = {what: on_postgres(database, data, "list", what) for what in ("schools", "teachers", "spaces")}
    assert listed["schools"] == f"{school}\tIES Puente de Piedra\tZaragoza\tES\tEurope/Madrid\tes"
    assert listed["teachers"].endswith(f"\tana@school.example\tAna Lahoz\tconfirmed\t{school}")
    assert listed["spaces"] == f"{space}\tTwo rivers\topen\t12-15\tAna Lahoz"
    assert asyncio.run(spaces_after_log_in(database, password)) == [space]
    assert not data.exists(), "nothing of it is on this machine"


async def spaces_after_log_in(database: str, password: str) -> list[str]:
    services = await Services.open(database)
    try:
        made = await services.sessions.log_in_with_password("ana@school.example", password, address="")
        return [line.id for line in await services.spaces.of(PersonId(made.principal.person or ""))]
    finally:
        await services.close()


def test_a_database_that_is_not_there_is_named_in_one_line(database: str, data: Path) -> None:
    result = twinspace(data, "list", "schools", "--database", database + "_not")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not exist" in result.stderr
    assert len(result.stderr.partition("Error: ")[2].splitlines()) == 1
