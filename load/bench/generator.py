"""The generator's process: `python -m load.bench.generator` takes a pickled Job, gives a pickled Result."""

from __future__ import annotations

import gc
import importlib
import pickle
import sys
from contextlib import closing
from typing import BinaryIO

from load.servers import TwinSpace

from .lines import Hub, LineError
from .plan import Bench, Job, Result

__all__ = ["work"]


def work(job: Job) -> Result:
    """Does the job, whatever becomes of it."""
    issue = TwinSpace(secret=job.secret).token if job.secret else None

    def token(document: str, subject: str) -> str | None:
        return issue(document, subject) if issue else None

    with closing(Hub(job.target, token)) as hub:
        try:
            module = importlib.import_module(f"load.bench.{job.work}")
            result: Result = module.work(Bench(hub, job.folder), **job.options)
        except LineError as error:
            result = Result(faults=[str(error)])
        faults = list(dict.fromkeys(result.faults + hub.faults))
        result.faults = faults[:5] + ([f"and {len(faults) - 5} more"] if len(faults) > 5 else [])
    return result


def main(source: BinaryIO, sink: BinaryIO) -> None:
    job = pickle.load(source)  # noqa: S301  from the process that started this one
    gc.freeze()
    gc.disable()  # a collection among thousands of lines would be seen as the server's latency
    pickle.dump(work(job), sink)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
