"""Reads Chargebee's objects as statements about facts, and as what a page shows.

Pure: a mapping comes in as the API v2 gives it (Product Catalog 2.0), rows go out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
    join_plans,
    read_before,
    read_instant,
    read_minor,
    round_minor,
    tell_card,
)
from rekindle.vocabulary import Money

Thing = Mapping[str, Any]

STATES = {
    "future": SubscriptionState.STARTING,
    "in_trial": SubscriptionState.ACTIVE,
    "active": SubscriptionState.ACTIVE,
    "non_renewing": SubscriptionState.ACTIVE,
    "paused": SubscriptionState.PAUSED,
    "cancelled": SubscriptionState.ENDED,
    "transferred": SubscriptionState.ENDED,
}
OUTCOMES = {"success": "succeeded", "failure": "failed", "late_failure": "failed"}
OWED = frozenset({"payment_due", "not_paid"})


def read_state(subscription: Thing) -> SubscriptionState:
    """Return what a subscription is; one that runs and is not paid for owes.

    One that is to rest when its term is over is paused: nothing more is charged.
    """
    state = STATES.get(str(subscription.get("status")), SubscriptionState.STARTING)
    if will_rest(subscription):
        return SubscriptionState.PAUSED
    if state is SubscriptionState.ACTIVE and subscription.get("due_invoices_count"):
        return SubscriptionState.OWING
    return state


def will_rest(subscription: Thing) -> bool:
    """Return whether a pause is scheduled that has not begun.

    A date that was left of an earlier pause is not after the term's beginning.
    """
    if STATES.get(str(subscription.get("status"))) is not SubscriptionState.ACTIVE:
        return False
    begins, term = subscription.get("pause_date"), subscription.get("current_term_start")
    return bool(begins) and int(begins or 0) > int(term or 0)


def first_item(subscription: Thing) -> Thing:
    """Return the plan of a subscription among its items, an empty one where there is none."""
    items = subscription.get("subscription_items") or [{}]
    found: Thing = next((one for one in items if one.get("item_type") == "plan"), items[0])
    return found


def read_price(subscription: Thing) -> dict[str, Any]:
    """Return what a subscription is for as the facts have it; the plan goes by its id."""
    item, currency = first_item(subscription), str(subscription.get("currency_code") or "")
    if not item or not currency:
        return {}
    quantity, unit = item.get("quantity") or 1, item.get("unit_price")
    if unit is None:  # priced by tiers: what the whole costs
        quantity, unit = 1, item.get("amount") or 0
    return {
        "plan": item.get("item_price_id"),
        "amount": read_minor(unit, currency),
        "quantity": quantity,
        "interval": subscription.get("billing_period_unit") or "one_off",
        "interval_count": subscription.get("billing_period") or 1,
        "currency": currency,
    }


def read_plan(subscription: Thing, item_price: Thing) -> BilledPlan:
    """Return what a subscription costs with its addons, called as its plan's item price is.

    Who comes back pays what the subscription says, whatever the catalog says today. So the
    price's id has the amount in it: if that changes, what was shown is not what is taken.
    """
    said = read_price(subscription)
    name = item_price.get("external_name") or item_price.get("name") or said["plan"]
    plan = _read_item(said, str(name))
    besides = [
        _read_item(read_price({**subscription, "subscription_items": [one]}), "")
        for one in subscription.get("subscription_items") or []
        if one.get("item_type") == "addon"
    ]
    return join_plans([plan, *besides]) or plan  # all of one billing period


def _read_item(said: Mapping[str, Any], name: str) -> BilledPlan:
    total = Decimal(said["amount"]) * int(said["quantity"])
    return BilledPlan(
        price_id=f"{said['plan']}:{said['amount']}:{said['quantity']}",
        name=name,
        amount=Money(total, str(said["currency"])),
        interval=str(said["interval"]),
        interval_count=int(said["interval_count"]),
        quantity=int(said["quantity"]),
    )


def read_discounts(subscription: Thing) -> tuple[BilledDiscount, ...]:
    """Return what is taken off each payment of a subscription, in Chargebee's order.

    That is: off single items before the whole, amounts before shares, coupons before discounts
    (https://support.chargebee.com/support/solutions/articles/253619). What is taken off one
    payment alone (`one_time`) does not recur. Coupons stand whole where they were asked for.
    """
    discounts = subscription.get("discounts") or []
    # A discount that a coupon made names it, and is told once.
    made_by = {one.get("coupon_id") for one in discounts} - {None}
    coupons = [one for one in subscription.get("coupons") or [] if one["coupon_id"] not in made_by]
    read = [
        *((one.get("coupon") or {}, _read_coupon(one, subscription)) for one in coupons),
        *((one, _read_discount(one, subscription)) for one in discounts),
    ]
    told = [(terms, one) for terms, one in read if one is not None]
    told.sort(
        key=lambda one: (one[0].get("apply_on") == "invoice_amount", one[1].percent is not None)
    )
    return tuple(one for _, one in told)


def _read_coupon(applied: Thing, subscription: Thing) -> BilledDiscount | None:
    """Return a coupon of a subscription.

    Chargebee says until when it applies, and how often it did; since when follows from that.
    """
    coupon, until = applied.get("coupon") or {}, read_instant(applied.get("apply_till"))
    length = coupon.get("period") or coupon.get("duration_month")
    term = read_instant(subscription.get("current_term_start"))
    since = None
    if until is not None and length:
        since = read_before(until, int(length), str(coupon.get("period_unit") or "month"))
    elif term is not None:
        terms = max(int(applied.get("applied_count") or 0) - 1, 0)
        length = terms * int(subscription.get("billing_period") or 1)
        since = read_before(term, length, str(subscription.get("billing_period_unit") or "month"))
    told = BilledDiscount(str(applied["coupon_id"]), since, until, is_dated=False)
    if not coupon:
        return told  # it is deleted, and nobody says what it was
    if coupon.get("duration_type") == "one_time" or not _is_for_plan(coupon, subscription):
        return None
    named = {key: coupon.get(f"discount_{key}") for key in ("percentage", "amount", "quantity")}
    return _with_terms(told, {**coupon, **named}, subscription)


def _read_discount(discount: Thing, subscription: Thing) -> BilledDiscount | None:
    """Return a discount that was given to a subscription alone."""
    price = discount.get("item_price_id")
    is_of_other = price is not None and price != first_item(subscription).get("item_price_id")
    if discount.get("duration_type") == "one_time" or is_of_other:
        return None
    since, until = (read_instant(discount.get(name)) for name in ("created_at", "apply_till"))
    return _with_terms(BilledDiscount(str(discount["id"]), since, until), discount, subscription)


def _with_terms(told: BilledDiscount, terms: Thing, subscription: Thing) -> BilledDiscount | None:
    """Return how much is taken off the plan, None where that is of another currency."""
    if terms.get("percentage") is not None:
        return replace(told, percent=Decimal(str(terms["percentage"])))
    currency, item = str(subscription.get("currency_code") or ""), first_item(subscription)
    minor = terms.get("amount")
    if minor is None:  # so many units cost nothing
        minor = int(terms.get("quantity") or 0) * int(item.get("unit_price") or 0)
    elif (terms.get("currency_code") or currency) != currency:
        return None
    amount = read_minor(minor, currency)
    if terms.get("apply_on") == "invoice_amount":
        # It is off all items together: each bears as much of it as it costs.
        items = subscription.get("subscription_items") or []
        costs = [_whole(one) for one in items if one.get("item_type") != "charge"]
        together = sum(costs, Decimal(0))
        amount = round_minor(amount * _whole(item) / together if together else amount, currency)
    return replace(told, amount=amount)


def _is_for_plan(coupon: Thing, subscription: Thing) -> bool:
    """Return whether a coupon is for the plan of a subscription, or for the whole of it.

    Where it is for plans of some families or periods, it would not be there for others.
    """
    if coupon.get("apply_on") == "invoice_amount":
        return True
    for one in coupon.get("item_constraints") or []:
        if one.get("item_type") == "plan":
            named = [str(id_) for id_ in one.get("item_price_ids") or []]
            if one.get("constraint") == "specific":
                return str(first_item(subscription).get("item_price_id")) in named
            return bool(one.get("constraint") != "none")
    return True


def _whole(item: Thing) -> Decimal:
    """Return what an item costs, in minor units."""
    if item.get("amount") is not None:
        return Decimal(item["amount"])
    return Decimal(item.get("unit_price") or 0) * int(item.get("quantity") or 1)


PRICED = re.compile(r"(?P<id>.+):[0-9]+(?:\.[0-9]+)?:[0-9]+")
"""What ``read_plan`` and ``read_offered`` name a price by."""


def item_price_of(price_id: str) -> str:
    """Return Chargebee's id of an item price, from its own or from one with the amount in it."""
    found = PRICED.fullmatch(price_id)
    return found["id"] if found else price_id


def read_offered(item_price: Thing, *, quantity: int) -> BilledPlan | None:
    """Return what an item price costs today, named as a subscription of it would be."""
    model, kind = item_price.get("pricing_model") or "per_unit", item_price.get("item_type")
    is_sold = item_price.get("status") == "active" and kind in {None, "plan"}
    if not is_sold or model not in {"flat_fee", "per_unit"} or item_price.get("price") is None:
        return None
    of_plan = {
        "item_type": "plan",
        "item_price_id": item_price["id"],
        "unit_price": item_price["price"],
        "quantity": quantity if model == "per_unit" else 1,
    }
    told = {
        "subscription_items": [of_plan],
        "currency_code": item_price["currency_code"],
        "billing_period_unit": item_price.get("period_unit"),
        "billing_period": item_price.get("period"),
    }
    return read_plan(told, item_price)


def read_card(source: Thing) -> SavedCard | None:
    """Return a payment source as people know it again, None where there is none."""
    if not source:
        return None
    kind = str(source.get("type") or "card")
    of_kind = source.get(kind) or {}
    year, month = of_kind.get("expiry_year"), of_kind.get("expiry_month")
    return SavedCard(
        id=str(source["id"]),
        brand=str(of_kind.get("brand") or kind),
        last4=str(of_kind.get("last4") or ""),
        expires=(int(year), int(month)) if year and month else None,
    )


def read_codes(transaction: Thing) -> tuple[str, str, str]:
    """Return what a failed transaction was told: decline, advice, and the network's advice."""
    if OUTCOMES.get(str(transaction.get("status"))) != "failed":
        return "", "", ""
    detail = transaction.get("error_detail") or {}
    decline = detail.get("decline_code") or transaction.get("error_code") or ""
    advice, network = detail.get("recommendation_code"), detail.get("processor_advice_code")
    return str(decline), str(advice or ""), str(network or "")


def read_open_invoice(invoice: Thing, transaction: Thing) -> OpenInvoice | None:
    """Return an invoice that waits for money, with what its last transaction was told."""
    if invoice.get("status") not in OWED:
        return None
    currency = str(invoice["currency_code"])
    decline, advice, _ = read_codes(transaction)
    return OpenInvoice(
        id=str(invoice["id"]),
        due=Money(read_minor(invoice.get("amount_due") or 0, currency), currency),
        decline_code=decline,
        advice_code=advice,
        retried_at=read_instant(invoice.get("next_retry_at")),
    )


def was_declined(invoice: Thing) -> bool:
    """Return whether an attempt to have an invoice paid failed."""
    paid = invoice.get("linked_payments") or []
    return any(OUTCOMES.get(str(one.get("txn_status"))) == "failed" for one in paid)


def subscriptions_of(invoice: Thing) -> tuple[str, ...]:
    """Return what an invoice is for: one subscription, or several billed together."""
    lines = invoice.get("line_items") or []
    named = [invoice.get("subscription_id"), *(one.get("subscription_id") for one in lines)]
    return tuple(dict.fromkeys(str(one) for one in named if one))


class ChargebeeReader:
    """Makes rows of facts. ``customer_key`` names where a customer's own id is kept."""

    def __init__(self, customer_key: str) -> None:
        self._customer_key = customer_key
        self._readers = {
            "customer": self._customer,
            "subscription": self._subscription,
            "invoice": self._invoice,
            "transaction": self._transaction,
            "payment_source": self._payment_source,
        }

    @property
    def asks_customers(self) -> bool:
        """Return whether whose an object is stands with its customer alone."""
        return bool(self._customer_key)

    def person_of(self, customer: Thing) -> str:
        """Return whom the business knows a customer as, Chargebee's id where it says none."""
        if not (key := self._customer_key):
            return str(customer.get("id") or "")
        # Custom fields stand beside the others, and are called cf_…
        own = customer.get(key) if key.startswith("cf_") else _metadata(customer).get(key)
        return str(own or customer.get("id") or "")

    def read(self, kind: str, thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        """Yield what an object of somebody says, as of ``at``."""
        if person and (not thing.get("deleted") or kind == "payment_source"):
            yield from self._readers[kind](thing, person, at)

    def _customer(self, thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        names = (thing.get("first_name"), thing.get("last_name"))
        address = thing.get("billing_address") or {}
        row = {
            "customer_id": person,
            "email": thing.get("email"),
            "name": " ".join(one for one in names if one) or None,
            "phone": thing.get("phone"),
            "country": address.get("country"),
        }
        yield BilledFact("customers", person, at, row)

    def _subscription(self, thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        id_, status = str(thing["id"]), thing.get("status")
        leaves = thing.get("cancelled_at") if status in {"cancelled", "non_renewing"} else None
        noted = thing.get("cancel_schedule_created_at") if leaves else None
        begun = thing.get("started_at") or thing.get("start_date") or thing.get("created_at")
        row = {
            "subscription_id": id_,
            "customer_id": person,
            "started_at": read_instant(begun),
            "ended_at": read_instant(leaves),
            "cancelled_at": read_instant(noted or leaves),
            "end_reason": thing.get("cancel_reason") if leaves else None,
            "is_trial": status in {"in_trial", "future"}
            or is_over_in_trial(leaves, thing.get("trial_end")),
            "trial_ends_at": read_instant(thing.get("trial_end")),
            # Of one that ended and runs again; it goes into the row's beginning.
            "revived_at": read_instant(thing.get("activated_at")),
            "discounts": read_discounts(thing),
        }
        yield BilledFact("subscriptions", id_, at, {**row, **read_price(thing)})
        if leaves:
            yield self._cancellation(thing, person, noted or leaves)
        if status == "paused":
            until = read_instant(thing.get("resume_date"))
            ends = {"resumed_at": until, "planned_until": until}
            began = read_instant(thing.get("pause_date"))
            row = {"subscription_id": id_, "paused_at": began, **ends}
            yield BilledFact("pauses", id_, at, row)

    @staticmethod
    def _cancellation(thing: Thing, person: str, second: Any) -> BilledFact:
        at = read_instant(second)
        assert at is not None
        id_ = f"{thing['id']}:{second}"
        row = {
            "cancellation_id": id_,
            "customer_id": person,
            "subscription_id": thing["id"],
            "cancelled_at": at,
            "reason": thing.get("cancel_reason_code") or thing.get("cancel_reason"),
        }
        return BilledFact("cancellations", id_, at, row)

    @staticmethod
    def _invoice(thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        if thing.get("status") == "pending":
            return  # nobody is asked for it yet
        currency, lines = str(thing["currency_code"]), thing.get("line_items") or [{}]
        row = {
            "invoice_id": thing["id"],
            "customer_id": person,
            "subscription_id": next(iter(subscriptions_of(thing)), None),
            "invoiced_at": read_instant(thing.get("date")),
            "due_at": read_instant(thing.get("due_date")),
            "amount": read_minor(thing.get("total") or 0, currency),
            "currency": currency,
            "paid_at": read_instant(thing.get("paid_at")),
            "voided_at": read_instant(thing.get("voided_at")),
            "period_starts_at": read_instant(lines[0].get("date_from")),
            "period_ends_at": read_instant(lines[0].get("date_to")),
        }
        yield BilledFact("invoices", str(thing["id"]), at, row)

    @staticmethod
    def _transaction(thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        outcome = OUTCOMES.get(str(thing.get("status")))
        if thing.get("type") != "payment" or outcome is None:
            return
        currency, linked = str(thing["currency_code"]), thing.get("linked_invoices") or [{}]
        decline, advice, network = read_codes(thing)
        row = {
            "payment_id": thing["id"],
            "customer_id": person,
            "invoice_id": linked[0].get("invoice_id"),
            "attempted_at": read_instant(thing.get("date")),
            "amount": read_minor(thing.get("amount") or 0, currency),
            "currency": currency,
            "outcome": outcome,
            "decline_code": decline or None,
            "advice_code": advice or None,
            "network_advice_code": network or None,
            "payment_method_id": thing.get("payment_source_id"),
        }
        yield BilledFact("payments", str(thing["id"]), at, row)

    @staticmethod
    def _payment_source(thing: Thing, person: str, at: datetime) -> Iterator[BilledFact]:
        card = read_card(thing)
        assert card is not None
        since = read_instant(thing.get("created_at")) or at
        yield tell_card(card, person, at, since=since, is_removed=bool(thing.get("deleted")))


def _metadata(customer: Thing) -> Thing:
    found = customer.get("meta_data")
    return found if isinstance(found, Mapping) else {}
