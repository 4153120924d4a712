"""What the offers of a walk through a journey would cost: at most, and as far as is expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rekindle.journeys import Journey, Move
from rekindle.vocabulary import Answer, Money
from rekindle.wording import counted


@dataclass(frozen=True, slots=True)
class OfferForecast:
    """One offer, or one rung of a ladder: to how many messages it goes, and its cost."""

    offer: str
    ladder: str
    rung: int
    count: int
    most: Money
    expected: Money

    def __str__(self) -> str:
        where = f", rung {self.rung} of {self.ladder}" if self.ladder else ""
        return (
            f"{self.offer}{where}: {counted(self.count, 'message')}, "
            f"{self.most} at most, {self.expected} expected"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as documented JSON."""
        return {
            "offer": self.offer,
            "ladder": self.ladder or None,
            "rung": self.rung or None,
            "messages": self.count,
            "cost_at_most": float(self.most.amount),
            "cost_expected": float(self.expected.amount),
        }


def forecast_offers(moves: Iterable[Move], currency: str) -> tuple[OfferForecast, ...]:
    """Return what the messages of these moves would give, by offer and rung."""
    sums: defaultdict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for move in moves:
        given = move.offer
        if given is None or move.decision.answer is not Answer.SEND:
            continue
        found = sums[given.ladder, given.rung, given.offer]
        found[0] += 1
        found[1] += given.most_micros
        found[2] += given.expected_micros
    return tuple(
        OfferForecast(
            offer,
            ladder,
            rung,
            count,
            Money.from_micros(most, currency),
            Money.from_micros(expected, currency),
        )
        for (ladder, rung, offer), (count, most, expected) in sorted(sums.items())
    )


def offer_notes(journey: Journey) -> Iterator[str]:
    """Yield what a forecast of a journey's offers does not reckon with."""
    if any(send.offer is not None for send in journey.sends):
        yield (
            "Offers that people have from other journeys, and codes that are left, are not looked "
            "at: fewer may be given, or later."
        )
