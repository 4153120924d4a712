"""Tells which of several variants did better than the first, and when that can be told.

A comparison is read when enough people did what is measured, and again whenever twice as
many have: at each reading over the same people, in the order in which their time was over,
whoever looks and however often. The readings share one chance of a false alarm, half of it
the first and half of the rest each next one, so that it is never above 1 - confidence
however many there are. Within a reading the variants share it as several arms beside one
holdout do (``several``). What was told once stays told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rekindle.experiments.lift import MOST_DEALT, estimate_lift
from rekindle.experiments.model import ArmOutcome, Lift
from rekindle.experiments.several import share_level
from rekindle.experiments.size import provable_rate_lift
from rekindle.vocabulary import Unknown

DOERS_PER_VARIANT = 40
"""So many people of each variant have to have done something at the first reading.

As many as a holdout is sized for, and counted over all variants together: a count of each
would depend on which is better.
"""

CONFIDENCE = 0.95


class VariantVerdict(StrEnum):
    """What a comparison of variants says."""

    TOO_EARLY = "too_early"
    WINNER = "winner"
    NO_DIFFERENCE = "no_difference"
    NOT_ESTIMABLE = "not_estimable"


@dataclass(frozen=True, slots=True)
class VariantPerson:
    """One person who was given a variant, once their time is over: 0 if they did nothing."""

    person: str
    variant: str
    over_at: datetime
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Against:
    """One variant against the first, at one reading; ``p_value`` is adjusted for the others."""

    variant: str
    lift: Lift | Unknown
    p_value: float | Unknown
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a reading says. ``people`` were compared, of whom ``doers`` did anything.

    ``next_at`` is how many doers the next reading waits for; none follows a winner.
    ``reason`` says why nothing can be told.
    """

    verdict: VariantVerdict
    winner: str = ""
    against: tuple[Against, ...] = ()
    people: int = 0
    doers: int = 0
    next_at: int = 0
    confidence: float = CONFIDENCE
    reason: str = ""

    @property
    def worse(self) -> tuple[str, ...]:
        """Return the variants that did worse than the first."""
        return tuple(
            one.variant
            for one in self.against
            if one.is_told and isinstance(one.lift, Lift) and one.lift.difference < 0
        )


def compare_variants(
    names: Sequence[str],
    given: Sequence[VariantPerson],
    *,
    metric: str,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Return what is told of ``names``, each but the first against the first.

    Everybody counts in the variant they were given, whether they did anything or not; who
    was given another than ``names`` does not count.
    """
    known = sorted(
        (one for one in given if one.variant in names), key=lambda one: (one.over_at, one.person)
    )
    doers = sum(one.value != 0 for one in known)
    if len({one.variant for one in known}) < len(names) and doers >= first_reading(len(names)):
        nobody = next(name for name in names if all(one.variant != name for one in known))
        reason = f"nobody's time with the variant {nobody} is over"
        return Comparison(
            VariantVerdict.NOT_ESTIMABLE, doers=doers, people=len(known), reason=reason
        )
    latest = Comparison(
        VariantVerdict.TOO_EARLY, people=len(known), doers=doers, next_at=first_reading(len(names))
    )
    alpha = 1 - confidence
    for size in _readings(len(names), doers):
        alpha /= 2
        latest = _read(names, _until(known, size), metric=metric, alpha=alpha)
        if latest.verdict is VariantVerdict.WINNER:
            return latest
    return latest


def first_reading(variants: int) -> int:
    """Return how many doers, of all variants together, the first reading waits for."""
    return DOERS_PER_VARIANT * variants


def provable_difference(
    *, variants: int, people: int, base_rate: float, confidence: float = CONFIDENCE
) -> float | Unknown:
    """Return the smallest rise of a rate over the first variant's that is likely to be seen.

    At the first reading, with ``people`` spread evenly over the variants, in four tests of five.
    """
    alpha = (1 - confidence) / 2 / (variants - 1)
    pair = 2 * people // variants
    return provable_rate_lift(people=pair, holdout_share=0.5, base_rate=base_rate, alpha=alpha)


def _readings(variants: int, doers: int) -> Iterator[int]:
    size = first_reading(variants)
    while size <= doers:
        yield size
        size *= 2


def _until(known: Sequence[VariantPerson], doers: int) -> Sequence[VariantPerson]:
    """Return those whose time was over first, up to the one that makes so many doers."""
    seen = 0
    for place, one in enumerate(known, 1):
        seen += one.value != 0
        if seen == doers:
            return known[:place]
    return known


def _read(
    names: Sequence[str], people: Sequence[VariantPerson], *, metric: str, alpha: float
) -> Comparison:
    outcomes = _outcomes(names, people)
    base, *others = names
    values = [value for one in outcomes.values() for value in one.values]
    level = share_level(
        outcomes[base].sums,
        {name: outcomes[name].sums for name in others},
        values if len(values) <= MOST_DEALT else None,
        confidence=1 - alpha,
    )
    # Where nothing varies, the deals say nothing; an arm's own level is the least.
    confidence = max(level.confidence, 1 - alpha)
    lifts = {
        name: estimate_lift(outcomes[name], outcomes[base], metric=metric, confidence=confidence)
        for name in others
    }
    against = tuple(
        Against(name, lift, lift)
        if isinstance(lift, Unknown)
        else Against(name, lift, p := level.adjust(lift.p_value), p <= alpha)
        for name, lift in lifts.items()
    )
    doers = sum(len(one.values) for one in outcomes.values())
    verdict, winner, reason = _judge(base, against, outcomes)
    return Comparison(
        verdict,
        winner,
        against,
        people=len(people),
        doers=doers,
        next_at=0 if verdict is VariantVerdict.WINNER else 2 * doers,
        confidence=confidence,
        reason=reason,
    )


def _outcomes(names: Sequence[str], people: Sequence[VariantPerson]) -> Mapping[str, ArmOutcome]:
    values: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for one in people:
        counts[one.variant] += 1
        if one.value:
            values[one.variant].append(one.value)
    return {name: ArmOutcome(counts[name], tuple(values[name])) for name in names}


def _judge(
    base: str, against: Sequence[Against], outcomes: Mapping[str, ArmOutcome]
) -> tuple[VariantVerdict, str, str]:
    """Return what a reading says, who won, and why nothing can be told."""
    unknown = [one.lift for one in against if isinstance(one.lift, Unknown)]
    if len(unknown) == len(against):
        return VariantVerdict.NOT_ESTIMABLE, "", unknown[0].reason
    better = [
        one.variant
        for one in against
        if one.is_told and isinstance(one.lift, Lift) and one.lift.difference > 0
    ]
    if better:
        return VariantVerdict.WINNER, max(better, key=lambda name: outcomes[name].mean), ""
    if all(one.is_told for one in against):
        return VariantVerdict.WINNER, base, ""
    return VariantVerdict.NO_DIFFERENCE, "", ""
