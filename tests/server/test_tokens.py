"""Document tokens: what opens a document, and what never does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.rights.access import Scope
from server.tokens import (
    BadToken,
    ExpiredToken,
    SecretError,
    TokenError,
    Tokens,
    WrongDocument,
    read_secret,
)

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000.0
GOOD: dict[str, Any] = {
    "aud": "twinspace",
    "document": "notes/a",
    "scope": "read-write",
    "sub": "u1",
    "iat": NOW,
    "exp": NOW + 60,
}


def at(now: float = NOW, secret: bytes = SECRET) -> Tokens:
    return Tokens(secret, lambda: now)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: Any, header: dict[str, Any] | None = None, secret: bytes = SECRET) -> str:
    """A JWT made by hand, as another library would make it."""
    header = {"alg": "HS256"} if header is None else header
    parts = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(header.get("alg", ""), hashlib.sha256)
    return f"{parts}.{base64url(hmac.new(secret, parts.encode(), digest).digest())}"


def test_what_is_minted_is_verified_as_the_same_principal() -> None:
    token = at().mint("notes/ä b/😀", Scope.READONLY, subject="u7", name="Ana 👩‍🏫", expires=60)
    principal = at(NOW + 59).verify(token, "notes/ä b/😀")
    assert (principal.kind, principal.subject, principal.name) == ("token", "u7", "Ana 👩‍🏫")
    assert (principal.document, principal.scope, principal.expires_at) == (
        "notes/ä b/😀",
        Scope.READONLY,
        NOW + 60,
    )


def test_a_token_any_jwt_library_makes_is_accepted() -> None:
    assert at().verify(signed(GOOD), "notes/a").scope is Scope.READ_WRITE
    assert at().verify(signed(GOOD | {"aud": ["other", "twinspace"]}), "notes/a").subject == "u1"


def test_expired_is_told_apart_because_the_client_can_ask_for_another() -> None:
    with pytest.raises(ExpiredToken):
        at(NOW + 60).verify(signed(GOOD), "notes/a")


@pytest.mark.parametrize("document", ["notes/b", "notes/a/", "Notes/a", "notes/a\x00s", ""])
def test_a_token_opens_no_other_document(document: str) -> None:
    with pytest.raises(WrongDocument):
        at().verify(signed(GOOD), document)


@pytest.mark.parametrize("name", ["page/p1", "space/s1", "page/", "", "a\x00b", "a\nb", "x" * 513, "\ud800"])
def test_no_token_is_made_or_taken_for_a_page_a_space_or_an_impossible_name(name: str) -> None:
    with pytest.raises(BadToken):
        at().mint(name, Scope.READ_WRITE)
    with pytest.raises(BadToken):
        at().verify(signed(GOOD | {"document": name}))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None"}, {}, {"alg": "HS512"}, {"alg": "RS256"}])
def test_no_other_algorithm_signs(header: dict[str, Any]) -> None:
    token = signed(GOOD, header)
    for forged in (token, token.rpartition(".")[0] + "."):
        with pytest.raises(BadToken):
            at().verify(forged, "notes/a")


def test_another_secret_and_a_changed_claim_are_refused() -> None:
    with pytest.raises(BadToken):
        at(secret=b"x" * 32).verify(signed(GOOD), "notes/a")
    header, _, signature = signed(GOOD).split(".")
    more = base64url(json.dumps(GOOD | {"exp": NOW + 9_999}).encode())
    with pytest.raises(BadToken):
        at().verify(f"{header}.{more}.{signature}", "notes/a")


@pytest.mark.parametrize("claim", list(GOOD))
@pytest.mark.parametrize("value", [None, 1.5, True, [], {}, "", "x" * 600, -1, float("nan"), 2**60, "\x00"])
def test_every_claim_is_checked(claim: str, value: object) -> None:
    if claim in ("iat", "exp") and value == 1.5:
        value = "1.5"
    with pytest.raises(TokenError):
        at().verify(signed(GOOD | {claim: value}), "notes/a")
    with pytest.raises(TokenError):
        at().verify(signed({key: each for key, each in GOOD.items() if key != claim}), "notes/a")


def test_an_unknown_scope_is_refused_rather_than_read_as_less() -> None:
    for scope in ("none", "admin", "READ-WRITE", ["read-write"]):
        with pytest.raises(BadToken):
            at().verify(signed(GOOD | {"scope": scope}), "notes/a")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["x"], "x": 1},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "HS256", "jku": "http://127.0.0.1/keys"},
        {"alg": "HS256", "kid": "../../etc/passwd"},
    ],
)
def test_header_tricks_gain_nothing(header: dict[str, Any]) -> None:
    token = signed(GOOD, header, secret=b"y" * 32)
    with pytest.raises(BadToken):
        at().verify(token, "notes/a")


@given(st.data())
def test_a_token_like_one_that_was_good_is_looked_at_as_closely(data: st.DataObject) -> None:
    tokens, good = at(), signed(GOOD)
    tokens.verify(good)
    assert tokens.verify(signed(GOOD | {"sub": "u2"})).subject == "u2"
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("AQgwxyz01._-=+/").filter(lambda character: character != good[place]))
    for forged in (
        good[:place] + other + good[place + 1 :],
        good[:place] + other + good[place:],
        good[:place] + good[place + 1 :],
    ):
        with pytest.raises(BadToken):
            tokens.verify(forged)
        with pytest.raises(BadToken):
            at().verify(forged)


@pytest.mark.parametrize("claims", [[GOOD], "text", None, 1])
def test_what_a_good_signature_covers_has_to_be_claims(claims: object) -> None:
    tokens = at()
    tokens.verify(signed(GOOD))
    with pytest.raises(BadToken):
        tokens.verify(signed(claims))


@given(
    st.text(max_size=200)
    | st.binary(max_size=200).map(lambda data: base64url(data) + "." + base64url(data) + ".")
)
def test_whatever_is_no_token_is_refused_with_a_typed_error(text: str) -> None:
    with pytest.raises(TokenError):
        at().verify(text, "notes/a")


def test_deeply_nested_claims_are_refused() -> None:
    body = b"[" * 1500 + b"]" * 1500
    parts = base64url(b'{"alg":"HS256"}') + "." + base64url(body)
    token = f"{parts}.{base64url(hmac.new(SECRET, parts.encode(), hashlib.sha256).digest())}"
    with pytest.raises(BadToken):
        at().verify(token, "notes/a")


def test_the_secret_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    secrets: list[bytes] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        secrets.append(read_secret(data, None))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 8
    assert len(set(secrets)) == 1
    assert len(secrets[0]) >= 32
    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    assert [each.name for each in data.iterdir()] == ["secret"]


def test_a_given_secret_file_has_to_exist_and_to_be_long_enough(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="nothing"):
        read_secret(tmp_path, tmp_path / "nothing")
    (tmp_path / "short").write_text("secret\n")
    with pytest.raises(SecretError, match="at least 32"):
        read_secret(tmp_path, tmp_path / "short")
    (tmp_path / "long").write_bytes(SECRET + b"\n")
    assert read_secret(tmp_path, tmp_path / "long") == SECRET
