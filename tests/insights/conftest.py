"""A shop that fits in a few lines, and an audit and a report with every part in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from rekindle.experiments import HoldoutPlan, Lift
from rekindle.facts import CONTRACTS, Engine, open_rows
from rekindle.insights import Audit, JourneyReport
from rekindle.insights.model import (
    LINES,
    DriftedCustomer,
    EarlierCut,
    GapDays,
    Proof,
    ReturnPoint,
    RowCounts,
    TierLine,
    TierTotal,
)
from rekindle.insights.report import ArmResult
from rekindle.insights.survival import Interval
from rekindle.predictions import Outlook, PastCut
from rekindle.vocabulary import Answer, Arm, Money, Reason, Tier, Unknown

Order = tuple[str | None, str, float]
OpenShop = Callable[..., Engine]
AT = datetime(2024, 7, 1, tzinfo=UTC)
NASTY = "<script>alert('x')</script> $\\frac{1}{2}$"
TABLES = (*(one.table for one in CONTRACTS.facts), "quarantine", "imports")


def order_row(number: int, order: Order) -> dict[str, Any]:
    """Return the row of (customer, "2024-01-31" or with a time, gross; a refund if below 0)."""
    customer, text, amount = order
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    nothing = Decimal(0)
    return {
        "source": "shop",
        "order_id": str(number),
        "customer_id": customer,
        "ordered_at": at,
        "ordered_on": at.date(),
        "kind": "purchase" if amount > 0 else "refund",
        "gross": max(Decimal(str(amount)), nothing),
        "discount": nothing,
        "refund": max(-Decimal(str(amount)), nothing),
        "currency": "GBP",
    }


@pytest.fixture
def order_rows() -> Callable[[list[Order]], list[dict[str, Any]]]:
    """Return the function that turns (customer, day, gross) into rows."""
    return lambda orders: [order_row(number, order) for number, order in enumerate(orders)]


@pytest.fixture
def open_shop() -> Iterator[OpenShop]:
    """Yield a function that opens a shop with these rows of its tables."""
    engines: list[Engine] = []

    def open_with(**rows: list[dict[str, Any]]) -> Engine:
        given = {
            table: pa.Table.from_pylist(
                rows.get(table, []), schema=CONTRACTS[table].schema.to_pyarrow()
            )
            for table in TABLES
        }
        engines.append(open_rows(given, currency="GBP", zone="UTC"))
        return engines[-1]

    yield open_with
    for engine in engines:
        engine.close()


OUTLOOK = Outlook(PastCut(AT - timedelta(days=90), 100, 40), -0.4, 0.3, 2)


def pounds(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")


@pytest.fixture
def audit() -> Audit:
    share = Interval(0.4, 0.35, 0.45)
    cut = EarlierCut(AT - timedelta(days=90), 100, 40, revenue=12.5, deviation=40.0)
    gone = DriftedCustomer(NASTY, Tier.LAPSED, date(2024, 1, 2), 181, 3, pounds(500))
    return Audit(
        as_of=AT,
        zone="UTC",
        currency="GBP",
        horizon=timedelta(days=90),
        rows=RowCounts(900, 3, 20),
        buyers=300,
        orders=800,
        gross_revenue=pounds(9_000),
        net_revenue=pounds(8_000),
        anonymous_revenue=pounds(400),
        gap_days=GapDays(500, 28.0, 58.0, 113.0, 156.0),
        gap_days_by_category={NASTY: GapDays(500, 28.0, 58.0, 113.0, 156.0)},
        gap_counts=((7, 300), (28, 150), (156, 50)),
        return_curve=(
            ReturnPoint(0, 500, share),
            ReturnPoint(30, 300, share),
            ReturnPoint(60, 90, Unknown("29 silences were followed for 150 days")),
        ),
        tiers={tier: TierTotal(10, pounds(100)) for tier in Tier},
        tier_lines={tier: TierLine(20.0 * n, share) for n, tier in enumerate(LINES, start=1)},
        most_valuable=(gone,),
        proof=Proof(cut, HoldoutPlan(20, 0.2, 8.0, "20 % held out."), 30.0, 0.2, OUTLOOK),
    )


@pytest.fixture
def report() -> JourneyReport:
    return JourneyReport(
        journey=NASTY,
        started_at=AT,
        until=AT + timedelta(days=60),
        within=timedelta(days=30),
        is_replay=False,
        currency="GBP",
        holdout_share=0.2,
        arms={
            Arm.TREATMENT: ArmResult(80, 70, 20, 900.0),
            Arm.HOLDOUT: ArmResult(20, 18, 4, 100.0),
        },
        touches={Answer.SEND: 120, Answer.HOLD: 4, Answer.SKIP: 30},
        reasons={Reason.HELD_OUT: 18, Reason.NO_PERMISSION: 12, Reason.CAP: 4},
        returned_before_first_touch=2,
        sent_after_return=0,
        sent_before_known=1,
        still_open_windows=0,
        cost=Money.from_micros(120_000, "GBP"),
        lift=Lift("net revenue", 6.25, -1.5, 14.0, 0.09, 0.95, "permutation interval"),
        return_rate_lift=Unknown("too few people bought to tell a difference from chance"),
        notes=("One note.",),
    )


@pytest.fixture
def nasty() -> str:
    """Return the name of a customer, a category and a journey that means harm."""
    return NASTY
