"""Who may do what: the permission matrix of the domain as one table. What it does not list is denied.

Columns: the public; the roles of a space, GST guest, STU student, STE student editor, TEA teacher,
ADM admin; the appointments AMB ambassador, NSO national officer, PLA platform admin. Everybody also
has the public's rights, and an appointed member has those of the role and of the appointment.

A cell is a `Rule`. Most ask something about the `Target`: is it the actor's own, is the pupil of the
actor's school, does the policy of the space, room or page open it. The callers put those facts into
the target; nothing is looked up here. A standstill of the space, room or page (closed, frozen,
locked, ...) stops `WRITES` whatever the table says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final

from rooms.faults import NotAllowed
from rooms.rights.space_policy import PageEditing, SpacePolicy
from rooms.values import (
    STAFF,
    STAFF_ROOMS,
    EditRule,
    MembershipId,
    Office,
    PersonId,
    Posting,
    Role,
    RoomKind,
    SchoolId,
)

__all__ = [
    "MATRIX",
    "WRITES",
    "Action",
    "Actor",
    "Decision",
    "Rule",
    "Target",
    "allowed",
    "may_ask",
    "require",
]


class Action(StrEnum):
    """Everything the policy decides. A REST route names the one it is."""

    SPACE_CARD = "space.card"
    SPACE_READ = "space.read"
    STAFF_READ = "space.read-staff"
    PROJECT_CREATE = "space.create-project"
    SPACE_APPROVE = "space.approve"
    GROUP_REQUEST = "space.request-group"
    SPACE_SETTINGS = "space.settings"
    FLOOR_LOWER = "space.lower-floor"
    SPACE_STATUS = "space.status"
    SPACE_FREEZE = "space.freeze"
    SPACE_UNFREEZE = "space.unfreeze"
    SPACE_EXPORT = "space.export"
    ADULT_INVITE = "member.invite-adult"
    PUPIL_MANAGE = "member.manage-pupil"
    MEMBER_ROLE = "member.role"
    MEMBER_REMOVE = "member.remove"
    ROOM_MAKE = "room.make"
    DRAFT_READ = "page.read-draft"
    PAGE_EDIT = "page.edit"
    PAGE_COMMENT = "page.comment"
    PAGE_CREATE = "page.create"
    BLOCK_EDIT = "page.edit-protected-block"
    PAGE_SETTINGS = "page.settings"
    PAGE_LOCK = "page.lock"
    PAGE_RESTORE = "page.restore-version"
    PAGE_PUBLISH = "page.publish"
    PAGE_UNPUBLISH = "page.unpublish"
    PAGE_BIN = "page.bin"
    MATERIAL_UPLOAD = "material.upload"
    MATERIAL_DELETE = "material.delete"
    THREAD_START = "thread.start"
    POST_REPLY = "post.reply"
    POST_EDIT = "post.edit"
    POST_APPROVE = "post.approve"
    POST_HIDE = "post.hide"
    POLL_CLOSE = "post.close-poll"
    ROOM_STATE = "room.state"
    MEMBER_MUTE = "member.mute"
    BLOCK_PERSON = "person.block"
    CHAT = "live.chat"
    MEETING_START = "live.start-meeting"
    MESSAGE = "live.message"
    REPORT = "report.send"
    REPORT_HANDLE = "report.handle"
    CASE_OPEN = "case.open"
    AUDIT_READ = "audit.read"
    ERASURE_REQUEST = "person.request-erasure"
    KIT_READ = "kit.read"
    KIT_USE = "kit.use"
    KIT_RECOMMEND = "kit.recommend"
    KIT_PUBLISH = "kit.publish"
    COURSE_CREATE = "learning.create-course"
    WEBINAR_CREATE = "learning.create-webinar"
    LEARN = "learning.enrol"
    APPLY = "recognition.apply"
    LABEL_APPLY = "recognition.apply-label"
    EVALUATE = "recognition.evaluate"
    EVALUATOR_ASSIGN = "recognition.assign-evaluator"
    GRANT_NATIONAL = "recognition.grant-national"
    GRANT_EUROPEAN = "recognition.grant-european"
    EUROPEAN_NOMINATE = "recognition.nominate-european"
    APPOINT = "programme.appoint"
    BOOK_EDIT = "book.edit"
    BOOK_PROPOSE = "book.propose"
    BOOK_AGREE = "book.agree-entry"
    CAMPAIGN_READ = "campaign.read"
    CAMPAIGN_JOIN = "campaign.join"
    CAMPAIGN_HOST = "campaign.host"
    CAMPAIGN_NATIONAL = "campaign.run-national"
    CAMPAIGN_EUROPEAN = "campaign.run-european"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wants to do something, with the role they have where the target is."""

    person: PersonId | None = None
    role: Role | None = None
    membership: MembershipId | None = None
    school: SchoolId | None = None
    offices: frozenset[Office] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """What it is done to: the facts that the rules ask for. The defaults open nothing."""

    owner: MembershipId | None = None
    """Who made the item."""
    draft: bool = False
    member: MembershipId | None = None
    """The member that is acted on; with the next four about that member's person."""
    role: Role | None = None
    school: SchoolId | None = None
    is_pupil: bool = False
    founder: bool = False
    policy: SpacePolicy | None = None
    room: RoomKind | None = None
    team: bool = False
    """The actor is a listed member of the room."""
    edit_rule: EditRule | None = None
    standstill: str = ""
    """Reason key why nothing may be written there now, by this actor; empty: nothing in the way."""
    published: bool = False
    case: bool = False
    """The actor has an open case about it."""
    supervised: bool = False
    """A teacher is in the room now, or the space lets pupils chat without."""
    posting: Posting = Posting.OFF
    """How what the actor writes there comes before the others' eyes."""
    extra: frozenset[str] = field(default=frozenset())
    """Further facts, by the names the rules below use."""


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str = ""
    """Key of the reason why not; empty when allowed."""

    def __bool__(self) -> bool:
        return self.allowed


Check = Callable[[Action, Actor, Target, "Role | None"], str]
"""Answers with a reason key, or the empty string for yes. The role is that of the column."""


def _own(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    return "" if actor.membership is not None and target.owner == actor.membership else "not-own"


def _own_draft(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    return _own(action, actor, target, role) or ("" if target.draft else "not-a-draft")


def _own_school(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    same = actor.school is not None and target.school == actor.school
    return "" if target.is_pupil and same else "not-own-school"


def _self(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    return "" if actor.membership is not None and target.member == actor.membership else "not-own"


def _policy(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    check = _BY_POLICY.get(action)
    return "" if role and target.policy and check and check(target.policy, target, role) else "policy"


def _fact(name: str, reason: str) -> Check:
    return lambda action, actor, target, role: "" if name in target.extra else reason


def _not_of_other_school(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    if target.founder:
        return "founder"
    other = target.role in STAFF and target.school != actor.school
    return "needs-approval" if other else ""


def _by_case_not_founder(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    if not target.case:
        return "no-case"
    return "founder" if target.founder else ""


def _unless_escalated(action: Action, actor: Actor, target: Target, role: Role | None) -> str:
    return "" if "concerns-me" not in target.extra else "concerned"


class Rule(Enum):
    """What a cell of the matrix says. Where a word in the domain has conditions, they are checked here."""

    YES = (lambda action, actor, target, role: "",)
    NO = (lambda action, actor, target, role: "role",)
    OWN = (_own,)
    OWN_DRAFT = (_own_draft,)
    SELF = (_self,)
    SCHOOL = (_own_school,)
    OWN_SCHOOL = (lambda *facts: _own(*facts) and _own_school(*facts),)
    SELF_SCHOOL = (lambda *facts: _self(*facts) and _own_school(*facts),)
    POLICY = (_policy,)
    ASK = (lambda action, actor, target, role: "needs-approval",)
    CASE = (lambda action, actor, target, role: "" if target.case else "no-case",)
    CASE_NOT_FOUNDER = (_by_case_not_founder,)
    NOT_FOUNDER = (lambda action, actor, target, role: "founder" if target.founder else "",)
    PUPILS_GUESTS = (
        lambda action, actor, target, role: "" if target.is_pupil or target.role is Role.GUEST else "role",
    )
    NOT_OTHER_TEACHERS = (_not_of_other_school,)
    SUPERVISED = (lambda action, actor, target, role: "" if target.supervised else "supervised",)
    PUBLISHED = (lambda action, actor, target, role: "" if target.published else "role",)
    ADULTS = (_fact("to-adult", "adults-only"),)
    MY_TEACHER = (_fact("to-my-teacher", "ask-my-teacher"),)
    UNCONCERNED = (_unless_escalated,)
    ESCALATED = (_fact("escalated", "not-escalated"),)
    ELIGIBLE = (_fact("eligible-and-signed", "not-eligible"),)
    GROUP = (_fact("group", "not-a-group"),)

    def __init__(self, check: Check) -> None:
        self.check = check


_, Y, OWN, SCH, POL, ASK, CASE = (
    Rule.NO, Rule.YES, Rule.OWN, Rule.SCHOOL, Rule.POLICY, Rule.ASK, Rule.CASE,
)  # fmt: skip
DRF, SLF, O_S, S_S, NFO, P_G, NOT = (
    Rule.OWN_DRAFT, Rule.SELF, Rule.OWN_SCHOOL, Rule.SELF_SCHOOL, Rule.NOT_FOUNDER, Rule.PUPILS_GUESTS,
    Rule.NOT_OTHER_TEACHERS,
)  # fmt: skip
SUP, PUB, ADU, MYT, UNC, ESC, ELI, GRP, CNF = (
    Rule.SUPERVISED, Rule.PUBLISHED, Rule.ADULTS, Rule.MY_TEACHER, Rule.UNCONCERNED, Rule.ESCALATED,
    Rule.ELIGIBLE, Rule.GROUP, Rule.CASE_NOT_FOUNDER,
)  # fmt: skip

COLUMNS: Final[tuple[Role | Office | None, ...]] = (
    None, Role.GUEST, Role.STUDENT, Role.STUDENT_EDITOR, Role.TEACHER, Role.ADMIN,
    Office.AMBASSADOR, Office.OFFICER, Office.PLATFORM,
)  # fmt: skip

A = Action
# fmt: off
MATRIX: Final[Mapping[Action, tuple[Rule, ...]]] = {
    #                    public GST  STU  STE  TEA  ADM  AMB  NSO  PLA
    # space; "panic freeze by any teacher, undone by admin"
    A.SPACE_CARD:        (Y,    Y,   Y,   Y,   Y,   Y,   Y,   Y,   Y),
    A.SPACE_READ:        (_,    POL, Y,   Y,   Y,   Y,   _,   CASE, CASE),
    A.STAFF_READ:        (_,    _,   _,   _,   Y,   Y,   _,   CASE, CASE),
    A.PROJECT_CREATE:    (_,    _,   _,   _,   ASK, _,   ASK, _,   _),
    A.SPACE_APPROVE:     (_,    _,   _,   _,   _,   _,   _,   Y,   Y),
    A.GROUP_REQUEST:     (_,    _,   _,   _,   Y,   Y,   Y,   Y,   Y),
    A.SPACE_SETTINGS:    (_,    _,   _,   _,   _,   Y,   _,   _,   _),
    A.FLOOR_LOWER:       (_,    _,   _,   _,   _,   ASK, _,   Y,   Y),
    A.SPACE_STATUS:      (_,    _,   _,   _,   _,   Y,   _,   CASE, CASE),
    A.SPACE_FREEZE:      (_,    _,   _,   _,   Y,   Y,   _,   CASE, Y),
    A.SPACE_UNFREEZE:    (_,    _,   _,   _,   _,   Y,   _,   CASE, Y),
    A.SPACE_EXPORT:      (_,    _,   _,   _,   ASK, Y,   _,   _,   CASE),
    # members; roles change only among those of adults or those of pupils
    A.ADULT_INVITE:      (_,    _,   _,   _,   ASK, Y,   _,   _,   _),
    A.PUPIL_MANAGE:      (_,    _,   _,   _,   SCH, SCH, _,   _,   _),
    A.MEMBER_ROLE:       (_,    _,   _,   _,   SCH, NFO, _,   _,   _),
    A.MEMBER_REMOVE:     (_,    SLF, _,   _,   SCH, NFO, _,   CNF, CNF),
    A.ROOM_MAKE:         (_,    _,   _,   _,   Y,   Y,   _,   _,   _),
    # pages and boards; PAGE_SETTINGS (title, place, rules) is not in the domain's table: own for pupils
    A.DRAFT_READ:        (_,    _,   OWN, Y,   Y,   Y,   _,   _,   _),
    A.PAGE_EDIT:         (_,    POL, POL, POL, Y,   Y,   _,   _,   _),
    A.PAGE_COMMENT:      (_,    POL, Y,   Y,   Y,   Y,   _,   _,   _),
    A.PAGE_CREATE:       (_,    _,   POL, Y,   Y,   Y,   _,   _,   _),
    A.BLOCK_EDIT:        (_,    _,   _,   _,   Y,   Y,   _,   _,   _),
    A.PAGE_SETTINGS:     (_,    _,   OWN, OWN, Y,   Y,   _,   _,   _),
    A.PAGE_LOCK:         (_,    _,   _,   _,   OWN, Y,   _,   _,   _),
    A.PAGE_RESTORE:      (_,    _,   _,   _,   Y,   Y,   _,   _,   _),
    A.PAGE_PUBLISH:      (_,    _,   _,   _,   ASK, Y,   _,   CASE, CASE),
    A.PAGE_UNPUBLISH:    (_,    _,   _,   _,   Y,   Y,   _,   CASE, CASE),
    A.PAGE_BIN:          (_,    _,   DRF, OWN, OWN, Y,   _,   _,   CASE),
    # material
    A.MATERIAL_UPLOAD:   (_,    POL, POL, POL, Y,   Y,   _,   _,   _),
    A.MATERIAL_DELETE:   (_,    OWN, OWN, OWN, O_S, Y,   _,   _,   CASE),
    # discussion
    A.THREAD_START:      (_,    _,   POL, Y,   Y,   Y,   _,   _,   _),
    A.POST_REPLY:        (_,    POL, Y,   Y,   Y,   Y,   _,   _,   _),
    A.POST_EDIT:         (_,    OWN, OWN, OWN, OWN, OWN, _,   _,   _),
    A.POST_APPROVE:      (_,    _,   _,   _,   SCH, Y,   _,   _,   _),
    A.POST_HIDE:         (_,    _,   OWN, OWN, P_G, Y,   _,   CASE, CASE),
    A.POLL_CLOSE:        (_,    OWN, OWN, OWN, Y,   Y,   _,   _,   _),
    A.ROOM_STATE:        (_,    _,   _,   _,   OWN, Y,   _,   _,   _),
    A.MEMBER_MUTE:       (_,    _,   _,   _,   SCH, NOT, _,   CASE, CASE),
    A.BLOCK_PERSON:      (_,    Y,   Y,   Y,   Y,   Y,   Y,   Y,   Y),
    # live
    A.CHAT:              (_,    POL, SUP, SUP, Y,   Y,   _,   _,   _),
    A.MEETING_START:     (_,    _,   _,   _,   Y,   Y,   _,   _,   _),
    A.MESSAGE:           (_,    _,   MYT, MYT, ADU, ADU, ADU, ADU, ADU),
    # safety
    A.REPORT:            (PUB,  Y,   Y,   Y,   Y,   Y,   Y,   Y,   Y),
    A.REPORT_HANDLE:     (_,    _,   _,   _,   SCH, UNC, _,   ESC, Y),
    A.CASE_OPEN:         (_,    _,   _,   _,   _,   _,   _,   ESC, Y),
    A.AUDIT_READ:        (_,    OWN, OWN, OWN, O_S, Y,   _,   CASE, Y),
    A.ERASURE_REQUEST:   (SLF,  SLF, SLF, SLF, S_S, S_S, SLF, SLF, Y),
    # kits
    A.KIT_READ:          (Y,    Y,   _,   _,   Y,   Y,   Y,   Y,   Y),
    A.KIT_USE:           (_,    _,   _,   _,   Y,   Y,   Y,   Y,   Y),
    A.KIT_RECOMMEND:     (_,    _,   _,   _,   _,   _,   Y,   Y,   Y),
    A.KIT_PUBLISH:       (_,    _,   _,   _,   ASK, ASK, _,   Y,   Y),
    # learning
    A.COURSE_CREATE:     (_,    _,   _,   _,   _,   _,   Y,   Y,   Y),
    A.WEBINAR_CREATE:    (_,    _,   _,   _,   _,   GRP, Y,   Y,   Y),
    A.LEARN:             (_,    _,   _,   _,   Y,   Y,   Y,   Y,   Y),
    # recognition; who evaluates needs that appointment, which comes with the calls
    A.APPLY:             (_,    _,   _,   _,   OWN, OWN, OWN, _,   _),
    A.LABEL_APPLY:       (_,    _,   _,   _,   ELI, ELI, ELI, _,   _),
    A.EVALUATE:          (_,    _,   _,   _,   _,   _,   _,   _,   _),
    A.EVALUATOR_ASSIGN:  (_,    _,   _,   _,   _,   _,   _,   Y,   Y),
    A.GRANT_NATIONAL:    (_,    _,   _,   _,   _,   _,   _,   Y,   _),
    A.GRANT_EUROPEAN:    (_,    _,   _,   _,   _,   _,   _,   _,   Y),
    A.EUROPEAN_NOMINATE: (_,    _,   _,   _,   _,   _,   _,   Y,   _),
    # programme
    A.APPOINT:           (_,    _,   _,   _,   _,   _,   _,   Y,   Y),
    A.BOOK_EDIT:         (_,    _,   _,   _,   _,   _,   _,   _,   Y),
    A.BOOK_PROPOSE:      (_,    _,   _,   _,   _,   _,   _,   Y,   Y),
    A.BOOK_AGREE:        (_,    _,   _,   _,   OWN, OWN, _,   _,   _),
    A.CAMPAIGN_READ:     (Y,    Y,   Y,   Y,   Y,   Y,   Y,   Y,   Y),
    A.CAMPAIGN_JOIN:     (_,    _,   _,   _,   Y,   Y,   Y,   Y,   Y),
    A.CAMPAIGN_HOST:     (_,    _,   _,   _,   _,   _,   Y,   Y,   Y),
    A.CAMPAIGN_NATIONAL: (_,    _,   _,   _,   _,   _,   _,   Y,   Y),
    A.CAMPAIGN_EUROPEAN: (_,    _,   _,   _,   _,   _,   _,   _,   Y),
}
# fmt: on


def _page_editing(policy: SpacePolicy, target: Target, role: Role) -> bool:
    if target.room in STAFF_ROOMS or target.edit_rule in (None, EditRule.TEACHERS):
        return False
    if role is Role.GUEST:
        return policy.guests_edit and target.edit_rule is EditRule.EVERYONE
    if policy.pages_open is PageEditing.TEACHERS:
        return False
    if role is Role.STUDENT_EDITOR:
        return True
    if target.edit_rule is not EditRule.EVERYONE:
        return False
    return target.team if target.room is RoomKind.TEAM else policy.pages_open is PageEditing.OPEN


def _thread_start(policy: SpacePolicy, target: Target, role: Role) -> bool:
    if target.posting is Posting.OFF:
        return False
    return target.team or target.posting is Posting.FREE


_BY_POLICY: Final[Mapping[Action, Callable[[SpacePolicy, Target, Role], bool]]] = {
    Action.SPACE_READ: lambda policy, target, role: policy.guests_read,
    Action.PAGE_EDIT: _page_editing,
    Action.PAGE_CREATE: lambda policy, target, role: (
        policy.students_create
        and policy.pages_open is not PageEditing.TEACHERS
        and target.room is RoomKind.TEAM
        and target.team
    ),
    Action.THREAD_START: _thread_start,
    Action.POST_REPLY: lambda policy, target, role: policy.guests_post,
    Action.CHAT: lambda policy, target, role: policy.guests_post and target.supervised,
}
"""How a `POLICY` cell is decided. An action that is not here is denied there."""

WRITES: Final = frozenset(
    {
        Action.PAGE_EDIT,
        Action.PAGE_COMMENT,
        Action.PAGE_CREATE,
        Action.BLOCK_EDIT,
        Action.PAGE_SETTINGS,
        Action.PAGE_RESTORE,
        Action.PAGE_BIN,
        Action.MATERIAL_UPLOAD,
        Action.MATERIAL_DELETE,
        Action.THREAD_START,
        Action.POST_REPLY,
        Action.POST_EDIT,
        Action.POLL_CLOSE,
        Action.CHAT,
        Action.ROOM_MAKE,
    }
)
"""What a standstill of the space, the room or the page stops."""


def allowed(action: Action, actor: Actor, target: Target) -> Decision:
    """Whether the actor may do it. One column that says yes is enough."""
    row = MATRIX.get(action)
    if row is None:
        return Decision(False, "role")
    reasons = []
    for column, rule in zip(COLUMNS, row, strict=True):
        if column is None or column is actor.role or column in actor.offices:
            reason = rule.check(action, actor, target, column if isinstance(column, Role) else None)
            if not reason:
                if target.standstill and action in WRITES:
                    return Decision(False, target.standstill)
                return Decision(True)
            reasons.append(reason)
    return Decision(False, reasons[-1])


def may_ask(action: Action, actor: Actor, target: Target) -> Decision:
    """Whether the actor's role may propose what somebody else has to agree to."""
    decision = allowed(action, replace(actor, offices=frozenset()), target)
    if decision:
        return Decision(False, "needs-nobody")
    return Decision(True) if decision.reason == "needs-approval" else decision


def require(action: Action, actor: Actor, target: Target) -> None:
    """Raises NotAllowed with the reason when the policy says no."""
    decision = allowed(action, actor, target)
    if not decision:
        raise NotAllowed(decision.reason)
