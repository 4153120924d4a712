"""Says how many people to hold out, and what a list of this size could prove at all.

A holdout that expects no buyers can show nothing, and one larger than needed gives
away revenue. Both answers are given before anything is sent, each with its reason.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.optimize import brentq

from rekindle.experiments.model import HoldoutPlan
from rekindle.vocabulary import Unknown
from rekindle.wording import percent

_FEWEST_PER_ARM = 2


def plan_holdout(
    *,
    people: int,
    buyers_expected_share: float | Unknown,
    target_buyers: int = 40,
    smallest_share: float = 0.01,
    largest_share: float = 0.5,
    default_share: float = 0.2,
) -> HoldoutPlan:
    """Return the holdout that can be expected to hold ``target_buyers`` buyers.

    ``buyers_expected_share`` is the part of ``people`` who return unprompted within
    the goal window. The share is kept between ``smallest_share`` and
    ``largest_share``; without a usable base rate it is ``default_share``.

    Raises:
        ValueError: a negative number of people, or a base rate outside 0-1.
    """
    if people < 0:
        raise ValueError(f"people is {people}; a count cannot be negative")
    rate = _usable_rate(people, buyers_expected_share)
    if isinstance(rate, Unknown):
        sentence = f"{percent(default_share)} held out, the default share: {rate.reason}."
        return HoldoutPlan(people, default_share, rate, sentence)
    wanted = target_buyers / (people * rate)
    share = min(max(wanted, smallest_share), largest_share)
    buyers = people * share * rate
    sentence = (
        f"{percent(share)} held out{_bound(share, wanted)}: of {people:,} people "
        f"{percent(rate)} are expected to buy unprompted, so the holdout can expect about "
        f"{buyers:,.0f} buyers ({target_buyers} are aimed for)."
    )
    return HoldoutPlan(people, share, buyers, sentence)


def _usable_rate(people: int, rate: float | Unknown) -> float | Unknown:
    if isinstance(rate, Unknown):
        return rate
    if not 0 <= rate <= 1:
        raise ValueError(f"a base rate lies between 0 and 1, not {rate}")
    if people == 0:
        return Unknown("nobody is on the list yet")
    if rate == 0:
        return Unknown("nobody is expected to buy unprompted")
    return rate


def _bound(share: float, wanted: float) -> str:
    if share == wanted:
        return ""
    return ", the most allowed" if share < wanted else ", the least allowed"


def provable_lift(
    *,
    people: int,
    holdout_share: float,
    standard_deviation: float,
    mean: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | Unknown:
    """Return the smallest difference per assigned customer that is likely to be seen.

    ``standard_deviation`` is that of net revenue per assigned customer, zeros included,
    and the result has its unit. A true difference of this size is told from zero with
    probability ``power`` by a two-sided test at level ``alpha``, in the normal
    approximation: (z(1 - alpha/2) + z(power)) x sd x sqrt(1/n1 + 1/n2), Chow, Shao &
    Wang, Sample Size Calculations in Clinical Research, 2nd ed. (2008), p. 58. With few
    buyers and heavy tails it is a hopeful figure: the real one is larger.

    With ``mean``, that of net revenue per assigned customer without the journey, the difference
    is made by more buyers with the same baskets: E[x^2] grows with the mean, and so does the
    deviation of the arm that is written to. Then the test's own deviation is of both arms
    pooled and that of the difference of each.

    ``Unknown`` when an arm would have fewer than two people or revenue does not vary.
    """
    arms = _arms(people, holdout_share)
    if isinstance(arms, Unknown):
        return arms
    if not 0 < standard_deviation < math.inf:
        return Unknown("past revenue does not vary between customers")
    treated, held = arms
    shift = _both_errors(alpha, power) * standard_deviation * math.sqrt(1 / treated + 1 / held)
    if mean is None or mean <= 0:
        return shift
    square = (standard_deviation**2 + mean**2) / mean

    def short(lift: float) -> float:
        middle = mean + lift * treated / (treated + held)
        pooled = (square * middle - middle**2) * (1 / treated + 1 / held)
        more = mean + lift
        own = (square * more - more**2) / treated + standard_deviation**2 / held
        normal = NormalDist()
        return (
            normal.inv_cdf(1 - alpha / 2) * math.sqrt(max(pooled, 0.0))
            + normal.inv_cdf(power) * math.sqrt(max(own, 0.0))
            - lift
        )

    # At so much more everybody would buy, each for what buyers spend.
    most = max(square - mean, 0.0)
    if short(most) > 0:
        return Unknown("even if everyone treated bought, the list is too short to show it")
    return float(brentq(short, 0.0, most))


def with_buyers(mean: float, standard_deviation: float, times: float) -> tuple[float, float]:
    """Return mean and deviation of revenue if ``times`` as many bought, with the same baskets.

    E[x^2] grows with the mean: both are sums over buyers.
    """
    square = (standard_deviation**2 + mean**2) * times
    return mean * times, math.sqrt(max(square - (mean * times) ** 2, 0.0))


def people_for_lift(
    *,
    lift: float,
    holdout_share: float,
    standard_deviation: float,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | Unknown:
    """Return how many people are needed to tell ``lift`` from zero, both arms together.

    ``provable_lift`` solved for the number of people; ``Unknown`` when there is no lift,
    no holdout or no variation.
    """
    if lift <= 0:
        return Unknown("no difference was seen")
    if not 0 < holdout_share < 1:
        return Unknown("one of the arms is empty")
    if not 0 < standard_deviation < math.inf:
        return Unknown("revenue does not vary between customers")
    spread = (_both_errors(alpha, power) * standard_deviation / lift) ** 2
    return math.ceil(spread * (1 / holdout_share + 1 / (1 - holdout_share)))


def holdout_for_lift(
    *,
    people: int,
    lift: float,
    standard_deviation: float,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | Unknown:
    """Return the smallest share to hold out of ``people`` that would show ``lift``.

    ``Unknown`` when not even half of them is enough.
    """
    if people < 2 * _FEWEST_PER_ARM or lift <= 0 or not 0 < standard_deviation < math.inf:
        return Unknown("there are too few people, or nothing varies")
    # share x (1 - share) has to be at least this.
    needed = (_both_errors(alpha, power) * standard_deviation / lift) ** 2 / people
    if needed > 0.25:
        return Unknown("the list is too short: not even half of it held out would show this")
    return (1 - math.sqrt(1 - 4 * needed)) / 2


def provable_rate_lift(
    *,
    people: int,
    holdout_share: float,
    base_rate: float,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | Unknown:
    """Return the smallest rise of a return rate that is likely to be seen.

    ``base_rate`` is the holdout's rate and the result is added to it (0.02 is two
    percentage points). Each arm has its own binomial variance: d solves
    d^2 = (z(1 - alpha/2) + z(power))^2 x (p(1-p)/n_holdout + (p+d)(1-p-d)/n_treatment),
    Chow, Shao & Wang (2008), p. 89.

    ``Unknown`` when an arm would have fewer than two people, the base rate is 0 or 1, or
    not even everyone's return would be enough.
    """
    arms = _arms(people, holdout_share)
    if isinstance(arms, Unknown):
        return arms
    if not 0 < base_rate < 1:
        return Unknown("the base rate is 0 or 1, so it does not vary")
    treated, held = arms
    weight = _both_errors(alpha, power) ** 2
    linear = weight * (1 - 2 * base_rate) / treated
    square = 1 + weight / treated
    constant = weight * base_rate * (1 - base_rate) * (1 / treated + 1 / held)
    rise = (linear + math.sqrt(linear**2 + 4 * square * constant)) / (2 * square)
    if base_rate + rise > 1:
        return Unknown("even if everyone treated returned, the list is too short to show it")
    return rise


def _arms(people: int, holdout_share: float) -> tuple[int, int] | Unknown:
    held = round(people * holdout_share)
    if min(held, people - held) < _FEWEST_PER_ARM:
        return Unknown("an arm would have fewer than two people")
    return people - held, held


def _both_errors(alpha: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
