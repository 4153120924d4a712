"""``offers.yaml``: what it says is read, and what is wrong is named with its line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
import yaml

from rekindle.errors import OfferError
from rekindle.offers import NO_OFFERS, find_kinds, load_offers, offers_schema, parse_offers

SHOP = """\
offers:
  free-shipping: {kind: free_shipping, codes: none, costs: 4.50}
  ten-percent:
    kind: percent_off
    percent: 10
    codes: shared
    code: BACK10
    lasts: 7 days
  twenty-percent:
    kind: percent_off
    percent: 20
    at_most: 30
    codes: own
    budget: 500
    minimum_basket: 40
ladders:
  win-back:
    - offer: free-shipping
    - {offer: ten-percent, when: "tier in ('lapsed', 'dormant')"}
    - {offer: twenty-percent, when: "tier = 'dormant' and value_band = 'high'"}
"""


def test_offers_and_ladders_are_read() -> None:
    found = parse_offers(SHOP)
    assert found.terms["ten-percent"].lasts == timedelta(days=7)
    assert found.with_own_codes == ("twenty-percent",)
    assert [rung.offer for rung in found.ladders["win-back"]] == list(found.terms)
    jsonschema.validate(yaml.safe_load(SHOP), offers_schema())


def test_no_file_is_no_offers(tmp_path: Path) -> None:
    assert load_offers(tmp_path) == NO_OFFERS


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("offers: {a: {kind: percentoff, codes: own}}", 1, "did you mean 'percent_off'?"),
        ("offers:\n  a: {codes: own}", 2, "'kind' is missing; known here: amount_off"),
        (
            "offers:\n  a:\n    kind: gift\n    gift: soap\n    costs: -1\n    codes: none",
            5,
            "0 or",
        ),
        ("offers:\n  a: {kind: gift, gift: x, costs: 1, codes: none, prize: y}", 2, "unknown key"),
        ("offers:\n  a: {kind: gift, gift: x, costs: 1, codes: shared}", 2, "add the 'code'"),
        ("offers:\n  a: {kind: gift, gift: x, costs: 1, codes: own, code: A}", 2, "codes: shared"),
        ("offers:\n  a: {kind: gift, gift: x, costs: 1, codes: own, code: 12}", 2, "in quotes"),
        ("offers:\n  a: 1\n  a: 2", 3, "'a' stands here twice"),
        *(
            (
                f"offers:\n  a: {{kind: gift, gift: x, costs: 1, codes: shared, code: {code}}}",
                2,
                "no",
            )
            for code in ("'A|1'", "'A,1'", "'  '", "'A 1'")
        ),
        ("offers: &x {}", 1, "anchors"),
        ("offers: !!python/name:os.system {}", 1, "tags"),
        ("- a", 1, "keys and values"),
        ("ladders:\n  up:\n    - offer: ten", 3, "there is no offer 'ten'"),
        ("ladders:\n  up: []", 2, "at least one rung"),
        ("offers: [", 1, "not valid YAML"),
        ("offers: " + "[" * 40, 1, "nested more"),
        (SHOP.replace(", when: \"tier = 'dormant' and value_band = 'high'\"", ""), 20, "'when'"),
    ],
)
def test_mistake_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(OfferError) as caught:
        parse_offers(text, name="shop/offers.yaml")
    assert f"line {line}" in str(caught.value)
    assert words in str(caught.value)


SAMPLES = {
    "amount_off": ("amount: 5", "5", "£5.00 off"),
    "bundle": ("items: [soap, towel]\n    price: 20\n    saves: 4", "4", "you save £4.00"),
    "early_access": ("to: the sale", "0", "early access to the sale"),
    "free_month": ("price: 9\n    months: 2", "18", "2 months free"),
    "free_shipping": ("costs: 4.5", "4.5", "free shipping"),
    "gift": ("gift: soap\n    costs: 3", "3", "soap with your order"),
    "percent_off": ("percent: 12.5\n    at_most: 8", "8", "12.5 % off, at most £8.00"),
    "points_multiplied": (
        "times: 3\n    points_per_unit: 2\n    point_costs: 0.01",
        "4",
        "3 times the points",
    ),
    "points_reinstated": ("points: 1500\n    point_costs: 0.01", "15", "your 1,500 points back"),
}


@pytest.mark.parametrize("kind", sorted(find_kinds()))
def test_every_kind_has_a_cost_and_words(kind: str) -> None:
    keys, cost, words = SAMPLES[kind]
    text = f"offers:\n  it:\n    kind: {kind}\n    codes: none\n    {keys}"
    terms = parse_offers(text).terms["it"]
    assert terms.cost(Decimal(100)) == Decimal(cost)
    assert words in terms.describe("GBP")
    jsonschema.validate(yaml.safe_load(text), offers_schema())
