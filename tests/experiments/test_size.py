"""A holdout is as large as it must be, and says why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.experiments import plan_holdout, provable_lift, provable_rate_lift, with_buyers
from rekindle.vocabulary import Unknown


def test_the_holdout_expects_forty_buyers() -> None:
    plan = plan_holdout(people=4_000, buyers_expected_share=0.08)
    assert plan.share == pytest.approx(0.125)
    assert plan.expected_buyers == pytest.approx(40)
    assert plan.held_out_count == 500
    assert plan.sentence == (
        "12.5 % held out: of 4,000 people 8 % are expected to buy unprompted, "
        "so the holdout can expect about 40 buyers (40 are aimed for)."
    )


def test_a_short_list_is_held_out_no_further_than_half() -> None:
    plan = plan_holdout(people=500, buyers_expected_share=0.05)
    assert plan.share == 0.5
    assert plan.expected_buyers == pytest.approx(12.5)
    assert "50 % held out, the most allowed" in plan.sentence
    assert "about 12 buyers (40 are aimed for)" in plan.sentence


def test_a_long_list_keeps_the_smallest_share() -> None:
    plan = plan_holdout(people=1_000_000, buyers_expected_share=0.1)
    assert plan.share == 0.01
    assert "1 % held out, the least allowed" in plan.sentence
    assert "about 1,000 buyers" in plan.sentence


@pytest.mark.parametrize(
    ("people", "rate", "reason"),
    [
        (900, Unknown("the history is shorter than the window"), "the history is shorter"),
        (900, 0.0, "nobody is expected to buy unprompted"),
        (0, 0.1, "nobody is on the list yet"),
    ],
)
def test_without_a_base_rate_the_default_share_is_taken(
    people: int, rate: float | Unknown, reason: str
) -> None:
    plan = plan_holdout(people=people, buyers_expected_share=rate)
    assert plan.share == 0.2
    assert isinstance(plan.expected_buyers, Unknown)
    assert plan.sentence.startswith("20 % held out, the default share: ")
    assert reason in plan.sentence


@pytest.mark.long
@given(st.integers(0, 10**7), st.floats(0, 1))
@settings(derandomize=True, deadline=None)
def test_a_share_always_stays_inside_its_bounds(people: int, rate: float) -> None:
    assert 0.01 <= plan_holdout(people=people, buyers_expected_share=rate).share <= 0.5


@pytest.mark.parametrize(("people", "rate"), [(-1, 0.1), (10, -0.1), (10, 1.1)])
def test_an_impossible_list_is_refused(people: int, rate: float) -> None:
    with pytest.raises(ValueError, match=r"people|base rate"):
        plan_holdout(people=people, buyers_expected_share=rate)


def test_provable_lift_agrees_with_a_published_sample_size() -> None:
    # Chow, Shao & Wang (2008), p. 58: sd 10 and a difference of 5 need 62.79, so 63, per arm.
    lift = provable_lift(people=126, holdout_share=0.5, standard_deviation=10)
    assert lift == pytest.approx(5 * (62.79104 / 63) ** 0.5, abs=1e-6)


def test_provable_rate_lift_agrees_with_a_published_sample_size() -> None:
    # Chow, Shao & Wang (2008), p. 89: 65 % against 85 % needs 70 per arm.
    enough = provable_rate_lift(people=140, holdout_share=0.5, base_rate=0.65)
    short = provable_rate_lift(people=138, holdout_share=0.5, base_rate=0.65)
    assert isinstance(enough, float)
    assert isinstance(short, float)
    assert enough <= 0.20 < short


def test_an_uneven_split_can_prove_less() -> None:
    even = provable_lift(people=10_000, holdout_share=0.5, standard_deviation=15)
    uneven = provable_lift(people=10_000, holdout_share=0.05, standard_deviation=15)
    assert isinstance(even, float)
    # sqrt(1/9500 + 1/500) over sqrt(1/5000 + 1/5000)
    assert uneven == pytest.approx(even * 2.2941573)


@pytest.mark.parametrize(
    ("people", "deviation", "reason"),
    [
        (3, 10.0, "fewer than two"),
        (0, 10.0, "fewer than two"),
        (100, 0.0, "does not vary"),
        (100, float("nan"), "does not vary"),
    ],
)
def test_an_unprovable_lift_says_why(people: int, deviation: float, reason: str) -> None:
    lift = provable_lift(people=people, holdout_share=0.5, standard_deviation=deviation)
    assert isinstance(lift, Unknown)
    assert reason in lift.reason


@pytest.mark.parametrize(
    ("people", "rate", "reason"),
    [(3, 0.1, "fewer than two"), (100, 0.0, "0 or 1"), (100, 1.0, "0 or 1"), (8, 0.9, "too short")],
)
def test_an_unprovable_rate_says_why(people: int, rate: float, reason: str) -> None:
    lift = provable_rate_lift(people=people, holdout_share=0.5, base_rate=rate)
    assert isinstance(lift, Unknown)
    assert reason in lift.reason


def test_a_lift_made_by_more_buyers_is_found_four_times_in_five() -> None:
    # One in ten buys for 50; the test is that of pooled arms, the effect is more buyers.
    people, share, rate, basket = 4_000, 0.1, 0.1, 50.0
    deviation = basket * (rate * (1 - rate)) ** 0.5
    lift = provable_lift(
        people=people, holdout_share=share, standard_deviation=deviation, mean=rate * basket
    )
    shift = provable_lift(people=people, holdout_share=share, standard_deviation=deviation)
    assert isinstance(lift, float)
    assert isinstance(shift, float)
    draw, held = np.random.default_rng(20261128), 400

    def found(effect: float) -> float:
        bought = draw.binomial(people - held, rate + effect / basket, 20_000)
        stayed = draw.binomial(held, rate, 20_000)
        pooled = (bought + stayed) / people
        error = (pooled * (1 - pooled) * (1 / held + 1 / (people - held))) ** 0.5
        difference = bought / (people - held) - stayed / held
        return float(np.mean(np.abs(difference) > 1.96 * error))

    assert found(lift) == pytest.approx(0.8, abs=0.02)
    assert found(shift) < 0.78


def test_more_buyers_than_there_are_people_is_no_lift() -> None:
    lift = provable_lift(people=20, holdout_share=0.2, standard_deviation=5, mean=9)
    assert isinstance(lift, Unknown)


def test_more_buyers_with_the_same_baskets_change_mean_and_deviation() -> None:
    baskets = np.array([10.0, 20.0, 60.0])
    few = np.concatenate([baskets, np.zeros(27)])
    many = np.concatenate([np.tile(baskets, 4), np.zeros(18)])
    mean, deviation = with_buyers(few.mean(), few.std(), 4)
    assert (mean, deviation) == pytest.approx((many.mean(), many.std()))
