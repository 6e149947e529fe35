"""The building's services, opened together."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from rooms.accounts.adult_contacts import AdultContacts
from rooms.accounts.blocking import Blocking
from rooms.accounts.codecards import Choose
from rooms.accounts.consents import Consents
from rooms.accounts.digest import Digests
from rooms.accounts.hashing import Hasher
from rooms.accounts.notifications import Notifications
from rooms.accounts.offices import Offices
from rooms.accounts.people import People
from rooms.accounts.schools import Schools
from rooms.accounts.sessions import HALF_DAY, TWO_WEEKS, Sessions
from rooms.accounts.throttle import Throttle
from rooms.rights.access import Changes
from rooms.rights.authority import RecordsAuthority
from rooms.rights.supervision import Supervision
from rooms.safety.audit import Audit
from rooms.safety.cases import Cases
from rooms.safety.floors import Floors
from rooms.safety.moderation import Moderation
from rooms.safety.proposals import Proposals
from rooms.safety.reports import Reports
from rooms.safety.retention import Retention
from rooms.spaces.invitations import Invitations
from rooms.spaces.joining import Joining
from rooms.spaces.lifecycle import Lifecycle
from rooms.spaces.members import Members
from rooms.spaces.pages import Pages
from rooms.spaces.space_rules import SpaceRules
from rooms.spaces.spaces import Spaces
from rooms.spaces.teams import Teams
from rooms.storage.records import Records
from rooms.talk.direct_messages import DirectMessages
from rooms.talk.discussions import Discussions
from rooms.talk.post_news import PostNews
from rooms.values import Clock, NewId, new_id

__all__ = ["Services"]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything about people, spaces and pages that is a record."""

    records: Records
    changes: Changes
    clock: Clock
    hasher: Hasher
    throttle: Throttle
    sessions: Sessions
    schools: Schools
    people: People
    consents: Consents
    contacts: AdultContacts
    direct_messages: DirectMessages
    blocking: Blocking
    notifications: Notifications
    digests: Digests
    spaces: Spaces
    space_rules: SpaceRules
    members: Members
    pages: Pages
    audit: Audit
    discussions: Discussions
    moderation: Moderation
    reports: Reports
    cases: Cases
    proposals: Proposals
    floors: Floors
    retention: Retention
    teams: Teams
    invitations: Invitations
    lifecycle: Lifecycle
    joining: Joining
    offices: Offices
    authority: RecordsAuthority
    supervision: Supervision

    @classmethod
    async def open(
        cls,
        database_url: str,
        *,
        clock: Clock | None = None,
        changes: Changes | None = None,
        choose: Choose = secrets.choice,
        hasher: Hasher | None = None,
        new_id: NewId = new_id,
        pupil_session: float = HALF_DAY,
        adult_session: float = TWO_WEEKS,
        approval: bool = False,
    ) -> Services:
        """Opens the records at ``sqlite:///FILE`` or ``postgresql://...``, upgrading them if they are older.

        Close it when done. Without a ``clock`` it is that of the records, so that all nodes agree.
        ``pupil_session`` and ``adult_session`` are seconds that a log-in lasts after it was last used. With
        ``approval`` the national office has a word before a new project or group opens.
        Raises what `Records.open` raises.
        """
        changes = changes or Changes()
        records = await Records.open(database_url, changes)
        clock = clock or records.clock
        supervision = Supervision(changes)
        records.teachers = supervision.teachers
        hasher = hasher or Hasher()
        throttle = Throttle(records, clock)
        audit = Audit(records, clock)
        spaces = Spaces(records, audit, clock, new_id)
        notifications = Notifications(records, clock, new_id)
        news = PostNews(notifications)
        discussions = Discussions(records, spaces, audit, news, clock, new_id)
        members = Members(records, audit, notifications, clock, new_id)
        lifecycle = Lifecycle(records, spaces, audit, notifications, clock, approval=approval)
        pages = Pages(records, spaces, audit, clock, new_id)
        reports = Reports(records, audit, notifications, clock, new_id)
        return cls(
            records=records,
            changes=changes,
            clock=clock,
            hasher=hasher,
            throttle=throttle,
            sessions=Sessions(
                records,
                hasher,
                throttle,
                clock,
                new_id,
                pupil_life=pupil_session,
                adult_life=adult_session,
            ),
            schools=Schools(records, clock, new_id),
            people=People(records, hasher, throttle, clock, new_id, choose),
            consents=Consents(records, clock, new_id),
            contacts=AdultContacts(records, notifications, clock),
            direct_messages=DirectMessages(records, notifications, clock, new_id),
            blocking=Blocking(records, clock),
            notifications=notifications,
            digests=Digests(records, clock),
            spaces=spaces,
            space_rules=SpaceRules(records, clock),
            members=members,
            pages=pages,
            audit=audit,
            discussions=discussions,
            moderation=Moderation(records, discussions, audit, news, clock),
            reports=reports,
            cases=Cases(records, reports, audit, notifications, clock, new_id),
            proposals=Proposals(records, members, audit, notifications, clock, new_id),
            floors=Floors(records, audit, notifications, clock),
            retention=Retention(records, audit, clock),
            teams=Teams(records, spaces, members, pages, discussions, clock),
            invitations=Invitations(records, audit, lifecycle, notifications, throttle, clock, new_id),
            lifecycle=lifecycle,
            joining=Joining(records, audit, notifications, clock, new_id),
            offices=Offices(records, clock, new_id),
            authority=RecordsAuthority(records, clock),
            supervision=supervision,
        )

    async def close(self) -> None:
        self.hasher.close()
        await self.records.close()
