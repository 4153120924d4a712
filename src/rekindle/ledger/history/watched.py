"""How many of what happened in each hour, for whoever watches that all is as usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from rekindle.ledger import models
from rekindle.ledger.models import JourneyState
from rekindle.ledger.queries import fetch, instant_of, ledger_errors, text_of

HourlyCounts = Mapping[tuple[str, str], Mapping[datetime, int]]
"""Counts by what happened and in which journey (empty where it is of all), by hour."""


def load_watched(alias: str, since: datetime, until: datetime) -> HourlyCounts:
    """Return the counts of every hour from ``since`` on, before ``until``.

    There are ``sends``, ``bounce``, ``complaint``, ``opt_out`` and ``conversions`` of all,
    and ``entries`` by running journey.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    span = (text_of(since), text_of(until))
    found: dict[tuple[str, str], Counter[datetime]] = {}
    for what, name, hour, count in fetch(alias, "watched_hours", *span * 4):
        found.setdefault((what, name), Counter())[instant_of(f"{hour}:00:00+00:00")] += count
    return found


@ledger_errors()
def load_running(alias: str) -> Mapping[str, datetime]:
    """Return the running journeys, and since when each has not been paused or stopped."""
    rows = models.Journey.objects.using(alias).filter(state=JourneyState.RUNNING)
    return dict(rows.order_by("name").values_list("name", "changed_at"))
