"""The built client: its pages, its assets, and a clear page when there is no build.

The whole build is read into memory and looked up by exact path, so no request ever names a file of the disk.
Assets carry a hash in their names and are cached for ever; the page itself is asked for again each time.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.helpers import ETag

__all__ = ["Client", "default_folder"]

IMMUTABLE: Final = "public, max-age=31536000, immutable"
ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""In the order we like them best."""
PAGES: Final = re.compile(
    r"/(?:|login|card|spaces/[^/]+(?:/.+)?|schools/[^/]+/pupils"
    r"|invitations/[^/]+|messages(?:/[^/]+)?|new|groups|approvals|contacts|notifications|cases)/?"
)
"""Routes the client itself understands; everything else is its page too, but as 404."""

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("font/woff2", ".woff2")


def default_folder() -> Path:
    """Where the client's build is in a checkout and in the container: beside the packages."""
    return Path(__file__).resolve().parent.parent / "static" / "client" / "dist"


@dataclass(frozen=True)
class _File:
    content_type: str
    bodies: dict[str, bytes]
    """Content coding -> bytes; "identity" is always there."""
    etag: str
    immutable: bool


@dataclass
class Client:
    """The files of one build."""

    folder: Path
    _files: dict[str, _File] = field(default_factory=dict)
    _stamp: int = -1

    def _refresh(self) -> None:
        """Reads the build again when there is a newer one."""
        try:
            stamp = (self.folder / "index.html").stat().st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != self._stamp:
            self._files = dict(_scan(self.folder)) if stamp else {}
            self._stamp = stamp

    def respond(self, request: web.Request) -> web.Response:
        """The answer to GET or HEAD of any path that is not the API's. Raises HTTPNotFound."""
        path = request.rel_url.raw_path
        file = self._files.get(path)
        if file is None or not file.immutable:
            self._refresh()
            file = self._files.get(path)
        if file is not None:
            return _answer(request, file, 200)
        if path.startswith("/assets/"):
            raise web.HTTPNotFound
        page = self._files.get("/index.html")
        if page is None:
            return web.Response(text=NOT_BUILT, content_type="text/html", status=503, headers=_NO_STORE)
        return _answer(request, page, 200 if PAGES.fullmatch(path) else 404)


def _scan(folder: Path) -> list[tuple[str, _File]]:
    files = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if hidden or path.is_symlink() or not path.is_file() or path.suffix in ENCODINGS.values():
            continue
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        bodies = {"identity": path.read_bytes()}
        for coding, suffix in ENCODINGS.items():
            packed = path.with_name(path.name + suffix)
            if packed.is_file() and not packed.is_symlink():
                bodies[coding] = packed.read_bytes()
        digest = hashlib.sha256(bodies["identity"]).hexdigest()[:20]
        files.append((f"/{name.as_posix()}", _File(content_type, bodies, digest, name.parts[0] == "assets")))
    return files


def _answer(request: web.Request, file: _File, status: int) -> web.Response:
    coding = next((each for each in ENCODINGS if each in file.bodies and _accepts(request, each)), "identity")
    # Each representation has its own entity tag (RFC 9110, 8.8.3.3).
    etag = file.etag if coding == "identity" else f"{file.etag}-{coding}"
    headers = {
        "Cache-Control": IMMUTABLE if file.immutable else "no-cache",
        "ETag": f'"{etag}"',
        "Vary": "Accept-Encoding",
    }
    if status == 200 and _has(request.if_none_match, etag):
        # With its type, so that it gets a page's headers: those of a 304 replace the stored page's.
        return web.Response(status=304, headers=headers, content_type=file.content_type)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    text = file.content_type.startswith("text/") or file.content_type.endswith(("json", "xml"))
    return web.Response(
        body=file.bodies[coding],
        status=status,
        headers=headers,
        content_type=file.content_type,
        charset="utf-8" if text else None,
    )


def _accepts(request: web.Request, coding: str) -> bool:
    """Whether Accept-Encoding lists a coding with a weight other than 0. We never rely on `*`."""
    for part in request.headers.get("Accept-Encoding", "").split(","):
        name, _, parameters = part.partition(";")
        if name.strip().lower() == coding:
            weight = parameters.strip().lower().removeprefix("q=").strip()
            return weight == "" or weight.strip("0.") != ""
    return False


def _has(sent: tuple[ETag, ...] | None, etag: str) -> bool:
    return sent is not None and any(each.value in (etag, "*") for each in sent)


_NO_STORE: Final = {"Cache-Control": "no-store"}

NOT_BUILT: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TwinSpace: the client is not built</title>
<h1>The client is not built</h1>
<p>The server runs, but the pages for the browser are not there yet. In the folder of TwinSpace, run
<code>make setup</code>, then load this page again.</p>
<p>The <a href="/api/docs">programming interface</a> works without them.</p>
</html>
"""
