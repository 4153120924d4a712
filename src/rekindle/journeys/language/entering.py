"""Who enters a journey and when: by an event, by matching, or as a date draws near."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from rekindle.config import parse_duration
from rekindle.journeys.language.conditions import (
    narrow,
    read_audience,
    read_date_column,
    read_event,
)
from rekindle.journeys.language.document import Entry, Section, check_keys, refuse
from rekindle.journeys.language.values import (
    as_section,
    duration,
    filled,
    need,
    number,
    optional,
    share,
    to_duration,
)
from rekindle.journeys.language.words import (
    KEYS,
    MAX_DAYS,
    MAX_TIMES,
    MIN_PILOT,
    TRIGGER_WITHIN,
)
from rekindle.journeys.model import NEVER_MIND, Trigger

EVERYONE = "true"
SPREAD = "spread over "


@dataclass(frozen=True, slots=True)
class Entrance:
    """What ``enter`` says: an audience, and the event that lets its members in, if any."""

    audience: str
    trigger: Trigger | None = None


def read_entrance(file: Section, exits: frozenset[str]) -> Entrance:
    """Return what ``enter`` says; refuse an event that is one of the ``exits`` too."""
    enter = as_section(need(file, "enter", "enter: {audience: tier = 'lapsed'}"))
    check_keys(enter, KEYS["enter"])
    on, column, audience = enter.get("on"), enter.get("date"), enter.get("audience")
    _refuse_strays(enter)
    if on is not None:
        trigger = _read_trigger(enter, on, exits)
        return Entrance(EVERYONE if audience is None else read_audience(audience), trigger)
    if column is not None:
        return Entrance(_read_approach(enter, column, audience))
    return Entrance(read_audience(need(enter, "audience", "audience: tier = 'lapsed'")))


def read_backfill(file: Section, entrance: Entrance) -> timedelta | None:
    """Return over which time people who match already enter; None keeps them out."""
    entry = file.get("backfill")
    if entry is None:
        return NEVER_MIND
    if entrance.trigger is not None:
        refuse(
            entry,
            "an event before the start lets nobody in, so there is no 'backfill' with "
            "'enter: {on: …}'; remove it",
            line=file.lines["backfill"],
        )
    text = filled(entry)
    if text in ("all", "none"):
        return NEVER_MIND if text == "all" else None
    if not text.startswith(SPREAD):
        refuse(entry, f"write 'all', 'none' or 'spread over 14 days', not {text!r}")
    return to_duration(entry, text.removeprefix(SPREAD))


def read_pilot(entry: Entry) -> float:
    """Return the share of people who may enter, from 0.001 to 1."""
    text = filled(entry)
    found = share(text)
    # A bare 1 may mean one percent or all: it is neither taken.
    if not MIN_PILOT <= found <= 1 or (found == 1 and not text.endswith("%")):
        refuse(entry, f"write a share from 0.1% to 100%, such as 5% or 0.05, not {text!r}")
    return found


def read_reenter(entry: Entry) -> timedelta | None:
    """Return how long after entering a person may enter again; None is never."""
    text = filled(entry)
    if text == "never":
        return None
    if not text.startswith("after "):
        refuse(entry, f"write 'never' or 'after 180 days', not {text!r}")
    return to_duration(entry, text.removeprefix("after "))


def _refuse_strays(enter: Section) -> None:
    """Refuse keys that mean nothing without, or beside, another."""
    if "on" in enter.lines and "date" in enter.lines:
        refuse(
            enter,
            "people enter by an event or as a date draws near, not both; make two journeys",
            line=enter.lines["date"],
        )
    for key, owner in (("times", "on"), ("within", "on"), ("days_before", "date")):
        if key in enter.lines and owner not in enter.lines:
            refuse(
                enter,
                f"{key!r} stands beside {owner!r} only; remove it or add {owner!r}",
                line=enter.lines[key],
            )


def _read_trigger(enter: Section, on: Entry, exits: frozenset[str]) -> Trigger:
    event = read_event(on)
    if event in exits:
        refuse(
            on,
            f"{event!r} both lets people in and ends the journey, so it would end at once; "
            "name other events under 'exit'",
        )
    times = optional(enter, "times", lambda entry: number(entry, least=1, most=MAX_TIMES), 1)
    if times > 1 and enter.get("within") is None:
        refuse(
            enter,
            "say in how long it has to happen so often; write within: 2 days",
            line=enter.lines["times"],
        )
    return Trigger(
        event, times, optional(enter, "within", duration, parse_duration(TRIGGER_WITHIN))
    )


def _read_approach(enter: Section, column: Entry, audience: Entry | None) -> str:
    name = read_date_column(column)
    days = optional(enter, "days_before", lambda entry: number(entry, least=0, most=MAX_DAYS), 0)
    condition = f"{name} >= current_date and {name} <= current_date + interval {days} days"
    if days == 0:
        condition = f"{name} = current_date"
    return condition if audience is None else narrow(audience, condition, read_audience(audience))
