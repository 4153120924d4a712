"""The interval holds the truth whichever way an effect goes, with draws and from sums alone."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.experiments import (
    ArmOutcome,
    ArmSums,
    Lift,
    PowerSums,
    estimate_lift,
    estimate_lift_from_sums,
)
from rekindle.experiments.hypothesis import Hypotheses, skewed_quantile, skewed_share

FIGURES = Path(__file__).parent / "figures" / "hillstrom_spend.toml"
HILLSTROM: dict[str, Any] = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
SPEND = np.array(HILLSTROM["control"]["spend"])
PEOPLE = 21_306
WORLDS = 400


def spend(arm: str) -> ArmOutcome:
    return ArmOutcome(HILLSTROM[arm]["assigned"], tuple(HILLSTROM[arm]["spend"]))


def misses(share: float, *, buyers: float = 1.0, baskets: float = 1.0) -> float:
    """Return how often the interval from sums misses an effect, in worlds like Hillstrom's."""
    rng = np.random.default_rng(41)
    held, rate = round(PEOPLE * share), SPEND.size / HILLSTROM["control"]["assigned"]
    treated = PEOPLE - held
    truth = rate * SPEND.mean() * (buyers * baskets - 1)

    def arm(people: int, factor: float, size: float) -> ArmSums:
        bought: NDArray[np.float64] = size * rng.choice(SPEND, rng.binomial(people, rate * factor))
        return ArmSums(people, PowerSums.of(bought.tolist()))

    missed = 0
    for _ in range(WORLDS):
        lift = estimate_lift_from_sums(arm(treated, buyers, baskets), arm(held, 1, 1))
        assert isinstance(lift, Lift)
        missed += not lift.low <= truth <= lift.high
    return missed / WORLDS


@pytest.mark.long
@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize(
    "effect", [{}, {"buyers": 1.5}, {"baskets": 1.5}, {"baskets": 0.6}, {"buyers": 0.7}]
)
def test_a_gain_and_a_harm_are_both_held(share: float, effect: dict[str, float]) -> None:
    # Three binomial standard errors around 5 %.
    assert misses(share, **effect) == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / WORLDS) ** 0.5)


@pytest.mark.parametrize("arm", ["womens", "mens"])
def test_sums_say_nearly_what_permutations_say(arm: str) -> None:
    drawn = estimate_lift(spend(arm), spend("control"))
    summed = estimate_lift_from_sums(spend(arm).sums, spend("control").sums)
    assert isinstance(drawn, Lift)
    assert isinstance(summed, Lift)
    assert summed.difference == pytest.approx(drawn.difference, abs=1e-12)
    assert [summed.low, summed.high] == pytest.approx([drawn.low, drawn.high], abs=0.015)
    assert summed.method == "score interval from sums"


def test_at_no_difference_chance_is_the_pooled_variance() -> None:
    treatment, holdout = spend("mens").sums, spend("control").sums
    pooled = treatment + holdout
    spread = pooled.square - pooled.mean**2
    chance = Hypotheses(treatment, holdout).at(0.0)
    assert chance.variance == pytest.approx(spread * (1 / 21_307 + 1 / 21_306))


def test_what_everybody_did_alike_varies_like_a_rate() -> None:
    arms = ArmOutcome.of_count(900, 180).sums, ArmOutcome.of_count(100, 14).sums
    held = 0.194 - 0.06 * 0.9
    variance = Hypotheses(*arms).at(0.06).variance
    treated = held + 0.06
    assert variance == pytest.approx(treated * (1 - treated) / 900 + held * (1 - held) / 100)


def test_only_refunds_mirror_only_purchases() -> None:
    bought = ArmOutcome(900, (5.0, 7.0, 9.0) * 9), ArmOutcome(100, (6.0, 8.0) * 5)
    back = [ArmOutcome(arm.assigned, tuple(-x for x in arm.values)) for arm in bought]
    plain, turned = (estimate_lift_from_sums(t.sums, h.sums) for t, h in (bought, back))
    assert isinstance(plain, Lift)
    assert isinstance(turned, Lift)
    assert [-turned.high, -turned.low] == pytest.approx([plain.low, plain.high])


@pytest.mark.parametrize(
    ("share", "skewness", "quantile"),
    # scipy.stats.pearson3.ppf 1.17.1
    [
        (0.025, 1.0, -1.4550673),
        (0.975, 1.0, 2.3836365),
        (0.975, -0.5, 1.7136544),
        (0.975, 0.01, 1.9646954),
        (0.5, 0.0, 0.0),
    ],
)
def test_a_skewed_quantile_is_that_of_a_gamma(
    share: float, skewness: float, quantile: float
) -> None:
    assert skewed_quantile(share, skewness) == pytest.approx(quantile, abs=1e-5)
    assert skewed_share(quantile, skewness) == pytest.approx(share, abs=1e-6)


def test_few_buyers_are_warned_of() -> None:
    lift = estimate_lift(ArmOutcome(9_000, (30.0,) * 200), ArmOutcome(500, (25.0,) * 4))
    assert isinstance(lift, Lift)
    assert lift.warnings == ("only 4 people of the holdout did anything: a rough interval",)


def test_impossible_sums_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        ArmSums(-1)
    with pytest.raises(ValueError, match="2 values for only 1"):
        ArmSums(1, PowerSums.of([1.0, 2.0]))
    with pytest.raises(ValueError, match="too large"):
        PowerSums.of([1e160])
