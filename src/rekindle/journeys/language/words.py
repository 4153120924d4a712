"""The words of the journey file and their limits: what the loader and the schema share.

A key that is listed nowhere is refused; one in ``LATER`` is refused as not supported yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.config import LONGEST_DURATION
from rekindle.profiles import FAMILIES
from rekindle.vocabulary import STOPS, SignalKind

KEYS: Mapping[str, tuple[str, ...]] = {
    "": (
        "journey",
        "purpose",
        "topic",
        "hypothesis",
        "enter",
        "backfill",
        "start",
        "reenter",
        "goal",
        "exit",
        "holdout",
        "stale_after",
        "steps",
    ),
    "enter": ("on", "times", "within", "audience", "date", "days_before"),
    "goal": ("on", "within", "read_on"),
    "step": ("send", "wait", "branch", "end", "when", "id"),
    "send": (
        "channel",
        "template",
        "destination",
        "variants",
        "measure",
        "offer",
        "without_offer",
        "id",
    ),
    "variant": ("name", "subject", "template", "share"),
    "wait": ("for", "or_on", "until", "at_most"),
    "until": ("date", "days_before"),
    "way": ("when", "steps", "otherwise"),
}
STEP_WORDS = ("send", "wait", "branch", "end")
# Parts of the language that a later version will read; refused with that word until then.
LATER: Mapping[str, tuple[str, ...]] = {
    "": ("budget",),
}
LATER_CHANNELS = ("whatsapp",)
LOOPS = ("goto", "go_to", "jump", "loop", "repeat")

PAYMENT_FAILED, PAYMENT_CLEARED = "payment_failed", "payment_cleared"
PAYMENT_DROPPED = "payment_dropped"
PAYMENT_EVENTS = frozenset({PAYMENT_FAILED, PAYMENT_CLEARED, PAYMENT_DROPPED})
"""What follows from payments, invoices and subscriptions in the facts."""
ALWAYS_EXITS = tuple(kind.value for kind in SignalKind if kind in STOPS)
# What other systems call a purchase; waiting for one of these would wait for ever.
ORDER_WORDS = ("bought", "ordered", "orders", "purchase", "purchased", "purchases")
WEEKDAYS: Mapping[str, int] = {
    name: number
    for number, day in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    for name in (day, day[:3])
}
LADDER = "ladder "
WITHOUT_OFFER = ("skip", "send")
NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
TEMPLATE_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
TIME_PATTERN = r"([01]?[0-9]|2[0-3]):[0-5][0-9]"

MAX_NAME = 64
MAX_HOLDOUT = 0.9
MIN_PILOT = 0.001
MAX_DURATION = LONGEST_DURATION
MAX_DAYS = MAX_DURATION.days
MAX_TIMES = 1000
MAX_VARIANTS = 20
MIN_SHARE = 0.01
# RFC 5322 section 2.1.1 asks for lines of up to 78 characters and allows 998.
MAX_SUBJECT = 300
MAX_STEPS = 200
MAX_NESTING = 5
STALE_AFTER = "3 days"
TRIGGER_WITHIN = "1 day"
DATE_AT_MOST = "366 days"


def date_columns() -> tuple[str, ...]:
    """Return the profile's columns that a journey may wait for."""
    return tuple(column.name for column in FAMILIES.columns if column.type == "date")
