"""One URL says where the bus is; a wrong one is answered with what to write, never with what was written."""

import pytest
from bustools import KEY, PREFIX
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.bus.redis import RedisBus
from rooms.bus.redis_url import Kind, Place, Servers


@pytest.mark.parametrize(
    ("url", "kind", "places"),
    [
        ("redis://cache", Kind.SINGLE, [Place("cache", 6379)]),
        ("redis://cache:7000/0", Kind.SINGLE, [Place("cache", 7000)]),
        ("redis://user:pass@[::1]:7000/3", Kind.SINGLE, [Place("::1", 7000)]),
        ("rediss://cache", Kind.SINGLE, [Place("cache", 6379)]),
        ("unix:///run/valkey.sock", Kind.SINGLE, [Place("", 0, "/run/valkey.sock")]),
        ("unix://user:pass@/run/a%20b.sock", Kind.SINGLE, [Place("", 0, "/run/a b.sock")]),
        ("redis+sentinel://a,[::1]:2/main/0", Kind.SENTINEL, [Place("a", 26379), Place("::1", 2)]),
        ("redis+cluster://a,b:7001", Kind.CLUSTER, [Place("a", 6379), Place("b", 7001)]),
        ("rediss+cluster://a", Kind.CLUSTER, [Place("a", 6379)]),
    ],
)  # fmt: skip
def test_urls_that_are_understood(url: str, kind: Kind, places: list[Place]) -> None:
    servers = Servers.parse(url)
    assert (servers.kind, list(servers.places)) == (kind, places)
    assert servers.service == ("main" if kind is Kind.SENTINEL else "")
    assert (servers.tls is not None) == url.startswith("rediss")


def test_user_and_password_may_be_percent_encoded() -> None:
    servers = Servers.parse("redis://a%3Ab:p%40s%2Fs@host")
    assert (servers.user, servers.password) == ("a:b", "p@s/s")
    assert Servers.parse("redis://:secret@host").password == "secret"
    assert Servers.parse("redis://:secret@host").user is None


def test_tls_has_its_options() -> None:
    servers = Servers.parse(
        "rediss://h?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=no&ssl_cert_reqs=required"
    )
    assert servers.tls == {
        "ssl_ca_certs": "/etc/ca.pem",
        "ssl_check_hostname": False,
        "ssl_cert_reqs": "required",
    }


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "does not begin with a scheme known here"),
        ("cache:6379", "does not begin with a scheme known here"),
        ("http://cache", "does not begin with a scheme known here"),
        ("unix+sentinel:///a/b", "does not begin with a scheme known here"),
        ("redis://", "names no host where one should stand"),
        ("redis://a b", "names no host where one should stand"),
        ("redis://cache:port", "has a port that is no number from 1 to 65535"),
        ("redis://cache:0", "has a port that is no number from 1 to 65535"),
        ("redis://cache:99999", "has a port that is no number from 1 to 65535"),
        ("redis://cache/name", "something behind the hosts that is no database number"),
        ("redis://cache/0/1", "something behind the hosts that is no database number"),
        ("redis://one,two", "names several hosts for one server"),
        ("redis+sentinel://a,b", "names no service of the Sentinels"),
        ("redis+cluster://a,,b", "names no host where one should stand"),
        ("unix://", "names no socket"),
        ("unix://host/run/sock", "names no socket"),
        ("redis://cache?timeout=3", "has an option behind the ? that is not known"),
        ("rediss://cache?ssl_cert_reqs=maybe", "has an option behind the ? that is not known"),
        ("redis://cache?ssl_keyfile=/a", "has options for TLS, but no TLS"),
        ("redis://user:se#cret@cache", "has a # in it: write it as %23"),
    ],
)
def test_what_is_not_understood_is_answered_with_what_to_write(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")) as error:
        Servers.parse(url)
    assert "rite " in str(error.value)


schemes = st.sampled_from(
    ["redis", "rediss", "unix", "redis+sentinel", "redis+cluster", "rediss+sentinel", "http", "redis+x"]
)
rests = st.sampled_from(
    ["", "@", "@cache", "@cache:1", "@cache:x/0", "@a,b/service", "/0", "/run/sock", "?a=b", "@[::1"]
)


@settings(deadline=None)
@given(schemes, st.text("ab/@:?#[]%,& é\0", max_size=8), rests)
def test_no_url_gives_away_its_password(scheme: str, noise: str, rest: str) -> None:
    secret = "Xq7Zsecret"
    told: BaseException | None = None
    try:
        servers = Servers.parse(f"{scheme}://user:{secret}{noise}{rest}")
    except ValueError as error:
        told = error
    else:
        assert servers.password is None or secret not in repr(servers)
    while told is not None:
        assert secret not in str(told)
        told = told.__cause__ or told.__context__


@pytest.mark.parametrize("prefix", ["", "twin space", "{slot}", "ü", "x" * 101, "a\r\nb"])
def test_a_prefix_that_cannot_be_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="cannot begin the names of channels"):
        RedisBus("redis://cache", key=KEY, prefix=prefix)


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_key_that_cannot_be_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="give 16 to 64"):
        RedisBus("redis://cache", key=key, prefix=PREFIX)
