"""Recovery is counted over all that failed, by what was known on the day of the question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rekindle.insights.subscribers import build_subscriptions
from rekindle.insights.subscribers.recovering import build_recovery
from rekindle.subscriptions import OURS, DeclineKind, build_departures, build_failures
from rekindle.subscriptions.declines import judge_decline
from rekindle.testing.small_shop import SmallShop
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

JUDGED = [
    ("insufficient_funds", None, None, DeclineKind.SOFT),
    ("Insufficient Funds", "", "", DeclineKind.SOFT),
    ("stolen_card", None, None, DeclineKind.HARD),
    ("authentication_required", None, None, DeclineKind.AUTHENTICATION),
    ("some_new_code", None, None, DeclineKind.UNKNOWN),
    (None, None, None, DeclineKind.UNKNOWN),
    # The provider's advice outranks the code, in both directions.
    ("insufficient_funds", "do_not_try_again", None, DeclineKind.HARD),
    ("expired_card", "try_again_later", None, DeclineKind.SOFT),
    ("expired_card", "advice_of_tomorrow", None, DeclineKind.HARD),
    # A never of the network holds whatever the provider says.
    ("insufficient_funds", "try_again_later", "03", DeclineKind.HARD),
    ("do_not_honor", None, "24", DeclineKind.SOFT),
    ("insufficient_funds", None, "3", DeclineKind.HARD),
]


def failures(business: Business, as_of: Any = NOW) -> list[dict[str, Any]]:
    engine = business.shop().engine()
    table = build_failures(engine.facts(), as_of).order_by("failed_at", "case")
    rows = engine.run(table).to_pylist()
    engine.close()
    return [dict(row) for row in rows]


def test_a_part_of_an_invoice_leaves_the_rest_to_be_asked_for() -> None:
    def attempt(number: str, on: str, outcome: str, amount: int) -> Row:
        more = {"invoice_id": "i", "subscription_id": "s", "amount": Decimal(amount)}
        return payment(number, "c", on, outcome, **more)

    tried = [attempt("1", "2025-03-01", "failed", 30), attempt("2", "2025-03-02", "paid", 10)]
    billed = invoice("i", "c", "2025-03-01", amount=Decimal(30))

    def ended(payments: list[Row], invoices: list[Row]) -> Any:
        business = Business(
            [subscription("s", "c", "2025-01-01", mrr=30)], payments=payments, invoices=invoices
        )
        (found,) = failures(business)
        return found["ended_at"], found["ending"]

    assert ended(tried, [billed]) == (None, None)
    rest = attempt("3", "2025-03-05", "paid", 20)
    assert ended([*tried, rest], [billed]) == (at("2025-03-05"), "cleared")
    # A credit note may have made it less: the invoice itself knows best.
    settled = billed | {"paid_at": at("2025-03-02")}
    assert ended(tried, [settled]) == (at("2025-03-02"), "cleared")
    # Without the invoice nobody can say what a smaller amount was for.
    assert ended(tried, []) == (at("2025-03-02"), "cleared")


@pytest.mark.parametrize(("code", "advice", "network", "kind"), JUDGED)
def test_advice_outranks_the_code_and_a_never_outranks_all(
    code: str | None, advice: str | None, network: str | None, kind: DeclineKind
) -> None:
    assert judge_decline(code, advice, network) is kind


@pytest.mark.long
def test_many_rows_are_judged_like_one() -> None:
    rows = [
        payment(
            f"p{n}", "c", "2025-01-01", "failed", invoice_id=f"i{n:02}", decline_code=code,
            advice_code=advice, network_advice_code=network,
        )
        for n, (code, advice, network, _) in enumerate(JUDGED)
    ]  # fmt: skip
    found = sorted(failures(Business([], payments=rows)), key=lambda row: row["case"])
    assert [row["kind"] for row in found] == [kind.value for *_, kind in JUDGED]


RUNS = subscription("s", "c", "2024-01-01", mrr=9)
FAILS = payment("p", "c", "2025-03-01", "failed", subscription_id="s", invoice_id="i")
PAID = payment("q", "c", "2025-03-05", "Succeeded", subscription_id="s", invoice_id="i")
LEFT = cancellation("x", "c", "2025-03-02", subscription_id="s")
HAD_LEFT = cancellation("x", "c", "2025-02-02", subscription_id="s")
ENDINGS: list[tuple[str, dict[str, list[Row]], tuple[str | None, bool] | None]] = [
    ("still open", {"payments": [FAILS]}, (None, True)),
    ("tried again and paid", {"payments": [FAILS, PAID]}, ("cleared", True)),
    (
        "paid by transfer",
        {
            "payments": [FAILS],
            "invoices": [invoice("i", "c", "2025-03-01", paid_at=at("2025-03-09"))],
        },
        ("cleared", True),
    ),
    (
        "taken back",
        {
            "payments": [FAILS],
            "invoices": [invoice("i", "c", "2025-03-01", voided_at=at("2025-03-09"))],
        },
        ("dropped", True),
    ),
    (
        "cancelled since",
        {"payments": [FAILS], "cancellations": [LEFT]},
        ("dropped", True),
    ),
    (
        "paused since",
        {"payments": [FAILS], "pauses": [pause("s", "2025-03-02")]},
        ("dropped", True),
    ),
    (
        "paused before",
        {"payments": [FAILS], "pauses": [pause("s", "2025-02-02")]},
        ("dropped", False),
    ),
    (
        "paused and back before",
        {"payments": [FAILS], "pauses": [pause("s", "2025-02-02", "2025-02-20")]},
        (None, True),
    ),
    (
        "cancelled before",
        {"payments": [FAILS], "cancellations": [HAD_LEFT]},
        ("dropped", False),
    ),
    (
        "paid before it failed",
        {"payments": [{**PAID, "attempted_at": at("2025-02-01")}, FAILS]},
        None,
    ),
    (
        "a debit that is not settled",
        {"payments": [{**FAILS, "settled_at": at("2026-03-01")}]},
        None,
    ),
    ("only paid", {"payments": [PAID]}, None),
]


@pytest.mark.draws(4)
@pytest.mark.parametrize(
    ("rows", "ending"), [one[1:] for one in ENDINGS], ids=[o[0] for o in ENDINGS]
)
def test_a_payment_that_failed_ends_as_its_facts_say(
    rows: dict[str, list[Row]], ending: tuple[str | None, bool] | None
) -> None:
    found = failures(Business([RUNS], **rows))  # type: ignore[arg-type]
    assert [(row["ending"], row["is_owed"]) for row in found] == ([ending] if ending else [])


def test_without_invoices_the_failures_between_two_payments_are_one() -> None:
    days = [("01", "failed"), ("03", "failed"), ("05", "paid"), ("20", "failed")]
    rows = [
        payment(f"p{day}", "c", f"2025-03-{day}", said, subscription_id="s") for day, said in days
    ]
    found = failures(Business([RUNS], payments=rows))
    assert [(row["failed_at"].day, row["ending"], row["attempts"]) for row in found] == [
        (1, "cleared", 2),
        (20, None, 1),
    ]


@pytest.mark.long
def test_of_an_earlier_day_nothing_later_is_known() -> None:
    business = Business([RUNS], payments=[FAILS, PAID])
    assert failures(business, at("2025-03-01")) == []
    (before,) = failures(business, at("2025-03-05"))
    assert (before["ending"], before["ended_at"]) == (None, None)


def recovery(business: Business) -> dict[str, tuple[Any, ...]]:
    engine = business.shop().engine()
    found = build_recovery(engine.facts(), engine.run, as_of=NOW)
    engine.close()
    return {
        one.kind: (one.failed, one.recovered, one.dropped, one.running, one.rate) for one in found
    }


@pytest.mark.long
def test_what_still_runs_counts_as_not_yet() -> None:
    """Churn Buster's example: 400 recovered, 100 lost, 500 running are 40 %, not 80 %."""
    rows: list[Row] = []
    for n in range(10):
        soft = "insufficient_funds" if n < 8 else "stolen_card"
        rows.append(
            payment(f"p{n}", f"c{n}", "2025-03-01", "failed", invoice_id=f"i{n}", decline_code=soft)
        )
        if n < 4:
            rows.append(payment(f"q{n}", f"c{n}", "2025-03-03", "paid", invoice_id=f"i{n}"))
    gone = [invoice("i4", "c4", "2025-03-01", given_up_at=at("2025-04-01"))]
    found = recovery(Business([], payments=rows, invoices=gone))
    assert found == {
        "all": (10, 4, 1, 5, 0.4),
        "hard": (2, 0, 0, 2, 0.0),
        "soft": (8, 4, 1, 3, 0.5),
    }


@pytest.mark.long
def test_who_leaves_with_an_unpaid_invoice_left_for_it() -> None:
    ended = {**RUNS, "ended_at": at("2025-03-20")}
    kinds = {}
    for name, more in {
        "unpaid": {"payments": [FAILS]},
        "paid": {"payments": [FAILS, PAID]},
        "cancelled": {
            "payments": [FAILS],
            "cancellations": [cancellation("x", "c", "2025-03-10", "budget", subscription_id="s")],
        },
    }.items():
        engine = Business([ended], **more).shop().engine()  # type: ignore[arg-type]
        (row,) = engine.run(build_departures(engine.facts(), NOW, OURS)).to_pylist()
        kinds[name] = row["kind"]
        engine.close()
    assert kinds == {"unpaid": "involuntary", "paid": "unknown", "cancelled": "voluntary"}


@pytest.mark.long
def test_an_audit_names_outcomes_that_it_cannot_read() -> None:
    shop: SmallShop = Business([RUNS], payments=[{**FAILS, "outcome": "gescheitert"}]).shop()
    engine = shop.engine()
    found = build_subscriptions(engine.facts(), engine.run, as_of=NOW)
    engine.close()
    assert found is not None
    assert found.recovery == ()
    assert any("gescheitert" in note for note in found.notes)
