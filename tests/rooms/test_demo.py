"""The demo: furnished once, whole or not at all, with log-ins that work."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from rooms import demo as demo_module
from rooms.access import Scope
from rooms.demo import LOGINS, furnish
from rooms.demo_pages import PAGES
from rooms.services import Services
from rooms.values import PersonId


@pytest.fixture
async def records(tmp_path: Path) -> Path:
    return tmp_path / "data" / "records.sqlite3"


async def test_a_second_start_finds_the_same_demo_and_its_log_ins(records: Path) -> None:
    first = await furnish(records)
    written = (records.stat().st_mtime_ns, records.with_name(LOGINS).read_bytes())
    assert await furnish(records) == first
    assert (records.stat().st_mtime_ns, records.with_name(LOGINS).read_bytes()) == written
    assert sorted(path.name for path in records.parent.iterdir()) == [LOGINS, records.name]
    assert stat.S_IMODE(records.with_name(LOGINS).stat().st_mode) == 0o600


async def test_everybody_gets_in_and_sees_the_pages_of_their_role(records: Path) -> None:
    demo = await furnish(records)
    services = await Services.open(f"sqlite:///{records}")
    try:
        seen: dict[str, list[int]] = {}
        for login in demo.logins:
            if login.code:
                made = await services.sessions.log_in_with_code(login.code, address="")
            else:
                made = await services.sessions.log_in_with_password(login.email, login.password, address="")
            assert made.principal.name == login.name
            person = PersonId(made.principal.person or "")
            pages = await services.pages.of_space(person, demo.space)
            seen.setdefault(login.role, []).append(len(pages))
            for page in demo.pages:
                access = await services.authority.access(made.principal, page.document)
                assert access.may_read == (page.document in {shown.document for shown in pages})
                if page.title == "Our promise":
                    assert (access.scope, access.reason) == (Scope.READONLY, "locked")
                    assert access.note
                if page.title == "Our two rivers":
                    assert access.may_write
        assert len(PAGES) == 9
        assert {role: sorted(set(counts)) for role, counts in seen.items()} == {
            "admin": [9],
            "teacher": [9],
            "student-editor": [8],
            "student": [6, 7],
        }
        assert {login.town for login in demo.logins if login.code} == {"Zaragoza", "Porto"}
        assert len(demo.logins) == 10
        assert len(await services.spaces.of(person)) == 1
    finally:
        await services.close()


async def test_a_demo_that_was_cut_off_is_begun_again(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut_off(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as cutting:
        cutting.setattr(demo_module, "_pages", cut_off)
        with pytest.raises(asyncio.CancelledError):
            await furnish(records)
    assert not records.exists()
    assert len((await furnish(records)).pages) == len(PAGES)
    assert sorted(path.name for path in records.parent.iterdir()) == [LOGINS, records.name]


async def test_records_of_something_else_are_left_alone(records: Path) -> None:
    records.parent.mkdir()
    services = await Services.open(f"sqlite:///{records}")
    await services.close()
    with pytest.raises(FileExistsError, match="Choose another --data folder"):
        await furnish(records)


async def test_the_secrets_of_two_demos_differ(tmp_path: Path) -> None:
    one, other = await furnish(tmp_path / "1" / "r"), await furnish(tmp_path / "2" / "r")
    secrets = {login.password or login.code for login in (*one.logins, *other.logins)}
    assert len(secrets) == 20
