"""Watches, once a day, whether sends, answers, entries and orders are as usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

import ibis

from rekindle.errors import RekindleError
from rekindle.facts import PURCHASE, REPORTED
from rekindle.insights import (
    HISTORY_DAYS,
    Daily,
    Direction,
    JudgedCount,
    judge_day,
    judge_entries,
    lives_by_subscriptions,
)
from rekindle.ledger import load_running, load_watched
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import Unknown

DAY = timedelta(days=1)
# Facts that are older tell of no day that anybody could still do something about.
FRESH = timedelta(days=7)
# What orders and subscriptions are made of where a source has their lines alone.
TOLD_BY_LINES = {"orders": "order_lines", "subscriptions": "invoice_lines"}
# What is counted of all journeys together, and what it is called.
WATCHED = {
    "sends": "messages sent",
    "conversions": "returns of the treated",
    "bounce": "bounces",
    "complaint": "complaints",
    "opt_out": "unsubscribes",
}
ORDERS = "orders imported"
STARTS = "subscriptions begun"
OF_MESSAGES = ("bounce", "complaint", "opt_out")


def watch_workspace(workspace: Workspace, at: datetime) -> list[JudgedCount]:
    """Return how yesterday's counts stand to what is usual, and whom journeys let in."""
    today = at.astimezone(workspace.zone).date()
    days = [today - ago * DAY for ago in range(HISTORY_DAYS + 1, 0, -1)]
    since, until = (_midnight(workspace, day) for day in (days[0], today))
    hours = load_watched(workspace.ledger, since, until)
    counts = {key: _by_day(workspace, found, days) for key, found in hours.items()}
    nothing = [0] * len(days)
    sends = counts.get(("sends", ""), nothing)
    found = []
    for what, name in WATCHED.items():
        own = counts.get((what, ""), nothing)
        if what in OF_MESSAGES:
            found.append(judge_day(Daily(name, days[-1], own, sends, Direction.UP)))
        else:
            found.append(judge_day(Daily(name, days[-1], own)))
    for name, running_since in load_running(workspace.ledger).items():
        own = counts.get(("entries", name), nothing)
        running = (at - running_since) // DAY
        found.append(judge_entries(Daily(name, days[-1], own), running_days=running))
    try:
        found += _purchases(workspace, today)
    except RekindleError as error:  # what the ledger tells is told all the same
        found.append(
            JudgedCount(ORDERS, days[-1], 0, Unknown(f"the facts cannot be read: {error}"))
        )
    return found


class DailyWatch:
    """What the team is told of, by cause; looked at once a day and whenever it begins."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: date | None = None
        self._causes: Mapping[str, str] = {}

    def find_causes(self, at: datetime) -> Mapping[str, str]:
        """Return what is unusual, in words by cause, as of yesterday."""
        today = at.astimezone(self._workspace.zone).date()
        if today != self._seen:
            found = watch_workspace(self._workspace, at)
            self._causes = {f"watch:{one.name}": one.words for one in found if one.is_unusual}
            self._seen = today
        return self._causes


def _midnight(workspace: Workspace, day: date) -> datetime:
    return datetime.combine(day, time(), workspace.zone)


def _by_day(workspace: Workspace, hours: Mapping[datetime, int], days: Sequence[date]) -> list[int]:
    found: Counter[date] = Counter()
    for hour, count in hours.items():
        found[hour.astimezone(workspace.zone).date()] += count
    return [found[day] for day in days]


def _purchases(workspace: Workspace, today: date) -> Iterator[JudgedCount]:
    """Yield the purchases of the last day that the imports have whole.

    Without orders they are the subscriptions that began.
    """
    engine, facts = workspace.reading
    is_club = lives_by_subscriptions(engine, facts)
    name = STARTS if is_club else ORDERS
    bought = build_purchases(facts.orders, facts) if is_club else facts.orders
    newest = _last_whole_day(workspace, today, "subscriptions" if is_club else "orders")
    if newest is None or today - newest > FRESH:
        reason = Unknown("nothing was imported in the last week")
        yield JudgedCount(name, newest or today - DAY, 0, reason)
        return
    first = newest - HISTORY_DAYS * DAY
    is_recent = bought.ordered_on.between(ibis.date(first), ibis.date(newest))
    recent = bought.filter((bought.kind == PURCHASE) & is_recent)
    rows = engine.run(recent.group_by("ordered_on").agg(count=recent.count())).to_pylist()
    counts = {row["ordered_on"]: int(row["count"]) for row in rows}
    days = [first + ahead * DAY for ahead in range(HISTORY_DAYS + 1)]
    yield judge_day(Daily(name, newest, [counts.get(day, 0) for day in days]))


def _last_whole_day(workspace: Workspace, today: date, table: str) -> date | None:
    """Return the day before the newest import of a table, which has all of its rows.

    What a website reports comes in between and is a part of them: it counts where there was no
    file lately.
    """
    engine, facts = workspace.reading
    imports = (facts.bookkeeping or {}).get("imports")
    if imports is not None:
        whole = imports.filter(imports.table.isin([table, TOLD_BY_LINES[table]]))
        newest = engine.run(
            whole.group_by(reported=whole.file.startswith(REPORTED)).agg(at=whole.imported_at.max())
        ).to_pylist()
        at_of = {row["reported"]: row["at"] for row in newest}
        at = at_of.get(False)
        if at is None or today - at.astimezone(workspace.zone).date() > FRESH:
            at = max(at_of.values(), default=None)
    elif table == "orders":
        at = engine.scalar(facts.orders.ordered_at.max())
    else:
        at = engine.scalar(facts.more[table].started_at.max())
    if at is None:
        return None
    imported_on: date = at.astimezone(workspace.zone).date()
    return min(imported_on, today) - DAY
