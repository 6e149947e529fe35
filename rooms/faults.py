"""What the records answer instead of doing what was asked.

RecordsError
├── NotFound           there is no such thing, or the asker may not know that there is
├── NotAllowed         the policy says no; ``reason`` is its key
├── Blocked            a filter stops these words; ``kinds`` says what it found
├── Conflict           the thing is not in a state for this; ``code`` says which rule
├── WrongCredentials   unknown account or wrong secret: nobody is told which
├── TooManyTries       log-ins are held back; ``retry_after`` in seconds
├── RecordsUnavailable the database does not answer or takes no changes now (an `Unavailable`, too)
└── RecordsUnusable    the database is not one for this program; the message says what to do
"""

from __future__ import annotations

from rooms.documents.errors import RoomError, Unavailable

__all__ = [
    "Blocked",
    "Conflict",
    "NotAllowed",
    "NotFound",
    "RecordsError",
    "RecordsUnavailable",
    "RecordsUnusable",
    "TooManyTries",
    "WrongCredentials",
]


class RecordsError(RoomError):
    """Base of the refusals of people, spaces and pages."""


class NotFound(RecordsError):
    def __init__(self) -> None:
        super().__init__("There is nothing here, or it is not open to you.")


class NotAllowed(RecordsError):
    """``reason`` is a key of rooms.rights.policy, such as ``role`` or ``not-own``."""

    def __init__(self, reason: str) -> None:
        super().__init__(_SENTENCES.get(reason, _SENTENCES["role"]))
        self.reason = reason


class Blocked(RecordsError):
    """``kinds`` are those of `rooms.safety.filters`, such as ``phone`` or ``word``."""

    def __init__(self, kinds: list[str]) -> None:
        super().__init__("Some of these words cannot be posted here. Please write it in another way.")
        self.kinds = kinds


class Conflict(RecordsError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class WrongCredentials(RecordsError):
    def __init__(self) -> None:
        super().__init__("That does not match. Check it and try again, or ask your teacher for a new card.")


class TooManyTries(RecordsError):
    def __init__(self, retry_after: float) -> None:
        super().__init__("There were too many wrong tries. Wait a moment and try again.")
        self.retry_after = retry_after


class RecordsUnavailable(RecordsError, Unavailable):
    """Nothing was changed: the same call may succeed later. ``reason`` ends the sentence that this is."""

    def __init__(self, reason: str) -> None:
        RoomError.__init__(self, f"Nothing can be looked up or changed right now: {reason}.")
        self.reason = reason


class RecordsUnusable(RecordsError):
    """Somebody has to do something before these records can be opened."""


_SENTENCES = {
    "role": "Your role in this space does not allow this. Ask a teacher of the space.",
    "not-own": "You can do this only with what you made yourself. Ask an admin of the space.",
    "not-own-school": "Only a teacher of the pupil's own school can do this.",
    "founder": "A founder of the space cannot be removed, muted or given another role.",
    "not-founder": "Only a founder of the space can do this.",
    "not-confirmed": "This is for teachers whom their school has confirmed.",
    "concerned": "This concerns you, so somebody else decides it.",
    "pupils-stay": "Ask your teacher, who can take you out of this space.",
    "space-preparing": "The space is not open yet. Its teachers are getting it ready.",
    "policy": "The rules of this space or page do not allow this.",
    "needs-approval": "You may propose this, but somebody else must approve it.",
    "no-case": "This needs an open case.",
    "locked": "The page is locked. A teacher can unlock it.",
    "space-frozen": "The space is frozen for now. An admin of the space can open it again.",
    "space-closed": "The space is closed, so nothing in it can be changed.",
    "room-read-only": "The room is read-only for now.",
    "room-frozen": "The room is frozen for now.",
    "room-archived": "The room is archived, so nothing in it can be changed.",
    "supervised": "You can write here only while a teacher is in the room.",
    "muted": "You cannot write for now. Your teacher knows why.",
    "posting-off": "Teachers write here. You can read what they write.",
    "reactions-off": "There are no reactions in this space. A kind word to your group is nice, too.",
    "mark-off": "This reaction is not used in this space. Choose one of those you see.",
    "two-adults": "This needs two teachers in the space before pupils can write.",
    "ask-my-teacher": "You can write to your own teachers: choose “Ask my teacher”.",
    "adults-only": "Only adults can be written to like this.",
    "no-teacher": "No teacher of your school is in this space, so you can read but not write.",
}
