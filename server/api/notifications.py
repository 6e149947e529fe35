"""What has happened that I should know of."""

from __future__ import annotations

from pydantic import Field

from server.api.fields import Time
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Input, Output, Routes

__all__ = ["Notification", "Notifications", "routes"]

routes = Routes(tag="me")


class Notification(Output):
    id: str
    kind: str = Field(
        description="held, approved, rejected, hidden, mention, reply, report, report-answered or muted."
    )
    space_id: str | None
    ref: str = Field(description="What it is about.", examples=["post/Iizmo-smNuk4hkb9"])
    details: dict[str, str] = Field(description="Further ids, by name.")
    at: float = Field(description="Unix seconds, UTC.")
    read: bool


class Notifications(Output):
    unread: int
    notifications: list[Notification] = Field(description="The last 100, the newest first.")


class Seen(Input):
    until: Time


@routes.get("/me/notifications", access=LOGGED_IN, returns=Notifications, summary="What is new for me?")
async def list_notifications(call: Call) -> Notifications:
    """Pupils are told on school days from 7 to 19 by their school's clock; till then it waits."""
    return Notifications.model_validate(await call.services.notifications.of(person_id(call)))


@routes.post(
    "/me/notifications/read", access=LOGGED_IN, body=Seen, summary="I have seen what came until then"
)
async def read_notifications(call: Call, body: Seen) -> None:
    await call.services.notifications.read(person_id(call), body.until)
