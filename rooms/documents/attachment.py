"""One socket's hold on one live document, whatever protocol the socket speaks.

Here lies what both wire protocols share: rights on every message, one acknowledgement per update,
and what happens to a writer whose edits could not be taken in (it is asked to send them again) and
to a reader that does not keep up (it is brought up to date by state vector when it reads again).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crdt.errors import CrdtError
from rooms.documents.errors import Early, Protected, ReadOnly, Refused
from rooms.documents.fanout import Framing
from rooms.rights.access import Access, Change, Principal

if TYPE_CHECKING:
    from rooms.documents.live import LiveRoom

__all__ = ["Attachment", "Outlet"]

UNANSWERED = 100
"""Questions a client may leave unanswered before it is asked only for what was not taken in."""
FULL_PAUSE = 0.05
"""Seconds until a full socket is looked at again."""
MOST_OWED = 10_000
"""Answers owed to one writer; whoever sends more that cannot be taken in is owed no more."""


class Outlet(Protocol):
    """The socket's side of an attachment: how one protocol says things for one routing key."""

    @property
    def framing(self) -> Framing: ...

    @property
    def full(self) -> bool:
        """Whether so much waits for this socket that nothing large should be added."""
        ...

    def send(self, frame: bytes) -> None:
        """Queues a complete frame for this loop turn's one write."""
        ...

    def acknowledge(self, count: int, *, applied: bool) -> None:
        """Says of ``count`` updates whether they are durable (Hocuspocus' SyncStatus)."""
        ...

    def refuse(self, error: Exception) -> None:
        """Tells the sender what was wrong with its bytes and ends the attachment."""
        ...

    def notify(self, message: Mapping[str, object]) -> None:
        """Says something to our own client; stock clients never hear it."""
        ...

    def rights_changed(self, access: Access) -> None:
        """The access is another now; with no right to read, the attachment ends."""
        ...

    def recheck(self, attachment: Attachment) -> None:
        """Asks anew what the attachment may do, before any other message of this socket is taken."""
        ...

    def ask_token(self) -> None:
        """Asks the client for a newer token, where its protocol has words for that."""
        ...

    def spend(self, structs: int) -> None:
        """Charges the sender for what an update cost beyond its bytes."""
        ...


class Attachment:
    """Made when a socket has authenticated for a document; lives until it detaches or closes."""

    __slots__ = (
        "__weakref__",
        "_answering",
        "_asked",
        "_late",
        "_loop",
        "_owed",
        "_telling",
        "access",
        "behind",
        "outlet",
        "principal",
        "room",
        "stale",
        "wanted",
        "wants_echo",
    )

    def __init__(
        self, room: LiveRoom, principal: Principal, access: Access, outlet: Outlet, *, wants_echo: bool
    ) -> None:
        self.room = room
        self.principal = principal
        self.access = access
        self.outlet = outlet
        self.wants_echo = wants_echo
        """Whether this protocol's clients learn from the echo of their own update that it is durable."""
        self.stale = False
        """Some of its edits were not taken in: it has to be asked for them."""
        self.wanted: bytes | None = None
        """The state vector of a question that is not answered yet."""
        self.behind: bytes | None = None
        """What this reader had been sent when its socket stopped draining; ``None`` while it keeps up."""
        self._asked: deque[bool] = deque()
        """One entry per step 1 sent: whether it asks for edits that were not taken in."""
        self._owed = 0
        """Updates received that are not taken in: its answer to being asked again settles them all."""
        self._answering = False
        """An answer waits for the end of this turn or for a commit."""
        self._telling = False
        self._loop = asyncio.get_running_loop()
        self._late = False
        """The socket drained while the document was not there to catch up with."""

    @property
    def attached(self) -> bool:
        """Whether it is still on the document: nothing of that document leaves once it is not."""
        return self in self.room.attachments

    # What the client says

    def receive_step1(self, state_vector: bytes) -> None:
        """A client says what it has: it gets what it lacks, and is asked what we lack.

        One answer is under way at a time. A client that asks again meanwhile is answered once more,
        for its latest question, so that small questions cannot pile up large answers.
        """
        self.wanted = state_vector
        self._answer_soon()

    def receive_query(self) -> None:
        """A client asks who is here; asked many times in a turn, it is told once."""
        if not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        if self.attached:
            self.tell_of(self.room.everybody())

    def tell_of(self, people: Iterable[bytes]) -> None:
        """Says who is here, in awareness messages."""
        for message in people:
            self.outlet.send(self.outlet.framing.awareness(message))

    def receive_step2(self, update: bytes) -> None:
        """A client's answer to our step 1."""
        again = self._asked.popleft() if self._asked else False
        if again:
            owed, self._owed = self._owed, 0
            self._take(update, _Owed(self, owed), step2=True)
        else:
            self._take(update, self, step2=True)

    def receive_update(self, update: bytes) -> None:
        self._take(update, self)

    def receive_awareness(self, payload: bytes) -> None:
        try:
            self.room.hear(self, payload)
        except CrdtError as error:
            self.outlet.refuse(error)

    def _take(self, update: bytes, origin: Attachment | _Owed, *, step2: bool = False) -> None:
        try:
            if not self.access.may_write:
                self._refuse_write(update, origin, step2=step2)
            elif not self.room.writable:
                if not (step2 and self.room.confirm(update, origin)):
                    origin.lost(None)
            else:
                summary = self.room.submit(
                    update,
                    self.access.subject,
                    origin,
                    whole_state=step2,
                    minds_protection=self.access.minds_protection,
                )
                self.outlet.spend(summary.structs)
        except Protected as error:
            self._decline(origin, error)
        except Early as error:
            if step2:
                self._decline(origin, error)
            else:
                origin.lost(None)
                if True not in self._asked:  # else its answer, which comes later, holds this update too
                    self.ask_again()
        except (CrdtError, Refused) as error:
            self.outlet.acknowledge(1, applied=False)
            self.outlet.refuse(error)

    def _refuse_write(self, update: bytes, origin: Attachment | _Owed, *, step2: bool) -> None:
        """A reader's answer to step 1 that holds nothing new is no attempt to write.

        Any other stays owed: should the right come back, its sender is asked for all of it.
        """
        if step2 and not self.room.active:
            origin.lost(None)
            return
        if step2 and self.room.confirm(update, origin):
            return
        self._decline(origin, ReadOnly(self.access.reason))

    def _decline(self, origin: Attachment | _Owed, error: Refused) -> None:
        """Does not take an update, which stays owed; its sender goes on."""
        self.owe(origin.count if isinstance(origin, _Owed) else 1)
        self.outlet.acknowledge(1, applied=False)
        self.outlet.notify(
            {"type": "refused", "what": error.code, "message": str(error), "retry_after": None}
        )

    # What the room says

    def committed(self, count: int = 1) -> None:
        self.settled(count)

    def settled(self, count: int) -> None:
        """So many of its updates are durable."""
        if self.attached:
            self.outlet.acknowledge(count, applied=True)

    def lost(self, error: Exception | None, count: int = 1) -> None:
        self.owe(count)
        self.stale = True

    def owe(self, count: int) -> None:
        self._owed = min(self._owed + count, MOST_OWED)

    def ask_again(self) -> None:
        """Asks for the edits that were not taken in; the answer settles every update still owed."""
        self.stale = False
        self.ask(again=True)

    def ask(self, *, again: bool = False) -> None:
        """Sends our step 1. Clients answer each, in order."""
        self._asked.append(again)
        self.room.send_step1(self)

    def room_is_active(self) -> None:
        """The document was loaded (again): questions that waited are answered."""
        self._answer_soon()
        if self._late:
            self.catch_up()

    def _answer_soon(self) -> None:
        if self.wanted is not None and not self._answering and self.room.active:
            self._answering = True
            self._loop.call_soon(self._answer)

    def _answer(self) -> None:
        if self.wanted is None or not self.room.active or not self.attached:
            self._answering = False
            return
        try:
            if len(self._asked) < UNANSWERED:
                self.ask()
            self.room.answer(self, self.wanted)
        except CrdtError as error:
            self.wanted = None
            self._answering = False
            self.outlet.refuse(error)

    def answered(self, state_vector: bytes) -> None:
        """The answer to this question leaves now."""
        self._answering = False
        if self.wanted is state_vector:
            self.wanted = None
        self._answer_soon()

    def postpone_answer(self) -> None:
        """The socket is full. One socket may hold many lines, whose answers must not pile up in it."""
        self._loop.call_later(FULL_PAUSE, self._retry_answer)

    def _retry_answer(self) -> None:
        self._answering = False
        self._answer_soon()

    def postpone_catch_up(self, state_vector: bytes) -> None:
        """The socket is full again before it was brought up to date."""
        self.missed(state_vector)
        self._loop.call_later(FULL_PAUSE, self.catch_up)

    def unanswered(self) -> None:
        """The answer held what the log does not; the question is answered when the room is active again."""
        self._answering = False

    # What the socket says

    def fall_behind(self) -> None:
        """The socket does not drain: from now on this reader is skipped."""
        if self.behind is None:
            self.behind = self.room.durable_vector()

    def catch_up(self) -> None:
        """The socket drains again: everything missed goes out as one difference."""
        if self.behind is not None and self.room.active and self.attached:
            behind, self.behind = self.behind, None
            self.room.catch_up(self, behind)
        self._late = self.behind is not None

    def missed(self, state_vector: bytes) -> None:
        """What was to bring this reader up to date did not leave; it is as far behind as before."""
        self.behind = self.behind or state_vector
        self._late = True

    # Rights

    def concerned(self, change: Change) -> bool:
        """Whether a change of the records may alter this attachment's rights."""
        if change.content or (change.supervised and not self.access.supervised):
            return False
        return change.everybody or (
            (change.document is None or change.document == self.room.name)
            and (change.space is None or change.space == self.access.space)
            and (change.person is None or change.person == self.principal.person)
            and (change.session is None or change.session == self.principal.session_id)
            and (change.document or change.space or change.person or change.session) is not None
        )

    def take_access(self, access: Access) -> None:
        """Puts a new access in force and says so, if it is another."""
        if not self.attached:
            return
        before, self.access = self.access, access
        if access == before:
            return
        regained = access.may_write and not before.may_write
        self.room.restamp(self)
        self.outlet.rights_changed(access)
        if regained:
            self.stale = True
            self.room.resume()


@dataclass(slots=True)
class _Owed:
    """The origin of an answer that stands for every update still owed to one writer."""

    attachment: Attachment
    count: int

    def committed(self, count: int = 1) -> None:
        self.attachment.settled(self.count)

    def lost(self, error: Exception | None, count: int = 1) -> None:
        self.attachment.owe(self.count)
        self.attachment.stale = True
