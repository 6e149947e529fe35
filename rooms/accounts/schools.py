"""Countries and schools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import insert, select

from rooms.faults import Conflict
from rooms.storage.records import Records
from rooms.storage.schema import countries, schools
from rooms.values import Clock, NewId, SchoolId, SchoolState

__all__ = ["CONSENT_AGES", "Country", "Schools"]

CONSENT_AGES: Final = {
    "AT": 14, "BE": 13, "BG": 14, "CY": 14, "CZ": 15, "DE": 16, "DK": 13, "EE": 13, "EL": 15, "ES": 14,
    "FI": 13, "FR": 15, "HR": 16, "HU": 16, "IE": 16, "IT": 14, "LT": 14, "LU": 16, "LV": 13, "MT": 13,
    "NL": 16, "PL": 16, "PT": 13, "RO": 16, "SE": 13, "SI": 15, "SK": 16,
}  # fmt: skip
"""Age from which a child consents alone (GDPR article 8 and national law); what a country starts with."""


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    """Two letters as the European institutions write them."""
    name: str
    languages: Sequence[str]


class Schools:
    """The countries and schools of an installation. Only the operator changes them as yet."""

    def __init__(self, records: Records, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._clock = clock
        self._new_id = new_id

    async def add_country(self, country: Country) -> None:
        """Adds the country unless it is there."""
        async with self._records.writing() as tx:
            if await tx.first(select(countries).where(countries.c.code == country.code)) is None:
                await tx.do(
                    insert(countries).values(
                        code=country.code,
                        name=country.name,
                        languages=list(country.languages),
                        consent_age=CONSENT_AGES.get(country.code, 16),
                    )
                )

    async def add(
        self, *, name: str, town: str, country: str, time_zone: str, languages: Sequence[str]
    ) -> SchoolId:
        """Adds a confirmed school. Raises Conflict for an unknown country or time zone."""
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise Conflict(
                "no-such-time-zone", f"{time_zone!r} is no time zone. Write one such as Europe/Madrid."
            ) from None
        school = SchoolId(self._new_id())
        async with self._records.writing() as tx:
            if await tx.first(select(countries).where(countries.c.code == country)) is None:
                raise Conflict("no-such-country", f"There is no country {country!r} yet. Add it first.")
            await tx.do(
                insert(schools).values(
                    id=school,
                    name=name,
                    town=town,
                    country_code=country,
                    time_zone=time_zone,
                    languages=list(languages),
                    state=SchoolState.CONFIRMED,
                    created_at=self._clock(),
                )
            )
        return school
