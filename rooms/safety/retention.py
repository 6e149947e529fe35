"""What is forgotten, and when: nothing of anybody is kept for longer than it serves.

The domain sets the clocks of posts, chats and the audit log. The others are our own: of what proves something
(reports, cases, consents) as long as the audit log, and shorter ones of what is over. Notifications have
their own clock (rooms/accounts/notifications.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import delete, exists, func, null, or_, select, tuple_, update

from rooms.accounts.adult_contacts import REFUSED_FOR
from rooms.rights.access import Change
from rooms.safety.audit import ENTRY_LIFE, Audit
from rooms.storage.records import Records, Writing
from rooms.storage.schema import (
    cases,
    consents,
    contacts,
    direct_messages,
    invitations,
    join_requests,
    people,
    posts,
    proposals,
    reports,
    rooms,
    threads,
)
from rooms.talk.discussions import next_version
from rooms.talk.threads import document_of
from rooms.values import (
    Clock,
    ContactState,
    InvitationState,
    JoinRequestState,
    PersonState,
    PostState,
    ReportState,
    ThreadKind,
)

__all__ = [
    "CHAT_LIFE",
    "HIDDEN_LIFE",
    "INVITATION_LIFE",
    "PROOF_LIFE",
    "PROPOSAL_LIFE",
    "REQUEST_LIFE",
    "UNSEEN_LIFE",
    "Retention",
]

DAY: Final = 86_400.0
UNSEEN_LIFE: Final = 30 * DAY
"""Seconds for which a post is kept that nobody has let through, or that was rejected."""
HIDDEN_LIFE: Final = 90 * DAY
"""Seconds for which the words of a hidden post are kept; its stub stays."""
CHAT_LIFE: Final = 90 * DAY
"""Seconds for which a post in a chat is kept, and a message between two people."""


PROOF_LIFE: Final = ENTRY_LIFE
"""Seconds for which reports are kept once they are answered, cases once they are closed, consents once they
have ended: no longer than the audit log that tells of them."""
INVITATION_LIFE: Final = 30 * DAY
"""Seconds for which an invitation is kept that is decided, or that nobody has answered in time."""
REQUEST_LIFE: Final = 365 * DAY
"""Seconds for which a request to join is kept that is decided."""
PROPOSAL_LIFE: Final = 90 * DAY
"""Seconds for which a proposal is kept; the audit log tells of it for longer."""


class Retention:
    """The clocks of an installation."""

    def __init__(self, records: Records, audit: Audit, clock: Clock) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock

    async def forget(self) -> None:
        """Forgets what has been kept long enough. Every node may do it as often as it likes."""
        async with self._records.writing() as tx:
            await self._unseen(tx)
            await self._words(tx)
            await self._chats(tx)
            await self._messages(tx)
            await self._invitations(tx)
            await self._requests(tx)
            await self._proofs(tx)
            await self._consents(tx)
            await self._audit.prune(tx)

    async def _unseen(self, tx: Writing) -> None:
        old = self._clock() - UNSEEN_LIFE
        since = func.coalesce(posts.c.decided_at, posts.c.edited_at, posts.c.created_at)
        unseen = posts.c.state.in_((PostState.HELD, PostState.REJECTED))
        await tx.do(delete(posts).where(unseen, since < old))
        edits = posts.c.waiting_body.is_not(None), posts.c.created_at < old
        await tx.do(update(posts).where(*edits).values(waiting_body=None))

    async def _words(self, tx: Writing) -> None:
        """Of its document they are gone since the post was hidden."""
        hidden = posts.c.state == PostState.HIDDEN, posts.c.decided_at < self._clock() - HIDDEN_LIFE
        nothing: dict[str, Any] = {"body": "", "waiting_body": None, "mentions": [], "options": null()}
        await tx.do(update(posts).where(*hidden, posts.c.body != "").values(nothing))

    async def _chats(self, tx: Writing) -> None:
        """Whoever has the chat open sees them go."""
        old = (
            select(posts.c.id)
            .join(threads, threads.c.id == posts.c.thread_id)
            .where(threads.c.kind == ThreadKind.CHAT, posts.c.created_at < self._clock() - CHAT_LIFE)
        )
        chats = await tx.all(
            select(threads.c.id, rooms.c.space_id)
            .join(rooms, rooms.c.id == threads.c.room_id)
            .where(threads.c.id.in_(select(posts.c.thread_id).where(posts.c.id.in_(old))))
        )
        if not chats:
            return
        await tx.do(delete(posts).where(posts.c.id.in_(old)))
        for chat in chats:
            await next_version(tx, chat["id"])
            tx.publish(Change("purged", document_of(chat["id"]), chat["space_id"], content=True))

    async def _messages(self, tx: Writing) -> None:
        """Of somebody who is erased nothing is left with those they wrote to."""
        erased = select(people.c.id).where(people.c.state == PersonState.ERASED)
        old = direct_messages.c.created_at < self._clock() - CHAT_LIFE
        gone = direct_messages.c.sender_id.in_(erased), direct_messages.c.recipient_id.in_(erased)
        await tx.do(delete(direct_messages).where(or_(old, *gone)))

    async def _invitations(self, tx: Writing) -> None:
        """Of a decided one ``expires_at`` says when that was."""
        await tx.do(delete(invitations).where(invitations.c.expires_at < self._clock() - INVITATION_LIFE))
        decided = invitations.c.state.not_in((InvitationState.PROPOSED, InvitationState.OPEN))
        await tx.do(update(invitations).where(decided, invitations.c.email.is_not(None)).values(email=None))

    async def _requests(self, tx: Writing) -> None:
        now = self._clock()
        since = func.coalesce(join_requests.c.decided_at, join_requests.c.created_at)
        decided = join_requests.c.state != JoinRequestState.WAITING
        await tx.do(delete(join_requests).where(decided, since < now - REQUEST_LIFE))
        refused = contacts.c.state == ContactState.REFUSED
        await tx.do(delete(contacts).where(refused, contacts.c.answered_at < now - REFUSED_FOR))
        await tx.do(delete(proposals).where(proposals.c.created_at < now - PROPOSAL_LIFE))

    async def _proofs(self, tx: Writing) -> None:
        old = self._clock() - PROOF_LIFE
        await tx.do(delete(cases).where(cases.c.closed_at < old))
        answered = reports.c.state == ReportState.ANSWERED
        await tx.do(delete(reports).where(answered, reports.c.answered_at < old))

    async def _consents(self, tx: Writing) -> None:
        """One has ended when it was withdrawn, ran out, or another one of its purpose took its place.

        What another took the place of goes before that one: it must not count again.
        """
        old = self._clock() - PROOF_LIFE
        later = consents.alias("later")
        replaced = exists(
            select(later.c.id)
            .where(
                later.c.person_id == consents.c.person_id,
                later.c.purpose == consents.c.purpose,
                tuple_(later.c.created_at, later.c.id) > tuple_(consents.c.created_at, consents.c.id),
                later.c.created_at < old,
            )
            .correlate(consents)
        )
        day = datetime.fromtimestamp(old, UTC).date().isoformat()
        over = or_(consents.c.withdrawn_at < old, consents.c.valid_until < day)
        await tx.do(delete(consents).where(consents.c.created_at < old, or_(replaced, over)))
