"""Asks the facts about subscribers: four questions, each answered by few rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from statistics import fmean, median
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.insights.subscribers.model import (
    SINCE,
    MonthLine,
    MovementTotal,
    ReturnRate,
    StayingPoint,
    SubscriptionAudit,
    TimeGone,
    TimesLeft,
)
from rekindle.insights.subscribers.recovering import build_recovery, list_payment_notes
from rekindle.insights.subscribers.retaining import build_retention
from rekindle.insights.subscribers.worth import NO_RULES, build_worth
from rekindle.insights.survival import (
    FEWEST_AT_RISK,
    Interval,
    Survival,
    estimate_survival,
)
from rekindle.insights.wire import Figure
from rekindle.subscriptions import (
    OURS,
    ChurnKind,
    Definition,
    Movement,
    build_departures,
    build_months,
    build_movements,
    build_stays,
    build_unreadable,
    learn_retry_hour,
)
from rekindle.vocabulary import Money, Unknown
from rekindle.wording import counted, numbered

Run = Callable[[Any], pa.Table]

# Where the parts of the time since churn begin and end, in days; the last one has no end.
PARTS = ((0, 30), (30, 90), (90, None))
STAYING_DAYS = (30, 90, 180, 365)
MOST_TIMES = 5


def build_subscriptions(
    facts: Facts,
    run: Run,
    *,
    as_of: datetime,
    definition: Definition = OURS,
    settings: LifecycleSettings | None = None,
    not_worth: Mapping[str, str] = NO_RULES,
) -> SubscriptionAudit | None:
    """Return what is known of subscribers before ``as_of``; None where there are none.

    ``run`` executes an expression (``Engine.run``). ``not_worth`` are rules by name, predicates
    over the profile.

    Raises:
        ConfigError: a rule is no predicate.
    """
    if not run(facts.more["subscriptions"].limit(1)).num_rows:
        return None
    moved = run(build_months(build_movements(facts, as_of, definition))).to_pylist()
    stays = run(_count_stays(build_stays(facts, as_of, definition))).to_pylist()
    gone = run(_count_departures(build_departures(facts, as_of, definition))).to_pylist()
    months = tuple(_months(moved, facts.currency))
    recovery = build_recovery(facts, run, as_of=as_of)
    return SubscriptionAudit(
        definition=definition,
        currency=facts.currency,
        active=sum(row["stays"] for row in stays if row["left"] is None),
        movements=_totals(moved, facts.currency),
        months=months,
        rates=tuple(_rates(gone)),
        time_gone=_time_gone(gone),
        staying=_staying(stays),
        times_left=_times(gone),
        notes=(
            *filter(None, [facts.say_rates()]),
            *_notes(run(build_unreadable(facts, as_of)).to_pylist()[0]),
            *list_payment_notes(facts, run, as_of=as_of),
        ),
        recovery=recovery,
        retry_hour=learn_retry_hour(facts, run, as_of=as_of) if recovery else None,
        retention=build_retention(row for row in stays if row["is_first"]),
        worth=build_worth(
            facts, run, as_of=as_of, settings=settings or LifecycleSettings(), rules=not_worth
        ),
    )


def _count_stays(stays: ir.Table) -> ir.Table:
    """Return how many stays began and ended so many days ago; ``left`` is NULL while they last."""
    rows = stays.select(
        is_first=stays["time"] == 1,
        came=stays.asked_on.delta(stays.came_on, unit="day"),
        left=stays.asked_on.delta(stays.left_on, unit="day"),
    )
    return rows.group_by("is_first", "came", "left").agg(stays=rows.count())


def _count_departures(gone: ir.Table) -> ir.Table:
    """Return how many left so and stayed away so long: ``is_back`` says whether they came back."""
    until = ibis.coalesce(gone.back_on, gone.asked_on)
    rows = gone.select(
        "kind",
        "reason",
        times=ibis.least(gone["time"], MOST_TIMES),
        is_back=gone.back_on.notnull(),
        days=until.delta(gone.left_on, unit="day"),
    )
    return rows.group_by("kind", "reason", "times", "is_back", "days").agg(people=rows.count())


def _totals(rows: Iterable[Mapping[str, Any]], currency: str) -> Mapping[Movement, MovementTotal]:
    counts: Counter[str] = Counter()
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        counts[row["movement"]] += row["count"]
        amounts[row["movement"]] += row["amount"]
    return {
        one: MovementTotal(counts[one.value], Money(amounts[one.value], currency))
        for one in Movement
    }


def _months(rows: Iterable[Mapping[str, Any]], currency: str) -> Iterator[MonthLine]:
    """Yield every month in which something moved, each opening where the last one closed."""
    by_month: defaultdict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_month[row["month"]].append(row)
    opening = Decimal(0)
    for month, found in sorted(by_month.items()):
        closing = opening + sum((row["amount"] for row in found), Decimal(0))
        totals = _totals(found, currency)
        yield MonthLine(month, Money(opening, currency), totals, Money(closing, currency))
        opening = closing


def _rates(rows: Iterable[Mapping[str, Any]]) -> Iterator[ReturnRate]:
    """Yield the rates by kind, part of the time since and reason, the largest groups first."""
    groups: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["kind"], row["reason"] or ""].append(row)
    by_size = sorted(groups.items(), key=lambda g: (-sum(r["people"] for r in g[1]), g[0]))
    for (kind, reason), found in by_size:
        for name, (after, until) in zip(SINCE, PARTS, strict=True):
            # Who came back, or was followed, until the last day of a part is not in the next.
            still = [r for r in found if r["days"] > after or after == 0]
            back = [r for r in still if r["is_back"] and (until is None or r["days"] <= until)]
            yield ReturnRate(
                ChurnKind(kind),
                name,
                reason,
                sum(r["people"] for r in still),
                sum(r["people"] for r in back),
            )


def _time_gone(rows: Iterable[Mapping[str, Any]]) -> TimeGone:
    rows = list(rows)
    days = sorted(row["days"] for row in rows if row["is_back"] for _ in range(row["people"]))
    nobody = Unknown("nobody came back yet")
    gone = _survival(rows, "is_back", "people")
    by_all: Figure = gone.median_days() if rows else Unknown("nobody has left yet")
    return TimeGone(
        len(days), float(median(days)) if days else nobody, fmean(days) if days else nobody, by_all
    )


def _staying(rows: Iterable[Mapping[str, Any]]) -> tuple[StayingPoint, ...]:
    lasted = [
        {
            "is_first": row["is_first"],
            "has_left": row["left"] is not None,
            "days": row["came"] - (row["left"] or 0),
            "stays": row["stays"],
        }
        for row in rows
    ]
    first, later = (
        _survival([row for row in lasted if row["is_first"] is is_first], "has_left", "stays")
        for is_first in (True, False)
    )
    return tuple(
        StayingPoint(
            days,
            _leaving(first, days),
            _leaving(later, days),
        )
        for days in STAYING_DAYS
    )


def _leaving(stays: Survival, days: int) -> Interval | Unknown:
    found = stays.estimate_ending(after=0, within=days)
    if isinstance(found, Unknown):
        return Unknown(
            f"fewer than {FEWEST_AT_RISK} stays were followed for {counted(days, 'day')}"
        )
    return found


def _survival(rows: list[Mapping[str, Any]], ended: str, count: str) -> Survival:
    return estimate_survival(
        [row["days"] for row in rows], [row[ended] for row in rows], [row[count] for row in rows]
    )


def _times(rows: Iterable[Mapping[str, Any]]) -> tuple[TimesLeft, ...]:
    left: Counter[int] = Counter()
    back: Counter[int] = Counter()
    for row in rows:
        left[row["times"]] += row["people"]
        back[row["times"]] += row["people"] if row["is_back"] else 0
    return tuple(TimesLeft(times, left[times], back[times]) for times in sorted(left))


def _notes(row: Mapping[str, Any]) -> Iterator[str]:
    if bare := row["no_price"]:
        yield (
            f"{counted(bare, 'subscription')} {numbered(bare, 'has')} neither an amount nor MRR "
            f"and {numbered(bare, 'brings')} nothing here."
        )
    if odd := row["no_interval"]:
        yield (
            f"{counted(odd, 'subscription')} {numbered(odd, 'is')} paid in an interval that is not "
            f"known, like {row['example']!r}, and {numbered(odd, 'brings')} nothing here; "
            "write day, week, month, quarter or year."
        )
