"""Who moderated what in a space."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rooms.rights.policy import Action
from rooms.values import SpaceId
from server.api.me import person_id
from server.api.routing import Call, Output, Query, Routes

__all__ = ["routes"]

routes = Routes(tag="audit")


class AuditEntry(Output):
    number: int = Field(description="Its place among the entries that I may read, from 1.")
    at: float = Field(description="Unix seconds.")
    actor: str | None = Field(description="Membership id; null: the server itself, or an office.")
    actor_name: str | None = Field(description="Also of those who have left.")
    action: str = Field(examples=["muted"])
    object: str = Field(examples=["member/Fq3k9vZt0aXw2LhY"])
    concerned: str | None = Field(description="Membership id.")
    concerned_name: str | None
    details: dict[str, Any] = Field(description="Ids, states and the reason given; never what was written.")
    asked_by_name: str | None = Field(description="Who had proposed it, where that took two.")


class Page(Query):
    before: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Only entries with a smaller number."
    )


@routes.get(
    "/spaces/{space_id}/audit",
    action=Action.AUDIT_READ,
    query=Page,
    returns=list[AuditEntry],
    summary="Read the audit log of a space, newest first",
)
async def read_audit(call: Call) -> list[AuditEntry]:
    """Fifty entries at once. Admins read all; others what they did, what concerns them and, as teachers,
    what concerns pupils of their own school. What was done about a report or a proposal stays from whom it
    concerns."""
    query: Page = call.query
    found = await call.services.audit.of_space(
        person_id(call), SpaceId(call.params["space_id"]), query.before
    )
    return [AuditEntry.model_validate(entry) for entry in found]
