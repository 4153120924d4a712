"""How long who came back by a subscription stays, beside who subscribed first in those days.

All by our definition of churn, as it was known until an instant: who ended later was still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Engine, Facts
from rekindle.insights.measures.model import NOBODY_RETURNED, Silence
from rekindle.insights.outcomes import Returned
from rekindle.insights.record import JourneyRecord
from rekindle.subscriptions import OURS, build_stays
from rekindle.vocabulary import Unknown

_AN_INSTANT = timedelta(microseconds=1)
_PEOPLE = pa.schema({"person": pa.string(), "entered_on": pa.date32()})
Spell = tuple[date, date | None]
"""The day on which somebody came to be subscribed, and the day they left, if they did."""


def build_own_stays(members: ir.Table, facts: Facts, until: datetime) -> ir.Table:
    """Return ``person``, ``came_on`` and ``left_on`` of every stay of members."""
    stays = build_stays(facts, until + _AN_INSTANT, OURS)
    own = stays.semi_join(members, stays.customer_id == members.person)
    return own.select("came_on", "left_on", person=own.customer_id)


def build_first_stays(
    members: ir.Table, facts: Facts, until: datetime, *, first: date, last: date
) -> ir.Table:
    """Return ``came_on`` and ``left_on`` of the first stays that began between the two days.

    Those of who was a member by then are left out; whoever left afterwards and entered is not, or
    those who stayed would be compared with nobody else.
    """
    stays = build_stays(facts, until + _AN_INSTANT, OURS)
    began = stays.came_on.between(ibis.date(first), ibis.date(last))
    firsts = stays.filter((stays["time"] == 1) & began)
    inside = firsts.customer_id == members.person, firsts.came_on >= members.entered_on
    return firsts.anti_join(members, inside).select("came_on", "left_on")


def bring_assigned(engine: Engine, record: JourneyRecord, zone: str) -> ir.Table:
    """Return ``person`` of everybody assigned and ``entered_on``, a local day, once an entry."""
    rows = [
        {"person": one.person, "entered_on": local_date(one.entered_at, zone)}
        for one in record.assigned
    ]
    return engine.bring("measured_members", pa.Table.from_pylist(rows, schema=_PEOPLE))


def load_spells(
    record: JourneyRecord, facts: Facts, engine: Engine
) -> Mapping[str, Sequence[Spell]]:
    """Return when each of the assigned was subscribed."""
    found: defaultdict[str, list[Spell]] = defaultdict(list)
    asked = build_own_stays(bring_assigned(engine, record, facts.zone), facts, record.until)
    for row in engine.run(asked).to_pylist():
        found[row["person"]].append((row["came_on"], row["left_on"]))
    return found


def ask_first_stays(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine
) -> ir.Table | Unknown:
    """Return the question for the peers, or why there are none."""
    if not returned:
        return NOBODY_RETURNED
    days = [local_date(at, facts.zone) for _, at in returned.values()]
    members = bring_assigned(engine, record, facts.zone)
    return build_first_stays(members, facts, record.until, first=min(days), last=max(days))


def load_first_stays(
    record: JourneyRecord, returned: Returned, facts: Facts, engine: Engine, until_on: date
) -> list[Silence]:
    """Return how long those stayed who subscribed for the first time as these came back."""
    asked = ask_first_stays(record, returned, facts, engine)
    if isinstance(asked, Unknown):
        return []
    rows = engine.run(asked).to_pylist()
    return [_last(row["came_on"], row["left_on"], until_on) for row in rows]


def find_stay(spells: Sequence[Spell], returned_at: datetime, zone: str, until_on: date) -> Silence:
    """Return for how many days somebody was subscribed from their return on, and if they left.

    Who left on the day of the return was there for none.
    """
    since = local_date(returned_at, zone)
    for came_on, left_on in spells:
        if came_on <= since and (left_on is None or left_on > since):
            return _last(since, left_on, until_on)
    return 0, True


def find_silence(spells: Sequence[Spell], entered_at: datetime, zone: str) -> float | None:
    """Return for how many days somebody was gone as they entered; None who was there."""
    entered_on = local_date(entered_at, zone)
    known = [one for one in spells if one[0] <= entered_on]
    left_on = max(known)[1] if known else None
    if left_on is None or left_on > entered_on:
        return None
    return float((entered_on - left_on).days)


def _last(since: date, left_on: date | None, until_on: date) -> Silence:
    return ((left_on or until_on) - since).days, left_on is not None


def local_date(at: datetime, zone: str) -> date:
    """Return the calendar day of an instant in a zone."""
    return at.astimezone(ZoneInfo(zone)).date()
