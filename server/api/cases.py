"""Cases: how national officers and platform admins look into a space: with its admins knowing, and noted."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from rooms.rights.policy import Action
from rooms.values import PersonKind, PostState, ReportId, Role, SpaceId, ThreadId
from server.api.fields import prose
from server.api.me import person_id
from server.api.reports import Report
from server.api.routing import LOGGED_IN, Call, Input, Output, Query, Routes

__all__ = ["routes"]

routes = Routes(tag="cases")

GROUND = "Read by the admins of the space, but never by whom the report concerns."
Ground = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    AfterValidator(prose),
    Field(description=GROUND),
]
LegalGround = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(prose),
    Field(description=GROUND),
]


class Case(Output):
    id: str
    space_id: str
    space_title: str
    report_id: str | None
    ground: str
    at: float = Field(description="Unix seconds.")
    ends_at: float = Field(description="When it is over by itself.")
    over: str = Field(description="closed, answered, expired or appointment; empty while it is open.")


class CasePost(Output):
    """A post as it is seen; of what is hidden only the reported one has its words."""

    id: str
    number: int | None
    state: PostState
    author: str | None = Field(description="Membership id.")
    author_name: str | None = Field(description="A pupil's is a pseudonym.")
    author_role: Role | None
    school: str | None
    country: str | None
    body: str
    options: list[str] | None
    language: str | None
    at: float
    edited_at: float | None
    reported: bool


class CaseThread(Output):
    id: str
    title: str
    room_title: str
    posts: list[CasePost] = Field(description="In their order.")


class CasePage(Output):
    id: str
    title: str
    room_title: str
    binned: bool


class CasePerson(Output):
    id: str = Field(description="Membership id.")
    name: str = Field(description="A pupil's is a pseudonym.")
    role: Role
    kind: PersonKind
    founder: bool
    active: bool = Field(description="Still a member.")
    school: str | None
    country: str | None


class CaseFile(Output):
    case: Case
    report: Report | None
    thread: CaseThread | None = Field(description="The reported post in its surroundings.")
    page: CasePage | None = Field(description="Its text is at /pages/{page_id}/content.")
    person: CasePerson | None = Field(description="Whom the report concerns.")


class NewCase(Input):
    ground: Ground = ""


class NewLegalCase(Input):
    ground: LegalGround


class Before(Query):
    before: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Only posts with a smaller number."
    )


@routes.post(
    "/reports/{report_id}/case",
    action=Action.CASE_OPEN,
    body=NewCase,
    returns=Case,
    status=201,
    summary="Open a case on a report that has come to my office",
    errors=(409,),
)
async def open_case(call: Call, body: NewCase) -> Case:
    """The admins of the space are told, but whom the report concerns. It is over when I close it, when the
    report is answered, when my appointment ends, and at latest after 30 days."""
    report = ReportId(call.params["report_id"])
    return Case.model_validate(await call.services.cases.open(person_id(call), report, body.ground))


@routes.post(
    "/spaces/{space_id}/cases",
    action=Action.CASE_OPEN,
    body=NewLegalCase,
    returns=Case,
    status=201,
    summary="Open a case on a legal ground, as a platform admin",
    errors=(409,),
)
async def open_legal_case(call: Call, body: NewLegalCase) -> Case:
    space = SpaceId(call.params["space_id"])
    return Case.model_validate(await call.services.cases.open_on_ground(person_id(call), space, body.ground))


@routes.get("/me/cases", access=LOGGED_IN, returns=list[Case], summary="List my cases, open ones first")
async def my_cases(call: Call) -> list[Case]:
    """Empty for everybody without an office."""
    return [Case.model_validate(case) for case in await call.services.cases.of(person_id(call))]


@routes.get(
    "/cases/{case_id}",
    action=Action.SPACE_READ,
    returns=CaseFile,
    summary="Read my open case: its report, and what that is about",
)
async def read_case(call: Call) -> CaseFile:
    """What is read by a case stands in the audit log of the space, once a day."""
    return CaseFile.model_validate(await call.services.cases.get(person_id(call), call.params["case_id"]))


@routes.get(
    "/cases/{case_id}/threads/{thread_id}",
    action=Action.SPACE_READ,
    query=Before,
    returns=CaseThread,
    summary="Read a discussion of the space by my open case",
)
async def read_case_thread(call: Call) -> CaseThread:
    """The last hundred posts, as they are seen. Held ones are not there."""
    query: Before = call.query
    thread = ThreadId(call.params["thread_id"])
    return CaseThread.model_validate(
        await call.services.cases.thread(person_id(call), call.params["case_id"], thread, query.before)
    )


@routes.delete("/cases/{case_id}", action=Action.CASE_OPEN, summary="Close my case")
async def close_case(call: Call) -> None:
    """What it opened is closed at once."""
    await call.services.cases.close(person_id(call), call.params["case_id"])
