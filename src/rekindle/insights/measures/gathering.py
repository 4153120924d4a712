"""Brings together what measures need of a journey: its record, what was bought, the peers.

The queries are built apart from being run, so that the query behind a figure can be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import INSTANT, PURCHASE, Engine, Facts
from rekindle.insights.lifting.estimating import cut_at_reading
from rekindle.insights.lifting.reading import find_reading
from rekindle.insights.measures.model import (
    NOBODY_RETURNED,
    RETAINED,
    MeasuredJourney,
    MeasuredPeople,
    Silence,
    Subject,
)
from rekindle.insights.measures.starting import (
    ask_deeds,
    find_reported,
    find_since,
    with_deeds,
)
from rekindle.insights.measures.staying import (
    ask_first_stays,
    bring_assigned,
    build_own_stays,
    find_silence,
    find_stay,
    load_first_stays,
    load_spells,
    local_date,
)
from rekindle.insights.outcomes import (
    Outcomes,
    Returned,
    bring_members,
    build_returns,
    build_spending,
    find_returned,
    list_orders,
    load_outcomes,
    with_sightings,
)
from rekindle.insights.record import JourneyRecord, MessageFate
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import Unknown

_DAY = timedelta(days=1)
_AN_INSTANT = timedelta(microseconds=1)
_RETURNERS = pa.schema({"person": pa.string(), "since": pa.timestamp("us", tz="UTC")})
_LATER = pa.schema(
    {
        "person": pa.string(),
        "entered_at": pa.timestamp("us", tz="UTC"),
        "until_at": pa.timestamp("us", tz="UTC"),
    }
)


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

    ``until_on`` is the day until which it is known what they bought.
    ``agreed`` let their openings be noticed. ``openings`` and ``clicks`` say why they are not
    counted, if so; clicks that were heard of count all the same.
    """
    subjects: list[Subject] = []
    peers: list[Silence] = []
    by_stays = False
    journeys: dict[str, MeasuredJourney] = {}
    reported = find_reported(facts, engine)
    for record in records:
        outcomes = load_outcomes(engine, facts, record)
        returned = find_returned(record, outcomes)
        found = _describe(record, outcomes, returned, agreed)
        found = _with_later_revenue(found, record, facts, engine, outcomes, until_on)
        found = with_deeds(found, record, reported, facts, engine)
        if outcomes.of_subscriptions:
            by_stays = True
            subjects += _with_stays(found, record, facts, engine, until_on)
            peers += load_first_stays(record, returned, facts, engine, until_on)
        else:
            subjects += _with_days(found, _load_days(record, returned, facts, engine))
            peers += _load_peers(record, returned, facts, engine, until_on)
        journeys[record.journey.name] = _read_arms(record, outcomes, facts, engine)
    if any(fate.clicked_at for record in records for fate in record.fates):
        clicks = None
    return MeasuredPeople(
        subjects,
        until_on,
        facts.currency,
        peers,
        openings,
        clicks,
        by_stays,
        deeds_since=find_since(reported, facts, engine),
        journeys=journeys,
    )


def _read_arms(
    record: JourneyRecord, outcomes: Outcomes, facts: Facts, engine: Engine
) -> MeasuredJourney:
    """Return a journey as its report compares the arms."""
    reading = find_reading(record, ZoneInfo(facts.zone))
    cut = cut_at_reading(record, reading)
    read = outcomes if cut is record else load_outcomes(engine, facts, cut)
    newest = engine.scalar(list_orders(record, facts).ordered_at.max())
    return MeasuredJourney(cut, read, reading, newest or record.until)


def build_queries(
    record: JourneyRecord, facts: Facts, engine: Engine
) -> Mapping[str, ir.Table | Unknown]:
    """Return the questions that are asked of the facts about a journey, by name."""
    until = ibis.literal(record.until, type=INSTANT)
    orders = list_orders(record, facts)
    purchases = orders.filter(orders.kind == PURCHASE)
    outcomes = load_outcomes(engine, facts, record)
    returned = find_returned(record, outcomes)
    assigned = bring_members(engine, "explain_assigned", record.assigned, record)
    members = bring_members(engine, "explain_members", record.members, record)
    seen = with_sightings(engine, build_purchases(orders, facts), record.seen)
    of_subscriptions = outcomes.of_subscriptions
    reported = find_reported(facts, engine)
    after: ir.Table = build_days(_bring_returned(engine, returned), purchases)
    peers: ir.Table | Unknown = _peers_of(record, returned, facts, engine)
    if of_subscriptions:
        after = build_own_stays(bring_assigned(engine, record, facts.zone), facts, record.until)
        peers = ask_first_stays(record, returned, facts, engine)
    return {
        "revenue": build_spending(
            assigned, orders, facts, until, of_subscriptions=of_subscriptions
        ),
        "returns": build_returns(members, seen),
        "after": after,
        "deeds": ask_deeds(record, reported, facts, engine),
        "peers": peers,
        "later_revenue": _spending_after(
            record, returned, facts, engine, of_subscriptions=of_subscriptions
        ),
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

    They were no members by then, and bought between the two days after fewer days than
    ``shorter_than``; each counts once, with the first such purchase. Who fell silent after it
    and entered the journey for that is among them: without these no peer ever lapses.
    """
    others = purchases.filter(purchases.customer_id.notnull())
    days = others.select(person=others.customer_id, day=others.ordered_on).distinct()
    own = ibis.window(group_by="person", order_by="day")
    told = days.mutate(before=days.day.lag().over(own), next=days.day.lead().over(own))
    near = told.filter(
        told.before.notnull(),
        told.day.between(ibis.date(first), ibis.date(last)),
        told.day.delta(told.before, unit="day") < shorter_than,
    )
    near = near.anti_join(members, [near.person == members.person, near.day >= members.entered_on])
    firsts = near.mutate(place=ibis.row_number().over(own))
    return firsts.filter(firsts.place == 0).select("day", "next")


def _bring_returned(engine: Engine, returned: Returned) -> ir.Table:
    rows = [{"person": person, "since": at} for person, (_, at) in returned.items()]
    return engine.bring("measured_returns", pa.Table.from_pylist(rows, schema=_RETURNERS))


def _load_days(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine
) -> Mapping[str, Sequence[date]]:
    """Return the days on which those who returned bought, from the return on."""
    if not returned:
        return {}
    orders = list_orders(record, facts)
    asked = build_days(_bring_returned(engine, returned), orders.filter(orders.kind == PURCHASE))
    found: defaultdict[str, list[date]] = defaultdict(list)
    for row in engine.run(asked).to_pylist():
        found[row["person"]].append(row["day"])
    return {person: sorted(days) for person, days in found.items()}


def _peers_of(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine
) -> ir.Table | Unknown:
    """Return the question for the peers, or why there are none."""
    silences = sorted(at - one.last_order_at for one, at in returned.values() if one.last_order_at)
    if not silences:
        return NOBODY_RETURNED
    orders = list_orders(record, facts)
    days = [local_date(at, facts.zone) for _, at in returned.values()]
    return build_peers(
        orders.filter(orders.kind == PURCHASE),
        bring_assigned(engine, record, facts.zone),
        first=min(days),
        last=max(days),
        # Not the shortest of all: one who was hardly away would leave daily buyers alone.
        shorter_than=int(silences[len(silences) // 10] / _DAY),
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
    record: JourneyRecord, outcomes: Outcomes, returned: Returned, agreed: Collection[str]
) -> list[Subject]:
    messages: defaultdict[str, list[MessageFate]] = defaultdict(list)
    measured = set(map(id, record.pick_measured(record.fates)))
    for fate in record.fates:
        messages[fate.person].append(replace(fate, is_measured=id(fate) in measured))
    return [
        Subject(
            journey=record.journey.name,
            person=one.person,
            arm=one.arm,
            entered_at=one.entered_at,
            silence_days=_silence(one.last_order_at, one.entered_at),
            returned_at=returned[one.person][1] if one.person in returned else None,
            returned_on=None,
            revenue=outcomes.revenue.get(one.person, 0.0),
            messages=tuple(messages.get(one.person, ())),
            is_noticed=one.person in agreed,
            covariates=one.covariates,
            first_bought_at=outcomes.bought_at.get((one.person, one.rotation)),
        )
        for one in record.assigned
    ]


def _with_days(
    subjects: Sequence[Subject], bought: Mapping[str, Sequence[date]]
) -> Iterator[Subject]:
    """Yield people with the days of their orders from the return on."""
    for one in subjects:
        days = bought.get(one.person, ())
        yield replace(one, returned_on=min(days, default=None), bought_on=tuple(days))


def _with_stays(
    subjects: Sequence[Subject],
    record: JourneyRecord,
    facts: Facts,
    engine: Engine,
    until_on: date,
) -> Iterator[Subject]:
    """Yield people with how long they had been gone, and how long they stayed once back."""
    spells = load_spells(record, facts, engine)
    for one in subjects:
        own, back = spells.get(one.person, ()), one.returned_at
        yield replace(
            one,
            silence_days=find_silence(own, one.entered_at, facts.zone),
            returned_on=None if back is None else local_date(back, facts.zone),
            stay=None if back is None else find_stay(own, back, facts.zone, until_on),
        )


def _with_later_revenue(
    subjects: Sequence[Subject],
    record: JourneyRecord,
    facts: Facts,
    engine: Engine,
    outcomes: Outcomes,
    until_on: date,
) -> list[Subject]:
    """Return people with what the first days from their return on brought, once these are over."""
    returned = find_returned(record, outcomes)
    if not returned:
        return list(subjects)
    asked = _spending_after(
        record, returned, facts, engine, of_subscriptions=outcomes.of_subscriptions
    )
    brought = {row["person"]: float(row["net"]) for row in engine.run(asked).to_pylist()}
    return [
        replace(one, later_revenue=brought.get(one.person, 0.0))
        if one.returned_at is not None
        and one.returned_at + RETAINED <= record.until
        and local_date(one.returned_at + RETAINED, facts.zone) <= until_on
        else one
        for one in subjects
    ]


def _spending_after(
    record: JourneyRecord,
    returned: Returned,
    facts: Facts,
    engine: Engine,
    *,
    of_subscriptions: bool,
) -> ir.Table:
    """Return ``person`` and ``net``, of the first days from the return on, with the return."""
    rows = [
        {"person": person, "entered_at": at - _AN_INSTANT, "until_at": at + RETAINED}
        for person, (_, at) in returned.items()
    ]
    people = engine.bring("measured_later", pa.Table.from_pylist(rows, schema=_LATER))
    until = ibis.literal(record.until, type=INSTANT)
    orders = list_orders(record, facts)
    return build_spending(people, orders, facts, until, of_subscriptions=of_subscriptions)


def _silence(last: datetime | None, entered: datetime) -> float | None:
    return None if last is None else (entered - last) / _DAY
