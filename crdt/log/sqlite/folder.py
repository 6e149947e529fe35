"""One process may hold a data folder's log."""

import contextlib
import fcntl
import os
from pathlib import Path

from crdt.errors import LogUnavailable

__all__ = ["FolderLock"]


class FolderLock:
    """An advisory lock on `<folder>/log.lock`. The kernel drops it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def acquire(self) -> None:
        """Raises LogUnavailable when another process holds the folder or it cannot be written."""
        try:
            file = os.open(self._folder / "log.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LogUnavailable(
                f"The data folder {self._folder} cannot be used: {error.strerror}. "
                "Make it a folder that this user may write to.",
                "read-only",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise LogUnavailable(
                f"The data folder {self._folder} is in use by another TwinSpace process "
                f"(process id {holder}). Stop that one first, or choose another folder with --data.",
                "in-use",
            ) from None
        except OSError:
            # The process id is only a help: a full disk must not keep a lock from being taken.
            pass
        self._file = file

    def release(self) -> None:
        """Releasing twice does nothing."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)

    def __enter__(self) -> "FolderLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
