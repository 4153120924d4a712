"""Signed links that run out: what one may do for a person, and until when.

A link to choose preferences cannot erase anybody: each purpose is signed with its own key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from rekindle.consent.signing import read_token, sign_token

LONGEST_TOKEN = 2_000
# A message is kept for a while; its link to what they hear of works for as long, not for ever.
WORKS_FOR = timedelta(days=90)


class LinkPurpose(StrEnum):
    """What a link lets its holder do."""

    PREFERENCES = "preferences"
    EXPORT = "export"
    ERASE = "erase"
    CONFIRM = "confirm"
    SUBSCRIPTION = "subscription"
    CARD = "card"
    LEAVE = "leave"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class PersonLink:
    """Whom a link is for, until when it works, and what else it says (a channel, a number)."""

    person: str
    until: datetime
    about: str = ""

    def is_over(self, at: datetime) -> bool:
        """Return whether it has run out."""
        return at >= self.until


def sign_link(secret: bytes, purpose: LinkPurpose, link: PersonLink) -> str:
    """Return the token of a link; safe in a URL path."""
    until = int(link.until.timestamp())
    return sign_token(secret, purpose.value, [link.person, until, link.about])


def sign_preferences(secret: bytes, person: str, at: datetime) -> str:
    """Return the token of somebody's page of preferences, for as long as it works from ``at``."""
    return sign_link(secret, LinkPurpose.PREFERENCES, PersonLink(person, at + WORKS_FOR))


def read_link(secret: bytes, purpose: LinkPurpose, token: str) -> PersonLink | None:
    """Return what a token says, or None if it was not signed with ``secret`` for this purpose."""
    said = read_token(secret, purpose.value, token[:LONGEST_TOKEN])
    if said is None:
        return None
    person, until, about = said
    return PersonLink(person, datetime.fromtimestamp(until, UTC), about)
