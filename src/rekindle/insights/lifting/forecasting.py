"""When the variants of a message could be told apart, said before anybody is written to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from rekindle.experiments import first_reading, provable_difference
from rekindle.insights.lifting.variants import METRICS
from rekindle.insights.wire import Figure, Json, write_figure
from rekindle.insights.words import say_points
from rekindle.journeys import Measure, Send
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, percent

A_DAY = timedelta(days=1)
LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class TestForecast:
    """What is to be expected of the variants of one step.

    ``people`` are written to at first; ``rate`` of them do what is measured ``within`` its
    time; ``per_day`` so many more come, where it is known. ``after`` is how long after the
    start the step is reached.
    """

    __test__ = False

    step: str
    measure: Measure
    variants: int
    people: int
    rate: Figure
    per_day: Figure
    after: timedelta
    within: timedelta

    @property
    def needed(self) -> int:
        """Return how many people have to do what is measured before the first reading."""
        return first_reading(self.variants)

    @property
    def days(self) -> Figure:
        """Return after about how many days the test can tell, or why nobody knows."""
        if isinstance(self.rate, Unknown):
            return self.rate
        if not self.rate:
            return Unknown("nobody is expected to do what is measured")
        once = (self.after + self.within) / A_DAY
        missing = math.ceil(self.needed / self.rate) - self.people
        if missing <= 0:
            return once
        if isinstance(self.per_day, Unknown):
            return self.per_day
        if not self.per_day:
            return Unknown("nobody is expected to enter later")
        days = once + missing / self.per_day
        return days if days <= LONGEST_DAYS else Unknown("it would take more than ten years")

    @property
    def provable(self) -> Figure:
        """Return the smallest difference of shares that the first reading is likely to show."""
        if isinstance(self.rate, Unknown):
            return self.rate
        if self.measure is Measure.REVENUE:
            return Unknown("how much the baskets differ decides")
        if not 0 < self.rate < 1:
            return Unknown("everybody or nobody is expected to do what is measured")
        people = max(self.people, math.ceil(self.needed / self.rate))
        return provable_difference(variants=self.variants, people=people, base_rate=self.rate)

    def to_json(self) -> Json:
        """Return the forecast as JSON values; what is unknown carries its reason."""
        return {
            "step": self.step,
            "measure": self.measure.value,
            "variants": self.variants,
            "people": self.people,
            "expected_share": write_figure(self.rate),
            "needed": self.needed,
            "days": write_figure(self.days, 1),
            "provable": write_figure(self.provable),
        }

    def __str__(self) -> str:
        what = METRICS[self.measure]
        begun = (
            f"The variants of {self.step} are compared by the {what}, first when "
            f"{self.needed:,} people of all variants together have done it"
        )
        if isinstance(self.days, Unknown):
            return f"{begun}; when that will be nobody knows: {self.days.reason}."
        assert not isinstance(self.rate, Unknown)
        told = (
            f"{begun}: about {math.ceil(self.days):,} days after the start, with "
            f"{counted(self.people, 'person')} written to at first and {percent(self.rate)} "
            "expected to"
        )
        if isinstance(self.provable, Unknown):
            return f"{told}."
        return f"{told}. A difference of {say_points(self.provable)} is likely to show then."


def forecast_test(
    send: Send,
    *,
    people: int,
    rate: Figure,
    per_day: Figure,
    after: timedelta,
    within: timedelta,
) -> TestForecast:
    """Return what is to be expected of the variants of a step."""
    return TestForecast(
        send.key, send.measure, len(send.variants), people, rate, per_day, after, within
    )
