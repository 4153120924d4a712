"""Subscription businesses of a few rows, and what is asked about them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rekindle.facts import Engine
from rekindle.insights.subscribers import SubscriptionAudit
from rekindle.subscriptions import OURS, Definition, build_movements
from rekindle.testing.small_shop import SmallShop

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = (0, 3, 9, 23)
Row = Mapping[str, Any]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def subscription(
    number: str, who: str, started: str, ended: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "source": "billing",
        "subscription_id": number,
        "customer_id": who,
        "started_at": at(started),
        "ended_at": None if ended is None else at(ended),
        **{k: Decimal(str(v)) if k in ("mrr", "amount") else v for k, v in more.items()},
    }


def change(number: str, on: str, **more: Any) -> dict[str, Any]:
    price = {k: Decimal(str(v)) if k in ("mrr", "amount") else v for k, v in more.items()}
    return {"source": "billing", "subscription_id": number, "changed_at": at(on), **price}


def pause(number: str, since: str, until: str | None = None) -> dict[str, Any]:
    ends = None if until is None else at(until)
    row = {"source": "billing", "subscription_id": number, "paused_at": at(since)}
    return row | {"resumed_at": ends}


def cancellation(number: str, who: str, on: str, reason: str = "", **more: Any) -> dict[str, Any]:
    row = {"source": "billing", "cancellation_id": number, "customer_id": who}
    return row | {"cancelled_at": at(on), "reason": reason, **more}


def payment(number: str, who: str, on: str, outcome: str, **more: Any) -> dict[str, Any]:
    row = {"source": "billing", "payment_id": number, "customer_id": who, "outcome": outcome}
    return row | {"attempted_at": at(on), "amount": Decimal(9), **more}


def invoice(number: str, who: str, on: str, **more: Any) -> dict[str, Any]:
    row = {"source": "billing", "invoice_id": number, "customer_id": who}
    return row | {"invoiced_at": at(on), "amount": Decimal(9), **more}


@dataclass
class Business:
    """What a subscription business has on record."""

    subscriptions: Sequence[Row]
    changes: Sequence[Row] = ()
    pauses: Sequence[Row] = ()
    cancellations: Sequence[Row] = ()
    payments: Sequence[Row] = ()
    invoices: Sequence[Row] = ()
    zone: str = "UTC"
    _engines: list[Engine] = field(default_factory=list)

    def shop(self) -> SmallShop:
        return SmallShop(
            (),
            zone=self.zone,
            rows={
                "subscriptions": self.subscriptions,
                "subscription_changes": self.changes,
                "pauses": self.pauses,
                "cancellations": self.cancellations,
                "payments": self.payments,
                "invoices": self.invoices,
            },
        )

    def moved(
        self, definition: Definition = OURS, as_of: datetime = NOW
    ) -> list[tuple[str, str, Decimal]]:
        """Return (day, movement, amount) in the order of the days."""
        engine = self.shop().engine()
        table = build_movements(engine.facts(), as_of, definition)
        rows = engine.run(table.order_by("on", "customer_id")).to_pylist()
        engine.close()
        return [(row["on"].isoformat(), row["movement"], row["amount"]) for row in rows]


def counted(moved: Sequence[tuple[str, str, Decimal]]) -> dict[str, int]:
    return dict(Counter(word for _, word, _ in moved))


def cents(moved: Sequence[tuple[str, str, Decimal]]) -> Iterator[tuple[str, str, str]]:
    """Yield the movements with their amounts to the cent, as text."""
    for day, word, amount in moved:
        yield day, word, f"{amount:.2f}"


def random_business(seed: int, people: int = 8) -> Business:
    """Return a business in which everything happens that may, often on one day."""
    roll = random.Random(seed)
    rows = defaultdict[str, list[Row]](list)
    for key in range(4 * people):
        for table, row in _random_rows(roll, key, f"c{roll.randrange(people)}"):
            rows[table].append({"source": "billing", **row})
    return Business(
        rows["subscriptions"],
        rows["changes"],
        rows["pauses"],
        rows["cancellations"],
        rows["payments"],
        zone="America/New_York",
    )


def _random_rows(roll: random.Random, key: int, who: str) -> Iterator[tuple[str, Row]]:
    number, since = f"s{key}", _moment(roll)
    length = timedelta(days=roll.choice((0, 10, 90, 365)), hours=roll.choice(HOURS))
    ended = roll.choice((None, since + length))
    reason = roll.choice((None, None, "payment failed", "price", "")) if ended else ""
    begun = {
        "customer_id": who,
        "started_at": since,
        "ended_at": ended,
        "cancelled_at": ended if roll.random() < 0.3 else None,
        "mrr": Decimal(roll.choice((0, 9, 19))),
        "plan": roll.choice(("small", "large", None)),
        "is_trial": roll.random() < 0.1,
        "end_reason": reason,
    }
    yield "subscriptions", {"subscription_id": number, **begun}
    if roll.random() < 0.4:
        price = {"mrr": Decimal(roll.choice((0, 5, 30))), "plan": roll.choice(("team", None))}
        yield "changes", {"subscription_id": number, "changed_at": _moment(roll), **price}
    if roll.random() < 0.3:
        rests = _moment(roll)
        times = {"paused_at": rests, "resumed_at": roll.choice((None, rests + timedelta(30)))}
        yield "pauses", {"subscription_id": number, **times}
    if roll.random() < 0.4:
        said = {"cancelled_at": _moment(roll, ended), "reason": roll.choice(("budget", "", "time"))}
        yield "cancellations", {"cancellation_id": f"k{key}", "customer_id": who, **said}
    for turn in range(roll.randrange(3)):
        tried = {
            "outcome": roll.choice(("failed", "paid")),
            "attempted_at": _moment(roll, ended),
            "amount": Decimal(9),
            "invoice_id": roll.choice((None, f"i{key}")),
        }
        ids = {"payment_id": f"p{key}.{turn}", "subscription_id": number, "customer_id": who}
        yield "payments", {**ids, **tried}


def _moment(roll: random.Random, near: datetime | None = None) -> datetime:
    if near is not None:
        return near + timedelta(days=roll.choice((-3, 0, 2, 9)))
    return at("2023-01-01") + timedelta(days=roll.randrange(700), hours=roll.choice(HOURS))


def require_closing(found: SubscriptionAudit) -> None:
    """See that each month opens as the one before closed, and closes by its movements."""
    opening = Decimal(0)
    for line in found.months:
        assert line.opening.amount == opening
        opening += sum(total.amount.amount for total in line.movements.values())
        assert line.closing.amount == opening
    assert found.closing.amount == opening > 0
