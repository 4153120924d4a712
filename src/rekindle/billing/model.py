"""What is said with whoever bills subscriptions, in words that are no provider's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from rekindle.config import BillingSettings
from rekindle.vocabulary import Money


class SubscriptionState(StrEnum):
    """What a subscription is at the provider, today."""

    ACTIVE = "active"
    PAUSED = "paused"
    OWING = "owing"  # its invoice is open; whether access goes on is the business's to say
    STARTING = "starting"  # its first invoice is not paid yet
    ENDED = "ended"


class ChargeOutcome(StrEnum):
    """What became of an attempt to take money."""

    PAID = "paid"
    DECLINED = "declined"
    AUTHENTICATE = "authenticate"  # only the person can, on the provider's page
    CLOSED = "closed"  # the invoice waits for no money: paid before, void, or written off


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A saved payment method, as a person knows it again; never its number."""

    id: str
    brand: str
    last4: str
    expires: tuple[int, int] | None = None  # year and month


@dataclass(frozen=True, slots=True)
class BilledPlan:
    """What is paid for: ``price_id`` names what the provider would charge.

    Where a subscription is for more than its plan, ``besides`` is how much of the amount is for
    that; it goes on whatever plan it stands beside.
    """

    price_id: str
    name: str
    amount: Money
    interval: str
    interval_count: int = 1
    quantity: int = 1
    besides: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that waits for money, and what the last attempt was told.

    ``retried_at`` is when the provider tries it again by itself, None where it does not.
    """

    id: str
    due: Money
    decline_code: str = ""
    advice_code: str = ""
    page_url: str = ""
    retried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BilledStanding:
    """What the provider knows of one subscription now.

    ``before`` is what it was paid for; ``now`` what the same costs today, None where it is
    sold no more. ``successor`` is the subscription that took its place, "" for none.
    ``leaves_at`` is when it ends, where it was cancelled and runs until then; ``resumes_at``
    when a pause ends by itself. ``owner`` is whom the facts know its customer as, and
    ``has_discount`` says that something is taken off already.
    """

    subscription: str
    customer: str
    state: SubscriptionState
    before: BilledPlan
    now: BilledPlan | None
    card: SavedCard | None = None
    open_invoice: OpenInvoice | None = None
    paid_until: datetime | None = None
    successor: str = ""
    leaves_at: datetime | None = None
    resumes_at: datetime | None = None
    owner: str = ""
    has_discount: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """What became of one attempt to take the money of an open invoice.

    The codes are the provider's own words; ``page_url`` is its page on which the person can
    pay, with another card or after the bank has asked them. ``payment`` is the attempt as its
    listing and its notices number it, "" where nothing was tried, or the answer does not say.
    """

    invoice: str
    outcome: ChargeOutcome
    decline_code: str = ""
    advice_code: str = ""
    network_advice_code: str = ""
    page_url: str = ""
    payment: str = ""


@dataclass(frozen=True, slots=True)
class Comeback:
    """What became of an attempt to come back.

    ``subscription`` is the one that runs, or waits for its first payment; where it is not the
    one that ended, the provider cannot revive, and made another that names it. ``revived_at`` is
    since when a revived one runs again: it may be left, and come back to, many times.
    """

    subscription: str
    outcome: ChargeOutcome
    decline_code: str = ""
    page_url: str = ""
    revived_at: datetime | None = None

    def takes_place_of(self, ended: str) -> str:
        """Return what this return is told by: the one that ended, and when it was revived."""
        return name_place(ended, self.revived_at)


def name_place(ended: str, revived_at: datetime | None) -> str:
    """Return by what a return is told, from whoever tells of it, the page or a notice."""
    return f"{ended} {revived_at.isoformat()}" if revived_at else ended


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BilledFact:
    """What a provider said of one thing: the row of a table of facts, true from ``at`` on.

    A subscription says more, which goes into rows of its own: ``trial_ends_at``, from when on what
    was tried out is paid for, ``revived_at``, since when what ended runs again, ``discounts``, what
    is taken off its ``amount``, which is that of the list (None where that was not said), and
    ``plan_id``, by which its plan is known again once that is called something else.
    """

    table: str
    key: str
    at: datetime
    row: Row


@dataclass(frozen=True, slots=True)
class BilledDiscount:
    """Something that is taken off each payment of a subscription; those of one stand in order.

    Either ``percent`` or ``amount``, which is in major units of the subscription's currency and
    off the whole payment; neither where what it takes off cannot be known any more. ``since`` and
    ``until`` are the provider's own, None for a beginning that it does not say and for no end.
    Where not ``is_dated``, ``since`` is gathered from what else it says, and counts for what was
    there when it was first looked at.
    """

    id: str
    since: datetime | None
    until: datetime | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a listing: what it says, and from where to go on; ``""`` when nothing is left."""

    statements: Sequence[BilledFact]
    cursor: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What one webhook said. ``id`` is the event's own: the same one is taken once.

    ``thing`` is what it is about, as the provider numbers it, and ``customer`` whose that is;
    both are the provider's ids, where statements go by the ids of the business. ``paid`` are
    the subscriptions whose money has come in. ``is_back`` says that a subscription goes on that
    rested, or one began in the place of another. ``restored`` is a subscription that is paid for
    again, so that its owner's access is to be restored, and ``instead_of`` the one whose place
    it took, if it did; of a revived one, what ``name_place`` says.
    """

    id: str
    at: datetime
    kind: str
    statements: Sequence[BilledFact] = ()
    paid: Sequence[str] = ()
    thing: str = ""
    customer: str = ""
    is_back: bool = False
    restored: str = ""
    instead_of: str = ""


class Biller(Protocol):
    """Whoever bills the subscriptions.

    Everything raises BillerError where it was not answered, and BillerRefusedError where it
    was and will not do it. What changes something takes a ``key``: asked twice with one key,
    it is done once, and answered the same.
    """

    @property
    def kinds(self) -> Sequence[str]:
        """Return what can be listed, in the order in which it is."""

    def list_page(self, kind: str, cursor: str = "") -> Page:
        """Return the next part of a listing, from its beginning where there is no cursor."""

    def read_notice(
        self, headers: Mapping[str, str], body: bytes, received_at: datetime
    ) -> Notice | None:
        """Return what a webhook says, None where it concerns nothing here.

        Raises:
            ForgedReportError: it is not signed by the provider just now, or is of others.
            EventError: it is, and cannot be read: as of a version of the API that is not ours.
        """

    def renew(self, notice: Notice) -> Notice:
        """Return a notice with what it is about as that is now: it may be older than another."""

    def is_owing(self, customer: str, *, besides: str = "") -> bool:
        """Return whether a customer has an open invoice that was tried, and not paid.

        ``customer`` is the provider's id; what is of the subscription ``besides`` is left out.
        """

    def look(self, subscription: str) -> BilledStanding | None:
        """Return what is known of a subscription, None where it or its customer is gone."""

    def charge(self, invoice: str, *, key: str) -> Charge:
        """Try to take the money of an open invoice, with nobody present."""

    def card_page(self, subscription: str, *, return_url: str) -> str:
        """Return the address of the provider's page for another card, made at this moment."""

    def adopt_card(self, subscription: str, *, instead_of: str, key: str) -> Charge | None:
        """Use the customer's newest card for the subscription, and pay its open invoice by it.

        Return what became of the payment, None where nothing was open.

        Raises:
            BillerRefusedError: no card came in the place of the one named; nothing was charged.
        """

    def reactivate(self, subscription: str, price_id: str, *, key: str) -> Comeback:
        """Let an ended subscription run again at a price its owner was shown, who is present.

        Raises:
            BillerRefusedError: it is not ended, is sold no more, or costs something else now.
        """

    def pause(self, subscription: str, until: datetime, *, key: str) -> None:
        """Let nothing be charged until then, and everything go on by itself from there."""

    def resume(self, subscription: str, *, key: str) -> None:
        """Let a paused subscription go on now."""

    def cancel(self, subscription: str, *, key: str, reason: str = "", words: str = "") -> None:
        """End a subscription when what is paid for is over; a reason is said in our words."""

    def keep(self, subscription: str, *, key: str) -> None:
        """Take back a cancellation that has not ended the subscription yet."""

    def find_plan(self, price_id: str, *, quantity: int = 1) -> BilledPlan | None:
        """Return what a price costs so many times; None where it is sold no more."""

    def change_plan(self, subscription: str, price_id: str, *, key: str) -> None:
        """Let a subscription be of another price from now on; what was paid counts towards it."""

    def give(self, subscription: str, discount: str, *, key: str) -> None:
        """Take off what a discount of the provider's says, beside what is taken off already."""


@dataclass(frozen=True, slots=True)
class BillerAbilities:
    """What a provider can, held to by the contract suite of ``rekindle.testing.biller``.

    ``revives``: the subscription that ended runs again; else another takes its place.
    ``is_signed``: its notices are; else each is asked for again by its id before it is believed.
    ``keys_live``: for how long what is asked again under one key is answered as before.
    What it cannot, it refuses: to take the money of an open invoice, to pause, or
    (``can_change``) to change the plan and to give a discount. ``pause_spares_paid`` says that a
    pause takes nothing away that is paid for, so that it may be offered in place of cancelling.
    """

    revives: bool = False
    is_signed: bool = True
    keys_live: timedelta = timedelta(0)
    can_charge: bool = True
    can_pause: bool = True
    can_change: bool = False
    pause_spares_paid: bool = False


@dataclass(frozen=True, slots=True)
class BillerFolder:
    """A provider: what it is called, which secrets it takes, what it can and what builds it.

    ``notices`` are the events it is to be asked to tell of, ``version`` that of its API in which
    they are read, ``extra`` what is installed with the package to speak with it.
    """

    name: str
    called: str
    secrets: tuple[str, ...]
    build: Callable[[BillingSettings, Mapping[str, str]], Biller] = field(repr=False)
    notices: tuple[str, ...] = ()
    abilities: BillerAbilities = BillerAbilities()
    version: str = ""
    extra: str = ""
