"""Mails of what is new, taken by a real mail server over real sockets."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from letterbox import TAKEN, Letterbox
from sqlalchemy import select, update
from village import PASSWORD, Facts, Village, build, copy, furnish, open_services, open_village

from rooms.accounts.digest import MailSettings
from rooms.services import Services
from rooms.storage.schema import credentials, notifications, people, spaces
from rooms.values import Digest, PersonId, ThreadId
from server.digest import FIRST_WAIT, LATER, REFUSED_IN_A_ROW, DigestPost
from server.mail import Mailer, MailServer, parse_sender

URL = "https://twinspace.example"
DAILY = MailSettings(Digest.DAILY, 7, None)


def at(when: str) -> float:
    return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Madrid")).timestamp()


class Steady:
    """The clock by which the mail server is tried again."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mailing")
    build(folder)
    return folder


@pytest.fixture
async def village(built: Path, tmp_path: Path) -> AsyncIterator[Village]:
    facts = copy(built, tmp_path)
    async with open_village(f"sqlite:///{tmp_path / 'records.sqlite3'}", facts) as opened:
        opened.clock.now = at("2026-11-17 12:00")
        yield opened


@pytest.fixture
async def box() -> AsyncIterator[Letterbox]:
    async with Letterbox() as opened:
        yield opened


def post_of(
    services: Services,
    box: Letterbox,
    *,
    node: str = "one",
    steady: Steady | None = None,
    url: str = "smtp://127.0.0.1",
    answer_seconds: float = 20.0,
) -> DigestPost:
    return DigestPost(
        services.digests,
        Mailer(MailServer.parse(f"{url}:{box.port}"), answer_seconds=answer_seconds),
        sender=parse_sender("TwinSpace <noreply@twinspace.example>"),
        url=URL,
        node=node,
        now=services.clock,
        steady=steady or Steady(),
    )


async def tell(village: Village, *names: str, ref: str = "post/p1", kind: str = "mention") -> None:
    async with village.services.records.writing() as tx:
        whom = [village.person(name) for name in names]
        await village.services.notifications.tell(tx, whom, kind, village.space, ref)


async def choose(village: Village, *names: str, chosen: MailSettings = DAILY) -> None:
    for name in names:
        await village.services.digests.choose(village.person(name), chosen)


async def mailed(village: Village) -> int:
    """Of how many notifications the records say that they were mailed."""
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(notifications.c.mailed_at))
    return sum(row["mailed_at"] is not None for row in rows)


# What is in it


async def test_a_teacher_is_mailed_what_waits_but_never_words_or_names(
    village: Village, box: Letterbox
) -> None:
    services, teacher = village.services, village.person("teacher")
    await services.people.set_language(teacher, "en")
    await services.spaces.change(village.person("founder"), village.space, policy={"posting": "hold"})
    thread = await services.discussions.start(
        teacher, village.facts.rooms["general"], title="Canary title", key="digest-0001"
    )
    for number in (2, 3):
        await services.discussions.post(
            village.person("student"),
            ThreadId(thread.id),
            key=f"digest-000{number}",
            body="Canary words",
        )
    await tell(village, "teacher", "student")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 06:59")
    await post_of(services, box).send_due()
    assert box.letters == []
    village.clock.now = at("2026-11-18 07:00")
    await post_of(services, box).send_due()
    [letter] = box.letters
    assert (letter.sender, letter.to) == ("noreply@twinspace.example", ["teacher@school.example"])
    message = letter.message
    leave = f"{URL}/mail/leave/{services.digests.leave_token(teacher)}"
    assert message["From"] == "TwinSpace <noreply@twinspace.example>"
    assert message["To"] == "teacher@school.example"
    assert message["Subject"] == "TwinSpace: 3 new things for you"
    assert message["Date"].datetime.timestamp() == village.clock.now
    assert message["List-Unsubscribe"] == f"<{leave}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    text, page = letter.text(), letter.text("html")
    for said in (text, page):
        for part in (
            "Two rivers",
            "2 posts of pupils wait for you",
            "you are mentioned once",
            f"{URL}/spaces/{village.space}",
            f"{URL}/notifications",
            leave,
        ):
            assert part in said
        for canary in ("Canary", "Student", "Teacher", thread.id):
            assert canary not in said
    # What was mailed once is not mailed again.
    village.clock.now = at("2026-11-19 07:00")
    await post_of(services, box).send_due()
    assert len(box.letters) == 1
    await tell(village, "teacher", ref="post/p2")
    village.clock.now = at("2026-11-20 07:00")
    await post_of(services, box).send_due()
    assert box.letters[1].message["Subject"] == "TwinSpace: one new thing for you"
    assert box.letters[1].message["Message-ID"] != message["Message-ID"]
    assert len(box.letters_to("teacher@school.example")) == len(box.letters)


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("pt", "TwinSpace: uma novidade para ti"),
        ("es-MX", "TwinSpace: una novedad para ti"),
        (None, "TwinSpace: una novedad para ti"),
        ("el", "TwinSpace: una novedad para ti"),
    ],
)
async def test_in_the_language_of_its_reader_or_their_school(
    village: Village, box: Letterbox, language: str | None, subject: str
) -> None:
    await village.services.people.set_language(village.person("teacher"), language)
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    await post_of(village.services, box).send_due()
    assert box.letters[0].message["Subject"] == subject


HOSTILE = "Rivers\r\nBcc: everybody@evil.example\r\n\r\n<img src=x onerror=alert(1)> \x00\u2028\u202e end"


async def test_a_title_of_a_space_changes_neither_headers_nor_lines_nor_the_page(
    village: Village, box: Letterbox
) -> None:
    async with village.services.records.writing() as tx:
        title = HOSTILE.replace("\x00", "\x01")
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(title=title))
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    await post_of(village.services, box).send_due()
    [letter] = box.letters
    assert letter.to == ["teacher@school.example"]
    assert letter.message["Bcc"] is None
    assert b"\nbcc:" not in letter.raw.lower()
    [line] = [each for each in letter.text().splitlines() if "everybody@" in each]
    assert line == "Rivers Bcc: everybody@evil.example <img src=x onerror=alert(1)> end"
    assert "<img" not in letter.text("html")
    assert "&lt;img src=x onerror=alert(1)&gt;" in letter.text("html")


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: x@evil.example", "no address", "a@b, c@d", "ü@school.example"]
)
async def test_what_is_no_address_is_left_alone_and_the_others_are_mailed(
    village: Village, box: Letterbox, address: str
) -> None:
    async with village.services.records.writing() as tx:
        mine = credentials.c.person_id == village.person("teacher")
        await tx.do(update(credentials).where(mine).values(selector=address))
    await tell(village, "teacher", "admin", "founder")
    await choose(village, "teacher", "admin", "founder")
    village.clock.now = at("2026-11-18 07:00")
    for _ in range(2):
        await post_of(village.services, box).send_due()
    assert sorted(letter.to[0] for letter in box.letters) == [
        "admin@school.example",
        "founder@school.example",
    ]


# When, and by whom


async def test_nothing_in_quiet_hours_nor_at_the_weekend_nor_to_who_did_not_ask(
    village: Village, box: Letterbox
) -> None:
    await tell(village, "teacher", "admin", "student")
    await choose(village, "teacher", chosen=MailSettings(Digest.DAILY, 7, ("18:00", "09:00")))
    for moment in ("2026-11-18 07:00", "2026-11-18 08:59", "2026-11-18 18:00", "2026-11-21 12:00"):
        village.clock.now = at(moment)
        await post_of(village.services, box).send_due()
        assert box.letters == [], moment
    village.clock.now = at("2026-11-18 09:00")
    await post_of(village.services, box).send_due()
    assert [letter.to for letter in box.letters] == [["teacher@school.example"]]


async def test_two_nodes_mail_to_everybody_once(database: str, box: Letterbox) -> None:
    """Both look at the same moment, again and again."""
    facts: Facts = await furnish(database)
    async with open_village(database, facts) as village:
        other = await open_services(database, village.clock)
        try:
            village.clock.now = at("2026-11-17 12:00")
            names = ["founder", "admin", "teacher", "partner"]
            for number in range(6):
                name = f"colleague{number}"
                facts.people[name] = await village.services.people.add_adult(
                    name=name,
                    email=f"{name}@school.example",
                    password=PASSWORD,
                    school=facts.schools["ebro"],
                )
                names.append(name)
            async with village.services.records.writing() as tx:
                whom = [village.person(name) for name in names]
                await village.services.notifications.tell(tx, whom, "contact-asked", None, "person/p")
            await choose(village, *names)
            village.clock.now = at("2026-11-18 08:00")
            posts = [post_of(village.services, box), post_of(other, box, node="two")]
            for _ in range(3):
                await asyncio.gather(*(post.send_due() for post in posts))
            # One of the two had the turn each time; whoever is still owed is mailed to now.
            await posts[1].send_due()
            assert sorted(letter.to[0] for letter in box.letters) == sorted(
                f"{name}@school.example" for name in names
            )
            assert await mailed(village) == len(names)
        finally:
            await other.close()


async def test_a_node_that_stops_marks_the_mail_that_is_on_its_way(village: Village, box: Letterbox) -> None:
    arrived, answer = asyncio.Event(), asyncio.Event()

    async def slowly() -> str:
        arrived.set()
        await answer.wait()
        return TAKEN

    box.says_at_the_end = slowly
    await tell(village, "teacher", "admin")
    await choose(village, "teacher", "admin")
    village.clock.now = at("2026-11-18 07:00")
    sending = asyncio.ensure_future(post_of(village.services, box).send_due())
    await asyncio.wait_for(arrived.wait(), 30)
    # While the mail server thinks, the records and everybody else go on.
    assert (await village.services.notifications.of(village.person("teacher"))).unread == 1
    sending.cancel()
    asyncio.get_running_loop().call_soon(answer.set)
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (len(box.letters), await mailed(village)) == (1, 1)
    await post_of(village.services, box, node="after").send_due()
    assert len({letter.to[0] for letter in box.letters}) == len(box.letters) == 2


async def test_a_node_that_died_with_the_turn_is_followed_by_another(
    village: Village, box: Letterbox
) -> None:
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    assert await village.services.digests.take_turn("dead")
    await post_of(village.services, box).send_due()
    assert box.letters == []
    village.clock.now += 301
    await post_of(village.services, box).send_due()
    assert len(box.letters) == 1


# A mail server with troubles


async def test_a_mail_server_that_is_away_is_tried_again_later_and_later(
    village: Village, box: Letterbox, caplog: pytest.LogCaptureFixture
) -> None:
    steady = Steady()
    post = post_of(village.services, box, steady=steady)
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    await box.stop()
    waits = []
    for wait in (FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT):
        await post.send_due()
        waits.append(wait)
        warnings = [each for each in caplog.messages if "mail waits" in each]
        assert len(warnings) == len(waits)
        assert warnings[-1].endswith(f"the next try is in {wait:.0f} s")
        await post.send_due()
        steady.now += wait - 1
        await post.send_due()
        assert len([each for each in caplog.messages if "mail waits" in each]) == len(waits)
        steady.now += 1
    assert await mailed(village) == 0
    assert "school.example" not in caplog.text
    await box.start()
    await post.send_due()
    assert ([letter.to for letter in box.letters], await mailed(village)) == ([["teacher@school.example"]], 1)


async def test_a_mail_server_that_never_answers_is_given_up(village: Village) -> None:
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    box = Letterbox()
    box.port = silent.sockets[0].getsockname()[1]
    steady = Steady()
    post = post_of(village.services, box, steady=steady, answer_seconds=0.5)
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    await post.send_due()
    assert connected.is_set()
    assert await mailed(village) == 0
    silent.close()
    await silent.wait_closed()
    async with Letterbox() as answering:
        await post_of(village.services, answering).send_due()
        assert len(answering.letters) == 1


async def test_a_mail_that_is_refused_for_now_comes_later_and_the_others_at_once(
    village: Village, box: Letterbox
) -> None:
    steady = Steady()
    post = post_of(village.services, box, steady=steady)
    box.says = lambda to: "451 Try again later" if to.startswith("teacher@") else TAKEN
    await tell(village, "teacher", "admin")
    await choose(village, "teacher", "admin")
    village.clock.now = at("2026-11-18 07:00")
    await post.send_due()
    assert [letter.to for letter in box.letters] == [["admin@school.example"]]
    box.says = lambda to: TAKEN
    steady.now += LATER - 1
    await post.send_due()
    assert len(box.letters) == 1
    steady.now += 1
    await post.send_due()
    assert box.letters[1].to == ["teacher@school.example"]


async def test_a_mail_that_is_refused_for_good_is_tried_again_with_the_next_digest(
    village: Village, box: Letterbox
) -> None:
    asked: list[str] = []

    def unknown(to: str) -> str:
        asked.append(to)
        return "550 Nobody of that name"

    box.says = unknown
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    for _ in range(3):
        await post_of(village.services, box).send_due()
    assert (len(asked), await mailed(village)) == (1, 0)
    box.says = lambda to: TAKEN
    village.clock.now = at("2026-11-19 07:00")
    await post_of(village.services, box).send_due()
    assert (len(box.letters), await mailed(village)) == (1, 1)


async def test_a_mail_server_that_refuses_one_after_the_other_is_left_in_peace(
    village: Village, box: Letterbox
) -> None:
    names = ["founder", "admin", "teacher"]
    for number in range(REFUSED_IN_A_ROW):
        name = f"colleague{number}"
        village.facts.people[name] = PersonId(
            await village.services.people.add_adult(
                name=name,
                email=f"{name}@school.example",
                password=PASSWORD,
                school=village.facts.schools["ebro"],
            )
        )
        names.append(name)
    asked: list[str] = []

    def busy(to: str) -> str:
        asked.append(to)
        return "452 Too many mails today"

    box.says = busy
    async with village.services.records.writing() as tx:
        whom = [village.person(name) for name in names]
        await village.services.notifications.tell(tx, whom, "contact-asked", None, "person/p")
    await choose(village, *names)
    village.clock.now = at("2026-11-18 07:00")
    steady = Steady()
    post = post_of(village.services, box, steady=steady)
    await post.send_due()
    await post.send_due()
    assert len(asked) == REFUSED_IN_A_ROW
    box.says = lambda to: TAKEN
    steady.now += LATER
    await post.send_due()
    assert len(box.letters) == len(names)


# On the way


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=letterbox", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*made, *names, "-days", "30000", "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    return key, cert


def served_with(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate[1], certificate[0])
    return context


@pytest.mark.parametrize("implicit", [False, True])
async def test_over_tls_and_with_a_password(
    village: Village,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    implicit: bool,
) -> None:
    scheme = "smtps" if implicit else "smtp"
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    login = ("twinspace", "p@ss/word")
    async with Letterbox(tls=served_with(certificate), implicit=implicit, login=login) as box:
        # A certificate that nobody vouches for is not believed.
        await post_of(village.services, box, url=f"{scheme}://twinspace:p%40ss%2Fword@127.0.0.1").send_due()
        assert box.letters == []
        assert "cannot be trusted" in caplog.text
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
        await post_of(village.services, box, url=f"{scheme}://twinspace:wrong@127.0.0.1").send_due()
        assert box.letters == []
        assert "does not take the user and password" in caplog.text
        await post_of(village.services, box, url=f"{scheme}://twinspace:p%40ss%2Fword@127.0.0.1").send_due()
        [letter] = box.letters
        assert letter.encrypted
    assert "p@ss" not in caplog.text
    assert "wrong" not in caplog.text


async def test_nothing_goes_out_in_the_clear_to_another_machine(
    village: Village, box: Letterbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the operator has said so."""
    await tell(village, "teacher")
    await choose(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    # The only address here that is not plainly this machine's own, as far as the URL tells.
    await post_of(village.services, box, url="smtp://user:secret@0.0.0.0").send_due()
    assert box.letters == []
    assert "does not offer STARTTLS" in caplog.text
    await post_of(village.services, box, url="smtp+plain://0.0.0.0").send_due()
    assert len(box.letters) == 1


async def test_nobody_is_mailed_who_was_erased_meanwhile(village: Village, box: Letterbox) -> None:
    await tell(village, "teacher")
    await choose(village, "teacher")
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == village.person("teacher")).values(state="erased"))
    village.clock.now = at("2026-11-18 07:00")
    await post_of(village.services, box).send_due()
    assert box.letters == []
