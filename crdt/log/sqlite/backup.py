"""One file with everything a data folder holds, taken while a server writes, and the way back.

The archive is a tar: `manifest.json` first, with the size and SHA-256 of each file, then the files.

Order: the records are copied before the log. Each copy is one consistent moment of its file, so the log is
the younger of the two: it has every document and every entry that the records can refer to, but for documents
that were deleted for good between the two moments. It may have entries by memberships that the records do not
know yet; they show as written by somebody unknown.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crdt.errors import ArchiveError
from crdt.log.check import Progress, Report, no_progress
from crdt.log.sqlite.check import check
from crdt.log.sqlite.schema import FILE_NAME, open_for_reading

__all__ = ["Archived", "backup", "restore"]

_FORMAT = 1
_MANIFEST = "manifest.json"
_MANIFEST_MAX = 1 << 20
_RECORDS = "records.sqlite3"
_PAGES_A_STEP = 1024
_CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Archived:
    """One file in an archive."""

    name: str
    size: int
    sha256: str


def backup(
    folder: Path, target: Path, progress: Progress = no_progress, *, also: Sequence[str] = ()
) -> list[Archived]:
    """Write the data folder's log and records, and the plain files named in `also`, to the new file `target`.

    The archive holds personal data: it is readable for its owner only. Needs room for a second copy beside
    `target` while it works. Raises ArchiveError; then nothing is left behind.
    """
    if not (folder / FILE_NAME).exists():
        raise ArchiveError(f"There is no {FILE_NAME} in {folder}: is this the data folder?")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise ArchiveError(f"{target} exists already: name a new file.") from None
    except OSError as error:
        raise ArchiveError(f"The backup cannot be written to {target}: {error.strerror}.") from error
    finished = False
    try:
        with tempfile.TemporaryDirectory(prefix=".twinspace-backup-", dir=target.absolute().parent) as name:
            copies = Path(name)
            for database in (_RECORDS, FILE_NAME):  # in this order, see above
                if (folder / database).exists():
                    _copy_database(folder / database, copies / database, progress)
            for plain in also:
                if not _NAME.fullmatch(plain):
                    raise ArchiveError(f"{plain!r} is not the plain name of a file in the data folder.")
                if (folder / plain).exists():
                    shutil.copyfile(folder / plain, copies / plain)
            archived = [_describe(path) for path in sorted(copies.iterdir())]
            unfinished = copies / "archive"
            _write_archive(unfinished, copies, archived, progress)
            os.replace(unfinished, target)
            finished = True
        _sync_folder(target.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"The backup could not be written: {error}. Nothing was kept of it.") from error
    finally:
        if not finished:
            target.unlink(missing_ok=True)
    return archived


def restore(archive: Path, folder: Path, progress: Progress = no_progress) -> Report:
    """Unpack an archive into `folder`, which must be empty or not exist, after verifying it in full.

    Raises ArchiveError; then the folder is as it was.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArchiveError(f"{folder} is not empty. Restore into a new folder, then start the server on it.")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder) as name:
            unpacked = Path(name)
            _unpack(archive, unpacked, progress)
            report = check(unpacked, progress)
            if not report.ok:
                raise ArchiveError(
                    f"The archive's content is damaged: {report.findings[0].message} Nothing was restored."
                )
            # The log last: a folder without it is never taken for a whole one.
            for path in sorted(unpacked.iterdir(), key=lambda path: path.name == FILE_NAME):
                os.replace(path, folder / path.name)
        _sync_folder(folder)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ArchiveError(f"The archive could not be restored: {error}.") from error
    finally:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # only if nothing came into it
    return report


def _copy_database(source: Path, copy: Path, progress: Progress) -> None:
    """The file as it is at one moment. The moment is held by a read transaction, which in WAL mode hinders no
    writer; without it every commit of the server would begin the copy anew."""
    with _closing(open_for_reading(source)) as origin, _closing(sqlite3.connect(copy)) as destination:
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_schema").fetchone()

        def tell(_status: int, remaining: int, total: int) -> None:
            progress(f"copying {source.name}", total - remaining, total)

        origin.backup(destination, pages=_PAGES_A_STEP, progress=tell)
        origin.execute("COMMIT")
        # A copy without side files: the archive holds one file a database.
        destination.execute("PRAGMA journal_mode = DELETE")


def _describe(path: Path) -> Archived:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Archived(path.name, path.stat().st_size, digest.hexdigest())


def _write_archive(target: Path, copies: Path, archived: list[Archived], progress: Progress) -> None:
    files = [{"name": each.name, "size": each.size, "sha256": each.sha256} for each in archived]
    manifest = json.dumps({"twinspace_backup": _FORMAT, "files": files}, indent=2).encode()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.addfile(_member(_MANIFEST, len(manifest)), io.BytesIO(manifest))
            for done, each in enumerate(archived):
                progress("writing the archive", done, len(archived))
                with (copies / each.name).open("rb") as content:
                    tar.addfile(_member(each.name, each.size), content)
        file.flush()
        os.fsync(file.fileno())
    progress("writing the archive", len(archived), len(archived))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    return member


def _unpack(archive: Path, unpacked: Path, progress: Progress) -> None:
    with tarfile.open(archive, mode="r:") as tar:
        expected = _read_manifest(tar)
        for done, each in enumerate(expected):
            progress("unpacking", done, len(expected))
            member = tar.next()
            content = tar.extractfile(member) if member is not None and member.isreg() else None
            if member is None or content is None or (member.name, member.size) != (each.name, each.size):
                raise ArchiveError(f"The archive does not hold {each.name} as its manifest says.")
            if _copy_counted(content, unpacked / each.name) != each.sha256:
                raise ArchiveError(f"The checksum of {each.name} is wrong: the archive is damaged.")
        if tar.next() is not None:
            raise ArchiveError("The archive holds more than its manifest says.")
    progress("unpacking", len(expected), len(expected))


def _read_manifest(tar: tarfile.TarFile) -> list[Archived]:
    member = tar.next()
    if member is None or member.name != _MANIFEST or not member.isreg() or member.size > _MANIFEST_MAX:
        raise ArchiveError("This is not a TwinSpace backup: its first file is not a manifest.")
    content = tar.extractfile(member)
    assert content is not None
    try:
        manifest = json.loads(content.read())
        version = manifest["twinspace_backup"]
        files = [
            Archived(str(each["name"]), int(each["size"]), str(each["sha256"])) for each in manifest["files"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError("This is not a TwinSpace backup: its manifest cannot be read.") from error
    if version != _FORMAT:
        raise ArchiveError(f"The backup is of format {version}, this program reads format {_FORMAT}.")
    names = [each.name for each in files]
    if FILE_NAME not in names or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        raise ArchiveError("The backup's manifest names files that it should not, or lacks the log.")
    return files


def _copy_counted(content: IO[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()
