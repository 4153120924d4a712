"""Estimates what a journey earned: treatment minus holdout, with an honest interval.

Revenue is mostly zeros with a few large orders, and holdouts are small; the usual normal
interval then sees effects where none are. Here a true difference d is plausible unless the
observed one lies further from it than chance would take it if d were true
(``hypothesis``). How far chance goes comes from permutations: at d = 0 the interval is the
permutation test, whose level is exact whatever the distribution; elsewhere the quantiles
move by as much as those of a gamma with the skewness at d. With too many buyers to deal
their people anew, or at a level too fine for the draws, the gamma stands alone.

The comparison with other intervals is in docs/decisions/0041-an-interval-for-both-directions.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rekindle.experiments.hypothesis import Hypotheses
from rekindle.experiments.interval import ChanceReach, LiftQuestion
from rekindle.experiments.model import ArmOutcome, Incremental, Lift
from rekindle.experiments.permutation import Draws, deal_sums
from rekindle.experiments.sums import ArmSums
from rekindle.experiments.watching import Watch, find_confidence, kind_of
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

NET_REVENUE = "net revenue per assigned customer"
DEFAULT_SEED = 1996
DEFAULT_DRAWS = 9_999
# With so many buyers a sum is so close to its gamma that draws only cost time.
MOST_DEALT = 20_000

# A quantile with fewer draws beyond it is the draws' noise.
_FEWEST_BEYOND = 5
# With fewer buyers in an arm nothing is known of what people buy there.
_FEW_BUYERS = 10
BY_SUMS = "score interval from sums"


def estimate_lift(
    treatment: ArmOutcome,
    holdout: ArmOutcome,
    *,
    metric: str = NET_REVENUE,
    confidence: float = 0.95,
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
    watch: Watch = None,
) -> Lift | Unknown:
    """Return the difference per assigned customer, its interval and p-value.

    The same input and seed give the same numbers; swapping the arms turns the signs.
    Memory grows with ``draws``; time with ``draws`` times the number of buyers (ties
    that are many count once): about 0.1 s for 1,000 of them and the default draws.

    ``Unknown`` when an arm is empty, nobody bought, every customer of each arm has the
    same value, or the people or buyers are too few for an interval at this level; with
    ``watch`` also when it is too early to say anything.

    Raises:
        ValueError: ``confidence`` is not inside 0-1, or ``draws`` are too few for it.
    """
    rank = _rank(confidence, draws)
    if trouble := find_trouble(treatment.sums, holdout.sums):
        return Unknown(trouble)
    if watch is not None:
        return _estimate_watched(treatment, holdout, metric, confidence, watch)
    # Dealt in an order that does not depend on the names, swapped arms mirror exactly.
    first, second = sorted((treatment, holdout), key=lambda arm: (arm.assigned, arm.values))
    question = ask(first.sums, second.sums, confidence)
    if len(first.values) + len(second.values) > MOST_DEALT or rank < _FEWEST_BEYOND:
        lift = tell(question, question.ask_gamma(), metric, BY_SUMS)
    else:
        deals = deal_differences(first, second, draws=draws, seed=seed)
        if trouble := find_coarseness(deals, rank, confidence):
            return Unknown(trouble)
        lift = tell(question, question.ask_deals(deals, rank), metric, by_draws(draws))
    lift = replace(lift, warnings=find_warnings(treatment.sums, holdout.sums))
    return lift if first is treatment else _swapped(lift)


def estimate_lift_from_sums(
    treatment: ArmSums,
    holdout: ArmSums,
    *,
    metric: str = NET_REVENUE,
    confidence: float = 0.95,
    watch: Watch = None,
) -> Lift | Unknown:
    """Return the same from sums alone: chance is a gamma with the variance and skewness.

    ``Unknown`` as ``estimate_lift``.

    Raises:
        ValueError: ``confidence`` is not inside 0-1.
    """
    _check(confidence)
    if trouble := find_trouble(treatment, holdout):
        return Unknown(trouble)
    buyers = treatment.count + holdout.count
    level = find_confidence(watch, buyers=buyers, confidence=confidence)
    if isinstance(level, Unknown):
        return level
    question = ask(treatment, holdout, level)
    lift = tell(question, question.ask_gamma(), metric, BY_SUMS)
    return replace(lift, interval=kind_of(watch), warnings=find_warnings(treatment, holdout))


def incremental(treatment: ArmOutcome, holdout: ArmOutcome) -> Incremental | Unknown:
    """Return what the treatment arm did beyond the holdout's rate, as one number.

    The holdout's mean per assigned customer, times the people treated, is what would
    have happened anyway; the rest is incremental. It carries no interval: that is
    ``estimate_lift``.
    """
    if not treatment.assigned or not holdout.assigned:
        return Unknown(_nobody_in(treatment.sums))
    total = treatment.total
    amount = total - treatment.assigned * holdout.mean
    share = amount / total if total > 0 else Unknown("the treatment arm earned nothing")
    return Incremental(amount, share)


def _estimate_watched(
    treatment: ArmOutcome, holdout: ArmOutcome, metric: str, confidence: float, watch: Watch
) -> Lift | Unknown:
    """Return the interval at the level of this look, with more draws where the level is fine."""
    buyers = len(treatment.values) + len(holdout.values)
    level = find_confidence(watch, buyers=buyers, confidence=confidence)
    if isinstance(level, Unknown):
        return level
    try:
        lift = estimate_lift(treatment, holdout, metric=metric, confidence=level)
    except ValueError:  # the level is finer than the draws
        lift = estimate_lift_from_sums(
            treatment.sums, holdout.sums, metric=metric, confidence=level
        )
    return lift if isinstance(lift, Unknown) else replace(lift, interval=kind_of(watch))


def by_draws(draws: int) -> str:
    """Return the name of the method where people are dealt anew."""
    return f"score interval, {draws:,} permutations"


def deal_differences(treatment: ArmOutcome, holdout: ArmOutcome, *, draws: int, seed: int) -> Draws:
    """Return the sorted differences of means when the labels are dealt anew."""
    dealt, kept = deal_sums(
        (treatment.assigned, holdout.assigned),
        treatment.values + holdout.values,
        draws=draws,
        rng=np.random.default_rng(seed),
    )
    return np.sort(dealt / treatment.assigned - kept / holdout.assigned)


def find_trouble(treatment: ArmSums, holdout: ArmSums) -> str:
    """Return why nothing can be estimated, or an empty string."""
    if not treatment.assigned or not holdout.assigned:
        return _nobody_in(treatment)
    if not treatment.count and not holdout.count:
        return "nobody bought in either arm"
    if _is_constant(treatment) and _is_constant(holdout):
        return "every customer of an arm has the same value"
    return ""


def find_warnings(treatment: ArmSums, holdout: ArmSums) -> tuple[str, ...]:
    """Return what makes an interval rougher than it looks."""
    named = (("treatment arm", treatment), ("holdout", holdout))
    return tuple(
        f"only {counted(arm.count, 'person')} of the {name} did anything: a rough interval"
        for name, arm in named
        if arm.count < _FEW_BUYERS
    )


def _rank(confidence: float, draws: int) -> int:
    """Return which difference, counted from either end, bounds what chance does.

    With draws + 1 exchangeable differences (the observed one included), no effect is
    rejected on one side when at most rank - 1 of the drawn ones lie beyond it.
    """
    _check(confidence)
    rank = int((1 - confidence) / 2 * (draws + 1) + 1e-9)
    if rank < 1:
        raise ValueError(f"{draws} draws are too few for a {confidence * 100:g} % interval")
    return rank


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not {confidence}")


def find_coarseness(deals: Draws, rank: int, confidence: float) -> str:
    """Return why the deals are too few different ones, or an empty string."""
    low, high = deals[rank - 1], deals[-rank]
    if low == deals[0] and high == deals[-1] and low < high:
        return f"the arms are too small for a {confidence * 100:g} % interval"
    return "" if low < 0 < high else "too few people bought to tell a difference from chance"


def ask(treatment: ArmSums, holdout: ArmSums, confidence: float) -> LiftQuestion:
    """Return the question that two arms put."""
    difference = treatment.mean - holdout.mean
    return LiftQuestion(difference, Hypotheses(treatment, holdout), confidence)


def tell(question: LiftQuestion, reach: ChanceReach, metric: str, method: str) -> Lift:
    """Return the answer to a question, by how far chance goes without a difference."""
    low, high = question.invert(reach)
    return Lift(
        metric=metric,
        difference=question.difference,
        low=low,
        high=high,
        p_value=reach.p_value,
        confidence=question.confidence,
        method=method,
    )


def _swapped(lift: Lift) -> Lift:
    return replace(lift, difference=-lift.difference, low=-lift.high, high=-lift.low)


def _nobody_in(treatment: ArmSums) -> str:
    arm = "holdout" if treatment.assigned else "treatment arm"
    return f"nobody was assigned to the {arm}"


def _is_constant(arm: ArmSums) -> bool:
    """Return whether everybody of the arm has one number (rounding aside)."""
    if arm.count == 0:
        return True
    if arm.count < arm.assigned:
        return False
    return arm.square - arm.mean**2 <= 1e-12 * arm.square
