"""Speaks with Chargebee: what is listed, told, asked for and done there."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from rekindle.billing.chargebee.asking import DeclinedError, ask, build_client, raw, under
from rekindle.billing.chargebee.reading import (
    OWED,
    STATES,
    ChargebeeReader,
    Thing,
    first_item,
    item_price_of,
    read_card,
    read_codes,
    read_offered,
    read_open_invoice,
    read_plan,
    read_price,
    read_state,
    subscriptions_of,
    was_declined,
    will_rest,
)
from rekindle.billing.model import (
    BilledFact,
    BilledPlan,
    BilledStanding,
    Charge,
    ChargeOutcome,
    Comeback,
    Notice,
    Page,
    SubscriptionState,
    name_place,
)
from rekindle.billing.values import read_instant
from rekindle.config import BillingSettings
from rekindle.errors import BillerRefusedError, EventError, ForgedReportError

PAGE = 100
A_DAY = 86_400
TOLERANCE = timedelta(minutes=5)
USER = "rekindle"
LONGEST_URL = 250
# What is listed, as the library calls it, and by what it is in order: what is new comes last.
LISTED = {
    "customers": ("Customer", "customer", "created_at"),
    "payment_sources": ("PaymentSource", "payment_source", "created_at"),
    "subscriptions": ("Subscription", "subscription", "created_at"),
    "invoices": ("Invoice", "invoice", "date"),
    "transactions": ("Transaction", "transaction", "date"),
}
RETRIEVED = {kind: name for name, kind, _ in LISTED.values()}
# What an event is about, by how its type begins; the longer ones first.
ABOUT = {
    "payment_source_": "payment_source",
    "payment_": "invoice",
    "invoice_": "invoice",
    "subscription_": "subscription",
    "customer_": "customer",
}
BACK = frozenset({"subscription_resumed", "subscription_reactivated"})

logger = logging.getLogger(__name__)


class ChargebeeBiller:
    """Implements ``rekindle.billing.Biller``."""

    kinds: Sequence[str] = tuple(LISTED)

    def __init__(self, settings: BillingSettings, *, key: str, password: str, version: str) -> None:
        self._api, self._version = build_client(settings, key), version
        self._password = password
        self._reader = ChargebeeReader(settings.customer_key)
        self._people: dict[str, str] = {}  # as they were listed, for what only names them
        self._coupons: dict[str, Thing] = {}

    # What is listed and told

    def list_page(self, kind: str, cursor: str = "") -> Page:
        """Return the next part of a listing; it begins with what is oldest."""
        resource, name, order = LISTED[kind]
        if kind == "customers" and not cursor:
            self._people.clear()
        if not cursor:
            self._coupons.clear()
        wanted: dict[str, Any] = {"limit": PAGE, "sort_by": {"asc": order}}
        if cursor:
            wanted["offset"] = cursor
        found = ask(lambda: getattr(self._api, resource).list(wanted))
        said: list[BilledFact] = []
        for entry in found.list:
            thing = self._with_coupons(raw(getattr(entry, name)))
            customer = getattr(entry, "customer", None)
            person = self._listed_person(thing, raw(customer))
            at = read_instant(thing.get("date") or thing.get("created_at"))
            if at is not None:
                said += self._reader.read(name, thing, person, at)
        return Page(said, str(found.next_offset or ""))

    def _with_coupons(self, thing: Thing) -> Thing:
        """Return a thing in which the coupons of a subscription stand whole, each asked for once.

        A subscription says only which it has, and a listing of theirs what they take off.
        """
        if not (applied := thing.get("coupons")):
            return thing
        for id_ in {str(one["coupon_id"]) for one in applied} - self._coupons.keys():
            self._coupons[id_] = self._optional(partial(self._coupon, id_))
        whole = [{**one, "coupon": self._coupons[str(one["coupon_id"])]} for one in applied]
        return {**thing, "coupons": whole}

    def _coupon(self, id_: str) -> dict[str, Any]:
        return raw(self._api.Coupon.retrieve(id_).coupon)

    def _listed_person(self, thing: Thing, customer: Thing) -> str:
        id_ = str(customer.get("id") or thing.get("customer_id") or "")
        if customer:
            self._people[id_] = self._reader.person_of(customer)
        elif id_ not in self._people:
            self._people[id_] = self._person(id_)
        return self._people[id_]

    def _person(self, customer: str) -> str:
        """Return whom the business knows a customer as, asked for where it has to be."""
        if not (self._reader.asks_customers and customer):
            return customer
        try:
            return self._reader.person_of(self._retrieve("customer", customer))
        except BillerRefusedError:
            return customer  # who is gone is known by this id alone

    def read_notice(
        self, headers: Mapping[str, str], body: bytes, received_at: datetime
    ) -> Notice | None:
        """Return what a webhook says, None where it concerns nothing here.

        Chargebee signs nothing: it gives the password that was set there. What is in the body
        is believed as far as it names an event, which is then asked for at Chargebee.
        """
        self._require_password(headers.get("authorization", ""))
        try:
            told = json.loads(body)
            id_, version = str(told["id"]), told.get("api_version")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise EventError("unreadable", "this is no event of Chargebee's") from error
        if version != self._version:
            wanted = f"make one of the version {self._version}"
            raise EventError("version", f"the endpoint sends {version}; {wanted}")
        event = self._retrieve_event(id_)
        at, kind = read_instant(event["occurred_at"]), str(event["event_type"])
        assert at is not None
        if at - received_at > TOLERANCE:
            raise EventError("ahead", "this happened in the future")
        return self._as_notice(id_, kind, at, event.get("content") or {})

    def _retrieve_event(self, id_: str) -> Thing:
        try:
            return raw(ask(lambda: self._api.Event.retrieve(id_)).event)
        except BillerRefusedError as error:
            if _is_missing(error):
                raise ForgedReportError("Chargebee knows no such event of this site") from error
            raise

    def _as_notice(self, id_: str, kind: str, at: datetime, content: Thing) -> Notice | None:
        about = next((name for start, name in ABOUT.items() if kind.startswith(start)), "")
        thing = self._with_coupons(content.get(about) or {})
        if not thing:
            return None
        customer = str(thing["id"] if about == "customer" else thing.get("customer_id") or "")
        of_person = content.get("customer") or {}
        person = self._reader.person_of(of_person) if of_person else self._person(customer)
        said = list(self._reader.read(about, thing, person, at))
        if (transaction := content.get("transaction")) and about == "invoice":
            said += self._reader.read("transaction", transaction, person, at)
        is_paid = kind == "payment_succeeded" and thing.get("status") == "paid"
        restored, instead_of = _restored(kind, thing, content, is_paid=is_paid)
        return Notice(
            id=id_,
            at=at,
            kind=kind,
            statements=tuple(said),
            paid=subscriptions_of(thing) if is_paid else (),
            thing=str(thing["id"]),
            customer=customer,
            is_back=kind in BACK and read_state(thing) is not SubscriptionState.ENDED,
            restored=restored,
            instead_of=instead_of,
        )

    def renew(self, notice: Notice) -> Notice:
        """Return a notice with what it is about as that is now; as it is, where that is gone."""
        name = next((name for start, name in ABOUT.items() if notice.kind.startswith(start)), "")
        if not name:
            return notice
        try:
            thing = self._retrieve(name, notice.thing)
        except BillerRefusedError as error:
            if _is_missing(error):
                return notice
            raise
        whole, person = self._with_coupons(thing), self._person(notice.customer)
        said = list(self._reader.read(name, whole, person, notice.at))
        # A payment is told beside its invoice, which does not have it when it is asked for.
        renewed = {one.table for one in said}
        beside = [one for one in notice.statements if one.table not in renewed]
        return replace(notice, statements=(*said, *beside))

    def is_owing(self, customer: str, *, besides: str = "") -> bool:
        """Return whether an invoice of a customer is open that was tried to be paid."""
        found = self._invoices({"customer_id": {"is": customer}})
        return any(was_declined(one) and besides not in subscriptions_of(one) for one in found)

    # What is known of one subscription

    def look(self, subscription: str) -> BilledStanding | None:
        """Return what is known of a subscription, None where it or its customer is gone."""
        found = self._find(subscription)
        if found is None:
            return None
        thing, customer = found
        price, invoice = self._item_price(thing), self._open_invoice(thing)
        before, state = read_plan(thing, price), _state_of(thing, owes=bool(invoice))
        return BilledStanding(
            subscription=subscription,
            customer=str(customer["id"]),
            state=state,
            before=before,
            now=_on_sale(before, price),
            card=read_card(self._source_of(thing, customer)),
            open_invoice=read_open_invoice(invoice, self._last_try(invoice)) if invoice else None,
            paid_until=read_instant(thing.get("current_term_end")),
            leaves_at=(
                read_instant(thing.get("cancelled_at"))
                if thing.get("status") == "non_renewing"
                else None
            ),
            resumes_at=read_instant(thing.get("resume_date")),
            owner=self._reader.person_of(customer),
            has_discount=bool(thing.get("discounts") or thing.get("coupons")),
        )

    def charge(self, invoice: str, *, key: str) -> Charge:
        """Try to take the money of an open invoice, with nobody present."""
        return self._collect(invoice, {"payment_initiator": "merchant"}, f"charge:{key}")

    def card_page(self, subscription: str, *, return_url: str) -> str:
        """Return the address of Chargebee's page for another card, made at this moment."""
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        return self._card_page(str(found[1]["id"]), return_url)

    def adopt_card(self, subscription: str, *, instead_of: str, key: str) -> Charge | None:
        """Use the customer's newest card for the subscription, and pay its open invoice by it."""
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        thing, customer = found
        wanted = {"customer_id": {"is": customer["id"]}, "sort_by": {"desc": "created_at"}}
        sources = ask(lambda: self._api.PaymentSource.list({**wanted, "limit": 1})).list
        card = str(raw(sources[0].payment_source)["id"]) if sources else ""
        if card in {"", instead_of}:
            raise BillerRefusedError("no other card was saved")
        is_over = read_state(thing) is SubscriptionState.ENDED
        if not is_over and card != thing.get("payment_source_id"):
            profile = {"payment_source_id": card, "auto_collection": "on"}
            self._do("override_billing_profile", subscription, profile, f"card:{key}:{card}")
        waiting = self._open_invoice(thing)
        if is_over or not waiting:
            return None
        by = {"payment_source_id": card, "payment_initiator": "customer"}
        # The key names the card: another card is another attempt, the same one is not.
        return self._collect(str(waiting["id"]), by, f"charge:{key}:{card}")

    # What is done to one subscription

    def reactivate(self, subscription: str, price_id: str, *, key: str) -> Comeback:
        """Let a subscription that ended run again. One that runs already is answered as it is."""
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        thing, customer = found
        if read_state(thing) is not SubscriptionState.ENDED:
            return self._comeback(thing, customer)
        price = self._item_price(thing)
        now = _on_sale(read_plan(thing, price), price)
        if now is None or now.price_id != price_id:
            raise BillerRefusedError("it is sold no more, or costs something else now")
        # Of this end and card, not of the link: two links followed at once make one return.
        of = f"{thing.get('cancelled_at')}:{_card_of(thing, customer)}"
        wanted = {"invoice_immediately": True, "payment_initiator": "customer"}
        try:
            self._do("reactivate", subscription, wanted, f"back:{subscription}:{of}")
        except DeclinedError:
            return self._not_paid(thing, customer, self._last_of_customer(customer))
        if (again := self._find(subscription)) is None:
            raise BillerRefusedError("it is gone")
        return self._comeback(*again)

    def pause(self, subscription: str, until: datetime, *, key: str) -> None:
        """Charge nothing more until then; it rests when what is paid for is over."""
        wanted = {"pause_option": "end_of_term", "resume_date": int(until.timestamp())}
        self._do("pause", subscription, wanted, f"pause:{key}")

    def resume(self, subscription: str, *, key: str) -> None:
        """Let a paused subscription go on now, and collect what its pause left open."""
        if (found := self._find(subscription)) is not None and will_rest(found[0]):
            self._call_off_pause(subscription, key)
            return
        wanted = {
            "resume_option": "immediately",
            "unpaid_invoices_handling": "schedule_payment_collection",
        }
        self._do("resume", subscription, wanted, f"resume:{key}")

    def cancel(self, subscription: str, *, key: str, reason: str = "", words: str = "") -> None:
        """End a subscription when what is paid for is over.

        Chargebee takes no reason but those of a list that the site keeps, so none is told.
        """
        if (found := self._find(subscription)) is not None and will_rest(found[0]):
            self._call_off_pause(subscription, key)  # at the end of the term it cannot do both
        self._do("cancel_for_items", subscription, {"cancel_option": "end_of_term"}, f"end:{key}")

    def keep(self, subscription: str, *, key: str) -> None:
        """Take back a cancellation that is scheduled."""
        self._do("remove_scheduled_cancellation", subscription, {}, f"keep:{key}")

    def find_plan(self, price_id: str, *, quantity: int = 1) -> BilledPlan | None:
        """Return what an item price costs so many times; None where it is sold no more.

        Prices by tiers are none: what they cost is known of a subscription alone.
        """
        id_ = item_price_of(price_id)
        item_price = self._optional(lambda: raw(self._api.ItemPrice.retrieve(id_).item_price))
        return read_offered(item_price, quantity=quantity)

    def change_plan(self, subscription: str, price_id: str, *, key: str) -> None:
        """Let a subscription be of another item price; the rest of what was paid is credited.

        The next invoice has the difference. Addons stay, but those the site ties to a plan.
        """
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        quantity = int(first_item(found[0]).get("quantity") or 1)
        plan = self.find_plan(price_id, quantity=quantity)
        if plan is None or price_id not in {plan.price_id, item_price_of(plan.price_id)}:
            raise BillerRefusedError("it is sold no more, or costs something else now")
        item: dict[str, Any] = {"item_price_id": item_price_of(plan.price_id)}
        if plan.quantity > 1:
            item["quantity"] = plan.quantity
        wanted = {
            "subscription_items": [item],
            "prorate": True,
            "invoice_immediately": False,
            "end_of_term": False,
        }
        self._do("update_for_items", subscription, wanted, f"plan:{key}")

    def give(self, subscription: str, discount: str, *, key: str) -> None:
        """Take off what a coupon says, beside what is taken off already."""
        wanted = {"coupon_ids": [discount], "replace_coupon_list": False}
        self._do("update_for_items", subscription, wanted, f"give:{key}")

    def _call_off_pause(self, subscription: str, key: str) -> None:
        call = self._api.Subscription.remove_scheduled_pause
        ask(lambda: call(subscription, under(f"unpause:{key}")))

    def _do(self, verb: str, subscription: str, wanted: Thing, key: str) -> Any:
        act = getattr(self._api.Subscription, verb)
        return ask(lambda: act(subscription, dict(wanted), under(key)))

    # What these ask for

    def _retrieve(self, kind: str, id_: str) -> dict[str, Any]:
        request = partial(getattr(self._api, RETRIEVED[kind]).retrieve, id_)
        return raw(getattr(ask(request), kind))

    def _find(self, subscription: str) -> tuple[Thing, Thing] | None:
        """Return a subscription and its customer, None where one is gone, or it is for nothing."""
        try:
            found = ask(lambda: self._api.Subscription.retrieve(subscription))
        except BillerRefusedError as error:
            if _is_missing(error):
                return None
            raise
        thing, customer = raw(found.subscription), raw(found.customer)
        is_gone = thing.get("deleted") or not customer or customer.get("deleted")
        return None if is_gone or not read_price(thing) else (thing, customer)

    def _item_price(self, subscription: Thing) -> Thing:
        id_ = str(first_item(subscription)["item_price_id"])
        return self._optional(lambda: raw(self._api.ItemPrice.retrieve(id_).item_price))

    def _source_of(self, subscription: Thing, customer: Thing) -> Thing:
        """Return what would be charged: the subscription's own before the customer's."""
        if not (own := _card_of(subscription, customer)):
            return {}
        return self._optional(lambda: raw(self._api.PaymentSource.retrieve(own).payment_source))

    @staticmethod
    def _optional(request: Callable[[], dict[str, Any]]) -> Thing:
        """Return what there is, an empty thing where there is none."""
        try:
            found: Thing = ask(request)
        except BillerRefusedError as error:
            if _is_missing(error):
                return {}
            raise
        return found

    def _invoices(self, of: Thing) -> list[Thing]:
        """Return the open invoices of somebody or something, the newest first."""
        statuses = {"in": sorted(OWED)}
        wanted = {**of, "status": statuses, "sort_by": {"desc": "date"}, "limit": PAGE}
        found = ask(lambda: self._api.Invoice.list(wanted)).list
        return [raw(one.invoice) for one in found]

    def _open_invoice(self, subscription: Thing) -> Thing:
        """Return the newest open invoice of what runs, an empty thing where there is none.

        What was not paid before it ended is an old debt: it is no part of what is paid since.
        """
        begun_at = int(subscription.get("activated_at") or 0) - A_DAY
        found = self._invoices({"subscription_id": {"is": subscription["id"]}})
        return next((one for one in found if int(one.get("date") or 0) >= begun_at), {})

    def _last_try(self, invoice: Thing) -> Thing:
        """Return the newest payment of an invoice, an empty one where there is none."""
        tries = invoice.get("linked_payments") or []
        if not tries:
            return {}
        last = max(tries, key=lambda one: int(one.get("txn_date") or 0))
        return self._retrieve("transaction", str(last["txn_id"]))

    def _last_of_customer(self, customer: Thing) -> Thing:
        wanted = {"customer_id": {"is": customer["id"]}, "sort_by": {"desc": "date"}, "limit": 1}
        found = ask(lambda: self._api.Transaction.list(wanted)).list
        return raw(found[0].transaction) if found else {}

    def _card_page(self, customer: str, return_url: str = "") -> str:
        wanted: dict[str, Any] = {"customer": {"id": customer}}
        if 0 < len(return_url) <= LONGEST_URL:
            wanted["redirect_url"] = return_url
        elif return_url:
            logger.warning("the way back from Chargebee's page is too long for it; none is given")
        found = ask(lambda: self._api.HostedPage.manage_payment_sources(wanted))
        return str(raw(found.hosted_page)["url"])

    def _collect(self, invoice: str, wanted: Mapping[str, Any], key: str) -> Charge:
        pay = partial(self._api.Invoice.collect_payment, invoice, dict(wanted), under(key))
        try:
            answer = ask(pay)
        except DeclinedError:
            return self._declined(invoice)
        except BillerRefusedError as error:
            if "invalid_state_for_request" in str(error):
                return Charge(invoice, ChargeOutcome.CLOSED)
            raise
        found, made = raw(answer.invoice), str(raw(answer.transaction).get("id") or "")
        # What a bank has not confirmed yet waits for no more money, either.
        is_paid = found.get("status") == "paid"
        became = ChargeOutcome.PAID if is_paid else ChargeOutcome.CLOSED
        return Charge(invoice, became, payment=made)

    def _declined(self, invoice: str) -> Charge:
        thing = self._retrieve("invoice", invoice)
        tried = self._last_try(thing)
        decline, advice, network = read_codes(tried)
        return Charge(
            invoice,
            _outcome_of(decline),
            decline_code=decline,
            advice_code=advice,
            network_advice_code=network,
            page_url=self._card_page(str(thing["customer_id"])),
            payment=str(tried.get("id") or ""),
        )

    def _comeback(self, thing: Thing, customer: Thing) -> Comeback:
        """Return how a subscription that runs stands: paid for, or waiting for money."""
        id_, invoice = str(thing["id"]), self._open_invoice(thing)
        if _state_of(thing, owes=bool(invoice)) in {
            SubscriptionState.ACTIVE,
            SubscriptionState.PAUSED,
        }:
            revived = read_instant(thing.get("activated_at"))
            return Comeback(id_, ChargeOutcome.PAID, revived_at=revived)
        return self._not_paid(thing, customer, self._last_try(invoice))

    def _not_paid(self, thing: Thing, customer: Thing, transaction: Thing) -> Comeback:
        decline, _, _ = read_codes(transaction)
        page = self._card_page(str(customer["id"]))
        return Comeback(str(thing["id"]), _outcome_of(decline), decline, page)

    def _require_password(self, given: str) -> None:
        """Refuse what does not come with the user and password that were set at Chargebee."""
        scheme, _, coded = given.partition(" ")
        try:
            told = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            told = b""
        wanted = f"{USER}:{self._password}".encode()
        if scheme.casefold() != "basic" or not hmac.compare_digest(told, wanted):
            raise ForgedReportError("the notice has not the password that was set at Chargebee")


def _state_of(subscription: Thing, *, owes: bool) -> SubscriptionState:
    """Return what a subscription is; ``owes`` says whether an invoice of this run is open.

    What it owed before it ran again is an old debt.
    """
    state = read_state(subscription)
    is_old_debt = state is SubscriptionState.OWING and not owes
    return SubscriptionState.ACTIVE if is_old_debt else state


def _is_missing(error: BillerRefusedError) -> bool:
    """Return whether something was asked for that is not there."""
    return "resource_not_found" in str(error)


def _card_of(subscription: Thing, customer: Thing) -> str:
    found = subscription.get("payment_source_id") or customer.get("primary_payment_source_id")
    return str(found or "")


def _on_sale(before: BilledPlan, item_price: Thing) -> BilledPlan | None:
    """Return what is paid on coming back; nothing where the price is sold no more."""
    return before if item_price.get("status") == "active" else None


def _outcome_of(decline: str) -> ChargeOutcome:
    asks = "authentication" in decline
    return ChargeOutcome.AUTHENTICATE if asks else ChargeOutcome.DECLINED


def _restored(kind: str, thing: Thing, content: Thing, *, is_paid: bool) -> tuple[str, str]:
    """Return what is paid for again by an event, and what it is told by where it came back."""
    if is_paid and was_declined(thing):
        named = content.get("subscription") or {}
        runs = STATES.get(str(named.get("status"))) is SubscriptionState.ACTIVE
        return (str(named["id"]) if runs else "", "")
    is_paid_for = (content.get("invoice") or {}).get("status") == "paid"
    state = _state_of(thing, owes=not is_paid_for)
    if kind not in BACK or state is not SubscriptionState.ACTIVE:
        return "", ""
    id_ = str(thing["id"])
    if kind == "subscription_resumed":
        return id_, ""
    return id_, name_place(id_, read_instant(thing.get("activated_at")))


__all__ = ["ChargebeeBiller"]
