"""On whom two definitions of churn differ, and which of their rules makes it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from rekindle.facts import Facts
from rekindle.insights.subscribers.building import Run
from rekindle.insights.tables import TextTable
from rekindle.insights.wire import VERSION, Json
from rekindle.insights.words import say_count
from rekindle.subscriptions import Definition, build_differences
from rekindle.wording import counted

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Count:
    """How one definition counts a subscriber; ``mrr`` in major units a month."""

    churned: int
    returned: int
    is_subscribed: bool
    mrr: Decimal

    def to_json(self) -> Json:
        """Return the count as JSON values."""
        return {
            "churned": self.churned,
            "returned": self.returned,
            "subscribed": self.is_subscribed,
            "mrr": round(float(self.mrr), 2),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One subscriber on whom two definitions differ, and the rules that make it so."""

    customer_id: str
    one: Count
    other: Count
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every subscriber on whom two definitions differ, by their ids."""

    one: Definition
    other: Definition
    differences: tuple[Difference, ...]

    def to_json(self) -> Json:
        """Return the differences as JSON values."""
        return {
            "version": VERSION,
            "definitions": {one.name: one.meaning for one in (self.one, self.other)},
            "differences": [
                {
                    "customer_id": found.customer_id,
                    self.one.name: found.one.to_json(),
                    self.other.name: found.other.to_json(),
                    "because": list(found.because),
                }
                for found in self.differences
            ],
        }

    def rows(self) -> pa.Table:
        """Return every difference as a flat row, for a file."""
        rows = [
            {"customer_id": found.customer_id}
            | {f"{self.one.name}_{key}": value for key, value in found.one.to_json().items()}
            | {f"{self.other.name}_{key}": value for key, value in found.other.to_json().items()}
            | {"because": "; ".join(found.because)}
            for found in self.differences
        ]
        return pa.Table.from_pylist(rows)


def reconcile(
    facts: Facts, run: Run, *, as_of: datetime, one: Definition, other: Definition
) -> Reconciliation:
    """Return on whom two definitions differ by what was known before ``as_of``."""
    found = run(build_differences(facts, as_of, one, other).order_by("customer_id")).to_pylist()
    return Reconciliation(one, other, tuple(_difference(row, one, other) for row in found))


def reconciliation_tables(found: Reconciliation) -> tuple[TextTable, ...]:
    """Return what makes the difference, and the first subscribers it is about."""
    names = (found.one.name, found.other.name)
    reasons = Counter(reason for one in found.differences for reason in one.because)
    return (
        TextTable(
            f"{names[0]} and {names[1]} differ on {counted(len(found.differences), 'subscriber')}",
            ("because", "subscribers"),
            tuple((reason, say_count(count)) for reason, count in reasons.most_common()),
            tuple(f"{one.name}: {one.meaning}" for one in (found.one, found.other)),
        ),
        TextTable(
            f"Each as {names[0]} / {names[1]} count them",
            ("customer", "because", "left", "came back", "subscribed", "MRR"),
            tuple(_row(one) for one in found.differences[:SHOWN]),
            (f"The first {SHOWN}; --csv FILE writes them all.",)
            if len(found.differences) > SHOWN
            else (),
            text_columns=2,
        ),
    )


def _row(found: Difference) -> tuple[str, ...]:
    one, other = found.one, found.other
    yes = {True: "yes", False: "no"}
    return (
        found.customer_id,
        ", ".join(found.because),
        f"{one.churned} / {other.churned}",
        f"{one.returned} / {other.returned}",
        f"{yes[one.is_subscribed]} / {yes[other.is_subscribed]}",
        f"{one.mrr:,.0f} / {other.mrr:,.0f}",
    )


def _difference(row: Mapping[str, Any], one: Definition, other: Definition) -> Difference:
    mine, theirs = (
        Count(
            row[f"{side}churned"],
            row[f"{side}returned"],
            bool(row[f"{side}subscribed"]),
            row[f"{side}mrr"],
        )
        for side in ("", "other_")
    )
    return Difference(row["customer_id"], mine, theirs, tuple(_because(row, one, other)))


def _because(row: Mapping[str, Any], one: Definition, other: Definition) -> Iterator[str]:
    """Yield the rules that the two do not share and this subscriber meets."""
    rules = {
        "a trial": one.has_trials != other.has_trials and row["has_trial"],
        "a pause": one.pausing != other.pausing and row["has_pause"],
        "within one month": one.stride != other.stride and row["is_short"],
        "a return is an expansion": one.names_returns != other.names_returns
        and row["returned"] != row["other_returned"],
    }
    met = [rule for rule, is_met in rules.items() if is_met]
    yield from met or ["several of these rules at once"]
