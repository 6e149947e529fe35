"""What a browser may do with this server: origins, cookies, addresses behind proxies, and security headers.

No CORS by default: other origins read nothing. `--allowed-origin` names other origins whose pages may use
*document tokens*; a log-in cookie never counts on a request that such a page made.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from aiohttp import web

from server.config import Network, Settings
from server.origins import Origin, parse_host, parse_origin

__all__ = ["SECURITY", "Caller", "Cookie", "Security"]

SECURE_COOKIE: Final = "__Host-twinspace"
PLAIN_COOKIE: Final = "twinspace"
"""Without https the __Host- prefix is not to be had, so the name says which of the two it is."""

# Everything a page of ours may not do. What the client needs beyond this is asked for here, not there.
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
        "xr-spatial-tracking",
    )
)


class Caller(Enum):
    """Whose page made a request, as far as its Origin tells."""

    OWN = "own"
    """A page of this server."""
    ABSENT = "absent"
    """No browser, or a browser's plain navigation: browsers put Origin on every upgrade and unsafe method."""
    ALLOWED = "allowed"
    """A page of an origin the operator has listed: document tokens only, never the cookie."""
    FOREIGN = "foreign"
    """Any other page."""


@dataclass(frozen=True)
class Cookie:
    """How the log-in session travels: HttpOnly, SameSite=Lax, Path=/, no Domain, gone with the browser."""

    secure: bool

    @property
    def name(self) -> str:
        return SECURE_COOKIE if self.secure else PLAIN_COOKIE

    def read(self, request: web.BaseRequest) -> str | None:
        """The session secret the browser sent; None when there is none."""
        return request.cookies.get(self.name) or None

    def set(self, response: web.StreamResponse, token: str) -> None:
        response.set_cookie(self.name, token, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def clear(self, response: web.StreamResponse) -> None:
        # Browsers take a removal of a __Host- cookie only with the attributes it was set with.
        response.set_cookie(
            self.name, "", path="/", secure=self.secure, httponly=True, samesite="Lax", max_age=0
        )


class Security:
    """The rules of one server, made from its settings."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public_url
        self._allowed = frozenset(settings.allowed_origin)
        self._proxies: tuple[Network, ...] = settings.trusted_proxy
        self.cookie = Cookie(settings.cookie_secure)

    # Who asks, and under which name

    def _trusts(self, address: str | None) -> bool:
        if address is None:
            return False
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._proxies)

    def client_address(self, request: web.BaseRequest) -> str:
        """The nearest address no trusted proxy stands at. For limits; it is never logged."""
        address = request.remote or ""
        hops = [
            hop.strip() for value in request.headers.getall("X-Forwarded-For", ()) for hop in value.split(",")
        ]
        while hops and self._trusts(address):
            hop = hops.pop()
            try:
                address = str(ipaddress.ip_address(hop))
            except ValueError:
                break
        return address

    def is_local(self, request: web.BaseRequest) -> bool:
        """Asked on this very machine, and not through a proxy that hides who asks."""
        forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
        try:
            return not forwarded and ipaddress.ip_address(request.remote or "").is_loopback
        except ValueError:
            return False

    def origin(self, request: web.BaseRequest) -> Origin | None:
        """This server's own origin as the caller sees it; None when its Host header makes no sense."""
        if self._public is not None:
            return self._public
        scheme, host = request.scheme, _single(request, "Host")
        if self._trusts(request.remote):
            # The last value is the one the proxy beside us wrote.
            scheme = _last(request, "X-Forwarded-Proto") or scheme
            host = _last(request, "X-Forwarded-Host") or host
        return parse_host(host, scheme.lower()) if host else None

    def caller(self, request: web.BaseRequest) -> Caller:
        """Whose page made this request. Two Origin headers, `null`, or anything malformed is foreign."""
        if "Origin" not in request.headers:
            site = request.headers.get("Sec-Fetch-Site", "none").strip().lower()
            return {"none": Caller.ABSENT, "same-origin": Caller.OWN}.get(site, Caller.FOREIGN)
        sent = _single(request, "Origin")
        origin = parse_origin(sent) if sent else None
        if origin is None:
            return Caller.FOREIGN
        if origin == self.origin(request):
            return Caller.OWN
        return Caller.ALLOWED if origin in self._allowed else Caller.FOREIGN

    def origin_allowed(self, request: web.BaseRequest) -> bool:
        """Whether a WebSocket may be opened. The cookie counts only if `cookie_counts` says so too."""
        return self.caller(request) is not Caller.FOREIGN

    def cookie_counts(self, request: web.BaseRequest) -> bool:
        """Whether the session cookie on this request is the log-in of the person who meant to make it.

        True for our own pages and for programs that are no browser. Whatever changes something asks for more:
        see `is_own_page`.
        """
        return self.caller(request) in (Caller.OWN, Caller.ABSENT)

    def is_own_page(self, request: web.BaseRequest) -> bool:
        """Whether the browser itself says that a page of this server made the request (CSRF)."""
        return self.caller(request) is Caller.OWN

    # What the answers say

    def headers(self, request: web.BaseRequest, *, page: bool) -> dict[str, str]:
        """The security headers of an answer; `page` for HTML that runs our client."""
        origin = self.origin(request)
        headers = {
            "Content-Security-Policy": _page_policy(origin) if page else _DATA_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Server": "TwinSpace",
        }
        if page:
            headers["Permissions-Policy"] = PERMISSIONS
        if origin is not None and origin.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return headers

    def cors_headers(self, request: web.BaseRequest) -> dict[str, str]:
        """What lets a listed origin read an answer got with a document token; nothing for any other."""
        headers = {"Vary": "Origin"}
        if self.caller(request) is Caller.ALLOWED:
            headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return headers


# For data, and for the pages of /api: no script, no picture, nothing but our own style sheet.
_DATA_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _page_policy(origin: Origin | None) -> str:
    # Some browsers do not let 'self' match the WebSocket schemes, so the own origin's is named.
    socket = f" {'wss' if origin.is_secure else 'ws'}://{origin.netloc}" if origin else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' https: data:",
            "font-src 'self'",
            f"connect-src 'self'{socket}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html ProseMirrorClipboard twinspace",
        )
    )


def _single(request: web.BaseRequest, name: str) -> str | None:
    values = request.headers.getall(name, ())
    return values[0].strip() if len(values) == 1 else None


def _last(request: web.BaseRequest, name: str) -> str | None:
    values = [part.strip() for value in request.headers.getall(name, ()) for part in value.split(",")]
    return values[-1] if values and values[-1] else None


SECURITY: Final = web.AppKey("security", Security)
