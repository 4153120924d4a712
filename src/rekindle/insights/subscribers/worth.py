"""Who is worth bringing back, and who is not: rules of the business, each with whom it leaves out.

A rule is a predicate over the profile, so that a journey or an audience can leave the same people
out. Somebody to whom several apply is counted under the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from rekindle.audiences import Predicate, build_condition, parse_predicate
from rekindle.config import LifecycleSettings
from rekindle.errors import ConfigError, PredicateError
from rekindle.facts import Facts
from rekindle.insights.wire import Json, write_money
from rekindle.profiles import build_profiles, local_day
from rekindle.vocabulary import Money

WORTH = "worth_asking"
NO_RULES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class WorthLine:
    """How many of those who are gone a rule leaves out, and what they paid a month before."""

    name: str
    rule: str
    people: int
    mrr: Money

    def to_json(self) -> Json:
        """Return the line as JSON values."""
        return {
            "name": self.name,
            "rule": self.rule or None,
            "people": self.people,
            "mrr": write_money(self.mrr),
        }


def build_worth(
    facts: Facts,
    run: Callable[[Any], pa.Table],
    *,
    as_of: datetime,
    settings: LifecycleSettings,
    rules: Mapping[str, str],
) -> tuple[WorthLine, ...]:
    """Return a line a rule, in the order of the rules, then those to whom none applies.

    Raises:
        ConfigError: a rule is no predicate, or asks for what no profile knows.
    """
    parsed = {name: _parse(name, rule) for name, rule in rules.items()}
    asked = {name for one in parsed.values() for name in one.columns}
    columns = sorted(asked | {"customer_id", "subscription_state", "churned_mrr"})
    table = build_profiles(facts, as_of, settings, columns=columns)
    table = table.filter(table.subscription_state == "gone")
    table = table.mutate(as_of_on=ibis.date(local_day(as_of, facts.zone)))
    found = [(build_condition(one, table), name) for name, one in parsed.items()]
    why = ibis.cases(*found, else_=WORTH) if found else ibis.literal(WORTH)
    named = table.select("churned_mrr", why=why)
    rows = {
        row["why"]: row
        for row in run(
            named.group_by("why").agg(people=named.count(), mrr=named.churned_mrr.sum())
        ).to_pylist()
    }
    nobody = {"people": 0, "mrr": None}
    return tuple(
        WorthLine(
            name,
            rules.get(name, ""),
            row["people"],
            Money(row["mrr"] or Decimal(0), facts.currency),
        )
        for name in (*rules, WORTH)
        for row in (rows.get(name, nobody),)
    )


def _parse(name: str, rule: str) -> Predicate:
    try:
        return parse_predicate(rule)
    except PredicateError as error:
        raise ConfigError(f"[subscriptions.not_worth] {name}: {error}") from error
