"""The operator's way in: `twinspace add`, `list` and `dismiss`, straight on the records.

They work beside running servers too, on one SQLite file or one PostgreSQL database: servers read the records
anew for each request. What a script wants (an id, a password) goes to standard output, words for people to
standard error.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import astuple
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
from pydantic import StringConstraints, TypeAdapter, ValidationError

from rooms.accounts import codecards
from rooms.values import AgeBand, Office, PersonId, SchoolId
from server.api.fields import Language, Line, Name, Prose
from server.config import ConfigError, Settings
from server.options import settings_options

if TYPE_CHECKING:
    from rooms.services import Services
    from rooms.storage.records import Records

__all__ = ["add", "dismiss", "list_"]

MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 200
"""Characters; the log-in takes no longer one."""

Work = Callable[..., Coroutine[Any, Any, None]]


class Checked(click.ParamType[str]):
    """A text under the same rules as where the REST API takes one."""

    def __init__(self, name: str, rule: Any, says: str = "") -> None:
        self.name = name
        self._rule: TypeAdapter[str] = TypeAdapter(rule)
        self._says = says

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._rule.validate_python(value)
        except ValidationError as error:
            self.fail(self._says or f"{value!r}: {error.errors()[0]['msg']}.", param, ctx)


LINE = Checked("text", Line)
PERSON = Checked("name", Name)
PROSE = Checked("text", Prose)
LANGUAGE = Checked("code", Language, "A language is written as a short code, such as es or pt.")
COUNTRY = Checked(
    "code",
    Annotated[str, StringConstraints(pattern=r"^([A-FH-Z][A-Z]|G[AC-QS-Z])$")],
    "A country is written with the two capital letters that European institutions use: "
    "ES, PT, EL for Greece, UK for the United Kingdom.",
)
EMAIL = Checked(
    "address",
    Annotated[Line, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")],
    "An e-mail address is written name@school.example.",
)


def on_records(work: Work) -> Callable[..., None]:
    """Gives the command `work` the flags --data and --database, and opens the records they name."""

    @settings_options("data", "database")
    @wraps(work)
    def command(settings: Settings, **values: Any) -> None:
        asyncio.run(_open_for(work, settings, values))

    return command


async def _open_for(work: Work, settings: Settings, values: dict[str, Any]) -> None:
    from rooms.services import Services

    if not settings.in_postgres:
        settings.data.mkdir(parents=True, exist_ok=True)
    services = await Services.open(settings.database_url)
    try:
        await work(services, **values)
    finally:
        await services.close()


@click.group()
def add() -> None:
    """Add a country, a school, a teacher, an officer or a space.

    This works while the server runs too. Whoever has a page open sees it when they load the page again.
    """


@add.command("country")
@click.argument("code", type=COUNTRY)
@click.argument("name", type=LINE)
@click.option("--language", "languages", type=LANGUAGE, multiple=True, required=True, help="Repeatable.")
@on_records
async def add_country(services: Services, code: str, name: str, languages: tuple[str, ...]) -> None:
    """Add a country.

    CODE is two capital letters, such as ES. A country that is there already stays as it is.
    """
    from rooms.accounts.schools import Country

    await services.schools.add_country(Country(code, name, languages))


@add.command("school")
@click.argument("name", type=LINE)
@click.option("--country", type=COUNTRY, required=True)
@click.option("--town", type=LINE, required=True)
@click.option("--time-zone", metavar="ZONE", required=True, help="Such as Europe/Madrid.")
@click.option("--language", "languages", type=LANGUAGE, multiple=True, required=True, help="Repeatable.")
@on_records
async def add_school(
    services: Services, name: str, country: str, town: str, time_zone: str, languages: tuple[str, ...]
) -> None:
    """Add a school and print its id.

    A school that is there already, by name, town and country, stays as it is.
    """
    from rooms.accounts.directory import schools_of

    for known in await schools_of(services.records):
        if (known.name, known.town, known.country) == (name, town, country):
            click.echo("The school was here already, and is as it was.", err=True)
            click.echo(known.id)
            return
    click.echo(
        await services.schools.add(
            name=name, town=town, country=country, time_zone=time_zone, languages=languages
        )
    )


@add.command("teacher")
@click.argument("name", type=PERSON)
@click.option("--school", metavar="ID", required=True, help="As `twinspace list schools` shows it.")
@click.option("--email", type=EMAIL, required=True, help="What they log in with.")
@click.option("--language", type=LANGUAGE, help="What they read. Default: what their browser asks for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@on_records
async def add_teacher(
    services: Services, name: str, school: str, email: str, language: str | None, password_stdin: bool
) -> None:
    """Add a teacher and print their password.

    It is made of readable words and shown this once: only its hash is kept.
    """
    from rooms.accounts.directory import schools_of

    if school not in {known.id for known in await schools_of(services.records)}:
        raise click.ClickException(f"There is no school {school!r}. See: twinspace list schools")
    password = _read_password() if password_stdin else codecards.draw_password(secrets.choice)
    await services.people.add_adult(
        name=name, email=email, password=password, school=SchoolId(school), language=language
    )
    if not password_stdin:
        click.echo(f"{name} logs in with {email} and this password, which is not shown again:", err=True)
        click.echo(password)


@add.command("officer")
@click.argument("name", type=PERSON)
@click.option("--email", type=EMAIL, required=True, help="What they log in with.")
@click.option("--country", type=COUNTRY, help="Whose officer. Default: a platform admin, for all countries.")
@click.option("--language", type=LANGUAGE, help="What they read. Default: what their browser asks for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@on_records
async def add_officer(
    services: Services,
    name: str,
    email: str,
    country: str | None,
    language: str | None,
    password_stdin: bool,
) -> None:
    """Appoint an officer of a national office and print their password.

    They approve projects and groups (see `serve --approval`) and look after what is reported. Somebody who
    has the address already is appointed, and keeps name and password.
    """
    await services.offices.require_country(country)
    known, password = await _known(services, email), ""
    if known is None:
        password = _read_password() if password_stdin else codecards.draw_password(secrets.choice)
        known = await services.people.add_adult(
            name=name, email=email, password=password, school=None, language=language
        )
    await services.offices.appoint(known, _office(country), country)
    if not password:
        click.echo("Somebody with this address was here already, and is appointed.", err=True)
    elif not password_stdin:
        click.echo(f"{name} logs in with {email} and this password, which is not shown again:", err=True)
        click.echo(password)


@click.group()
def dismiss() -> None:
    """End an appointment."""


@dismiss.command("officer")
@click.option("--email", type=EMAIL, required=True)
@click.option("--country", type=COUNTRY, help="Whose officer. Default: a platform admin.")
@on_records
async def dismiss_officer(services: Services, email: str, country: str | None) -> None:
    """End the appointment of an officer. Their account stays."""
    known = await _known(services, email)
    if known is None or not await services.offices.end(known, _office(country), country):
        raise click.ClickException(f"{email} holds no such appointment.")


def _office(country: str | None) -> Office:
    return Office.PLATFORM if country is None else Office.OFFICER


async def _known(services: Services, email: str) -> PersonId | None:
    from rooms.accounts.directory import adults_of
    from rooms.accounts.sessions import normal_email

    address = normal_email(email)
    return next((each.id for each in await adults_of(services.records) if each.email == address), None)


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise click.ClickException(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    return password


@add.command("space")
@click.argument("title", type=LINE)
@click.option(
    "--founder",
    "founders",
    metavar="EMAIL",
    multiple=True,
    required=True,
    help="A teacher who becomes an admin of the space. Repeatable.",
)
@click.option(
    "--age-band",
    type=click.Choice([band.value for band in AgeBand]),
    default=AgeBand.FROM_12.value,
    show_default=True,
    help="Of the youngest class: the younger, the less pupils may change.",
)
@click.option(
    "--language",
    "languages",
    type=LANGUAGE,
    multiple=True,
    help="What is spoken in it. Repeatable. Default: the languages of the founders' schools.",
)
@click.option("--summary", type=PROSE, default="")
@on_records
async def add_space(
    services: Services,
    title: str,
    founders: tuple[str, ...],
    age_band: str,
    languages: tuple[str, ...],
    summary: str,
) -> None:
    """Open a TwinSpace and print its id.

    It begins with a room for everybody and one for its teachers.
    """
    from rooms.accounts.directory import adults_of, schools_of
    from rooms.accounts.sessions import normal_email

    known = {adult.email: adult for adult in await adults_of(services.records)}
    addresses = dict.fromkeys(map(normal_email, founders))
    for address in addresses:
        if address not in known:
            raise click.ClickException(f"Nobody has the address {address!r}. See: twinspace list teachers")
    theirs = {known[address].school for address in addresses}
    spoken = dict.fromkeys(
        language
        for school in await schools_of(services.records)
        if school.id in theirs
        for language in school.languages
    )
    click.echo(
        await services.spaces.create(
            title=title,
            summary=summary,
            languages=languages or tuple(spoken),
            age_band=AgeBand(age_band),
            founders=[known[address].id for address in addresses],
        )
    )


@click.command("list")
@click.argument("what", type=click.Choice(["schools", "teachers", "spaces"]))
@settings_options("data", "database")
def list_(settings: Settings, what: str) -> None:
    """List the schools, teachers or spaces, one a line: the id first, then what is known, between tabs."""
    if settings.database is None and not settings.records_file.exists():
        raise ConfigError(f"There is nothing in {settings.data} yet. See: twinspace add --help")
    asyncio.run(_open_for(_list, settings, {"what": what}))


async def _list(services: Services, what: str) -> None:
    from rooms.accounts import directory

    entries: dict[str, Callable[[Records], Awaitable[Sequence[Any]]]] = {
        "schools": directory.schools_of,
        "teachers": directory.adults_of,
        "spaces": directory.spaces_of,
    }
    for entry in await entries[what](services.records):
        click.echo("\t".join(map(_cell, astuple(entry))))


def _cell(value: str | tuple[str, ...] | None) -> str:
    return ", ".join(value) if isinstance(value, tuple) else value or "-"
