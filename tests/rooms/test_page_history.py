"""Who wrote what on a page, and taking back what one member did: rights, names, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pycrdt
import pytest
from sqlalchemy import update
from village import NOON, Village

from crdt.log.sqlite import SqliteLog
from crdt.richtext import FRAGMENT, render
from rooms.documents import history
from rooms.documents.errors import Forged
from rooms.documents.history import LONGEST_AGO, PageHistory, PreviewView
from rooms.documents.live import LiveRoom, Shelf
from rooms.documents.registry import Registry
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.storage.schema import people
from rooms.values import PageId, PageKind


class Desk:
    """Somebody at the page, with a document of their own."""

    def __init__(self, desks: Desks, name: str, client: int | None = None) -> None:
        self._desks = desks
        self.subject = f"membership:{desks.village.member(name)}"
        self.doc: pycrdt.Doc[pycrdt.XmlFragment] = pycrdt.Doc(client_id=client)
        self.page = self.doc.get(FRAGMENT, type=pycrdt.XmlFragment)

    @property
    def client(self) -> int:
        return self.doc.client_id

    def change(self, edit: Callable[[pycrdt.XmlFragment], object]) -> bytes:
        """What an edit writes, not sent yet."""
        before = self.doc.get_state()
        with self.doc.transaction():
            edit(self.page)
        return self.doc.get_update(before)

    async def write(self, edit: Callable[[pycrdt.XmlFragment], object]) -> None:
        await self.hear()
        await self.send(self.change(edit))

    async def send(self, update: bytes) -> None:
        async with self._desks.open() as room:
            await room.write(update, self.subject)

    async def hear(self) -> None:
        async with self._desks.open() as room:
            self.doc.apply_update(await room.read())


class Desks:
    """The page "open" of the village, live, with its past."""

    def __init__(self, village: Village, registry: Registry) -> None:
        self.village = village
        self.registry = registry
        self.page = village.facts.pages["open"]
        services = village.services
        self.history = PageHistory(services.records, registry, services.audit, services.clock)

    def open(self):
        return self.registry.open(f"page/{self.page}")

    def desk(self, name: str, client: int | None = None) -> Desk:
        return Desk(self, name, client)

    async def text(self) -> str:
        async with self.open() as room:
            return render(await room.read(), "markdown").strip()

    async def undo(self, who: str, whose: str, since: float = NOON, page: PageId | None = None) -> bool:
        village = self.village
        return await self.history.undo(village.person(who), page or self.page, village.member(whose), since)

    async def preview(self, who: str, whose: str, since: float = NOON) -> PreviewView:
        village = self.village
        return await self.history.preview(village.person(who), self.page, village.member(whose), since)

    async def undo_seen(self, who: str, whose: str, view: PreviewView, since: float = NOON) -> bool:
        village = self.village
        return await self.history.undo(
            village.person(who),
            self.page,
            village.member(whose),
            since,
            until=view.until,
            seen=view.preview.fingerprint,
        )

    async def audited(self) -> list[tuple[str, str, str | None]]:
        village = self.village
        entries = await village.services.audit.of_space(village.person("founder"), village.space)
        return [
            (entry.action, entry.object, entry.concerned) for entry in entries if entry.action == "revert"
        ]


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    (tmp_path / "log").mkdir()
    log = SqliteLog(tmp_path / "log")
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def desks(village: Village, log: SqliteLog) -> AsyncIterator[Desks]:
    registry = Registry(Shelf(log, wall_clock=village.clock), quiet=0.0)
    desks = Desks(village, registry)
    yield desks
    await desks.history.close()
    await registry.drain()


def paragraph(text: str) -> pycrdt.XmlElement:
    return pycrdt.XmlElement("paragraph", {}, [pycrdt.XmlText(text)])


def add(text: str) -> Callable[[pycrdt.XmlFragment], object]:
    return lambda page: page.children.append(paragraph(text))


def type_into(index: int, at: int, text: str) -> Callable[[pycrdt.XmlFragment], object]:
    return lambda page: page.children[index].children[0].insert(at, text)


def erase(index: int) -> Callable[[pycrdt.XmlFragment], object]:
    def edit(page: pycrdt.XmlFragment) -> None:
        del page.children[index]

    return edit


async def test_a_teacher_takes_back_the_last_minutes_of_a_pupil(desks: Desks) -> None:
    teacher, student, mate = desks.desk("teacher"), desks.desk("student"), desks.desk("mate")
    await teacher.write(add("The Ebro is long."))
    await student.write(add("It flows east."))
    desks.village.clock.now += 600
    await student.write(erase(0))
    await student.write(add("Nonsense!"))
    await mate.write(type_into(0, 14, " To the sea."))
    await mate.write(type_into(1, 9, " Or not."))
    assert await desks.text() == "It flows east. To the sea.\n\nNonsense! Or not."
    assert await desks.undo("teacher", "student", NOON + 1)
    kept = "The Ebro is long.\n\nIt flows east. To the sea.\n\nOr not."
    assert await desks.text() == kept
    assert await desks.audited() == [
        ("revert", f"page/{desks.page}", desks.village.member("student")),
    ]
    assert not await desks.undo("teacher", "student", NOON + 1)
    assert not await desks.undo("partner", "student", NOON + 1)
    assert await desks.text() == kept
    assert len(await desks.audited()) == 1


def told(view: PreviewView) -> list[tuple[str, list[tuple[str, str]], int]]:
    return [
        (
            block.node,
            [(piece.fate.value, piece.text or piece.node) for piece in block.pieces],
            block.by_others,
        )
        for block in view.preview.blocks
    ]


async def test_what_goes_and_what_comes_back_is_seen_before(desks: Desks) -> None:
    teacher, student, mate = desks.desk("teacher"), desks.desk("student"), desks.desk("mate")
    await teacher.write(add("The Ebro is long."))
    await teacher.write(add("It flows east."))
    await teacher.write(add("Nobody changes this."))
    desks.village.clock.now += 600
    await student.write(erase(0))
    await student.write(type_into(0, 3, "NOT "))
    await student.write(add("Nonsense! Rubbish!"))
    await mate.write(type_into(2, 9, " Or not."))
    await mate.write(lambda page: page.children[2].children[0].__delitem__(slice(0, 3)))
    before = await desks.text()
    view = await desks.preview("teacher", "student", NOON + 1)
    assert told(view) == [
        ("paragraph", [("back", "The Ebro is long.")], 0),
        ("paragraph", [("stays", "It "), ("goes", "NOT "), ("stays", "flows east.")], 0),
        ("paragraph", [("goes", "sense!"), ("stays", " Or not."), ("goes", " Rubbish!")], 8),
    ]
    assert (view.preview.more, view.preview.gone_already) == (0, 3)
    assert await desks.text() == before
    assert await desks.audited() == []
    assert await desks.undo_seen("teacher", "student", view, NOON + 1)
    assert await desks.text() == ("The Ebro is long.\n\nIt flows east.\n\nNobody changes this.\n\nOr not.")
    again = await desks.preview("teacher", "student", NOON + 1)
    assert (again.preview.blocks, again.preview.fingerprint) == ([], "")


async def test_just_what_was_seen_is_undone(desks: Desks) -> None:
    student, mate = desks.desk("student"), desks.desk("mate")
    await mate.write(add("The Ebro is long."))
    desks.village.clock.now += 60
    await student.write(type_into(0, 8, " NOT"))
    view = await desks.preview("teacher", "student", NOON + 1)
    desks.village.clock.now += 60
    await student.write(add("Later."))
    await mate.write(type_into(0, 0, "Look: "))
    assert await desks.undo_seen("teacher", "student", view, NOON + 1)
    assert await desks.text() == "Look: The Ebro is long.\n\nLater."


@pytest.mark.parametrize("change", ["kept", "gone"])
async def test_when_it_has_changed_meanwhile_nothing_is_undone(desks: Desks, change: str) -> None:
    student, mate = desks.desk("student"), desks.desk("mate")
    await student.write(add("Nonsense!"))
    view = await desks.preview("teacher", "student")
    desks.village.clock.now += 1
    await mate.write(type_into(0, 9, " Or not.") if change == "kept" else erase(0))
    before = await desks.text()
    with pytest.raises(Conflict) as refused:
        await desks.undo_seen("teacher", "student", view)
    assert refused.value.code == "changed-meanwhile"
    assert await desks.text() == before
    assert await desks.audited() == []
    if change == "kept":
        view = await desks.preview("teacher", "student")
        assert told(view) == [("paragraph", [("goes", "Nonsense!"), ("stays", " Or not.")], 8)]
        assert await desks.undo_seen("teacher", "student", view)
        assert await desks.text() == "Or not."


async def test_a_preview_is_short_whatever_was_written(desks: Desks) -> None:
    student, mate = desks.desk("student"), desks.desk("mate")
    await mate.write(add("river " * 1_000))
    desks.village.clock.now += 60
    await student.write(type_into(0, 3_000, "NOT"))
    await student.write(add("x" * 5_000))
    for _ in range(45):
        await student.write(add("Nonsense!"))
    view = await desks.preview("teacher", "student", NOON + 1)
    first, long, *_ = view.preview.blocks
    assert [len(piece.text) < 100 for piece in first.pieces] == [True, True, True]
    assert len(long.pieces[0].text) < 1_100
    assert (len(view.preview.blocks), view.preview.more) == (40, 7)
    assert await desks.undo_seen("teacher", "student", view, NOON + 1)
    assert "Nonsense" not in await desks.text()


@pytest.mark.parametrize(
    ("who", "error"),
    [("student", NotAllowed), ("mate", NotAllowed), ("guest", NotFound), ("outsider", NotFound)],
)
async def test_others_see_no_preview(desks: Desks, who: str, error: type[Exception]) -> None:
    await desks.desk("student").write(add("Nonsense!"))
    with pytest.raises(error):
        await desks.preview(who, "student")


async def test_it_is_written_in_the_name_of_whoever_undid_it(desks: Desks) -> None:
    student = desks.desk("student")
    await student.write(add("Nonsense!"))
    assert await desks.undo("admin", "student")
    assert await desks.text() == ""
    entries = [entry async for entry in desks.registry.shelf.log.history(f"page/{desks.page}")]
    assert [entry.subject for entry in entries] == [
        student.subject,
        f"membership:{desks.village.member('admin')}",
    ]


async def test_it_works_on_a_locked_page(desks: Desks) -> None:
    village = desks.village
    await desks.desk("student").write(add("Nonsense!"))
    await village.services.pages.lock(village.person("admin"), desks.page, "We read it.", None)
    assert await desks.undo("teacher", "student")
    assert await desks.text() == ""


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("student", NotAllowed),
        ("editor", NotAllowed),
        ("mate", NotAllowed),
        ("guest", NotFound),
        ("removed", NotFound),
        ("outsider", NotFound),
        ("stranger", NotFound),
    ],
)
async def test_others_may_not(desks: Desks, who: str, error: type[Exception]) -> None:
    await desks.desk("student").write(add("Nonsense!"))
    with pytest.raises(error):
        await desks.undo(who, "student")
    assert await desks.text() == "Nonsense!"
    assert await desks.audited() == []


async def test_nobody_undoes_on_pages_they_may_not_see_or_of_members_of_other_spaces(desks: Desks) -> None:
    village = desks.village
    with pytest.raises(NotFound):
        await desks.undo("teacher", "student", page=village.facts.pages["elsewhere"])
    with pytest.raises(NotFound):
        await desks.undo("teacher", "student", page=PageId("no-such-page"))
    village.facts.members["stranger"] = (
        await village.services.members.of_space(village.person("outsider"), village.facts.spaces["elsewhere"])
    )[0].id  # type: ignore[assignment]
    with pytest.raises(NotFound):
        await desks.undo("teacher", "stranger")


async def test_only_thirty_days_are_taken_back(desks: Desks) -> None:
    with pytest.raises(Conflict) as refused:
        await desks.undo("teacher", "student", NOON - LONGEST_AGO - 1)
    assert refused.value.code == "too-long-ago"
    assert not await desks.undo("teacher", "student", NOON - LONGEST_AGO)


async def test_what_was_folded_into_a_snapshot_meanwhile_comes_back_all_the_same(
    desks: Desks, log: SqliteLog
) -> None:
    student, mate = desks.desk("student"), desks.desk("mate")
    await mate.write(add("The Ebro is long."))
    desks.village.clock.now += 60
    await student.write(add("Nonsense!"))
    await student.write(erase(0))
    assert await log.compact(f"page/{desks.page}")
    await mate.write(add("The sea is near."))
    assert await desks.undo("teacher", "student", NOON + 1)
    assert await desks.text() == "The Ebro is long.\n\nThe sea is near."


async def test_what_somebody_was_typing_meanwhile_is_brought_back(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LATER_SECONDS", 0.1)
    student, mate = desks.desk("student"), desks.desk("mate")
    await student.write(add("Nonsense!"))
    await mate.hear()
    late = mate.change(type_into(0, 9, " Or not."))
    assert await desks.undo("teacher", "student")
    assert await desks.text() == ""
    await mate.send(late)
    async with asyncio.timeout(5):
        while await desks.text() != "Or not.":
            await asyncio.sleep(0.02)
    await student.write(add("I am sorry."))
    assert not await desks.undo("teacher", "student", NOON + 1)
    assert await desks.text() == "Or not.\n\nI am sorry."


async def test_authors_have_names_schools_and_counts_also_when_they_have_left(desks: Desks) -> None:
    village = desks.village
    await desks.desk("teacher").write(add("Rivers"))
    village.clock.now += 60
    student, pal = desks.desk("student"), desks.desk("pal")
    await student.write(add("The Ebro 🌊"))
    await pal.write(add("The Douro"))
    await pal.write(erase(2))
    await village.services.members.remove(village.person("partner"), village.member("pal"))
    found = await desks.history.authors(village.person("mate"), desks.page)
    assert [(view.membership_id, view.name, view.school) for view in found] == [
        (village.member("student"), "Student", "School of Zaragoza"),
        (village.member("teacher"), "Teacher", "School of Zaragoza"),
        (village.member("pal"), "Pal", "School of Porto"),
    ]
    assert [(view.role, view.characters, view.last_at) for view in found] == [
        ("student", 10, NOON + 60),
        ("teacher", 6, NOON),
        ("student", 0, NOON + 60),
    ]


async def test_whoever_was_erased_has_neither_id_nor_name(desks: Desks) -> None:
    village = desks.village
    student = desks.desk("student")
    await student.write(add("The Ebro"))
    async with village.services.records.writing() as tx:
        gone = people.c.id == village.person("student")
        await tx.do(update(people).where(gone).values(state="erased", name="?"))
    [author] = await desks.history.authors(village.person("mate"), desks.page)
    assert (author.membership_id, author.name, author.school, author.characters) == (None, None, None, 8)
    owners = await desks.history.authorship(village.person("mate"), desks.page)
    assert owners == {str(student.client): None}
    with pytest.raises(NotFound):
        await desks.undo("teacher", "student")


async def test_only_who_may_read_the_page_sees_who_wrote(desks: Desks) -> None:
    village = desks.village
    await desks.desk("teacher").write(add("Rivers"))
    for name in ("guest", "removed", "outsider", "stranger"):
        with pytest.raises(NotFound):
            await desks.history.authors(village.person(name), desks.page)
        with pytest.raises(NotFound):
            await desks.history.authorship(village.person(name), desks.page)
    with pytest.raises(NotFound):
        await desks.history.authors(village.person("student"), village.facts.pages["staff"])


async def test_authorship_cannot_be_forged(desks: Desks) -> None:
    village = desks.village
    student = desks.desk("student")
    await student.write(add("The Ebro"))
    mate = desks.desk("mate", student.client)
    await mate.hear()
    with pytest.raises(Forged):
        await mate.send(mate.change(add("in the name of somebody else")))
    async with desks.open() as room:
        copied = await room.read()
    await mate.send(copied)  # sending what somebody else wrote makes nobody its writer
    owners = await desks.history.authorship(village.person("mate"), desks.page)
    assert owners == {str(student.client): village.member("student")}
    [author] = await desks.history.authors(village.person("mate"), desks.page)
    assert author.membership_id == village.member("student")


async def test_a_long_page_is_looked_through_in_another_process(desks: Desks) -> None:
    student, mate = desks.desk("student"), desks.desk("mate")
    for number in range(40):
        await mate.write(add(f"{number} " + "The Ebro is long. " * 20))
        await student.write(type_into(number, 0, f"Nonsense {number}! "))
    rooms: list[LiveRoom] = list(desks.registry)
    assert len(rooms) == 1
    assert await desks.undo("teacher", "student")
    text = await desks.text()
    assert "Nonsense" not in text
    assert text.count("The Ebro is long.") == 800
    found = await desks.history.authors(desks.village.person("mate"), desks.page)
    assert found[0].membership_id == desks.village.member("mate")


# Boards


@pytest.fixture
async def board(desks: Desks) -> Desks:
    """The same with a board in the page's place, and a column of the teacher's on it."""
    village = desks.village
    made = await village.services.pages.create(
        village.person("founder"), village.facts.rooms["general"], title="Ideas", kind=PageKind.BOARD
    )
    desks.page = PageId(made.id)
    await desks.desk("teacher").write(column("Ideas", id="ideas000", place="b", protected="teachers"))
    await desks.desk("teacher").write(column("Done", id="done0000", place="n", protected="teachers"))
    return desks


def column(title: str, **attributes: str) -> Callable[[pycrdt.XmlFragment], object]:
    return lambda page: page.children.append(pycrdt.XmlElement("column", attributes, [title]))


def card(desk: Desk, text: str, column: str, place: str) -> Callable[[pycrdt.XmlFragment], object]:
    attributes = {"column": column, "place": place, "protected": str(desk.client)}
    return lambda page: page.children.append(pycrdt.XmlElement("card", attributes, [text]))


def put(index: int, **attributes: str) -> Callable[[pycrdt.XmlFragment], object]:
    def edit(page: pycrdt.XmlFragment) -> None:
        for name, value in attributes.items():
            page.children[index].attributes[name] = value

    return edit


async def shown(board: Desks) -> list[str]:
    return (await board.text()).split("\n\n")


async def test_who_wrote_what_on_a_board(board: Desks) -> None:
    student, mate = board.desk("student"), board.desk("mate")
    await student.write(card(student, "Count the birds", "ideas000", "b"))
    await mate.write(card(mate, "Draw", "ideas000", "n"))
    await mate.write(put(3, column="done0000"))
    village = board.village
    found = {
        view.name: view.characters for view in await board.history.authors(village.person("mate"), board.page)
    }
    assert found == {"Student": 15, "Teacher": 9, "Mate": 4}
    whose = await board.history.authorship(village.person("mate"), board.page)
    for desk, name in ((student, "student"), (mate, "mate")):
        assert whose[str(desk.client)] == village.member(name), "whose card it is"


async def test_cards_columns_and_moves_of_one_pupil_are_taken_back(board: Desks) -> None:
    student, mate = board.desk("student"), board.desk("mate")
    await student.write(card(student, "Count the birds", "ideas000", "b"))
    await mate.write(card(mate, "Draw", "ideas000", "n"))
    board.village.clock.now += 600
    await student.write(put(2, column="done0000", place="z", color="pink"))
    await student.write(type_into(2, 0, "Don't! "))
    await student.write(card(student, "Nonsense", "ideas000", "a"))
    await student.write(column("Rubbish", id="rubbish0", place="c"))
    await mate.write(card(mate, "Sing", "rubbish0", "b"))
    await mate.write(put(3, place="ab"))
    assert await shown(board) == [
        *("# Ideas", "Nonsense", "Draw", "# Rubbish", "Sing", "# Done", "Don't! Count the birds"),
    ]
    view = await board.preview("teacher", "student", NOON + 1)
    assert told(view) == [
        ("card", [("goes", "Don't! "), ("stays", "Count the birds")], 0),
        ("card", [("goes", "Nonsense")], 0),
        ("column", [("goes", "Rubbish")], 0),
    ]
    assert [block.look for block in view.preview.blocks] == [True, False, False]
    assert await board.undo_seen("teacher", "student", view, NOON + 1)
    assert await shown(board) == ["Sing", "# Ideas", "Draw", "Count the birds", "# Done"]


async def test_a_move_alone_is_told_and_taken_back(board: Desks) -> None:
    student = board.desk("student")
    await student.write(card(student, "Count the birds", "ideas000", "b"))
    board.village.clock.now += 600
    await student.write(put(2, column="done0000", place="z"))
    view = await board.preview("teacher", "student", NOON + 1)
    assert told(view) == [("card", [("stays", "Count the birds")], 0)]
    assert view.preview.blocks[0].look
    assert await board.undo_seen("teacher", "student", view, NOON + 1)
    assert await shown(board) == ["# Ideas", "Count the birds", "# Done"]


async def test_a_move_that_somebody_has_moved_on_stays(board: Desks) -> None:
    student, teacher = board.desk("student"), board.desk("teacher")
    await student.write(card(student, "Count the birds", "ideas000", "b"))
    board.village.clock.now += 600
    await student.write(put(2, column="nowhere0"))
    await teacher.write(put(2, column="done0000"))
    await board.undo("teacher", "student", NOON + 1)
    assert await shown(board) == ["# Ideas", "# Done", "Count the birds"]


async def test_a_deleted_column_and_cards_come_back_to_where_and_whose_they_were(board: Desks) -> None:
    student, mate, editor = board.desk("student"), board.desk("mate"), board.desk("editor")
    await student.write(card(student, "Count the birds", "ideas000", "b"))
    await mate.write(card(mate, "Draw", "ideas000", "n"))
    board.village.clock.now += 600
    await editor.write(erase(2))
    await editor.write(erase(0))
    assert await shown(board) == ["Draw", "# Done"]
    view = await board.preview("teacher", "editor", NOON + 1)
    assert told(view) == [
        ("column", [("back", "Ideas")], 0),
        ("card", [("back", "Count the birds")], 0),
    ]
    assert await board.undo_seen("teacher", "editor", view, NOON + 1)
    assert await shown(board) == ["# Ideas", "Count the birds", "Draw", "# Done"]
    async with board.open() as room:
        mate.doc.apply_update(await room.read())
    back = next(each for each in mate.page.children if "birds" in str(each.children[0]))
    assert back.attributes["protected"] == str(student.client)
