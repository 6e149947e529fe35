"""Groups, and who wants to come into one."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from rooms.rights.policy import Action
from rooms.spaces.joining import Mine
from rooms.values import JoinRule, SpaceId
from server.api.fields import prose
from server.api.lifecycle import Because
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="groups")


class Group(Output):
    id: str
    title: str
    summary: str
    languages: list[str]
    featured: bool
    join_rule: JoinRule
    members: int
    mine: Mine = Field(description="What I am to it; refused: for a while I cannot ask again.")


class Wish(Input):
    words: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=1_000), AfterValidator(prose)
    ] = Field("", description="To its admins: plain text, read only where a request is needed.")


class Joined(Output):
    mine: Mine


class JoinRequest(Output):
    id: str
    name: str
    school: str | None
    town: str | None
    country: str | None
    words: str = Field(description="Empty for whoever has blocked the person.")
    at: float = Field(description="Unix seconds.")


class Answer(Input):
    accept: bool
    because: Because


class Rule(Input):
    rule: JoinRule


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


@routes.get(
    "/groups", action=Action.GROUP_REQUEST, returns=list[Group], summary="List the groups of teachers"
)
async def list_groups(call: Call) -> list[Group]:
    """For confirmed teachers. The featured ones come first."""
    found = await call.services.joining.groups(person_id(call))
    return [Group.model_validate(group) for group in found]


@routes.put(
    "/groups/{space_id}/join",
    action=Action.GROUP_REQUEST,
    body=Wish,
    returns=Joined,
    summary="Come into a group, or ask to",
    errors=(409,),
)
async def join(call: Call, body: Wish) -> Joined:
    """Asking twice is asking once: the words of the second time count."""
    return Joined(mine=await call.services.joining.join(person_id(call), _space(call), body.words))


@routes.delete(
    "/groups/{space_id}/join",
    action=Action.GROUP_REQUEST,
    summary="Take my request back",
    errors=(409,),
)
async def withdraw_request(call: Call) -> None:
    await call.services.joining.withdraw(person_id(call), _space(call))


@routes.get(
    "/spaces/{space_id}/requests",
    action=Action.ADULT_INVITE,
    returns=list[JoinRequest],
    summary="List who wants to come into a group",
)
async def list_requests(call: Call) -> list[JoinRequest]:
    """For its admins, the longest waiting first."""
    found = await call.services.joining.requests(person_id(call), _space(call))
    return [JoinRequest.model_validate(request) for request in found]


@routes.put(
    "/requests/{request_id}/answer",
    action=Action.ADULT_INVITE,
    body=Answer,
    summary="Let somebody into a group, or not",
    errors=(409,),
)
async def answer_request(call: Call, body: Answer) -> None:
    await call.services.joining.answer(
        person_id(call), call.params["request_id"], accept=body.accept, because=body.because
    )


@routes.put(
    "/spaces/{space_id}/join-rule",
    action=Action.SPACE_SETTINGS,
    body=Rule,
    summary="Say how teachers come into a group",
    errors=(409,),
)
async def set_rule(call: Call, body: Rule) -> None:
    await call.services.joining.set_rule(person_id(call), _space(call), body.rule)
