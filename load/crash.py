"""kill -9 while people type: nothing acknowledged may be lost, and nothing shown may vanish.

One cycle: clients type, the server dies at a moment nobody chose, clients type on without it. It starts again
on the same data, and *before any writer may come back and bring what is missing*, a fresh client reads every
document; what it finds is held to the ledger. Then the writers reconnect by themselves and go on.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum

import click

from .client import Client, ClientError
from .command import WorkloadError, run
from .ledger import Ledger, Losses, content, described, tags_in
from .report import Machine, milliseconds, progress
from .servers import ServerError, TwinSpace
from .typist import Typist
from .wire import Framing

__all__ = ["Kill", "Outcome", "Plan", "crash"]

COMPACTION = "50"
"""Updates after which the server folds a document's log: often, so that kills hit it."""
INJECTION_SECONDS = 10.0
"""How long a call that kills is waited for; then it is a plain kill."""


class Kill(StrEnum):
    RANDOM = "random"
    """At a random moment."""
    FSYNC = "fsync"
    """At the n-th fsync, fdatasync or pwrite64 from a random moment on; needs strace."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    cycles: int = 200
    clients: int = 20
    documents: int = 4
    kill: Kill = Kill.RANDOM
    rate: float = 10.0
    """Edits per second and client."""
    longest: float = 1.5
    """Seconds of typing before a kill, at most."""
    patience: float = 60.0
    """Seconds for any single thing to happen."""


@dataclass(slots=True)
class Outcome:
    kills: int = 0
    kills_while_starting: int = 0
    kills_at_a_call: int = 0
    """Kills that met the system call they were meant for."""
    acknowledged: int = 0
    shown: int = 0
    refused: int = 0
    losses: Losses = field(default_factory=Losses)
    first_loss: str = ""
    unequal: list[str] = field(default_factory=list)
    """Clients that ended with another document than a fresh one reads."""
    left_behind: int = 0
    """Kills after which processes of the server lived on."""
    restarts: list[float] = field(default_factory=list)
    """Seconds from a start to listening."""
    broken: str = ""
    """What ended the run before its time, such as a client that was sent away."""
    store: str = ""
    """What `twinspace check` says of the store at the end, if it is not content."""
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not (
            self.losses or self.unequal or self.refused or self.left_behind or self.broken or self.store
        )


class _Crash:
    def __init__(self, plan: Plan, server: TwinSpace, on_cycle: Callable[[], None]) -> None:
        self._plan, self._server, self._on_cycle = plan, server, on_cycle
        self._rng = random.Random(plan.seed)
        self._names = [f"doc/crash-{number}" for number in range(plan.documents)]
        self._ledgers = {name: Ledger() for name in self._names}
        self._typists: list[Typist] = []
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        began = time.perf_counter()
        async with AsyncExitStack() as stack:
            for number in range(self._plan.clients):
                typist = self._typist(number)
                await stack.enter_async_context(typist.client)
                self._typists.append(typist)
            try:
                await self._cycles()
                if not self.outcome.losses:
                    await self._settle()
            except (ClientError, ServerError) as error:
                self.outcome.broken = str(error)
        self.outcome.seconds = time.perf_counter() - began
        self.outcome.acknowledged = sum(ledger.acknowledged for ledger in self._ledgers.values())
        self.outcome.shown = sum(ledger.shown for ledger in self._ledgers.values())
        self.outcome.refused = sum(typist.refused for typist in self._typists)
        return self.outcome

    async def _cycles(self) -> None:
        """All cycles, or as many as it takes to lose something."""
        typing = [asyncio.create_task(typist.type()) for typist in self._typists]
        try:
            for cycle in range(self._plan.cycles):
                await self._cycle(cycle)
                self._on_cycle()
                if self.outcome.losses:
                    return
        finally:
            for task in typing:
                task.cancel()
            for result in await asyncio.gather(*typing, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result

    def _typist(self, number: int) -> Typist:
        name, document = f"c{number}", self._names[number % len(self._names)]
        rng = random.Random(f"{self._plan.seed} {name}")
        client = Client(
            self._server.url,
            document,
            token=self._server.token(document, name),
            # in turn, so that both framings meet on every document
            framing=tuple(Framing)[number // len(self._names) % len(Framing)],
            patience=self._plan.patience,
            rng=rng,
        )
        client.show({"name": name})
        return Typist(name, client, self._ledgers[document], rng, self._plan.rate)

    async def _cycle(self, cycle: int) -> None:
        rng = self._rng
        await asyncio.sleep(rng.uniform(0.0, self._plan.longest))
        await self._kill()
        for typist in self._typists:
            typist.client.hold()
        for typist in self._typists:
            await typist.client.disconnected()
            typist.look()
        await self._restart()
        await self._read_back(f"in cycle {cycle + 1}")
        for typist in self._typists:
            typist.client.go_online()

    async def _kill(self) -> None:
        if self._plan.kill is Kill.FSYNC:
            await self._kill_at_a_call()
        await self._server.kill()
        self.outcome.kills += 1
        if await self._server.survivors():
            self.outcome.left_behind += 1
            self._server.end_survivors()

    async def _kill_at_a_call(self) -> None:
        """Lets strace kill the server as it enters its n-th call that writes or syncs."""
        calls, most = self._rng.choice((("fsync,fdatasync", 20), ("pwrite64", 100)))
        when = self._rng.randint(1, most)
        strace = await asyncio.create_subprocess_exec(
            "strace", "--quiet=all", "-f", "-p", str(self._server.pid), "-o", "/dev/null",
            f"--trace={calls}", f"--inject={calls}:signal=KILL:when={when}",
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(INJECTION_SECONDS):
                _, said = await strace.communicate()
        except TimeoutError:
            strace.terminate()
            await strace.wait()
            return
        except BaseException:
            strace.kill()
            await strace.wait()
            raise
        if strace.returncode and self._server.running:
            raise WorkloadError(
                f"strace cannot follow the server: {said.decode(errors='replace').strip()}. "
                "Run as root, or set kernel.yama.ptrace_scope to 0."
            )
        self.outcome.kills_at_a_call += 1

    async def _restart(self) -> None:
        """Starts the server again; now and then it is killed while it is still starting."""
        while self._rng.random() < 0.15:
            await self._server.spawn()
            await asyncio.sleep(self._rng.uniform(0.0, 1.0))
            await self._server.kill()
            self.outcome.kills += 1
            self.outcome.kills_while_starting += 1
            self._server.end_survivors()
        began = time.perf_counter()
        await self._server.start()
        self.outcome.restarts.append(time.perf_counter() - began)

    def _reader(self, document: str) -> Client:
        token = self._server.token(document, "reader", "readonly")
        return Client(self._server.url, document, token=token, patience=self._plan.patience)

    async def _read_back(self, when: str) -> None:
        """Holds what a fresh client reads of each document to the ledger."""
        for name, ledger in self._ledgers.items():
            async with self._reader(name) as reader:
                losses = ledger.losses(tags_in(reader.doc))
            if losses and not self.outcome.first_loss:
                self.outcome.first_loss = described(losses, name, when)
            self.outcome.losses.update(losses)

    async def _settle(self) -> None:
        """Lets everything arrive, kills the server once more, and compares every client with a fresh one."""
        for typist in self._typists:
            await typist.client.acknowledged()
        await self._kill()
        for typist in self._typists:
            await typist.client.disconnected()
            typist.look()
        await self._restart()
        await self._read_back("at the end")
        for name in self._names:
            async with self._reader(name) as reader:
                for typist in self._typists:
                    if typist.client.document == name and not await _becomes_equal(typist.client, reader):
                        self.outcome.unequal.append(typist.name)


async def _becomes_equal(client: Client, reader: Client) -> bool:
    """Whether a client has, as soon as it has heard everything, what a fresh one has."""
    try:
        await client.until(lambda: client.replica.synced and content(client.doc) == content(reader.doc))
    except TimeoutError:
        return False
    return True


async def crash(plan: Plan, server: TwinSpace, on_cycle: Callable[[], None] = lambda: None) -> Outcome:
    """Runs the plan on a server that has just started. `on_cycle` is called after each cycle.

    Raises WorkloadError when the plan cannot be followed here, and what `load.client` raises at the start.
    """
    if plan.kill is Kill.FSYNC and shutil.which("strace") is None:
        raise WorkloadError(
            "There is no strace here, which --kill fsync needs. Install it, or use --kill random."
        )
    outcome = await _Crash(plan, server, on_cycle).run()
    try:
        await server.stop()
        outcome.store = await server.check()
    except ServerError as error:
        outcome.broken = outcome.broken or str(error)
    return outcome


def _table(plan: Plan, outcome: Outcome, machine: Machine) -> str:
    at_calls = f", {outcome.kills_at_a_call} at a call" if plan.kill is Kill.FSYNC else ""
    rows = [
        ("seed", f"{plan.seed}, {plan.cycles} cycles, kill {plan.kill}"),
        ("clients", f"{plan.clients} on {plan.documents} documents, {' and '.join(Framing)} in turn"),
        ("acknowledged edits lost", f"{len(outcome.losses.acknowledged):,} of {outcome.acknowledged:,}"),
        ("shown edits lost", f"{len(outcome.losses.shown):,} of {outcome.shown:,}"),
        ("edits doubled, damaged", f"{len(outcome.losses.strange):,}"),
        ("edits refused", f"{outcome.refused:,}"),
        ("all replicas equal", f"NO: {', '.join(outcome.unequal)}" if outcome.unequal else "yes"),
        ("kills -9", f"{outcome.kills} ({outcome.kills_while_starting} while starting{at_calls})"),
        ("processes left behind", f"by {outcome.left_behind} kills"),
        ("start to listening", milliseconds(outcome.restarts)),
        ("store check", outcome.store or "ok"),
        ("took", f"{outcome.seconds:.0f} s"),
        ("machine", str(machine)),
    ]
    lines = [f"{name:<25}{value}" for name, value in rows]
    return "\n".join([*lines, *filter(None, (outcome.first_loss, outcome.broken))])


@click.command("crash")
@click.option("--cycles", type=click.IntRange(1), default=200, show_default=True, help="Kills and restarts.")
@click.option(
    "--seed", type=int, help="Repeats a run's plan: who types what, when it is killed. [default: drawn]"
)
@click.option("--clients", type=click.IntRange(1), default=20, show_default=True, help="Clients that type.")
@click.option(
    "--documents", type=click.IntRange(1), default=4, show_default=True, help="Documents they share."
)
@click.option(
    "--kill",
    type=click.Choice([kill.value for kill in Kill]),
    default="random",
    show_default=True,
    help="At a random moment, or at the n-th fsync, fdatasync or pwrite64 (needs strace).",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Edits per second and client.",
)
def command(cycles: int, seed: int | None, clients: int, documents: int, kill: str, rate: float) -> None:
    """Kill -9 this project's server while clients type, and look for what was lost.

    After each kill a fresh client reads everything back before any writer may reconnect. The exit status is 0
    only if no acknowledged and no shown edit was lost, nothing is there twice, and all replicas end equal.
    """
    seed = secrets.randbits(32) if seed is None else seed
    run(_command(Plan(seed, cycles, clients, min(documents, clients), Kill(kill), rate)))


async def _command(plan: Plan) -> None:
    click.echo(f"seed {plan.seed}", err=True)
    with Machine() as machine, progress() as display:
        task = display.add_task("crash", total=plan.cycles)
        async with TwinSpace("--compaction-updates", COMPACTION) as server:
            outcome = await crash(plan, server, lambda: display.advance(task))
    click.echo(_table(plan, outcome, machine))
    if not outcome.kept:
        raise SystemExit(1)
