"""Hundreds of hostile texts in every field that people fill: stored or refused, and never more than text.

They go in over REST with real log-ins; other people then open the real pages, where everything that appears
is watched.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import pytest
from conftest import LogsIn
from demo_server import Demo, Person, running_demo
from editor_page import editor, make_page, page_id
from playwright.sync_api import Page, expect
from pycrdt import XmlFragment, XmlText
from pydantic import TypeAdapter, ValidationError
from talk_page import Talk, call, make_post, make_room, make_thread, open_thread
from test_editor_hostile import attack, element, paragraph, put
from visitors import Visitor, key, log_in
from xss_payloads import PAYLOADS, RUN

from server.api.fields import Line, Name, Prose
from server.api.threads import Body

AT_ONCE = 6
ON_A_SCREEN = 50
"""Posts that a thread shows without being asked for earlier ones."""

GUARD = """(() => {
    const bad = [];
    Object.defineProperty(window, '__bad', {value: bad});
    const policy = (event) =>
        bad.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    document.addEventListener('securitypolicyviolation', policy);
    const FORBIDDEN = 'iframe,object,embed,base,frame,frameset,applet,portal,style,math,animate,set,' +
        'foreignObject,video,audio,marquee';
    const inHead = (each) => each.closest('head') !== null;
    const judge = (each) => {
        const say = (what) => bad.push(`${what}: ${each.outerHTML.slice(0, 200)}`);
        if (each.matches(FORBIDDEN)) say('element');
        if (each.matches('script, link, meta') && !inHead(each)) say('outside the head');
        if (each.matches('script') && !each.src.startsWith(`${location.origin}/assets/`)) say('script');
        for (const {name} of each.attributes)
            if (/^on|^(srcdoc|srcset|formaction|action|ping|background|xlink:href)$/i.test(name)) say(name);
        for (const name of ['href', 'src']) {
            if (!each.hasAttribute(name)) continue;
            const {protocol, origin} = new URL(each.getAttribute(name), location.href);
            if (!['http:', 'https:'].includes(protocol)) say(name);
            const known = 'a[rel~=noopener], img[referrerpolicy=no-referrer]';
            if (origin !== location.origin && !each.matches(known)) say(`foreign ${name}`);
        }
        const body = each.parentElement?.closest('.post-body');
        if (body && !each.matches('p,br,strong,em,code,ul,ol,li,blockquote,a,span')) say('in a post');
    };
    const see = (node) => {
        if (node.nodeType !== Node.ELEMENT_NODE) return;
        judge(node);
        for (const each of node.querySelectorAll('*')) judge(each);
    };
    new MutationObserver((records) => {
        for (const {type, target, addedNodes} of records) {
            if (type === 'attributes') judge(target);
            else for (const node of addedNodes) see(node);
        }
    }).observe(document, {childList: true, subtree: true, attributes: true});
})()"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One of its own: after this, no title and no name in it is what it was."""
    with running_demo(tmp_path_factory.mktemp("xss") / "data") as demo:
        yield demo


@pytest.fixture
def stored(record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """How many texts each field has taken."""
    stored: Counter[str] = Counter()
    yield stored
    for field, count in stored.items():
        record_property(field, count)
        print(f"{field}: {count} of {len(PAYLOADS)} stored")


def guarded(page: Page) -> Page:
    """The page, watched from its first moment."""
    page.add_init_script(GUARD)

    def asked(dialog: Any) -> None:
        dialog.dismiss()
        raise AssertionError(f"a dialog: {dialog.message}")

    page.on("dialog", asked)
    return page


def expect_unharmed(page: Page) -> None:
    """Nothing has run, nothing dangerous has appeared, no policy was broken."""
    page.wait_for_timeout(100)
    assert page.evaluate("[typeof window.__hit, window.__bad]") == ["undefined", []]


def as_person(demo: Demo, person: Person, work: Callable[[Visitor], Awaitable[None]]) -> None:
    """Does it with a log-in of their own, away from any browser."""

    async def logged_in() -> None:
        async with log_in(demo.url, person) as visitor:  # type: ignore[arg-type]
            await work(visitor)

    # A thread of its own: Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, logged_in()).result()


async def send(
    visitor: Visitor, method: str, wanted: Iterable[tuple[str, Any]], *, in_order: bool = False
) -> list[Any]:
    """Sends all; gives what the server said to those it took, None where it refused the text."""
    gate = asyncio.Semaphore(1 if in_order else AT_ONCE)

    async def one(path: str, body: Any) -> Any:
        async with gate:
            status, said = await visitor.ask(method, path, body)
        if status == 422:
            return None
        assert status < 300, f"{method} {path}: {status} {said}"
        return said or {}

    return list(await asyncio.gather(*(one(path, body) for path, body in wanted)))


def texts(field: Any, longest: int) -> list[tuple[str, int]]:
    """All payloads for a field: as many together as it takes, and how many; what it may refuse alone."""
    together: list[tuple[str, int]] = []
    alone = []
    rule = TypeAdapter(field)
    for payload in PAYLOADS:
        try:
            rule.validate_python(payload)
        except ValidationError:
            alone.append((payload, 1))
            continue
        text, count = together[-1] if together else ("x" * longest, 0)
        if len(text) + 1 + len(payload) <= longest:
            together[-1] = (f"{text} {payload}", count + 1)
        else:
            together.append((payload, 1))
    return together + alone


LINES = texts(Line, 200)
PROSE = texts(Prose, 2_000)
NAMES = texts(Name, 60)


def count(texts: Sequence[tuple[str, int]], answers: Sequence[Any]) -> int:
    return sum(many for (_, many), answer in zip(texts, answers, strict=True) if answer is not None)


def lines() -> list[str]:
    """Those that a field of one line takes, each alone."""
    return [each for each in PAYLOADS if each.isprintable() and 0 < len(each.strip()) <= 200]


def test_there_are_enough_different_payloads() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 300
    assert len(lines()) >= 300


def test_posts_edits_and_polls_are_text(
    teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]
) -> None:
    ana, reader = teacher(), guarded(student(1))
    talks = [make_thread(ana, demo) for _ in range(-(-len(PAYLOADS) // ON_A_SCREEN))]
    posts: dict[str, list[str]] = {talk.id: [] for talk in talks}

    async def post(visitor: Visitor) -> None:
        places = [talks[number // ON_A_SCREEN].id for number in range(len(PAYLOADS))]
        sent = await send(
            visitor,
            "POST",
            (
                (f"/threads/{place}/posts", {"key": key(), "body": body})
                for place, body in zip(places, PAYLOADS, strict=True)
            ),
        )
        stored["post"] += sum(made is not None for made in sent)
        for place, made in zip(places, sent, strict=True):
            if made:
                posts[place].append(made["id"])

    as_person(demo, demo.teacher, post)
    read_all(reader, talks, posts)

    async def edit(visitor: Visitor) -> None:
        ids = [each for made in posts.values() for each in made]
        bodies = texts(Body, 800)
        edits = ((f"/posts/{id}", {"body": body}) for id, (body, _) in zip(ids, bodies, strict=False))
        stored["edit"] += count(bodies, await send(visitor, "PATCH", edits))

    as_person(demo, demo.teacher, edit)
    read_all(reader, talks, posts)

    polls = make_thread(ana, demo)
    made_polls = 0

    async def poll(visitor: Visitor) -> None:
        nonlocal made_polls
        options = lines()
        chosen = (options[at : at + 8] for at in range(0, len(options) - 1, 8))
        sent = await send(
            visitor,
            "POST",
            (
                (f"/threads/{polls.id}/posts", {"key": key(), "body": "Which?", "options": each})
                for each in chosen
                if len(each) > 1
            ),
        )
        made_polls = sum(made is not None for made in sent)
        stored["poll option"] += sum(len(made["options"]) for made in sent if made)

    as_person(demo, demo.teacher, poll)
    open_thread(reader, polls)
    expect(reader.locator("form.poll")).to_have_count(min(made_polls, ON_A_SCREEN))
    expect_unharmed(reader)
    reader.locator("form.poll").last.locator("input").first.check()
    reader.locator("form.poll").last.get_by_role("button", name="Vote").click()
    expect(reader.locator(".poll .chosen").first).to_be_attached()
    expect_unharmed(reader)
    assert stored["post"] >= 300
    assert stored["edit"] >= 300
    assert stored["poll option"] >= 250


def read_all(reader: Page, talks: Sequence[Talk], posts: dict[str, list[str]]) -> None:
    for talk in talks:
        open_thread(reader, talk)
        expect(reader.locator(".posts .post-body")).to_have_count(len(posts[talk.id]))
        expect_unharmed(reader)


def test_titles_and_reasons_of_locks_are_text(
    teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]
) -> None:
    """One open thread is renamed and locked before the reader's eyes, hundreds of times."""
    ana, reader = teacher(), guarded(student(1))
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room)
    open_thread(reader, talk)
    bins = guarded(student(0))
    path = make_page(ana, demo, "Locked")
    bins.goto(path)
    expect(bins.locator("ts-editor .ed-page")).to_be_visible()

    places = (f"/threads/{talk.id}/lock", f"/pages/{page_id(path)}/lock")

    async def strike(visitor: Visitor) -> None:
        titles = ((f"/threads/{talk.id}", {"title": text}) for text, _ in LINES)
        stored["thread title"] += count(LINES, await send(visitor, "PATCH", titles, in_order=True))
        for place in places:
            reasons = ((place, {"reason": text}) for text, _ in LINES)
            stored[f"lock of {place[1:7]}"] += count(
                LINES, await send(visitor, "PUT", reasons, in_order=True)
            )
        await send(visitor, "PATCH", [(f"/threads/{talk.id}", {"title": "At the end"})])
        await send(visitor, "PUT", [(place, {"reason": f"Over {RUN}"}) for place in places])
        threads = ((f"/rooms/{room}/threads", {"title": text, "key": key()}) for text, _ in LINES)
        stored["title of a new thread"] += count(LINES, await send(visitor, "POST", threads))

    as_person(demo, demo.teacher, strike)
    expect(reader.get_by_role("heading", level=1, name="At the end")).to_be_visible()
    for page in (reader, bins):
        expect(page.get_by_text(f"Over {RUN}").first).to_be_visible()
        expect_unharmed(page)
    reader.goto(f"/spaces/{demo.space}")
    expect(reader.locator("a[href*='/threads/']").first).to_be_attached()
    expect_unharmed(reader)
    assert min(stored.values()) >= 300, stored


def test_titles_of_pages_rooms_and_the_space_are_text(
    teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]
) -> None:
    ana, reader = teacher(), guarded(student(1))
    rooms = [make_room(ana, demo) for _ in range(30)]
    here = f"/spaces/{demo.space}"
    reader.goto(here)
    expect(reader.get_by_role("heading", level=1)).to_be_visible()

    async def strike(visitor: Visitor) -> None:
        pages = ((f"/rooms/{rooms[0]}/pages", {"title": text}) for text, _ in LINES)
        stored["page title"] += count(LINES, await send(visitor, "POST", pages))
        places = itertools.cycle(rooms)
        titles = ((f"/rooms/{next(places)}", {"title": text}) for text, _ in LINES)
        stored["room title"] += count(LINES, await send(visitor, "PATCH", titles, in_order=True))
        for field, wanted in (("title", LINES), ("summary", PROSE)):
            bodies = ((here, {field: text}) for text, _ in wanted)
            stored[f"space {field}"] += count(wanted, await send(visitor, "PATCH", bodies, in_order=True))
        await send(visitor, "PATCH", [(here, {"summary": f"In the end, {RUN}"})])

    as_person(demo, demo.teacher, strike)
    expect(reader.get_by_text(f"In the end, {RUN}")).to_be_visible()
    expect(reader.get_by_role("link", name=LINES[0][0]).first).to_be_attached()
    expect_unharmed(reader)
    for path in ("/", here, demo.page_path):
        reader.goto(path)
        expect(reader.locator("#main")).to_be_visible()
        expect_unharmed(reader)
    assert min(stored.values()) >= 300, stored


def test_names_are_text(teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]) -> None:
    """On the list of members, beside posts, in mentions, among those who are here, and on a teacher's list."""
    ana, brave, reader = guarded(teacher()), student(0), guarded(student(1))
    talk = make_thread(ana, demo)
    open_thread(reader, talk)
    me = call(brave, demo, "GET", "/me")["person"]["id"]
    first = NAMES[0][0]

    async def strike(visitor: Visitor) -> None:
        good = [text for text, _ in NAMES if _fits(Name, text)]
        for text, _ in NAMES:
            if not _fits(Name, text):
                assert (await send(visitor, "PATCH", [(f"/people/{me}", {"name": text})])) == [None]
        for at in range(0, len(good), 60):
            pupils = [{"name": text} for text in good[at : at + 60]]
            body = {"space_id": demo.space, "pupils": pupils}
            await visitor.call("POST", f"/schools/{demo.teacher.school}/pupils", body)
        stored["name"] += sum(many for text, many in NAMES if _fits(Name, text))
        await visitor.call("PATCH", f"/people/{me}", {"name": first})

    as_person(demo, demo.teacher, strike)
    said = {"key": key(), "body": f"It is me, @{first}", "mentions": []}
    call(brave, demo, "POST", f"/threads/{talk.id}/posts", said)
    expect(reader.locator(".byline").first).to_contain_text(first)
    reader.get_by_label("Your post").press_sequentially("@<")
    expect_unharmed(reader)
    brave.goto(f"/spaces/{demo.space}")
    for page, path in (
        (reader, f"/spaces/{demo.space}"),
        (reader, f"/spaces/{demo.space}/members"),
        (ana, f"/spaces/{demo.space}/members"),
        (ana, f"/schools/{demo.teacher.school}/pupils"),
    ):
        page.goto(path)
        expect(page.get_by_text(first).first).to_be_visible()
        expect_unharmed(page)
    assert stored["name"] >= 300


def _fits(field: Any, text: str) -> bool:
    try:
        TypeAdapter(field).validate_python(text)
    except ValidationError:
        return False
    return True


def test_reasons_answers_and_reports_are_text(
    teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]
) -> None:
    ana, brave, reader = guarded(teacher()), guarded(student(0)), guarded(student(1))
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    shown = make_thread(ana, demo)
    post = make_post(brave, demo, shown, "Hide me")["id"]
    person = call(brave, demo, "GET", "/me")["person"]["id"]
    everybody = call(ana, demo, "GET", f"/spaces/{demo.space}/members")
    member = next(each["id"] for each in everybody if each["person_id"] == person)
    for page in (ana, brave, reader):
        open_thread(page, shown)
    held: list[str] = []
    # What a line does not take, titles of threads have already tried.
    taken = [(text, many) for text, many in LINES if _fits(Line, text)]

    async def wait(visitor: Visitor) -> None:
        sent = (
            (f"/threads/{talk.id}/posts", {"key": key(), "body": f"Held {number}"})
            for number in range(len(held), len(held) + 20)
        )
        held.extend(made["id"] for made in await send(visitor, "POST", sent))

    async def report(visitor: Visitor) -> None:
        async with log_in(demo.url, demo.teacher) as handler:  # type: ignore[arg-type]
            for text, many in PROSE:
                body = {"target": "post", "target_id": post, "reason": "other", "words": text}
                made = (await send(visitor, "POST", [(f"/spaces/{demo.space}/reports", body)]))[0]
                if made:
                    stored["report"] += many
                    answer = {"answer": text, "action_taken": text}
                    path = f"/reports/{made['id']}/answer"
                    stored["answer"] += count([(text, many)], await send(handler, "PUT", [(path, answer)]))

    async def hide(visitor: Visitor) -> None:
        for text, many in taken:
            hidden = await send(visitor, "PUT", [(f"/posts/{post}/hidden", {"because": text})])
            if hidden != [None]:
                stored["hide"] += many
                await send(visitor, "DELETE", [(f"/posts/{post}/hidden", None)])

    async def mute(visitor: Visitor) -> None:
        bodies = ((f"/memberships/{member}/mute", {"reason": text}) for text, _ in taken)
        stored["mute"] += count(taken, await send(visitor, "PUT", bodies, in_order=True))

    rejected = 0

    async def reject(visitor: Visitor) -> None:
        nonlocal rejected
        for id, (text, many) in zip(held[rejected:], waiting, strict=False):
            body = {"approve": False, "because": text}
            answer = await send(visitor, "PUT", [(f"/posts/{id}/decision", body)])
            stored["reject"] += many if answer != [None] else 0
            if answer == [None]:
                await send(visitor, "PUT", [(f"/posts/{id}/decision", {"approve": False})])
            rejected += 1
        del waiting[:20]

    waiting = list(taken)
    while waiting:
        as_person(demo, demo.students[0], wait)
        as_person(demo, demo.teacher, reject)
    as_person(demo, demo.students[1], report)
    as_person(demo, demo.teacher, hide)
    as_person(demo, demo.teacher, mute)
    for page in (ana, brave, reader):
        expect_unharmed(page)
        open_thread(page, talk)
        expect_unharmed(page)
    assert call(ana, demo, "GET", f"/spaces/{demo.space}/reports")
    expect(brave.get_by_text("Not put up").first).to_be_visible()

    async def unmute(visitor: Visitor) -> None:
        await send(visitor, "DELETE", [(f"/memberships/{member}/mute", None)])

    as_person(demo, demo.teacher, unmute)
    assert min(stored.values()) >= 300, stored


HTML_TAGS = re.compile(
    r"p|h[2-6]|ul|ol|li|blockquote|pre|code|strong|em|s|del|u|a|br|hr|table|thead|tbody|tr|td|th|img"
)
HTML_ATTRIBUTES = re.compile(
    r"href|rel|src|alt|title|start|colspan|rowspan|loading|referrerpolicy|data-(tasks|checked|language)"
)


class Judge(HTMLParser):
    """What a browser would make of an HTML text: every element and attribute that has no business there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if not HTML_TAGS.fullmatch(tag):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            if not HTML_ATTRIBUTES.fullmatch(name):
                self.found.append(f"<{tag} {name}={value}>")
            # As browsers read it: what is around an address and the breaks in it do not count.
            address = re.sub(r"^[\0-\x20]+|[\t\n\r]", "", value or "")
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", address, re.IGNORECASE)
            if name in ("href", "src") and scheme and scheme[1].lower() not in ("http", "https", "mailto"):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}-->")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"<?{data}>")

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile_blocks(payloads: Sequence[str]) -> Callable[[XmlFragment], None]:
    """Each payload as a name of a node, in every attribute and as one, in marks, embedded, and as text."""

    def write(shared: XmlFragment) -> None:
        for payload in payloads:
            wild = dict.fromkeys(("href", "src", "style", "onclick", "class", "id", "title"), payload)
            text = XmlText(f"word {payload}")
            for made in (
                element(payload[:200], wild, XmlText(payload)),
                element("paragraph", {**wild, payload[:200]: payload}, text),
                paragraph(element("image", {**wild, "alt": payload})),
                element("heading", {"level": payload}, XmlText("odd")),
                element("code_block", {"language": payload}, XmlText(payload)),
            ):
                shared.children.append(made)
            text.format(0, 2, {"link": {**wild, "target": payload}})
            text.format(1, 3, {"link": payload, "strong": payload, payload[:200]: wild})
            text.insert_embed(4, {"html": payload, payload[:200]: payload})

    return write


def test_structures_of_a_page_are_text(
    teacher: LogsIn, student: LogsIn, demo: Demo, stored: Counter[str]
) -> None:
    """Straight into the document over a socket, past every editor."""
    ana, pupil = guarded(teacher()), student(0)
    some = PAYLOADS[::3]
    for at in range(0, len(some), 40):
        path = make_page(ana, demo, "Structures")
        pupil.goto(path)
        chosen = [each for each in some[at : at + 40] if "\0" not in each]
        attack(pupil, path, put(hostile_blocks([*chosen, "\0<script>"])))
        stored["structure"] += len(chosen)
        ana.goto(path)
        expect(editor(ana)).to_contain_text("word")
        expect_unharmed(ana)
        html = ana.request.get(f"/api/pages/{page_id(path)}/content?format=html", timeout=60_000).text()
        judge = Judge()
        judge.feed(html)
        judge.close()
        assert judge.found == []
        assert "word" in judge.words
    assert stored["structure"] >= 100
