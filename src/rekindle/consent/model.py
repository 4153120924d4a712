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
    IMPLIED_BY_PURCHASE = "implied_by_purchase"
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
    """

    person: str
    channel: Channel
    granted: bool
    at: datetime
    source: str
    wording: str = ""
    since: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a person may be contacted on a channel for a purpose, and by which rule."""

    is_granted: bool
    rule: Rule
