"""What the facts say became of a journey's members: what they bought, and when.

Members are brought to the engine as a table and joined to the orders once; whoever
bought nothing costs nothing to carry back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import INSTANT, PURCHASE, Engine, Facts
from rekindle.insights.audit import build_net
from rekindle.insights.record import JourneyRecord, Membership
from rekindle.subscriptions import MONTH_DAYS, build_purchases, build_rates

_INSTANT = pa.timestamp("us", tz="UTC")
_AN_INSTANT = timedelta(microseconds=1)
_SPANS = pa.schema({"after": pa.int64(), "up_to": pa.int64(), "at": _INSTANT})
_MEMBERS = pa.schema(
    {
        "person": pa.string(),
        "rotation": pa.int64(),
        "entered_at": _INSTANT,
        "known_at": _INSTANT,
        "until_at": _INSTANT,
    }
)
_WINDOWS = pa.schema({"person": pa.string(), "entered_at": _INSTANT, "until_at": _INSTANT})


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What members did; who is not in a mapping bought nothing.

    ``revenue`` is each person's net revenue inside their window, in major units;
    ``returned_at`` the first purchase of an enrolment (person, rotation) newer than the
    last one known at entry, inside the window or not; ``seen_at`` when a pass had it;
    ``bought_at`` the first of these after the entry. A stay that begins is a purchase.
    ``of_subscriptions`` says that the revenue is what these brought.
    """

    revenue: Mapping[str, float]
    returned_at: Mapping[tuple[str, int], datetime]
    seen_at: Mapping[tuple[str, int], datetime]
    bought_at: Mapping[tuple[str, int], datetime]
    of_subscriptions: bool = False


Returned = Mapping[str, tuple[Membership, datetime]]
"""Each person who came back inside their window, with their first entry and when."""


def find_returned(record: JourneyRecord, outcomes: Outcomes) -> Returned:
    """Return each person who came back inside their window, with their first entry.

    Who had bought before it, which nobody knew yet, came back before it.
    """
    found: dict[str, tuple[Membership, datetime]] = {}
    for one in record.assigned:
        at = outcomes.bought_at.get((one.person, one.rotation))
        if at is not None and at <= one.entered_at + record.journey.goal.within:
            found[one.person] = (one, at)
    return found


def load_outcomes(engine: Engine, facts: Facts, record: JourneyRecord) -> Outcomes:
    """Return what a journey's people bought up to and including the end of its record.

    The window of a person is one: it runs from the first entry (excluded) for the goal's
    time, however often they enter again.
    """
    if not record.members:
        return Outcomes({}, {}, {}, {})
    until = ibis.literal(record.until, type=INSTANT)
    orders = list_orders(record, facts)
    assigned = bring_members(engine, "report_assigned", record.assigned, record)
    of_subscriptions = lives_by_subscriptions(engine, facts)
    spending = build_spending(assigned, orders, facts, until, of_subscriptions=of_subscriptions)
    spent = engine.run(spending).to_pylist()
    members = bring_members(engine, "report_members", record.members, record)
    purchases = build_purchases(orders, facts)
    purchases = purchases.filter(purchases.ordered_at <= until)
    purchases = with_sightings(engine, purchases, record.seen)
    back = engine.run(build_returns(members, purchases)).to_pylist()

    def instants(name: str) -> Mapping[tuple[str, int], datetime]:
        told = {(row["person"], row["rotation"]): row[name] for row in back}
        return {key: at for key, at in told.items() if at is not None}

    return Outcomes(
        revenue={row["person"]: float(row["net"]) for row in spent},
        returned_at=instants("returned_at"),
        seen_at=instants("seen_at"),
        bought_at=instants("bought_at"),
        of_subscriptions=of_subscriptions,
    )


def list_orders(record: JourneyRecord, facts: Facts) -> ir.Table:
    """Return the orders up to and including the end of a record, as they count there.

    What ran is told by all that is known by now. A replay knows what was known at its end: a
    refund or a cancellation that came later ended nothing in it, and its figures do not have it.
    """
    if record.is_replay:
        return facts.cut(record.until + _AN_INSTANT).orders
    orders = facts.standing_orders()
    return orders.filter(orders.ordered_at <= ibis.literal(record.until, type=INSTANT))


def bring_members(
    engine: Engine, name: str, members: Sequence[Membership], record: JourneyRecord
) -> ir.Table:
    """Return members of a record as a table of the engine, each with the end of their window."""
    return engine.bring(name, _tabulate(members, record.journey.goal.within))


def build_spending(
    assigned: ir.Table,
    orders: ir.Table,
    facts: Facts,
    until: ir.Value,
    *,
    of_subscriptions: bool,
) -> ir.Table:
    """Return ``person`` and ``net``, of their orders or of what their subscriptions brought."""
    if of_subscriptions:
        return build_subscription_revenue(assigned, facts, until)
    return build_revenue(assigned, orders)


def build_revenue(assigned: ir.Table, orders: ir.Table) -> ir.Table:
    """Return ``person`` and ``net``, for everyone with an order inside their window."""
    bought = build_net_orders(assigned, orders)
    return bought.group_by("person").agg(net=bought.net.sum())


def bring_windows(
    engine: Engine, name: str, windows: Iterable[tuple[str, datetime, datetime]]
) -> ir.Table:
    """Return windows of people, no person twice, as members: who, since when and until when."""
    columns = zip(*windows, strict=True)
    return engine.bring(name, pa.table([list(column) for column in columns], schema=_WINDOWS))


def lives_by_subscriptions(engine: Engine, facts: Facts) -> bool:
    """Return whether subscriptions are all the money the facts know of.

    Where there are orders as well, they may be what subscribers pay, and would count twice.
    """
    if not facts.has_subscriptions:
        return False
    return not engine.run(facts.orders.select("kind").limit(1)).num_rows


def build_subscription_revenue(assigned: ir.Table, facts: Facts, until: ir.Value) -> ir.Table:
    """Return ``person`` and ``net``: MRR for the time of their window in which they paid it.

    A month is 365.25 / 12 days. Discounts are off MRR already; refunds are not.
    """
    rates = build_rates(facts).filter(lambda t: t.mrr > 0)
    joined = assigned.inner_join(rates, assigned.person == rates.customer_id)
    begins = ibis.greatest(joined.entered_at, joined.since_at)
    ends = ibis.least(joined.until_at, until, ibis.coalesce(joined.ends_at, until))
    seconds = ends.epoch_seconds() - begins.epoch_seconds()
    paid = joined.filter(seconds > 0).mutate(days=seconds / 86_400)
    net = paid.mrr.cast("float64") * paid.days / MONTH_DAYS
    return paid.group_by("person").agg(net=net.sum())


def build_returned(
    people: ir.Table, purchases: ir.Table, start: datetime, end: datetime
) -> ir.Table:
    """Return one row: ``people``, and how many ``returned`` from ``start`` on and before ``end``.

    ``purchases`` are orders and stays that began, as ``build_purchases`` has them.
    """
    joined = _with_returns(_in_window(people, start, end), purchases)
    return joined.aggregate(people=joined.count(), returned=joined.returner.count())


def build_unprompted(
    people: ir.Table,
    purchases: ir.Table,
    facts: Facts,
    window: tuple[datetime, datetime],
    *,
    of_subscriptions: bool,
) -> ir.Table:
    """Return one row as ``build_returned``, with ``total`` and ``squares`` of their revenue.

    What revenue is, is as in a report.
    """
    members = _in_window(people, *window)
    until = ibis.literal(window[1] - _AN_INSTANT, type="timestamp('UTC', 6)")
    spent = build_spending(members, facts.orders, facts, until, of_subscriptions=of_subscriptions)
    # Exact, also squared: sums of floats depend on their order, which is the engine's own.
    spent = spent.select(buyer=spent.person, net=spent.net.cast("decimal(18, 4)"))
    joined = _with_returns(members, purchases)
    joined = joined.left_join(spent, joined.person == spent.buyer)
    net = joined.net.fill_null(0)
    return joined.aggregate(
        people=joined.count(),
        returned=joined.returner.count(),
        total=net.sum().fill_null(0).cast("float64"),
        squares=(net * net).sum().fill_null(0).cast("float64"),
    )


def _in_window(people: ir.Table, start: datetime, end: datetime) -> ir.Table:
    """Return people as members whose window holds ``start`` and all before ``end``."""
    low, high = (ibis.literal(at - _AN_INSTANT, type="timestamp('UTC', 6)") for at in (start, end))
    return people.select(person=people.customer_id, entered_at=low, until_at=high)


def _with_returns(members: ir.Table, purchases: ir.Table) -> ir.Table:
    """Add ``returner``, the person again where they bought inside their window."""
    back = list_buyers(members, purchases)
    return members.left_join(back, members.person == back.returner)


def list_buyers(members: ir.Table, purchases: ir.Table) -> ir.Table:
    """Return each ``returner``, a person of the members who bought inside their window."""
    bought = purchases.filter(purchases.kind == PURCHASE)
    inside = members.inner_join(
        bought,
        [
            members.person == bought.customer_id,
            bought.ordered_at > members.entered_at,
            bought.ordered_at <= members.until_at,
        ],
    )
    return inside.select(returner=inside.person).distinct()


def build_net_orders(assigned: ir.Table, orders: ir.Table) -> ir.Table:
    """Return ``person``, ``ordered_at``, ``kind`` and ``net`` of each order inside a window."""
    joined = assigned.inner_join(
        orders,
        [
            assigned.person == orders.customer_id,
            orders.ordered_at > assigned.entered_at,
            orders.ordered_at <= assigned.until_at,
        ],
    )
    return joined.select("person", "ordered_at", "kind", net=build_net(joined))


def build_returns(members: ir.Table, purchases: ir.Table) -> ir.Table:
    """Return ``person``, ``rotation``, ``returned_at`` and ``seen_at`` of who bought again.

    ``bought_at`` is the first of their purchases after they entered, if there is one.

    ``purchases`` say when passes had them: ``first_seen_at``, ``moved_seen_at`` and, as they
    are now, ``seen_at``. What somebody entered with is no return however it moves: an order, or
    a stay that had been said to begin (``first_at``) before.
    """
    joined = members.inner_join(
        purchases,
        [members.person == purchases.customer_id, purchases.ordered_at > members.known_at],
    )
    is_old = ibis.ifelse(
        joined.first_at.notnull(),
        joined.first_at <= joined.entered_at,
        joined.moved_seen_at > joined.entered_at,
    )
    was_known = (joined.first_seen_at <= joined.entered_at) & is_old
    joined = joined.filter(ibis.coalesce(was_known, ibis.literal(False)) == ibis.literal(False))
    return joined.group_by("person", "rotation").agg(
        returned_at=joined.ordered_at.min(),
        seen_at=joined.seen_at.argmin(joined.ordered_at),
        bought_at=joined.ordered_at.min(where=joined.ordered_at > joined.entered_at),
    )


def with_sightings(
    engine: Engine, purchases: ir.Table, seen: Sequence[tuple[int, datetime]]
) -> ir.Table:
    """Return purchases with the times at which passes first had them, empty where unknown."""
    names = {"first_seen_at": "known_in", "moved_seen_at": "moved_in", "seen_at": "newest_in"}
    never = ibis.null().cast("timestamp('UTC', 6)")
    if not seen:
        return purchases.mutate(**dict.fromkeys(names, never))
    newest = ibis.greatest(
        *(ibis.coalesce(purchases[name], 0) for name in ("known_in", "sold_in", "moved_in"))
    )
    purchases = purchases.mutate(newest_in=newest)
    spans = pa.Table.from_pylist(
        [
            {"after": before, "up_to": number, "at": at}
            for (before, _), (number, at) in pairwise([(-1, seen[0][1]), *seen])
        ],
        schema=_SPANS,
    )
    for name, column in names.items():
        span = engine.bring(f"report_{name}", spans)
        purchases = purchases.filter(purchases.customer_id.notnull())
        joined = purchases.left_join(
            span, [purchases[column] > span.after, purchases[column] <= span.up_to]
        )
        purchases = joined.select(*purchases.columns, **{name: joined.at})
    return purchases


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
