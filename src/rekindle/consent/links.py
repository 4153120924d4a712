"""Signed links: the token in an address is the permission to act for one person.

A token does not expire, because the link has to work for as long as the message is
kept, and for 30 days at the least (CAN-SPAM, 15 U.S.C. § 7704(a)(3)(A)(ii)).
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache

# One key per purpose, so that a signature made for another one is worth nothing here.
PURPOSE = b"rekindle.web.portal.unsubscribe"
# Half of SHA-256, which RFC 2104 section 5 allows; it keeps the address on one line.
SIGNATURE_BYTES = 16
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class OptOutLink:
    """One person on one list: what an unsubscribe link identifies (RFC 8058 section 3.1).

    ``channel`` is the one whose marketing the list is; links of earlier releases name none,
    and leave all of it.
    """

    person: str
    list_id: str
    channel: str = ""


def sign_unsubscribe(secret: bytes, person: str, list_id: str, *, channel: str = "") -> str:
    """Return the token for ``person`` to leave ``list_id``; safe in a URL path."""
    named = [person, list_id, channel] if channel else [person, list_id]
    written = _encode(_WRITER.encode(named).encode())
    return f"{written}.{_signature(secret, written)}"


def read_unsubscribe(secret: bytes, token: str) -> OptOutLink | None:
    """Return what a token identifies, or None if it was not signed with ``secret``."""
    written, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, written).encode()):
        return None
    padding = "=" * (-len(written) % 4)
    person, list_id, *channel = json.loads(urlsafe_b64decode(written + padding))
    return OptOutLink(person, list_id, *channel)


def _signature(secret: bytes, written: str) -> str:
    return _encode(hmac.digest(_key(secret), written.encode(), "sha256")[:SIGNATURE_BYTES])


@lru_cache(maxsize=4)  # one secret signs thousands of links
def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, PURPOSE, "sha256")


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
