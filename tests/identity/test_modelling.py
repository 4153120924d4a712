"""A model of the shop's own cards suggests; it joins nobody, and says what it lacks."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from rekindle.errors import UsageError
from rekindle.identity import Acquaintance, suggest_by_model, suggest_joins

FIRST = ("ada", "bob", "cleo", "dora", "emil", "fred", "gina", "hugo", "ines", "jan")
SYLLABLES = ("ar", "bel", "cor", "den", "el", "fo", "gar", "hol", "jen", "kel", "lor", "man")


# What a second card has otherwise than the first.
SLIPS: tuple[Callable[[Acquaintance], dict[str, str]], ...] = (
    lambda one: {},
    lambda one: {"phone": ""},
    lambda one: {"last_name": one.last_name[:-1]},
    lambda one: {"first_name": one.first_name + "h"},
    lambda one: {"postcode": "Z999"},
    lambda one: {"phone": one.phone[:-1] + "0"},
    lambda one: {"first_name": one.first_name + "h", "last_name": one.last_name + "a"},
)


def town(count: int = 1_500) -> list[Acquaintance]:
    """Return cards of so many people, of whom every third left two."""
    draw = random.Random(1)
    cards = []
    for number in range(count):
        one = Acquaintance(
            f"c{number}",
            f"c{number}",
            draw.choice(FIRST),
            "".join(draw.choices(SYLLABLES, k=3)),
            f"Z{draw.randrange(300)}",
            str(draw.randrange(10**9, 10**10)),
        )
        cards.append(one)
        if number % 3 == 0:
            again = f"d{number}"
            slip = SLIPS[number // 3 % len(SLIPS)]
            cards.append(replace(one, customer_id=again, person=again, **slip(one)))
    return cards


@pytest.fixture
def cards() -> list[Acquaintance]:
    pytest.importorskip("splink")
    return town()


@pytest.mark.long
def test_who_left_two_cards_is_suggested_beside_what_rules_find(cards: list[Acquaintance]) -> None:
    ruled = suggest_joins(cards)
    found = suggest_by_model(cards, suggested=ruled)
    assert ("c18", "d18") in {(one.one, one.other) for one in found}  # other names on both
    assert ("c18", "d18") not in {(one.one, one.other) for one in ruled}
    assert all("a model of these cards" in one.because for one in found)
    assert not {(s.one, s.other) for s in ruled} & {(s.one, s.other) for s in found}


@pytest.mark.long
def test_a_model_says_the_same_of_the_same_cards(cards: list[Acquaintance]) -> None:
    assert suggest_by_model(cards) == suggest_by_model(cards)


@pytest.mark.long
def test_two_that_somebody_parted_or_joined_are_not_suggested(cards: list[Acquaintance]) -> None:
    found = {(one.one, one.other) for one in suggest_by_model(cards)}
    assert {("c0", "d0"), ("c3", "d3")} <= found
    joined = [replace(one, person="c3") if one.customer_id == "d3" else one for one in cards]
    left = {(one.one, one.other) for one in suggest_by_model(joined, apart=[("c0", "d0")])}
    assert not left & {("c0", "d0"), ("c3", "d3")}


@pytest.mark.parametrize("without", [("postcode", "phone"), ()])
def test_cards_that_are_few_or_say_too_little_make_no_model(without: tuple[str, ...]) -> None:
    people = town(20) if not without else town()
    blank = dict.fromkeys(without, "")
    with pytest.raises(UsageError, match="postcode or phone"):
        suggest_by_model([replace(one, **blank) for one in people])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(UsageError, match=r"rekindle\[splink\]"):
        suggest_by_model(town())
