"""Code cards: the words, the strength, and how forgivingly they are read."""

from __future__ import annotations

import random
import re
import string

import pytest

from rooms.accounts import codecards
from rooms.accounts.codecards import SECRET_BITS, Typed, read
from rooms.accounts.throttle import FIRST_PAUSE, FREE_TRIES, LONGEST_PAUSE
from rooms.accounts.wordlist import ADJECTIVES, ANIMALS, WORDS

LISTS = {"adjectives": ADJECTIVES, "animals": ANIMALS, "words": WORDS}
RIGHT = Typed("brave-otter", "lemon-train-cloud")


def slips(word: str) -> set[str]:
    """Every text one slip away, by a definition of its own."""
    found = set()
    for at in range(len(word)):
        found.add(word[:at] + word[at + 1 :])
        if at + 1 < len(word):
            found.add(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        for letter in string.ascii_lowercase:
            found.add(word[:at] + letter + word[at + 1 :])
    for at in range(len(word) + 1):
        for letter in string.ascii_lowercase:
            found.add(word[:at] + letter + word[at:])
    return found - {word}


@pytest.mark.parametrize("name", LISTS)
def test_words_are_short_plain_and_told_apart_by_four_letters(name: str) -> None:
    words = LISTS[name]
    assert all(re.fullmatch("[a-z]{3,9}", word) for word in words)
    assert len({word[:4] for word in words}) == len(words)


@pytest.mark.parametrize("name", LISTS)
def test_one_slip_never_turns_a_word_into_another(name: str) -> None:
    words = set(LISTS[name])
    assert {word: slips(word) & words for word in words if slips(word) & words} == {}


def test_a_secret_has_thirty_bits() -> None:
    assert len(WORDS) >= 1024
    assert SECRET_BITS >= 30
    chance = random.Random(1)
    drawn = {codecards.draw_secret(chance.choice) for _ in range(1000)}
    assert len(drawn) == 1000
    assert all(set(secret.split("-")) <= set(WORDS) for secret in drawn)


def test_guessing_at_one_account_for_a_year_is_hopeless() -> None:
    tries, clock = FREE_TRIES, 0.0
    pause = FIRST_PAUSE
    while clock < 365 * 86_400:
        clock += pause
        tries += 1
        pause = min(pause * 2, LONGEST_PAUSE)
    assert tries / 2**SECRET_BITS < 1 / 30_000


@pytest.mark.parametrize(
    "typed",
    [
        "brave-otter-lemon-train-cloud",
        "Brave Otter Lemon Train Cloud",
        "  BRAVE   otter\tlemon,train.cloud ",
        "brave–otter–lemon–train–cloud",
        "bråve öttér lémon traïn clóud",
        "braveotterlemontraincloud",
        "braveotter lemontrain cloud",
        "brav otte lemo trai clou",
        "barve otte lemmon trzin cloud",
        "braev oter lwmon traim clouds",
        "ｂｒａｖｅ-otter-lemon-train-cloud",
    ],
)
def test_typing_is_forgiven(typed: str) -> None:
    assert read(typed) == RIGHT


@pytest.mark.parametrize(
    ("typed", "selector"),
    [
        ("brave-otter-2-lemon-train-cloud", "brave-otter-2"),
        ("brave otter12 lemon train cloud", "brave-otter-12"),
    ],
)
def test_numbers_behind_the_animal_are_read(typed: str, selector: str) -> None:
    assert read(typed) == Typed(selector, RIGHT.secret)


def test_every_card_is_read_back_from_four_letters_a_word() -> None:
    chance = random.Random(2)
    for _ in range(2_000):
        selector, secret = codecards.draw_selector(chance.choice), codecards.draw_secret(chance.choice)
        short = " ".join(word[:4] for word in f"{selector}-{secret}".split("-"))
        assert read(short) == Typed(selector, secret)


def test_almost_every_single_slip_is_put_right_and_few_are_misread() -> None:
    right = wrong = refused = 0
    for word in WORDS[::40]:
        for slip in slips(word):
            found = codecards._nearest(slip, WORDS)
            right += found == word
            refused += found is None
            wrong += found not in (word, None)
    total = right + wrong + refused
    assert right / total > 0.97
    assert wrong / total < 0.005


NO_CARDS = (
    "",
    " ",
    "x",
    "brave otter",
    "brave otter lemon train",
    "brave otter lemon train cloud mango",
    "1 2 3 4 5",
    "brave 2 otter 3 lemon train cloud",
    "\x00\x00",
    "ﷺ" * 120,
    "-" * 120,
    "🦦" * 60,
    "brave " * 20,
)


@pytest.mark.parametrize("typed", NO_CARDS)
def test_what_is_no_card_names_no_account(typed: str) -> None:
    selector = read(typed).selector
    assert not re.fullmatch("[a-z]+-[a-z]+(-[0-9]+)?", selector)


def test_any_text_is_read_without_an_error() -> None:
    chance = random.Random(3)
    alphabet = string.printable + "äöüßçñ🦦ﷺ\u0301\ud800"
    for _ in range(3_000):
        read("".join(chance.choice(alphabet) for _ in range(chance.randrange(200))))
