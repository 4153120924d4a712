"""Whom measures are about, what a measure says of them, and the groups they are compared by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from rekindle.insights.lifting.estimating import CONFIDENCE, JourneyLifts
from rekindle.insights.lifting.reading import Readout
from rekindle.insights.outcomes import Outcomes
from rekindle.insights.record import JourneyRecord, MessageFate
from rekindle.insights.wire import Figure
from rekindle.journeys import Covariates
from rekindle.vocabulary import Arm, Unknown

RETAINED = timedelta(days=90)
NOBODY_RETURNED = Unknown("nobody has come back yet")

ASSIGNED = "assigned"
NO_DEEDS = Unknown("no basket, checkout or login is reported, which say that somebody began to buy")
NO_ACQUISITION = Unknown(
    "nothing says what a new customer costs; `acquisition_cost` in [shop] of rekindle.toml does"
)


class Unit(StrEnum):
    """What a figure counts."""

    PEOPLE = "people"
    SHARE = "share"
    POINTS = "points"
    """How much one share is larger than another, 0.02 for two percentage points."""
    MONEY = "money"
    NUMBER = "number"


Silence = tuple[int, bool]
"""Days without an order after one and whether one ended them; or subscribed, and if they left."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One person in one journey, from their first entry on.

    ``silence_days`` had passed since the purchase that was known then, None where there was
    none; in a business without orders, since they left. ``returned_at`` and ``revenue`` are as the
    report counts them, inside the window. ``messages`` are those that left, ``bought_on`` the days
    of orders after the return, and ``later_revenue`` what the first days from it on brought, None
    while these are not over. ``stay`` is how long they were subscribed from the return on.
    ``first_bought_at`` is their first purchase whether inside the window or not; ``deeds`` are
    what they did towards one inside it, after they had first followed a link.
    """

    journey: str
    person: str
    arm: Arm
    entered_at: datetime
    silence_days: float | None
    returned_at: datetime | None
    returned_on: date | None
    revenue: float
    messages: tuple[MessageFate, ...] = ()
    bought_on: tuple[date, ...] = ()
    is_noticed: bool = False
    covariates: Covariates = field(default_factory=dict)
    stay: Silence | None = None
    later_revenue: float | None = None
    first_bought_at: datetime | None = None
    deeds: tuple[datetime, ...] = ()

    @property
    def reached(self) -> Sequence[MessageFate]:
        """Return the messages that left and did not come back."""
        return [one for one in self.messages if not one.has_bounced]

    @property
    def cost_micros(self) -> int:
        """Return the cost of the messages that their window answers for, as of their revenue."""
        return sum(one.cost_micros for one in self.messages if one.is_measured)

    @property
    def clicks(self) -> Sequence[datetime]:
        """Return when they followed links of messages that reached them, the first one first."""
        return sorted(at for one in self.reached for at in one.clicked_at)


@dataclass(frozen=True, slots=True)
class MeasuredJourney:
    """What a journey's arms are compared by, as its report does: at its ``reading``.

    ``record`` and ``outcomes`` are as they stood then. Whether people bought is known until
    ``until``, the newest order of anybody: after it nobody is lost, but nothing was imported.
    """

    record: JourneyRecord
    outcomes: Outcomes
    reading: Readout
    until: datetime

    @property
    def of_subscriptions(self) -> bool:
        """Return whether its people buy nothing but stays."""
        return self.outcomes.of_subscriptions


@dataclass(frozen=True, slots=True)
class MeasuredPeople:
    """Everyone the measures are about, until an instant that is ``until_on`` in the business.

    ``peers`` are the silences of customers who bought when these returned and had not been
    away for long. ``openings`` and ``clicks`` say why these are noticed of nobody, if so. With
    ``by_stays`` there are no orders: whether people stay is asked of subscriptions, and peers are
    those who subscribed for the first time as these came back.
    ``deeds_since`` is when the first deed towards a purchase was reported of anybody;
    ``definition`` names what counts as reactivated, and ``acquisition`` is what winning a new
    customer costs.
    """

    subjects: Sequence[Subject]
    until_on: date
    currency: str
    peers: Sequence[Silence]
    openings: Unknown | None = None
    clicks: Unknown | None = None
    by_stays: bool = False
    deeds_since: datetime | Unknown = NO_DEEDS
    definition: str = ASSIGNED
    acquisition: Figure = NO_ACQUISITION
    journeys: Mapping[str, MeasuredJourney] = field(default_factory=dict)


Lifts = Mapping[str, JourneyLifts]
"""The differences between the arms, by journey."""


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a population: who is in it, and the holdout's people like them.

    Where people are told apart by the messages they had, ``holdout`` says that there is none.
    Intervals of its differences are at ``confidence``, so that those of all groups hold together.
    """

    name: str
    treated: Sequence[Subject]
    holdout: Sequence[Subject] | Unknown
    of: MeasuredPeople
    lifts: Lifts = field(default_factory=dict)
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True)
class Value:
    """A figure with what it is of: ``count`` (people, messages, money) of ``base``.

    ``beside`` is the same of those it is compared with: the holdout, or never-lapsed peers, or
    ``beside_of`` where it is of others than the measure declares. ``note`` says what it leaves out.
    """

    figure: Figure
    count: float | None = None
    base: int | None = None
    low: float | None = None
    high: float | None = None
    beside: Figure | None = None
    beside_of: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredMeasure:
    """One measure as it is declared: what it says, over which time, and where it comes from.

    ``reads`` names the queries behind it, ``page`` where it is explained; ``beside`` says what
    the figure next to it is of.
    """

    name: str
    title: str
    unit: Unit
    formula: str
    window: str
    source: str
    page: str
    reads: tuple[str, ...]
    compute: Callable[[Group], Value]
    beside: str = ""


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """Every measure of every group, told by what, with what a reader has to know.

    ``definition`` names what counts as reactivated.
    """

    about: str
    by: str
    currency: str
    values: Mapping[str, Mapping[str, Value]]
    notes: tuple[str, ...]
    definition: str = ASSIGNED
