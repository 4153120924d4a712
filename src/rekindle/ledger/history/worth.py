"""What messages were found to earn, by journey and day, and whom that stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rekindle.gate import KEPT_ON, MEASURED
from rekindle.ledger import intake_models
from rekindle.ledger.queries import fetch, instant_of, ledger_errors


@dataclass(frozen=True, slots=True)
class WorthEntry:
    """What one message of a journey was found to earn, in micros; ``trouble`` why it was not.

    ``again`` is the least that messages to people written to still earned, where it is known.
    """

    journey: str
    at: datetime
    people: int = 0
    micros: int = 0
    low: int = 0
    high: int = 0
    trouble: str = ""
    subgroup: str = ""
    again: int | None = None


@dataclass(frozen=True, slots=True)
class MeasuredDecision:
    """A decision about a treated person's message that rested on what messages earned."""

    person: str
    step: str
    at: datetime
    is_kept_on: bool


@ledger_errors()
def load_worth(alias: str, on: date) -> dict[tuple[str, str], WorthEntry]:
    """Return what was found on a day, by journey and subgroup."""
    rows = intake_models.MessageWorth.objects.using(alias).filter(found_on=on)
    return {
        (row.journey, row.subgroup): WorthEntry(
            row.journey,
            row.found_at,
            row.people,
            row.micros or 0,
            row.low_micros or 0,
            row.high_micros or 0,
            row.trouble,
            row.subgroup,
            row.again_micros,
        )
        for row in rows
    }


@ledger_errors()
def note_worth(alias: str, on: date, found: WorthEntry) -> None:
    """Remember what was found; what is known of a day stays."""
    known = not found.trouble
    intake_models.MessageWorth.objects.using(alias).get_or_create(
        journey=found.journey,
        subgroup=found.subgroup,
        found_on=on,
        defaults={
            "found_at": found.at,
            "people": found.people,
            "micros": found.micros if known else None,
            "low_micros": found.low if known else None,
            "high_micros": found.high if known else None,
            "again_micros": found.again,
            "trouble": found.trouble,
        },
    )


def load_measured(alias: str, journey: str) -> Sequence[MeasuredDecision]:
    """Return the decisions about treated people that what was measured made, oldest first."""
    return load_weighed(alias, journey, f"{MEASURED}:", f"{KEPT_ON},")


def load_first_stopped(alias: str, journey: str, version: int) -> dict[str, datetime]:
    """Return when messages of a version were first stopped at for what was measured, by person."""
    return load_first_weighed(alias, journey, version, f"{MEASURED}:")


def load_weighed(alias: str, journey: str, stopped: str, kept: str) -> list[MeasuredDecision]:
    """Return decisions about treated people whose details begin so, oldest first."""
    rows = fetch(alias, "weighed_decisions", journey, f"{stopped}%", f"{kept}%")
    return [
        MeasuredDecision(person, step, instant_of(at), bool(is_kept_on))
        for person, step, at, is_kept_on in rows
    ]


def load_first_weighed(alias: str, journey: str, version: int, stopped: str) -> dict[str, datetime]:
    """Return when messages of a version were first stopped with such a detail, by person."""
    rows = fetch(alias, "first_stopped", journey, version, f"{stopped}%")
    return {person: instant_of(at) for person, at in rows}
