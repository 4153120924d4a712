"""What each unit of money earned where it was spent, and whether it had earned more elsewhere.

A place is a journey, or a subgroup of one. What it earned is its lift over everybody treated,
as far as it is margin; its messages are what that cost. The difference between two places has
the interval that their own intervals leave (MOVER: Zou & Donner 2008, Statistics in Medicine
27:1693), each at a level at which all pairs hold together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from zoneinfo import ZoneInfo

from rekindle.facts import Engine, Facts
from rekindle.insights.lifting.estimating import CONFIDENCE, cut_at_reading, estimate_lifts
from rekindle.insights.lifting.reading import Readout, find_reading
from rekindle.insights.lifting.subgroups import find_cost, keep_people, split_record
from rekindle.insights.outcomes import Outcomes, load_outcomes
from rekindle.insights.record import JourneyRecord
from rekindle.insights.wire import VERSION, Json, write_told
from rekindle.vocabulary import Arm, Unknown
from rekindle.wording import amount, percent

MOVED = 0.1
NO_COST = Unknown("its messages cost nothing that was recorded")
NO_MOVE = Unknown("no two places differ by more than chance in what a unit of money earned")
TOO_FEW = Unknown("it takes two places whose messages cost something and whose lift is known")
ASSUMED = (
    "This is what money earned on average where it was spent. That more of it earns as much takes "
    "more people of the same kind; another message to the same people, or another channel, is a "
    "journey of its own, with a holdout of its own."
)


@dataclass(frozen=True, slots=True)
class UnitEarned:
    """Money earned for each unit of money, with the ends of its interval."""

    value: float
    low: float
    high: float

    def beyond(self, other: UnitEarned) -> UnitEarned:
        """Return how much more it is than another, of other people, with the interval of that."""
        more = self.value - other.value
        return UnitEarned(
            more,
            more - math.hypot(self.value - self.low, other.high - other.value),
            more + math.hypot(self.high - self.value, other.value - other.low),
        )

    def times(self, money: float) -> UnitEarned:
        """Return what so much money earned."""
        return UnitEarned(self.value * money, self.low * money, self.high * money)

    def to_json(self) -> Json:
        """Return the figure and its ends, rounded."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: round(end, 4) for name, end in ends.items()}


@dataclass(frozen=True, slots=True)
class SpendingPlace:
    """Where money was spent: people ``treated``, ``cost`` in major units, what a unit earned."""

    journey: str
    subgroup: str
    treated: int
    cost: float
    per_unit: UnitEarned | Unknown

    @property
    def name(self) -> str:
        """Return the journey, and the subgroup where there is one."""
        return f"{self.journey}: {self.subgroup}" if self.subgroup else self.journey

    def to_json(self) -> Json:
        """Return the place as JSON values; money in major units."""
        return {
            "journey": self.journey,
            "subgroup": self.subgroup or None,
            "treated": self.treated,
            "cost": round(self.cost, 4),
            "earned_per_unit": write_told(self.per_unit),
        }


@dataclass(frozen=True, slots=True)
class BudgetMove:
    """``amount`` of money from one place to another, and what it would have earned more."""

    source: str
    target: str
    amount: float
    gain: UnitEarned

    def to_json(self) -> Json:
        """Return the move as JSON values; money in major units."""
        return {
            "from": self.source,
            "to": self.target,
            "share": MOVED,
            "amount": round(self.amount, 4),
            "gain": self.gain.to_json(),
        }


@dataclass(frozen=True, slots=True)
class BudgetAdvice:
    """Every place, the best earning first, and what to move, where the data say so.

    Each interval is at ``confidence``, so that all pairs of places hold together at 95 %.
    ``margin`` is the part of net revenue that counts, None where it is not known and all does.
    """

    until: datetime
    by: str
    currency: str
    margin: float | None
    confidence: float
    places: Sequence[SpendingPlace]
    move: BudgetMove | Unknown

    @property
    def told(self) -> tuple[str, ...]:
        """Return in words what to move, and what this rests on."""
        return (self._tell_move(), *self._tell_losses(), *self._tell_margin(), ASSUMED)

    def _tell_move(self) -> str:
        move = self.move
        if isinstance(move, Unknown):
            return f"Nothing is to be moved: {move.reason}."
        say = self._say
        return (
            f"Move {percent(MOVED)} ({say(move.amount)}) from {move.source} to {move.target}: "
            f"spent there it would have earned {say(move.gain.value)} more, and at least "
            f"{say(move.gain.low)} with {CONFIDENCE * 100:g} % confidence."
        )

    def _tell_losses(self) -> Iterator[str]:
        for place in self.places:
            earned = place.per_unit
            if self.margin is not None and isinstance(earned, UnitEarned) and earned.high < 1:
                yield (
                    f"{place.name} earns less than it costs: at most {self._say(earned.high)} for "
                    "each unit spent. `[stopping] measured` leaves such messages out."
                )

    def _tell_margin(self) -> Iterator[str]:
        if self.margin is None:
            yield (
                "Without `margin` in [offers] of rekindle.toml all net revenue counts as earned, "
                "and a place may look as if it paid that does not."
            )

    def _say(self, money: float) -> str:
        return amount(money, self.currency)

    def to_json(self) -> Json:
        """Return the advice as JSON values; money in major units."""
        return {
            "version": VERSION,
            "to": self.until.isoformat(),
            "by": self.by or None,
            "margin": self.margin,
            "confidence": round(self.confidence, 6),
            "places": [place.to_json() for place in self.places],
            "move": write_told(self.move),
            "notes": list(self.told),
        }


def advise(
    records: Sequence[JourneyRecord],
    facts: Facts,
    engine: Engine,
    *,
    margin: float | None,
    until: datetime,
    by: str = "",
) -> BudgetAdvice:
    """Return what the journeys' money earned, and whether some of it belongs elsewhere.

    ``by`` tells the people of each journey apart by a covariate; empty does not.
    """
    spent = [part for record in records for part in _read(record, facts, engine, by)]
    paid = sum(find_cost(part.record) > 0 for part in spent)
    confidence = 1 - (1 - CONFIDENCE) / max(paid * (paid - 1) // 2, 1)
    counted_as_earned = 1.0 if margin is None else margin
    places = [_judge(part, counted_as_earned, confidence) for part in spent]
    places.sort(key=_rank)
    return BudgetAdvice(until, by, facts.currency, margin, confidence, places, find_move(places))


@dataclass(frozen=True, slots=True)
class _Spent:
    """The people of a place, what they did, and how that is read."""

    subgroup: str
    record: JourneyRecord
    outcomes: Outcomes
    reading: Readout


def _read(record: JourneyRecord, facts: Facts, engine: Engine, by: str) -> Iterator[_Spent]:
    """Yield the places of a journey, as they stood at its reading."""
    reading = find_reading(record, ZoneInfo(facts.zone))
    whole = cut_at_reading(record, reading)
    outcomes = load_outcomes(engine, facts, whole)
    # Messages to people who entered after the reading date are not held against the others.
    parts = split_record(whole, by) if by else {"": keep_people(whole, whole.members)}
    for subgroup, part in parts.items():
        yield _Spent(subgroup, part, outcomes, reading)


def _judge(spent: _Spent, margin: float, confidence: float) -> SpendingPlace:
    record = spent.record
    cost = find_cost(record)
    treated = len({one.person for one in record.members if one.arm is Arm.TREATMENT})
    per_unit: UnitEarned | Unknown = NO_COST
    if cost > 0:
        lift = estimate_lifts(record, spent.outcomes, spent.reading, confidence=confidence).revenue
        share = treated * margin / cost
        per_unit = (
            lift
            if isinstance(lift, Unknown)
            else UnitEarned(lift.difference * share, lift.low * share, lift.high * share)
        )
    return SpendingPlace(record.journey.name, spent.subgroup, treated, cost, per_unit)


def _rank(place: SpendingPlace) -> tuple[bool, float, str]:
    if isinstance(place.per_unit, Unknown):
        return True, 0.0, place.name
    return False, -place.per_unit.value, place.name


def find_move(places: Sequence[SpendingPlace]) -> BudgetMove | Unknown:
    """Return the move that is surest to have earned more; ``Unknown`` where none is sure."""
    known = [(one, one.per_unit) for one in places if isinstance(one.per_unit, UnitEarned)]
    if len(known) < 2:
        return TOO_FEW
    moves = [
        BudgetMove(source.name, target.name, MOVED * source.cost, more.times(MOVED * source.cost))
        for (source, here), (target, there) in permutations(known, 2)
        if (more := there.beyond(here)).low > 0
    ]
    return max(moves, key=lambda one: one.gain.low, default=NO_MOVE)
