"""Rich text comes out as what the table of nodes and marks lets through, and as nothing else."""

from __future__ import annotations

import html.parser
import json
import re
from typing import Any
from urllib.parse import urlsplit

import pycrdt
import pytest
from handmade import element, text, update
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.engine import XmlNode, XmlRun
from crdt.errors import LimitExceeded
from crdt.nodes import MARKS, NODES, tree
from crdt.rendering import to_html, to_markdown, to_text
from crdt.richtext import render


def node(name: str, *children: XmlNode | XmlRun | str, **attributes: Any) -> XmlNode:
    return XmlNode(name, attributes, [run(child) if isinstance(child, str) else child for child in children])


def run(words: str, **formats: Any) -> XmlRun:
    return XmlRun(words, formats)


PAGE = [
    node("heading", "Our towns", level=2.0),
    node(
        "paragraph",
        "Plain, ",
        run("bold", strong={}),
        run(" and ", em={}),
        run("both", em={}, strong={}),
        ", ",
        run("under", underline={}),
        run("struck", strike={}),
        run("code`s", code={}),
        node("hard_break"),
        run("a link", link={"href": "https://example.eu/?a=1&b=2", "title": 'a "title"'}),
    ),
    node(
        "bullet_list",
        node("list_item", node("paragraph", "one"), node("bullet_list", node("list_item", "in"))),
    ),
    node("ordered_list", node("list_item", node("paragraph", "three")), order=3),
    node(
        "task_list",
        node("task_item", node("paragraph", "done"), checked=True),
        node("task_item", node("paragraph", "to do"), checked="false"),
    ),
    node("blockquote", node("paragraph", "said"), node("paragraph", "twice")),
    node("code_block", run("if a < b:\n    ```", strong={}), language="python"),
    node("horizontal_rule"),
    node(
        "table",
        node("table_row", node("table_header", node("paragraph", "A|B")), node("table_header", "C")),
        node("table_row", node("table_cell", node("paragraph", "1"), colspan=2, colwidth=[90, 100])),
    ),
    node("paragraph", node("image", src="https://example.eu/a.png", alt="A <map>", title="Map")),
]


def test_html() -> None:
    assert to_html(tree(PAGE)) == (
        "<h3>Our towns</h3>"
        "<p>Plain, <strong>bold</strong><em> and </em><strong><em>both</em></strong>, "
        "<u>under</u><s>struck</s><code>code`s</code><br>"
        '<a href="https://example.eu/?a=1&amp;b=2" title="a &quot;title&quot;"'
        ' rel="noopener noreferrer nofollow">a link</a></p>'
        "<ul><li><p>one</p><ul><li><p>in</p></li></ul></li></ul>"
        '<ol start="3"><li><p>three</p></li></ol>'
        '<ul data-tasks=""><li data-checked="true"><p>done</p></li>'
        '<li data-checked="false"><p>to do</p></li></ul>'
        "<blockquote><p>said</p><p>twice</p></blockquote>"
        '<pre><code data-language="python">if a &lt; b:\n    ```</code></pre>'
        "<hr>"
        "<table><tbody><tr><th><p>A|B</p></th><th><p>C</p></th></tr>"
        '<tr><td colspan="2"><p>1</p></td></tr></tbody></table>'
        '<p><img src="https://example.eu/a.png" alt="A &lt;map&gt;" title="Map" loading="lazy"'
        ' referrerpolicy="no-referrer"></p>'
    )


def test_markdown() -> None:
    assert to_markdown(tree(PAGE)) == (
        "## Our towns\n\n"
        "Plain, **bold** *and* ***both***, <u>under</u>~~struck~~``code`s``\\\n"
        '[a link](<https://example.eu/?a=1&b=2> "a \\"title\\"")\n\n'
        "- one\n\n  - in\n\n"
        "3. three\n\n"
        "- [x] done\n- [ ] to do\n\n"
        "> said\n>\n> twice\n\n"
        "````python\nif a < b:\n    ```\n````\n\n"
        "---\n\n"
        "| A\\|B | C |\n| --- | --- |\n| 1 |  |\n\n"
        '![A \\<map\\>](<https://example.eu/a.png> "Map")\n'
    )


def test_plain_text() -> None:
    assert to_text(tree(PAGE)).split("\n") == [
        "Our towns",
        "Plain, bold and both, understruckcode`s",
        "a link",
        *("one", "in", "three", "done", "to do", "said", "twice"),
        *("if a < b:", "    ```"),
        "A|B\tC",
        "1",
        "A <map>",
    ]


def test_json_is_prosemirrors_own() -> None:
    page = [
        node("paragraph", run("x", strong={}, link={"href": "/y"})),
        node("task_list", node("task_item", node("paragraph"), checked=1)),
    ]
    assert tree(page).to_json() == {
        "type": "doc",
        "content": [
            {
                "type": "paragraph",
                "content": [
                    {
                        "type": "text",
                        "text": "x",
                        "marks": [{"type": "link", "attrs": {"href": "/y"}}, {"type": "strong"}],
                    }
                ],
            },
            {
                "type": "task_list",
                "content": [
                    {"type": "task_item", "attrs": {"checked": False}, "content": [{"type": "paragraph"}]}
                ],
            },
        ],
    }


def test_a_real_document_is_rendered() -> None:
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    fragment = doc.get("prosemirror", type=pycrdt.XmlFragment)
    heading = fragment.children.append(pycrdt.XmlElement("heading", {"level": 1}))
    words = heading.children.append(pycrdt.XmlText())
    words.insert(0, "Olá <Porto>", {})
    words.insert(0, "and ", {"strong": {}, "link--a1B2c3D4": {"href": "/here"}})
    state = doc.get_update()
    assert render(state) == (
        '<h2><a href="/here" rel="noopener noreferrer nofollow"><strong>and </strong></a>'
        "Olá &lt;Porto&gt;</h2>"
    )
    assert render(state, "text") == "and Olá <Porto>"
    assert render(state, "markdown") == "# [**and**](</here>) Olá \\<Porto\\>\n"
    assert json.loads(render(state, "json"))["content"][0]["attrs"] == {"level": 1}
    assert render(state, "html", "another") == ""
    with pytest.raises(ValueError, match="pdf"):
        render(state, "pdf")


# What must not come out


BAD_LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript&colon;alert(1):",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.eu/x",
    "//evil.example",
    "/\\evil.example",
    "https:\\\\evil.example",
    "x:y",
    "\u202ehttps://example.eu",
    "",
    "   ",
    "https://example.eu/" + "a" * 2048,
    None,
    7,
    ["https://example.eu"],
]
GOOD_LINKS = [
    "https://example.eu",
    "HTTP://example.eu/a?b#c",
    "mailto:a@b.eu",
    "/pages/1",
    "#part",
    "a/b:c",
    "?q=a:b",
]


@pytest.mark.parametrize("url", BAD_LINKS)
def test_a_bad_address_is_dropped_and_its_words_are_kept(url: Any) -> None:
    page = [node("paragraph", run("words", link={"href": url}), node("image", src=url, alt="picture"))]
    assert to_html(tree(page)) == "<p>wordspicture</p>"


@pytest.mark.parametrize("url", GOOD_LINKS)
def test_a_good_address_is_kept(url: str) -> None:
    rendered = to_html(tree([node("paragraph", run("words", link={"href": url}))]))
    assert rendered == f'<p><a href="{url}" rel="noopener noreferrer nofollow">words</a></p>'


def test_an_image_comes_by_http_or_from_here() -> None:
    assert "<img" in to_html(tree([node("image", src="/a.png")]))
    assert "<img" not in to_html(tree([node("image", src="mailto:a@b.eu")]))


def test_unknown_nodes_marks_and_attributes_are_dropped_and_their_text_kept() -> None:
    page = [
        node("script", "alert(1)"),
        node("paragraph", run("a", onclick="x()", style="color:red", strong=None), onclick="x()", style="y"),
        node("widget", node("paragraph", node("svg", "b", onload="x()")), node("", "c")),
        node("table_cell", node("paragraph", "d"), colspan=10**9, rowspan="x", colwidth="wide"),
        node("heading", "e", level='1"><script>'),
        node("ordered_list", node("list_item", "f"), order=float("nan")),
    ]
    assert to_html(tree(page)) == (
        '<p>alert(1)</p><p>a</p><p>b</p><p>c</p><p>d</p><h2>e</h2><ol start="1"><li><p>f</p></li></ol>'
    )


def test_what_nests_too_deep_is_refused() -> None:
    deep = node("paragraph", "bottom")
    for _ in range(70):
        deep = node("blockquote", deep)
    with pytest.raises(LimitExceeded):
        tree([deep])
    chain = update(
        (7, 0, [element(parent="prosemirror"), *(element(parent=(7, clock)) for clock in range(80))])
    )
    with pytest.raises(LimitExceeded):
        render(chain)


def test_roots_of_another_kind_render_as_nothing() -> None:
    assert render(update((7, 0, [text("not a node", parent="prosemirror")]))) == ""


class Judge(html.parser.HTMLParser):
    """Everything in HTML that is not on the list, as a browser would see it."""

    TAGS = re.compile("p|h[234]|[uo]l|li|blockquote|pre|code|[hb]r|img|a|table|tbody|t[rdh]|strong|em|u|s")
    ATTRIBUTES = re.compile(
        "href|title|rel|src|alt|loading|referrerpolicy|start|data-(tasks|checked|language|color)|(col|row)span"
    )

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.TAGS.fullmatch(tag):
            self.wrong.append(tag)
        for name, value in attrs:
            if not self.ATTRIBUTES.fullmatch(name):
                self.wrong.append(name)
            if name in ("href", "src") and not self.is_safe(value or ""):
                self.wrong.append(f"{name}={value}")

    @staticmethod
    def is_safe(url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https", "mailto") or not (parts.scheme or parts.netloc)

    def handle_data(self, data: str) -> None:
        self.text += data


hostile = st.sampled_from(
    [
        "<script>",
        "\"'><img src=x onerror=alert(1)>",
        "]]>",
        "<!--",
        "&lt;",
        "javascript:alert(1)",
        "`",
        "</p>",
        "\x00",
    ]
) | st.text(max_size=8)
formats = st.dictionaries(
    st.sampled_from([*MARKS, "onclick", "link--a1B2c3D4"]) | hostile,
    st.dictionaries(st.sampled_from(["href", "title", "style"]), hostile | st.just("/ok")) | hostile,
    max_size=3,
)
runs = st.builds(XmlRun, hostile, formats)
attributes = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "place",
            "color",
            "level",
            "order",
            "src",
            "alt",
            "title",
            "language",
            "colspan",
            "colwidth",
            "onload",
        ]
    )
    | hostile,
    hostile | st.integers() | st.floats() | st.lists(st.integers(), max_size=3) | st.booleans() | st.none(),
    max_size=3,
)
trees = st.recursive(
    runs,
    lambda children: st.builds(
        XmlNode,
        st.sampled_from([*NODES, "script", "style", "iframe"]) | hostile,
        attributes,
        st.lists(children, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(trees, max_size=4))
def test_no_document_gets_anything_past_the_table(page: list[XmlNode | XmlRun]) -> None:
    root = tree(page)
    judge = Judge()
    judge.feed(to_html(root))
    judge.close()
    assert not judge.wrong
    json.dumps(root.to_json(), allow_nan=False)
    to_markdown(root)
    to_text(root)
