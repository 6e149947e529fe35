"""There are words for every kind of notification: in the mails, and in the client's own catalogues."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rooms.accounts.notifications import KINDS
from server.digest_words import ALL, ENGLISH, Words, words_in

CATALOGUES = Path(__file__).parents[2] / "static" / "client" / "src" / "office" / "i18n" / "notifications"


@pytest.mark.parametrize("words", ALL.values(), ids=list(ALL))
def test_every_kind_has_words_for_one_and_for_more(words: Words) -> None:
    assert set(words.kinds) == KINDS
    assert set(words.kinds) == set(ENGLISH.kinds)
    for kind in (*KINDS, "of-tomorrow"):
        assert words.count(kind, 1)
        assert "{" not in words.count(kind, 1)
        assert words.count(kind, 12).count("12") == (kind != "muted")
    assert words.subject_for(12).count("12") == 1
    assert "{" not in words.subject_for(1)
    # A header has one line.
    assert not re.search(r"[\r\n]", "".join(words.subject))


@pytest.mark.parametrize("language", list(ALL))
def test_every_kind_has_words_in_the_client(language: str) -> None:
    keys = set(re.findall(r'^\s+"news\.([a-z-]+)":', (CATALOGUES / f"{language}.ts").read_text(), re.M))
    assert keys >= KINDS


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [(("pt-BR",), "pt"), (("el", "ES"), "es"), (("fr", "de"), "en"), ((), "en"), (("",), "en")],
)
def test_the_first_language_that_there_are_words_in(languages: tuple[str, ...], chosen: str) -> None:
    assert words_in(languages).language == chosen
