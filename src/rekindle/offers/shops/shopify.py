"""Shopify: codes by its Admin API, https://shopify.dev/docs/api/admin-graphql/2026-07.

GraphQL answers 200 to what it refuses as well; the reason stands in ``errors`` (of the whole
request, a throttle among them) or in ``userErrors`` (of the code). A code is one of the shop
whatever its case, whether it can be used or not, so that one asked for again is refused as
taken, and is ours if its title is the one we give.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rekindle.errors import (
    CodeTakenError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.offers.making import Ask, CodeTerms, ShopAnswer, ShopKind

VERSION = "2026-07"
BEFORE_ANYTHING = "2020-01-01T00:00:00Z"
"""From when codes hold: a shop's clock that is behind ours refuses none."""

PAYLOAD = "{ codeDiscountNode { id } userErrors { field code message } }"
BASIC = (
    "mutation make($it: DiscountCodeBasicInput!) "
    f"{{ done: discountCodeBasicCreate(basicCodeDiscount: $it) {PAYLOAD} }}"
)
SHIPPING = (
    "mutation make($it: DiscountCodeFreeShippingInput!) "
    f"{{ done: discountCodeFreeShippingCreate(freeShippingCodeDiscount: $it) {PAYLOAD} }}"
)
END = f"mutation end($it: ID!) {{ done: discountCodeDeactivate(id: $it) {PAYLOAD} }}"
FIND = """\
query find($it: String!) { done: codeDiscountNodeByCode(code: $it) { id codeDiscount {
  ... on DiscountCodeBasic { title } ... on DiscountCodeFreeShipping { title } } } }"""
KNOWN = "query known($it: ID!) { done: codeDiscountNode(id: $it) { id } }"
LOOK = """\
{ done: shop { name currencyCode }
  currentAppInstallation { accessScopes { handle } } }"""
CURRENCY = "{ done: shop { currencyCode } }"
SCOPE = "write_discounts"


class Shopify:
    """Implements ``rekindle.offers.Shop`` with Shopify."""

    def __init__(self, ask: Ask, url: str, key: str) -> None:
        self._ask, self._key = ask, key
        self._url = f"{url.rstrip('/')}/admin/api/{VERSION}/graphql.json"
        self._currency = ""

    def make(self, code: str, terms: CodeTerms) -> str:
        """Make a code; one that is there already is ours if its title says so."""
        if terms.minimum or terms.discount.amount is not None:
            self._require_currency(terms.currency)
        wanted = _written(code, terms)
        done = self._done(SHIPPING if terms.discount.is_shipping else BASIC, wanted)
        troubles = _troubles(done)
        if any(one.get("code") == "TAKEN" for one in troubles):
            name, title = self._find(code)
            if not name or title != wanted["title"]:
                raise CodeTakenError("Shopify has a code of this name that was not made here")
            return name
        if troubles:
            raise RefusedContentError(f"Shopify makes no such code: {_say(troubles)}")
        return _name_of(done)

    def end(self, code: str, name: str) -> None:
        """Deactivate a code."""
        name = name or self._find(code)[0]
        if not name:
            return
        troubles = _troubles(self._done(END, name))
        # Of a discount that somebody deleted it says that it does not exist.
        if troubles and self._done(KNOWN, name):
            raise RefusedContentError(f"Shopify does not end the code: {_say(troubles)}")

    def look(self) -> str:
        """Ask for the name of the shop and what the key may do."""
        told = self._told(LOOK, {})
        shop, app = _object(told.get("done")), _object(told.get("currentAppInstallation"))
        scopes = [_object(one).get("handle") for one in app.get("accessScopes") or ()]
        if SCOPE not in scopes:
            raise OutletFaultError(f"Shopify's token may not make codes: it lacks {SCOPE}")
        return f"{shop.get('name')}, in {shop.get('currencyCode')}"

    def _require_currency(self, wanted: str) -> None:
        """Refuse amounts of another currency: the shop takes a number for one of its own."""
        self._currency = self._currency or str(self._done(CURRENCY, None).get("currencyCode", ""))
        if self._currency != wanted:
            raise OutletFaultError(
                f"Shopify's amounts are in {self._currency or 'no known currency'}, those of the "
                f"offers in {wanted}; take a percentage, without a minimum basket"
            )

    def _find(self, code: str) -> tuple[str, str]:
        """Return the name and the title of a code, both empty where the shop has none."""
        found = self._done(FIND, code)
        name, title = found.get("id"), _object(found.get("codeDiscount")).get("title")
        return str(name or ""), str(title or "")

    def _done(self, query: str, it: Any) -> Mapping[str, Any]:
        return _object(self._told(query, {"it": it}).get("done"))

    def _told(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data of an answer.

        Raises:
            DeliveryError: it has none, whatever its status says.
        """
        answer = self._ask.ask(
            self._url,
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json", "X-Shopify-Access-Token": self._key},
        )
        _require_taken(answer)
        told = answer.fields()
        if errors := [_object(one) for one in told.get("errors") or () if one]:
            codes = {_object(one.get("extensions")).get("code") for one in errors}
            words = f"Shopify: {_say(errors)}"
            if "THROTTLED" in codes or "Throttled" in words:
                raise TemporaryDeliveryError(words)
            if codes & {"ACCESS_DENIED", "SHOP_INACTIVE"}:
                raise OutletFaultError(words)
            # An error of their own may come after the work was done.
            raise UnknownFateError(words)
        if not isinstance(told.get("data"), dict):
            raise UnknownFateError(f"Shopify answered {answer.status} and nothing of use")
        return _object(told["data"])


def _written(code: str, terms: CodeTerms) -> dict[str, Any]:
    discount = terms.discount
    wanted: dict[str, Any] = {
        "title": f"{terms.offer} {terms.key} {code}",
        "code": code,
        "startsAt": BEFORE_ANYTHING,
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"all": "ALL"},
    }
    if terms.minimum:
        least = {"greaterThanOrEqualToSubtotal": f"{terms.minimum:f}"}
        wanted["minimumRequirement"] = {"subtotal": least}
    if discount.is_shipping:
        return {**wanted, "destination": {"all": True}}
    if discount.percent is not None:
        value: dict[str, Any] = {"percentage": float(discount.percent / 100)}
    else:
        off = {"amount": f"{discount.amount:f}", "appliesOnEachItem": False}
        value = {"discountAmount": off}
    return {**wanted, "customerGets": {"value": value, "items": {"all": True}}}


def _require_taken(answer: ShopAnswer) -> None:
    if answer.is_taken:
        return
    words = f"Shopify answered {answer.word}"
    if answer.status in {423, 429, 430, 503}:
        raise TemporaryDeliveryError(words, retry_after=answer.retry_after())
    if answer.status >= 500:
        raise UnknownFateError(words)
    # Also where it leads elsewhere: the shop has another address then.
    raise OutletFaultError(words)


def _troubles(done: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_object(one) for one in done.get("userErrors") or ()]


def _name_of(done: Mapping[str, Any]) -> str:
    name = _object(done.get("codeDiscountNode")).get("id")
    if not isinstance(name, str) or not name:
        raise UnknownFateError("Shopify said that it made the code and did not name it")
    return name


def _say(troubles: list[Mapping[str, Any]]) -> str:
    return "; ".join(str(one.get("message", ""))[:200] for one in troubles[:3])


def _object(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


SHOP = ShopKind(
    "shopify",
    "REKINDLE_SHOPIFY_TOKEN",
    "",
    frozenset({"percent", "amount", "is_shipping"}),
    Shopify,
)
