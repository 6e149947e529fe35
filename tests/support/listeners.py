"""A client without a socket: an outlet that keeps what a live room sends, and a pycrdt document behind it."""

from __future__ import annotations

from collections.abc import Mapping

from pycrdt import Doc, Text

from crdt.awareness import AwarenessEntry, decode_awareness, encode_awareness
from rooms.documents.attachment import Attachment
from rooms.documents.live import LiveRoom
from rooms.rights.access import Access, Principal, Scope

__all__ = ["Listener"]


class _Framing:
    """Frames as tuples of a word and the bytes, so that a test reads them."""

    def step1(self, state_vector: bytes) -> tuple[str, bytes]:
        return ("step1", state_vector)

    def step2(self, update: bytes) -> tuple[str, bytes]:
        return ("step2", update)

    def update(self, update: bytes) -> tuple[str, bytes]:
        return ("update", update)

    def awareness(self, payload: bytes) -> tuple[str, bytes]:
        return ("awareness", payload)


FRAMING = _Framing()


class Listener:
    """Attached to a room, it applies what comes, as a stock client does."""

    framing = FRAMING

    def __init__(
        self, room: LiveRoom, name: str, scope: Scope = Scope.READ_WRITE, *, client_id: int | None = None
    ):
        self.room = room
        self.name = name
        self.doc = Doc() if client_id is None else Doc(client_id=client_id)
        self.frames: list[tuple[str, bytes]] = []
        self.acknowledged: list[bool] = []
        self.errors: list[Exception] = []
        self.notices: list[Mapping[str, object]] = []
        self.accesses: list[Access] = []
        self.heard: dict[int, Mapping[str, object] | None] = {}
        self.answers_step1 = True
        self.full = False
        access = Access(
            scope,
            subject=f"membership:{name}",
            reason="" if scope is Scope.READ_WRITE else "locked",
            presence={"name": name},
        )
        principal = Principal("member", f"person:{name}", name, f"session-{name}")
        self.attachment = Attachment(room, principal, access, self, wants_echo=True)

    async def join(self) -> Listener:
        """Attaches and syncs, as far as the gate lets it."""
        await self.room.ready()
        self.room.attach(self.attachment)
        self.attachment.receive_step1(self.doc.get_state())
        return self

    def type(self, text: str, name: str = "t") -> bytes:
        """Appends to a text in this client's document and returns the update, unsent."""
        before = self.doc.get_state()
        value = self.doc.get(name, type=Text)
        value += text
        return self.doc.get_update(before)

    def say(self, text: str) -> bytes:
        """Types and sends."""
        update = self.type(text)
        self.attachment.receive_update(update)
        return update

    @property
    def text(self) -> str:
        return str(self.doc.get("t", type=Text))

    def presence(self, clock: int, state: Mapping[str, object] | None) -> None:
        entry = AwarenessEntry(self.doc.client_id, clock, state)  # type: ignore[arg-type]
        self.attachment.receive_awareness(encode_awareness([entry]))

    def shown(self) -> list[bytes]:
        """Every update and answer this client was sent."""
        return [payload for kind, payload in self.frames if kind in ("update", "step2")]

    # rooms.documents.attachment.Outlet

    def send(self, frame: tuple[str, bytes]) -> None:
        self.frames.append(frame)
        kind, payload = frame
        if kind in ("step2", "update"):
            self.doc.apply_update(payload)
        elif kind == "step1" and self.answers_step1:
            self.attachment.receive_step2(self.doc.get_update(payload))
        elif kind == "awareness":
            for entry in decode_awareness(payload):
                self.heard[entry.client] = entry.state

    def acknowledge(self, count: int, *, applied: bool) -> None:
        self.acknowledged += [applied] * count

    def refuse(self, error: Exception) -> None:
        self.errors.append(error)

    def notify(self, message: Mapping[str, object]) -> None:
        self.notices.append(message)

    def rights_changed(self, access: Access) -> None:
        self.accesses.append(access)

    def recheck(self, attachment: Attachment) -> None:
        pass

    def ask_token(self) -> None:
        pass

    def spend(self, structs: int) -> None:
        pass
