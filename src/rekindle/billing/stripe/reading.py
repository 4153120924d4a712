"""Reads Stripe's objects as statements about facts, and as what a page shows.

Pure: a mapping comes in as the API gives it, rows go out. Where a field stands is of the
version 2026-10-28: periods are on the items, an invoice knows its subscription by its parent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from rekindle.billing.model import (
    BilledDiscount,
    BilledFact,
    BilledPlan,
    OpenInvoice,
    SavedCard,
    SubscriptionState,
)
from rekindle.billing.values import (
    is_over_in_trial,
    read_instant,
    read_minor,
    round_minor,
    tell_card,
)
from rekindle.vocabulary import Money

Thing = Mapping[str, Any]

STATES = {
    "active": SubscriptionState.ACTIVE,
    "trialing": SubscriptionState.ACTIVE,
    "past_due": SubscriptionState.OWING,
    "unpaid": SubscriptionState.OWING,
    "incomplete": SubscriptionState.STARTING,
    "paused": SubscriptionState.PAUSED,
    "canceled": SubscriptionState.ENDED,
    "incomplete_expired": SubscriptionState.ENDED,
}

# Why a subscription is paused that nobody paid for yet.
PAUSED_UNPAID = frozenset({"first_payment_failure", "trial_end_without_payment_method"})


def id_of(given: Any) -> str:
    """Return the id of what is named, or stands there whole; "" where nothing does."""
    if isinstance(given, Mapping):
        return str(given.get("id") or "")
    return str(given or "")


def first_item(subscription: Thing) -> Thing:
    """Return the first thing a subscription is for, an empty one where there is none."""
    items = (subscription.get("items") or {}).get("data") or [{}]
    found: Thing = items[0]
    return found


def read_items(subscription: Thing) -> Sequence[Thing]:
    """Return the things a subscription is for."""
    found: Sequence[Thing] = (subscription.get("items") or {}).get("data") or []
    return found


def is_unpriced(price: Thing) -> bool:
    """Return whether what is paid follows from tiers or from use."""
    recurring = price.get("recurring") or {}
    is_metered = recurring.get("usage_type") == "metered"
    return is_metered or price.get("billing_scheme") == "tiered"


def read_plan(price: Thing, *, quantity: int = 1) -> BilledPlan:
    """Return a price as a plan; it is called as its nickname or product is."""
    product, recurring = price.get("product"), price.get("recurring") or {}
    called = product.get("name") if isinstance(product, Mapping) else ""
    currency = str(price["currency"])
    minor = price.get("unit_amount_decimal") or price.get("unit_amount") or 0
    return BilledPlan(
        price_id=str(price["id"]),
        name=str(price.get("nickname") or called or id_of(product)),
        amount=Money(read_minor(minor, currency) * quantity, currency.upper()),
        interval=str(recurring.get("interval") or "one_off"),
        interval_count=int(recurring.get("interval_count") or 1),
        quantity=quantity,
    )


def read_discounts(subscription: Thing) -> Sequence[BilledDiscount] | None:
    """Return what is taken off each payment of a subscription; None where it is only named.

    Those of the item come before those of the subscription, and where it has none of its own,
    its customer's. What is taken off one invoice alone (`once`) does not recur.
    """
    items, customer = (
        (subscription.get("items") or {}).get("data") or [{}],
        subscription["customer"],
    )
    of_item, own = first_item(subscription).get("discounts"), subscription.get("discounts")
    if not own:
        if not isinstance(customer, Mapping):
            return None
        own = [customer["discount"]] if customer.get("discount") else []
    told = [*((one, items[:1]) for one in of_item or []), *((one, items) for one in own)]
    if not all(isinstance(one, Mapping) for one, _ in told):
        return None
    found = (_read_discount(one, among, items[0]) for one, among in told)
    return tuple(one for one in found if one is not None)


def _read_discount(discount: Thing, among: Sequence[Thing], item: Thing) -> BilledDiscount | None:
    """Return what a discount of some items takes off one of them, None where nothing recurs."""
    coupon = (discount.get("source") or {}).get("coupon")
    told = BilledDiscount(
        str(discount["id"]),
        since=read_instant(discount.get("start")),
        until=read_instant(discount.get("end")),
    )
    if not isinstance(coupon, Mapping) or coupon.get("duration") is None:
        return told  # its coupon is deleted, and nobody says what it was
    products = (coupon.get("applies_to") or {}).get("products")
    among = [one for one in among if not products or _product_id(one) in products]
    if coupon["duration"] == "once" or item not in among:
        return None
    if coupon.get("percent_off") is not None:
        return replace(told, percent=Decimal(str(coupon["percent_off"])))
    currency = str((item.get("price") or {}).get("currency"))
    other = (coupon.get("currency_options") or {}).get(currency) or {}
    minor = coupon["amount_off"] if coupon.get("currency") == currency else other.get("amount_off")
    if minor is None:
        return None  # it is of other currencies
    amount, costs = read_minor(minor, currency), [_whole(one) for one in among]
    # It is off all of them together: each bears as much of it as it costs.
    together = sum(costs, Decimal(0))
    share = _whole(item) / together if together else Decimal(1)
    return replace(told, amount=round_minor(amount * share, currency))


def _product_id(item: Thing) -> str:
    return id_of((item.get("price") or {}).get("product"))


def _whole(item: Thing) -> Decimal:
    """Return what an item costs, in minor units."""
    price = item.get("price") or {}
    minor = price.get("unit_amount_decimal") or price.get("unit_amount") or 0
    return Decimal(str(minor)) * int(item.get("quantity") or 1)


def read_card(method: Any) -> SavedCard | None:
    """Return a payment method as people know it again, None where there is none."""
    if not isinstance(method, Mapping):
        return None
    kind = str(method.get("type") or "card")
    of_kind = method.get(kind) or {}
    year, month = of_kind.get("exp_year"), of_kind.get("exp_month")
    return SavedCard(
        id=str(method["id"]),
        brand=str(of_kind.get("brand") or kind),
        last4=str(of_kind.get("last4") or ""),
        expires=(int(year), int(month)) if year and month else None,
    )


def read_open_invoice(invoice: Any) -> OpenInvoice | None:
    """Return an invoice that waits for money, None where it does not."""
    if not isinstance(invoice, Mapping) or invoice.get("status") != "open":
        return None
    error = last_error(invoice)
    currency = str(invoice["currency"])
    due = read_minor(invoice.get("amount_remaining") or 0, currency)
    return OpenInvoice(
        id=str(invoice["id"]),
        due=Money(due, currency.upper()),
        decline_code=str(error.get("decline_code") or error.get("code") or ""),
        advice_code=str(error.get("advice_code") or ""),
        page_url=str(invoice.get("hosted_invoice_url") or ""),
        retried_at=read_instant(invoice.get("next_payment_attempt")),
    )


def last_error(invoice: Thing) -> Thing:
    """Return what the newest payment of an invoice failed with, nothing where it did not."""
    for payment in reversed((invoice.get("payments") or {}).get("data") or []):
        intent = (payment.get("payment") or {}).get("payment_intent")
        if isinstance(intent, Mapping) and intent.get("last_payment_error"):
            found: Thing = intent["last_payment_error"]
            return found
    return {}


def last_charge(invoice: Thing) -> str:
    """Return the newest charge that an invoice was tried to be paid by, "" for none."""
    for payment in reversed((invoice.get("payments") or {}).get("data") or []):
        intent = (payment.get("payment") or {}).get("payment_intent")
        if isinstance(intent, Mapping) and intent.get("latest_charge"):
            return id_of(intent["latest_charge"])
    return ""


def read_state(subscription: Thing) -> SubscriptionState:
    """Return what a subscription is; one whose collection rests is paused, whatever it says."""
    state = STATES.get(str(subscription.get("status")), SubscriptionState.STARTING)
    if state is SubscriptionState.ACTIVE and subscription.get("pause_collection"):
        return SubscriptionState.PAUSED
    return state


class StripeReader:
    """Makes rows of facts. ``customer_key`` names where a customer's own id is kept."""

    def __init__(self, customer_key: str) -> None:
        self._customer_key = customer_key
        self._readers = {
            "customer": self._customer,
            "subscription": self._subscription,
            "invoice": self._invoice,
            "invoice_payment": self._invoice_payment,
            "charge": self._charge,
            "payment_method": self._payment_method,
        }

    @property
    def kinds(self) -> Collection[str]:
        """Return the kinds of objects that say anything here."""
        return self._readers.keys()

    @property
    def asks_customers(self) -> bool:
        """Return whether whose an object is stands with its customer alone."""
        return bool(self._customer_key)

    def read(self, thing: Thing, at: datetime | None = None) -> Iterator[BilledFact]:
        """Yield what an object says, as of ``at``; without one it is as old as the object."""
        reader = self._readers.get(str(thing.get("object")))
        created = read_instant(thing.get("created"))
        instant = at or created
        if reader is not None and instant is not None and not thing.get("deleted"):
            yield from reader(thing, instant)

    def person_of(self, customer: Any) -> str:
        """Return whom the business knows a customer as, the provider's id where it says none."""
        if isinstance(customer, Mapping) and self._customer_key:
            own = (customer.get("metadata") or {}).get(self._customer_key)
            return str(own or customer["id"])
        return id_of(customer)

    def _customer(self, thing: Thing, at: datetime) -> Iterator[BilledFact]:
        address = thing.get("address") or {}
        row = {
            "customer_id": self.person_of(thing),
            "email": thing.get("email"),
            "name": thing.get("name"),
            "phone": thing.get("phone"),
            "country": address.get("country"),
        }
        yield BilledFact("customers", str(row["customer_id"]), at, row)
        settings = thing.get("invoice_settings") or {}
        yield from self._saved_card(settings.get("default_payment_method"), thing)

    def _subscription(self, thing: Thing, at: datetime) -> Iterator[BilledFact]:
        if not (customer := self.person_of(thing.get("customer"))):
            return  # of nobody
        id_, item = str(thing["id"]), first_item(thing)
        cancelled, details = thing.get("canceled_at"), thing.get("cancellation_details") or {}
        leaves, tried = thing.get("ended_at") or thing.get("cancel_at"), thing.get("trial_end")
        row = {
            "subscription_id": id_,
            "customer_id": customer,
            "started_at": read_instant(thing.get("start_date") or thing.get("created")),
            "ended_at": read_instant(leaves),
            "cancelled_at": read_instant(cancelled),
            "end_reason": details.get("reason"),
            # What was never paid for brings nothing, as a trial.
            "is_trial": _waits_for_money(thing) or is_over_in_trial(leaves, tried),
            "trial_ends_at": read_instant(tried),
        }
        row["discounts"] = read_discounts(thing)
        yield BilledFact("subscriptions", id_, at, {**row, **self._price(item)})
        yield from self._saved_card(thing.get("default_payment_method"), thing.get("customer"))
        if cancelled is not None:
            yield from self._cancellation(thing, customer)
        paused = thing.get("pause_collection") or {}
        if paused or (thing.get("status") == "paused" and not _waits_for_money(thing)):
            until = read_instant(paused.get("resumes_at"))
            # Since when, Stripe does not say.
            row = {"subscription_id": id_, "resumed_at": until, "planned_until": until}
            yield BilledFact("pauses", id_, at, row)

    @staticmethod
    def _price(item: Thing) -> dict[str, Any]:
        if not (price := item.get("price")):
            return {}
        plan = read_plan(price)
        return {
            "plan": plan.name,
            "plan_id": price.get("nickname") or id_of(price.get("product")),
            "amount": plan.amount.amount,
            "quantity": item.get("quantity") or 1,
            "interval": plan.interval,
            "interval_count": plan.interval_count,
            "currency": plan.amount.currency,
        }

    @staticmethod
    def _cancellation(thing: Thing, customer: str) -> Iterator[BilledFact]:
        details, at = thing.get("cancellation_details") or {}, read_instant(thing["canceled_at"])
        assert at is not None
        id_ = f"{thing['id']}:{thing['canceled_at']}"
        row = {
            "cancellation_id": id_,
            "customer_id": customer,
            "subscription_id": thing["id"],
            "cancelled_at": at,
            "reason": details.get("feedback") or details.get("reason"),
            "words": details.get("comment"),
        }
        yield BilledFact("cancellations", id_, at, row)

    def _invoice(self, thing: Thing, at: datetime) -> Iterator[BilledFact]:
        if thing.get("status") == "draft":
            return
        currency, done = str(thing["currency"]), thing.get("status_transitions") or {}
        parent = (thing.get("parent") or {}).get("subscription_details") or {}
        row = {
            "invoice_id": thing["id"],
            "customer_id": self.person_of(thing.get("customer")),
            "subscription_id": id_of(parent.get("subscription")) or None,
            "invoiced_at": read_instant(done.get("finalized_at") or thing.get("created")),
            "due_at": read_instant(thing.get("due_date")),
            "amount": read_minor(thing.get("total") or 0, currency),
            "currency": currency.upper(),
            "paid_at": read_instant(done.get("paid_at")),
            "voided_at": read_instant(done.get("voided_at")),
            "given_up_at": read_instant(done.get("marked_uncollectible_at")),
            "period_starts_at": read_instant(thing.get("period_start")),
            "period_ends_at": read_instant(thing.get("period_end")),
        }
        yield BilledFact("invoices", str(thing["id"]), at, row)

    @staticmethod
    def _invoice_payment(thing: Thing, at: datetime) -> Iterator[BilledFact]:
        """Yield of which invoice a payment is: a charge does not say so itself any more."""
        if intent := id_of((thing.get("payment") or {}).get("payment_intent")):
            yield BilledFact("", intent, at, {"invoice_id": id_of(thing.get("invoice"))})

    def _charge(self, thing: Thing, at: datetime) -> Iterator[BilledFact]:
        currency, outcome = str(thing["currency"]), thing.get("outcome") or {}
        card = (thing.get("payment_method_details") or {}).get("card") or {}
        row = {
            "payment_id": thing["id"],
            "customer_id": self.person_of(thing.get("customer")),
            "attempted_at": read_instant(thing.get("created")),
            "amount": read_minor(thing.get("amount") or 0, currency),
            "currency": currency.upper(),
            "outcome": thing.get("status"),
            "decline_code": _decline_of(thing),
            "advice_code": outcome.get("advice_code"),
            "network_advice_code": outcome.get("network_advice_code"),
            "network": card.get("network") or card.get("brand"),
            "payment_method_id": id_of(thing.get("payment_method")) or None,
            "payment_intent": id_of(thing.get("payment_intent")) or None,
        }
        yield BilledFact("payments", str(thing["id"]), at, row)

    def _saved_card(self, card: Any, customer: Any) -> Iterator[BilledFact]:
        """Yield a card that came with what it pays; where it is only named nothing is known."""
        if isinstance(card, Mapping):
            yield from self.read({**card, "customer": customer})

    def _payment_method(self, thing: Thing, at: datetime) -> Iterator[BilledFact]:
        card = read_card(thing)
        if card is None or not thing.get("customer"):
            return
        person = self.person_of(thing.get("customer"))
        yield tell_card(card, person, at, since=at, is_removed=bool(thing.get("is_removed")))


def _waits_for_money(subscription: Thing) -> bool:
    """Return whether nothing of a subscription was ever paid yet: tried out, or begun in vain."""
    status = subscription.get("status")
    if status == "paused":
        details = (subscription.get("status_details") or {}).get("paused") or {}
        return (details.get("subscription") or {}).get("type") in PAUSED_UNPAID
    return status in {"trialing", "incomplete", "incomplete_expired"}


def _decline_of(charge: Thing) -> str | None:
    """Return why a charge failed, in the issuer's word where there is one."""
    outcome = charge.get("outcome") or {}
    if charge.get("status") != "failed":
        return None
    reason, code = outcome.get("reason"), charge.get("failure_code")
    return str(reason if code in {None, "card_declined"} and reason else code or "") or None
