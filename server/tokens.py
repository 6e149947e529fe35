"""Document tokens: with one, any application can use this server as its Yjs backend.

A token is a JWT signed with HS256 and the server's secret, which whoever issues tokens shares. Claims:

    aud       "twinspace"
    document  the one document it opens; never a page or a space of ours
    scope     "read-write" or "readonly"
    sub       who writes, in the application's own words
    name      shown to others as the writer's name; optional, and without it the client names itself
    iat, exp  issued and expires, Unix seconds
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from rooms.rights.access import Principal, Scope, in_a_space
from server.names import NAME_BYTES, is_document_name, is_text

__all__ = [
    "SECRET_FILE",
    "BadToken",
    "ExpiredToken",
    "SecretError",
    "TokenError",
    "Tokens",
    "WrongDocument",
    "read_secret",
]

AUDIENCE: Final = "twinspace"
ALGORITHM: Final = "HS256"
SECRET_FILE: Final = "secret"  # noqa: S105
"""The file inside the data folder."""
SECRET_BYTES: Final = 32
"""RFC 7518 3.2: an HS256 key has at least as many bytes as the hash."""
TOKEN_BYTES: Final = 4096
CLOCK_SKEW: Final = 60
"""Seconds by which an issuer's clock may be ahead of ours."""
TEXT_LENGTH: Final = 200
MOST_HEADERS: Final = 16
"""Headers remembered: every token of one issuer has the same."""


class TokenError(Exception):
    """A token that opens nothing. `code` is for programs, the message for people."""

    code = "bad-token"


class BadToken(TokenError):
    """Not a token of ours, or not one that may exist."""


class ExpiredToken(TokenError):
    code = "expired"

    def __init__(self) -> None:
        super().__init__("This document token has expired. Ask the application that issued it for a new one.")


class WrongDocument(TokenError):
    code = "wrong-document"

    def __init__(self) -> None:
        super().__init__("This document token is for another document.")


class SecretError(Exception):
    """The secret cannot be used; the message says why and what to do."""


def read_secret(data: Path, secret_file: Path | None) -> bytes:
    """The secret that signs document tokens, without surrounding white space.

    From `secret_file` if one is given, else from `data`/secret, which is made on first use with mode 0600.
    Two processes that start at once agree on one secret. Raises SecretError.
    """
    file = secret_file or data / SECRET_FILE
    try:
        if secret_file is None and not file.exists():
            _make_secret(file)
        secret = file.read_bytes().strip()
    except OSError as error:
        raise SecretError(f"The secret file {file} cannot be used: {error.strerror}.") from None
    if len(secret) < SECRET_BYTES:
        raise SecretError(
            f"The secret in {file} has {len(secret)} bytes; it needs at least {SECRET_BYTES}. "
            "Make one with: openssl rand -hex 32"
        )
    return secret


def _make_secret(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=file.parent, prefix=".secret")  # mode 0600
    try:
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(SECRET_BYTES) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(path, file)
    finally:
        os.unlink(path)


@dataclass(frozen=True)
class Tokens:
    """Issues and checks document tokens under one secret."""

    secret: bytes
    clock: Callable[[], float] = time.time
    _headers: set[bytes] = field(default_factory=set, repr=False, compare=False)
    """Encoded headers with which a token of this secret was found to be good."""

    def mint(
        self,
        document: str,
        scope: Scope,
        *,
        subject: str = "anonymous",
        name: str = "",
        expires: float = 43_200,
    ) -> str:
        """A token that opens `document` for `expires` seconds. Raises BadToken for what no token may say."""
        if expires <= 0:
            raise BadToken("A document token must expire in the future.")
        now = int(self.clock())
        claims: dict[str, Any] = {
            "aud": AUDIENCE,
            "document": document,
            "scope": str(scope),
            "sub": subject,
            "iat": now,
            "exp": now + int(expires),
        }
        if name:
            claims["name"] = name
        self._principal(claims)
        return jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, claims, self._key, algorithms=[ALGORITHM])

    def verify(self, token: str, document: str | None = None) -> Principal:
        """Who holds this token. Raises BadToken, ExpiredToken, or WrongDocument if it opens another."""
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise BadToken("This is not a document token.")
        try:
            claims = self._claims(token.encode())
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise BadToken("This document token is not signed by this server's secret.") from None
        principal = self._principal(claims)
        if document not in (None, principal.document):
            raise WrongDocument
        return principal

    def _claims(self, token: bytes) -> dict[str, Any]:
        """What a token claims whose signature is good.

        What a header asks for is joserfc's to judge, once. A token with the same header takes a tenth of the
        time: what is left is its signature, and whatever is wrong with that is for joserfc to say again.
        """
        signed, _, signature = token.rpartition(b".")
        header, _, payload = signed.partition(b".")
        if header in self._headers:
            good = urlsafe_b64encode(hmac.digest(self.secret, signed, "sha256"))
            if hmac.compare_digest(good, signature):
                claims = json.loads(urlsafe_b64decode(payload))
                if isinstance(claims, dict):
                    return claims
        decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        if "crit" not in decoded.header and len(self._headers) < MOST_HEADERS:
            self._headers.add(header)
        return decoded.claims

    @cached_property
    def _key(self) -> OctKey:
        return OctKey.import_key(self.secret)

    def _principal(self, claims: dict[str, Any]) -> Principal:
        """The claims as a principal, every one of them checked."""
        audience = claims.get("aud")
        if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise BadToken(f'This document token has no "aud" claim of "{AUDIENCE}".')
        document = _text(claims, "document", NAME_BYTES)
        if in_a_space(document):
            raise BadToken("No document token opens a page or a space: log in for those.")
        if not is_document_name(document):
            raise BadToken("The document of this token has no possible name.")
        scope = claims.get("scope")
        if scope not in (Scope.READ_WRITE.value, Scope.READONLY.value):
            raise BadToken('The "scope" of a document token is "read-write" or "readonly".')
        subject = _text(claims, "sub", TEXT_LENGTH)
        if not subject:
            raise BadToken('This document token has no "sub" claim: it has to say who writes.')
        expires, issued = _number(claims, "exp"), _number(claims, "iat")
        now = self.clock()
        if issued > now + CLOCK_SKEW:
            raise BadToken('This document token is from the future: check the clocks ("iat").')
        if expires <= now:
            raise ExpiredToken
        return Principal(
            kind="token",
            subject=subject,
            name=_text(claims, "name", TEXT_LENGTH, ""),
            document=document,
            scope=Scope(scope),
            expires_at=expires,
        )


def _text(claims: dict[str, Any], claim: str, length: int, default: str | None = None) -> str:
    value = claims.get(claim, default)
    if not isinstance(value, str) or len(value) > length or not is_text(value):
        raise BadToken(f'The "{claim}" of a document token is a text of at most {length} characters.')
    return value


def _number(claims: dict[str, Any], claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**53:
        raise BadToken(f'The "{claim}" of a document token is a time in Unix seconds.')
    return float(value)
