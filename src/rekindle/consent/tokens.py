"""Signed links that run out: what one may do for a person, and until when.

Each purpose has a key of its own, so that a link to choose preferences cannot erase anybody.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

SIGNATURE_BYTES = 16
LONGEST_TOKEN = 2_000
# A message is kept for a while; its link to what they hear of works for as long, not for ever.
WORKS_FOR = timedelta(days=90)
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class LinkPurpose(StrEnum):
    """What a link lets its holder do."""

    PREFERENCES = "preferences"
    EXPORT = "export"
    ERASE = "erase"
    CONFIRM = "confirm"


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
    written = _encode(_WRITER.encode([link.person, until, link.about]).encode())
    return f"{written}.{_signature(secret, purpose, written)}"


def sign_preferences(secret: bytes, person: str, at: datetime) -> str:
    """Return the token of somebody's page of preferences, for as long as it works from ``at``."""
    return sign_link(secret, LinkPurpose.PREFERENCES, PersonLink(person, at + WORKS_FOR))


def read_link(secret: bytes, purpose: LinkPurpose, token: str) -> PersonLink | None:
    """Return what a token says, or None if it was not signed with ``secret`` for this purpose."""
    written, _, signature = token[:LONGEST_TOKEN].partition(".")
    expected = _signature(secret, purpose, written)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    padding = "=" * (-len(written) % 4)
    person, until, about = json.loads(urlsafe_b64decode(written + padding))
    return PersonLink(person, datetime.fromtimestamp(until, UTC), about)


def _signature(secret: bytes, purpose: LinkPurpose, written: str) -> str:
    key = hmac.digest(secret, f"rekindle.web.portal.{purpose.value}".encode(), "sha256")
    return _encode(hmac.digest(key, written.encode(), "sha256")[:SIGNATURE_BYTES])


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
