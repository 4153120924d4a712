"""Watches the facts for people who came back, and tells the ledger.

Runs before anything is decided or sent, so that a purchase that was imported a moment
ago ends the enrolment in the transaction that records it. Facts are corrected: what is a
return follows from the order and from what was known of it at entry, not from its date
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.channels import find_task_waits
from rekindle.facts import INSTANT as FACT_INSTANT
from rekindle.facts import OF_STAYS, PURCHASE, REFUND, Engine, Facts, name_query
from rekindle.journeys import Signal, order_signal
from rekindle.ledger import Correction, Observations, Sightings, Tasks, Watched, read_watched
from rekindle.runtime import Workspace
from rekindle.subscriptions import BOOKED, build_corrected_starts, build_purchases, build_starts

INSTANT = pa.timestamp("us", tz="UTC")
WATCHED = pa.schema([("person", pa.string()), ("entered_at", INSTANT), ("last_order_at", INSTANT)])
CORRECTED = ("source", "order_id", "customer_id", "ordered_at", "kind")
RECORDED = pa.schema([("source", pa.string()), ("order_id", pa.string())])
MOST_RECORDED = 200_000
"""Purchases on record with which the facts are asked of these alone, not of all that changed."""
PENDING = "pending"
SEEN = (PURCHASE, PENDING)
IN_TURN = ("ordered_at", "source", "order_id", "person", "entered_at")
ORDER = ("source", "order_id", "ordered_at", "kind", *BOOKED)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a look saw: how many enrolments it ended, when, and by which import's number.

    ``watched`` is who was looked after. Where ``newest`` is 0 the facts number nothing, and
    nobody can say what came in since.
    """

    ended: int
    at: datetime
    newest: int = 0
    watched: frozenset[Watched] = frozenset()


def observe_returns(workspace: Workspace, at: datetime, since: Observed | None = None) -> Observed:
    """Record purchases that were not known at entry, and say what was looked at.

    Only purchases before ``at`` are seen, so a tick on a past date does not peek ahead.
    Purchases that are on record follow their orders: redated, or void where they are none.
    With ``since``, a former look at facts that differ in their orders alone, only those are
    looked at who are watched anew, or of whose orders some came in, changed or came to pass.
    """
    engine, facts = workspace.reading
    observations = Observations(workspace.ledger)
    sightings = observations.load(at)
    everyone = observations.watched()
    everyone += Tasks(workspace.ledger).watched(
        at, find_task_waits(workspace.config, workspace.capabilities)
    )
    newest = _newest_of(engine, facts.orders)
    asked: Sequence[Watched] = everyone
    if since is not None and 0 < since.newest <= newest and since.at <= at:
        asked = _list_concerned(engine, facts, everyone, since, at)
    signals = _returns(engine, facts, asked, sightings) if asked else []
    ended = workspace.book.record(signals, at) if signals else 0
    _follow(engine, facts, observations, sightings, newest)
    return Observed(ended, at, newest, frozenset(everyone))


def _list_concerned(
    engine: Engine, facts: Facts, watched: Sequence[Watched], since: Observed, at: datetime
) -> list[Watched]:
    """Return of whom there may be something to see that ``since`` did not.

    A refund says of another order of the customer what it is, and an order that goes to another
    customer is no return of the former: so all orders are looked at of those who have one here.
    """
    buyers = name_query(
        "concerned",
        facts,
        lambda: _build_concerned(facts, since, at),
        instants=[since.newest, since.at, at],
    )
    people = set(engine.run(buyers).column(0).to_pylist())
    return [one for one in watched if one[0] in people or one not in since.watched]


def _build_concerned(facts: Facts, since: Observed, at: datetime) -> ir.Table:
    orders = facts.orders
    is_news = (orders.changed_in > since.newest) | _is_between(orders.ordered_at, since.at, at)
    buyers = orders.filter(is_news).select("customer_id")
    if facts.has_subscriptions:
        starts = build_starts(facts)
        begun = starts.filter(_is_between(starts["at"], since.at, at))
        buyers = buyers.union(begun.select("customer_id"))
    known = (facts.bookkeeping or {}).get("identities")
    if known is not None:
        joined = known.semi_join(buyers, known.person_id == buyers.customer_id)
        buyers = buyers.union(joined.select("customer_id"))
    return buyers.distinct()


def _is_between(instant: ir.Value, first: datetime, end: datetime) -> ir.Value:
    bounds = [ibis.literal(at, type=FACT_INSTANT) for at in (first, end)]
    return (instant >= bounds[0]) & (instant < bounds[1])


def _returns(
    engine: Engine, facts: Facts, watched: Sequence[Watched], sightings: Sightings
) -> list[Signal]:
    """Return the purchases that one enrolment or another did not know of."""
    columns = zip(*map(read_watched, watched), strict=True)
    given = engine.bring("watched", pa.table([list(one) for one in columns], schema=WATCHED))
    rows = name_query(
        "returns",
        facts,
        lambda: _build_returns(facts, given, sightings.now),
        instants=[sightings.now],
        beside=[given],
    )
    found: dict[str, Signal] = {}
    for row in engine.run(rows.order_by(*IN_TURN)).to_pylist():
        if (signal := _return(row, sightings)) is not None:
            known = found.get(signal.key)
            found[signal.key] = signal if known is None else _later(known, signal)
    return list(found.values())


def _build_returns(facts: Facts, watched: ir.Table, now: datetime) -> ir.Table:
    people = _with_buyers(facts, watched)
    orders = _purchases(facts, people, now)
    joined = orders.inner_join(people, orders.customer_id == people.buyer)
    joined = joined.select("person", "entered_at", "last_order_at", *ORDER)
    # A date that is no news is of interest only where the order has become a purchase.
    return joined.filter(
        joined.last_order_at.isnull()
        | (joined.ordered_at > joined.last_order_at)
        | joined.sold_in.notnull()
    )


def _purchases(facts: Facts, people: ir.Table, now: datetime) -> ir.Table:
    """Return what these people bought or are on their way to buy, and their stays that began."""
    # What an order is follows from its customer's orders: so the others are left out at once.
    # A join that is joined again takes its tables apart; a filter keeps it whole.
    named = facts.orders.filter(facts.orders.customer_id.notnull())
    theirs = named.semi_join(people, named.customer_id == people.buyer)
    theirs = theirs.filter(theirs.order_id.notnull())
    orders = replace(facts, orders=theirs).cut(now).orders
    found = build_purchases(orders, facts)
    found = found.filter(found.ordered_at < ibis.literal(now, type=FACT_INSTANT))
    pending = orders.filter(orders.kind == PENDING).mutate(first_at=ibis.null(FACT_INSTANT))
    return found.union(pending.select(*found.columns))


def _return(row: dict[str, Any], sightings: Sightings) -> Signal | None:
    """Return the purchase if it is one that the enrolment did not know of."""
    entered_at, last_order_at, ordered_at = (
        row[name] for name in ("entered_at", "last_order_at", "ordered_at")
    )
    is_news_by_date = ordered_at > (last_order_at or entered_at)
    if row["kind"] == PENDING:  # somebody is at the till, and is left in peace
        return _signal(row) if ordered_at > entered_at else None
    sold_at = sightings.first_seen(row["sold_in"])
    if sold_at is not None and sold_at > entered_at:
        return _signal(row, None if is_news_by_date else sold_at)
    if last_order_at is None and not is_news_by_date:  # a first purchase that arrives late
        known_at = sightings.first_seen(row["known_in"]) or sightings.now
        return _signal(row, known_at if known_at > entered_at else sightings.now)
    if not is_news_by_date:
        return None
    return None if _was_entered_with(row, entered_at, sightings) else _signal(row)


def _was_entered_with(row: dict[str, Any], entered_at: datetime, sightings: Sightings) -> bool:
    """Return whether somebody entered with this purchase, whatever its date became since.

    A stay may become one that begins by what is corrected of another, and may be known before
    it begins; so its own date counts as it was.
    """
    known_at = sightings.first_seen(row["known_in"])
    if known_at is None or known_at > entered_at:
        return False
    if row["first_at"] is not None:
        return bool(row["first_at"] <= entered_at)
    moved_at = sightings.first_seen(row["moved_in"])
    return moved_at is not None and entered_at < moved_at


def _signal(row: dict[str, Any], arrived_at: datetime | None = None) -> Signal:
    return order_signal(
        row["person"], row["ordered_at"], row["source"], row["order_id"], arrived_at=arrived_at
    )


def _later(one: Signal, other: Signal) -> Signal:
    """Return of two words on one order the one by which it is news to more."""
    if one.arrived_at is None or other.arrived_at is None:
        return other if one.arrived_at is None else one
    return max(one, other, key=lambda signal: signal.arrived_at or signal.at)


def _follow(
    engine: Engine, facts: Facts, observations: Observations, sightings: Sightings, newest: int
) -> None:
    """Let purchases on record follow the orders that changed since the last look."""
    started = max((_newest_of(engine, one) for one in _of_stays(facts)), default=0)
    since = sightings.newest
    if max(newest, started) <= since:
        return
    corrections: Iterator[Correction] = iter(())
    if recorded := observations.purchases(MOST_RECORDED + 1):
        corrections = chain(
            _corrections(engine, facts, since, recorded) if newest > since else (),
            _corrected_starts(engine, facts, since) if started > since else (),
        )
    observations.note(max(newest, started), sightings.now, corrections)


def _newest_of(engine: Engine, table: ir.Table) -> int:
    (row,) = engine.run(table.aggregate(newest=table.changed_in.max())).to_pylist()
    return row["newest"] or 0


def _of_stays(facts: Facts) -> list[ir.Table]:
    return [facts.more[name] for name in OF_STAYS] if facts.has_subscriptions else []


def _corrected_starts(engine: Engine, facts: Facts, since: int) -> Iterator[Correction]:
    rows = build_corrected_starts(facts, since).select(*CORRECTED[:4], "is_void")
    for batch in engine.run(rows).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield Correction(*(row[name] for name in (*CORRECTED[:4], "is_void")))


def _corrections(
    engine: Engine, facts: Facts, since: int, recorded: Sequence[tuple[str, str]]
) -> Iterator[Correction]:
    """Yield what the facts say now of the orders that changed, as far as they are on record.

    Where more than ``MOST_RECORDED`` are, that is left to the ledger.
    """
    rows = name_query(
        "corrections", facts, lambda: _build_corrections(facts, since), instants=[since]
    )
    if len(recorded) <= MOST_RECORDED:
        columns = [list(one) for one in zip(*recorded, strict=True)]
        known = engine.bring("recorded", pa.table(columns, schema=RECORDED))
        rows = rows.semi_join(known, ["source", "order_id"])
    for batch in engine.run(rows).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            is_void = row["kind"] not in SEEN
            source, order_id, person, at = (row[name] for name in CORRECTED[:4])
            yield Correction(source, order_id, person, at, is_void)


def _build_corrections(facts: Facts, since: int) -> ir.Table:
    orders = facts.standing_orders()
    is_changed = orders.changed_in > since
    if facts.has_late_changes:
        # A refund with a number of its own says of an order that did not change what it is.
        given = orders.filter(is_changed & (orders.kind == REFUND)).select("customer_id").distinct()
        met = orders.semi_join(given, "customer_id")
        return orders.filter(is_changed).union(met).select(*CORRECTED).distinct()
    return orders.filter(is_changed).select(*CORRECTED)


def _with_buyers(facts: Facts, people: ir.Table) -> ir.Table:
    """Return ``people`` with ``buyer``, the id by which each person's purchases go today.

    Two ids may be found to be one person after both had entered; then a purchase by
    either is a return of both.
    """
    known = (facts.bookkeeping or {}).get("identities")
    if known is None:
        return people.mutate(buyer=people.person)
    found = people.left_join(known, people.person == known.customer_id)
    buyer = ibis.coalesce(found.person_id, found.person)
    return found.select("person", "entered_at", "last_order_at", buyer=buyer)
