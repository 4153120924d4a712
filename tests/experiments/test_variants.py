"""Variants are compared over the first people of each reading, and false alarms stay rare."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.experiments import (
    Comparison,
    Lift,
    VariantPerson,
    VariantVerdict,
    compare_variants,
    first_reading,
    provable_difference,
)
from rekindle.vocabulary import Unknown

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def world(seed: int, rates: dict[str, float], people: int) -> list[VariantPerson]:
    """Return so many people, each in a random variant, of whom its rate do something."""
    rng = random.Random(seed)
    names = list(rates)
    given = []
    for number in range(people):
        name = names[rng.randrange(len(names))]
        value = float(rng.random() < rates[name])
        given.append(VariantPerson(f"p{number:05}", name, START + number * HOUR, value))
    return given


def compare(given: Sequence[VariantPerson], *names: str) -> Comparison:
    return compare_variants(names or ("a", "b"), given, metric="share that returned")


def test_until_enough_did_something_it_is_too_early() -> None:
    given = world(1, {"a": 0.5, "b": 0.05}, 2_000)
    doers = [one for one in given if one.value]
    before = given[: given.index(doers[first_reading(2) - 2]) + 1]
    said = compare(before)
    assert (said.verdict, said.doers, said.next_at) == (VariantVerdict.TOO_EARLY, 79, 80)
    assert compare([]).verdict is VariantVerdict.TOO_EARLY


def test_a_winner_is_told_at_the_first_reading_and_stays_whatever_comes_later() -> None:
    given = world(1, {"a": 0.05, "b": 0.3}, 600)
    said = compare(given)
    assert (said.verdict, said.winner, said.doers) == (VariantVerdict.WINNER, "b", 80)
    (against,) = said.against
    assert isinstance(against.lift, Lift)
    assert against.lift.low > 0.05
    later = [
        VariantPerson(f"z{n}", "ab"[n % 2], START + (9_000 + n) * HOUR, n % 2 == 0)
        for n in range(400)
    ]
    assert compare([*given, *later]) == said


def test_nobody_is_told_worse_by_the_order_of_rows() -> None:
    given = world(3, {"a": 0.2, "b": 0.2}, 700)
    shuffled = random.Random(4).sample(given, len(given))
    assert compare(given) == compare(shuffled)


def test_the_first_wins_where_every_other_is_worse() -> None:
    said = compare(world(5, {"a": 0.4, "b": 0.1, "c": 0.05}, 1_500), "a", "b", "c")
    assert (said.verdict, said.winner) == (VariantVerdict.WINNER, "a")
    assert set(said.worse) == {"b", "c"}


def test_one_that_is_worse_is_named_while_the_others_go_on() -> None:
    said = compare(world(6, {"a": 0.3, "b": 0.3, "c": 0.02}, 700), "a", "b", "c")
    assert (said.verdict, said.winner, said.worse) == (VariantVerdict.NO_DIFFERENCE, "", ("c",))
    assert said.next_at == 2 * said.doers


def test_whoever_was_given_another_variant_does_not_count() -> None:
    given = world(7, {"a": 0.2, "b": 0.2}, 300)
    gone = [VariantPerson(f"x{n}", "gone", START, 1.0) for n in range(500)]
    assert compare([*given, *gone]) == compare(given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            [VariantPerson(f"p{n}", "a", START, 1.0) for n in range(90)],
            "nobody's time with the variant b",
        ),
        (
            [VariantPerson(f"p{n}", "ab"[n % 2], START, 1.0) for n in range(90)],
            "has the same value",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(given: list[VariantPerson], reason: str) -> None:
    said = compare(given)
    assert said.verdict is VariantVerdict.NOT_ESTIMABLE
    assert reason in said.reason


@pytest.mark.long
def test_looking_every_day_finds_nothing_that_is_not_there() -> None:
    """Of 80 worlds without a difference, looked at as they grow, at most 1 in 20 may tell."""
    told = 0
    for seed in range(80):
        given = world(seed, {"a": 0.25, "b": 0.25}, 1_400)
        told += any(
            compare(given[:people]).verdict is VariantVerdict.WINNER for people in (350, 700, 1_400)
        )
    # 98 % of binomial(80, .05) lie below 9.
    assert told < 9


def test_several_variants_share_one_chance_of_a_false_alarm() -> None:
    given = world(8, {"a": 0.2, "b": 0.33}, 420)
    alone = compare(given)
    crowded = [
        *given,
        *(VariantPerson(f"c{n}", "c", START + n * HOUR, float(n % 5 == 0)) for n in range(200)),
        *(VariantPerson(f"d{n}", "d", START + n * HOUR, float(n % 5 == 0)) for n in range(200)),
    ]
    among = compare(crowded, "a", "b", "c", "d")
    (one,), (same, *_) = alone.against, among.against
    assert isinstance(one.lift, Lift)
    assert isinstance(same.lift, Lift)
    assert isinstance(same.p_value, float)
    assert same.p_value >= same.lift.p_value
    assert same.lift.confidence > one.lift.confidence


def test_more_variants_need_larger_differences_to_show() -> None:
    two = provable_difference(variants=2, people=2_000, base_rate=0.1)
    four = provable_difference(variants=4, people=2_000, base_rate=0.1)
    assert not isinstance(two, Unknown)
    assert not isinstance(four, Unknown)
    assert 0.03 < two < four < 0.12
