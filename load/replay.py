"""Replays a recorded session through one real client per writer, in the order in which it happened.

A transaction is made by its writer's client only after that client has received, from the server, every
change the transaction comes after. Positions count in the document made of exactly those changes, but
a client receives later ones too, and servers merge what they send. So each writer has two documents:

    client   a real client: sends, receives and applies everything, as it comes
    page     what the writer saw while typing: a change enters it when the client has received that change and
             the recording says that the writer knew it

Edits are typed into the page, and go out through the client. What is compared at the end is the clients'
text, which holds nothing but what came from the server and what they typed themselves.

Client ids ascend with the writers' numbers: where two writers insert at one position at once, Yjs puts the
smaller id first, which is the order that friendsforever's end content has (descending ids do not yield it).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click

from crdt.update import UpdateSummary

from .client import Client
from .command import Speed, WorkloadError, run
from .report import Machine, milliseconds, progress
from .servers import TwinSpace
from .target import checked
from .trace import Trace, load_trace
from .wire import Framing
from .writer import ROOT, Made, Outlet, Pace, Page

__all__ = ["Outcome", "Plan", "Stalled", "replay"]

UNTIMED_GAP = 0.2
"""Seconds between two edits where the recording has no times and a speed is asked for."""
NO_ECHO_AFTER = 2.0
"""Seconds after which a server is believed not to echo, if a second client has seen an edit by then."""


class Stalled(WorkloadError):
    """Edits are under way, and nothing has arrived for too long."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to replay.

    url, document: where; `tokens(subject)` gives each client its token.
    framings: the clients take them in turn.
    speed: times the recorded speed; None for as fast as it goes.
    pace: how each writer sends.
    readers: clients that only watch.
    patience: seconds without any progress before the replay is given up.
    """

    url: str
    document: str
    tokens: Callable[[str], str | None] = lambda _: None
    framings: tuple[Framing, ...] = (Framing.Y_WEBSOCKET,)
    speed: float | None = None
    pace: Pace = field(default_factory=Pace)
    readers: int = 1
    patience: float = 60.0


@dataclass(slots=True)
class Outcome:
    edits: int = 0
    """Transactions that changed something."""
    acknowledged: int = 0
    messages: int = 0
    refused: int = 0
    equal: dict[str, bool] = field(default_factory=dict)
    """For each client, and a fresh one, whether its text is the recorded end."""
    to_other: list[float] = field(default_factory=list)
    """Seconds from typing an edit to each other client having it."""
    to_acknowledged: list[float] = field(default_factory=list)
    seconds: float = 0.0
    echoes: bool = True
    """False: this server sends no echo; an edit counts as acknowledged when a second client saw it."""

    @property
    def complete(self) -> bool:
        """Whether everything was acknowledged and every client ended with the recorded text."""
        return self.edits == self.acknowledged and bool(self.equal) and all(self.equal.values())


class _Watcher:
    """One client, and how much of each writer it has received."""

    def __init__(self, replay: _Replay, client: Client, name: str, writer: int | None) -> None:
        self.client = client
        self.name = name
        self.writer = writer
        self.arrived = [0] * replay.trace.writers
        self._replay = replay
        client.replica.on_received = self._received

    def knows(self, known: tuple[int, ...]) -> bool:
        return all(
            have >= need or writer == self.writer
            for writer, (have, need) in enumerate(zip(self.arrived, known, strict=True))
        )

    def _received(self, _: UpdateSummary) -> None:
        known, replay = self.client.replica.known, self._replay
        now = time.perf_counter()
        for writer, made in enumerate(replay.made):
            if writer == self.writer:
                continue
            count = self.arrived[writer]
            while count < len(made) and known.covers(made[count].summary):
                if not made[count].summary.is_empty:
                    replay.outcome.to_other.append(now - made[count].at)
                count += 1
            self.arrived[writer] = count
        replay.progressed()
        if not replay.outcome.echoes and self.writer is None:
            replay.acknowledge_by(self)


class _Replay:
    def __init__(self, trace: Trace, plan: Plan, on_edit: Callable[[], None]) -> None:
        self.trace, self.plan = trace, plan
        self.outcome = Outcome()
        self.made: list[list[Made]] = [[] for _ in range(trace.writers)]
        self._watchers: list[_Watcher] = []
        self._outlets: list[Outlet] = []
        self._on_edit = on_edit
        self._is_ascii = trace.ascii
        self._began = self._last_progress = time.perf_counter()

    def progressed(self) -> None:
        self._last_progress = time.perf_counter()

    async def run(self) -> Outcome:
        plan = self.plan
        base = secrets.randbits(31)
        async with AsyncExitStack() as clients:
            for number in range(self.trace.writers + plan.readers):
                writer = number if number < self.trace.writers else None
                name = f"reader {number - self.trace.writers}" if writer is None else f"writer {number}"
                client = Client(
                    plan.url,
                    plan.document,
                    token=plan.tokens(name),
                    framing=plan.framings[number % len(plan.framings)],
                    client_id=base + number,
                    patience=plan.patience,
                )
                await clients.enter_async_context(client)
                client.patience = None  # from here on `_watch_over` decides
                if str(client.text(ROOT)):
                    raise Stalled(f"The document {plan.document} is not empty: choose another --document.")
                self._watchers.append(_Watcher(self, client, name, writer))
            self._outlets = [
                Outlet(each.client, plan.pace, self._settled) for each in self._watchers[: self.trace.writers]
            ]
            self._began = time.perf_counter()
            try:
                async with asyncio.TaskGroup() as tasks:
                    guard = tasks.create_task(self._watch_over())
                    work = [tasks.create_task(self._write(number)) for number in range(self.trace.writers)]
                    work += [tasks.create_task(self._read(each)) for each in self._watchers]
                    await asyncio.wait(work)
                    guard.cancel()
            except ExceptionGroup as several:
                raise several.exceptions[0] from None
            self.outcome.seconds = time.perf_counter() - self._began
            self.outcome.messages = sum(each.messages for each in self._outlets)
            for each in self._watchers:
                self.outcome.equal[each.name] = str(each.client.text(ROOT)) == self.trace.end_content
            # While the others are there: some stock servers forget a document when its last client goes.
            async with Client(plan.url, plan.document, token=plan.tokens("fresh")) as fresh:
                self.outcome.equal["a fresh client"] = str(fresh.text(ROOT)) == self.trace.end_content
        return self.outcome

    async def _write(self, writer: int) -> None:
        """One writer's session."""
        watcher, outlet = self._watchers[writer], self._outlets[writer]
        client = watcher.client
        page = Page(client.client_id, is_ascii=self._is_ascii)
        taken = [0] * self.trace.writers
        try:
            for index, transaction in enumerate(self.trace.transactions):
                if transaction.writer != writer:
                    continue
                await self._until_due(index)
                if not watcher.knows(transaction.knows):
                    await client.until(partial(watcher.knows, transaction.knows))
                for other, known in enumerate(transaction.knows):
                    if other != writer:
                        for made in self.made[other][taken[other] : known]:
                            page.take(made)
                        taken[other] = known
                made = page.type(transaction.patches)
                self.made[writer].append(made)
                self._on_edit()
                if not made.summary.is_empty:
                    self.outcome.edits += 1
                    await outlet.send(made)
            await outlet.settled()
        finally:
            outlet.close()
            page.close()

    def _settled(self, made: list[Made], acknowledged: float | None) -> None:
        if acknowledged is None:
            self.outcome.refused += len(made)
        else:
            self.outcome.acknowledged += len(made)
            self.outcome.to_acknowledged += [acknowledged - each.at for each in made]
        self.progressed()

    async def _read(self, watcher: _Watcher) -> None:
        """Waits until a client has received everything."""
        counts = self.trace.counts
        await watcher.client.until(lambda: watcher.knows(counts))

    async def _until_due(self, index: int) -> None:
        """Waits until it is time for a transaction."""
        if self.plan.speed is None:
            return
        at = self.trace.transactions[index].at if self.trace.timed else index * UNTIMED_GAP
        wait = self._began + (at or 0.0) / self.plan.speed - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)

    # Stalls, and servers that do not echo

    async def _watch_over(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.plan.patience / 2))
            quiet = time.perf_counter() - self._last_progress
            if quiet > NO_ECHO_AFTER and self.outcome.echoes and self._lacks_echo():
                self.outcome.echoes = False
                for watcher in self._watchers:
                    self.acknowledge_by(watcher)
            made = tuple(len(each) for each in self.made)
            if all(each.empty for each in self._outlets) and all(each.knows(made) for each in self._watchers):
                self.progressed()  # nothing is under way: everybody waits for the time to type
            elif quiet > self.plan.patience:
                raise Stalled(f"Nothing has arrived for {quiet:.0f} s. {self._where_it_stands(made)}")

    def _lacks_echo(self) -> bool:
        """Whether some edit was seen by a reader and no writer ever saw anything of its own come back."""
        replicas = [each.client.replica for each in self._watchers if each.writer is not None]
        return not any(replica.received.written(replica.client_id) for replica in replicas) and any(
            count for each in self._watchers if each.writer is None for count in each.arrived
        )

    def acknowledge_by(self, watcher: _Watcher) -> None:
        """What this reader has seen counts as acknowledged."""
        if watcher.writer is not None:
            return
        for each in self._watchers:
            if each.writer is not None and not each.client.replica.wire.acknowledges:
                each.client.replica.acknowledge_seen(watcher.client.replica.received)

    def _where_it_stands(self, made: tuple[int, ...]) -> str:
        lines = []
        for each in self._watchers:
            missing = [
                f"{count - have} of writer {number}"
                for number, (count, have) in enumerate(zip(made, each.arrived, strict=True))
                if have < count and number != each.writer
            ]
            open_edits = len(each.client.replica.unacknowledged)
            state = "connected" if each.client.connected else "not connected"
            lines.append(
                f"{each.name} is {state}, lacks {', '.join(missing) or 'nothing'}, "
                f"has {open_edits} messages that are not acknowledged."
            )
        return " ".join(lines)


async def replay(trace: Trace, plan: Plan, on_edit: Callable[[], None] = lambda: None) -> Outcome:
    """Replays a trace. `on_edit` is called at each edit made.

    Raises Stalled and what `load.client` raises.
    """
    return await _Replay(trace, plan, on_edit).run()


def _table(trace: Trace, plan: Plan, outcome: Outcome, machine: Machine) -> str:
    statuses = any(framing is Framing.HOCUSPOCUS for framing in plan.framings)
    echo = "echo of the edit" if outcome.echoes else "no echo here: seen by a second client"
    meaning = " / ".join(
        ([echo] if Framing.Y_WEBSOCKET in plan.framings else []) + (["SyncStatus"] if statuses else [])
    )
    wrong = [name for name, equal in outcome.equal.items() if not equal]
    equal = "yes" if outcome.complete or not wrong else f"NO: {', '.join(wrong)}"
    rows = [
        ("trace", f"{trace.name}: {len(trace.transactions):,} transactions, writers: {trace.writers}"),
        ("target", f"{plan.url} ({', '.join(plan.framings)}), document {plan.document}"),
        ("equal to endContent", f"{equal} ({len(outcome.equal)} clients, one of them fresh)"),
        ("edits acknowledged", f"{outcome.acknowledged:,} of {outcome.edits:,} ({meaning})"),
        ("edit to other client", milliseconds(outcome.to_other)),
        ("edit to acknowledged", milliseconds(outcome.to_acknowledged)),
        (
            "took",
            f"{outcome.seconds:.1f} s: {outcome.edits / outcome.seconds:,.0f} edits/s"
            f" in {outcome.messages:,} messages",
        ),
        ("machine", str(machine)),
    ]
    if outcome.refused:
        rows.insert(4, ("edits refused", f"{outcome.refused:,}"))
    return "\n".join(f"{name:<22}{value}" for name, value in rows)


FRAMINGS = {**{framing.value: (framing,) for framing in Framing}, "mixed": tuple(Framing)}


# fmt: off
@click.command("replay")
@click.option("--trace", "path", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="The recorded session: JSON, gzipped or not.")
@click.option("--url", metavar="URL",
              help="A server on this machine, without the document: ws://127.0.0.1:8080/collab for this "
              "project's, ws://127.0.0.1:1234 for a stock y-websocket server. Without it, this project's "
              "server is started on a temporary folder.")
@click.option("--token", metavar="T", help="Document token for --url.")
@click.option("--document", metavar="NAME", help="A document that is empty. [default: a new one]")
@click.option("--framing", type=click.Choice(list(FRAMINGS)), default="y-websocket", show_default=True,
              help="What the clients speak; mixed: in turn.")
@click.option("--speed", type=Speed(), default=None,
              help="So many times the recorded speed (0.2 s from edit to edit where none is recorded), or as "
              "fast as every writer's next edit may be made. [default: max]")
@click.option("--interval", type=click.FloatRange(0), default=1000 * Pace().interval, show_default=True,
              help="Milliseconds between two messages of one client, at least; edits typed meanwhile are "
              "merged. A server takes so many messages a second from one sender: ours 500.")
@click.option("--window", type=click.IntRange(1), default=Pace().window, show_default=True,
              help="Messages a client sends ahead of their acknowledgement.")
@click.option("--batch", type=click.IntRange(1, 200), default=Pace().batch, show_default=True,
              help="Edits merged into one message at most; 1: every edit travels alone.")
@click.option("--readers", type=click.IntRange(0), default=1, show_default=True,
              help="Clients that only watch.")
def command(
    path: Path,
    url: str | None,
    token: str | None,
    document: str | None,
    framing: str,
    speed: float | None,
    interval: float,
    window: int,
    batch: int,
    readers: int,
) -> None:
    """Replay a recorded editing session through one real client per writer.

    An edit is made only after its writer's client has received every edit it comes after. The exit status is
    0 only if every client and a fresh one end with the recorded text and every edit was acknowledged.
    """
    pace = Pace(interval / 1000, window, batch)
    document = document or f"doc/replay-{secrets.token_hex(4)}"
    plan = Plan(url or "", document, lambda _: token, FRAMINGS[framing], speed, pace, readers)
    run(_command(path, plan))
# fmt: on


async def _command(path: Path, plan: Plan) -> None:
    trace = await asyncio.to_thread(load_trace, path)
    async with AsyncExitStack() as stack:
        if not plan.url:
            server = await stack.enter_async_context(TwinSpace())
            plan = replace(plan, url=server.url, tokens=partial(server.token, plan.document))
        checked(plan.url)
        with Machine() as machine, progress() as display:
            task = display.add_task(trace.name, total=len(trace.transactions))
            outcome = await replay(trace, plan, lambda: display.advance(task))
    click.echo(_table(trace, plan, outcome, machine))
    if not outcome.complete:
        raise SystemExit(1)
