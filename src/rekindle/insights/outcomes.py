"""What the facts say became of a journey's members: what they bought, and when.

Members are brought to the engine as a table and joined to the orders once; whoever
bought nothing costs nothing to carry back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Engine, Facts
from rekindle.insights.audit import build_net
from rekindle.insights.record import Membership

_INSTANT = pa.timestamp("us", tz="UTC")
_MEMBERS = pa.schema(
    {
        "person": pa.string(),
        "rotation": pa.int64(),
        "entered_at": _INSTANT,
        "known_at": _INSTANT,
        "until_at": _INSTANT,
    }
)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What members did; who is not in a mapping bought nothing.

    ``revenue`` is each person's net revenue inside their goal windows, in major units;
    ``returned_at`` the first purchase of an enrolment (person, rotation) newer than the
    last one known at entry, inside the window or not.
    """

    revenue: Mapping[str, float]
    returned_at: Mapping[tuple[str, int], datetime]


def load_outcomes(
    engine: Engine,
    facts: Facts,
    members: Sequence[Membership],
    *,
    within: timedelta,
    until: datetime,
) -> Outcomes:
    """Return what ``members`` bought up to and including ``until``.

    A goal window runs from entry (excluded) for ``within``; an order inside the windows
    of two enrolments of one person counts once.
    """
    if not members:
        return Outcomes({}, {})
    table = engine.bring("report_members", _tabulate(members, within))
    orders = facts.orders.filter(
        facts.orders.ordered_at <= ibis.literal(until, type="timestamp('UTC', 6)")
    )
    spent = engine.run(build_revenue(table, orders))
    back = engine.run(build_returns(table, orders))
    return Outcomes(
        revenue={row["person"]: float(row["net"]) for row in spent.to_pylist()},
        returned_at={
            (row["person"], row["rotation"]): row["returned_at"] for row in back.to_pylist()
        },
    )


def build_revenue(members: ir.Table, orders: ir.Table) -> ir.Table:
    """Return ``person`` and ``net``, for everyone with an order inside a window."""
    joined = members.inner_join(
        orders,
        [
            members.person == orders.customer_id,
            orders.ordered_at > members.entered_at,
            orders.ordered_at <= members.until_at,
        ],
    )
    # Windows of two rotations may overlap; the orders' key keeps an order single.
    bought = joined.select("person", "source", "order_id", net=build_net(joined)).distinct()
    return bought.group_by("person").agg(net=bought.net.sum())


def build_returns(members: ir.Table, orders: ir.Table) -> ir.Table:
    """Return ``person``, ``rotation`` and ``returned_at`` of everyone who bought again."""
    purchases = orders.filter(orders.kind == "purchase")
    joined = members.inner_join(
        purchases,
        [members.person == purchases.customer_id, purchases.ordered_at > members.known_at],
    )
    return joined.group_by("person", "rotation").agg(returned_at=joined.ordered_at.min())


def _tabulate(members: Sequence[Membership], within: timedelta) -> pa.Table:
    rows = [
        {
            "person": one.person,
            "rotation": one.rotation,
            "entered_at": one.entered_at,
            "known_at": one.known_at,
            "until_at": one.entered_at + within,
        }
        for one in members
    ]
    return pa.Table.from_pylist(rows, schema=_MEMBERS)
