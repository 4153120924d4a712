"""The same world in the shapes of Chargebee's API v2, for its official library.

What happens is what the biller's world does; here it is shown, asked for and told as Chargebee
does. What ended runs again under its own id. Notices are not signed: they carry a password.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message

from rekindle.clock import MovableClock
from rekindle.testing.biller.server import FakeBiller, serving
from rekindle.testing.biller.world import BillerWorld, Refusal, Thing

KEY = "cb_test_fake"
PASSWORD = "a password"
LISTED = {
    "customers": "customer",
    "payment_sources": "payment_method",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "transactions": "charge",
    "item_prices": "price",
    "coupons": "coupon",
}
NAMES = {"payment_method": "payment_source", "charge": "transaction", "price": "item_price"}
TOLD = {
    "customer.created": "customer_created",
    "customer.subscription.created": "subscription_created",
    "customer.subscription.deleted": "subscription_cancelled",
    "invoice.finalized": "invoice_generated",
    "invoice.paid": "payment_succeeded",
    "invoice.payment_failed": "payment_failed",
    "invoice.voided": "invoice_updated",
    "payment_method.attached": "payment_source_added",
    "payment_method.automatically_updated": "payment_source_updated",
    "payment_method.detached": "payment_source_deleted",
}
INVOICES = {"open": "payment_due", "paid": "paid", "void": "voided"}
DURATIONS = {"once": "one_time", "repeating": "limited_period", "forever": "forever"}
ERRORS = {
    "resource_missing": ("invalid_request", "resource_not_found"),
    "invoice_not_open": ("invalid_request", "invalid_state_for_request"),
    "invalid_state_for_request": ("invalid_request", "invalid_state_for_request"),
    "resource_already_canceled": ("invalid_request", "invalid_state_for_request"),
}


class ChargebeeWorld(BillerWorld):
    """A world that shows itself in Chargebee's shapes."""

    def create_subscription(self, wanted: Thing) -> Thing:
        """Make a subscription, which is active from its beginning."""
        found = super().create_subscription(wanted)
        found["activated_at"] = found["trial_end"] or self._second()
        return found

    def reactivate(self, id_: str) -> Thing:
        """Let a subscription that ended run again, if its first invoice is paid."""
        found = self.find(id_, "subscription")
        if found["status"] != "canceled":
            raise Refusal(400, "invalid_request", "resource_already_canceled")
        before, now = json.loads(json.dumps(found)), self._second()
        month = found["items"]["data"][0]
        month.update(current_period_start=now, current_period_end=now + 30 * 86400)
        found.update(status="incomplete", ended_at=None, canceled_at=None, cancel_at=None)
        found.update(cancel_at_period_end=False, start_date=now, activated_at=now)
        found["cancellation_details"] = {"comment": None, "feedback": None, "reason": None}
        self._bill(found, "subscription_create")
        invoice = self.things[found["latest_invoice"]]
        if invoice["status"] != "paid":
            invoice["status"] = "void"
            found.update(before)
            raise Refusal(402, "card_error", "card_declined")
        found["start_date"] = before["start_date"]
        self._event("subscription_reactivated", found)
        return found

    def pause(self, id_: str, wanted: Thing) -> Thing:
        """Let a subscription rest until a day: at once, or when its term is over."""
        found, until = self.find(id_, "subscription"), int(wanted["resume_date"])
        option = wanted["pause_option"]
        if found["pause_collection"] or found["status"] != "active":
            raise Refusal(400, "invalid_request", "invalid_state_for_pause")
        begins = found["items"]["data"][0]["current_period_end"]
        if until <= (begins if option == "end_of_term" else self._second()):
            raise Refusal(400, "invalid_request", "param_wrong_value")
        if option != "end_of_term":
            return self._rest(found, until)
        found["rests"] = [begins, until]
        self._event("subscription_pause_scheduled", found)
        return found

    def call_off_pause(self, id_: str) -> Thing:
        """Let a pause that has not begun not begin."""
        found = self.find(id_, "subscription")
        if not found.pop("rests", None):
            raise Refusal(400, "invalid_request", "invalid_state_for_request")
        self._event("subscription_scheduled_pause_removed", found)
        return found

    def resume(self, id_: str) -> Thing:
        """Let a subscription that rests go on: a new term begins where the old one is over."""
        found = self.find(id_, "subscription")
        if not found["pause_collection"]:
            raise Refusal(400, "invalid_request", "invalid_state_for_request")
        self.update_subscription(id_, {"pause_collection": ""})
        month, now = found["items"]["data"][0], self._second()
        if month["current_period_end"] <= now:
            month.update(current_period_end=now)
            self._renew(found)
        return found

    def change_items(self, id_: str, wanted: Thing) -> Thing:
        """Let a subscription be of another plan, or have coupons beside those it has."""
        found, items = self.find(id_, "subscription"), wanted.get("subscription_items") or {}
        plan, changed = found["items"]["data"][0], Thing()
        for price in items.get("item_price_id", []):  # a list a column, as its forms have them
            quantity = items.get("quantity", [1])[0]
            changed["items"] = [{"id": plan["id"], "price": price, "quantity": quantity}]
        if coupons := wanted.get("coupon_ids"):
            has = [] if wanted.get("replace_coupon_list") == "true" else found["discounts"]
            held = [{"discount": one} for one in has]
            changed["discounts"] = [*held, *({"coupon": one} for one in coupons)]
        return self.update_subscription(id_, changed)

    def _rest(self, subscription: Thing, until: int | None = None) -> Thing:
        _, planned = subscription.pop("rests", None) or [0, until]
        subscription["paused_at"] = self._second()
        rests = {"pause_collection": {"resumes_at": planned}}
        return self.update_subscription(subscription["id"], rests)

    def _resume(self, subscription: Thing) -> None:
        self.resume(subscription["id"])

    def _due(self, until: int) -> Iterator[tuple[int, str, str]]:
        for id_, one in self.things.items():
            if (rests := one.get("rests")) and rests[0] <= until and one["status"] != "canceled":
                yield rests[0], "rest", id_
        for due in super()._due(until):
            # What rests is not renewed: its term stays over until it goes on.
            if not (due[1] == "renew" and self.things[due[2]]["pause_collection"]):
                yield due

    # How it is told

    def _tell(self, kind: str, thing: Thing, before: Thing | None = None) -> None:
        if kind == "customer.subscription.updated":
            if "status" in (before or {}):
                return  # the payment says it
            name = "subscription_changed"
            if "pause_collection" in (before or {}):
                rests = thing["pause_collection"]
                name = "subscription_paused" if rests else "subscription_resumed"
            elif thing["cancel_at_period_end"]:
                name = "subscription_cancellation_scheduled"
            self._event(name, thing)
        elif kind in TOLD:
            was = dict(thing, customer=before["customer"], deleted=True) if before else thing
            self._event(TOLD[kind], was)

    def _event(self, kind: str, thing: Thing) -> None:
        content = {NAMES.get(thing["object"], thing["object"]): self.shown(thing)}
        if customer := self.things.get(str(thing.get("customer"))):
            content["customer"] = self.shown(customer)
        if kind in {"payment_succeeded", "payment_failed"}:
            content["transaction"] = self.shown(self._charges_of(thing)[-1])
            sub = thing["parent"]["subscription_details"]["subscription"]
            content["subscription"] = self.shown(self.things[sub])
        if kind == "subscription_reactivated":
            content["invoice"] = self.shown(self.things[thing["latest_invoice"]])
        event = {
            "id": self._id("ev"),
            "object": "event",
            "api_version": "v2",
            "occurred_at": self._second(),
            "event_type": kind,
            "source": "api",
            "webhook_status": "scheduled",
            "content": content,
        }
        self.events.append(json.loads(json.dumps(event)))

    # How it is shown

    def shown(self, thing: Thing) -> Thing:
        """Return a thing in Chargebee's shape."""
        name = NAMES.get(thing["object"], thing["object"])
        found: Thing = getattr(self, f"_show_{name}")(thing)
        common = {"id": thing["id"], "object": name, "created_at": thing["created"]}
        found |= {**common, "deleted": bool(thing.get("deleted"))}
        return {key: value for key, value in found.items() if value is not None}

    def _show_customer(self, thing: Thing) -> Thing:
        first, _, last = thing["name"].partition(" ")
        card = thing["invoice_settings"]["default_payment_method"]
        told = {"first_name": first, "last_name": last, "email": thing["email"]}
        return {**told, "meta_data": thing["metadata"], "primary_payment_source_id": card}

    def _show_payment_source(self, thing: Thing) -> Thing:
        card = thing["card"]
        of_card = {
            "brand": card["brand"],
            "last4": card["last4"],
            "iin": "424242",
            "masked_number": "************4242",
            "expiry_month": card["exp_month"],
            "expiry_year": card["exp_year"],
        }
        customer = thing["customer"]
        return {"type": "card", "status": "valid", "customer_id": customer, "card": of_card}

    def _show_item_price(self, thing: Thing) -> Thing:
        product = self.things[thing["product"]]
        is_sold = thing["active"] and product["active"]
        return {
            "name": f"{product['name']} {thing['currency'].upper()} monthly",
            "external_name": product["name"],
            "item_type": "plan",
            "pricing_model": "per_unit",
            "status": "active" if is_sold else "archived",
            "price": thing["unit_amount"],
            "currency_code": thing["currency"].upper(),
            "period": 1,
            "period_unit": "month",
        }

    def _show_subscription(self, thing: Thing) -> Thing:
        item = thing["items"]["data"][0]
        price, paused = self.things[item["price"]], thing["pause_collection"]
        ended, leaves = thing["status"] == "canceled", thing["cancel_at_period_end"]
        runs = "in_trial" if thing["status"] == "trialing" else "active"
        status = "cancelled" if ended else "paused" if paused else runs
        items = [
            {
                "item_price_id": one["price"],
                "item_type": "plan" if one is item else "addon",
                "quantity": one["quantity"],
                "unit_price": self.things[one["price"]]["unit_amount"],
                "amount": self.things[one["price"]]["unit_amount"] * one["quantity"],
            }
            for one in thing["items"]["data"]
        ]
        failed = thing["cancellation_details"]["reason"] == "payment_failed"
        begins, until = thing.get("rests") or (None, None)
        return {
            "customer_id": thing["customer"],
            "status": "non_renewing" if leaves and status == "active" else status,
            "currency_code": price["currency"].upper(),
            "billing_period": 1,
            "billing_period_unit": "month",
            "subscription_items": items,
            "started_at": thing["start_date"],
            "trial_end": thing["trial_end"],
            "activated_at": thing.get("activated_at", thing["created"]),
            "current_term_start": item["current_period_start"],
            "current_term_end": item["current_period_end"],
            "cancelled_at": thing["ended_at"] if ended else thing["cancel_at"],
            "cancel_schedule_created_at": thing["canceled_at"] if leaves else None,
            "cancel_reason": "not_paid" if failed else None,
            "pause_date": thing.get("paused_at") if paused else begins,
            "resume_date": paused.get("resumes_at") if paused else until,
            "coupons": [self._show_applied(self.things[one]) for one in thing["discounts"]] or None,
            "payment_source_id": thing["default_payment_method"],
            "due_invoices_count": len(self._owed(thing)),
        }

    @staticmethod
    def _show_applied(discount: Thing) -> Thing:
        """Return how a coupon is taken off; since when is not told."""
        count, until = discount.get("applied_count", 0), discount["end"]
        told = {"coupon_id": discount["source"]["coupon"], "applied_count": count}
        return told | ({"apply_till": until} if until else {})

    def _show_coupon(self, thing: Thing) -> Thing:
        is_amount, months = thing["amount_off"] is not None, thing["duration_in_months"]
        return {
            "name": thing["id"],
            "status": "active",
            "apply_on": "invoice_amount",
            "discount_type": "fixed_amount" if is_amount else "percentage",
            "discount_percentage": thing["percent_off"],
            "discount_amount": thing["amount_off"],
            "currency_code": thing["currency"].upper() if is_amount else None,
            "duration_type": DURATIONS[thing["duration"]],
            "period": months,
            "period_unit": "month" if months else None,
        }

    def _show_invoice(self, thing: Thing) -> Thing:
        sub = thing["parent"]["subscription_details"]["subscription"]
        line = {"subscription_id": sub, "date_from": thing["period_start"]}
        done = thing["status_transitions"]
        return {
            "customer_id": thing["customer"],
            "subscription_id": sub,
            "status": INVOICES[thing["status"]],
            "currency_code": thing["currency"].upper(),
            "date": done["finalized_at"],
            "total": thing["total"],
            "amount_due": thing["amount_remaining"],
            "paid_at": done["paid_at"],
            "voided_at": done.get("voided_at"),
            "next_retry_at": thing["next_payment_attempt"],
            "line_items": [{**line, "date_to": thing["period_end"]}],
            "linked_payments": [
                {
                    "txn_id": one["id"],
                    "txn_status": "failure" if one["status"] == "failed" else "success",
                    "txn_date": one["created"],
                    "txn_amount": one["amount"],
                }
                for one in self._charges_of(thing)
            ],
        }

    def _show_transaction(self, thing: Thing) -> Thing:
        invoice = self.things[self._invoice_of(thing)]
        sub = invoice["parent"]["subscription_details"]["subscription"]
        outcome, is_failed = thing["outcome"], thing["status"] == "failed"
        detail = {"decline_code": outcome["reason"], "recommendation_code": outcome["advice_code"]}
        return {
            "customer_id": thing["customer"],
            "subscription_id": sub,
            "payment_source_id": thing["payment_method"],
            "type": "payment",
            "status": "failure" if is_failed else "success",
            "date": thing["created"],
            "amount": thing["amount"],
            "currency_code": thing["currency"].upper(),
            "error_code": thing["failure_code"],
            "error_detail": detail if is_failed else None,
            "linked_invoices": [{"invoice_id": invoice["id"]}],
        }

    def _owed(self, subscription: Thing) -> list[Thing]:
        invoices = [one for one in self.things.values() if one["object"] == "invoice"]
        of = [
            one
            for one in invoices
            if one["parent"]["subscription_details"]["subscription"] == subscription["id"]
        ]
        return [one for one in of if one["status"] == "open" and one["attempt_count"]]

    def _charges_of(self, invoice: Thing) -> list[Thing]:
        intents = {
            self.things[one["id"]]["payment"]["payment_intent"]
            for one in invoice["payments"]["data"]
        }
        charges = [one for one in self.things.values() if one["object"] == "charge"]
        return [one for one in charges if one["payment_intent"] in intents]

    def _invoice_of(self, charge: Thing) -> str:
        payments = [one for one in self.things.values() if one["object"] == "invoice_payment"]
        of = {one["payment"]["payment_intent"]: str(one["invoice"]) for one in payments}
        return of[charge["payment_intent"]]


class FakeChargebee(FakeBiller):
    """A running server that answers as Chargebee does."""

    key_header = "chargebee-idempotency-key"

    def __init__(self, world: ChargebeeWorld) -> None:
        super().__init__(world)
        self.site = world

    def refuses(self, headers: Message) -> tuple[int, Thing] | None:
        """Return what a request without our key is answered."""
        wanted = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if headers.get("Authorization") == wanted:
            return None
        return _refused(401, "invalid_request", "api_authentication_failed")

    def _do(self, method: str, path: str, wanted: Thing) -> tuple[int, Thing]:
        try:
            return 200, self._routed(path.removeprefix("/api/v2/").strip("/").split("/"), wanted)
        except Refusal as refusal:
            kind, code = ERRORS.get(refusal.error["code"], ("invalid_request", "param_wrong_value"))
            if refusal.error["type"] == "card_error":
                kind, code = "payment", "payment_processing_failed"
            return _refused(refusal.status, kind, code)

    def _routed(self, parts: list[str], wanted: Thing) -> Thing:
        world, (kind, id_, verb) = self.site, [*parts, "", ""][:3]
        acts: dict[tuple[str, str], Callable[[], Thing]] = {
            ("subscriptions", "reactivate"): lambda: world.reactivate(id_),
            ("subscriptions", "pause"): lambda: world.pause(id_, wanted),
            ("subscriptions", "remove_scheduled_pause"): lambda: world.call_off_pause(id_),
            ("subscriptions", "resume"): lambda: world.resume(id_),
            ("subscriptions", "update_for_items"): lambda: world.change_items(id_, wanted),
            ("subscriptions", "remove_scheduled_cancellation"): lambda: world.update_subscription(
                id_, {"cancel_at_period_end": False}
            ),
            ("subscriptions", "cancel_for_items"): lambda: world.update_subscription(
                id_, {"cancel_at_period_end": True}
            ),
            ("subscriptions", "override_billing_profile"): lambda: world.update_subscription(
                id_, {"default_payment_method": wanted["payment_source_id"]}
            ),
        }
        if act := acts.get((kind, verb)):
            return self._answered(act())
        if (kind, verb) == ("invoices", "collect_payment"):
            invoice = world.pay(id_, {"payment_method": wanted.get("payment_source_id")})
            paid = world.shown(world._charges_of(invoice)[-1])
            return {"invoice": world.shown(invoice), "transaction": paid}
        if (kind, id_) == ("hosted_pages", "manage_payment_sources"):
            customer = world.find(wanted["customer"]["id"], "customer")
            url = f"https://pages.example/{customer['id']}"
            return {"hosted_page": {"id": "hp", "object": "hosted_page", "url": url}}
        if kind == "events":
            found = [one for one in world.events if one["id"] == id_]
            if not found:
                raise Refusal(404, "invalid_request", "resource_missing")
            return {"event": found[0]}
        if verb or kind not in LISTED:
            raise Refusal(404, "invalid_request", "resource_missing")
        return self._answered(world.find(id_, LISTED[kind])) if id_ else self._list(kind, wanted)

    def _answered(self, thing: Thing) -> Thing:
        """Return a thing, and whose it is beside it where it is a subscription."""
        name = str(NAMES.get(thing["object"], thing["object"]))
        found = {name: self.site.shown(thing)}
        if name == "subscription":
            found["customer"] = self.site.shown(self.site.things[thing["customer"]])
        return found

    def _list(self, kind: str, wanted: Thing) -> Thing:
        things = [one for one in self.site.things.values() if one["object"] == LISTED[kind]]
        shown = [self._answered(one) for one in things]
        name = NAMES.get(LISTED[kind], LISTED[kind])
        found = [one for one in shown if _fits(one[name], wanted)]
        if "desc" in wanted.get("sort_by", {}):
            found.reverse()
        start, limit = int(wanted.get("offset", 0)), int(wanted.get("limit", 10))
        more = {"next_offset": str(start + limit)} if len(found) > start + limit else {}
        return {"list": found[start : start + limit], **more}


def _fits(thing: Thing, wanted: Thing) -> bool:
    """Return whether a thing is of those that are asked for, as ``status[in]`` says."""
    for name in ("customer_id", "subscription_id", "status"):
        told = wanted.get(name, {})
        among = re.findall(r"\w+", told.get("in", "")) or ([told["is"]] if "is" in told else [])
        if among and thing.get(name) not in among:
            return False
    return True


def _refused(status: int, kind: str, code: str) -> tuple[int, Thing]:
    said = {"message": code, "type": kind, "api_error_code": code, "http_status_code": status}
    return status, said


@contextmanager
def running_chargebee(clock: MovableClock) -> Iterator[FakeChargebee]:
    """Run a biller on loopback that speaks as Chargebee; it stops with the block."""
    fake = FakeChargebee(ChargebeeWorld(clock))
    with serving(fake):
        yield fake


def post_notice(event: Thing, password: str = PASSWORD) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a webhook, as Chargebee sends it."""
    told = base64.b64encode(f"rekindle:{password}".encode()).decode()
    return {"authorization": f"Basic {told}"}, json.dumps(event).encode()
