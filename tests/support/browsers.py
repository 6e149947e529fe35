"""Which Chromium the browser tests drive."""

from __future__ import annotations

import shutil

__all__ = ["program"]

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without windows around it: less than half of the processor time."""


def program() -> str | None:
    """Path of the one to take, None where there is none: tools/programs installs it."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)
