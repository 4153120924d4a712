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


@dataclass(frozen=True, slots=True)
class AudienceCount:
    """How many people match a predicate, what they were worth, and the worthiest few.

    ``warnings`` say what makes the count less than it seems.
    """

    predicate: str
    as_of: datetime
    customers: int
    lifetime_value: Decimal
    sample: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the count as documented JSON; money as numbers in major units."""
        return {
            "version": SCHEMA_VERSION,
            "predicate": self.predicate,
            "as_of": self.as_of.isoformat(),
            "customers": self.customers,
            "lifetime_value": float(round(self.lifetime_value, 2)),
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
    engine, facts = workspace.reading
    wanted = sorted({*SHOWN, "customer_id", "lifetime_value"})
    matching = engine.keep("audience", find_matching(workspace, facts, predicate, at, wanted))
    total = matching.aggregate(n=matching.count(), value=matching.lifetime_value.sum())
    row = engine.run(total).to_pylist()[0]
    worthiest = matching.order_by(matching.lifetime_value.desc(), matching.customer_id)
    rows = engine.run(worthiest.select(*SHOWN).limit(sample)).to_pylist()
    warnings = tuple(_stale(engine, facts, predicate, at))
    return AudienceCount(predicate, at, row["n"], row["value"] or Decimal(0), rows, warnings)


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
