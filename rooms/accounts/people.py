"""People: adults with an e-mail address and a password, and pupils with a code card and a pseudonym.

Of a pupil the records keep a pseudonym, the school, a language and the card's hash: no e-mail address, no
birth date. Only teachers of the pupil's own school make, list, rename or disable pupils and give new cards.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, update

from rooms.accounts import codecards
from rooms.accounts.codecards import Card, Choose
from rooms.accounts.hashing import Hasher
from rooms.accounts.sessions import end_sessions, normal_email
from rooms.accounts.throttle import Throttle
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action, allowed
from rooms.rights.standing import person_actor, stand
from rooms.spaces.members import join, pupil_target, require_pupils_allowed
from rooms.spaces.spaces import SchoolView
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import credentials, memberships, people, schools, spaces
from rooms.values import (
    Clock,
    CredentialKind,
    MembershipState,
    NewId,
    PersonId,
    PersonKind,
    PersonState,
    Role,
    SchoolId,
    SpaceId,
)

__all__ = ["MOST_AT_ONCE", "NewCard", "People", "PersonView", "PupilView"]

MOST_AT_ONCE: Final = 60
"""Pupils made in one batch: two classes."""


@dataclass(frozen=True, slots=True)
class PersonView:
    id: str
    name: str
    kind: PersonKind
    school: SchoolView | None
    language: str | None


@dataclass(frozen=True, slots=True)
class PupilView:
    person_id: str
    name: str
    language: str | None
    state: PersonState
    selector: str
    """The public half of the card, so that a found card can be given back."""
    last_seen: float | None
    spaces: list[tuple[str, str]]
    """Ids and titles."""


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card and its owner. Whoever gets this must print it now: the secret is not kept."""

    person_id: str
    name: str
    card: Card


class People:
    """Everybody on an installation."""

    def __init__(
        self,
        records: Records,
        hasher: Hasher,
        throttle: Throttle,
        clock: Clock,
        new_id: NewId,
        choose: Choose = secrets.choice,
    ) -> None:
        self._records = records
        self._hasher = hasher
        self._throttle = throttle
        self._clock = clock
        self._new_id = new_id
        self._choose = choose

    async def get(self, person: PersonId) -> PersonView:
        """Raises NotFound."""
        async with self._records.reading() as tx:
            row = await tx.first(
                select(
                    people,
                    schools.c.name.label("school_name"),
                    schools.c.town,
                    schools.c.country_code,
                    schools.c.time_zone,
                )
                .outerjoin(schools, schools.c.id == people.c.school_id)
                .where(people.c.id == person)
            )
        if row is None:
            raise NotFound
        school = None
        if row["school_id"] is not None:
            school = SchoolView(
                row["school_id"], row["school_name"], row["town"], row["country_code"], row["time_zone"]
            )
        return PersonView(row["id"], row["name"], PersonKind(row["kind"]), school, row["language"])

    async def set_language(self, person: PersonId, language: str | None) -> None:
        async with self._records.writing() as tx:
            await tx.do(update(people).where(people.c.id == person).values(language=language))

    async def add_adult(
        self,
        *,
        name: str,
        email: str,
        password: str,
        school: SchoolId | None,
        language: str | None = None,
        confirmed: bool = True,
    ) -> PersonId:
        """Adds an adult, for the operator. Raises Conflict when the address is taken."""
        hashed = await self._hasher.hash(password)
        person, now = PersonId(self._new_id()), self._clock()
        selector = normal_email(email)
        async with self._records.writing() as tx:
            if await self._taken(tx, CredentialKind.PASSWORD, selector):
                raise Conflict("email-taken", "Somebody with this e-mail address is here already.")
            await tx.do(
                insert(people).values(
                    id=person,
                    kind=PersonKind.ADULT,
                    name=name,
                    school_id=school,
                    language=language,
                    state=PersonState.CONFIRMED if confirmed else PersonState.REGISTERED,
                    created_at=now,
                )
            )
            await tx.do(
                insert(credentials).values(
                    person_id=person,
                    kind=CredentialKind.PASSWORD,
                    selector=selector,
                    secret_hash=hashed,
                    issued_at=now,
                )
            )
        return person

    # Pupils and their cards

    async def pupils(self, actor: PersonId, school: SchoolId) -> list[PupilView]:
        """The pupils of the actor's own school. Raises NotFound to everybody else."""
        async with self._records.reading() as tx:
            await self._require_teacher_of(tx, actor, school)
            rows = await tx.all(
                select(people, credentials.c.selector, credentials.c.used_at)
                .join(credentials, credentials.c.person_id == people.c.id)
                .where(
                    people.c.school_id == school,
                    people.c.kind == PersonKind.PUPIL,
                    people.c.state != PersonState.ERASED,
                    credentials.c.kind == CredentialKind.CODE_CARD,
                )
                .order_by(people.c.name, people.c.id)
            )
            places = await tx.all(
                select(memberships.c.person_id, spaces.c.id, spaces.c.title)
                .join(spaces, spaces.c.id == memberships.c.space_id)
                .join(people, people.c.id == memberships.c.person_id)
                .where(people.c.school_id == school, memberships.c.state == MembershipState.ACTIVE)
                .order_by(spaces.c.title, spaces.c.id)
            )
        where: dict[str, list[tuple[str, str]]] = {}
        for place in places:
            where.setdefault(place["person_id"], []).append((place["id"], place["title"]))
        return [
            PupilView(
                row["id"],
                row["name"],
                row["language"],
                PersonState(row["state"]),
                row["selector"],
                row["used_at"],
                where.get(row["id"], []),
            )
            for row in rows
        ]

    async def make_pupils(
        self,
        actor: PersonId,
        school: SchoolId,
        space: SpaceId,
        names: Sequence[str | None],
        *,
        language: str | None = None,
    ) -> list[NewCard]:
        """Makes pupils with a card each and puts them into the space as students, all or none.

        ``None`` instead of a name takes the card's animal as the pseudonym. The actor must be a teacher of
        the school and of the space. Raises NotFound, NotAllowed or Conflict.
        """
        if len(names) > MOST_AT_ONCE:
            raise Conflict("too-many-pupils", f"Make at most {MOST_AT_ONCE} pupils at once.")
        async with self._records.reading() as tx:
            await self._require_placing(tx, actor, school, space)
        drawn = [codecards.draw_secret(self._choose) for _ in names]
        hashes = [await self._hasher.hash(secret) for secret in drawn]
        async with self._records.writing() as tx:
            await self._require_placing(tx, actor, school, space)
            made = []
            for name, secret, hashed in zip(names, drawn, hashes, strict=True):
                person, now = PersonId(self._new_id()), self._clock()
                selector = await self._free_selector(tx)
                shown = name or " ".join(word.capitalize() for word in selector.split("-"))
                await tx.do(
                    insert(people).values(
                        id=person,
                        kind=PersonKind.PUPIL,
                        name=shown,
                        school_id=school,
                        language=language,
                        state=PersonState.CREATED,
                        created_at=now,
                    )
                )
                await tx.do(
                    insert(credentials).values(
                        person_id=person,
                        kind=CredentialKind.CODE_CARD,
                        selector=selector,
                        secret_hash=hashed,
                        issued_at=now,
                    )
                )
                await join(tx, space, person, Role.STUDENT, school, self._new_id(), now)
                made.append(NewCard(person, shown, Card(selector, secret)))
        return made

    async def reset_code(self, actor: PersonId, person: PersonId) -> NewCard:
        """Gives a pupil a new secret. The old one and its sessions are dead at once."""
        async with self._records.reading() as tx:
            await self._own_pupil(tx, actor, person)
        secret = codecards.draw_secret(self._choose)
        hashed = await self._hasher.hash(secret)
        mine = (credentials.c.person_id == person) & (credentials.c.kind == CredentialKind.CODE_CARD)
        async with self._records.writing() as tx:
            pupil = await self._own_pupil(tx, actor, person)
            selector = await tx.value(select(credentials.c.selector).where(mine))
            await tx.do(
                update(credentials)
                .where(mine)
                .values(secret_hash=hashed, issued_at=self._clock(), used_at=None)
            )
            await end_sessions(tx, person, "code-reset")
            await self._throttle.forget(tx, f"{CredentialKind.CODE_CARD}:{selector}")
        return NewCard(person, pupil["name"], Card(selector, secret))

    async def change_pupil(
        self,
        actor: PersonId,
        person: PersonId,
        *,
        name: str | None = None,
        disabled: bool | None = None,
    ) -> None:
        """Renames or disables a pupil, or lets one back in. A disabled pupil is logged out at once."""
        async with self._records.writing() as tx:
            pupil = await self._own_pupil(tx, actor, person)
            values: dict[str, Any] = {}
            if name is not None:
                values["name"] = name
            if disabled is not None and disabled != (pupil["state"] == PersonState.DISABLED):
                values["state"] = PersonState.DISABLED if disabled else PersonState.ACTIVE
            if not values:
                return
            await tx.do(update(people).where(people.c.id == person).values(values))
            if disabled:
                await end_sessions(tx, person, "disabled")
            tx.publish(Change("person", person=person))
            for row in await tx.all(
                select(memberships.c.space_id).where(
                    memberships.c.person_id == person, memberships.c.state == MembershipState.ACTIVE
                )
            ):
                tx.publish(Change("person", person=person, space=row["space_id"], notice=("members",)))

    async def _own_pupil(self, tx: Reading, actor: PersonId, person: PersonId) -> RowMapping:
        """The pupil, if the actor is a teacher of the pupil's school.

        Raises NotAllowed to who shares a space with the pupil; to everybody else there is no such pupil.
        """
        me = await person_actor(tx, actor, self._clock())
        row = await tx.first(
            select(people).where(
                people.c.id == person,
                people.c.kind == PersonKind.PUPIL,
                people.c.state != PersonState.ERASED,
            )
        )
        if row is None:
            raise NotFound
        decision = allowed(Action.PUPIL_MANAGE, me, pupil_target(row["school_id"]))
        if decision:
            return row
        theirs = select(memberships.c.space_id).where(
            memberships.c.person_id == person, memberships.c.state == MembershipState.ACTIVE
        )
        shared = await tx.value(
            select(memberships.c.id)
            .where(
                memberships.c.person_id == actor,
                memberships.c.state == MembershipState.ACTIVE,
                memberships.c.space_id.in_(theirs),
            )
            .limit(1)
        )
        raise NotAllowed(decision.reason) if shared else NotFound()

    async def _require_teacher_of(self, tx: Reading, actor: PersonId, school: SchoolId) -> None:
        me = await person_actor(tx, actor, self._clock())
        if not allowed(Action.PUPIL_MANAGE, me, pupil_target(school)):
            raise NotFound

    async def _require_placing(self, tx: Reading, actor: PersonId, school: SchoolId, space: SpaceId) -> None:
        await self._require_teacher_of(tx, actor, school)
        standing = await stand(tx, actor, space, self._clock())
        standing.require(Action.PUPIL_MANAGE, pupil_target(school))
        await require_pupils_allowed(tx, space)

    async def _free_selector(self, tx: Writing) -> str:
        pair = codecards.draw_selector(self._choose)
        selector, number = pair, 1
        while await self._taken(tx, CredentialKind.CODE_CARD, selector):
            number += 1
            selector = f"{pair}-{number}"
        return selector

    async def _taken(self, tx: Reading, kind: CredentialKind, selector: str) -> bool:
        found = await tx.value(
            select(credentials.c.person_id).where(
                credentials.c.kind == kind, credentials.c.selector == selector
            )
        )
        return found is not None
