"""The lift is the published one, its interval keeps its level, and doubt is said."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rekindle.experiments import ArmOutcome, Incremental, Lift, estimate_lift, incremental
from rekindle.vocabulary import Unknown

FIGURES = Path(__file__).parent / "figures" / "hillstrom_spend.toml"
HILLSTROM: dict[str, Any] = tomllib.loads(FIGURES.read_text(encoding="utf-8"))

# All published Hillstrom intervals below are normal ones (Welch); skewed spend moves a
# permutation interval by a few hundredths of a dollar, a rate hardly at all.
SPEND_TOLERANCE = 0.02
RATE_TOLERANCE = 0.0003

# Few, with cents: sums of different values meet, as prices do.
PRICES = st.integers(-500, 5_000).map(lambda cents: cents / 100)
FAST = settings(derandomize=True, deadline=None, max_examples=60)


def spend(arm: str) -> ArmOutcome:
    return ArmOutcome(HILLSTROM[arm]["assigned"], tuple(HILLSTROM[arm]["spend"]))


def rate(arm: str, event: str) -> ArmOutcome:
    return ArmOutcome.of_count(HILLSTROM[arm]["assigned"], HILLSTROM[arm][event])


def known(lift: Lift | Unknown) -> Lift:
    assert isinstance(lift, Lift), lift
    return lift


@st.composite
def arms(draw: st.DrawFn) -> ArmOutcome:
    values = draw(st.lists(PRICES.filter(bool), min_size=8, max_size=40))
    return ArmOutcome(len(values) + draw(st.integers(0, 200)), tuple(values))


@pytest.mark.parametrize(
    ("arm", "difference", "low", "high"),
    [("womens", 0.424412, 0.168957, 0.679868), ("mens", 0.769827, 0.485140, 1.054515)],
)
def test_spend_of_hillstrom_is_the_published_one(
    arm: str, difference: float, low: float, high: float
) -> None:
    lift = known(estimate_lift(spend(arm), spend("control")))
    assert lift.difference == pytest.approx(difference, abs=1e-6)
    assert lift.low == pytest.approx(low, abs=SPEND_TOLERANCE)
    assert lift.high == pytest.approx(high, abs=SPEND_TOLERANCE)
    assert lift.p_value < 0.01


@pytest.mark.parametrize(
    ("event", "difference", "low", "high"),
    [("visits", 0.045233, 0.038893, 0.051573), ("conversions", 0.003111, 0.001499, 0.004724)],
)
def test_rates_of_hillstrom_are_the_published_ones(
    event: str, difference: float, low: float, high: float
) -> None:
    lift = known(estimate_lift(rate("womens", event), rate("control", event), metric=event))
    assert lift.metric == event
    assert lift.difference == pytest.approx(difference, abs=1e-6)
    assert lift.low == pytest.approx(low, abs=RATE_TOLERANCE)
    assert lift.high == pytest.approx(high, abs=RATE_TOLERANCE)


@pytest.mark.parametrize(("event", "difference"), [("visits", 0.076590), ("conversions", 0.006805)])
def test_rates_of_the_mens_arm_are_the_published_ones(event: str, difference: float) -> None:
    lift = known(estimate_lift(rate("mens", event), rate("control", event)))
    assert lift.difference == pytest.approx(difference, abs=1e-6)


def test_a_small_example_has_the_enumerated_p_value() -> None:
    # Nguyen (2009), doi:10.15760/etd.7798; CIPerm's readme: among all 35 permutations the
    # one-sided p-value is 3/35.
    lift = known(
        estimate_lift(ArmOutcome(4, (19, 22, 25, 26)), ArmOutcome(3, (23, 33, 40)), confidence=0.9)
    )
    assert lift.low < lift.difference < 0 < lift.high
    assert lift.p_value == pytest.approx(2 * 3 / 35, abs=3 * 0.0056)


def is_welch_alarm(treated: NDArray[np.float64], held: NDArray[np.float64]) -> bool:
    variance = treated.var(ddof=1) / treated.size + held.var(ddof=1) / held.size
    return bool(abs(treated.mean() - held.mean()) > 1.959964 * variance**0.5)


@pytest.mark.long
def test_false_alarms_stay_at_the_level_where_welch_does_not() -> None:
    # Hillstrom's control group against itself at a 5 % holdout: no effect is there to
    # find, and the normal interval still finds one in every seventh split.
    buyers = np.array(HILLSTROM["control"]["spend"])
    everyone = np.concatenate([buyers, np.zeros(HILLSTROM["control"]["assigned"] - buyers.size)])
    rng = np.random.default_rng(2008)
    alarms, welch, splits = 0, 0, 1_000
    for seed in range(splits):
        treated, held = np.split(rng.permutation(everyone), [round(everyone.size * 0.95)])
        outcomes = (ArmOutcome(part.size, tuple(part[part > 0])) for part in (treated, held))
        lift = known(estimate_lift(*outcomes, draws=399, seed=seed))
        alarms += not lift.low <= 0 <= lift.high
        welch += is_welch_alarm(treated, held)
    # Three binomial standard errors around 5 %.
    assert alarms / splits == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / splits) ** 0.5)
    assert welch / splits > 0.1


@pytest.mark.long
@given(arms(), arms())
@FAST
def test_swapping_the_arms_turns_the_signs(one: ArmOutcome, other: ArmOutcome) -> None:
    assume(one != other)
    there = estimate_lift(one, other, draws=199)
    back = estimate_lift(other, one, draws=199)
    if isinstance(there, Unknown):
        assert back == there
        return
    # A warning names the arm; everything else is mirrored to the last digit.
    assert replace(known(back), warnings=()) == replace(
        there, difference=-there.difference, low=-there.high, high=-there.low, warnings=()
    )


@pytest.mark.long
@given(arms(), arms(), st.sampled_from([0.25, 2.0, 1024.0]))
@FAST
def test_another_currency_scales_the_interval(
    treatment: ArmOutcome, holdout: ArmOutcome, factor: float
) -> None:
    def scaled(arm: ArmOutcome) -> ArmOutcome:
        return ArmOutcome(arm.assigned, tuple(value * factor for value in arm.values))

    plain = estimate_lift(treatment, holdout, draws=199)
    lift = estimate_lift(scaled(treatment), scaled(holdout), draws=199)
    if isinstance(plain, Unknown):
        assert lift == plain
        return
    low, high, difference = (factor * x for x in (plain.low, plain.high, plain.difference))
    assert lift == replace(plain, low=low, high=high, difference=difference)


@pytest.mark.long
@given(arms(), arms())
@FAST
def test_interval_and_p_value_agree(treatment: ArmOutcome, holdout: ArmOutcome) -> None:
    lift = estimate_lift(treatment, holdout, draws=199)
    if isinstance(lift, Lift):
        assert lift.low <= lift.difference <= lift.high
        assert (lift.p_value <= 0.05) == (not lift.low <= 0 <= lift.high)


def test_neither_a_repetition_nor_the_order_of_rows_changes_anything() -> None:
    control = spend("control")
    backwards = ArmOutcome(control.assigned, tuple(reversed(control.values)))
    first = estimate_lift(spend("womens"), control, draws=999)
    assert estimate_lift(spend("womens"), backwards, draws=999) == first
    assert estimate_lift(spend("womens"), control, draws=999) == first


def test_rounding_does_not_break_a_tie() -> None:
    # 0.1 + 0.2 is not 0.3 in binary, 1 + 2 is 3.
    whole = estimate_lift(ArmOutcome(9, (1, 2, 1, 7)), ArmOutcome(6, (3, 3)), draws=999)
    tenths = estimate_lift(
        ArmOutcome(9, (0.1, 0.2, 0.1, 0.7)), ArmOutcome(6, (0.3, 0.3)), draws=999
    )
    assert known(tenths).p_value == known(whole).p_value


def test_the_method_names_itself() -> None:
    lift = known(estimate_lift(spend("womens"), spend("control")))
    assert lift.method == "score interval, 9,999 permutations"
    assert lift.metric == "net revenue per assigned customer"


@pytest.mark.parametrize(
    ("treatment", "holdout", "reason"),
    [
        (ArmOutcome(0), ArmOutcome(9, (1,)), "nobody was assigned to the treatment arm"),
        (ArmOutcome(9, (1,)), ArmOutcome(0), "nobody was assigned to the holdout"),
        (ArmOutcome(90), ArmOutcome(10), "nobody bought in either arm"),
        (ArmOutcome(90, (0.0, 0.0)), ArmOutcome(10), "nobody bought in either arm"),
        (ArmOutcome.of_count(90, 90), ArmOutcome.of_count(10, 10), "the same value"),
        (ArmOutcome(2, (3, 4)), ArmOutcome(2, (5, 6)), "too small for a 95 % interval"),
        (ArmOutcome(9_900, (50,)), ArmOutcome(100), "too few people bought"),
    ],
)
def test_what_cannot_be_estimated_says_why(
    treatment: ArmOutcome, holdout: ArmOutcome, reason: str
) -> None:
    lift = estimate_lift(treatment, holdout)
    assert isinstance(lift, Unknown)
    assert reason in lift.reason


@pytest.mark.parametrize(("confidence", "draws"), [(0.0, 999), (1.0, 999), (0.95, 30)])
def test_an_interval_the_draws_cannot_give_is_refused(confidence: float, draws: int) -> None:
    with pytest.raises(ValueError, match=r"confidence|too few"):
        estimate_lift(spend("mens"), spend("control"), confidence=confidence, draws=draws)


@pytest.mark.parametrize(
    ("assigned", "values"), [(-1, ()), (1, (1.0, 2.0)), (9, (float("nan"),)), (9, (1e400,))]
)
def test_an_impossible_arm_is_refused(assigned: int, values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"assigned|finite"):
        ArmOutcome(assigned, values)


def test_incremental_revenue_is_what_the_holdout_did_not_do_anyway() -> None:
    # Optimove's example: 900 x (0.20 x 200 - 0.14 x 150) = 17,100.
    gained = incremental(ArmOutcome(900, (200.0,) * 180), ArmOutcome(100, (150.0,) * 14))
    assert isinstance(gained, Incremental)
    assert gained.amount == pytest.approx(17_100)
    assert gained.share == pytest.approx(17_100 / 36_000)


def test_incremental_orders_are_normalised_by_the_size_of_the_arms() -> None:
    # Optimove's example: 415.5 K mailed, 13.2 K orders; 27.4 K held out, 448 orders.
    gained = incremental(ArmOutcome.of_count(415_500, 13_200), ArmOutcome.of_count(27_400, 448))
    assert isinstance(gained, Incremental)
    assert gained.amount == pytest.approx(6_406, abs=0.5)
    assert gained.share == pytest.approx(0.485, abs=0.0005)


def test_incremental_share_of_nothing_is_unknown() -> None:
    assert incremental(ArmOutcome(9), ArmOutcome(9, (1.0,))) == Incremental(
        -1.0, Unknown("the treatment arm earned nothing")
    )
    assert isinstance(incremental(ArmOutcome(9), ArmOutcome(0)), Unknown)
