"""Why somebody left is what was said of that time, and not of another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from rekindle.insights.subscribers import build_subscriptions
from rekindle.insights.subscribers.differing import reconcile
from rekindle.subscriptions import DEFINITIONS, OURS, build_departures
from tests.subscriptions.businesses import (
    NOW,
    Business,
    Row,
    at,
    cancellation,
    invoice,
    pause,
    payment,
    subscription,
)


def departures(business: Business, as_of: datetime = NOW) -> list[dict[str, Any]]:
    engine = business.shop().engine()
    table = build_departures(engine.facts(), as_of, OURS).order_by("customer_id", "time")
    rows = engine.run(table).to_pylist()
    engine.close()
    return [dict(row) for row in rows]


def kinds(business: Business) -> list[tuple[str, str | None]]:
    return [(row["kind"], row["reason"]) for row in departures(business)]


ONE = subscription("a", "c", "2024-01-01", "2024-06-01", mrr=9)


REASONS: list[tuple[Row, list[Row], tuple[str, str | None]]] = [
    ({}, [], ("unknown", None)),
    ({"cancelled_at": at("2024-05-20")}, [], ("voluntary", None)),
    ({"end_reason": "Payment failed"}, [], ("involuntary", "payment failed")),
    ({"end_reason": "past-due"}, [], ("involuntary", "past-due")),
    ({"end_reason": "too expensive"}, [], ("voluntary", "too expensive")),
    ({}, [cancellation("x", "c", "2024-05-20", "Budget")], ("voluntary", "budget")),
    ({}, [cancellation("x", "c", "2024-06-08", "late")], ("voluntary", "late")),
    ({}, [cancellation("x", "c", "2024-06-09", "too late")], ("unknown", None)),
    ({}, [cancellation("x", "c", "2023-12-31", "of before")], ("unknown", None)),
    ({}, [cancellation("x", "d", "2024-05-20", "of another")], ("unknown", None)),
    (
        {},
        [
            cancellation("x", "c", "2024-05-01", "old"),
            cancellation("y", "c", "2024-05-02", "new"),
        ],
        ("voluntary", "new"),
    ),
    (
        {"end_reason": "Cancellation requested"},
        [cancellation("x", "c", "2024-05-20", "Low quality")],
        ("voluntary", "low quality"),
    ),
    ({"end_reason": "cancellation_requested"}, [], ("voluntary", "cancellation_requested")),
    (
        {"end_reason": "payment_failed"},
        [cancellation("x", "c", "2024-05-20", "budget")],
        ("involuntary", "payment_failed"),
    ),
]


def test_a_departure_has_the_reason_of_its_time() -> None:
    rows: list[Row] = []
    said: list[Row] = []
    for number, (row, told, _) in enumerate(REASONS):
        who = f"c{number:02}"
        rows.append({**ONE, **row, "subscription_id": f"a{number}", "customer_id": who})
        for one in told:
            mine = one["customer_id"] == "c"
            key = f"{one['cancellation_id']}{number}"
            said.append({**one, "cancellation_id": key, "customer_id": who if mine else "nobody"})
    assert kinds(Business(rows, cancellations=said)) == [expected for _, _, expected in REASONS]


@pytest.mark.long
def test_who_leaves_in_the_same_months_of_two_years_and_came_back_is_seasonal() -> None:
    season = [
        subscription("a", "c", "2023-04-01", "2023-10-20", mrr=9),
        subscription("b", "c", "2024-04-01", "2024-11-02", mrr=9),
        subscription("d", "other", "2023-04-01", "2023-10-20", mrr=9),
        subscription("e", "other", "2024-04-01", "2024-07-02", mrr=9),
    ]
    assert [kind for kind, _ in kinds(Business(season))] == ["seasonal"] * 2 + ["unknown"] * 2
    # Before the second autumn nobody could know.
    before = departures(Business(season), at("2024-08-01"))
    assert {row["kind"] for row in before} == {"unknown"}


@pytest.mark.long
def test_what_is_not_known_yet_is_not_counted() -> None:
    told = Business([ONE], cancellations=[cancellation("x", "c", "2024-06-05", "late")])
    assert departures(told, at("2024-06-01")) == []
    (soon,) = departures(told, at("2024-06-02"))
    assert (soon["kind"], soon["back_on"]) == ("unknown", None)


@pytest.mark.long
def test_rates_count_those_who_were_still_gone() -> None:
    rows = [subscription(f"a{n}", f"c{n}", "2024-01-01", "2024-06-01", mrr=9) for n in range(5)] + [
        subscription("b0", "c0", "2024-06-11", mrr=9),
        subscription("b1", "c1", "2024-07-31", mrr=9),
        subscription("b2", "c2", "2025-06-01", mrr=9),
    ]
    engine = Business(rows).shop().engine()
    found = build_subscriptions(engine.facts(), engine.run, as_of=NOW)
    engine.close()
    assert found is not None
    assert [(r.since_churn, r.churned, r.reactivated) for r in found.rates] == [
        ("0-30", 5, 1),
        ("31-90", 4, 1),
        ("90+", 3, 1),
    ]
    assert (found.time_gone.median, found.time_gone.returned) == (60.0, 3)
    assert found.active == 3


@pytest.mark.long
def test_two_definitions_are_reconciled_by_the_rule_that_differs() -> None:
    business = Business(
        [
            subscription("a", "rests", "2024-01-10", mrr=20),
            subscription("b", "tries", "2024-01-10", amount=20, is_trial=True),
            subscription("d", "same", "2024-01-10", "2024-05-01", mrr=20),
        ],
        pauses=[pause("a", "2024-03-05", "2024-06-09")],
    )
    engine = business.shop().engine()
    found = reconcile(
        engine.facts(),
        engine.run,
        as_of=NOW,
        one=OURS,
        other=DEFINITIONS["recurly-subscribers"],
    )
    engine.close()
    assert {one.customer_id: one.because for one in found.differences} == {
        "rests": ("a pause",),
        "tries": ("a trial",),
    }
    (rests,) = (one for one in found.differences if one.customer_id == "rests")
    assert (rests.one.churned, rests.other.churned, rests.other.returned) == (0, 1, 1)


TWO = [
    subscription("a", "c", "2024-01-01", "2024-03-01", mrr=5),
    subscription("b", "c", "2024-01-01", "2025-09-01", mrr=20),
]


def test_a_word_on_another_subscription_is_no_word_on_why_they_left() -> None:
    early = cancellation("x", "c", "2024-02-10", "too expensive", subscription_id="a")
    unpaid = payment("p", "c", "2025-08-05", "failed", subscription_id="b", invoice_id="i")
    owed = invoice("i", "c", "2025-08-05", subscription_id="b")
    failed = Business(TWO, cancellations=[early], payments=[unpaid], invoices=[owed])
    assert kinds(failed) == [("involuntary", None)]
    assert kinds(Business(TWO, cancellations=[early])) == [("unknown", None)]
    own = cancellation("y", "c", "2025-08-20", "moved away", subscription_id="b")
    assert kinds(Business(TWO, cancellations=[early, own])) == [("voluntary", "moved away")]
    # Nobody knows the subscription that it names: it is a word all the same.
    strange = cancellation("z", "c", "2025-08-20", "moved away", subscription_id="other")
    assert kinds(Business(TWO, cancellations=[strange])) == [("voluntary", "moved away")]


def test_a_payment_that_was_given_up_while_they_stayed_is_not_why_they_left() -> None:
    failed = payment("p", "c", "2024-02-05", "failed", subscription_id="a", invoice_id="i")
    void = invoice("i", "c", "2024-02-05", subscription_id="a", voided_at=at("2024-02-20"))
    assert kinds(Business(TWO, payments=[failed], invoices=[void])) == [("unknown", None)]


@pytest.mark.long
def test_in_months_what_was_said_in_the_month_of_leaving_counts() -> None:
    gone = [subscription(n, n, "2024-01-01", "2025-06-20", mrr=9) for n in ("c", "e")]
    said = [
        cancellation("x", "c", "2025-06-12", "too expensive"),
        cancellation("y", "e", "2025-05-12", "moved"),
    ]
    engine = Business(gone, cancellations=said).shop().engine()
    table = build_departures(engine.facts(), NOW, DEFINITIONS["recurly-mrr"])
    rows = engine.run(table.order_by("customer_id")).to_pylist()
    engine.close()
    assert [row["reason"] for row in rows] == ["too expensive", "moved"]


@pytest.mark.long
def test_two_departures_of_one_winter_are_no_season() -> None:
    winter = [
        subscription("a", "c", "2024-06-01", "2024-12-20", mrr=9, end_reason="price"),
        subscription("b", "c", "2025-01-05", "2025-01-25", mrr=9, end_reason="price"),
    ]
    assert kinds(Business(winter)) == [("voluntary", "price")] * 2
