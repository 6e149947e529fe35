"""The rules of a space: what its admins chose, what the age band allows, what holds; and trying them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, PageEditing, SpacePolicy, Supervising
from rooms.safety.filters import CONTACT_KINDS, FilterAction, FilterRules
from rooms.spaces.space_rules import Outcome
from rooms.values import AgeBand, Posting, SpaceId
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes
from server.api.spaces import Filters

__all__ = ["routes"]

routes = Routes(tag="spaces")

ContactAction = Literal["off", FilterAction.FLAG, FilterAction.HOLD, FilterAction.BLOCK]


class Word(Output):
    text: str
    action: FilterAction
    language: str


class FiltersNow(Output):
    phone: ContactAction
    email: ContactAction
    handle: ContactAction
    link: ContactAction
    address: ContactAction
    domains: list[str]
    words: list[Word]


class Chosen(Output):
    guests_read: bool
    guests_edit: bool
    guests_post: bool
    students_create: bool
    block_owners: bool
    page_editing: PageEditing | None = Field(description="Null: as open as the age band allows.")
    posting: Posting | None = Field(description="Null: as open as the age band allows.")
    chat: Chat | None = Field(description="Null: what is usual in the age band.")
    supervision: Supervising
    filters: FiltersNow


class Allowed(Output):
    """Whatever may be chosen in the age band, from tight to free."""

    page_editing: list[PageEditing]
    posting: list[Posting]
    chat: list[Chat]
    contacts: list[ContactAction] = Field(description="For phone, email, handle, link and address.")


class Effective(Output):
    """What holds: the tighter of what is chosen and what the age band allows."""

    page_editing: PageEditing
    block_owners: bool
    posting: Posting
    chat: Chat
    filters: FiltersNow


class Policy(Output):
    age_band: AgeBand
    chosen: Chosen
    allowed: Allowed
    effective: Effective


class Attempt(Input):
    text: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    filters: Filters | None = Field(None, description="Instead of those that are saved.")


class Found(Output):
    kind: Literal["phone", "email", "handle", "link", "address", "word"]
    action: FilterAction
    start: int = Field(description="In Unicode characters, like end.")
    end: int


class Tried(Output):
    outcome: Outcome = Field(
        description="What would become of it, as a pupil's post in a room without stricter rules of its own."
    )
    findings: list[Found]


@routes.get(
    "/spaces/{space_id}/policy", action=Action.STAFF_READ, returns=Policy, summary="Read a space's rules"
)
async def read_policy(call: Call) -> Policy:
    """For teachers. PATCH of the space writes them."""
    view = await call.services.space_rules.read(person_id(call), SpaceId(call.params["space_id"]))
    chosen: SpacePolicy = view.chosen
    return Policy(
        age_band=chosen.age_band,
        chosen=Chosen(
            guests_read=chosen.guests_read,
            guests_edit=chosen.guests_edit,
            guests_post=chosen.guests_post,
            students_create=chosen.students_create,
            block_owners=chosen.owning,
            page_editing=chosen.page_editing,
            posting=chosen.posting,
            chat=chosen.chatting,
            supervision=chosen.supervision,
            filters=_filters(FilterRules.of(chosen.filtering)),
        ),
        allowed=Allowed(
            page_editing=view.page_editing,
            posting=view.posting,
            chat=view.chat,
            contacts=[each or "off" for each in view.contacts],
        ),
        effective=Effective(
            page_editing=chosen.pages_open,
            block_owners=chosen.block_owners,
            posting=chosen.posts_open,
            chat=chosen.chat,
            filters=_filters(chosen.filters),
        ),
    )


@routes.post(
    "/spaces/{space_id}/policy/try",
    action=Action.SPACE_SETTINGS,
    body=Attempt,
    returns=Tried,
    max_body=256 * 1024,
    summary="Try what would become of a text",
)
async def try_policy(call: Call, body: Attempt) -> Tried:
    """Nothing of it is kept."""
    filters = body.filters.model_dump(mode="json") if body.filters else None
    trial = await call.services.space_rules.try_out(
        person_id(call), SpaceId(call.params["space_id"]), body.text, filters
    )
    return Tried.model_validate(trial)


def _filters(rules: FilterRules) -> FiltersNow:
    return FiltersNow(
        **{kind: rules.action(kind) or "off" for kind in CONTACT_KINDS},
        domains=list(rules.domains),
        words=[Word.model_validate(each) for each in rules.words],
    )
