"""International teams: pupils of all schools mixed into rooms."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from rooms.rights.policy import Action
from rooms.spaces.teams import MOST_TEAMS
from rooms.values import SpaceId
from server.api.fields import Name
from server.api.me import person_id
from server.api.routing import Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="teams")


class SchoolPart(Output):
    school_id: str | None
    members: list[str] = Field(description="Membership ids.")


class Team(Output):
    title: str
    schools: list[SchoolPart] = Field(description="Who of which school is in it.")
    room_id: str | None = Field(description="Null while it is only proposed.")
    page_id: str | None = Field(description="The page that was made with it; null later.")
    board_id: str | None = Field(description="The board that was made with it, a page too; null later.")
    thread_id: str | None = Field(description="The discussion that was made with it; null later.")


class NewTeams(Input):
    """How many teams, or how many pupils at most are in one."""

    count: Annotated[int, Field(ge=1, le=MOST_TEAMS)] | None = None
    size: Annotated[int, Field(ge=1, le=500)] | None = None
    names: Annotated[list[Name], Field(max_length=MOST_TEAMS)] = Field(
        default_factory=list, description="Of the teams in their order; the others are called by number."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="That of a preview makes the same teams, while the members are the same."
    )
    preview: bool = Field(False, description="Only tell who would be in which team.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.count is None) == (self.size is None):
            raise ValueError("give either count or size")
        return self


class Mixed(Output):
    seed: int
    teams: list[Team]


def _space(call: Call) -> SpaceId:
    return SpaceId(call.params["space_id"])


@routes.get(
    "/spaces/{space_id}/teams",
    action=Action.SPACE_READ,
    returns=list[Team],
    summary="List the team rooms that I see, with their members by school",
)
async def list_teams(call: Call) -> list[Team]:
    found = await call.services.teams.of_space(person_id(call), _space(call))
    return [Team.model_validate(team) for team in found]


@routes.post(
    "/spaces/{space_id}/teams",
    action=Action.ROOM_MAKE,
    body=NewTeams,
    returns=Mixed,
    summary="Mix the pupils of all schools into teams",
    errors=(409,),
)
async def make_teams(call: Call, body: NewTeams) -> Mixed:
    """Each team gets a room that its members see, with a page, a board and a discussion; older rooms stay."""
    teams, person, space = call.services.teams, person_id(call), _space(call)
    proposal = await teams.propose(
        person, space, count=body.count, size=body.size, names=body.names, seed=body.seed
    )
    made = proposal.teams if body.preview else await teams.make(person, space, proposal)
    return Mixed(seed=proposal.seed, teams=[Team.model_validate(team) for team in made])
