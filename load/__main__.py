"""`python -m load WORKLOAD`"""

from __future__ import annotations

import click

from . import crash, latency, lesson, replay
from .bench.command import command as bench
from .browser.command import command as browser
from .faults.command import command as faults


@click.group(context_settings={"max_content_width": 110})
def main() -> None:
    """Load and faults: real clients against a real server, on this machine only.

    Without --url a workload starts this project's server by itself on a temporary folder, and leaves nothing
    behind. Every run prints what it did in figures; the exit status is 0 only if every promise was kept.
    """


main.add_command(replay.command)
main.add_command(crash.command)
main.add_command(latency.command)
main.add_command(lesson.command)
main.add_command(faults)
main.add_command(bench)
main.add_command(browser)

if __name__ == "__main__":
    main(prog_name="python -m load")
