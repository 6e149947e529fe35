"""Mail by SMTP: which server takes it, and one connection that messages go out on.

The standard library's client waits for answers, so it runs in a thread of its own: nothing else waits with
it, and a mail server that never answers does not keep this process from ending.
"""

from __future__ import annotations

import asyncio
import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from server.names import is_text

__all__ = ["MailRefused", "MailServer", "MailTrouble", "Mailer", "Protection", "parse_sender"]

ANSWER_SECONDS: Final = 20.0
"""How long one answer of the mail server may take."""
SEND_SECONDS: Final = 60.0
"""How long connecting or one mail may take in all."""
GOODBYE_SECONDS: Final = 2.0
MOST_ON_ONE_CONNECTION: Final = 50

T = TypeVar("T")


class MailTrouble(Exception):
    """The mail server cannot be used now; the message says why, without anybody's address."""


class MailRefused(Exception):
    """The mail server takes other mails, but not this one."""

    def __init__(self, *, for_good: bool) -> None:
        super().__init__("for good" if for_good else "for now")
        self.for_good = for_good


class Protection(Enum):
    """What keeps others from reading along on the way to the mail server."""

    TLS = "smtps"
    """From the first byte."""
    STARTTLS = "smtp"
    """Before anything is said; only on this very machine may it be missing."""
    NONE = "smtp+plain"


PORTS: Final = {Protection.TLS: 465, Protection.STARTTLS: 587, Protection.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    protection: Protection
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """From ``smtp://USER:PASSWORD@HOST:PORT``. Raises ValueError, whose message does not repeat it."""
        try:
            parts = urlsplit(url)
            protection, port = Protection(parts.scheme), parts.port
        except ValueError:
            raise ValueError(_HOW) from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        extra = parts.path.strip("/") or parts.query or parts.fragment
        if not parts.hostname or extra or bool(user) != bool(password):
            raise ValueError(_HOW)
        if not is_text(parts.hostname + user + password):
            raise ValueError("there are control characters in it")
        return cls(parts.hostname, port or PORTS[protection], protection, user, password)

    @property
    def is_here(self) -> bool:
        """On this very machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


_HOW: Final = (
    "write smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start; smtp+plain:// sends all "
    "in the clear (user and password may be left out, and are percent-encoded)"
)


def parse_sender(value: str) -> Address:
    """From ``noreply@school.eu`` or ``TwinSpace <noreply@school.eu>``. Raises ValueError."""
    name, spec = parseaddr(value)
    local, _, domain = spec.rpartition("@")
    if not is_text(value) or not local or not domain or any(each in spec for each in ' "<>,;:'):
        raise ValueError("write an address such as TwinSpace <noreply@school.eu>")
    return Address(name, addr_spec=spec)


class Mailer:
    """Sends one message after the other, on one connection as long as it lasts."""

    def __init__(self, server: MailServer, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._server = server
        self._answer_seconds = answer_seconds
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    async def send(self, message: EmailMessage, sender: str, to: str) -> None:
        """Returns when the mail server has taken it. Raises MailTrouble and MailRefused."""
        try:
            data = message.as_bytes()
            sender.encode("ascii")
            to.encode("ascii")
        except UnicodeError:
            raise MailRefused(for_good=True) from None
        if self._smtp is None or self._sent >= MOST_ON_ONE_CONNECTION:
            await self.close()
            self._smtp = await self._guarded(self._connect)
            self._sent = 0
        smtp = self._smtp
        self._sent += 1
        await self._guarded(lambda: smtp.sendmail(sender, [to], data))

    async def close(self) -> None:
        """Says good-bye, if the connection still stands."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                await _apart(smtp.quit, GOODBYE_SECONDS)
            except (smtplib.SMTPException, OSError):
                _cut(smtp)

    async def _guarded(self, work: Callable[[], T]) -> T:
        """What the mail server's answer means. After trouble the connection is a new one."""
        try:
            return await _apart(work, SEND_SECONDS)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            if code != 421:
                raise MailRefused(for_good=code >= 500) from None
            reason = "the mail server is closing"
        except smtplib.SMTPDataError as error:
            if error.smtp_code != 421:
                raise MailRefused(for_good=error.smtp_code >= 500) from None
            reason = "the mail server is closing"
        except smtplib.SMTPAuthenticationError:
            reason = "the mail server does not take the user and password"
        except smtplib.SMTPSenderRefused as error:
            reason = f"the mail server does not take the sender ({error.smtp_code})"
        except smtplib.SMTPNotSupportedError:
            reason = "the mail server does not offer STARTTLS or a log-in"
        except smtplib.SMTPException as error:
            reason = f"the mail server cannot be talked to ({type(error).__name__})"
        except ssl.SSLError as error:
            reason = f"the mail server cannot be trusted ({error.reason or type(error).__name__})"
        except OSError as error:
            reason = f"the mail server cannot be reached ({type(error).__name__})"
        except BaseException:
            self._forget()
            raise
        self._forget()
        raise MailTrouble(reason) from None

    def _forget(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            _cut(smtp)

    def _connect(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        seconds = self._answer_seconds
        if server.protection is Protection.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=seconds)
        try:
            smtp.ehlo_or_helo_if_needed()
            if server.protection is Protection.STARTTLS and (not server.is_here or smtp.has_extn("starttls")):
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _cut(smtp: smtplib.SMTP) -> None:
    """Ends the connection at once, also for a thread that waits on it."""
    if smtp.sock is not None:
        with suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)
    smtp.close()


async def _apart(work: Callable[[], T], seconds: float) -> T:
    """Does it in a thread that the end of the process does not wait for. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is over, and so is whoever wanted to know
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="mail", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await done
