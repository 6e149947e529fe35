"""Reports by one tap. The person concerned never learns of one, whatever their role."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from rooms.rights.policy import Action
from rooms.values import ReportId, ReportReason, ReportState, ReportTarget, SpaceId
from server.api.fields import Id, Prose, prose
from server.api.me import person_id
from server.api.routing import LOGGED_IN, Call, Input, Output, Routes

__all__ = ["routes"]

routes = Routes(tag="reports")

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    AfterValidator(prose),
]


class MyReport(Output):
    """What I have reported."""

    id: str
    space_id: str
    target: ReportTarget
    target_id: str
    reason: ReportReason
    words: str
    state: ReportState
    answer: str | None
    at: float = Field(description="Unix seconds.")
    answered_at: float | None


class Report(Output):
    """A report that I may handle."""

    id: str
    space_id: str
    space_title: str
    target: ReportTarget
    target_id: str
    thread_id: str | None = Field(description="Where a reported post is.")
    reporter: str | None = Field(description="Membership id.")
    reporter_name: str | None
    concerned: str | None = Field(description="Membership id.")
    concerned_name: str | None
    reason: ReportReason
    words: str
    state: ReportState
    escalated: bool = Field(description="The national office sees it too.")
    handler: str | None = Field(description="Membership id; null also when an office looks after it.")
    answer: str | None
    at: float
    due_at: float = Field(description="When it goes to the national office, unless it is answered.")
    answered_at: float | None


class MyReports(Output):
    sent: list[MyReport] = Field(description="By me, newest first.")
    escalated: list[Report] = Field(description="To my office; empty for everybody else.")


class NewReport(Input):
    target: ReportTarget
    target_id: Id = Field(description="Of a post or page; of a person the membership's id.")
    reason: ReportReason
    words: Prose = ""


class Answer(Input):
    answer: Words = Field(description="Read by the person who reported.")
    action_taken: Words | None = Field(None, description="For the audit log only.")


def _report(call: Call) -> ReportId:
    return ReportId(call.params["report_id"])


@routes.get(
    "/me/reports",
    access=LOGGED_IN,
    returns=MyReports,
    summary="What I have reported, and what has come to my office",
)
async def my_reports(call: Call) -> MyReports:
    reports, me = call.services.reports, person_id(call)
    return MyReports(
        sent=[MyReport.model_validate(report) for report in await reports.mine(me)],
        escalated=[Report.model_validate(report) for report in await reports.escalated(me)],
    )


@routes.post(
    "/spaces/{space_id}/reports",
    action=Action.REPORT,
    body=NewReport,
    returns=MyReport,
    status=201,
    summary="Report a post, a page or a person",
    errors=(409,),
)
async def send_report(call: Call, body: NewReport) -> MyReport:
    """The same again, while nobody has answered it, is the same report."""
    return MyReport.model_validate(
        await call.services.reports.send(
            person_id(call),
            SpaceId(call.params["space_id"]),
            body.target,
            body.target_id,
            body.reason,
            body.words,
        )
    )


@routes.get(
    "/spaces/{space_id}/reports",
    action=Action.REPORT_HANDLE,
    returns=list[Report],
    summary="List the reports that I may handle",
)
async def list_reports(call: Call) -> list[Report]:
    found = await call.services.reports.of_space(person_id(call), SpaceId(call.params["space_id"]))
    return [Report.model_validate(report) for report in found]


@routes.put(
    "/reports/{report_id}/taken",
    action=Action.REPORT_HANDLE,
    returns=Report,
    summary="Say that I look after a report",
    errors=(409,),
)
async def take_report(call: Call) -> Report:
    return Report.model_validate(await call.services.reports.take(person_id(call), _report(call)))


@routes.put(
    "/reports/{report_id}/answer",
    action=Action.REPORT_HANDLE,
    body=Answer,
    returns=Report,
    summary="Answer a report",
    errors=(409,),
)
async def answer_report(call: Call, body: Answer) -> Report:
    return Report.model_validate(
        await call.services.reports.answer(person_id(call), _report(call), body.answer, body.action_taken)
    )
