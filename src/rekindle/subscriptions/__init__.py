"""What customers pay for again and again: who left, why, who came back, and what it is worth."""

from __future__ import annotations

from rekindle.subscriptions.days import MONTH_DAYS
from rekindle.subscriptions.declines import DeclineKind, describe_declines, judge_decline
from rekindle.subscriptions.definitions import DEFINITIONS, OURS, Definition, find_definition
from rekindle.subscriptions.departures import ChurnKind, build_departures, build_stays
from rekindle.subscriptions.failures import Ending, build_failures, build_unread_outcomes
from rekindle.subscriptions.hours import HourChoice, HourReason, say_hour
from rekindle.subscriptions.movements import Movement, build_months, build_movements, build_steps
from rekindle.subscriptions.reconciling import build_differences
from rekindle.subscriptions.rests import build_rests
from rekindle.subscriptions.retried import find_zone, learn_retry_hour
from rekindle.subscriptions.retrying import (
    CardTry,
    OwedPayment,
    RetryStop,
    decide_retry,
    merge_tries,
)
from rekindle.subscriptions.seats import build_seats
from rekindle.subscriptions.standing import build_standing, build_unreadable
from rekindle.subscriptions.starts import (
    BOOKED,
    build_corrected_starts,
    build_named_starts,
    build_purchases,
    build_rates,
    build_starts,
    name_start,
)
from rekindle.subscriptions.states import STATE, build_states

__all__ = [
    "BOOKED",
    "DEFINITIONS",
    "MONTH_DAYS",
    "OURS",
    "STATE",
    "CardTry",
    "ChurnKind",
    "DeclineKind",
    "Definition",
    "Ending",
    "HourChoice",
    "HourReason",
    "Movement",
    "OwedPayment",
    "RetryStop",
    "build_corrected_starts",
    "build_departures",
    "build_differences",
    "build_failures",
    "build_months",
    "build_movements",
    "build_named_starts",
    "build_purchases",
    "build_rates",
    "build_rests",
    "build_seats",
    "build_standing",
    "build_starts",
    "build_states",
    "build_stays",
    "build_steps",
    "build_unread_outcomes",
    "build_unreadable",
    "decide_retry",
    "describe_declines",
    "find_definition",
    "find_zone",
    "judge_decline",
    "learn_retry_hour",
    "merge_tries",
    "name_start",
    "say_hour",
]
