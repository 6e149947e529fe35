"""A process with a real log that writes until it is told otherwise, killed or out of disk.

Each line on standard output is one event, written at once:
    open | ack <document> <seq> <number> | refused <code> <number> | health <code> | compacted
"""

import argparse
import asyncio
import os
import resource
import time
from pathlib import Path

from typists import Typist

from crdt.errors import CompactionFailed, LogError, LogUnavailable
from crdt.log import Entry, LogSettings
from crdt.log.sqlite import SqliteLog


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def body(number: int, size: int) -> bytes:
    return b"%010d" % number + bytes(size)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--count", type=int, default=10**9, help="appends in total")
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("--tail", type=int, default=10**9)
    parser.add_argument("--compact", action="store_true", help="real text, and compactions all the time")
    parser.add_argument(
        "--file-size", type=int, help="RLIMIT_FSIZE after opening, until standard input speaks"
    )
    arguments = parser.parse_args()

    log = SqliteLog(arguments.folder, LogSettings(tail_updates=arguments.tail, tail_bytes=2**60))
    await log.open()
    log.on_health(lambda health: say("health", health.code))
    say("open")
    if arguments.file_size:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.file_size, hard))
        loop = asyncio.get_running_loop()
        loop.add_reader(0, lambda: (os.read(0, 10), resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))))

    numbers = iter(range(arguments.count))
    start = time.time_ns() % 10**9

    async def write(writer: int) -> None:
        document = f"page/{writer % 4}"
        typist = Typist(start + writer)
        clients: tuple[int, ...] = (typist.client,)
        for number in numbers:
            update = typist.type(f"{number}.") if arguments.compact else body(number, arguments.size)
            try:
                seq = await log.append(Entry(document, 1, update, f"m:{writer}", clients, time.time()))
            except LogUnavailable as error:
                say("refused", error.code, number)
                await asyncio.sleep(0.2)
            else:
                clients = ()
                say("ack", document, seq, number)
            if arguments.pause:
                await asyncio.sleep(arguments.pause)

    async def compact() -> None:
        while arguments.compact:
            for number in range(4):
                try:
                    if await log.compact(f"page/{number}"):
                        say("compacted")
                except CompactionFailed:
                    raise
                except LogError:
                    await asyncio.sleep(0.05)

    compacting = asyncio.create_task(compact())
    await asyncio.gather(*map(write, range(arguments.writers)))
    compacting.cancel()
    await log.close()
    say("closed")


if __name__ == "__main__":
    asyncio.run(main())
