"""The nouns of identity: handles, evidence, and the joins that make ids one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HandleKind(StrEnum):
    """What points at a person."""

    CUSTOMER_ID = "customer_id"
    EMAIL = "email"
    PHONE = "phone"
    LOYALTY = "loyalty"


class JoinReason(StrEnum):
    """Why two ids are one person. The first three are rules; the others were told."""

    SAME_EMAIL = "same_email"
    SAME_PHONE = "same_phone"
    SAME_LOYALTY = "same_loyalty"
    ALIAS = "alias"
    BY_HAND = "by_hand"
    EARLIER = "earlier"


RULES = {
    HandleKind.EMAIL: JoinReason.SAME_EMAIL,
    HandleKind.PHONE: JoinReason.SAME_PHONE,
    HandleKind.LOYALTY: JoinReason.SAME_LOYALTY,
}
"""The rule that joins by each kind of handle."""


@dataclass(frozen=True, slots=True)
class Handle:
    """One thing that points at a customer id, in its normal spelling."""

    kind: HandleKind
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """What a customer id's card says somebody is called; empty where it says nothing."""

    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Two ids that are one person: ``gone`` goes by ``kept`` since ``at``.

    ``evidence`` is the handle they share, or the words of whoever said so. ``undone_at``
    is when it turned out otherwise.
    """

    gone: str
    kept: str
    reason: JoinReason
    evidence: str
    at: datetime
    by: str
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A join to be made: who goes, who stays, and why."""

    gone: str
    kept: str
    reason: JoinReason
    evidence: str


@dataclass(frozen=True, slots=True)
class SharedHandle:
    """A handle of so many people that it joins nobody."""

    handle: Handle
    people: int


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """What is to be done so that persons are as the evidence says.

    ``splits`` are ids that leave the person they go by, to be persons again; they come
    first.
    """

    links: Sequence[Link]
    splits: Sequence[str]
    shared: Sequence[SharedHandle]
