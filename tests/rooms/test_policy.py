"""The policy against the permission matrix of the domain, written down here a second time, cell by cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rooms.rights.policy import COLUMNS, MATRIX, WRITES, Action, Actor, Target, allowed
from rooms.rights.space_policy import MARKS, Chat, PageEditing, Reactions, SpacePolicy
from rooms.values import (
    AgeBand,
    EditRule,
    MembershipId,
    Office,
    PersonId,
    Posting,
    Role,
    RoomKind,
    SchoolId,
)

# The domain's own words: yes, no, own, sch (pupils of the own school), pol, ask, case, self. A cell that says
# more is written in the tests below the table and marked with *.
DOMAIN = """
                            public GST  STU  STE  TEA  ADM  AMB  NSO  PLA
space.card                  yes    yes  yes  yes  yes  yes  yes  yes  yes
space.read                  no     pol  yes  yes  yes  yes  no   case case
space.read-staff            no     no   no   no   yes  yes  no   case case
space.create-project        no     no   no   no   ask  no   ask  no   no
space.approve               no     no   no   no   no   no   no   yes  yes
space.request-group         no     no   no   no   yes  yes  yes  yes  yes
space.settings              no     no   no   no   no   yes  no   no   no
space.lower-floor           no     no   no   no   no   ask  no   yes  yes
space.status                no     no   no   no   no   yes  no   case case
space.freeze                no     no   no   no   yes  yes  no   case yes
space.unfreeze              no     no   no   no   no   yes  no   case yes
space.export                no     no   no   no   ask  yes  no   no   case
member.invite-adult         no     no   no   no   ask  yes  no   no   no
member.manage-pupil         no     no   no   no   sch  sch  no   no   no
member.role                 no     no   no   no   sch  *    no   no   no
member.remove               no     self no   no   sch  *    no   case case
room.make                   no     no   no   no   yes  yes  no   no   no
page.read-draft             no     no   own  yes  yes  yes  no   no   no
page.edit                   no     pol  pol  pol  yes  yes  no   no   no
page.comment                no     pol  yes  yes  yes  yes  no   no   no
page.create                 no     no   pol  yes  yes  yes  no   no   no
page.edit-protected-block   no     no   no   no   yes  yes  no   no   no
page.lock                   no     no   no   no   own  yes  no   no   no
page.restore-version        no     no   no   no   yes  yes  no   no   no
page.publish                no     no   no   no   ask  yes  no   case case
page.unpublish              no     no   no   no   yes  yes  no   case case
page.bin                    no     no   *    own  own  yes  no   no   case
material.upload             no     pol  pol  pol  yes  yes  no   no   no
material.delete             no     own  own  own  *    yes  no   no   case
thread.start                no     no   pol  yes  yes  yes  no   no   no
post.reply                  no     pol  yes  yes  yes  yes  no   no   no
post.edit                   no     own  own  own  own  own  no   no   no
post.approve                no     no   no   no   sch  yes  no   no   no
post.hide                   no     no   own  own  *    yes  no   case case
room.state                  no     no   no   no   own  yes  no   no   no
member.mute                 no     no   no   no   sch  *    no   case case
person.block                no     yes  yes  yes  yes  yes  yes  yes  yes
live.chat                   no     pol  *    *    yes  yes  no   no   no
post.close-poll             no     own  own  own  yes  yes  no   no   no
live.start-meeting          no     no   no   no   yes  yes  no   no   no
live.message                no     no   *    *    *    *    *    *    *
report.send                 *      yes  yes  yes  yes  yes  yes  yes  yes
report.handle               no     no   no   no   sch  *    no   *    yes
case.open                   no     no   no   no   no   no   no   *    yes
audit.read                  no     own  own  own  *    yes  no   case yes
person.request-erasure      self   self self self *    *    self self yes
kit.read                    yes    yes  no   no   yes  yes  yes  yes  yes
kit.use                     no     no   no   no   yes  yes  yes  yes  yes
kit.recommend               no     no   no   no   no   no   yes  yes  yes
kit.publish                 no     no   no   no   ask  ask  no   yes  yes
learning.create-course      no     no   no   no   no   no   yes  yes  yes
learning.create-webinar     no     no   no   no   no   *    yes  yes  yes
learning.enrol              no     no   no   no   yes  yes  yes  yes  yes
recognition.apply           no     no   no   no   own  own  own  no   no
recognition.apply-label     no     no   no   no   *    *    *    no   no
recognition.evaluate        no     no   no   no   no   no   no   no   no
recognition.assign-evaluator no    no   no   no   no   no   no   yes  yes
recognition.grant-national  no     no   no   no   no   no   no   yes  no
recognition.grant-european  no     no   no   no   no   no   no   no   yes
recognition.nominate-european no   no   no   no   no   no   no   yes  no
programme.appoint           no     no   no   no   no   no   no   yes  yes
book.edit                   no     no   no   no   no   no   no   no   yes
book.propose                no     no   no   no   no   no   no   yes  yes
book.agree-entry            no     no   no   no   own  own  no   no   no
campaign.read               yes    yes  yes  yes  yes  yes  yes  yes  yes
campaign.join               no     no   no   no   yes  yes  yes  yes  yes
campaign.host               no     no   no   no   no   no   yes  yes  yes
campaign.run-national       no     no   no   no   no   no   no   yes  yes
campaign.run-european       no     no   no   no   no   no   no   no   yes
"""
OURS = {"page.settings": "no no own own yes yes no no no"}
"""Not in the domain's table: title, place and rules of a page."""

WHO: dict[str, Actor] = {
    "public": Actor(),
    "GST": Actor(role=Role.GUEST),
    "STU": Actor(role=Role.STUDENT),
    "STE": Actor(role=Role.STUDENT_EDITOR),
    "TEA": Actor(role=Role.TEACHER),
    "ADM": Actor(role=Role.ADMIN),
    "AMB": Actor(offices=frozenset({Office.AMBASSADOR})),
    "NSO": Actor(offices=frozenset({Office.OFFICER})),
    "PLA": Actor(offices=frozenset({Office.PLATFORM})),
}
ME, OTHER = MembershipId("me"), MembershipId("other")
MINE, THEIRS = SchoolId("mine"), SchoolId("theirs")

NOTHING = Target()
OWN = Target(owner=ME)
SELF = Target(member=ME)
OWN_SCHOOL = Target(is_pupil=True, school=MINE, member=OTHER)
OTHER_SCHOOL = Target(is_pupil=True, school=THEIRS, member=OTHER)
CASE = Target(case=True)
EVERYTHING = Target(
    owner=ME,
    draft=True,
    member=ME,
    role=Role.STUDENT,
    school=MINE,
    is_pupil=True,
    policy=SpacePolicy(AgeBand.ADULTS, guests_read=True, guests_edit=True, guests_post=True),
    room=RoomKind.TEAM,
    team=True,
    edit_rule=EditRule.EVERYONE,
    published=True,
    case=True,
    supervised=True,
    posting=Posting.FREE,
    extra=frozenset({"to-adult", "to-my-teacher", "escalated", "eligible-and-signed", "group"}),
)
"""As favourable as facts can be."""


def cells() -> list[tuple[str, str, str]]:
    lines = [line.split() for line in DOMAIN.strip().splitlines()]
    lines += [[action, *row.split()] for action, row in OURS.items()]
    return [(line[0], who, word) for line in lines[1:] for who, word in zip(lines[0], line[1:], strict=True)]


def actor(who: str) -> Actor:
    known = WHO[who]
    if who == "public":
        return known
    return replace(known, person=PersonId("p"), membership=ME, school=MINE)


def may(action: str, who: str, target: Target) -> bool:
    return bool(allowed(Action(action), actor(who), target))


def test_every_action_has_a_row_of_nine_and_stands_in_the_domain() -> None:
    assert set(MATRIX) == set(Action) == {Action(action) for action, _, _ in cells()}
    assert {len(row) for row in MATRIX.values()} == {len(COLUMNS)} == {9}


@pytest.mark.parametrize(("action", "who", "word"), cells())
def test_each_cell_of_the_matrix(action: str, who: str, word: str) -> None:
    if (action, "public", "yes") in cells():
        # What the public may, everybody may, whatever the cell of a role says.
        assert may(action, who, NOTHING)
        return
    match word:
        case "yes":
            assert may(action, who, NOTHING)
        case "no" | "ask":
            assert not may(action, who, EVERYTHING)
        case "own":
            assert may(action, who, OWN)
            assert not may(action, who, replace(EVERYTHING, owner=OTHER))
            assert not may(action, who, replace(EVERYTHING, owner=None))
        case "self":
            assert may(action, who, SELF) == (who != "public")  # nobody is logged in as the public
            assert not may(action, who, replace(EVERYTHING, member=OTHER))
        case "sch":
            assert may(action, who, OWN_SCHOOL)
            assert not may(action, who, replace(EVERYTHING, school=THEIRS))
            assert not may(action, who, replace(EVERYTHING, is_pupil=False))
        case "case":
            assert may(action, who, CASE)
            assert not may(action, who, replace(EVERYTHING, case=False))
        case "pol":
            assert not may(action, who, replace(EVERYTHING, policy=None))
            assert not may(action, who, NOTHING)
        case "*":
            assert not may(action, who, NOTHING) or action in ("member.role", "member.remove", "member.mute",
                                                               "report.handle")  # fmt: skip
        case _:
            raise AssertionError(f"no such word: {word}")


def test_a_teacher_without_a_school_has_no_pupils() -> None:
    schoolless = replace(actor("TEA"), school=None)
    target = Target(is_pupil=True, school=None)
    assert not allowed(Action.PUPIL_MANAGE, schoolless, target)


def test_a_founder_is_neither_removed_nor_given_another_role() -> None:
    for action in ("member.remove", "member.role"):
        assert may(action, "ADM", replace(OTHER_SCHOOL, founder=False))
        decision = allowed(Action(action), actor("ADM"), Target(founder=True, member=OTHER))
        assert (decision.allowed, decision.reason) == (False, "founder")
    for who in ("NSO", "PLA"):
        assert may("member.remove", who, CASE)
        decision = allowed(Action.MEMBER_REMOVE, actor(who), replace(CASE, founder=True))
        assert (decision.allowed, decision.reason) == (False, "founder")


def test_a_student_bins_only_own_drafts() -> None:
    assert may("page.bin", "STU", replace(OWN, draft=True))
    assert not may("page.bin", "STU", OWN)
    assert not may("page.bin", "STU", Target(owner=OTHER, draft=True))


def test_own_or_own_school() -> None:
    for action in ("material.delete", "audit.read"):
        assert may(action, "TEA", OWN)
        assert may(action, "TEA", OWN_SCHOOL)
        assert not may(action, "TEA", OTHER_SCHOOL)
    assert may("person.request-erasure", "TEA", SELF)
    assert may("person.request-erasure", "ADM", OWN_SCHOOL)
    assert not may("person.request-erasure", "ADM", OTHER_SCHOOL)


def test_a_teacher_of_another_school_is_not_silenced_by_one_admin() -> None:
    assert may("member.mute", "ADM", OTHER_SCHOOL)
    assert may("member.mute", "ADM", Target(role=Role.TEACHER, school=MINE))
    assert not may("member.mute", "ADM", Target(role=Role.TEACHER, school=THEIRS))


def test_a_teacher_hides_posts_of_pupils_and_guests() -> None:
    assert may("post.hide", "TEA", OTHER_SCHOOL)
    assert may("post.hide", "TEA", Target(role=Role.GUEST))
    assert not may("post.hide", "TEA", Target(role=Role.TEACHER))


def test_conditions_on_the_moment() -> None:
    for who in ("STU", "STE"):
        assert may("live.chat", who, Target(supervised=True))
        assert not may("live.message", who, Target(extra=frozenset({"to-adult"})))
        assert may("live.message", who, Target(extra=frozenset({"to-my-teacher"})))
    for who in ("TEA", "ADM", "AMB", "NSO", "PLA"):
        assert may("live.message", who, Target(extra=frozenset({"to-adult"})))
    assert may("report.send", "public", Target(published=True))
    assert not may("report.handle", "ADM", Target(extra=frozenset({"concerns-me"})))
    for action in ("report.handle", "case.open"):
        assert may(action, "NSO", Target(extra=frozenset({"escalated"})))
    for who in ("TEA", "ADM", "AMB"):
        assert may("recognition.apply-label", who, Target(extra=frozenset({"eligible-and-signed"})))
    assert may("learning.create-webinar", "ADM", Target(extra=frozenset({"group"})))


def test_what_is_not_listed_is_denied() -> None:
    for who in WHO:
        assert not allowed("page.explode", actor(who), EVERYTHING)  # type: ignore[arg-type]


def test_an_appointment_adds_to_a_role() -> None:
    both = replace(actor("STU"), offices=frozenset({Office.OFFICER}))
    assert allowed(Action.SPACE_READ, both, NOTHING)
    assert allowed(Action.SPACE_APPROVE, both, NOTHING)


# Who edits pages

ROOMS = {
    "general": (RoomKind.GENERAL, False),
    "my team": (RoomKind.TEAM, True),
    "other team": (RoomKind.TEAM, False),
}
EDITORS = {
    # band          room          rule         who may edit
    ("up-to-6", "my team", "everyone"): "TEA ADM",
    ("7-11", "general", "everyone"): "STE TEA ADM",
    ("7-11", "my team", "everyone"): "STU STE TEA ADM",
    ("12-15", "general", "everyone"): "STE TEA ADM",
    ("12-15", "my team", "everyone"): "STU STE TEA ADM",
    ("12-15", "other team", "everyone"): "STE TEA ADM",
    ("16-19", "general", "everyone"): "STU STE TEA ADM",
    ("16-19", "other team", "everyone"): "STE TEA ADM",
    ("16-19", "general", "editors"): "STE TEA ADM",
    ("16-19", "my team", "editors"): "STE TEA ADM",
    ("16-19", "general", "teachers"): "TEA ADM",
    ("16-19", "my team", "teachers"): "TEA ADM",
}


@pytest.mark.parametrize("case", EDITORS)
def test_who_edits_a_page(case: tuple[str, str, str]) -> None:
    band, where, rule = case
    kind, team = ROOMS[where]
    target = Target(policy=SpacePolicy(AgeBand(band)), room=kind, team=team, edit_rule=EditRule(rule))
    assert " ".join(who for who in WHO if may("page.edit", who, target)) == EDITORS[case]


def test_guests_read_and_edit_only_where_the_space_says_so() -> None:
    closed = Target(policy=SpacePolicy(AgeBand.ADULTS), room=RoomKind.GENERAL, edit_rule=EditRule.EVERYONE)
    opened = replace(closed, policy=SpacePolicy(AgeBand.ADULTS, guests_read=True, guests_edit=True))
    for action in ("space.read", "page.edit"):
        assert not may(action, "GST", closed)
        assert may(action, "GST", opened)
    assert not may("page.edit", "GST", replace(opened, edit_rule=EditRule.EDITORS))


def test_students_make_pages_in_their_own_team_room_only() -> None:
    policy = SpacePolicy(AgeBand.FROM_12)
    assert may("page.create", "STU", Target(policy=policy, room=RoomKind.TEAM, team=True))
    assert not may("page.create", "STU", Target(policy=policy, room=RoomKind.TEAM))
    assert not may("page.create", "STU", Target(policy=policy, room=RoomKind.GENERAL, team=True))
    never = SpacePolicy(AgeBand.FROM_12, students_create=False)
    assert not may("page.create", "STU", Target(policy=never, room=RoomKind.TEAM, team=True))


def test_admins_tighten_the_floor_of_the_age_band_and_never_loosen_it() -> None:
    order = list(PageEditing)
    for band in AgeBand:
        floor = SpacePolicy(band).pages_open
        for wished in PageEditing:
            given = SpacePolicy(band, page_editing=wished).pages_open
            assert order.index(given) == min(order.index(floor), order.index(wished))


# Who posts, and how freely


def test_students_start_threads_in_their_team_room_or_where_posts_are_free() -> None:
    policy = SpacePolicy(AgeBand.FROM_12)
    for posting in Posting:
        here = Target(policy=policy, room=RoomKind.GENERAL, posting=posting)
        team = replace(here, room=RoomKind.TEAM, team=True)
        other = replace(here, room=RoomKind.TEAM)
        assert may("thread.start", "STU", here) == may("thread.start", "STU", other)
        assert may("thread.start", "STU", here) == (posting is Posting.FREE)
        assert may("thread.start", "STU", team) == (posting is not Posting.OFF)
        assert may("thread.start", "STE", here)


def test_guests_post_and_chat_only_where_the_space_says_so() -> None:
    closed = Target(policy=SpacePolicy(AgeBand.ADULTS), supervised=True)
    opened = replace(closed, policy=SpacePolicy(AgeBand.ADULTS, guests_post=True))
    for action in ("post.reply", "live.chat"):
        assert not may(action, "GST", closed)
        assert may(action, "GST", opened)
    assert not may("thread.start", "GST", replace(opened, posting=Posting.FREE))
    assert not may("live.chat", "GST", replace(opened, supervised=False))


def test_posting_and_chat_of_each_age_band() -> None:
    """The domain's table: without a choice of the admins, and the widest choice that they have."""
    usual = {band.value: (SpacePolicy(band).posts_open, SpacePolicy(band).chat) for band in AgeBand}
    assert usual == {
        "up-to-6": ("off", "off"),
        "7-11": ("hold", "supervised"),
        "12-15": ("hold-first", "supervised"),
        "16-19": ("free", "supervised"),
        "adults": ("free", "free"),
    }
    widest = {
        band.value: SpacePolicy(band, posting=Posting.FREE, chatting=Chat.FREE).chat for band in AgeBand
    }
    assert widest == {
        "up-to-6": "off", "7-11": "supervised", "12-15": "supervised", "16-19": "hours", "adults": "free",
    }  # fmt: skip


def test_reactions_of_each_age_band() -> None:
    assert {band.value: SpacePolicy(band).reactions for band in AgeBand} == {
        "up-to-6": Reactions(),
        "7-11": Reactions(("heart", "thumb", "smile")),
        "12-15": Reactions(MARKS),
        "16-19": Reactions(MARKS),
        "adults": Reactions(MARKS, counts=True),
    }


def test_blocks_have_owners_with_the_youngest_and_where_admins_want_it() -> None:
    usual = {band.value: SpacePolicy(band).block_owners for band in AgeBand}
    assert usual == {"up-to-6": True, "7-11": True, "12-15": False, "16-19": False, "adults": False}
    for band in AgeBand:
        assert SpacePolicy.of(band, {"block_owners": True}).block_owners
        assert SpacePolicy.of(band, {"block_owners": False}).block_owners is usual[band.value]


def test_admins_tighten_posting_and_chat_and_never_loosen_them() -> None:
    for band in AgeBand:
        floor = SpacePolicy(band)
        for posting in Posting:
            given = SpacePolicy(band, posting=posting).posts_open
            assert list(Posting).index(given) == min(map(list(Posting).index, (posting, floor.posts_open)))
        for chat in Chat:
            given_chat = SpacePolicy(band, chatting=chat).chat
            assert list(Chat).index(given_chat) == min(map(list(Chat).index, (chat, floor.chat_floor)))


@pytest.mark.parametrize("who", WHO)
def test_a_standstill_stops_all_writing_and_no_reading(who: str) -> None:
    stopped = replace(EVERYTHING, standstill="space-frozen")
    for action in Action:
        before, after = may(action, who, EVERYTHING), allowed(action, actor(who), stopped)
        assert bool(after) == (before and action not in WRITES)
        if before and not after:
            assert after.reason == "space-frozen"


def test_a_stored_policy_that_nobody_knows_opens_nothing() -> None:
    policy = SpacePolicy.of("12-15", {"guests_read": "yes", "guests_edit": 1, "new_key": True})
    assert policy == SpacePolicy(AgeBand.FROM_12)
