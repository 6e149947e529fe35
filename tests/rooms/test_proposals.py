"""What an admin may only propose: a wider space, a mute of another school's teacher; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from sqlalchemy import select, update
from village import PASSWORD, Village

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.space_policy import Chat, Lowered, PageEditing, SpacePolicy
from rooms.safety.proposals import MOST_WAITING, WAITING_LIFE, MuteWish, ProposalView
from rooms.safety.retention import PROPOSAL_LIFE
from rooms.storage.schema import audit, memberships, people, proposals, spaces
from rooms.values import (
    AgeBand,
    MembershipId,
    Office,
    PersonId,
    PersonState,
    Posting,
    ProposalKind,
    ProposalState,
    Role,
    SpaceStatus,
)

FREE = Lowered(posting=Posting.FREE)
UNTIL_LIFTED = MuteWish()
MINUTE = 60.0


async def set_space(village: Village, **values: object) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(**values))


async def set_member(village: Village, who: str, **values: object) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(memberships).where(memberships.c.id == village.member(who)).values(**values))


async def officer(village: Village, country: str | None, name: str = "Olga") -> PersonId:
    """A national officer, or without a country a platform admin."""
    person = await village.services.people.add_adult(
        name=name, email=f"{name}-{country}@office.example".lower(), password=PASSWORD, school=None
    )
    await village.services.offices.appoint(person, Office.OFFICER if country else Office.PLATFORM, country)
    return person


async def young(village: Village) -> None:
    """The youngest class is 12."""
    await set_space(village, age_band=AgeBand.FROM_12)


async def ask_floor(village: Village, wish: Lowered = FREE, who: str = "admin") -> ProposalView:
    proposed = village.services.proposals
    return await proposed.ask_floor(village.person(who), village.space, wish, "They are careful.")


async def ask_mute(
    village: Village, wish: MuteWish = UNTIL_LIFTED, who: str = "admin", whom: str = "partner"
) -> ProposalView:
    return await village.services.proposals.ask_mute(
        village.person(who), village.space, village.member(whom), wish, "He shouts."
    )


async def decide(village: Village, who: str | PersonId, id: str, *, accept: bool = True) -> None:
    person = village.facts.people.get(who, PersonId(who))
    await village.services.proposals.decide(person, id, accept=accept, because="We have talked.")


async def listed(village: Village, who: str = "founder") -> list[ProposalView]:
    return await village.services.proposals.of_space(village.person(who), village.space)


async def rules(village: Village) -> SpacePolicy:
    return (await village.services.space_rules.read(village.person("founder"), village.space)).chosen


async def told(village: Village, who: str | PersonId) -> list[str]:
    person = village.facts.people.get(who, PersonId(who))
    return [each.kind for each in (await village.services.notifications.of(person)).notifications]


async def muted(village: Village, who: str = "partner") -> float | None:
    async with village.services.records.reading() as tx:
        until = memberships.c.muted_until
        found: float | None = await tx.value(select(until).where(memberships.c.id == village.member(who)))
        return found


async def notes(village: Village) -> list[tuple[str, str | None, dict[str, object]]]:
    async with village.services.records.reading() as tx:
        assert await village.services.audit.verify(tx, village.space) is None
        rows = await tx.all(select(audit).where(audit.c.space_id == village.space).order_by(audit.c.number))
    return [(row["action"], row["actor_id"], row["details"]) for row in rows]


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises((Conflict, NotAllowed, NotFound)) as fault:
        await work
    error = fault.value
    if isinstance(error, Conflict):
        return error.code
    return error.reason if isinstance(error, NotAllowed) else "not-found"


# A wider space


async def test_the_office_lets_a_space_be_opened_wider_and_then_an_admin_does(village: Village) -> None:
    await young(village)
    spain, portugal = await officer(village, "ES"), await officer(village, "PT")
    change = village.services.spaces.change(
        village.person("founder"), village.space, policy={"posting": Posting.FREE}
    )
    assert await refused(change) == "below-floor"
    asked = await ask_floor(village)
    assert (asked.kind, asked.state, asked.floor) == (ProposalKind.FLOOR, ProposalState.WAITING, FREE)
    assert asked.can == {"decide": False, "withdraw": True}
    assert (await told(village, spain), await told(village, portugal)) == (["floor-asked"], [])
    assert await village.services.proposals.waiting(portugal) == []
    [seen] = await village.services.proposals.waiting(spain)
    assert (seen.space_title, seen.age_band, seen.because) == (
        "Two rivers", AgeBand.FROM_12, "They are careful.",
    )  # fmt: skip
    assert seen.asked_by is not None
    assert (seen.asked_by.name, seen.asked_by.school, seen.asked_by.country) == (
        "Admin", "School of Zaragoza", "ES",
    )  # fmt: skip
    assert seen.can == {"decide": True, "withdraw": False}
    assert await refused(decide(village, portugal, asked.id)) == "not-found"
    await decide(village, spain, asked.id)
    policy = await rules(village)
    assert (policy.posting_floor, policy.posts_open) == (Posting.FREE, Posting.HOLD_FIRST)
    assert (policy.floor, policy.chat_floor) == (PageEditing.TEAMS, Chat.SUPERVISED)
    view = await village.services.space_rules.read(village.person("founder"), village.space)
    assert view.posting == list(Posting)
    await village.services.spaces.change(
        village.person("founder"), village.space, policy={"posting": Posting.FREE}
    )
    assert (await rules(village)).posts_open is Posting.FREE
    assert await told(village, "founder") == await told(village, "admin") == ["floor-granted"]
    [over] = await listed(village)
    assert (over.state, over.can) == (ProposalState.ACCEPTED, {"decide": False, "withdraw": False})
    assert over.answer is not None
    assert (over.answer.by, over.answer.because) == (None, "We have talked.")
    asked_by, wish = village.member("admin"), {"posting": "free", "age_band": "12-15"}
    assert [note for note in await notes(village) if note[0] in ("proposal.asked", "floor-lowered")] == [
        ("proposal.asked", asked_by, {"kind": "floor", "because": "They are careful.", **wish}),
        (
            "floor-lowered",
            None,
            {
                **wish,
                "asked_by": asked_by,
                "because": "We have talked.",
                "by": Office.OFFICER,
            },
        ),
    ]
    assert village.heard("space")[-1].space == village.space


async def test_what_is_granted_adds_up_and_ends_with_the_age_band(village: Village) -> None:
    await young(village)
    platform = await officer(village, None)
    await decide(village, platform, (await ask_floor(village)).id)
    both = Lowered(page_editing=PageEditing.OPEN, chat=Chat.FREE)
    await decide(village, platform, (await ask_floor(village, both)).id)
    policy = await rules(village)
    assert (policy.floor, policy.posting_floor, policy.chat_floor) == (
        PageEditing.OPEN, Posting.FREE, Chat.FREE,
    )  # fmt: skip
    wide = {"page_editing": PageEditing.OPEN, "posting": Posting.FREE, "chat": Chat.FREE}
    await village.services.spaces.change(village.person("founder"), village.space, policy=wide)
    assert (await rules(village)).chat is Chat.FREE
    await set_space(village, age_band=AgeBand.FROM_7)
    policy = await rules(village)
    assert policy.lowered == Lowered()
    assert (policy.pages_open, policy.posts_open, policy.chat) == (
        PageEditing.TEAMS, Posting.HOLD, Chat.SUPERVISED,
    )  # fmt: skip
    # What is granted for this band stands alone: nothing of the other one comes back with it.
    await decide(village, platform, (await ask_floor(village, Lowered(chat=Chat.HOURS))).id)
    assert (await rules(village)).lowered == Lowered(chat=Chat.HOURS)


async def test_settings_never_write_what_only_the_office_grants(village: Village) -> None:
    await young(village)
    founder, change = village.person("founder"), village.services.spaces.change
    granted = {"lowered": {"age_band": "12-15", "posting": "free"}}
    assert await refused(change(founder, village.space, policy=granted)) == "needs-approval"
    await decide(village, await officer(village, "ES"), (await ask_floor(village)).id)
    assert await refused(change(founder, village.space, policy={"lowered": {}})) == "needs-approval"
    await change(founder, village.space, policy={"posting": Posting.HOLD, "guests_read": True})
    assert (await rules(village)).lowered == FREE


async def test_only_what_is_closed_now_can_be_asked_for_and_only_by_admins(village: Village) -> None:
    await young(village)
    assert await refused(ask_floor(village, Lowered())) == "not-below-floor"
    assert await refused(ask_floor(village, Lowered(posting=Posting.HOLD_FIRST))) == "not-below-floor"
    mixed = Lowered(posting=Posting.FREE, chat=Chat.SUPERVISED)
    assert await refused(ask_floor(village, mixed)) == "not-below-floor"
    for who, why in (
        ("teacher", "role"),
        ("partner", "role"),
        ("guest", "role"),
        ("student", "role"),
        ("outsider", "not-found"),
    ):
        assert await refused(ask_floor(village, who=who)) == why
        assert await refused(listed(village, who)) == why
    await set_space(village, status=SpaceStatus.CLOSED)
    assert await refused(ask_floor(village)) == "not-open"
    await set_space(village, status=SpaceStatus.OPEN, age_band=AgeBand.ADULTS)
    assert await refused(ask_floor(village)) == "not-below-floor"


async def test_one_wish_waits_at_a_time_and_the_office_may_say_no(village: Village) -> None:
    await young(village)
    spain = await officer(village, "ES")
    asked = await ask_floor(village)
    assert await refused(ask_floor(village, Lowered(chat=Chat.FREE), "founder")) == "asked-already"
    for who, why in (("admin", "role"), ("founder", "role"), ("teacher", "role"), ("outsider", "not-found")):
        assert await refused(decide(village, who, asked.id)) == why
    await decide(village, spain, asked.id, accept=False)
    assert (await rules(village)).lowered == Lowered()
    assert await told(village, "admin") == ["floor-refused"]
    assert await refused(decide(village, spain, asked.id)) == "decided"
    assert (await notes(village))[-1] == (
        "proposal.refused", None, {"because": "We have talked.", "by": Office.OFFICER},
    )  # fmt: skip
    assert (await ask_floor(village, who="founder")).state is ProposalState.WAITING


async def test_an_officer_who_is_in_the_space_does_not_decide_about_it(village: Village) -> None:
    await young(village)
    await village.services.offices.appoint(village.person("founder"), Office.OFFICER, "ES")
    spain = await officer(village, "ES")
    asked = await ask_floor(village)
    assert (await told(village, "founder"), await told(village, spain)) == ([], ["floor-asked"])
    assert await village.services.proposals.waiting(village.person("founder")) == []
    assert await refused(decide(village, "founder", asked.id)) == "concerned"
    assert await refused(village.services.proposals.waiting(village.person("admin"))) == "role"
    # The office does not let an admin who holds it ask themselves either.
    await village.services.proposals.withdraw(village.person("admin"), asked.id)
    mine = await ask_floor(village, who="founder")
    assert await refused(decide(village, "founder", mine.id)) == "concerned"


# A mute


async def test_a_second_admin_confirms_and_one_alone_does_nothing(village: Village) -> None:
    admin = village.person("admin")
    alone = village.services.members.mute(admin, village.member("partner"), "He shouts.", None)
    assert await refused(alone) == "needs-approval"
    asked = await ask_mute(village, MuteWish(minutes=45))
    assert await muted(village) is None
    assert not village.heard("muted")
    assert await refused(decide(village, "admin", asked.id)) == "concerned"
    assert await muted(village) is None
    assert (await told(village, "founder"), await told(village, "partner")) == (["mute-asked"], [])
    [seen] = await listed(village)
    assert seen.concerned is not None
    assert (seen.concerned.name, seen.concerned.school, seen.mute) == (
        "Partner", "School of Porto", MuteWish(minutes=45),
    )  # fmt: skip
    assert seen.can == {"decide": True, "withdraw": False}
    village.clock.now += 30 * MINUTE
    await decide(village, "founder", asked.id)
    assert await muted(village) == village.clock.now + 45 * MINUTE
    assert village.heard("muted")[-1].person == village.person("partner")
    assert await told(village, "partner") == ["muted"]
    assert await told(village, "admin") == ["mute-confirmed"]
    entry = next(
        each for each in await village.services.audit.of_space(admin, village.space) if each.action == "muted"
    )
    assert (entry.actor_name, entry.asked_by_name, entry.concerned_name) == ("Founder", "Admin", "Partner")
    assert entry.details == {
        "because": "He shouts.",
        "until": village.clock.now + 45 * MINUTE,
        "asked_by": village.member("admin"),
    }
    [over] = await listed(village)
    assert over.answer is not None
    assert (over.state, over.answer.by) == (ProposalState.ACCEPTED, "Founder")
    assert await refused(decide(village, "founder", asked.id)) == "decided"


@pytest.mark.parametrize("country", ["ES", "PT", None])
async def test_an_officer_of_either_country_confirms_where_there_is_no_second_admin(
    village: Village, country: str | None
) -> None:
    await set_member(village, "founder", founder=True)
    await set_member(village, "admin", role=Role.TEACHER)
    olga = await officer(village, country)
    asked = await ask_mute(village, who="founder")
    assert await told(village, olga) == ["mute-asked"]
    [seen] = await village.services.proposals.waiting(olga)
    assert seen.id == asked.id
    await decide(village, olga, asked.id)
    assert await muted(village) is not None
    action, actor, details = (await notes(village))[-1]
    assert (action, actor, details["by"], details["asked_by"]) == (
        "muted", None, Office.OFFICER if country else Office.PLATFORM, village.member("founder"),
    )  # fmt: skip
    entries = await village.services.audit.of_space(village.person("founder"), village.space)
    assert (entries[0].actor_name, entries[0].asked_by_name) == (None, "Founder")


async def test_whom_it_concerns_learns_nothing_of_it_before(village: Village) -> None:
    await set_member(village, "partner", role=Role.ADMIN)
    partner = village.person("partner")
    asked = await ask_mute(village)
    assert await listed(village, "partner") == []
    assert await refused(decide(village, "partner", asked.id)) == "not-found"
    assert await refused(village.services.proposals.withdraw(partner, asked.id)) == "not-found"
    await decide(village, "founder", asked.id, accept=False)
    assert (await muted(village), await told(village, "partner")) == (None, [])
    assert await told(village, "admin") == ["mute-refused"]
    seen = await village.services.audit.of_space(partner, village.space)
    assert not [each for each in seen if each.action.startswith("proposal.")]
    seen = await village.services.audit.of_space(village.person("admin"), village.space)
    assert [each.action for each in seen][:2] == ["proposal.refused", "proposal.asked"]
    assert seen[0].concerned_name == "Partner"


async def test_each_admin_may_lift_what_two_have_agreed_on_but_not_their_own(village: Village) -> None:
    await set_member(village, "partner", role=Role.ADMIN)
    members = village.services.members
    await decide(village, "founder", (await ask_mute(village)).id)
    seen = {each.name: each for each in await members.of_space(village.person("admin"), village.space)}
    assert seen["Partner"].mute is not None
    assert {key: seen["Partner"].can[key] for key in ("mute", "ask_mute", "unmute")} == {
        "mute": False, "ask_mute": True, "unmute": True,
    }  # fmt: skip
    assert not seen["Admin"].can["ask_mute"]
    assert not seen["Admin"].can["unmute"]
    assert not seen["Founder"].can["ask_mute"]
    own = members.unmute(village.person("partner"), village.member("partner"))
    assert await refused(own) == "concerned"
    assert await refused(members.unmute(village.person("teacher"), village.member("partner"))) != ""
    assert await muted(village) is not None
    await members.unmute(village.person("admin"), village.member("partner"))
    assert await muted(village) is None


async def test_only_a_teacher_of_another_school_needs_two(village: Village) -> None:
    for who, whom, why in (
        ("admin", "teacher", "needs-nobody"),
        ("admin", "pal", "needs-nobody"),
        ("admin", "guest", "needs-nobody"),
        ("admin", "founder", "founder"),
        ("admin", "admin", "concerned"),
        ("teacher", "partner", "not-own-school"),
        ("partner", "admin", "not-own-school"),
        ("student", "partner", "role"),
        ("outsider", "partner", "not-found"),
    ):
        assert await refused(ask_mute(village, who=who, whom=whom)) == why
    elsewhere = village.services.proposals.ask_mute(
        village.person("admin"),
        village.facts.spaces["elsewhere"],
        village.member("partner"),
        MuteWish(),
        "He shouts.",
    )
    assert await refused(elsewhere) == "not-found"
    unknown = village.services.proposals.ask_mute(
        village.person("admin"), village.space, MembershipId("nobody"), MuteWish(), "He shouts."
    )
    assert await refused(unknown) == "not-found"
    past = MuteWish(until=village.clock.now)
    assert await refused(ask_mute(village, past)) == "mute-over"
    await set_space(village, status=SpaceStatus.CLOSED)
    assert await refused(ask_mute(village)) == "not-open"


async def test_nobody_confirms_what_could_be_asked_no_more(village: Village) -> None:
    spain = await officer(village, "ES")

    async def over(id: str) -> None:
        assert await refused(decide(village, spain, id)) == "proposal-over"
        assert await village.services.proposals.waiting(spain) == []
        assert await muted(village) is None

    asked = await ask_mute(village)
    await set_member(village, "admin", role=Role.TEACHER)  # one who is no admin any longer
    await over(asked.id)
    await set_member(village, "admin", role=Role.ADMIN)
    await set_member(village, "partner", state="left")
    await over(asked.id)
    await set_member(village, "partner", state="active", role=Role.ADMIN, founder=True)
    await over(asked.id)
    await set_member(village, "partner", role=Role.TEACHER, founder=False)
    await set_space(village, status=SpaceStatus.CLOSED)
    await over(asked.id)
    await set_space(village, status=SpaceStatus.OPEN)
    async with village.services.records.writing() as tx:
        suspended = update(people).where(people.c.id == village.person("admin"))
        await tx.do(suspended.values(state=PersonState.SUSPENDED))
    await over(asked.id)
    async with village.services.records.writing() as tx:
        await tx.do(suspended.values(state=PersonState.CONFIRMED))
    assert [each.id for each in await village.services.proposals.waiting(spain)] == [asked.id]
    await village.services.proposals.withdraw(village.person("admin"), asked.id)
    await over(asked.id)
    again = village.services.proposals.withdraw(village.person("admin"), asked.id)
    assert await refused(again) == "proposal-over"
    soon = await ask_mute(village, MuteWish(until=village.clock.now + 5 * MINUTE))
    village.clock.now += 5 * MINUTE
    await over(soon.id)


async def test_an_admin_nobody_has_confirmed_is_no_second_one(village: Village) -> None:
    asked = await ask_mute(village)
    async with village.services.records.writing() as tx:
        registered = update(people).where(people.c.id == village.person("founder"))
        await tx.do(registered.values(state=PersonState.REGISTERED))
    assert await refused(decide(village, "founder", asked.id)) == "role"
    assert await muted(village) is None


async def test_after_a_week_it_counts_as_withdrawn(village: Village) -> None:
    spain = await officer(village, "ES")
    asked = await ask_mute(village)
    assert asked.ends_at == village.clock.now + WAITING_LIFE
    assert await refused(ask_mute(village, who="founder")) == "asked-already"
    village.clock.now += WAITING_LIFE - 1
    assert len(await village.services.proposals.waiting(spain)) == 1
    village.clock.now += 1
    assert await village.services.proposals.waiting(spain) == []
    [seen] = await listed(village)
    assert (seen.state, seen.answer, seen.can) == (
        ProposalState.WITHDRAWN, None, {"decide": False, "withdraw": False},
    )  # fmt: skip
    assert await refused(decide(village, "founder", asked.id)) == "proposal-over"
    again = await ask_mute(village, who="founder")
    await decide(village, "admin", again.id)
    assert await muted(village) is not None
    village.clock.now += 30 * 86_400 + 1
    assert await listed(village) == []
    village.clock.now += PROPOSAL_LIFE
    await village.services.retention.forget()
    async with village.services.records.reading() as tx:
        assert await tx.all(select(proposals)) == []


async def test_only_who_asked_takes_it_back(village: Village) -> None:
    asked = await ask_mute(village)
    withdraw = village.services.proposals.withdraw
    for who, why in (
        ("founder", "not-own"), ("teacher", "not-own"), ("partner", "not-found"), ("outsider", "not-found"),
    ):  # fmt: skip
        assert await refused(withdraw(village.person(who), asked.id)) == why
    assert await refused(withdraw(village.person("admin"), "nothing")) == "not-found"
    await withdraw(village.person("admin"), asked.id)
    [seen] = await listed(village)
    assert seen.state is ProposalState.WITHDRAWN
    assert await refused(decide(village, "founder", asked.id)) == "proposal-over"


async def test_of_two_decisions_at_once_one_counts(village: Village) -> None:
    spain = await officer(village, "ES")
    asked = await ask_mute(village)
    done = await asyncio.gather(
        decide(village, "founder", asked.id),
        decide(village, spain, asked.id, accept=False),
        return_exceptions=True,
    )
    [late] = [each for each in done if each is not None]
    assert isinstance(late, Conflict)
    assert late.code == "decided"
    assert (await muted(village) is not None) is (done[0] is None)


async def test_a_space_has_only_so_many_that_wait(village: Village) -> None:
    await young(village)
    async with village.services.records.writing() as tx:
        for number in range(MOST_WAITING):
            await tx.do(
                proposals.insert().values(
                    id=f"p{number}",
                    space_id=village.space,
                    kind=ProposalKind.MUTE,
                    concerned_id=village.member("teacher"),
                    wish={"minutes": None, "until": None},
                    because="Loud.",
                    state=ProposalState.WAITING,
                    asked_by=village.member("admin"),
                    created_at=village.clock.now,
                )
            )
    assert await refused(ask_floor(village)) == "too-many-proposals"
    village.clock.now += WAITING_LIFE
    await ask_floor(village)
