"""Where no browser can be had, the browser tests stay out of the run, and the run says so to the end."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import program
from hypothesis import HealthCheck, settings

BROWSER_TESTS = {"browser", "test_in_chromium.py"}
"""Folders and files under tests/ that need a Chromium."""


def _browser_is_out_of_reach() -> bool:
    """tools/programs installs one where it may; only without root, and outside CI, may one be missing."""
    return program() is None and os.geteuid() != 0 and not os.environ.get("CI")


# How fast a machine draws examples, or runs one, says nothing of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = ["backing"]  # tests/support: PostgreSQL and Valkey

# Some tests open a thousand sockets; an ordinary account begins with 1,024 files.
_, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))


@pytest.fixture(autouse=True)
def _keep_umask() -> Iterator[None]:
    """Our commands make files for their owner only; a test that runs one must not do that to the next."""
    mask = os.umask(0)
    os.umask(mask)
    yield
    os.umask(mask)


OUT = _browser_is_out_of_reach()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if OUT and collection_path.name in BROWSER_TESTS else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        line
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, line in report.user_properties
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("faults of nodes, Redis and PostgreSQL")
        for line in lines:
            terminalreporter.line(line)
    if OUT:
        terminalreporter.section("NO BROWSER HERE", sep="#", red=True, bold=True)
        terminalreporter.line(
            "The browser tests have NOT run: there is no Chromium, and no root to install one."
        )
        terminalreporter.line("Install it (sudo apt install chromium) and run them: pytest tests/browser")
