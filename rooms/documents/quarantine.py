"""Keeps updates aside that passed the structural reader and that the engine could not apply all the same.

Each of them is a hole in our reader or a fault of the engine, and worth a look; none is ever applied again.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

__all__ = ["Quarantine"]

logger = logging.getLogger(__name__)


class Quarantine:
    """A folder of at most ``files`` refused updates, one file each, named after their SHA-256.

    Without a folder nothing is kept. What comes when it is full is dropped: whoever looks wants the first.
    """

    def __init__(self, folder: Path | None = None, *, files: int = 64, file_bytes: int = 1 << 20) -> None:
        self._folder = folder
        self._files = files
        self._file_bytes = file_bytes
        self._kept: set[str] | None = None

    def keep(self, update: bytes) -> None:
        """Writes the bytes aside. Never raises: a disk that cannot take them is reported elsewhere."""
        if self._folder is None or len(update) > self._file_bytes:
            return
        name = hashlib.sha256(update).hexdigest()
        try:
            if self._kept is None:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._kept = {file.stem for file in self._folder.iterdir()}
            if name in self._kept or len(self._kept) >= self._files:
                return
            self._kept.add(name)
            (self._folder / f"{name}.update").write_bytes(update)
        except OSError as error:
            logger.warning("a refused update could not be kept aside: %s", error)
