"""What ends an enrolment or wakes it, and as what it is told.

One rule for every book and the outbox.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from rekindle.consent import ends_journey
from rekindle.journeys.model import Journey, Signal
from rekindle.vocabulary import STOPS, Reason, SignalKind

_OWN = {kind.value: Reason(kind.value) for kind in (SignalKind.ORDER, *STOPS)}


def is_exit(
    event: str,
    at: datetime,
    *,
    exits: Collection[str],
    entered_at: datetime,
    last_order_at: datetime | None,
) -> bool:
    """Return whether an event that a journey names ends it: newer than known at entry."""
    if event not in exits:
        return False
    since = last_order_at if event == SignalKind.ORDER else None
    return at > (since or entered_at)


def is_stopped_by(signal: Signal, journey: Journey) -> bool:
    """Return whether an opt-out, a complaint or a bounce ends a journey for the person."""
    channels = {step.channel for step in journey.sends}
    return ends_journey(signal.kind, signal.channel, purpose=journey.purpose, channels=channels)


def exit_reason(event: str) -> Reason:
    """Return the reason an event is of its own; any other is told as EVENT."""
    return _OWN.get(event, Reason.EVENT)


def is_woken(wakes_on: str, event: str) -> bool:
    """Return whether whoever waits for ``wakes_on``, names between bars, waits for an event."""
    return f"|{event}|" in wakes_on


def is_correction(known: Signal, told: Signal) -> bool:
    """Return whether an order that is on record is told of anew: at another time, or as news."""
    if not told.subject:
        return False
    arrived_at = told.arrived_at
    is_news = arrived_at is not None and (known.arrived_at is None or known.arrived_at < arrived_at)
    return known.at != told.at or is_news
