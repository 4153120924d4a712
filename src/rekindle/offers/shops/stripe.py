"""Stripe: promotion codes, https://docs.stripe.com/api/promotion_codes.

What a code is worth is a coupon, one for each set of terms, named after them. A code is one of
the account among those that can be used; it is asked for with a key by which Stripe knows it
again for at least a day, and found again by its metadata after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from rekindle.errors import (
    CodeTakenError,
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.offers.making import Ask, CodeTerms, ShopAnswer, ShopKind

VERSION = "2025-09-30.clover"
"""The first version in which a code names its coupon as a promotion."""

# https://docs.stripe.com/currencies#zero-decimal and #three-decimal
WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"}
    | {"PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


class Stripe:
    """Implements ``rekindle.offers.Shop`` with Stripe."""

    def __init__(self, ask: Ask, url: str, key: str) -> None:
        self._ask, self._key = ask, key
        self._url = f"{url.rstrip('/')}/v1"
        self._coupons: set[str] = set()

    def make(self, code: str, terms: CodeTerms) -> str:
        """Make a promotion code of the coupon with these terms."""
        coupon = self._coupon(terms)
        wanted = {
            "promotion[type]": "coupon",
            "promotion[coupon]": coupon,
            "code": code,
            "max_redemptions": "1",
            "metadata[rekindle]": coupon,
        }
        if terms.minimum:
            wanted["restrictions[minimum_amount]"] = _minor(terms.minimum, terms.currency)
            wanted["restrictions[minimum_amount_currency]"] = terms.currency.lower()
        answer = self._send("promotion_codes", wanted, key=f"rekindle-code-{code}")
        if answer.status == 400 and (found := self._find(code)):
            (name, made_for) = found
            if made_for != coupon:
                raise CodeTakenError("Stripe has a code of this name that was not made here")
            return name
        return _name_of(_taken(answer))

    def end(self, code: str, name: str) -> None:
        """Deactivate a promotion code."""
        if not name:
            found = self._find(code)
            if found is None:
                return
            name = found[0]
        answer = self._send(f"promotion_codes/{name}", {"active": "false"})
        if answer.status != 404:
            _taken(answer)

    def look(self) -> str:
        """Ask for one promotion code, whichever: the key is good if there is an answer."""
        told = _taken(self._get("promotion_codes", {"limit": "1"})).fields()
        if not isinstance(told.get("data"), list):
            raise UnknownFateError("Stripe answered and nothing of use")
        is_test = "_test_" in self._key[:12]
        return "the account, with a key for tests" if is_test else "the account"

    def _coupon(self, terms: CodeTerms) -> str:
        """Return the name of the coupon with these terms, which is made if it is not there."""
        # Written out of what it is worth, so that a coupon of this name is worth that.
        name = f"rekindle-{terms.key.partition(':')[2]}-{terms.currency.lower()}"
        if name in self._coupons:
            return name
        wanted = {"id": name, "duration": "once", "name": terms.offer[:40]}
        if terms.discount.percent is not None:
            wanted["percent_off"] = f"{terms.discount.percent:f}"
        else:
            assert terms.discount.amount is not None
            wanted["amount_off"] = _minor(terms.discount.amount, terms.currency)
            wanted["currency"] = terms.currency.lower()
        answer = self._send("coupons", wanted)
        if _code_of(answer) != "resource_already_exists":
            _taken(answer)
        self._coupons.add(name)
        return name

    def _find(self, code: str) -> tuple[str, str] | None:
        """Return the name of a code and the coupon it was made of from here, "" if it was not."""
        told = _taken(self._get("promotion_codes", {"code": code, "limit": "1"})).fields()
        rows = told.get("data")
        if not isinstance(rows, list):
            raise UnknownFateError("Stripe answered and nothing of use")
        if not rows:
            return None
        row = _object(rows[0])
        return str(row.get("id", "")), str(_object(row.get("metadata")).get("rekindle", ""))

    def _send(self, path: str, form: Mapping[str, str], *, key: str = "") -> ShopAnswer:
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        if key:
            headers["Idempotency-Key"] = key
        return self._ask.ask(f"{self._url}/{path}", data=urlencode(form).encode(), headers=headers)

    def _get(self, path: str, query: Mapping[str, str]) -> ShopAnswer:
        url = f"{self._url}/{path}?{urlencode(query)}"
        return self._ask.ask(url, headers=self._headers(), method="GET")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}", "Stripe-Version": VERSION}


def _taken(answer: ShopAnswer) -> ShopAnswer:
    """Return an answer that took the request.

    Raises:
        DeliveryError: it did not, or says that there was an error after all.
    """
    error = _object(answer.fields().get("error"))
    if answer.is_taken and not error:
        return answer
    words = f"Stripe answered {answer.status}: {str(error.get('message') or '')[:200]}"
    raise _kind(answer.status)(words.rstrip(": "), retry_after=answer.retry_after())


def _kind(status: int) -> type[DeliveryError]:
    if status in {409, 429}:  # the same key is being worked on, or too many at once
        return TemporaryDeliveryError
    if status in {401, 403, 404} or 300 <= status < 400:
        return OutletFaultError
    return RefusedContentError if 400 <= status < 500 else UnknownFateError


def _name_of(answer: ShopAnswer) -> str:
    name = answer.fields().get("id")
    if not isinstance(name, str) or not name:
        raise UnknownFateError("Stripe said that it made the code and did not name it")
    return name


def _code_of(answer: ShopAnswer) -> str:
    return str(_object(answer.fields().get("error")).get("code", ""))


def _minor(amount: Decimal, currency: str) -> str:
    """Return an amount in the smallest unit of its currency, as Stripe counts."""
    places = 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2
    return str(int((amount * 10**places).to_integral_value()))


def _object(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


SHOP = ShopKind(
    "stripe",
    "REKINDLE_STRIPE_KEY",
    "https://api.stripe.com",
    frozenset({"percent", "amount"}),
    Stripe,
)
