"""What shops are asked, and what their answers mean, errors inside of 200 among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from rekindle.channels import build_asker
from rekindle.errors import (
    CodeTakenError,
    OfferError,
    OutletFaultError,
    RefusedContentError,
    RekindleError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.offers import CodeTerms, Discount, Shop, find_shops, parse_offers, terms_of
from tests.servers.recording import Answer, Fault, RecordingServer
from tests.servers.shops import KEY, TOKEN, serve_shopify, serve_stripe

SERVING = {"shopify": (serve_shopify, TOKEN), "stripe": (serve_stripe, KEY)}


def terms(discount: Discount, *, minimum: int = 0, currency: str = "GBP") -> CodeTerms:
    return CodeTerms("ten", "shop:abc", discount, Decimal(minimum), currency)


TEN = terms(Discount(percent=Decimal(10)))


class Opened:
    """A shop, and the server it speaks to."""

    def __init__(self, server: RecordingServer, word: str, secret: str = "") -> None:
        serve, key = SERVING[word]
        self.server, self.till = server, serve(server)
        self.asker = build_asker(0.4, secrets=(secret or key,))
        self.shop: Shop = find_shops()[word].open(self.asker, server.url, secret or key)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def opened(server: RecordingServer) -> Iterator[Callable[..., Opened]]:
    found: list[Opened] = []

    def build(word: str, secret: str = "") -> Opened:
        found.append(Opened(server, word, secret))
        return found[-1]

    yield build
    for one in found:
        one.asker.close()


@pytest.mark.parametrize("word", SERVING)
def test_a_code_is_made_once_found_again_and_ended(
    opened: Callable[..., Opened], word: str
) -> None:
    one = opened(word)
    name = one.shop.make("ABCD", TEN)
    assert one.shop.make("ABCD", TEN) == name
    # Where the shop does not know its own answer any more, the code is found by what it is.
    again = find_shops()[word].open(_Forgetful(one.asker), one.server.url, SERVING[word][1])
    assert again.make("ABCD", TEN) == name
    assert [(kept.code, kept.is_active) for kept in one.till.codes] == [("ABCD", True)]
    one.shop.end("ABCD", "")
    one.shop.end("ABCD", name)
    assert one.till.active() == set()
    one.shop.end("GONE", "")
    one.shop.end("GONE", f"{name}9")
    assert one.shop.look()


class _Forgetful:
    """Asks without the key by which a request is known again, as a day later."""

    def __init__(self, asker: Any) -> None:
        self._asker = asker

    def ask(self, url: str, **more: Any) -> Any:
        more.setdefault("headers", {}).pop("Idempotency-Key", None)
        return self._asker.ask(url, **more)


@pytest.mark.parametrize("word", SERVING)
def test_a_code_of_somebody_elses_is_never_taken_for_ours(
    opened: Callable[..., Opened], word: str
) -> None:
    one = opened(word)
    one.till.keep("other", "ABCD", {"title": "SALE", "metadata[rekindle]": ""})
    with pytest.raises(CodeTakenError):
        one.shop.make("ABCD", TEN)


def test_shopify_is_told_what_a_code_is_worth(opened: Callable[..., Opened]) -> None:
    one = opened("shopify")
    one.shop.make("A", terms(Discount(percent=Decimal("12.5")), minimum=30))
    one.shop.make("B", terms(Discount(amount=Decimal(5))))
    one.shop.make("C", terms(Discount(is_shipping=True)))
    percent, amount, shipping = (kept.given for kept in one.till.codes)
    assert percent["customerGets"] == {"value": {"percentage": 0.125}, "items": {"all": True}}
    assert percent["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "30"}}
    assert (percent["usageLimit"], percent["context"]) == (1, {"all": "ALL"})
    assert amount["customerGets"]["value"]["discountAmount"]["amount"] == "5"
    assert shipping["destination"] == {"all": True}
    assert "FreeShipping" in one.server.requests[-1].json()["query"]


def test_shopify_is_told_no_amount_of_another_currency(opened: Callable[..., Opened]) -> None:
    """It would take off ten euros where the message says ten pounds."""
    one = opened("shopify")
    ten = Discount(percent=Decimal(10))
    for wrong in (terms(Discount(amount=Decimal(5)), currency="EUR"),
                  terms(ten, minimum=30, currency="EUR")):  # fmt: skip
        with pytest.raises(
            OutletFaultError, match="amounts are in GBP, those of the offers in EUR"
        ):
            one.shop.make("A", wrong)
    assert one.till.codes == []
    one.shop.make("A", terms(ten, currency="EUR"))


def test_stripe_is_told_what_a_code_is_worth(opened: Callable[..., Opened]) -> None:
    one = opened("stripe")
    one.shop.make("A", terms(Discount(amount=Decimal("5.5")), minimum=30))
    one.shop.make("B", terms(Discount(amount=Decimal(500)), currency="JPY"))
    one.shop.make("C", terms(Discount(amount=Decimal("5.5"), percent=None)))
    coupons = [r.form() for r in one.server.requests if r.path == "/v1/coupons"]
    assert [(c["amount_off"], c["currency"]) for c in coupons] == [
        (["550"], ["gbp"]),
        (["500"], ["jpy"]),
    ]
    given = one.till.codes[0].given
    assert given["promotion[type]"] == "coupon"
    assert given["max_redemptions"] == "1"
    assert given["restrictions[minimum_amount]"] == "3000"


def error(code: str, message: str = "no") -> Answer:
    return Answer(200, {"errors": [{"message": message, "extensions": {"code": code}}]})


@pytest.mark.parametrize(
    ("word", "answer", "kind"),
    [
        ("shopify", error("THROTTLED"), TemporaryDeliveryError),
        ("shopify", error("", "Throttled"), TemporaryDeliveryError),
        ("shopify", error("ACCESS_DENIED"), OutletFaultError),
        ("shopify", error("INTERNAL_SERVER_ERROR"), UnknownFateError),
        ("shopify", Answer(200, {"data": None}), UnknownFateError),
        ("shopify", Answer(200, "<html>"), UnknownFateError),
        ("shopify", Answer(200, {"data": {"done": {"userErrors": []}}}), UnknownFateError),
        (
            "shopify",
            Answer(200, {"data": {"done": {"userErrors": [{"code": "INVALID", "message": "x"}]}}}),
            RefusedContentError,
        ),
        ("shopify", Answer(429, "", {"Retry-After": "2"}), TemporaryDeliveryError),
        ("shopify", Answer(502, "bad gateway"), UnknownFateError),
        ("shopify", Answer(301, "", {"Location": "https://elsewhere"}), OutletFaultError),
        ("shopify", Answer(402, "frozen"), OutletFaultError),
        ("shopify", Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
        ("shopify", Answer(fault=Fault.HANGS), UnknownFateError),
        ("stripe", Answer(429, {"error": {"message": "slow down"}}), TemporaryDeliveryError),
        ("stripe", Answer(409, {"error": {"message": "in use"}}), TemporaryDeliveryError),
        ("stripe", Answer(403, {"error": {"message": "no permission"}}), OutletFaultError),
        ("stripe", Answer(402, {"error": {"message": "no"}}), RefusedContentError),
        ("stripe", Answer(500, {"error": {"message": "ours"}}), UnknownFateError),
        ("stripe", Answer(200, {"error": {"message": "inside"}}), UnknownFateError),
        ("stripe", Answer(200, "<html>"), UnknownFateError),
        ("stripe", Answer(fault=Fault.STOPS_HALFWAY), UnknownFateError),
    ],
)
def test_an_answer_that_made_no_code_says_what_to_do(
    opened: Callable[..., Opened], word: str, answer: Answer, kind: type[RekindleError]
) -> None:
    one = opened(word)
    # Stripe's coupon is there already, so that what is refused is the code.
    one.till.before = lambda request: None if request.path == "/v1/coupons" else answer
    with pytest.raises(kind):
        one.shop.make("ABCD", TEN)
    assert one.till.codes == []


@pytest.mark.parametrize("word", SERVING)
def test_a_key_that_is_wrong_or_weak_is_told_and_never_shown(
    opened: Callable[..., Opened], word: str
) -> None:
    one = opened(word, "a-wrong-secret")
    echo = Answer(401, {"error": {"message": "no"}, "errors": "a-wrong-secret"})
    one.till.before = lambda request: echo
    with pytest.raises(OutletFaultError) as caught:
        one.shop.look()
    assert "a-wrong-secret" not in str(caught.value)


def test_a_token_without_the_scope_is_told(opened: Callable[..., Opened]) -> None:
    one = opened("shopify")
    scopes = {"accessScopes": [{"handle": "read_orders"}]}
    data = {"done": {"name": "Mugs"}, "currentAppInstallation": scopes}
    one.till.before = lambda request: Answer(200, {"data": data})
    with pytest.raises(OutletFaultError, match="write_discounts"):
        one.shop.look()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: amount_off, amount: 3, codes: none, made_at: shopify", "codes: own"),
        ("kind: amount_off, amount: 3, codes: own, made_at: shopfy", "mean 'shopify'"),
        ("kind: free_shipping, costs: 3, codes: own, made_at: stripe", "free_shipping"),
        ("kind: percent_off, percent: 9, at_most: 3, codes: own, made_at: stripe", "at_most"),
        ("kind: gift, gift: mug, costs: 3, codes: own, made_at: shopify", "gift"),
    ],
)
def test_what_a_shop_cannot_make_is_refused_in_the_file(text: str, words: str) -> None:
    with pytest.raises(OfferError, match=words):
        parse_offers(f"offers: {{it: {{{text}}}}}")


def test_terms_that_differ_at_the_shop_have_another_name() -> None:
    def key(text: str) -> str:
        offers = parse_offers(f"offers: {{it: {{{text}, codes: own, made_at: stripe}}}}")
        found = terms_of(offers, "it", "GBP")
        assert found is not None
        return found.key

    ten = key("kind: percent_off, percent: 10")
    assert key("kind: percent_off, percent: 10.0, lasts: 3 days") == ten
    others = ["percent: 20", "percent: 10, minimum_basket: 5"]
    keys = {key(f"kind: percent_off, {one}") for one in others}
    assert len({ten, key("kind: amount_off, amount: 10"), *keys}) == 4
