"""What a biller remembers and does, in the shapes of Stripe's API of 2026-10-28.

Nothing here listens or sends. The clock is moved; what would have happened in the meantime
(renewals, retries, ends of pauses) happens then, in order.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rekindle.clock import MovableClock

VERSION = "2026-10-28.endive"
RETRY_DAYS = (3, 5, 7)
RENEWED = frozenset({"active", "past_due", "trialing"})
Thing = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - it is an answer, and no fault of ours
    """What the API answers in place of a thing: a status and an error."""

    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.error: Thing = {"type": kind, "code": code, "message": code, **more}


class BillerWorld:
    """Everything one account holds. Cards do what they were made to do: see ``add_card``."""

    def __init__(self, clock: MovableClock, *, webhook_secret: str = "whsec_test") -> None:
        self.clock, self.webhook_secret = clock, webhook_secret
        self.things: dict[str, Thing] = {}
        self._of_kind: dict[str, list[Thing]] = {}
        self.events: list[Thing] = []
        self.attempts: list[tuple[str, str]] = []  # invoice and what became of it
        self.retries = True  # by itself, as the account is set up
        self._does: dict[str, str] = {}
        self._count = 0

    # What a test sets up

    def add_plan(self, name: str = "Gold", *, amount: int = 1000, currency: str = "usd") -> Thing:
        """Return a monthly price of a product of its own, in minor units."""
        product = self._make("prod", "product", name=name, active=True, default_price=None)
        price = self.add_price(product["id"], amount=amount, currency=currency)
        product["default_price"] = price["id"]
        return price

    def add_price(self, product: str, *, amount: int, currency: str = "usd") -> Thing:
        """Return one more monthly price of a product."""
        rhythm = {"interval": "month", "interval_count": 1}
        return self._make(
            "price",
            "price",
            product=product,
            active=True,
            nickname=None,
            currency=currency,
            unit_amount=amount,
            recurring=rhythm,
            type="recurring",
        )

    def add_coupon(
        self,
        percent: float | None = 20,
        *,
        amount: int | None = None,
        currency: str = "usd",
        months: int = 0,
        duration: str = "",
        products: Sequence[str] = (),
    ) -> Thing:
        """Return something that may be taken off a subscription: a share, or minor units.

        It is taken off one invoice, those of some months, or ``duration`` "forever".
        """
        return self._make(
            "co",
            "coupon",
            percent_off=percent if amount is None else None,
            amount_off=amount,
            currency=None if amount is None else currency,
            duration=duration or ("repeating" if months else "once"),
            duration_in_months=months or None,
            applies_to={"products": list(products)} if products else None,
        )

    def take_off(self, subscription: str, coupon: str) -> Thing:
        """Return the discount by which a coupon is taken off a subscription from now on."""
        held = [{"discount": one} for one in self.things[subscription]["discounts"]]
        wanted = {"discounts": [*held, {"coupon": coupon}]}
        found = self.update_subscription(subscription, wanted)["discounts"][-1]
        return self.things[found]

    def take_off_all(self, customer: str, coupon: str) -> Thing:
        """Return the discount by which a coupon is taken off all that a customer pays for."""
        made = self.things[self._discount({"coupon": coupon})]
        self.things[customer]["discount"] = made["id"]
        self._tell("customer.updated", self.things[customer])
        return made

    def delete_coupon(self, id_: str) -> None:
        """Delete a coupon; discounts of it go on."""
        self.find(id_, "coupon")["deleted"] = True

    def call_off(self, subscription: str, discount: str) -> None:
        """Let a discount not be taken off any more."""
        self._drop_discount(self.things[subscription], discount)
        self._tell("customer.subscription.updated", self.things[subscription])

    def add_customer(self, email: str = "ada@example.com", **metadata: str) -> Thing:
        """Return a customer who has no card yet."""
        customer = self._make(
            "cus",
            "customer",
            email=email,
            name="Ada King",
            phone=None,
            address=None,
            metadata=metadata,
            invoice_settings={"default_payment_method": None},
            discount=None,
        )
        self._tell("customer.created", customer)
        return customer

    def add_card(self, customer: str, does: str = "pays") -> Thing:
        """Return a card that is the customer's default from now on.

        ``does`` is `pays`, `authentication_required`, or a decline code; after a colon may
        stand an advice code.
        """
        of_card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}
        card = self._make("pm", "payment_method", type="card", card=of_card, customer=customer)
        self._does[card["id"]] = does
        self.things[customer]["invoice_settings"]["default_payment_method"] = card["id"]
        self._tell("payment_method.attached", card)
        return card

    def renew_card(self, id_: str, *, year: int) -> None:
        """Let the bank renew a card: it is the same one, and good for longer."""
        card = self.find(id_, "payment_method")
        card["card"]["exp_year"] = year
        self._tell("payment_method.automatically_updated", card)

    def remove_card(self, id_: str) -> None:
        """Take a card off its customer."""
        card = self.find(id_, "payment_method")
        customer, card["customer"] = card["customer"], None
        settings = self.things[customer]["invoice_settings"]
        if settings["default_payment_method"] == id_:
            settings["default_payment_method"] = None
        self._tell("payment_method.detached", card, {"customer": customer})

    def subscribe(self, customer: str, price: str, **more: Any) -> Thing:
        """Return a new subscription, paid or not as its card does."""
        now = self._second()
        items = [{"price": price, "quantity": 1}]
        return self.create_subscription(
            {"customer": customer, "items": items, "start_date": now, **more}
        )

    # What the API does

    def find(self, id_: str, kind: str) -> Thing:
        """Return a thing, or refuse as the API does."""
        found = self.things.get(id_)
        is_gone = kind == "coupon" and found is not None and found.get("deleted")
        if found is None or found["object"] != kind or is_gone:
            raise Refusal(404, "invalid_request_error", "resource_missing", param="id")
        return found

    def list_things(self, kind: str, wanted: Thing) -> Thing:
        """Return a page of a kind, the newest first."""
        found = self._of_kind.get(kind, [])[::-1]
        if customer := wanted.get("customer"):
            found = [one for one in found if one.get("customer") == customer]
        if kind == "subscription" and wanted.get("status") != "all":
            found = [one for one in found if one["status"] != "canceled"]
        if kind == "invoice" and (status := wanted.get("status")):
            found = [one for one in found if one["status"] == status]
        if payment := wanted.get("payment"):
            intent = payment["payment_intent"]
            found = [one for one in found if one["payment"]["payment_intent"] == intent]
        if after := wanted.get("starting_after"):
            places = [place for place, one in enumerate(found) if one["id"] == after]
            found = found[places[0] + 1 :] if places else []
        limit = int(wanted.get("limit", 10))
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}

    def create_subscription(self, wanted: Thing) -> Thing:
        """Make a subscription and its first invoice, and try to have it paid.

        Where it is tried out first (``trial_end``), that is done as the trial ends.
        """
        customer = self.find(wanted["customer"], "customer")
        price = self.find(wanted["items"][0]["price"], "price")
        if not price["active"]:
            raise Refusal(400, "invalid_request_error", "price_inactive", param="items")
        now, tried = self._second(), wanted.get("trial_end")
        item = {
            "object": "subscription_item",
            "current_period_start": now,
            "current_period_end": int(tried) if tried else _next(now, price),
            "discounts": [],
        }
        items = [
            {
                **item,
                "id": self._id("si"),
                "price": one["price"],
                "quantity": int(one.get("quantity", 1)),
                "discounts": [],
            }
            for one in wanted["items"]
        ]
        found = self._make(
            "sub",
            "subscription",
            customer=customer["id"],
            status="trialing" if tried else "incomplete",
            trial_end=int(tried) if tried else None,
            start_date=wanted.get("start_date", now),
            items={"object": "list", "data": items, "has_more": False},
            metadata=wanted.get("metadata", {}),
            default_payment_method=wanted.get("default_payment_method"),
            latest_invoice=None,
            canceled_at=None,
            cancel_at=None,
            cancel_at_period_end=False,
            ended_at=None,
            pause_collection=None,
            discounts=[self._discount(one) for one in wanted.get("discounts", [])],
            cancellation_details={"comment": None, "feedback": None, "reason": None},
        )
        self._tell("customer.subscription.created", found)
        if not tried:
            self._bill(found, "subscription_create")
        return found

    def update_subscription(self, id_: str, wanted: Thing) -> Thing:
        """Change what the API lets be changed of a subscription."""
        found = self.find(id_, "subscription")
        if found["status"] == "canceled":
            raise Refusal(400, "invalid_request_error", "resource_already_canceled")
        before: Thing = {}
        if "pause_collection" in wanted:
            before["pause_collection"] = found["pause_collection"]
            paused = wanted["pause_collection"] or None
            if paused and "resumes_at" in paused:
                paused["resumes_at"] = int(paused["resumes_at"])
            found["pause_collection"] = paused
        if card := wanted.get("default_payment_method"):
            found["default_payment_method"] = self.find(card, "payment_method")["id"]
        if wanted.get("cancel_at_period_end") in {"true", True}:
            period_end = found["items"]["data"][0]["current_period_end"]
            details = {**found["cancellation_details"], **wanted.get("cancellation_details", {})}
            found["cancellation_details"] = {**details, "reason": "cancellation_requested"}
            found.update(
                cancel_at_period_end=True, cancel_at=period_end, canceled_at=self._second()
            )
        elif "cancel_at_period_end" in wanted or wanted.get("cancel_at") == "":
            found.update(cancel_at_period_end=False, cancel_at=None, canceled_at=None)
        self._change_price(found, wanted.get("items") or [])
        if "discounts" in wanted:
            found["discounts"] = [self._discount(one) for one in wanted["discounts"] or []]
        self._tell("customer.subscription.updated", found, before)
        return found

    def _change_price(self, subscription: Thing, items: list[Thing]) -> None:
        """Let what is subscribed to be of another price; the fake credits nothing."""
        for one in items:
            price, item = self.find(one["price"], "price"), subscription["items"]["data"][0]
            if not price["active"]:
                raise Refusal(400, "invalid_request_error", "price_inactive", param="items")
            if one["id"] != item["id"]:
                raise Refusal(404, "invalid_request_error", "resource_missing", param="items")
            item.update(price=price["id"], quantity=int(one.get("quantity", 1)))

    def _discount(self, wanted: Thing) -> str:
        if "discount" in wanted:
            return str(self.find(wanted["discount"], "discount")["id"])
        coupon, now = self.find(wanted["coupon"], "coupon"), self._second()
        months = coupon["duration_in_months"]
        source = {"type": "coupon", "coupon": coupon["id"]}
        made = self._make(
            "di",
            "discount",
            source=source,
            start=now,
            end=add_months(now, months) if months else None,
        )
        return str(made["id"])

    def _drop_discount(self, subscription: Thing, discount: str) -> None:
        for one in (subscription, *subscription["items"]["data"]):
            one["discounts"] = [id_ for id_ in one["discounts"] if id_ != discount]

    def _discounts_of(self, subscription: Thing) -> list[Thing]:
        """Return what is taken off its first item, in order: of that, then of all of it."""
        customer = self.things[subscription["customer"]]
        own = subscription["discounts"] or ([customer["discount"]] if customer["discount"] else [])
        return [self.things[one] for one in (*subscription["items"]["data"][0]["discounts"], *own)]

    def end(self, id_: str, reason: str = "cancellation_requested") -> Thing:
        """End a subscription now."""
        found, now = self.find(id_, "subscription"), self._second()
        found["cancellation_details"]["reason"] = reason
        found.update(
            status="canceled", ended_at=now, canceled_at=found["canceled_at"] or now, cancel_at=None
        )
        self._tell("customer.subscription.deleted", found)
        return found

    def resume(self, id_: str) -> Thing:
        """Let a subscription of the status `paused` go on, if the invoice of that is paid."""
        found = self.find(id_, "subscription")
        if found["status"] != "paused":
            raise Refusal(400, "invalid_request_error", "subscription_not_paused")
        self._bill(found, "subscription_update")
        is_paid = self.things[found["latest_invoice"]]["status"] == "paid"
        found["status"] = "active" if is_paid else "paused"
        self._tell("customer.subscription.updated", found)
        return found

    def pay(self, id_: str, wanted: Thing) -> Thing:
        """Try to take the money of an open invoice; refuse as a declined card does."""
        invoice = self.find(id_, "invoice")
        if invoice["status"] != "open":
            raise Refusal(400, "invalid_request_error", "invoice_not_open")
        error = self._attempt(invoice, wanted.get("payment_method"))
        if error:
            raise Refusal(402, "card_error", **error)
        return invoice

    def open_portal(self, wanted: Thing) -> Thing:
        """Return a session of the page for another card."""
        customer = self.find(wanted["customer"], "customer")
        session = self._make(
            "bps",
            "billing_portal.session",
            customer=customer["id"],
            return_url=wanted["return_url"],
            flow=wanted.get("flow_data"),
        )
        session["url"] = f"https://billing.example/{session['id']}"
        return session

    # What time does

    def advance(self, by: timedelta) -> None:
        """Move the clock, and let happen what would have in the meantime, in order."""
        until = self._second() + int(by.total_seconds())
        while due := min(self._due(until), default=None, key=_in_order):
            at, what, id_ = due
            self.clock.set(datetime.fromtimestamp(max(at, self._second()), UTC))
            getattr(self, f"_{what}")(self.things[id_])
        self.clock.set(datetime.fromtimestamp(until, UTC))

    def _due(self, until: int) -> Iterator[tuple[int, str, str]]:
        for id_, one in self.things.items():
            if one["object"] == "invoice" and one["status"] == "open":
                at = one["next_payment_attempt"]
                if at is not None and at <= until:
                    yield at, "retry", id_
            elif one["object"] == "subscription" and one["status"] != "canceled":
                paused, item = one["pause_collection"], one["items"]["data"][0]
                if paused and paused.get("resumes_at") and paused["resumes_at"] <= until:
                    yield paused["resumes_at"], "resume", id_
                if item["current_period_end"] <= until and one["status"] in RENEWED:
                    yield item["current_period_end"], "renew", id_
                ends = [of["end"] for of in self._discounts_of(one) if of["end"]]
                if min(ends, default=until + 1) <= until:
                    yield min(ends), "expire", id_

    def _resume(self, subscription: Thing) -> None:
        self.update_subscription(subscription["id"], {"pause_collection": ""})

    def _expire(self, subscription: Thing) -> None:
        """Take off no more what has come to its end; that goes on while a subscription rests."""
        now, customer = self._second(), self.things[subscription["customer"]]
        for one in self._discounts_of(subscription):
            if one["end"] and one["end"] <= now:
                self._drop_discount(subscription, one["id"])
                if customer["discount"] == one["id"]:
                    customer["discount"] = None
        self._tell("customer.subscription.updated", subscription)

    def _renew(self, subscription: Thing) -> None:
        if subscription["cancel_at_period_end"]:
            self.end(subscription["id"])
            return
        item = subscription["items"]["data"][0]
        start = item["current_period_end"]
        since = subscription["trial_end"] or subscription["start_date"]
        end = _next(start, self.things[item["price"]], since=since)
        item.update(current_period_start=start, current_period_end=end)
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
            self._tell("customer.subscription.updated", subscription, {"status": "trialing"})
        self._bill(subscription, "subscription_cycle")

    def _retry(self, invoice: Thing) -> None:
        self._attempt(invoice, None)

    # Invoices and charges

    def _bill(self, subscription: Thing, reason: str) -> None:
        items = subscription["items"]["data"]
        item, price = items[0], self.things[items[0]["price"]]
        total = sum(self.things[one["price"]]["unit_amount"] * one["quantity"] for one in items)
        total = self._take_off(subscription, total)
        details = {"subscription": subscription["id"], "metadata": {}}
        invoice = self._make(
            "in",
            "invoice",
            customer=subscription["customer"],
            status="open",
            currency=price["currency"],
            total=total,
            amount_due=total,
            amount_remaining=total,
            attempt_count=0,
            next_payment_attempt=None,
            billing_reason=reason,
            period_start=item["current_period_start"],
            period_end=item["current_period_end"],
            due_date=None,
            parent={"type": "subscription_details", "subscription_details": details},
            payments={"object": "list", "data": [], "has_more": False},
            status_transitions={"finalized_at": self._second(), "paid_at": None},
        )
        invoice["hosted_invoice_url"] = f"https://invoice.example/{invoice['id']}"
        subscription["latest_invoice"] = invoice["id"]
        self._tell("invoice.finalized", invoice)
        if subscription["pause_collection"]:
            invoice.update(status="void")
            invoice["status_transitions"]["voided_at"] = self._second()
            self._tell("invoice.voided", invoice)
            return
        self._attempt(invoice, None)

    def _take_off(self, subscription: Thing, total: int) -> int:
        """Return what is left of an amount, and use up what is taken off once."""
        for one in self._discounts_of(subscription):
            coupon = self.things[one["source"]["coupon"]]
            one["applied_count"] = one.get("applied_count", 0) + 1
            off = coupon["amount_off"] or int(total * coupon["percent_off"] / 100 + 0.5)
            total = max(total - off, 0)
            if coupon["duration"] == "once":
                self._drop_discount(subscription, one["id"])
        return total

    def _attempt(self, invoice: Thing, card: str | None) -> Thing:
        """Try to pay an invoice; return what went wrong, nothing where nothing did."""
        subscription = self.things[invoice["parent"]["subscription_details"]["subscription"]]
        customer = self.things[invoice["customer"]]
        of_customer = customer["invoice_settings"]["default_payment_method"]
        card = card or subscription["default_payment_method"] or of_customer
        does, _, advice = self._does.get(card or "", "missing").partition(":")
        self.attempts.append((invoice["id"], does))
        invoice["attempt_count"] += 1
        error = self._charge(invoice, card, does, advice)
        if not error:
            self._settle(invoice, subscription)
            return {}
        tries = invoice["attempt_count"]
        is_first = invoice["billing_reason"] == "subscription_create"
        invoice["next_payment_attempt"] = (
            self._second() + RETRY_DAYS[tries - 1] * 86400
            if self.retries and tries <= len(RETRY_DAYS) and not is_first
            else None
        )
        self._tell("invoice.payment_failed", invoice)
        if subscription["status"] == "active":
            subscription["status"] = "past_due"
            self._tell("customer.subscription.updated", subscription, {"status": "active"})
        if self.retries and tries > len(RETRY_DAYS) and subscription["status"] == "past_due":
            self.end(subscription["id"], "payment_failed")
        return error

    def _charge(self, invoice: Thing, card: str | None, does: str, advice: str) -> Thing:
        intent = self._make("pi", "payment_intent", last_payment_error=None)
        code = "authentication_required" if does == "authentication_required" else "card_declined"
        error: Thing = {}
        if does != "pays":
            error = {"code": code, "decline_code": does, "advice_code": advice or None}
            intent["last_payment_error"] = {"type": "card_error", **error}
        charge = self._make(
            "ch",
            "charge",
            customer=invoice["customer"],
            amount=invoice["amount_due"],
            currency=invoice["currency"],
            status="failed" if error else "succeeded",
            failure_code=error.get("code"),
            outcome={
                "reason": error.get("decline_code"),
                "advice_code": error.get("advice_code"),
                "network_advice_code": None,
            },
            payment_intent=intent["id"],
            payment_method=card,
            payment_method_details={"type": "card", "card": {"brand": "visa", "network": "visa"}},
        )
        intent["latest_charge"] = charge["id"]
        if error:
            error["charge"] = charge["id"]
        payment = self._make(
            "inpay",
            "invoice_payment",
            invoice=invoice["id"],
            status="open" if error else "paid",
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
        )
        invoice["payments"]["data"].append(payment)
        self._tell("charge.failed" if error else "charge.succeeded", charge)
        return error

    def _settle(self, invoice: Thing, subscription: Thing) -> None:
        invoice.update(status="paid", amount_remaining=0, next_payment_attempt=None)
        invoice["status_transitions"]["paid_at"] = self._second()
        if (status := subscription["status"]) in {"incomplete", "past_due"}:
            subscription["status"] = "active"
            self._tell("customer.subscription.updated", subscription, {"status": status})
        self._tell("invoice.paid", invoice)

    # Books

    def _make(self, prefix: str, kind: str, **fields: Any) -> Thing:
        found = {
            "id": self._id(prefix),
            "object": kind,
            "created": self._second(),
            "livemode": False,
            "metadata": {},
            **fields,
        }
        self.things[found["id"]] = found
        self._of_kind.setdefault(kind, []).append(found)
        return found

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count:06}"

    def _second(self) -> int:
        return int(self.clock.now().timestamp())

    def _tell(self, kind: str, thing: Thing, before: Thing | None = None) -> None:
        data: Thing = {"object": json.loads(json.dumps(self.whole(thing)))}
        if before:
            data["previous_attributes"] = before
        event = {
            "id": self._id("evt"),
            "object": "event",
            "type": kind,
            "api_version": VERSION,
            "created": self._second(),
            "livemode": False,
            "data": data,
        }
        self.events.append(event)

    def whole(self, thing: Thing) -> Thing:
        """Return a thing as it is shown: prices stand whole in a subscription's items."""
        if thing["object"] == "customer":
            return {**thing, "discount": self.things.get(thing["discount"])}
        if thing["object"] != "subscription":
            return thing
        items = [{**item, "price": self.things[item["price"]]} for item in thing["items"]["data"]]
        return {**thing, "items": {**thing["items"], "data": items}}


def sign_notice(secret: str, event: Thing, at: datetime) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a webhook, signed as Stripe signs it."""
    body, second = json.dumps(event).encode(), int(at.timestamp())
    digest = hmac.digest(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return {"stripe-signature": f"t={second},v1={digest.hex()}"}, body


def _in_order(due: tuple[int, str, str]) -> tuple[int, bool]:
    """Return when something is due; what is taken off ends before the renewal of that instant."""
    return due[0], due[1] != "expire"


def _next(second: int, price: Thing, since: int | None = None) -> int:
    """Return a month later; who began on the 31st is billed on the last day of short months."""
    return add_months(second, int(price["recurring"]["interval_count"]), since)


def add_months(second: int, count: int, since: int | None = None) -> int:
    """Return so many months later, on the day of the month of ``since`` where there is one."""
    at, began = (datetime.fromtimestamp(one, UTC) for one in (second, since or second))
    months = at.month - 1 + count
    year, month = at.year + months // 12, months % 12 + 1
    day = min(began.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())
