"""What a journey was found to do to single people, and what may be decided by it.

A figure of a person is the word of a model, and a model is believed only where its order of
people held out of sample. The whole of what speaks against exclusion counts: the upper end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MICRO = 1_000_000
SPARED = 0.05
"""Of those it would leave out, the share that is written to all the same, to measure that."""
HELD_BACK, SENT_TO_LEARN = "held back", "sent to learn"
"""How the detail of a decision begins that rests on a person's figure, or is in spite of it."""


@dataclass(frozen=True, slots=True)
class PersonUplift:
    """By how much more likely a journey makes it that somebody returns, and what that is worth.

    Shares with their ends; ``basket_micros`` is net revenue of one return of theirs.
    """

    share: float
    low: float
    high: float
    basket_micros: int


@dataclass(frozen=True, slots=True)
class UpliftRule:
    """A model that may exclude: what it was learned from, and how its figures become margin.

    It speaks of ``version`` of a journey alone, and was learned of ``people``, each of whom got
    so many ``messages``. ``scored_at`` is the instant its figures are of. ``margin`` is the part of
    a price that is left to the business.
    """

    version: int
    scored_at: datetime
    people: int
    messages: float
    margin: float

    def expect(self, known: PersonUplift, offer_micros: int) -> int:
        """Return the most margin that a message to this person may be expected to bring.

        Net revenue has the discount off already, as in ``MeasuredWorth``.
        """
        each = known.high * known.basket_micros * self.margin / self.messages
        return round(each) + round(self.margin * offer_micros)

    def tell(self, known: PersonUplift, offer_micros: int, cost_micros: int) -> str:
        """Return what is written down with a decision that rests on it."""
        more = " to ".join(f"{100 * one:.2g}" for one in (known.low, known.high))
        most, cost = (
            f"{one / MICRO:.4g}" for one in (self.expect(known, offer_micros), cost_micros)
        )
        return (
            f"people like this one return as often without it: {100 * known.share:.2g} % more "
            f"({more}), so a message earns {most} of margin at the most and costs {cost}; "
            f"learned from {self.people} people, as of {self.scored_at:%Y-%m-%d}"
        )
