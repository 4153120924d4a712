"""What bears on a permission of somebody, and what a book in memory knows of one person.

The first is for those who ask without a dossier: explanations, proofs, and what runs out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from rekindle.consent import (
    NO_PREFERENCES,
    ConsentRecord,
    Exclusion,
    LegalStanding,
    Preferences,
    Suppression,
    Week,
    hours_of,
)
from rekindle.gate import BookRules, PastEvent, Sent
from rekindle.journeys.model import Person
from rekindle.offers import PastOffer
from rekindle.vocabulary import Arm, Channel


class Happened(Protocol):
    """Something that happened to a person, by the name journeys know it by."""

    @property
    def event(self) -> str:
        """Return its name."""

    @property
    def at(self) -> datetime:
        """Return when it happened."""


def standing_of(
    terms: BookRules,
    channel: Channel,
    card: Person | None,
    *,
    bought_at: datetime | None,
    signals: Iterable[Happened],
    at: datetime,
) -> LegalStanding:
    """Return what bears on the permission of somebody on a channel at ``at``, beside records."""
    asked = terms.inquiries
    inquired = (one.at for one in signals if one.event in asked and one.at <= at)
    return LegalStanding(
        channel,
        _places(terms, channel, card),
        bought_at,
        max(inquired, default=None) if asked else None,
        terms.claims_on(channel),
        terms.needs_consent(channel),
    )


def week_of(terms: BookRules, channel: Channel, card: Person | None, at: datetime) -> Week | None:
    """Return the hours in which the law lets marketing reach somebody, None without a law."""
    return hours_of(_places(terms, channel, card), channel, at.date())


def _places(terms: BookRules, channel: Channel, card: Person | None) -> tuple[str, ...]:
    return () if card is None else terms.places_of(channel, card.country, card.phone)


class KnownPerson:
    """What a book in memory knows of one person; ``open`` are their open entries, in order."""

    __slots__ = (
        "card",
        "consent",
        "events",
        "exclusions",
        "ghost_offers",
        "ghosts",
        "is_erased",
        "newest_order_at",
        "offers",
        "open",
        "preferences",
        "sent",
        "suppressed",
        "variants",
        "withheld",
    )

    def __init__(self) -> None:
        self.card: Person | None = None
        self.consent: dict[Channel, list[ConsentRecord]] = {}
        self.suppressed: set[Suppression] = set()
        self.newest_order_at: datetime | None = None
        self.open: dict[Any, None] = {}
        self.sent: list[Sent] = []
        self.ghosts: list[Sent] = []
        self.offers: list[PastOffer] = []
        self.ghost_offers: list[PastOffer] = []
        self.events: list[PastEvent] = []
        self.preferences: Preferences = NO_PREFERENCES
        self.exclusions: dict[Exclusion, datetime | None] = {}
        self.variants: dict[tuple[str, str], str] = {}
        self.withheld: tuple[Arm, datetime] | None = None
        self.is_erased = False

    def state(self, record: ConsentRecord) -> None:
        """Keep a statement once, or none of one that was misread."""
        kept = self.consent.setdefault(record.channel, [])
        same = [one for one in kept if (one.granted, one.at) == (record.granted, record.at)]
        if record.is_unsaid:
            kept[:] = [one for one in kept if one not in same or one.source != record.source]
        elif not same:
            kept.append(record)
