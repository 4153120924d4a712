"""Counts and samples an audience."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.audiences import build_condition, parse_predicate
from rekindle.facts import Engine, Facts
from rekindle.insights import lives_by_subscriptions
from rekindle.profiles import FAMILIES, build_profiles, local_day
from rekindle.runtime import Workspace

SCHEMA_VERSION = 1
SHOWN = (
    "customer_id",
    "tier",
    "silence_days",
    "expected_gap_days",
    "orders_count",
    "lifetime_value",
    "last_order_on",
    "top_category",
    "country",
)
SHOWN_OF_SUBSCRIBERS = (
    "customer_id",
    "subscription_plan",
    "mrr",
    "churned_on",
    "churn_kind",
    "churn_reason",
    "subscription_value",
)
"""What is shown of people where there are no orders."""


@dataclass(frozen=True, slots=True)
class AudienceCount:
    """How many people match a predicate, what they were worth, and the worthiest few.

    Without orders worth is what subscriptions brought (``by_subscriptions``). ``warnings`` say
    what makes the count less than it seems.
    """

    predicate: str
    as_of: datetime
    customers: int
    lifetime_value: Decimal
    sample: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()
    by_subscriptions: Decimal | None = None

    @property
    def told(self) -> str:
        """Return what is counted beside the people: the column that ranks them."""
        return "lifetime value" if self.by_subscriptions is None else "paid by subscriptions"

    @property
    def value(self) -> Decimal:
        """Return what they were worth together."""
        return self.lifetime_value if self.by_subscriptions is None else self.by_subscriptions

    def to_json(self) -> dict[str, Any]:
        """Return the count as documented JSON; money as numbers in major units."""
        return {
            "version": SCHEMA_VERSION,
            "predicate": self.predicate,
            "as_of": self.as_of.isoformat(),
            "customers": self.customers,
            "lifetime_value": float(round(self.lifetime_value, 2)),
            **(
                {}
                if self.by_subscriptions is None
                else {"subscription_value": float(round(self.by_subscriptions, 2))}
            ),
            "sample": [{k: _plain(v) for k, v in row.items()} for row in self.sample],
            "warnings": list(self.warnings),
        }


def count_audience(
    workspace: Workspace, predicate: str, at: datetime, *, sample: int = 10
) -> AudienceCount:
    """Return how many people match ``predicate`` at ``at`` and the ``sample`` worthiest.

    Raises:
        PredicateError: the predicate is not understood.
    """
    engine, facts = workspace.reading_at(at)
    is_club = lives_by_subscriptions(engine, facts)
    shown = SHOWN_OF_SUBSCRIBERS if is_club else SHOWN
    ranks = "subscription_value" if is_club else "lifetime_value"
    wanted = sorted({*shown, "lifetime_value"})
    matching = engine.keep("audience", find_matching(workspace, facts, predicate, at, wanted))
    value = matching[ranks].sum()
    total = matching.aggregate(n=matching.count(), life=matching.lifetime_value.sum(), value=value)
    row = engine.run(total).to_pylist()[0]
    worthiest = matching.order_by(matching[ranks].desc(nulls_first=False), matching.customer_id)
    rows = engine.run(worthiest.select(*shown).limit(sample)).to_pylist()
    nothing = Decimal(0)
    return AudienceCount(
        predicate,
        at,
        row["n"],
        row["life"] or nothing,
        rows,
        tuple(_stale(engine, facts, predicate, at)),
        (row["value"] or nothing) if is_club else None,
    )


def _stale(engine: Engine, facts: Facts, predicate: str, at: datetime) -> Iterator[str]:
    """Yield why what models foresee is blank for everybody, where the predicate speaks of it."""
    foreseen = FAMILIES["prediction"].makes
    if not foreseen.isdisjoint(parse_predicate(predicate).columns):
        from rekindle.predictions import tell_staleness

        if told := tell_staleness(facts, engine.run, at):
            yield told


def find_matching(
    workspace: Workspace,
    facts: Facts,
    predicate: str,
    at: datetime,
    columns: Collection[str] = ("customer_id",),
) -> ir.Table:
    """Return ``columns`` at ``at``, by ``facts``, of everyone who matches ``predicate``.

    What neither these nor the predicate are made of is not computed: a profile has a
    hundred columns.

    Raises:
        PredicateError: the predicate is not understood.
    """
    checked = parse_predicate(predicate)
    needed = sorted({"customer_id", *columns, *checked.columns})
    table = build_profiles(facts, at, workspace.config.lifecycle, columns=needed)
    day = local_day(at, workspace.config.workspace.timezone)
    table = table.mutate(as_of_on=ibis.date(day))
    return table.filter(build_condition(checked, table)).select(*columns)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(round(value, 2))
    if isinstance(value, float):
        return round(value, 2)
    return value.isoformat() if isinstance(value, date) else value
