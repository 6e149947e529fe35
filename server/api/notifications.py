"""What has happened that I should know of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rooms.accounts.notifications import KINDS, MOST_LISTED
from server.api.fields import Id, Time
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Input, Output, Query, Routes

__all__ = ["Notification", "Notifications", "routes"]

routes = Routes(tag="me")


class Notification(Output):
    id: str
    kind: str = Field(description=f"One of {', '.join(sorted(KINDS))}.")
    space_id: str | None
    ref: str = Field(description="What it is about.", examples=["post/Iizmo-smNuk4hkb9"])
    details: dict[str, str] = Field(description="Further ids, by name.")
    at: float = Field(description="Unix seconds, UTC.")
    read: bool


class Notifications(Output):
    unread: int
    notifications: list[Notification] = Field(description="The last ones, the newest first.")


class Asked(Query):
    most: Annotated[int, Field(ge=0, le=MOST_LISTED)] = Field(MOST_LISTED, description="List so many.")


class Seen(Input):
    until: Time
    ids: Annotated[list[Id], Field(max_length=MOST_LISTED)] | None = Field(
        None, description="Only these of them."
    )


@routes.get(
    "/me/notifications",
    access=LOGGED_IN,
    query=Asked,
    returns=Notifications,
    summary="What is new for me?",
)
async def list_notifications(call: Call) -> Notifications:
    """Pupils are told on school days from 7 to 19 by their school's clock; till then it waits."""
    return Notifications.model_validate(
        await call.services.notifications.of(person_id(call), call.query.most)
    )


@routes.post(
    "/me/notifications/read", access=LOGGED_IN, body=Seen, summary="I have seen what came until then"
)
async def read_notifications(call: Call, body: Seen) -> None:
    await call.services.notifications.read(person_id(call), body.until, body.ids)
