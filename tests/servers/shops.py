"""Shopify and Stripe as far as codes go: they keep codes, and refuse as they are documented to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.recording import Answer, Recorded, RecordingServer

GRAPHQL = "/admin/api/2026-07/graphql.json"
TOKEN, KEY = "shpat_secret", "sk_test_secret"


@dataclass
class Kept:
    """A code as a shop keeps it."""

    name: str
    code: str
    given: dict[str, Any]
    is_active: bool = True


@dataclass
class Till:
    """The codes of one shop; ``before`` and ``after`` stand in the way of a request."""

    codes: list[Kept] = field(default_factory=list)
    before: Callable[[Recorded], Answer | None] = lambda request: None
    after: Callable[[Recorded], Answer | None] = lambda request: None

    def find(self, code: str, *, active: bool = False) -> Kept | None:
        same = (one for one in self.codes if one.code.casefold() == code.casefold())
        return next((one for one in same if one.is_active or not active), None)

    def active(self) -> set[str]:
        return {one.code for one in self.codes if one.is_active}

    def keep(self, prefix: str, code: str, given: dict[str, Any]) -> Kept:
        self.codes.append(Kept(f"{prefix}{len(self.codes) + 1}", code, given))
        return self.codes[-1]

    def asked(self, request: Recorded, answer: Callable[[Recorded], Answer]) -> Answer:
        found = self.before(request)
        if found is None:
            done = answer(request)
            found = self.after(request) or done
        return found


def serve_shopify(server: RecordingServer) -> Till:
    """Let a server be a shop of Shopify."""
    till = Till()
    server.answer(GRAPHQL, lambda request: till.asked(request, lambda one: _shopify(till, one)))
    return till


def _shopify(till: Till, request: Recorded) -> Answer:
    if request.headers.get("x-shopify-access-token") != TOKEN:
        return Answer(401, {"errors": "[API] Invalid API key or access token"})
    told = request.json()
    query, it = told["query"], told["variables"].get("it")
    if "shop {" in query:
        scopes = [{"handle": "read_discounts"}, {"handle": "write_discounts"}]
        shop = {"name": "Mugs", "currencyCode": "GBP"}
        data = {"done": shop, "currentAppInstallation": {"accessScopes": scopes}}
        return Answer(200, {"data": data})
    if "codeDiscountNodeByCode" in query:
        kept = till.find(it)
        return _node(kept, {"codeDiscount": {"title": kept.given["title"]}} if kept else {})
    if "codeDiscountNode(" in query:
        return _node(next((one for one in till.codes if one.name == it), None), {})
    if "discountCodeDeactivate" in query:
        kept = next((one for one in till.codes if one.name == it), None)
        if kept is None:
            return _payload(None, {"code": "INVALID", "message": "Discount does not exist."})
        kept.is_active = False
        return _payload(kept)
    if till.find(it["code"]):
        return _payload(None, {"code": "TAKEN", "message": "Code must be unique."})
    return _payload(till.keep("gid://shopify/DiscountCodeNode/", it["code"], it))


def _node(kept: Kept | None, more: dict[str, Any] | None) -> Answer:
    done = None if kept is None else {"id": kept.name, **(more or {})}
    return Answer(200, {"data": {"done": done}})


def _payload(kept: Kept | None, *errors: dict[str, str]) -> Answer:
    node = None if kept is None else {"id": kept.name}
    done = {"codeDiscountNode": node, "userErrors": [{"field": None, **one} for one in errors]}
    return Answer(200, {"data": {"done": done}})


def serve_stripe(server: RecordingServer) -> Till:
    """Let a server be an account of Stripe."""
    till, coupons, answered = Till(), dict[str, Any](), dict[str, Answer]()

    def answer(request: Recorded) -> Answer:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Answer(401, {"error": {"message": "Invalid API Key provided"}})
        key = request.headers.get("idempotency-key")
        if key is not None and key in answered:
            return answered[key]
        found = _stripe(till, coupons, request)
        if key is not None:
            answered[key] = found
        return found

    server.answer("/v1/", lambda request: till.asked(request, answer))
    return till


def _stripe(till: Till, coupons: dict[str, Any], request: Recorded) -> Answer:
    path = request.path.removeprefix("/v1/")
    if request.method == "GET":
        code = request.query.get("code", [""])[0]
        rows = [one for one in till.codes if code in {"", one.code}]
        data = [
            {"id": one.name, "metadata": {"rekindle": one.given["metadata[rekindle]"]}}
            for one in rows
        ]
        return Answer(200, {"object": "list", "data": data[:1]})
    form = {name: value for name, (value,) in request.form().items()}
    if path == "coupons":
        if form["id"] in coupons:
            error = {"code": "resource_already_exists", "message": "Coupon already exists."}
            return Answer(400, {"error": error})
        coupons[form["id"]] = form
        return Answer(200, {"id": form["id"]})
    if path == "promotion_codes":
        if form["promotion[coupon]"] not in coupons:
            return Answer(400, {"error": {"code": "resource_missing", "message": "No such coupon"}})
        if till.find(form["code"], active=True):
            error = {"message": "An active promotion code with `code` already exists."}
            return Answer(400, {"error": error})
        return Answer(200, {"id": till.keep("promo_", form["code"], form).name})
    name = path.removeprefix("promotion_codes/")
    kept = next((one for one in till.codes if one.name == name), None)
    if kept is None:
        return Answer(404, {"error": {"code": "resource_missing", "message": "No such code"}})
    kept.is_active = form["active"] == "true"
    return Answer(200, {"id": name})
