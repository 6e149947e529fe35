"""Somebody hostile writes straight into the document, past every editor: nothing runs, nothing breaks.

The `watch` of each test fails it on any broken policy and any uncaught exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import LogsIn
from demo_server import Demo
from editor_page import (
    blocks,
    editor,
    expect_blocks,
    expect_words,
    make_page,
    open_editor,
    page_id,
    pill,
    write,
)
from playwright.sync_api import Page, expect
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText
from wire import AWARENESS, SYNC, Line, awareness, hocuspocus, update

RUN = "window.executed = true"
JAVASCRIPT = f"javascript:{RUN}"
MARKUP = f"<img src=x onerror='{RUN}'><script>{RUN}</script>"


def attack(page: Page, path: str, strike: Callable[[Line, str], Awaitable[None]]) -> None:
    """Runs `strike` on a raw socket with the log-in of `page`, out of reach of the client's code."""
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    origin = page.evaluate("location.origin")
    document = f"page/{page_id(path)}"

    async def connect() -> None:
        url = origin.replace("http", "ws", 1)
        headers = {"Cookie": cookies}
        async with hocuspocus(url, origin=origin, additional_headers=headers) as line:
            assert await line.log_in(document, "session") == "read-write"
            await strike(line, document)

    # A thread of its own: Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, connect()).result()


def put(document_writer: Callable[[XmlFragment], None]) -> Callable[[Line, str], Awaitable[None]]:
    """A strike that writes into the shared rich text and waits for the confirmation."""

    async def strike(line: Line, document: str) -> None:
        await line.sync(document)
        doc: Doc = Doc()
        shared = doc.get("prosemirror", type=XmlFragment)
        with doc.transaction():
            document_writer(shared)
        await line.say(SYNC, update(doc.get_update()), document)
        await line.hear_until("status 1", key=document)

    return strike


def element(tag: str, attributes: dict | None = None, *children: XmlElement | XmlText) -> XmlElement:
    return XmlElement(tag, attributes or {}, list(children))


def paragraph(*children: XmlElement | XmlText) -> XmlElement:
    return element("paragraph", None, *children)


def poison(shared: XmlFragment) -> None:
    wild = {"onclick": RUN, "onerror": RUN, "onload": RUN, "style": "position:fixed;inset:0;background:red"}
    cell = {"colspan": "1000000000", "rowspan": "-4", "colwidth": "[1,2,3]", **wild}
    for made in (
        element("script", None, XmlText(RUN)),
        element("svg", wild, element("script", None, XmlText(RUN))),
        element("style", None, XmlText("* { display: none }")),
        element("iframe", {"src": JAVASCRIPT, "srcdoc": MARKUP}),
        element("img", {"src": "x", **wild}),
        element("unknown_block", {"key": "1:1", "text": MARKUP}),
        element("paragraph", {**wild, "id": "main", "class": "ed-note"}, XmlText("forged attributes")),
        paragraph(
            element("image", {"src": JAVASCRIPT, "alt": MARKUP, **wild}),
            element("image", {"src": "http://127.0.0.1:9/x.png", "srcset": "http://127.0.0.1:9/y.png"}),
            element("image", {"src": f"data:image/svg+xml,<svg onload='{RUN}'/>", "alt": "svg"}),
            element("image", {"src": "blob:null/1"}),
        ),
        element("heading", {"level": f"2 onclick={RUN}"}, XmlText("odd level")),
        element(
            "table", wild, element("table_row", wild, element("table_cell", cell, paragraph(XmlText("cell"))))
        ),
        element("table", None, paragraph(XmlText("no rows"))),
        element("ordered_list", {"order": MARKUP}, element("list_item", wild, paragraph(XmlText("item")))),
        element("task_list", None, element("task_item", {"checked": MARKUP}, paragraph(XmlText("task")))),
        element("list_item", None, paragraph(XmlText("a stray item"))),
        element("code_block", {"language": MARKUP}, XmlText(f"</code></pre>{MARKUP}")),
        paragraph(paragraph(XmlText("a paragraph in a paragraph"))),
        XmlText(f"bare text {MARKUP}"),
    ):
        shared.children.append(made)
    styled = XmlText("a forged link and forged marks")
    shared.children.append(paragraph(styled))
    styled.format(0, 13, {"link": {"href": JAVASCRIPT, "target": "_self", **wild}})
    styled.format(18, 24, {"style": wild, "strong": {"style": "color:red"}, "onclick": RUN})
    styled.insert_embed(4, {"html": MARKUP})


def test_a_hostile_document_executes_nothing_and_breaks_no_policy(
    teacher: LogsIn, student: LogsIn, demo: Demo, artifact: Callable[[str], Path]
) -> None:
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "Hostile")
    open_editor(ana, path)
    ana.evaluate(
        "() => { window.broken = []; document.addEventListener('securitypolicyviolation',"
        " (event) => window.broken.push(event.violatedDirective)); }"
    )
    write(ana, "An honest line.")
    expect(pill(ana)).to_have_text("Saved")
    pupil.goto(path)
    attack(pupil, path, put(poison))
    expect(editor(ana)).to_contain_text("forged marks")
    expect(editor(ana)).to_contain_text("forged attributes")
    text = " ".join(blocks(ana))
    for words in (
        "An honest line.",
        "no rows",
        "a stray item",
        "cell",
        "item",
        "task",
        "bare text",
        "odd level",
    ):
        assert words in text
    strange = ana.evaluate(
        """() => {
            const page = document.querySelector('.ed-page');
            const made = [...page.querySelectorAll('script, style, svg, iframe, object, embed, form')];
            const all = [...page.querySelectorAll('*')];
            const named = (each) => each.getAttributeNames().some((name) => /^on|srcset/.test(name));
            const handlers = all.filter(named);
            const links = all.filter((each) => /^(javascript|data|blob):/i.test(each.href || each.src || ''));
            return [...made, ...handlers, ...links].map((each) => each.outerHTML);
        }"""
    )
    assert strange == []
    assert ana.locator("#main").count() == 1
    for target in (".link-refused", "text=forged attributes", "text=cell"):
        editor(ana).locator(target).first.click()
    assert ana.evaluate("[window.executed, window.broken]") == [None, []]
    ana.screenshot(path=artifact("editor-hostile.png"), full_page=True)
    # Reading it has written nothing, and an honest edit still works for everybody.
    ana.keyboard.press("Control+Home")
    ana.keyboard.type("Still ")
    expect(pill(ana)).to_have_text("Saved")
    expect_words(pupil, "Still An honest line.")
    pupil.reload()
    expect_words(pupil, "Still An honest line.")
    kept = ana.request.get(f"/api/pages/{page_id(path)}/content?format=text").text()
    assert "a stray item" in kept


def test_what_an_editor_does_not_know_survives_readers_and_writers(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "Of a newer client")
    pupil.goto(path)

    def newer(shared: XmlFragment) -> None:
        shared.children.append(paragraph(XmlText("before")))
        shared.children.append(
            element("video", {"src": "https://example.org/v"}, XmlText("a film of otters"))
        )
        shared.children.append(paragraph(XmlText("after "), element("mention", {"id": "7"}, XmlText("Ana"))))

    attack(pupil, path, put(newer))
    open_editor(ana, path)
    expect(editor(ana)).to_contain_text("a film of otters")
    ana.get_by_text("before").click()
    ana.keyboard.press("End")
    ana.keyboard.type(" the film")
    ana.keyboard.press("Enter")
    ana.keyboard.type("and a line of mine")
    write(ana, "!")
    expect(pill(ana)).to_have_text("Saved")
    shared = ""

    async def read(line: Line, document: str) -> None:
        nonlocal shared
        doc: Doc = Doc()
        for frame in await line.sync(document):
            if frame.word == "step2":
                doc.apply_update(frame.content)
        shared = str(doc.get("prosemirror", type=XmlFragment))

    attack(pupil, path, read)
    for words in ("before the film", "and a line of mine", "<video", "a film of otters", "<mention", "!"):
        assert words in shared


def test_rubbish_in_the_document_does_not_stop_the_honest(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "Rubbish")
    open_editor(ana, path)
    write(ana, "honest")
    expect(pill(ana)).to_have_text("Saved")
    pupil.goto(path)

    async def strike(line: Line, document: str) -> None:
        await line.sync(document)
        doc: Doc = Doc()
        doc.get("other", type=Map)["x"] = Array([Text("not a page"), 1, None])
        shared = doc.get("prosemirror", type=XmlFragment)
        deep = paragraph(XmlText("the bottom"))
        for _ in range(28):
            deep = element("blockquote", None, deep)
        shared.children.append(deep)
        await line.say(SYNC, update(doc.get_update()), document)
        await line.hear_until("status 1", key=document)
        here = [1, 7, 2**53 - 1]
        states = {
            client: (5, {"user": {"name": MARKUP, "color": "red;x:url(//evil)"}, "cursor": cursor})
            for client, cursor in zip(
                here,
                (
                    {"anchor": {"tname": "prosemirror"}, "head": {"type": {"client": 9, "clock": 9}}},
                    {"anchor": {"tname": "__proto__", "item": {"client": "1", "clock": -1}}, "head": 7},
                    {"anchor": None, "head": {"type": {"client": 1e300, "clock": 0}}},
                ),
                strict=True,
            )
        }
        for client, state in states.items():
            await line.say(AWARENESS, awareness({client: state}), document)

    attack(pupil, path, strike)
    expect(editor(ana)).to_contain_text("the bottom")
    write(ana, " and more")
    expect(pill(ana)).to_have_text("Saved")
    expect_blocks(ana, *blocks(ana))
    assert MARKUP not in ana.locator("ts-editor").inner_html()


def test_pasted_markup_runs_nothing_and_breaks_no_policy(teacher: LogsIn, demo: Demo) -> None:
    ana = teacher()
    path = make_page(ana, demo, "Pasted")
    open_editor(ana, path)
    editor(ana).click()
    html = (
        f'<p style="color:red" onclick="{RUN}">from <b style="font-weight:bold">outside</b>'
        f' <span style="font-weight:700">heavy</span> <a href="{JAVASCRIPT}">bad</a>'
        f' <a href="https://example.org/">good</a><img src="data:x" onerror="{RUN}">'
        f"<script>{RUN}</script><svg onload='{RUN}'></svg><style>* {{ color: red }}</style></p>"
        '<table><tr><td style="width:3px">one</td><td>two</td></tr></table>'
    )
    ana.evaluate(
        """(html) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/html', html);
            document.querySelector('.ed-page').dispatchEvent(
                new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
        }""",
        html,
    )
    expect(editor(ana).locator("td")).to_have_text(["one", "two"])
    expect(editor(ana).locator("strong")).to_have_text(["outside", "heavy"])
    expect(editor(ana).locator("a")).to_have_text(["good"])
    expect(pill(ana)).to_have_text("Saved")
    assert ana.evaluate("window.executed") is None
