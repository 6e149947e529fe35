"""A real mail server: it keeps what it is given and answers as a test wants it to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

__all__ = ["Letter", "Letterbox"]

TAKEN = "250 OK"


@dataclass(frozen=True)
class Letter:
    sender: str
    to: list[str]
    raw: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def text(self, subtype: str = "plain") -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


class Letterbox:
    """``async with Letterbox() as box:``; `stop` and `start` take it away and bring it back on its port."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self._tls = tls
        self._implicit = implicit
        self._login = login
        self._server: asyncio.Server | None = None
        self._open: set[SMTP] = set()
        self.letters: list[Letter] = []
        self.says: Callable[[str], str] = lambda to: TAKEN
        """The answer to a recipient."""
        self.says_at_the_end: Callable[[], Awaitable[str]] = _taken
        """The answer to a whole mail; what is not taken is not kept."""
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Letterbox:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, "127.0.0.1", self.port, ssl=self._tls if self._implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for each in self._open:
            if each.transport is not None:
                each.transport.abort()
        self._open.clear()
        await self._server.wait_closed()

    def letters_to(self, address: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.to == [address]]

    def _accept(self) -> SMTP:
        self.connections += 1
        encrypts = self._tls is not None and not self._implicit
        made = SMTP(
            self,
            loop=asyncio.get_running_loop(),
            hostname="letterbox",
            tls_context=self._tls if encrypts else None,
            require_starttls=encrypts,
            authenticator=self._knows if self._login else None,
            auth_required=self._login is not None and encrypts,
            auth_require_tls=encrypts,
        )
        self._open.add(made)
        return made

    def _knows(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        said = data.login.decode(), data.password.decode()
        return AuthResult(success=said == self._login, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.says(address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await self.says_at_the_end()
        if answer == TAKEN:
            assert isinstance(envelope.content, bytes)
            assert session.authenticated or self._login is None
            encrypted = session.ssl is not None or self._implicit
            self.letters.append(
                Letter(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content, encrypted)
            )
        return answer


async def _taken() -> str:
    return TAKEN
