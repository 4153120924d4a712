"""How many stay: a curve that is tried on what came, and says where it did not hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest

from rekindle.insights.subscribers.retaining import (
    FEWEST_LEFT,
    CurveTrial,
    Retention,
    build_retention,
)
from rekindle.predictions.buying import fit_sbg, fit_sbg_counts
from rekindle.subscriptions import MONTH_DAYS
from rekindle.testing.club import BACK_IN_A_YEAR, LEAVES, build_club
from rekindle.vocabulary import Unknown

Leaving = Callable[[float, int], float]


def curve(people: int, leaving: Leaving, *, seed: int = 1, months: int = 30) -> Retention:
    """Return the curve of people who leave by ``leaving(own chance, days ago)`` a month."""
    roll = random.Random(seed)
    counts: Counter[tuple[int, int | None]] = Counter()
    for _ in range(people):
        chance, came = roll.betavariate(0.7, 8.0), roll.randrange(round(months * MONTH_DAYS))
        left, ago = None, came - MONTH_DAYS
        while ago >= 0 and left is None:
            if roll.random() < leaving(chance, round(ago)):
                left = round(ago)
            ago -= MONTH_DAYS
        counts[came, left] += 1
    rows = [{"came": c, "left": left, "stays": n} for (c, left), n in counts.items()]
    return build_retention(rows)


def test_the_curve_finds_the_chances_that_drew_it_and_holds() -> None:
    found = curve(20_000, lambda chance, ago: chance)
    assert found.alpha == pytest.approx(0.7, rel=0.1)
    assert found.beta == pytest.approx(8.0, rel=0.15)
    assert isinstance(found.trial, CurveTrial)
    assert found.trial.held
    assert found.trial.days == 180


def test_a_curve_that_the_last_months_break_is_said_not_to_hold() -> None:
    found = curve(20_000, lambda chance, ago: min(1, 3 * chance) if ago < 180 else chance)
    assert isinstance(found.trial, CurveTrial)
    assert not found.trial.held
    assert found.trial.foreseen > found.trial.stayed


@pytest.mark.parametrize("people", [0, 10])
def test_few_who_left_make_no_curve(people: int) -> None:
    found = curve(people, lambda chance, ago: chance)
    assert found.alpha == Unknown(f"fewer than {FEWEST_LEFT} subscribers left")


def test_a_short_history_is_not_tried() -> None:
    found = curve(3_000, lambda chance, ago: chance, months=5)
    assert found.trial == Unknown("fewer than 180 days were seen")


def test_one_cohort_by_counts_is_the_published_way() -> None:
    kept = [1000, 869, 743, 653, 593, 551, 517, 491]
    left = [a - b for a, b in pairwise(kept)]
    staying = [0] * (len(left) - 1) + [kept[-1]]
    assert fit_sbg_counts(left, staying) == fit_sbg(kept)
    twice = fit_sbg_counts([2 * n for n in left], [2 * n for n in staying])
    one = fit_sbg(kept)
    assert not isinstance(twice, Unknown)
    assert not isinstance(one, Unknown)
    assert twice.parameters == pytest.approx(one.parameters, rel=1e-4)
    assert twice.log_likelihood == pytest.approx(2 * one.log_likelihood)


def test_the_drawn_business_keeps_its_rates() -> None:
    club = build_club(4_000, seed=3)
    first: dict[str, list[tuple[str, str]]] = {}
    for row in club.subscriptions:
        stay = (str(row["start_date"]), str(row["end_date"]))
        first.setdefault(str(row["customer_id"]), []).append(stay)
    early = [s for s in first.values() if s[0][1] and s[0][1] <= "2025-06-30"]
    back = [
        s
        for s in early
        if len(s) > 1 and (date.fromisoformat(s[1][0]) - date.fromisoformat(s[0][1])).days <= 365
    ]
    assert len(early) > 400
    assert len(back) / len(early) == pytest.approx(BACK_IN_A_YEAR, abs=0.05)
    assert LEAVES == (0.7, 8.0)
    assert build_club(50, seed=3).payments == build_club(50, seed=3).payments
