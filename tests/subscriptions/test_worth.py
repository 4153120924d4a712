"""Who is worth bringing back: by rules that say so, and nobody is left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from rekindle.config import LifecycleSettings, parse_config
from rekindle.errors import ConfigError
from rekindle.insights import audit_page, build_audit
from rekindle.insights.subscribers.worth import WorthLine, build_worth
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Card
from tests.subscriptions.businesses import NOW, Business, at, cancellation, subscription

GONE = Business(
    [
        subscription("a", "short", "2025-01-01", "2025-01-25", mrr=9),
        subscription("b", "fraud", "2025-01-01", "2025-01-25", mrr=19, end_reason="Fraud found"),
        subscription("c", "fond", "2024-01-01", "2025-02-01", mrr=29),
        subscription("d", "here", "2024-01-01", mrr=29),
        subscription("e", "twice", "2024-01-01", "2024-04-01", mrr=5, end_reason="unpaid"),
        subscription("f", "twice", "2024-05-01", "2024-08-01", mrr=7, end_reason="unpaid"),
    ],
    cancellations=[cancellation("x", "short", "2025-01-20", "not for me")],
)
HOUSE = parse_config("[workspace]\nname = 'club'\n").subscriptions.not_worth


def lines(rules: Mapping[str, str], business: Business = GONE) -> Mapping[str, WorthLine]:
    engine = business.shop().engine()
    found = build_worth(
        engine.facts(), engine.run, as_of=NOW, settings=LifecycleSettings(), rules=rules
    )
    engine.close()
    return {line.name: line for line in found}


@pytest.mark.long
def test_the_rules_of_the_house_leave_out_whom_they_say() -> None:
    found = lines(HOUSE)
    told = {name: (line.people, int(line.mrr.amount)) for name, line in found.items()}
    assert told == {
        "poor_fit": (2, 28),  # a word of fraud is said by a person: the first rule counts
        "abuse": (0, 0),
        "payment_trouble": (1, 7),
        "negative_value": (0, 0),
        "burned_bridge": (0, 0),
        "worth_asking": (1, 29),
    }
    assert sum(line.people for line in found.values()) == 4  # who is here is not asked back


@pytest.mark.long
def test_the_order_of_the_rules_is_the_order_of_their_words() -> None:
    rules = {"abuse": HOUSE["abuse"], "poor_fit": HOUSE["poor_fit"]}
    assert {name: line.people for name, line in lines(rules).items()} == {
        "abuse": 1,
        "poor_fit": 1,
        "worth_asking": 2,
    }


@pytest.mark.long
def test_without_rules_everybody_is_worth_asking() -> None:
    assert {name: line.people for name, line in lines({}).items()} == {"worth_asking": 4}


@pytest.mark.parametrize(
    ("rule", "because"),
    [
        ("churn_knd = 'voluntary'", "churn_kind"),
        ("churn_kind = 'voluntry'", "voluntary"),
        ("paid_months", "paid_months"),
        ("1 = 1; drop table orders", "more than one condition"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named(rule: str, because: str) -> None:
    with pytest.raises(ConfigError, match=r"\[subscriptions.not_worth\] mine: ") as caught:
        lines({"mine": rule})
    assert because in str(caught.value)


@pytest.mark.parametrize("name", ["Mine", "worth asking", "", "x" * 41])
def test_a_rule_has_a_plain_name(name: str) -> None:
    text = f"[workspace]\nname = 'c'\n[subscriptions.not_worth]\n'{name}' = 'true'\n"
    with pytest.raises(ConfigError, match="not_worth"):
        parse_config(text)


@pytest.mark.long
def test_who_subscribed_is_in_the_profile_from_that_day_on() -> None:
    bare = Business([subscription("a", "bare", "2024-03-01", mrr=9)]).shop()
    # An import read this card later, and nothing on it says since when there was one.
    carded = replace(bare, cards=[Card("bare", email="a@example.com")])
    for shop in (bare, carded):
        engine = shop.engine()
        known = [
            engine.run(
                build_profiles(
                    engine.facts(), at(day), LifecycleSettings(), columns=("customer_id", "mrr")
                )
            ).num_rows
            for day in ("2024-03-01", "2024-03-02")
        ]
        engine.close()
        assert known == ([0, 1] if shop is bare else [1, 1])


@pytest.mark.long
def test_a_page_of_many_reasons_can_be_written() -> None:
    rows = [
        subscription(f"s{n}", f"c{n}", "2024-01-01", "2024-06-01", mrr=9, end_reason=f"why {n}")
        for n in range(120)
    ]
    engine = Business(rows).shop().engine()
    audit = build_audit(
        engine.facts(), engine.run, as_of=NOW, settings=LifecycleSettings(), not_worth=HOUSE
    )
    engine.close()
    page = audit_page(audit, shop="Club")
    assert "108 smaller groups are in the JSON." in page
    assert page.count("<td") < 1_000
    assert audit.subscriptions is not None
    assert len(audit.subscriptions.rates) == 3 * 120
