"""The nouns of offers: what a workspace declares, what a person had, what is chosen for them.

Frozen values; nothing here reads a clock or a store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from rekindle.config import MOST_DAYS, BudgetLimit, Cost, Duration, LongText, Settings, Text
from rekindle.errors import OfferError
from rekindle.vocabulary import Money, Reason, SignalKind
from rekindle.wording import amount

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
NOTHING = Decimal(0)
LONGEST_CODE = 100
# Longer than any duration that can be written.
FOR_EVER = timedelta(days=MOST_DAYS)


class Codes(StrEnum):
    """Where the code of an offer comes from."""

    OWN = "own"
    SHARED = "shared"
    NONE = "none"


class Tie(StrEnum):
    """What an offer asks of the person before it is given; nobody else gets it, or its code."""

    FIRST_ORDER = "first_order"
    VISIT = "visit"
    COMPLETE_PROFILE = "complete_profile"

    @property
    def predicate(self) -> str | None:
        """Return what it asks of the profile, if it does."""
        return "orders_count = 0" if self is Tie.FIRST_ORDER else None

    @property
    def events(self) -> frozenset[str]:
        """Return the events one of which has to follow their entry; empty where none does."""
        return _EVENTS.get(self, frozenset())


_EVENTS = {
    Tie.VISIT: frozenset({SignalKind.VISIT, SignalKind.VIEW, SignalKind.LOGIN}),
    Tie.COMPLETE_PROFILE: frozenset({"profile_completed"}),
}


@dataclass(frozen=True, slots=True)
class Discount:
    """What a shop takes off for a code: a percentage, an amount, or what sending costs."""

    percent: Decimal | None = None
    amount: Decimal | None = None
    is_shipping: bool = False

    @property
    def word(self) -> str:
        """Return the field that says what it is."""
        if self.is_shipping:
            return "is_shipping"
        return "percent" if self.percent is not None else "amount"


class OfferTerms(Settings):
    """What every offer says, whatever its kind. A kind adds its own keys and its cost."""

    meaning: ClassVar[str] = ""
    is_discount: ClassVar[bool] = False
    """Whether an order says what it cost, as its discount."""

    kind: str
    codes: Codes = Field(
        description="own: each person gets a code of their own, loaded before or `made_at` a shop; "
        "shared: `code` is everybody's, and may be used by anybody any number of times; none: it "
        "needs no code."
    )
    code: Annotated[Text, Field(min_length=1, max_length=LONGEST_CODE)] | None = Field(
        None, description="The code that everybody gets, with codes: shared."
    )
    made_at: Name | None = Field(
        None,
        description="The shop that makes the codes, as they are needed: shopify or stripe, with "
        "codes: own; none for codes that are loaded.",
    )
    text: Text | None = Field(
        None,
        description="What the customer reads (`offer.text`); made from the terms if not given.",
    )
    lasts: Duration = Field(
        timedelta(days=14), description="Until the end of that day where the person is."
    )
    minimum_basket: Cost = Field(NOTHING, description="The least an order has to come to.")
    budget: BudgetLimit | None = Field(
        None,
        description="The most that what is open and what was redeemed may cost together; none for "
        "no limit.",
    )
    when: LongText | None = Field(
        None, description="A predicate of profile columns; nobody else is given it."
    )
    tied_to: Tie | None = Field(
        None,
        description="What somebody has to do first; nobody else is given it. visit: come to look "
        "(a visit, a view of a product, a login) after entering the journey; complete_profile: "
        "the event `profile_completed` after entering it; first_order: it is for somebody's "
        "first order, so for those who have none.",
    )
    expect: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="The share expected to be redeemed while little is known; default that of "
        "`[offers]`.",
    )

    @property
    def budget_micros(self) -> int | None:
        """Return the budget in millionths of the major unit; None for no limit."""
        return None if self.budget is None else micros_of(self.budget)

    @property
    def discount(self) -> Discount | None:
        """Return what a shop takes off for its code; None for what shops' codes cannot say."""
        return None

    @property
    def made_for(self) -> str:
        """Return what names these terms at the shop that makes its codes, "" where none does.

        Terms that make a difference there have another name, so that a code made for what
        the offer was before is not given for what it is now.
        """
        if self.made_at is None:
            return ""
        off = self.discount or Discount()
        figures = (off.percent, off.amount, self.minimum_basket)
        said = " ".join([off.word, *(f"{(one or NOTHING).normalize():f}" for one in figures)])
        return f"{self.made_at}:{sha256(said.encode()).hexdigest()[:12]}"

    def cost(self, basket: Decimal) -> Decimal:
        """Return what it costs the business when it is redeemed with an order of ``basket``."""
        raise NotImplementedError

    def most(self, basket: Decimal) -> Decimal:
        """Return the most it is to cost; what the budget sets aside for it."""
        return self.cost(basket)

    def sale(self, basket: Decimal) -> Decimal:
        """Return what the sale that redeems it is worth, of somebody who spends ``basket``."""
        return max(basket, self.minimum_basket)

    def says(self, currency: str) -> str:
        """Return its terms in a few words."""
        raise NotImplementedError

    def describe(self, currency: str) -> str:
        """Return what the customer reads."""
        if self.text is not None:
            return self.text
        least = f", from {amount(self.minimum_basket, currency)}" if self.minimum_basket else ""
        return self.says(currency) + least


class Rung(Settings):
    """One rung of a ladder: an offer, and for whom it is."""

    offer: Name = Field(description="The offer's name.")
    when: LongText | None = Field(
        None, description="A predicate of profile columns, like its value band and tier."
    )


@dataclass(frozen=True, slots=True)
class Offers:
    """The offers and ladders of a workspace, by name.

    ``fault`` says why the file that declares them cannot be used. Then nothing can be said of
    what a step wants, and nobody is given anything; all that brings no offer goes on.
    """

    terms: Mapping[str, OfferTerms] = field(default_factory=dict)
    ladders: Mapping[str, tuple[Rung, ...]] = field(default_factory=dict)
    fault: str = ""

    def require_sound(self) -> Offers:
        """Return them.

        Raises:
            OfferError: the file that declares them cannot be used.
        """
        if self.fault:
            raise OfferError(self.fault)
        return self

    @property
    def with_own_codes(self) -> tuple[str, ...]:
        """Return the offers that need a code for each person, in order of name."""
        return tuple(sorted(n for n, one in self.terms.items() if one.codes is Codes.OWN))

    @property
    def longest(self) -> timedelta:
        """Return how long the longest offer lasts, and for ever where nobody can say."""
        if self.fault:
            return FOR_EVER
        return max((one.lasts for one in self.terms.values()), default=timedelta(0))

    def candidates(self, wanted: Wanted) -> Iterator[Option]:
        """Yield what a step that wants this may give, in the order of the file.

        Raises:
            OfferError: the file that declares them cannot be used.
        """
        self.require_sound()
        if not wanted.is_ladder:
            if (terms := self.terms.get(wanted.name)) is not None:
                yield Option(wanted.name, terms, 0, _given(terms.when, _asked(terms)))
            return
        for number, rung in enumerate(self.ladders.get(wanted.name, ()), 1):
            terms = self.terms[rung.offer]
            when = _given(rung.when, terms.when, _asked(terms))
            yield Option(rung.offer, terms, number, when)


NO_OFFERS = Offers(MappingProxyType({}), MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a step asks for: an offer, or a ladder of them, by name.

    With ``may_be_without`` the message goes without one where none may be given.
    """

    name: str
    is_ladder: bool = False
    may_be_without: bool = False

    def __str__(self) -> str:
        return f"ladder {self.name}" if self.is_ladder else self.name


@dataclass(frozen=True, slots=True)
class Option:
    """An offer that a step may give to who meets all of ``predicates``; rungs begin at 1."""

    offer: str
    terms: OfferTerms
    rung: int
    predicates: tuple[str, ...]

    @property
    def events(self) -> frozenset[str]:
        """Return the events one of which a person has to have done; empty where none."""
        return frozenset() if self.terms.tied_to is None else self.terms.tied_to.events


@dataclass(frozen=True, slots=True)
class PastOffer:
    """An offer that a person was given and that was not taken back.

    ``course`` is the enrolment it belongs to (journey and rotation), ``cost_micros`` what it
    would have cost in their basket.
    """

    offer: str
    course: tuple[str, int]
    at: datetime
    ends_at: datetime
    cost_micros: int
    redeemed_at: datetime | None = None

    @property
    def over_at(self) -> datetime:
        """Return when it was redeemed, or else runs out."""
        return self.redeemed_at or self.ends_at


@dataclass(frozen=True, slots=True)
class Stock:
    """What is left of an offer: codes nobody holds, and micros its budget has set aside."""

    codes: int = 0
    reserved_micros: int = 0


@dataclass(frozen=True, slots=True)
class HouseOffers:
    """What a workspace decided that holds for all its offers.

    ``margin`` is the share of a price that is left to the business, None where nobody said;
    after an offer at least ``floor`` of the sale has to be left. ``wait`` is how long after
    one offer is over another journey may give the next. ``basket`` stands in for people
    whose own is not known. ``rates`` are the shares expected to be redeemed, by offer.
    ``explore`` is the share of choices from a ladder that is drawn by chance.
    """

    offers: Offers = NO_OFFERS
    margin: Decimal | None = None
    floor: Decimal = NOTHING
    wait: timedelta = timedelta(0)
    basket: Decimal | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    expect: float = 0.0
    currency: str = "GBP"
    explore: float = 0.0

    def rate(self, offer: str) -> float:
        """Return the share of an offer's that is expected to be redeemed."""
        return self.rates.get(offer, self.expect)


@dataclass(frozen=True, slots=True)
class ToGive:
    """An offer as it is to be given with one message.

    ``ends_at`` is the end of ``ends_on`` where the person is. ``code`` is the shared one, or
    empty; with ``takes_code`` one of its own is taken as the message is written, of those that
    a shop made for the terms named ``made_for``, or that were loaded where it is empty.
    ``options`` are what a ladder could have given, what costs least first, and ``propensity``
    is the chance that this one had.
    """

    offer: str
    kind: str
    ladder: str
    rung: int
    text: str
    ends_on: date
    ends_at: datetime
    cost_micros: int
    most_micros: int
    expected_micros: int
    minimum_micros: int
    takes_code: bool
    code: str = ""
    made_for: str = ""
    tied_to: str = ""
    why: str = ""
    options: tuple[str, ...] = ()
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What is given, or the reason why nothing is, and until when that holds (None: for good).

    ``expected_micros`` is what the offer is expected to cost.
    """

    give: ToGive | None = None
    refusal: Reason | None = None
    until: datetime | None = None
    why: str = ""
    expected_micros: int = 0


@dataclass(frozen=True, slots=True)
class GivenOffer:
    """An offer as it was given with a message, for those who write or look at it."""

    offer: str
    code: str
    text: str
    ends_on: date
    ends_at: datetime
    expected_micros: int


def micros_of(value: Decimal) -> int:
    """Return an amount in millionths of the major unit."""
    return Money(value, "XXX").micros


def _asked(terms: OfferTerms) -> str | None:
    return None if terms.tied_to is None else terms.tied_to.predicate


def _given(*predicates: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in predicates if one))
