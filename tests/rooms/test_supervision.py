"""Who supervises: teachers on this node and on others, and the minute after the last one has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from listeners import Listener
from neighbours import Neighbour, neighbours

from crdt.log.sqlite import SqliteLog
from rooms.bus.messages import Attending
from rooms.documents.attachment import Attachment
from rooms.rights.access import Access, Change, Changes, Scope
from rooms.rights.supervision import GRACE, HEARD_FOR, Supervision

EBRO, DOURO = frozenset({"ebro"}), frozenset({"douro"})
BOTH = EBRO | DOURO
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def node(log: SqliteLog) -> AsyncIterator[Neighbour]:
    async with neighbours(log, count=1) as (one,):
        yield one


@dataclass
class Bell:
    """A supervision whose time a test moves, and what it has published."""

    now: float = 1000.0
    heard: list[Change] = field(default_factory=list)
    spread: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        changes = Changes()
        changes.subscribe(self.heard.append)
        self.supervision = Supervision(changes, clock=lambda: self.now)
        self.supervision.spread = lambda spaces: self.spread.append(dict(spaces))

    @property
    def teachers(self) -> frozenset[str]:
        return self.supervision.teachers("rivers")

    def after(self, seconds: float) -> frozenset[str]:
        self.now += seconds
        self.supervision.tick()
        return self.teachers


@pytest.fixture
def bell() -> Bell:
    return Bell()


async def teacher(
    node: Neighbour, school: str | None, document: str = "page/1", space: str = "rivers"
) -> Attachment:
    """Somebody on a document of the space; without a school no teacher."""
    attachment = (await node.join(document, f"teacher of {school}")).attachment
    attachment.access = replace(attachment.access, space=space, teacher_of=school)
    return attachment


def go(bell: Bell, attachment: Attachment) -> None:
    attachment.room.detach(attachment)
    bell.supervision.leave(attachment)


async def test_a_teacher_is_there_while_any_document_of_the_space_is_open(
    bell: Bell, node: Neighbour
) -> None:
    first, second = await teacher(node, "ebro"), await teacher(node, "ebro", "space/rivers")
    pupil = await teacher(node, None)
    for attachment in (pupil, first, second):
        bell.supervision.watch(attachment)
        bell.supervision.watch(attachment)  # its rights were asked for anew
    assert bell.teachers == EBRO
    assert bell.supervision.teachers("elsewhere") == NOBODY
    go(bell, first)
    assert bell.after(2 * GRACE) == EBRO
    go(bell, second)
    assert bell.after(GRACE - 1) == EBRO
    assert bell.after(1) == NOBODY
    assert bell.supervision.here() == {}
    assert bell.spread == [{"rivers": ("ebro",)}, {"rivers": ()}]


async def test_a_change_is_published_when_the_first_comes_and_when_the_grace_of_the_last_is_over(
    bell: Bell, node: Neighbour
) -> None:
    attachment = await teacher(node, "ebro")
    bell.supervision.watch(attachment)
    assert [(change.kind, change.space, change.supervised) for change in bell.heard] == [
        ("supervision", "rivers", True)
    ]
    go(bell, attachment)
    bell.after(GRACE / 2)
    again = await teacher(node, "ebro")  # a broken line
    bell.supervision.watch(again)
    bell.after(GRACE)
    assert len(bell.heard) == 1
    go(bell, again)
    bell.after(GRACE - 0.5)
    assert len(bell.heard) == 1
    bell.after(1)
    bell.after(1)
    assert len(bell.heard) == 2


async def test_it_holds_to_the_moment_before_anybody_takes_notice(bell: Bell, node: Neighbour) -> None:
    attachment = await teacher(node, "ebro")
    bell.supervision.watch(attachment)
    go(bell, attachment)
    bell.now += GRACE
    assert bell.teachers == NOBODY
    bell.supervision.heard("other", {"rivers": ["douro"]})
    bell.now += HEARD_FOR + GRACE  # this node slept
    assert bell.teachers == NOBODY


async def test_whoever_is_no_teacher_any_more_does_not_count(bell: Bell, node: Neighbour) -> None:
    attachment = await teacher(node, "ebro")
    bell.supervision.watch(attachment)
    attachment.access = replace(attachment.access, teacher_of=None)
    bell.supervision.watch(attachment)
    assert bell.after(GRACE) == NOBODY
    attachment.access = Access(Scope.NONE)
    bell.supervision.watch(attachment)
    gone = await teacher(node, "ebro")
    gone.room.detach(gone)
    bell.supervision.watch(gone)  # asked for anew while its socket closed
    assert bell.teachers == NOBODY


async def test_schools_are_told_apart(bell: Bell, node: Neighbour) -> None:
    ebro, douro = await teacher(node, "ebro"), await teacher(node, "douro")
    for attachment in (ebro, douro):
        bell.supervision.watch(attachment)
    assert bell.teachers == BOTH
    assert bell.supervision.here() == {"rivers": ("ebro", "douro")}
    go(bell, ebro)
    assert bell.after(GRACE) == DOURO
    assert len(bell.heard) == 3


async def test_what_another_node_says_counts_until_it_says_otherwise(bell: Bell) -> None:
    for _ in range(5):
        bell.supervision.heard("other", {"rivers": ["ebro"]})
        assert bell.after(HEARD_FOR - 1) == EBRO
    bell.supervision.heard("other", {"rivers": []})
    assert bell.after(GRACE - 1) == EBRO
    assert bell.after(1) == NOBODY
    assert len(bell.heard) == 2


async def test_a_node_that_dies_takes_its_teachers_with_it(bell: Bell) -> None:
    bell.supervision.heard("silent", {"rivers": ["ebro"]})
    bell.supervision.heard("gone", {"rivers": ["douro"], "elsewhere": ["douro"]})
    bell.supervision.node_gone("gone")
    assert bell.teachers == BOTH
    assert bell.after(GRACE) == EBRO
    assert bell.supervision.teachers("elsewhere") == NOBODY
    assert bell.after(HEARD_FOR) == NOBODY


async def test_a_teacher_who_moves_to_another_node_was_never_away(bell: Bell, node: Neighbour) -> None:
    attachment = await teacher(node, "ebro")
    bell.supervision.watch(attachment)
    bell.supervision.heard("other", {"rivers": ["ebro"]})
    go(bell, attachment)
    bell.supervision.heard("other", {"rivers": ["ebro"]})
    assert bell.after(HEARD_FOR) == EBRO
    bell.supervision.heard("other", {"rivers": []})
    assert bell.after(GRACE) == NOBODY
    assert len(bell.heard) == 2


async def test_nothing_is_kept_of_spaces_whose_teachers_are_gone(bell: Bell, node: Neighbour) -> None:
    attachment = await teacher(node, "ebro")
    bell.supervision.watch(attachment)
    bell.supervision.heard("other", {"rivers": ["ebro"], "elsewhere": []})
    go(bell, attachment)
    bell.supervision.node_gone("other")
    bell.after(GRACE)
    kept = (
        bell.supervision._here,
        bell.supervision._counted,
        bell.supervision._there,
        bell.supervision._ends,
    )
    assert not any(kept)


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def test_other_nodes_hear_of_a_teacher_at_once_and_of_their_going(log: SqliteLog) -> None:
    async with neighbours(log) as (one, two):
        for each in (one, two):
            each.supervision.grace = 0.0
        attachment = await teacher(one, "ebro")
        one.supervision.watch(attachment)
        await until(lambda: two.supervision.teachers("rivers") == EBRO)
        attachment.room.detach(attachment)
        one.supervision.leave(attachment)
        await until(lambda: two.supervision.teachers("rivers") == NOBODY)


async def test_what_the_bus_lost_is_said_again_and_a_new_node_soon_knows(log: SqliteLog) -> None:
    async with neighbours(log, loss=1.0) as (one, two):
        attachment = await teacher(one, "ebro")
        one.supervision.watch(attachment)
        said = [each for each in one.bus.sent if isinstance(each, Attending)]
        assert said[-1] == Attending({"rivers": ("ebro",)})
        await asyncio.sleep(0.05)
        assert two.supervision.teachers("rivers") == NOBODY
        one.bus.loss = 0.0
        await until(lambda: two.supervision.teachers("rivers") == EBRO)


async def test_only_those_whose_rights_rest_on_it_are_concerned(node: Neighbour) -> None:
    change = Change("supervision", space="rivers", supervised=True)
    pupil: Listener = await node.join("page/1", "pupil")
    pupil.attachment.access = replace(pupil.attachment.access, space="rivers", supervised=True)
    assert pupil.attachment.concerned(change)
    assert not (await teacher(node, "ebro")).concerned(change)
    pupil.attachment.access = replace(pupil.attachment.access, space="elsewhere")
    assert not pupil.attachment.concerned(change)
