"""What an arm comes down to: how many people, and a few sums over those who did anything.

Whatever a lift needs besides permutations follows from these, so that an engine counts a
file of any size in one grouped query and hands over a dozen numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PowerSums:
    """How many numbers of one sign there are, and the sums of their first three powers."""

    count: int = 0
    first: float = 0.0
    second: float = 0.0
    third: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> PowerSums:
        """Return the sums of ``values``.

        Raises:
            ValueError: a value is so large that its powers are no numbers any more.
        """
        kept = list(values)
        try:
            sums = [math.fsum(value**power for value in kept) for power in (1, 2, 3)]
        except OverflowError as error:
            raise ValueError("a value is too large to be summed") from error
        return cls(len(kept), *sums)

    def __add__(self, other: PowerSums) -> PowerSums:
        return PowerSums(
            self.count + other.count,
            self.first + other.first,
            self.second + other.second,
            self.third + other.third,
        )

    def mirrored(self) -> PowerSums:
        """Return the sums of the same numbers with the other sign."""
        return PowerSums(self.count, -self.first, self.second, -self.third)


@dataclass(frozen=True, slots=True)
class ArmSums:
    """An arm of ``assigned`` people: sums over what is above zero and what is below.

    Raises:
        ValueError: a count that cannot be, or a sum that is not finite.
    """

    assigned: int
    gains: PowerSums = PowerSums()
    losses: PowerSums = PowerSums()

    def __post_init__(self) -> None:
        if self.assigned < 0:
            raise ValueError(f"assigned is {self.assigned}; a count cannot be negative")
        if self.gains.count + self.losses.count > self.assigned:
            raise ValueError(
                f"{self.gains.count + self.losses.count} values for only {self.assigned} "
                "assigned customers"
            )
        sums = (self.gains.second, self.gains.third, self.losses.second, self.losses.third)
        if not all(map(math.isfinite, sums)):
            raise ValueError("the sums of an arm must be finite")

    def __add__(self, other: ArmSums) -> ArmSums:
        return ArmSums(
            self.assigned + other.assigned, self.gains + other.gains, self.losses + other.losses
        )

    @property
    def count(self) -> int:
        """Return how many people's number is not zero."""
        return self.gains.count + self.losses.count

    @property
    def total(self) -> float:
        """Return the sum over the arm."""
        return self.gains.first + self.losses.first

    @property
    def mean(self) -> float:
        """Return the mean per assigned customer; the arm must not be empty."""
        return self.total / self.assigned

    @property
    def square(self) -> float:
        """Return the mean square per assigned customer."""
        return (self.gains.second + self.losses.second) / self.assigned

    @property
    def variance(self) -> float:
        """Return the sample variance; the arm must hold two people."""
        spread = self.square - self.mean**2
        return max(spread, 0.0) * self.assigned / (self.assigned - 1)

    def mirrored(self) -> ArmSums:
        """Return the arm with every number's sign turned."""
        return ArmSums(self.assigned, self.losses.mirrored(), self.gains.mirrored())
