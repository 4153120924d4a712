"""What is taken off a subscription lowers what it brings, from the day and to the day it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.billing import BilledDiscount, BilledFact, write_fact
from rekindle.billing.chargebee.reading import read_discounts as read_chargebee
from rekindle.billing.folding import Kept, SeenFact, fold
from rekindle.billing.stripe.reading import StripeReader, read_discounts
from tests.billing.conftest import NOW

DAY = timedelta(days=1)
Told = Mapping[str, str]


def taken(
    percent: float | None = None,
    amount: float | None = None,
    *,
    since: int | None = 0,
    until: int | None = None,
    id_: str = "di",
    is_dated: bool = True,
) -> BilledDiscount:
    """Return something that is taken off between two days."""
    return BilledDiscount(
        id_,
        None if since is None else NOW + since * DAY,
        None if until is None else NOW + until * DAY,
        None if percent is None else Decimal(str(percent)),
        None if amount is None else Decimal(str(amount)),
        is_dated,
    )


def said(day: int, *discounts: BilledDiscount | None, **row: Any) -> SeenFact:
    """Return what was seen of a subscription on a day: ten dollars a month, if nothing else."""
    told = {
        "subscription_id": "s",
        "customer_id": "u",
        "started_at": NOW,
        "ended_at": None,
        "is_trial": False,
        "plan": "Gold",
        "amount": Decimal(10),
        "quantity": 1,
        "interval": "month",
        "interval_count": 1,
        "currency": "USD",
        "discounts": None if discounts == (None,) else discounts,
        **row,
    }
    seen = NOW + day * DAY
    return SeenFact.read(json.loads(write_fact(BilledFact("subscriptions", "s", seen, told), seen)))


class Lake:
    """The rows of all imports, each the newest of its key, with what was kept between them."""

    def __init__(self, kept: Kept | None = None) -> None:
        self.kept = kept or Kept()
        self.subs: dict[str, Mapping[str, Any]] = {}
        self._changes: dict[tuple[str, str], Mapping[str, Any]] = {}

    def take(self, *facts: SeenFact) -> Lake:
        tables = fold(facts, self.kept)
        self.kept = Kept.read(json.loads(json.dumps(self.kept.written())))
        for row in tables.get("subscriptions", []):
            self.subs[row["subscription_id"]] = row
        for row in tables.get("subscription_changes", []):
            self._changes[row["subscription_id"], row["changed_at"]] = row
        return self

    def costs(self, id_: str = "s") -> list[tuple[float, str]]:
        """Return what it cost from each day on, as often as that changed."""
        row = self.subs[id_]
        began = _day(row["started_at"])
        found = [(began, _costs(row))]
        for (of, at), row in sorted(self._changes.items()):
            # What was noted of earlier counts as it begins.
            if of == id_ and _costs(row) != found[-1][1]:
                found.append((max(_day(at), began), _costs(row)))
        return found


def _costs(row: Mapping[str, Any]) -> str:
    return f"{(Decimal(row['amount']) * row['quantity']).normalize():f}"


def _day(at: str) -> float:
    return (datetime.fromisoformat(at) - NOW) / DAY


def costs(*facts: SeenFact) -> list[tuple[float, str]]:
    return Lake().take(*facts).costs()


def test_what_it_began_with_is_off_from_the_beginning_and_its_end_is_known_ahead() -> None:
    assert costs(said(40, taken(20, until=90))) == [(0, "8"), (90, "10")]
    assert costs(said(40, taken(20))) == [(0, "8")]
    assert costs(said(40)) == [(0, "10")]


def test_what_is_taken_off_later_is_dated_by_its_own_day_and_not_by_when_it_was_seen() -> None:
    lake = Lake().take(said(1)).take(said(50, taken(20, since=30, until=90)))
    assert lake.costs() == [(0, "10"), (30, "8"), (90, "10")]


@pytest.mark.parametrize("times", [1, 3])
def test_a_further_listing_says_the_same(times: int) -> None:
    lake = Lake().take(said(1))
    for day in range(times):
        lake.take(said(50 + day, taken(20, since=30, until=90)))
    assert lake.costs() == [(0, "10"), (30, "8"), (90, "10")]
    # Its end has come: the provider names it no more.
    assert lake.take(said(95)).costs() == [(0, "10"), (30, "8"), (90, "10")]


def test_what_is_called_off_ends_when_that_was_seen() -> None:
    lake = Lake().take(said(1, taken(20, until=90)))
    assert lake.take(said(40)).costs() == [(0, "8"), (40, "10")]
    assert lake.take(said(95)).costs() == [(0, "8"), (40, "10")]


@pytest.mark.parametrize(("until", "ends"), [(120, [(120, "10")]), (60, [(60, "10")]), (None, [])])
def test_an_end_that_was_moved_is_where_it_is_now(until: int, ends: list[tuple[int, str]]) -> None:
    lake = Lake().take(said(1, taken(20, until=90))).take(said(40, taken(20, until=until)))
    assert lake.costs() == [(0, "8"), *ends]


def test_an_older_statement_takes_nothing_back() -> None:
    lake = Lake().take(said(50, taken(20, since=30)))
    lake.take(said(20))
    assert lake.costs() == [(0, "10"), (30, "8")]
    lake.take(said(60))
    lake.take(said(55, taken(20, since=30)))
    assert lake.costs() == [(0, "10"), (30, "8"), (60, "10")]


def test_what_a_statement_does_not_tell_stays_as_it_was() -> None:
    lake = Lake().take(said(1, taken(20, until=90))).take(said(40, None))
    assert lake.costs() == [(0, "8"), (90, "10")]
    # Its coupon is gone, and what it takes off is known from before.
    assert lake.take(said(50, taken(until=90))).costs() == [(0, "8"), (90, "10")]
    assert costs(said(50, taken(until=90))) == [(0, "10")]


def test_what_is_taken_off_is_taken_off_in_its_order_and_never_more_than_there_is() -> None:
    half, two = taken(50, id_="half"), taken(amount=2, id_="two")
    assert costs(said(1, half, two)) == [(0, "3")]
    assert costs(said(1, two, half)) == [(0, "4")]
    assert costs(said(1, taken(amount=25))) == [(0, "0")]
    assert costs(said(1, taken(20), amount=Decimal(0))) == [(0, "0")]
    assert costs(said(1, taken(20), amount=Decimal(-5))) == [(0, "-5")]
    assert Lake().take(said(1, taken(20), amount=None)).subs["s"]["amount"] is None


@pytest.mark.parametrize(
    ("currency", "amount", "percent", "left"),
    [("JPY", "333", 10, "300"), ("KWD", "9.999", 10, "8.999"), ("USD", "9.99", 15, "8.49")],
)
def test_what_is_left_is_in_whole_minor_units(
    currency: str, amount: str, percent: int, left: str
) -> None:
    told = said(1, taken(percent), currency=currency, amount=Decimal(amount))
    assert costs(told) == [(0, left)]


def test_an_amount_is_off_all_units_together_to_the_cent() -> None:
    for quantity, left, units in ((4, "30", 4), (3, "20", 1), (999, "9980", 1)):
        lake = Lake().take(said(1, taken(amount=10), quantity=quantity))
        assert lake.costs() == [(0, left)]
        assert lake.subs["s"]["quantity"] == units


def test_a_price_that_changes_meanwhile_is_less_as_well_and_corrected_where_it_was_told() -> None:
    lake = (
        Lake()
        .take(said(1, taken(20, until=90)))
        .take(said(40, taken(20, until=90), amount=Decimal(20)))
    )
    assert lake.costs() == [(0, "8"), (40, "16"), (90, "20")]
    # What was told of before is less by what is heard of only now.
    late = Lake().take(said(1)).take(said(40, amount=Decimal(20)))
    late.take(said(50, taken(20, since=30, until=90), amount=Decimal(20)))
    assert late.costs() == [(0, "10"), (30, "8"), (40, "16"), (90, "20")]


@pytest.mark.parametrize(
    ("until", "paid"),
    [(7, [(14, "10")]), (60, [(14, "8"), (60, "10")]), (None, [(14, "8")])],
)
@pytest.mark.parametrize("is_seen_before", [True, False])
def test_in_a_trial_it_runs_and_counts_from_the_first_payment(
    until: int | None, paid: list[tuple[int, str]], is_seen_before: bool
) -> None:
    lake, discount = Lake(), taken(20, until=until)
    ends = {"trial_ends_at": NOW + 14 * DAY}
    if is_seen_before:
        lake.take(said(3, discount, is_trial=True, **ends))
        assert [one for one in lake.costs() if one[0]] == []
    rest = [] if until == 7 else [discount]
    lake.take(said(20, *rest, **ends) if is_seen_before else said(20, discount, **ends))
    assert lake.subs["s"]["is_trial"]
    (change, *_) = [row for (_, at), row in sorted(lake._changes.items()) if _day(at) == 14]
    assert _costs(change) == paid[0][1]
    assert {(day, cost) for day, cost in lake.costs() if day > 14} == set(paid[1:])
    assert min(_day(at) for _, at in lake._changes) == 14


def test_after_its_end_nothing_is_told() -> None:
    lake = Lake().take(said(40, taken(20, until=90), ended_at=NOW + 60 * DAY))
    assert (lake.costs(), lake._changes) == ([(0, "8")], {})


def test_months_that_are_given_are_no_departure_and_a_free_beginning_is_as_a_trial() -> None:
    given = Lake().take(said(1)).take(said(40, taken(100, since=30, until=60)))
    assert given.costs() == [(0, "10")]
    assert given.take(said(95)).costs() == [(0, "10")]
    assert costs(said(1, taken(100, until=60))) == [(0, "0"), (60, "10")]
    # For ever, nothing is paid any more.
    assert Lake().take(said(1)).take(said(40, taken(100, since=30))).costs() == [
        (0, "10"),
        (30, "0"),
    ]


def test_what_does_not_say_since_when_counts_since_it_was_seen_or_as_far_as_can_be_told() -> None:
    one = taken(20, since=None, is_dated=False)
    assert costs(said(40, one)) == [(0, "8")]
    assert costs(said(40, taken(20, since=30, is_dated=False))) == [(0, "10"), (30, "8")]
    lake = Lake().take(said(1)).take(said(40, taken(20, since=30, is_dated=False)))
    assert lake.costs() == [(0, "10"), (40, "8")]
    # Its beginning is not moved by what is gathered later.
    assert lake.take(said(70, taken(20, since=60, is_dated=False))).costs()[1] == (40, "8")
    # Called off, and given a second time.
    lake.take(said(80)).take(said(90, one))
    assert lake.costs() == [(0, "10"), (40, "8"), (80, "10"), (90, "8")]


def test_a_run_that_is_over_keeps_what_was_taken_off_it() -> None:
    lake = Lake().take(said(1, taken(20, until=90), revived_at=NOW))
    over = {"revived_at": NOW, "ended_at": NOW + 100 * DAY}
    lake.take(said(100, **over))
    back: dict[str, Any] = {"revived_at": NOW + 150 * DAY, "amount": Decimal(30)}
    lake.take(said(150, **back))
    assert lake.costs("s#1") == [(0, "8"), (90, "10")]
    assert lake.costs() == [(150, "30")]
    lake.take(said(160, taken(50, since=155, id_="di2"), **back))
    assert lake.costs() == [(150, "30"), (155, "15")]
    assert lake.costs("s#1") == [(0, "8"), (90, "10")]


def test_a_plan_that_is_called_something_else_is_the_same_plan() -> None:
    lake = Lake().take(said(1, plan="Gold", plan_id="prod_1"))
    lake.take(said(20, plan="Gold", plan_id="prod_1", amount=Decimal(12)))
    lake.take(said(40, plan="Premium", plan_id="prod_1", amount=Decimal(12)))
    assert {row["plan"] for row in (lake.subs["s"], *lake._changes.values())} == {"Premium"}
    assert lake.costs() == [(0, "10"), (20, "12")]
    assert len(lake._changes) == 1
    lake.take(said(60, plan="Silver", plan_id="prod_2", amount=Decimal(12)))
    plans = [row["plan"] for _, row in sorted(lake._changes.items())]
    assert plans == ["Premium", "Silver"]
    assert not {"plan_id", "discounts"} & lake.subs["s"].keys()


def test_what_was_kept_before_discounts_were_known_is_read() -> None:
    price = ["Gold", "10", 1, "month", 1, "USD"]
    dear = ["Gold", "20", 1, "month", 1, "USD"]
    old = {
        "first": {"s": price, "t": price},
        "newest": {"s": dear},
        "pauses": {},
        "listed_at": (NOW + 30 * DAY).isoformat(),
    }
    lake = Lake(Kept.read(old)).take(said(40, amount=Decimal(20)))
    assert lake.costs() == [(0, "10"), (30, "20")]
    at = (NOW + 20 * DAY).isoformat()
    change = dict(
        zip(
            ("plan", "amount", "quantity", "interval", "interval_count", "currency"),
            dear,
            strict=True,
        )
    )
    trail = {
        "subscription_changes": {f"s {at}": {**change, "subscription_id": "s", "changed_at": at}}
    }
    runs = {"s": {"count": 0, "began": "", "ended": None, "trail": trail}}
    lake = Lake(Kept.read({**old, "runs": runs}))
    lake.take(said(40, taken(50, since=30), amount=Decimal(20), revived_at=NOW))
    assert lake.costs() == [(0, "10"), (20, "20"), (30, "10")]


def second(day: int) -> int:
    return int((NOW + day * DAY).timestamp())


def coupon(**told: Any) -> dict[str, Any]:
    return {"id": "c", "duration": "forever", "percent_off": None, "amount_off": None, **told}


def discount(of: Any, **told: Any) -> dict[str, Any]:
    source = {"type": "coupon", "coupon": of}
    return {"id": "di", "start": second(0), "end": None, "source": source, **told}


def item(minor: int = 1000, quantity: int = 1, product: str = "p", *of: Any) -> dict[str, Any]:
    price = {"id": f"price_{product}", "product": product, "currency": "usd", "unit_amount": minor}
    return {"id": product, "price": price, "quantity": quantity, "discounts": list(of)}


def at_stripe(*of: Any, items: Sequence[Any] = (), customer: Any = None) -> Any:
    things = {"data": list(items) or [item()]}
    found = read_discounts(
        {"discounts": list(of), "items": things, "customer": customer or {"id": "cus"}}
    )
    return None if found is None else [(one.id, one.percent, one.amount) for one in found]


def test_stripe_says_a_share_an_amount_and_until_when() -> None:
    assert at_stripe(discount(coupon(percent_off=12.5))) == [("di", Decimal("12.5"), None)]
    five = coupon(amount_off=500, currency="usd")
    assert at_stripe(discount(five)) == [("di", None, Decimal("5.00"))]
    (found,) = (
        read_discounts(
            {
                "discounts": [discount(five, end=second(90))],
                "items": {"data": [item()]},
                "customer": "cus",
            }
        )
        or ()
    )
    assert (found.since, found.until) == (NOW, NOW + 90 * DAY)


def test_stripe_takes_off_once_what_does_not_recur() -> None:
    assert at_stripe(discount(coupon(percent_off=50, duration="once"))) == []


def test_stripe_takes_off_the_item_first_and_the_customers_where_there_is_no_other() -> None:
    mine = discount(coupon(percent_off=10), id="item")
    own, other = discount(coupon(percent_off=20), id="own"), {"id": "cus"}
    of_all = {"id": "cus", "discount": discount(coupon(percent_off=30), id="customer")}
    one = [item(1000, 1, "p", mine)]
    assert [id_ for id_, *_ in at_stripe(own, items=one, customer=of_all)] == ["item", "own"]
    assert [id_ for id_, *_ in at_stripe(items=one, customer=of_all)] == ["item", "customer"]
    assert [id_ for id_, *_ in at_stripe(items=one, customer=other)] == ["item"]


def test_stripe_takes_an_amount_off_all_items_as_much_as_each_costs() -> None:
    four = coupon(amount_off=400, currency="usd")
    both = [item(1000, 3, "p"), item(1000, 1, "q")]
    assert at_stripe(discount(four), items=both) == [("di", None, Decimal("3.00"))]
    of_p = {**four, "applies_to": {"products": ["p"]}}
    assert at_stripe(discount(of_p), items=both) == [("di", None, Decimal("4.00"))]
    of_q = {**four, "applies_to": {"products": ["q"]}}
    assert at_stripe(discount(of_q), items=both) == []


def test_stripe_takes_off_what_is_of_the_currency() -> None:
    euros = coupon(amount_off=400, currency="eur")
    assert at_stripe(discount(euros)) == []
    more = {**euros, "currency_options": {"usd": {"amount_off": 450}}}
    assert at_stripe(discount(more)) == [("di", None, Decimal("4.50"))]


def test_what_stripe_only_names_is_not_told() -> None:
    assert at_stripe("di_1") is None
    assert read_discounts({"discounts": [], "items": {"data": [item()]}, "customer": "c"}) is None
    # The coupon is gone: that it is taken off is known, how much is not.
    assert at_stripe(discount("gone")) == [("di", None, None)]
    thing = {
        "object": "subscription",
        "id": "s",
        "created": second(0),
        "customer": "cus",
        "items": {"data": [item()]},
        "discounts": ["di_1"],
    }
    (fact, *_) = StripeReader("").read(thing)
    assert (fact.row["discounts"], fact.row["amount"]) == (None, Decimal("10.00"))


def at_chargebee(**told: Any) -> list[tuple[str, Any, Any]]:
    thing = {
        "currency_code": "USD",
        "billing_period": 1,
        "billing_period_unit": "month",
        "current_term_start": second(0),
        "subscription_items": [
            {"item_price_id": "gold", "item_type": "plan", "unit_price": 1000, "quantity": 3},
            {"item_price_id": "more", "item_type": "addon", "amount": 1000},
        ],
        **told,
    }
    return [(one.id, one.percent, one.amount) for one in read_chargebee(thing)]


def applied(id_: str = "c", **of: Any) -> dict[str, Any]:
    terms = {"discount_type": "percentage", "apply_on": "invoice_amount", **of}
    return {"coupon_id": id_, "applied_count": 1, "coupon": terms if of else {}}


def test_chargebee_takes_off_items_before_the_whole_and_amounts_before_shares() -> None:
    coupons = [
        applied("share", discount_percentage=10),
        applied("amount", discount_amount=400, currency_code="USD"),
        applied("item", discount_percentage=5, apply_on="each_specified_item"),
    ]
    manual = {
        "id": "manual",
        "type": "fixed_amount",
        "amount": 100,
        "currency_code": "USD",
        "duration_type": "forever",
        "apply_on": "specific_item_price",
        "item_price_id": "gold",
        "created_at": second(3),
    }
    assert at_chargebee(coupons=coupons, discounts=[manual]) == [
        ("manual", None, Decimal("1.00")),
        ("item", Decimal(5), None),
        ("amount", None, Decimal("3.00")),
        ("share", Decimal(10), None),
    ]


@pytest.mark.parametrize(
    ("of", "found"),
    [
        ({"discount_percentage": 10, "duration_type": "one_time"}, []),
        ({"discount_amount": 400, "currency_code": "EUR"}, []),
        (
            {
                "discount_percentage": 10,
                "apply_on": "each_specified_item",
                "item_constraints": [{"item_type": "plan", "constraint": "none"}],
            },
            [],
        ),
        (
            {
                "discount_percentage": 10,
                "apply_on": "each_specified_item",
                "item_constraints": [
                    {"item_type": "plan", "constraint": "specific", "item_price_ids": ["x"]}
                ],
            },
            [],
        ),
        (
            {"discount_quantity": 2, "apply_on": "each_specified_item"},
            [("c", None, Decimal("20.00"))],
        ),
        ({}, [("c", None, None)]),
    ],
)
def test_chargebee_takes_off_what_recurs_of_the_plan(
    of: dict[str, Any], found: list[tuple[str, Any, Any]]
) -> None:
    assert at_chargebee(coupons=[applied(**of)]) == found


def test_what_a_coupon_of_chargebees_made_is_told_once() -> None:
    made = {
        "id": "d",
        "percentage": 10,
        "duration_type": "forever",
        "apply_on": "invoice_amount",
        "coupon_id": "c",
    }
    told = at_chargebee(coupons=[applied(discount_percentage=10)], discounts=[made])
    assert told == [("d", Decimal(10), None)]


@pytest.mark.parametrize(
    ("told", "since"),
    [
        ({"applied_count": 1}, "2026-01-31"),
        ({"applied_count": 3}, "2025-11-30"),
        ({"applied_count": 0}, "2026-01-31"),
        ({"apply_till": second(59)}, "2025-12-31"),
    ],
)
def test_since_when_a_coupon_of_chargebees_applies_follows_from_what_it_says(
    told: dict[str, Any], since: str
) -> None:
    terms: dict[str, Any] = {"discount_percentage": 10, "period": 3, "period_unit": "month"}
    thing = {
        "currency_code": "USD",
        "billing_period": 1,
        "billing_period_unit": "month",
        "current_term_start": second(0),
        "coupons": [{**applied(**terms), **told}],
    }
    (found,) = read_chargebee(thing)
    assert found.since is not None
    assert (found.since.date().isoformat(), found.is_dated) == (since, False)
    assert asdict(found)["percent"] == 10
