"""Speaks with Stripe by its official library, whose version of the API is the pinned one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import stripe

from rekindle.billing.model import (
    BilledPlan,
    BilledStanding,
    Charge,
    ChargeOutcome,
    Comeback,
    Notice,
    Page,
    SubscriptionState,
)
from rekindle.billing.stripe.catalog import StripeCatalog
from rekindle.billing.stripe.reading import (
    StripeReader,
    Thing,
    first_item,
    id_of,
    is_unpriced,
    last_charge,
    last_error,
    read_card,
    read_items,
    read_open_invoice,
    read_plan,
    read_state,
)
from rekindle.billing.values import join_plans, read_instant
from rekindle.config import BillingSettings
from rekindle.errors import BillerError, BillerRefusedError, EventError, ForgedReportError
from rekindle.feedback import LeaveReason

TOLERANCE = timedelta(minutes=5)
PAGE = 100
KINDS = ("customers", "subscriptions", "invoices", "invoice_payments", "charges")
# With what a listed thing comes: whoever the business knows the customer as, what is taken off,
# and the cards that would be charged. There is no listing of all cards that customers saved, only
# one a customer. Four levels are expanded at the most, and `data` is one of them.
EXPANDED = {
    "customers": ("data.invoice_settings.default_payment_method",),
    "subscriptions": (
        "data.customer",
        "data.default_payment_method",
        "data.discounts.source.coupon",
        "data.items.data.discounts",
    ),
    "invoices": ("data.customer",),
    "charges": ("data.customer",),
}
# Metadata of ours on a subscription that took another's place.
PREVIOUS, KEY = "rekindle_previous", "rekindle_key"
# Where our reasons for leaving stand in Stripe's list; what is not there is `other`.
FEEDBACK = {
    LeaveReason.TOO_EXPENSIVE: "too_expensive",
    LeaveReason.MISSING_FEATURES: "missing_features",
    LeaveReason.BOUGHT_ELSEWHERE: "switched_service",
    LeaveReason.UNUSED: "unused",
    LeaveReason.TOO_COMPLEX: "too_complex",
    LeaveReason.BAD_EXPERIENCE: "customer_service",
}
STANDING = (
    "customer.invoice_settings.default_payment_method",
    "default_payment_method",
    "discounts",
    "items.data.price.product",
    "latest_invoice",
)
# Of a subscription that a notice is about: what the notice only names.
NAMED = (
    "customer",
    "discounts.source.coupon",
    "items.data.discounts",
    "items.data.price.product",
)
PAYMENTS = ["payments.data.payment.payment_intent"]
PAID_KINDS = frozenset({"invoice.paid", "invoice.payment_succeeded"})
# What ids of things begin with, and where one is asked for.
KIND_OF = {
    "cus": "customers",
    "sub": "subscriptions",
    "in": "invoices",
    "inpay": "invoice_payments",
    "ch": "charges",
    "py": "charges",
    "pm": "payment_methods",
}


class StripeBiller:
    """Implements ``rekindle.billing.Biller``."""

    kinds: Sequence[str] = KINDS

    def __init__(
        self, settings: BillingSettings, *, key: str, webhook_secret: str, version: str
    ) -> None:
        self._version = version
        self._account, self._webhook_secret = settings.account, webhook_secret
        self._reader = StripeReader(settings.customer_key)
        # It asks again by itself where nobody answered, under one idempotency key.
        client = stripe.StripeClient(
            key,
            stripe_version=version,
            base_addresses={"api": settings.url.rstrip("/")} if settings.url else {},
            http_client=stripe.RequestsClient(timeout=settings.timeout_seconds),
            max_network_retries=2,
        )
        # What is sent is checked by the tests' server; the types are as many as the API.
        self._api: Any = client.v1
        self._catalog = StripeCatalog(self._api, _ask)

    def list_page(self, kind: str, cursor: str = "") -> Page:
        """Return the next part of a listing; it begins with what is newest."""
        wanted: dict[str, Any] = {"limit": PAGE, "expand": list(EXPANDED.get(kind, ()))}
        if kind == "subscriptions":
            wanted["status"] = "all"
        if cursor:
            wanted["starting_after"] = cursor
        else:
            self._catalog.forget()
        found = _ask(lambda: getattr(self._api, kind).list(wanted))
        things = found["data"]
        if kind == "subscriptions":
            things = [self._catalog.complete(one) for one in things]
        said = [one for thing in things for one in self._reader.read(thing)]
        return Page(said, str(things[-1]["id"]) if things and found.get("has_more") else "")

    def read_notice(
        self, headers: Mapping[str, str], body: bytes, received_at: datetime
    ) -> Notice | None:
        """Return what a webhook says, None where it concerns nothing here."""
        self._require_signed(headers.get("stripe-signature", ""), body, received_at)
        try:
            event = json.loads(body)
            thing, kind = event["data"]["object"], str(event["type"])
            at, id_ = read_instant(event["created"]), str(event["id"])
            version, account = str(event.get("api_version")), str(event.get("account") or "")
            before = event["data"].get("previous_attributes") or {}
            named = str(thing["object"]), str(thing.get("id") or "")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise EventError("unreadable", "this is no event of Stripe's") from error
        if account != self._account and (account or event.get("context")):
            raise ForgedReportError("the notice is of another account")
        if version != self._version:
            wanted = f"make one of the version {self._version}"
            raise EventError("version", f"the endpoint sends {version}; {wanted}")
        assert at is not None
        if kind == "payment_method.detached":
            # It is nobody's any more; whose it was stands with what it was before.
            thing = {**thing, "customer": before.get("customer"), "is_removed": True}
        if named[0] not in self._reader.kinds:
            return None
        if at - received_at > TOLERANCE:
            raise EventError("ahead", "this happened in the future")
        notice = Notice(
            id=id_,
            at=at,
            kind=kind,
            paid=_paid_by(thing) if kind in PAID_KINDS else (),
            thing=named[1],
            customer=named[1] if named[0] == "customer" else id_of(thing.get("customer")),
            is_back=_is_back(thing, before, kind),
            restored=named[1] if _is_paid_again(thing, before, kind) else "",
            instead_of=_previous_of(thing),
        )
        return self._stated(notice, thing)

    def renew(self, notice: Notice) -> Notice:
        """Return a notice with what it is about as that is now; as it is, where that is gone."""
        if (name := KIND_OF.get(notice.thing.partition("_")[0])) is None:
            return notice
        wanted = {"expand": list(NAMED)} if name == "subscriptions" else {}
        try:
            thing = _ask(lambda: getattr(self._api, name).retrieve(notice.thing, wanted))
        except BillerRefusedError as error:
            if "resource_missing" in str(error):
                return notice
            raise
        return self._stated(notice, thing) or notice

    def is_owing(self, customer: str, *, besides: str = "") -> bool:
        """Return whether an invoice of a customer is open that was tried to be paid."""
        wanted = {"customer": customer, "status": "open", "limit": PAGE}
        found = _ask(lambda: self._api.invoices.list(wanted))["data"]
        return any(one.get("attempt_count") and besides not in _paid_by(one) for one in found)

    def _stated(self, notice: Notice, thing: Thing) -> Notice | None:
        """Return a notice with what an object says, once what it only names was asked for."""
        is_subscription = thing["object"] == "subscription"
        whole = self._named_by(thing) if is_subscription else dict(thing)
        named = whole.get("customer")
        if self._reader.asks_customers and isinstance(named, str) and named:
            # A notice only names its customer; whom the business knows them as stands there.
            whole["customer"] = _ask(lambda: self._api.customers.retrieve(named))
        said = list(self._reader.read(whole, notice.at))
        if (intent := id_of(whole.get("payment_intent"))) and whole["object"] == "charge":
            of_intent = {"type": "payment_intent", "payment_intent": intent}
            found = _ask(lambda: self._api.invoice_payments.list({"payment": of_intent}))["data"]
            said += [told for one in found for told in self._reader.read(one, notice.at)]
        return replace(notice, statements=tuple(said)) if said or notice.paid else None

    def _named_by(self, thing: Thing) -> dict[str, Any]:
        """Return a subscription as it was told, with what it only names as that is now.

        That is whose it is, how its plan is called, and its discounts, which say of themselves
        since when and until when they are taken off.
        """
        if isinstance(thing.get("customer"), str) and (
            found := self._find(str(thing["id"]), NAMED)
        ):
            self._catalog.learn(found)
            discounts = {one["id"]: one.get("discounts") for one in found["items"]["data"]}
            items = (thing.get("items") or {}).get("data") or []
            told = [{**one, "discounts": discounts.get(one["id"])} for one in items]
            now = {name: found.get(name) for name in ("customer", "discounts")}
            thing = {**thing, **now, "items": {"data": told}}
        return self._catalog.complete(thing)

    def look(self, subscription: str) -> BilledStanding | None:
        """Return what is known of a subscription, None where it or its customer is gone."""
        found = self._find(subscription)
        if found is None:
            return None
        items, customer = read_items(found), found["customer"]
        if not items or not isinstance(customer, Mapping) or customer.get("deleted"):
            return None
        item, state = items[0], read_state(found)
        plans = [read_plan(one["price"], quantity=int(one.get("quantity") or 1)) for one in items]
        ended = state is SubscriptionState.ENDED
        successor = next(iter(self._successors(found)), {}) if ended else {}
        return BilledStanding(
            subscription=subscription,
            customer=id_of(customer),
            state=state,
            before=join_plans(plans) or plans[0],
            now=join_plans(sold) if (sold := self._all_on_sale(items)) else None,
            card=self._card_of(found),
            open_invoice=read_open_invoice(self._invoice_of(found)),
            paid_until=read_instant(item.get("current_period_end")),
            successor=id_of(successor),
            leaves_at=_leaves_at(found, item),
            resumes_at=read_instant((found.get("pause_collection") or {}).get("resumes_at")),
            owner=self._reader.person_of(customer),
            has_discount=bool(found.get("discounts")),
        )

    def charge(self, invoice: str, *, key: str) -> Charge:
        """Try to take the money of an open invoice, with nobody present."""
        return self._pay(invoice, {"off_session": True}, key)

    def card_page(self, subscription: str, *, return_url: str) -> str:
        """Return the address of the provider's page for another card, made at this moment."""
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        wanted = {
            "customer": id_of(found["customer"]),
            "return_url": return_url,
            "flow_data": {
                "type": "payment_method_update",
                "after_completion": {"type": "redirect", "redirect": {"return_url": return_url}},
            },
        }
        return str(_ask(lambda: self._api.billing_portal.sessions.create(wanted))["url"])

    def adopt_card(self, subscription: str, *, instead_of: str, key: str) -> Charge | None:
        """Use the customer's newest card for the subscription, and pay its open invoice by it."""
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        customer, ended = found["customer"], read_state(found) is SubscriptionState.ENDED
        card = id_of((customer.get("invoice_settings") or {}).get("default_payment_method"))
        if card in {"", instead_of}:
            raise BillerRefusedError("no other card was saved")
        if not ended and card != id_of(found.get("default_payment_method")):
            changed = {"default_payment_method": card}
            options = {"idempotency_key": f"card:{key}:{card}"}
            _ask(lambda: self._api.subscriptions.update(subscription, changed, options))
        waiting = read_open_invoice(found.get("latest_invoice"))
        if waiting is None or ended:
            return None
        # The key names the card: another card is another attempt, the same one is not.
        return self._pay(waiting.id, {"payment_method": card}, f"{key}:{card}")

    def reactivate(self, subscription: str, price_id: str, *, key: str) -> Comeback:
        """Make a subscription in the place of one that ended, which Stripe cannot revive."""
        found = self._find(subscription)
        if found is None or read_state(found) is not SubscriptionState.ENDED:
            raise BillerRefusedError("it has not ended")
        customer = id_of(found["customer"])
        took = self._successors(found, also_ended=True)
        for one in took:
            if read_state(one) is not SubscriptionState.ENDED:
                return self._comeback(one)
        sold = self._all_on_sale(read_items(found))
        now = join_plans(sold) if sold else None
        if now is None or now.price_id != price_id:
            raise BillerRefusedError("it is sold no more, or costs something else now")
        card = self._card_of(found)
        wanted: dict[str, Any] = {
            "customer": customer,
            "items": [{"price": one.price_id, "quantity": one.quantity} for one in sold],
            "payment_behavior": "allow_incomplete",
            "metadata": {**(found.get("metadata") or {}), PREVIOUS: subscription, KEY: key},
            "expand": ["latest_invoice"],
        }
        if card is not None:
            wanted["default_payment_method"] = card.id
        # Of the one that ended, not of the link: two links followed at once make one. Who came
        # back and left again has another key.
        options = {"idempotency_key": f"reactivate:{subscription}:{len(took)}"}
        return self._comeback(_ask(lambda: self._api.subscriptions.create(wanted, options)))

    def pause(self, subscription: str, until: datetime, *, key: str) -> None:
        """Charge nothing until then: what is due in the meantime is void."""
        second = int(until.timestamp())
        wanted = {"pause_collection": {"behavior": "void", "resumes_at": second}}
        self._change(subscription, wanted, f"pause:{key}")

    def resume(self, subscription: str, *, key: str) -> None:
        """Let a paused subscription go on now; one that Stripe itself paused, once it is paid.

        The one rests by its collection alone, the other by its status, which a change leaves.
        """
        if self._found(subscription).get("status") != "paused":
            self._change(subscription, {"pause_collection": ""}, f"resume:{key}")
            return
        wanted = {"payment_behavior": "resume_on_payment_success"}
        options = {"idempotency_key": f"resume:{key}"}
        answer = _ask(lambda: self._api.subscriptions.resume(subscription, wanted, options))
        if answer.get("status") == "paused":
            raise BillerRefusedError("it rests until the invoice of its return is paid")

    def cancel(self, subscription: str, *, key: str, reason: str = "", words: str = "") -> None:
        """End a subscription when what is paid for is over."""
        known = {one.value: said for one, said in FEEDBACK.items()}
        said: dict[str, Any] = {"feedback": known.get(reason, "other")}
        if words:
            said["comment"] = words
        wanted: dict[str, Any] = {"cancel_at_period_end": True}
        if reason or words:
            wanted["cancellation_details"] = said
        self._change(subscription, wanted, f"cancel:{key}")

    def keep(self, subscription: str, *, key: str) -> None:
        """Take back a cancellation that has not ended the subscription yet."""
        # Whoever cancelled for a day that they named is taken back as well.
        found = self._found(subscription)
        named = found.get("cancel_at") is not None and not found.get("cancel_at_period_end")
        wanted: Thing = {"cancel_at": ""} if named else {"cancel_at_period_end": False}
        self._change(subscription, wanted, f"keep:{key}")

    def find_plan(self, price_id: str, *, quantity: int = 1) -> BilledPlan | None:
        """Return what a price costs so many times; None where it is sold no more."""
        try:
            found = _ask(lambda: self._api.prices.retrieve(price_id, {"expand": ["product"]}))
        except BillerRefusedError as error:
            if "resource_missing" in str(error):
                return None
            raise
        product = found.get("product")
        is_sold = isinstance(product, Mapping) and product.get("active") and found.get("active")
        return read_plan(found, quantity=quantity) if is_sold else None

    def change_plan(self, subscription: str, price_id: str, *, key: str) -> None:
        """Let a subscription be of another price; the rest of what was paid is credited."""
        item = first_item(self._found(subscription))
        wanted = {
            "items": [{"id": item["id"], "price": price_id, "quantity": item.get("quantity") or 1}],
            "proration_behavior": "create_prorations",
        }
        self._change(subscription, wanted, f"plan:{key}")

    def give(self, subscription: str, discount: str, *, key: str) -> None:
        """Take off what a coupon says, beside what is taken off already."""
        discounts = self._found(subscription).get("discounts") or []
        if any(_coupon_of(one) == discount for one in discounts):
            return  # asked again: by now another request, which the key would not cover
        # What is not named here is taken away.
        held = [{"discount": id_of(one)} for one in discounts]
        wanted = {"discounts": [*held, {"coupon": discount}]}
        self._change(subscription, wanted, f"give:{key}")

    def _found(self, subscription: str) -> Thing:
        if (found := self._find(subscription)) is None:
            raise BillerRefusedError("there is no such subscription")
        return found

    def _change(self, subscription: str, wanted: Thing, key: str) -> None:
        options = {"idempotency_key": key}
        _ask(lambda: self._api.subscriptions.update(subscription, wanted, options))

    def _find(self, subscription: str, expanded: Sequence[str] = STANDING) -> Thing | None:
        wanted = {"expand": list(expanded)}
        try:
            return _ask(lambda: self._api.subscriptions.retrieve(subscription, wanted))
        except BillerRefusedError as error:
            if "resource_missing" in str(error):
                return None
            raise

    def _successors(self, ended: Thing, *, also_ended: bool = False) -> list[Thing]:
        """Return the subscriptions that took another's place: by our word, or of one product.

        Who subscribed again without our link is back as well.
        """
        wanted = {
            "customer": id_of(ended["customer"]),
            "status": "all",
            "limit": PAGE,
            "expand": ["data.latest_invoice"],
        }
        over, product = ended.get("ended_at") or 0, _product_of(ended)
        return [
            one
            for one in _ask(lambda: self._api.subscriptions.list(wanted))["data"]
            if (one.get("metadata") or {}).get(PREVIOUS) == ended["id"]
            or (one["created"] >= over and one["id"] != ended["id"] and _product_of(one) == product)
            if also_ended or read_state(one) is not SubscriptionState.ENDED
        ]

    def _all_on_sale(self, items: Sequence[Thing]) -> list[BilledPlan]:
        """Return what all that a subscription was for costs today; nothing where some is not sold.

        What goes by tiers or by use has no price that could be shown before it is paid.
        """
        if any(is_unpriced(one["price"]) for one in items):
            return []
        found = [self._on_sale(one["price"], int(one.get("quantity") or 1)) for one in items]
        return [one for one in found if one is not None] if None not in found else []

    def _on_sale(self, price: Thing, quantity: int) -> BilledPlan | None:
        """Return what a price costs today: itself, or its product's default, or nothing."""
        product = price.get("product")
        if isinstance(product, Mapping) and (product.get("deleted") or not product.get("active")):
            return None
        if price.get("active"):
            return read_plan(price, quantity=quantity)
        default = id_of(product.get("default_price")) if isinstance(product, Mapping) else ""
        if not default:
            return None
        wanted = {"expand": ["product"]}
        found = _ask(lambda: self._api.prices.retrieve(default, wanted))
        rhythm, before = found.get("recurring") or {}, price.get("recurring") or {}
        is_same = all(
            rhythm.get(name) == before.get(name) for name in ("interval", "interval_count")
        ) and found.get("currency") == price.get("currency")
        # Another rhythm or currency is another plan, which nobody agreed to by one click.
        return read_plan(found, quantity=quantity) if is_same and found.get("active") else None

    @staticmethod
    def _card_of(subscription: Thing) -> Any:
        """Return the card that would be charged: the subscription's own before the customer's."""
        customer = subscription["customer"]
        settings = customer.get("invoice_settings") or {} if isinstance(customer, Mapping) else {}
        own = read_card(subscription.get("default_payment_method"))
        return own or read_card(settings.get("default_payment_method"))

    def _invoice_of(self, subscription: Thing) -> Thing:
        """Return the newest invoice, with how its payments failed where it waits for money.

        That stands a level deeper than a subscription can be asked for.
        """
        invoice: Thing = subscription.get("latest_invoice") or {}
        if invoice.get("status") != "open":
            return invoice
        return _ask(lambda: self._api.invoices.retrieve(invoice["id"], {"expand": PAYMENTS}))

    def _comeback(self, subscription: Thing) -> Comeback:
        id_ = str(subscription["id"])
        if read_state(subscription) is SubscriptionState.ACTIVE:
            return Comeback(id_, ChargeOutcome.PAID)
        invoice = self._invoice_of(subscription)
        error = last_error(invoice)
        code = str(error.get("decline_code") or error.get("code") or "")
        needs = not error or code == "authentication_required"
        outcome = ChargeOutcome.AUTHENTICATE if needs else ChargeOutcome.DECLINED
        return Comeback(id_, outcome, code, str(invoice.get("hosted_invoice_url") or ""))

    def _pay(self, invoice: str, wanted: Mapping[str, Any], key: str) -> Charge:
        options = {"idempotency_key": f"charge:{key}"}
        try:
            found = self._api.invoices.pay(invoice, {**wanted, "expand": PAYMENTS}, options)
        except stripe.CardError as error:
            return self._declined(invoice, error)
        except stripe.StripeError as error:
            if error.code in {"invoice_not_open", "invoice_already_paid"} or _is_closed(error):
                return Charge(invoice, ChargeOutcome.CLOSED)
            raise _said(error) from error
        became = ChargeOutcome.PAID if found["status"] == "paid" else ChargeOutcome.AUTHENTICATE
        page = str(getattr(found, "hosted_invoice_url", None) or "")
        return Charge(invoice, became, page_url=page, payment=last_charge(found.to_dict()))

    def _declined(self, invoice: str, error: stripe.CardError) -> Charge:
        said: Thing = ((error.json_body or {}) if isinstance(error.json_body, dict) else {}).get(
            "error", {}
        )
        code = str(said.get("decline_code") or error.code or "")
        needs = "authentication_required" in {code, error.code}
        found = _ask(lambda: self._api.invoices.retrieve(invoice))
        return Charge(
            invoice,
            ChargeOutcome.AUTHENTICATE if needs else ChargeOutcome.DECLINED,
            decline_code=code,
            advice_code=str(said.get("advice_code") or ""),
            network_advice_code=str(said.get("network_advice_code") or ""),
            page_url=str(found.get("hosted_invoice_url") or ""),
            payment=id_of(said.get("charge")),
        )

    def _require_signed(self, given: str, body: bytes, received_at: datetime) -> None:
        """Refuse what Stripe did not sign with our secret, or not just now."""
        try:
            stripe.WebhookSignature.verify_header(body, given, self._webhook_secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise ForgedReportError("the notice is not signed by Stripe") from error
        # The library would ask the machine's clock. What it verified has a time in it.
        second = next(part[2:] for part in given.split(",") if part.startswith("t="))
        if abs(received_at.timestamp() - int(second)) > TOLERANCE.total_seconds():
            raise ForgedReportError("the notice was signed more than five minutes ago, or ahead")


def _leaves_at(subscription: Thing, item: Thing) -> datetime | None:
    at = subscription.get("cancel_at")
    if at is None and subscription.get("cancel_at_period_end"):
        at = item.get("current_period_end")
    return read_instant(at)


def _is_back(thing: Thing, before: Thing, kind: str) -> bool:
    """Return whether a subscription goes on that rested, or runs in the place of another."""
    if not _runs(thing, kind):
        return False
    if before.get("pause_collection") or before.get("status") == "paused":
        return True
    return _began(before, kind) and bool(_previous_of(thing))


def _is_paid_again(thing: Thing, before: Thing, kind: str) -> bool:
    """Return whether a subscription runs again that its owner had not paid for, or had left.

    While collection alone rested (``pause_collection``) nothing was paid, nor is it now.
    """
    if not _runs(thing, kind):
        return False
    if before.get("status") in {"past_due", "unpaid", "paused"}:
        return True
    return _began(before, kind) and bool(_previous_of(thing))


def _runs(thing: Thing, kind: str) -> bool:
    return kind.startswith("customer.subscription.") and read_state(thing) is (
        SubscriptionState.ACTIVE
    )


def _began(before: Thing, kind: str) -> bool:
    return kind == "customer.subscription.created" or before.get("status") == "incomplete"


def _previous_of(thing: Thing) -> str:
    return str((thing.get("metadata") or {}).get(PREVIOUS) or "")


def _product_of(subscription: Thing) -> str:
    return id_of((first_item(subscription).get("price") or {}).get("product"))


def _coupon_of(discount: Any) -> str:
    """Return of which coupon a discount is, "" where it is of none or only named."""
    source = discount.get("source") if isinstance(discount, Mapping) else None
    return id_of((source or {}).get("coupon"))


def _paid_by(invoice: Thing) -> tuple[str, ...]:
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    found = id_of(parent.get("subscription"))
    return (found,) if found else ()


def _ask(request: Callable[[], Any]) -> dict[str, Any]:
    """Return an answer as it came.

    Raises:
        BillerError, BillerRefusedError: Stripe did not answer, or refused.
    """
    try:
        found: dict[str, Any] = request().to_dict()
    except stripe.StripeError as error:
        raise _said(error) from error
    return found


def _said(error: stripe.StripeError) -> BillerError:
    """Return an error in our words: what Stripe says of itself, and never what it was sent."""
    told = f"Stripe: {error.code or type(error).__name__} ({error.http_status or 'no answer'})"
    mine = (
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
        stripe.CardError,
    )
    return BillerRefusedError(told) if isinstance(error, mine) else BillerError(told)


def _is_closed(error: stripe.StripeError) -> bool:
    """Return whether an invoice waits for no money: older errors say so in words alone."""
    said = str(error.user_message or "").casefold()
    return isinstance(error, stripe.InvalidRequestError) and "already paid" in said


__all__ = ["StripeBiller"]
