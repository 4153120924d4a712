"""Who was given which variant of a message, and who followed a link in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.ledger.queries import fetch, instant_of, instant_or_none, ledger_errors, text_of
from rekindle.vocabulary import Unknown

SETTLED = timedelta(days=7)
FEWEST_MESSAGES = 100


@dataclass(frozen=True, slots=True)
class VariantEntry:
    """One message in a variant. ``clicked_at`` is when a person first followed a link in it."""

    person: str
    version: int
    rotation: int
    step: str
    variant: str
    at: datetime
    has_left: bool
    clicked_at: datetime | None


@ledger_errors()
def load_variants(alias: str, journey: str) -> list[VariantEntry]:
    """Return every message of a journey that has variants, in the order of decision."""
    return [
        VariantEntry(
            person,
            version,
            rotation,
            step,
            variant,
            instant_of(at),
            bool(has_left),
            instant_or_none(clicked_at),
        )
        for person, version, rotation, step, variant, at, has_left, clicked_at in fetch(
            alias, "variants_of", journey
        )
    ]


@ledger_errors()
def load_click_rate(alias: str, channel: str, at: datetime) -> float | Unknown:
    """Return the share of messages by a channel that were clicked, of those a week old."""
    rows = fetch(alias, "click_rate", channel, text_of(at - SETTLED))
    left, clicked = rows[0]
    if left < FEWEST_MESSAGES:
        return Unknown(f"fewer than {FEWEST_MESSAGES} messages by {channel} have had their week")
    return float(clicked) / float(left)
