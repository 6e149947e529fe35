"""The description of the API: it is valid, it is complete, and the running server keeps to it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from argon2 import PasswordHasher
from house import House, open_house

from rooms.accounts.schools import Country
from rooms.values import AgeBand, RoomId
from server.api.openapi import describe
from server.api.routing import BEARER, PUBLIC
from server.app import all_routes

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SEED = 20_261_123
PHASES = ("--phases", "examples,coverage,fuzzing")
PASSWORD = "correct horse battery"
DESTRUCTIVE = (
    "log_out",
    "remove_member",
    "change_role",
    "freeze_space",
    "change_status",
    "change_password",
)
"""Operations after which the caller may be somebody who can do nothing more: tried last."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    # A budget that a machine asking without pause does not spend: 429 would hide the answers we are after.
    async with open_house(tmp_path / "data", api_rate=100_000.0, api_burst=1_000_000) as opened:
        yield opened


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe(all_routes(), version="1", cookie="__Host-twinspace")


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_description_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1.")
    schema = schemathesis.openapi.from_dict(description)
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(all_routes())


def test_every_route_says_who_may_call_it(description: dict[str, Any]) -> None:
    routes = {(route.method.lower(), f"/api{route.path}"): route for route in all_routes()}
    found = operations(description)
    assert {(method, path) for method, path, _ in found} == set(routes)
    for method, path, operation in found:
        route = routes[method, path]
        assert (operation.get("x-action") is not None) == (route.action is not None)
        schemes = [name for each in operation["security"] for name in each]
        expected = {PUBLIC: [], BEARER: ["documentToken"]}.get(route.access, ["session"])  # type: ignore[arg-type]
        assert schemes == expected, path


def test_every_operation_has_a_name_a_summary_and_the_one_error_form(description: dict[str, Any]) -> None:
    found = operations(description)
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    for _, path, operation in found:
        assert operation["summary"], path
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorResponse"}


class Links(HTMLParser):
    """Collects what a page names and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id" and value:
                self.ids.add(value)
            if name == "href" and value and value.startswith("#"):
                self.links.add(value[1:])


async def test_the_page_shows_every_route_and_runs_no_script(
    house: House, description: dict[str, Any]
) -> None:
    async with house.http.get(house.url + "/api/docs") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        html = await answer.text()
    found = Links()
    found.feed(html)
    assert "script" not in found.tags
    assert not found.attributes & {"style", "onclick", "onload"}
    assert found.links <= found.ids
    for _, path, operation in operations(description):
        assert path in html
        assert operation["summary"] in html.replace("&#x27;", "'").replace("&quot;", '"')
    async with house.http.get(house.url + "/api/docs.css") as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")


@dataclass(frozen=True)
class Furnished:
    session: str
    """The founder's cookie."""
    ids: dict[str, str]
    """An existing id for each path parameter."""


async def furnish(house: House) -> Furnished:
    """A space with two founders, a page and a pupil; who asks is the first founder."""
    services = house.node.services
    # Sixty cards a request, over and over: the same hash at its least cost. It is not what is tried here.
    services.hasher._argon = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    await services.schools.add_country(Country("ES", "Spain", ["es"]))
    school = await services.schools.add(
        name="IES Goya", town="Zaragoza", country="ES", time_zone="Europe/Madrid", languages=["es"]
    )
    founders = [
        await services.people.add_adult(
            name=name, email=f"{name}@school.test", password=PASSWORD, school=school
        )
        for name in ("ana", "rui")
    ]
    space = await services.spaces.create(
        title="Water", summary="", languages=["es"], age_band=AgeBand.FROM_12, founders=founders
    )
    (pupil,) = await services.people.make_pupils(founders[0], school, space, [None])
    room = (await services.spaces.get(founders[0], space)).rooms[0]
    page = await services.pages.create(founders[0], RoomId(room.id), title="Rivers")
    members = await services.members.of_space(founders[0], space)
    member = next(each for each in members if each.person_id == pupil.person_id)
    made = await services.sessions.log_in_with_password("ana@school.test", PASSWORD, address="192.0.2.1")
    ids = {
        "space_id": space,
        "room_id": room.id,
        "page_id": page.id,
        "membership_id": member.id,
        "person_id": pupil.person_id,
        "school_id": school,
        "name": "notes%2Ffuzz",
    }
    return Furnished(made.token, ids)


async def run_schemathesis(house: House, folder: Path, headers: dict[str, str], *options: str) -> None:
    """Lets schemathesis try the running server; fails with what it found, which names its seed."""
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "response_headers_conformance,unsupported_method,negative_data_rejection,missing_required_header,ignored_auth"
    )
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        "--config-file",
        folder / "schemathesis.toml",
        "run",
        f"{house.url}/api/openapi.json",
        "--checks",
        checks,
        "--no-color",
        "--generation-database=none",
        "--request-timeout",
        "60",
        "--seed",
        str(SEED),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def write_config(folder: Path, ids: dict[str, str], auth: str = "") -> None:
    lines = ["[parameters]", *(f'"path.{name}" = "{value}"' for name, value in ids.items()), auth]
    (folder / "schemathesis.toml").write_text("\n".join(lines) + "\n")


async def test_a_member_cannot_break_the_api_whatever_the_values(house: House, tmp_path: Path) -> None:
    furnished = await furnish(house)
    write_config(tmp_path, furnished.ids, f'[auth.openapi.session]\napi_key = "{furnished.session}"')
    headers = {"Origin": house.url}
    documents = ("--exclude-tag", "documents")
    last = [part for name in DESTRUCTIVE for part in ("--exclude-operation-id", name)]
    await run_schemathesis(house, tmp_path, headers, *documents, *last, *PHASES, "--max-examples", "5")
    only = [part for name in DESTRUCTIVE for part in ("--include-operation-id", name)]
    await run_schemathesis(house, tmp_path, headers, *only, *PHASES, "--max-examples", "5")


async def test_strangers_cannot_break_the_api_whatever_the_values(house: House, tmp_path: Path) -> None:
    write_config(tmp_path, {})
    options = ("--max-examples", "5", "--phases", "fuzzing")
    await run_schemathesis(house, tmp_path, {"Origin": house.url}, *options)


async def test_a_token_holder_cannot_break_the_documents_whatever_the_bytes(
    house: House, tmp_path: Path
) -> None:
    token = house.token("notes/fuzz")
    write_config(tmp_path, {"name": "notes%2Ffuzz"}, f'[auth.openapi.documentToken]\nbearer = "{token}"')
    await run_schemathesis(house, tmp_path, {}, "--include-tag", "documents", *PHASES, "--max-examples", "25")
