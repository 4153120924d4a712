"""A difference as a part of what the holdout did, with ends that come from the same test."""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.experiments.hypothesis import Hypotheses
from rekindle.experiments.model import Lift
from rekindle.experiments.sums import ArmSums
from rekindle.vocabulary import Unknown

# A holdout's mean below this part of the seen one is as good as nothing.
_NOTHING = 1e-3


@dataclass(frozen=True, slots=True)
class Relative:
    """A lift as a part of the holdout's mean; an end is None where nothing bounds it."""

    value: float
    low: float | None
    high: float | None


def relate(treatment: ArmSums, holdout: ArmSums, lift: Lift) -> Relative | Unknown:
    """Return ``lift`` relative to the holdout's mean.

    Each end is divided by the holdout's mean that it implies, not by the one that was
    seen: a holdout that happened to buy little makes both the difference and the ratio
    large, and dividing by it would count that twice.

    ``Unknown`` when the holdout's people brought nothing, or less than nothing.
    """
    if holdout.mean <= 0:
        return Unknown("the holdout's people brought nothing to compare with")
    hypotheses = Hypotheses(treatment, holdout)
    ends = []
    for end in (lift.low, lift.high):
        mean = hypotheses.held_mean(end)
        ends.append(end / mean if mean > _NOTHING * holdout.mean else None)
    return Relative(lift.difference / holdout.mean, ends[0], ends[1])
