"""Brings together what measures need of a journey: its record, what was bought, the peers.

The queries are built apart from being run, so that the query behind a figure can be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import INSTANT, PURCHASE, Engine, Facts
from rekindle.insights.measures.model import MeasuredPeople, Silence, Subject
from rekindle.insights.outcomes import (
    Outcomes,
    Returned,
    bring_members,
    build_returns,
    build_spending,
    find_returned,
    load_outcomes,
    with_sightings,
)
from rekindle.insights.record import JourneyRecord, MessageFate
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import Unknown

_DAY = timedelta(days=1)
_RETURNERS = pa.schema({"person": pa.string(), "since": pa.timestamp("us", tz="UTC")})
_PEOPLE = pa.schema({"person": pa.string()})


def gather(
    records: Sequence[JourneyRecord],
    facts: Facts,
    engine: Engine,
    *,
    until_on: date,
    agreed: Collection[str] = (),
    openings: Unknown | None = None,
    clicks: Unknown | None = None,
) -> MeasuredPeople:
    """Return everyone in these journeys, with what they did; who is in two counts in each.

    ``agreed`` let their openings be noticed. ``openings`` and ``clicks`` say why they are not
    counted, if so; clicks that were heard of count all the same.
    """
    subjects: list[Subject] = []
    peers: list[Silence] = []
    for record in records:
        outcomes = load_outcomes(engine, facts, record)
        returned = find_returned(record, outcomes)
        bought = _load_days(record, returned, facts, engine)
        subjects += _describe(record, outcomes, returned, bought, agreed)
        peers += _load_peers(record, returned, facts, engine, until_on)
    if any(fate.clicked_at for record in records for fate in record.fates):
        clicks = None
    return MeasuredPeople(subjects, until_on, facts.currency, peers, openings, clicks)


def build_queries(
    record: JourneyRecord, facts: Facts, engine: Engine
) -> Mapping[str, ir.Table | Unknown]:
    """Return the questions that are asked of the facts about a journey, by name."""
    until = ibis.literal(record.until, type=INSTANT)
    orders = _orders(record, facts)
    purchases = orders.filter(orders.kind == PURCHASE)
    outcomes = load_outcomes(engine, facts, record)
    returned = find_returned(record, outcomes)
    assigned = bring_members(engine, "explain_assigned", record.assigned, record)
    members = bring_members(engine, "explain_members", record.members, record)
    seen = with_sightings(engine, build_purchases(orders, facts), record.seen)
    return {
        "revenue": build_spending(
            assigned, orders, facts, until, of_subscriptions=outcomes.of_subscriptions
        ),
        "returns": build_returns(members, seen),
        "after": build_days(_bring_returned(engine, returned), purchases),
        "peers": _peers_of(record, returned, facts, engine),
    }


def build_days(returned: ir.Table, purchases: ir.Table) -> ir.Table:
    """Return ``person`` and ``day``, for each day from the return on when they bought."""
    joined = returned.inner_join(
        purchases,
        [returned.person == purchases.customer_id, purchases.ordered_at >= returned.since],
    )
    return joined.select("person", day=joined.ordered_on).distinct()


def build_peers(
    purchases: ir.Table, members: ir.Table, *, first: date, last: date, shorter_than: int
) -> ir.Table:
    """Return ``day`` and ``next``, the purchase after it, of customers who never lapsed.

    They are no members, and bought between the two days after fewer days than
    ``shorter_than``; each counts once, with the first such purchase.
    """
    others = purchases.filter(purchases.customer_id.notnull())
    others = others.anti_join(members, others.customer_id == members.person)
    days = others.select(person=others.customer_id, day=others.ordered_on).distinct()
    own = ibis.window(group_by="person", order_by="day")
    told = days.mutate(before=days.day.lag().over(own), next=days.day.lead().over(own))
    near = told.filter(
        told.before.notnull(),
        told.day.between(ibis.date(first), ibis.date(last)),
        told.day.delta(told.before, unit="day") < shorter_than,
    )
    firsts = near.mutate(place=ibis.row_number().over(own))
    return firsts.filter(firsts.place == 0).select("day", "next")


def _orders(record: JourneyRecord, facts: Facts) -> ir.Table:
    orders = facts.standing_orders()
    until = ibis.literal(record.until, type="timestamp('UTC', 6)")
    return orders.filter(orders.ordered_at <= until)


def _bring_returned(engine: Engine, returned: Returned) -> ir.Table:
    rows = [{"person": person, "since": at} for person, (_, at) in returned.items()]
    return engine.bring("measured_returns", pa.Table.from_pylist(rows, schema=_RETURNERS))


def _load_days(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine
) -> Mapping[str, Sequence[date]]:
    """Return the days on which those who returned bought, from the return on."""
    if not returned:
        return {}
    orders = _orders(record, facts)
    asked = build_days(_bring_returned(engine, returned), orders.filter(orders.kind == PURCHASE))
    found: defaultdict[str, list[date]] = defaultdict(list)
    for row in engine.run(asked).to_pylist():
        found[row["person"]].append(row["day"])
    return {person: sorted(days) for person, days in found.items()}


def _peers_of(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine
) -> ir.Table | Unknown:
    """Return the question for the peers, or why there are none."""
    silences = [at - one.last_order_at for one, at in returned.values() if one.last_order_at]
    if not silences:
        return Unknown("nobody has come back yet")
    orders = _orders(record, facts)
    times = [at for _, at in returned.values()]
    rows = [{"person": one.person} for one in record.assigned]
    members = engine.bring("measured_members", pa.Table.from_pylist(rows, schema=_PEOPLE))
    return build_peers(
        orders.filter(orders.kind == PURCHASE),
        members,
        first=min(times).date(),
        last=max(times).date(),
        shorter_than=int(min(silences) / _DAY),
    )


def _load_peers(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine, until_on: date
) -> list[Silence]:
    asked = _peers_of(record, returned, facts, engine)
    if isinstance(asked, Unknown):
        return []
    return [
        (((row["next"] or until_on) - row["day"]).days, row["next"] is not None)
        for row in engine.run(asked).to_pylist()
    ]


def _describe(
    record: JourneyRecord,
    outcomes: Outcomes,
    returned: Returned,
    bought: Mapping[str, Sequence[date]],
    agreed: Collection[str],
) -> list[Subject]:
    messages: defaultdict[str, list[MessageFate]] = defaultdict(list)
    for fate in record.fates:
        messages[fate.person].append(fate)
    return [
        Subject(
            journey=record.journey.name,
            person=one.person,
            arm=one.arm,
            entered_at=one.entered_at,
            silence_days=_silence(one.last_order_at, one.entered_at),
            returned_at=returned[one.person][1] if one.person in returned else None,
            returned_on=min(bought.get(one.person, ()), default=None),
            revenue=outcomes.revenue.get(one.person, 0.0),
            messages=tuple(messages.get(one.person, ())),
            bought_on=tuple(bought.get(one.person, ())),
            is_noticed=one.person in agreed,
            covariates=one.covariates,
        )
        for one in record.assigned
    ]


def _silence(last: datetime | None, entered: datetime) -> float | None:
    return None if last is None else (entered - last) / _DAY
