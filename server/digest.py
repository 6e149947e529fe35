"""Mails of what is new: how one reads, and who sends them out.

Every node looks round again and again; the turn in the records (rooms/accounts/digest.py) says which of them
sends. A mail server that is away is tried again later and later, and nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from rooms.accounts.digest import DigestMail, Digests, SpaceNews, TurnLost
from rooms.faults import RecordsUnavailable
from rooms.services import Services
from rooms.values import PersonId, new_id
from server.config import Settings
from server.digest_words import Words, words_in
from server.mail import Mailer, MailRefused, MailServer, MailTrouble, parse_sender

__all__ = ["LEAVE", "DigestPost", "digest_post", "write_mail"]

LEAVE: Final = "/mail/leave/"
"""Path below which a mail's reader ends these mails, without a log-in."""
TITLE_LENGTH: Final = 80
FIRST_WAIT: Final = 60.0
LONGEST_WAIT: Final = 3_600.0
"""Seconds without a try after the mail server was of no use: at first, and at most."""
LATER: Final = 900.0
"""Seconds until a mail is tried again that was refused for now, as by greylisting."""
REFUSED_IN_A_ROW: Final = 5
"""So many mails refused for now are trouble of the mail server, not of the mails."""
MARK_AGAIN: Final = 1.0
STOP_SECONDS: Final = 3.0
"""How long a mail that is just being sent may still take when the node stops."""

logger = logging.getLogger(__name__)


class DigestPost:
    """Sends the mails that are due."""

    def __init__(
        self,
        digests: Digests,
        mailer: Mailer,
        *,
        sender: Address,
        url: str,
        node: str,
        now: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``url`` is how the outside reaches this server, ``now`` the time that nodes agree on."""
        self._digests = digests
        self._mailer = mailer
        self._sender = sender
        self._url = url
        self._node = node
        self._now = now
        self._steady = steady
        self._wait = FIRST_WAIT
        self._not_before = float("-inf")
        self._later: dict[PersonId, float] = {}

    async def send_due(self) -> None:
        """Sends what is due, unless another node does, or the mail server has just been of no use."""
        if self._steady() < self._not_before or not await self._digests.take_turn(self._node):
            return
        try:
            await self._round()
            self._wait = FIRST_WAIT
        except TurnLost:
            pass
        except MailTrouble as trouble:
            self._not_before = self._steady() + self._wait
            logger.warning("mail waits: %s; the next try is in %d s", trouble, self._wait)
            self._wait = min(2 * self._wait, LONGEST_WAIT)
        finally:
            await self._mailer.close()
            with suppress(RecordsUnavailable):
                await self._digests.end_turn(self._node)

    async def _round(self) -> None:
        refused = 0
        after = ""
        self._later = {person: at for person, at in self._later.items() if at > self._steady()}
        while people := await self._digests.due(after):
            after = people[-1]
            for person in people:
                if person in self._later:
                    continue
                taken = await self._to_the_end(self._send(person))
                if taken is not None:
                    refused = 0 if taken else refused + 1
                if refused == REFUSED_IN_A_ROW:
                    raise MailTrouble("the mail server refuses one mail after the other")

    async def _to_the_end(self, sending: Coroutine[None, None, bool | None]) -> bool | None:
        """Also when the node stops: a mail that is on its way must be marked, or it comes again."""
        task = asyncio.ensure_future(sending)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=STOP_SECONDS)
            task.add_done_callback(lambda over: over.cancelled() or over.exception())
            task.cancel()
            raise

    async def _send(self, person: PersonId) -> bool | None:
        """Whether the mail server was content, or None without a mail. Raises MailTrouble and TurnLost."""
        mail = await self._digests.prepare(self._node, person)
        if mail is None:
            return None
        told = mail.told
        try:
            message = write_mail(mail, self._sender, self._url, self._now())
            await self._mailer.send(message, self._sender.addr_spec, mail.address)
        except MailRefused as refused:
            if not refused.for_good:
                self._later[person] = self._steady() + LATER
                return False
            told = []
        except (ValueError, IndexError):  # what is in the records is no address
            told = []
        while True:
            try:
                await self._digests.sent(person, told)
                return True
            except RecordsUnavailable:
                await asyncio.sleep(MARK_AGAIN)


def digest_post(settings: Settings, services: Services) -> DigestPost | None:
    """Who sends the mails of this node; nobody where the settings name no mail server."""
    if settings.smtp is None or settings.mail_from is None or settings.public_url is None:
        return None
    return DigestPost(
        services.digests,
        Mailer(MailServer.parse(settings.smtp)),
        sender=parse_sender(settings.mail_from),
        url=str(settings.public_url),
        node=new_id(),
        now=services.clock,
    )


def write_mail(mail: DigestMail, sender: Address, url: str, now: float) -> EmailMessage:
    """Raises ValueError or IndexError where the address is none."""
    words = words_in(mail.languages)
    leave = f"{url}{LEAVE}{mail.leave}"
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.address)
    message["Subject"] = words.subject_for(len(mail.told))
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = f"<{_same_again(mail)}@{sender.domain}>"
    message["List-Unsubscribe"] = f"<{leave}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = words.language
    message.set_content(_plain(mail, words, url, leave), cte="quoted-printable")
    message.add_alternative(_html(mail, words, url, leave), subtype="html", cte="quoted-printable")
    return message


def _same_again(mail: DigestMail) -> str:
    """The same for a mail that is sent again, so that mail programs may show it once."""
    return hashlib.sha256(f"{mail.person} {mail.told[0]}".encode()).hexdigest()[:32]


def _title(news: SpaceNews, words: Words) -> str:
    """On one line, whatever is in it."""
    shown = "".join(each if each.isprintable() else " " for each in news.title or "")
    return " ".join(shown.split())[:TITLE_LENGTH] or words.elsewhere


def _where(news: SpaceNews, url: str) -> str:
    return f"{url}/spaces/{news.space}" if news.title is not None else f"{url}/notifications"


def _lines(news: SpaceNews, words: Words) -> list[str]:
    return [words.count(kind, number) for kind, number in news.counts.items()]


def _plain(mail: DigestMail, words: Words, url: str, leave: str) -> str:
    parts = [words.hello]
    for news in mail.news:
        lines = "".join(f"\n  - {line}" for line in _lines(news, words))
        parts.append(f"{_title(news, words)}{lines}\n  {_where(news, url)}")
    parts.append(f"{words.read}: {url}/notifications")
    parts.append(f"{words.why}\n{words.change}: {url}/notifications\n{words.leave}: {leave}")
    return "\n\n".join(parts) + "\n"


def _html(mail: DigestMail, words: Words, url: str, leave: str) -> str:
    def link(to: str, shown: str) -> str:
        return f'<a href="{html.escape(to)}" style="color:#14605c">{html.escape(shown)}</a>'

    spaces = "".join(
        f'<h2 style="margin:24px 0 4px;font-size:17px">{link(_where(news, url), _title(news, words))}</h2>'
        f'<ul style="margin:0;padding-left:20px">'
        + "".join(f"<li>{html.escape(line)}</li>" for line in _lines(news, words))
        + "</ul>"
        for news in mail.news
    )
    button = (
        "display:inline-block;padding:12px 20px;border-radius:12px;background:#14605c;color:#ffffff;"
        "text-decoration:none;font-weight:600"
    )
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f"<title>{html.escape(words.subject_for(len(mail.told)))}</title></head>"
        '<body style="margin:0;padding:24px;background:#ffffff;color:#1f2c2d;'
        'font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">'
        f'<div style="max-width:560px;margin:0 auto"><p>{html.escape(words.hello)}</p>{spaces}'
        f'<p style="margin:28px 0"><a href="{html.escape(url)}/notifications" style="{button}">'
        f"{html.escape(words.read)}</a></p>"
        f'<p style="color:#566261;font-size:14px">{html.escape(words.why)}<br>'
        f"{link(f'{url}/notifications', words.change)} · {link(leave, words.leave)}</p></div></body></html>\n"
    )
