"""Whether it may be noticed that somebody opened a message, and what for.

A picture that reports an opening reads something off a person's device. So it is never there
unless the business asks for it, and then only with the person's recorded yes; or, where the
law lets that go on without, for how often to write alone (CNIL, deliberation 2026-042).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from rekindle.consent.law import tracking_of
from rekindle.consent.signing import read_token, sign_token
from rekindle.vocabulary import Channel

PURPOSE = "opens"
OPENS = Channel(PURPOSE)
"""What a statement about noticing opens is filed under. It is no way to write to anybody."""

LONGEST_TOKEN = 2_000
KEY_LETTERS = 24
"""So much of a message's key names it among those of one person."""


class OpensMode(StrEnum):
    """What the business asks for."""

    NEVER = "never"
    CONSENT = "consent"
    DELIVERABILITY = "deliverability"


class Use(StrEnum):
    """What an opening may be used for: as a deed of the person, or by hygiene alone."""

    DEED = "deed"
    HYGIENE = "hygiene"


def decide_use(
    mode: OpensMode, *, agreed: bool | None, country: str | None, channel: Channel, on: date
) -> Use | None:
    """Return what an opening may be used for; None where it must not be noticed.

    ``agreed`` is the person's newest word on it, None for none.
    """
    if mode is OpensMode.NEVER or agreed is False:
        return None
    if mode is OpensMode.CONSENT:
        return Use.DEED if agreed else None
    rule = tracking_of(country, channel, on)
    is_exempt = rule is None or "deliverability" in rule.exempt
    return Use.HYGIENE if is_exempt or agreed else None


def sign_opening(secret: bytes, message: str, person: str, channel: str) -> str:
    """Return the token of the picture in a message; safe in a URL path."""
    return sign_token(secret, PURPOSE, [message[:KEY_LETTERS], person, channel])


def read_opening(secret: bytes, token: str) -> tuple[str, str, str] | None:
    """Return how a message's key begins, its person and its channel; None for a forged token."""
    said = read_token(secret, PURPOSE, token[:LONGEST_TOKEN])
    return None if said is None else (said[0], said[1], said[2])
