"""First content of a page, as the editor would have written it."""

from __future__ import annotations

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.compose import compose
from crdt.update import read_update


def test_elements_attributes_and_marks_are_what_y_prosemirror_writes():
    update = compose(
        [
            {
                "type": "heading",
                "attrs": {"level": 2},
                "content": [
                    {"type": "text", "text": "Ríos 🦦 "},
                    {"type": "text", "text": "Ebro", "marks": [{"type": "strong"}]},
                    {"type": "text", "text": " e "},
                    {"type": "text", "text": "Douro", "marks": [{"type": "link", "attrs": {"href": "/d"}}]},
                ],
            },
            {"type": "paragraph"},
        ]
    )
    doc = Doc()
    doc.apply_update(update)
    heading, paragraph = doc.get("prosemirror", type=XmlFragment).children
    assert isinstance(heading, XmlElement)
    assert isinstance(paragraph, XmlElement)
    assert (heading.tag, dict(heading.attributes), paragraph.tag) == ("heading", {"level": 2}, "paragraph")
    text = heading.children[0]
    assert isinstance(text, XmlText)
    assert text.diff() == [
        ("Ríos 🦦 ", None),
        ("Ebro", {"strong": {}}),
        (" e ", None),
        ("Douro", {"link": {"href": "/d"}}),
    ]


def test_the_structural_reader_accepts_it():
    summary = read_update(compose([{"type": "paragraph", "content": [{"type": "text", "text": "x"}]}]))
    assert len(summary.writes) == 1
