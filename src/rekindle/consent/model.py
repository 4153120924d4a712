"""The nouns of permission: append-only records, and the permission they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rekindle.vocabulary import Channel


class Rule(StrEnum):
    """The rule a permission follows from; shown wherever a decision is explained."""

    EXPRESS = "express"
    SOFT_OPT_IN = "soft_opt_in"
    CHARITY_SOFT_OPT_IN = "charity_soft_opt_in"
    IMPLIED_BY_PURCHASE = "implied_by_purchase"
    IMPLIED_BY_INQUIRY = "implied_by_inquiry"
    TRANSACTIONAL = "transactional"
    NOT_NEEDED = "not_needed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NO_RECORD = "no_record"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One statement of will: who, when, how and in exactly which words.

    Records are only ever added. ``granted`` False is a withdrawal. ``since`` is of a no that
    nobody dated: one that the same source said after it, in the same words, is the same no.
    ``is_unsaid`` is of a yes that was misread: what was kept of it is none.
    """

    person: str
    channel: Channel
    granted: bool
    at: datetime
    source: str
    wording: str = ""
    since: datetime | None = field(default=None, compare=False)
    is_unsaid: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a person may be contacted on a channel for a purpose, and by which rule.

    ``until`` is the last instant at which the law still grants it, None where it does not
    run out by itself. ``law`` is the row of the law it follows from.
    """

    is_granted: bool
    rule: Rule
    until: datetime | None = field(default=None, compare=False)
    law: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class LegalStanding:
    """What bears on a permission beside the records: where somebody lives and what they did.

    ``places`` are where, as ``countries.place_code`` writes it or however it is known; of
    several the strictest counts, and none is a place without a law of its own.
    ``claims`` are the grounds the business claims (``soft_opt_in``, ``charity_soft_opt_in``).
    A channel that no law asks consent for has ``needs_consent`` False.
    """

    channel: Channel
    places: tuple[str, ...] = ()
    bought_at: datetime | None = None
    inquired_at: datetime | None = None
    claims: frozenset[str] = frozenset()
    needs_consent: bool = True
