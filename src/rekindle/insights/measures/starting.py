"""Who began to buy after following a link, and who went through with it.

The page that a link leads to is a visit, so that a visit says no more than the click. To begin
is to do something that only somebody does who wants to come back: fill a basket, go to the
checkout, log in. It is told by events; the rows of baskets are kept for three months alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Engine, Facts
from rekindle.insights.measures.model import NO_DEEDS, Group, Subject, Value
from rekindle.insights.record import JourneyRecord
from rekindle.intake import kind_of
from rekindle.vocabulary import SignalKind, Unknown
from rekindle.wording import event_name

TOWARDS = frozenset({"product_added", "cart_viewed", "cart_updated", "checkout_started"})
ALL_BEFORE = Unknown(
    "whoever followed a link did so before the first basket, checkout or login was reported"
)
_INSTANT = pa.timestamp("us", tz="UTC")
_CLICKED = pa.schema({"person": pa.string(), "clicked_at": _INSTANT, "until_at": _INSTANT})


def is_towards(written: str) -> bool:
    """Return whether an event is one by which somebody begins to buy, however it is written."""
    name = event_name(written)
    login = SignalKind.LOGIN
    return name in TOWARDS or name == login.value or kind_of(name, {}) is login


def find_reported(facts: Facts, engine: Engine) -> Sequence[str]:
    """Return the names of such events that the facts hold, as they are written there."""
    if not facts.has_events:
        return ()
    names = engine.run(facts.events.select("event").distinct()).column(0).to_pylist()
    return sorted(name for name in names if is_towards(name))


def find_since(reported: Sequence[str], facts: Facts, engine: Engine) -> datetime | Unknown:
    """Return when the first of them was done by anybody, or why nothing is known of them."""
    if not reported:
        return NO_DEEDS
    since: datetime | None = engine.scalar(_events(reported, facts).occurred_at.min())
    return since or NO_DEEDS


def ask_deeds(
    record: JourneyRecord, reported: Sequence[str], facts: Facts, engine: Engine
) -> ir.Table | Unknown:
    """Return the question what those who followed a link did afterwards, inside their window."""
    if not reported:
        return NO_DEEDS
    first: dict[str, datetime] = {}
    for fate in record.fates:
        for at in fate.clicked_at:
            first[fate.person] = min(at, first.get(fate.person, at))
    within = record.journey.goal.within
    rows = [
        {
            "person": one.person,
            "clicked_at": first[one.person],
            "until_at": one.entered_at + within,
        }
        for one in record.assigned
        if one.person in first
    ]
    clicked = engine.bring("measured_clicks", pa.Table.from_pylist(rows, schema=_CLICKED))
    return build_deeds(clicked, _events(reported, facts))


def build_deeds(clicked: ir.Table, events: ir.Table) -> ir.Table:
    """Return ``person`` and ``at`` of what each did after their click, inside their window."""
    joined = clicked.inner_join(
        events,
        [
            clicked.person == events.customer_id,
            events.occurred_at > clicked.clicked_at,
            events.occurred_at <= clicked.until_at,
        ],
    )
    return joined.select("person", at=joined.occurred_at).distinct()


def with_deeds(
    subjects: Sequence[Subject],
    record: JourneyRecord,
    reported: Sequence[str],
    facts: Facts,
    engine: Engine,
) -> list[Subject]:
    """Return people with when each did something towards a purchase after following a link."""
    asked = ask_deeds(record, reported, facts, engine)
    if isinstance(asked, Unknown) or not any(fate.clicked_at for fate in record.fates):
        return list(subjects)
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in engine.run(asked).to_pylist():
        found[row["person"]].append(row["at"])
    return [
        replace(one, deeds=tuple(sorted(found[one.person]))) if one.person in found else one
        for one in subjects
    ]


def _events(reported: Sequence[str], facts: Facts) -> ir.Table:
    return facts.events.filter(facts.events.event.isin(reported))


def count_started(group: Group) -> Value:
    """Return how many began to buy, of those who followed a link since that is reported."""
    since, clicked = group.of.deeds_since, [one for one in group.treated if one.clicks]
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    if isinstance(since, Unknown):
        return Value(since)
    known = [one for one in clicked if one.clicks[0] >= since]
    if clicked and not known:
        return Value(ALL_BEFORE)
    count = sum(has_started(one) for one in known)
    return Value(float(count), count, len(known))


def count_completed(group: Group) -> Value:
    """Return how many came back after they had followed a link."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    count = sum(map(has_completed, group.treated))
    return Value(float(count), count, len(group.treated))


def has_started(one: Subject) -> bool:
    """Return whether somebody began to buy after following a link; who bought has begun."""
    return has_completed(one) or any(at > one.clicks[0] for at in one.deeds)


def has_completed(one: Subject) -> bool:
    """Return whether somebody came back after following a link."""
    back = one.returned_at
    return back is not None and bool(one.clicks) and one.clicks[0] < back
