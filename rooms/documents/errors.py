"""What can go wrong in the building.

RoomError
├── Refused            an update that this sender may not make; the document is unchanged
│   ├── ReadOnly       the sender may read but not write
│   ├── Forged         new structs under a client id that belongs to somebody else
│   ├── Protected      it would change a block that is protected from the sender
│   └── Early          it rests on something that is not here yet, so nobody can say what it would change
└── Unavailable        the document cannot be served now; try again
"""

from __future__ import annotations

__all__ = ["Early", "Forged", "Protected", "ReadOnly", "Refused", "RoomError", "Unavailable"]


class RoomError(Exception):
    """Base of all errors of this package."""


class Refused(RoomError):
    """An update that was not taken. ``code`` is for programs, the message for people."""

    code = "refused"


class ReadOnly(Refused):
    """The sender's access has no right to write; ``code`` is the access's reason."""

    def __init__(self, reason: str) -> None:
        super().__init__("You can read this document but not change it.")
        self.code = reason or "readonly"


class Forged(Refused):
    """The update writes new content in another writer's name."""

    code = "forged-author"

    def __init__(self, client: int) -> None:
        super().__init__(f"Client id {client} belongs to another writer of this document.")
        self.client = client


class Protected(Refused):
    """The update touches a protected block, or protects one that its sender may not."""

    code = "protected"

    def __init__(self) -> None:
        super().__init__("A block of this page is protected: only its owner and the teachers can change it.")


class Early(Refused):
    """The update rests on structs that are not here, which only those may send who may change everything."""

    code = "incomplete"

    def __init__(self) -> None:
        super().__init__("Something is missing that your change rests on.")


class Unavailable(RoomError):
    """Nothing was taken and nothing was lost: the same call may succeed later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The document cannot be changed right now: {reason}.")
        self.reason = reason
