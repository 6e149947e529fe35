"""The demo: furnished once, whole or not at all, with log-ins that work."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from rooms.demo import furnish as demo_module
from rooms.demo.furnish import LOGINS, OFFICER, furnish
from rooms.demo.pages import PAGES
from rooms.rights.access import Scope
from rooms.services import Services
from rooms.values import PersonId, ReportState, ReportTarget, SpaceId


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
        *members, officer = demo.logins
        assert officer.role == OFFICER
        for login in members:
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
            "admin": [15],
            "teacher": [15],
            "student-editor": [12],
            "student": [9, 11],
        }
        assert {login.town for login in demo.logins if login.code} == {"Zaragoza", "Porto"}
        assert len(members) == 10
        assert len(await services.spaces.of(person)) == 1
    finally:
        await services.close()


async def test_each_team_has_a_board_with_cards_of_both_its_schools(records: Path) -> None:
    demo = await furnish(records)
    services = await Services.open(f"sqlite:///{records}")
    try:
        [ana] = [login for login in demo.logins if login.role == "admin"]
        made = await services.sessions.log_in_with_password(ana.email, ana.password, address="")
        teacher = PersonId(made.principal.person or "")
        pages = {page.document: page for page in await services.pages.of_space(teacher, demo.space)}
        schools = {
            f"membership:{each.id}": each for each in await services.members.of_space(teacher, demo.space)
        }
        teams = {team.room_id: team for team in await services.teams.of_space(teacher, demo.space)}
        assert [board.title for board in demo.boards] == [
            "Our ideas",
            "Team Kingfisher: who does what",
            "North bank: who does what",
            "South bank: who does what",
        ]
        for board in demo.boards:
            page = pages[board.document]
            assert (page.kind, page.title, page.edit_rule) == ("board", board.title, "everyone")
            assert all(0 <= card.column < len(board.columns) for card in board.cards)
            assert len({card.color for card in board.cards}) > 2
            makers = [schools[card.subject] for card in board.cards]
            pupils = [maker for maker in makers if maker.kind == "pupil"]
            assert len({maker.school_id for maker in pupils}) == 2
            if page.room_id in teams:
                listed = {id for part in teams[page.room_id].schools for id in part.members}
                assert {maker.id for maker in makers} == listed
        ours = demo.boards[0]
        assert 8 <= len(ours.cards) <= 12
        assert {schools[card.subject].role for card in ours.cards} >= {"admin", "student"}
        assert sum(page.kind == "board" for page in pages.values()) == len(demo.boards)
    finally:
        await services.close()


async def test_people_talk_and_something_waits_for_each_teacher(records: Path) -> None:
    demo = await furnish(records)
    services = await Services.open(f"sqlite:///{records}")
    try:
        teachers = {}
        for login in demo.logins:
            if login.password:
                made = await services.sessions.log_in_with_password(login.email, login.password, address="")
                teachers[login.name] = PersonId(made.principal.person or "")
        ana, rui = teachers["Ana Lahoz"], teachers["Rui Tavares"]
        threads = {thread.title: thread for thread in await services.discussions.of_space(ana, demo.space)}
        assert {title: thread.posts_count for title, thread in threads.items()} == {
            "Who lives in our river?": 5,
            "Kingfisher: who draws the map?": 2,
            "Before the video call on Tuesday": 2,
            "North bank": 0,
            "South bank": 0,
        }
        north, south = (
            team for team in await services.teams.of_space(ana, demo.space) if "bank" in team.title
        )
        assert [[len(part.members) for part in team.schools] for team in (north, south)] == [[2, 2], [2, 2]]
        assert threads["Who lives in our river?"].pinned
        assert [each.post.reasons for each in await services.moderation.held(rui, demo.space)] == [["phone"]]
        [report] = await services.reports.of_space(rui, demo.space)
        assert (report.state, report.target) == (ReportState.NEW, ReportTarget.POST)
        [group] = [space for space in await services.spaces.of(ana) if space.id != demo.space]
        assert len(await services.discussions.of_space(ana, SpaceId(group.id))) == 1
        writers = {page.title: page.subject for page in demo.pages}
        assert writers["El Ebro en Zaragoza"].startswith("membership:")
        assert writers["Welcome"] == "server:demo"
    finally:
        await services.close()


async def test_a_project_waits_for_the_officer_and_a_teacher_for_the_group(records: Path) -> None:
    demo = await furnish(records)
    services = await Services.open(f"sqlite:///{records}")
    try:
        people = {}
        for login in demo.logins:
            if login.password:
                made = await services.sessions.log_in_with_password(login.email, login.password, address="")
                people[login.role] = PersonId(made.principal.person or "")
        [waiting] = await services.lifecycle.waiting(people[OFFICER])
        assert (waiting.title, [founder.country for founder in waiting.founders]) == (
            "Lighthouses and tides",
            ["ES", "PT"],
        )
        assert await services.spaces.of(people[OFFICER]) == []
        [group] = await services.joining.groups(people["admin"])
        assert (group.title, group.join_rule, group.members) == ("Teachers on river banks", "request", 2)
        [request] = await services.joining.requests(people["teacher"], SpaceId(group.id))
        assert (request.name, request.country) == ("João Reis", "PT")
        for role, kind in ((OFFICER, "space-asked"), ("teacher", "join-asked")):
            news = await services.notifications.of(people[role])
            assert kind in [each.kind for each in news.notifications]
    finally:
        await services.close()


async def test_a_demo_of_the_first_version_opens(records: Path) -> None:
    first = await furnish(records)
    logins = records.with_name(LOGINS)
    stored = json.loads(logins.read_text())
    stored["pages"] = {title: document for title, (document, _) in stored["pages"].items()}
    logins.write_text(json.dumps(stored))
    again = await furnish(records)
    assert [page.document for page in again.pages] == [page.document for page in first.pages]
    del stored["boards"]
    logins.write_text(json.dumps(stored))
    assert (await furnish(records)).boards == ()


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
    assert len(secrets) == 22
