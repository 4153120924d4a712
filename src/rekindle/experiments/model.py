"""The nouns of an experiment: what an arm did, how big the holdout is, what was gained.

Frozen values without randomness or storage. An arm is described by its buyers alone,
so that a list of a million silent customers costs nothing to carry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rekindle.experiments.sums import ArmSums, PowerSums
from rekindle.vocabulary import IntervalKind, Unknown


@dataclass(frozen=True, slots=True)
class ArmOutcome:
    """What one arm's customers did, counted over everyone assigned to it.

    ``values`` holds one number per assigned customer whose number is not zero (net
    revenue in major units, or 1.0 for a return); everyone else counts as zero. Any
    iterable of numbers may be given, an array too; it is kept as a sorted tuple without
    zeros, so the order of the rows cannot change a result.

    Raises:
        ValueError: more values than assigned customers, a negative count, or a value
            that is not finite.
    """

    assigned: int
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        values = tuple(sorted(float(value) for value in self.values if value != 0))
        if self.assigned < 0:
            raise ValueError(f"assigned is {self.assigned}; a count cannot be negative")
        if len(values) > self.assigned:
            raise ValueError(f"{len(values)} values for only {self.assigned} assigned customers")
        if not all(map(math.isfinite, values)):
            raise ValueError("every value must be finite; leave out what could not be computed")
        object.__setattr__(self, "values", values)

    @classmethod
    def of_count(cls, assigned: int, count: int) -> ArmOutcome:
        """Return the arm in which ``count`` of ``assigned`` customers did something."""
        return cls(assigned, (1.0,) * count)

    @property
    def sums(self) -> ArmSums:
        """Return what the arm comes down to."""
        return ArmSums(
            self.assigned,
            PowerSums.of(value for value in self.values if value > 0),
            PowerSums.of(value for value in self.values if value < 0),
        )

    @property
    def total(self) -> float:
        """Return the sum over the arm, in the unit of the values."""
        return math.fsum(self.values)

    @property
    def mean(self) -> float:
        """Return the mean per assigned customer; the arm must not be empty."""
        return self.total / self.assigned


@dataclass(frozen=True, slots=True)
class Lift:
    """Treatment minus holdout, per assigned customer, with its interval.

    ``difference``, ``low`` and ``high`` are in the unit of the metric; ``confidence``
    is the interval's level; ``p_value`` is two-sided for "no difference" and is at
    most 1 - ``confidence`` exactly when the interval leaves out zero. ``warnings`` say
    what makes it rougher than it looks. ``interval`` says how often it may be looked at; at
    a look among several, ``confidence`` is the level of that look.
    """

    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    confidence: float
    method: str
    warnings: tuple[str, ...] = ()
    interval: IntervalKind = IntervalKind.FIXED


@dataclass(frozen=True, slots=True)
class Incremental:
    """What the treatment arm did beyond what the holdout's rate would have given.

    ``amount`` is in the unit of the values; ``share`` is its part of everything the
    treatment arm did (below 0 when the holdout did better).
    """

    amount: float
    share: float | Unknown


@dataclass(frozen=True, slots=True)
class HoldoutPlan:
    """How large a holdout is, and in one sentence how that came about.

    ``share`` lies in 0-1; ``expected_buyers`` is the number of held-out people who are
    expected to buy unprompted within the goal window.
    """

    people: int
    share: float
    expected_buyers: float | Unknown
    sentence: str

    @property
    def held_out_count(self) -> int:
        """Return the number of people the holdout can be expected to hold."""
        return round(self.people * self.share)
