"""Who a browser speaks for: a token that the shop's own server signs for one signed-in person.

A key that stands in a page says which shop it is, and nothing about who looks at it. The
token is ``ID.END.SIGNATURE``: the user id in base64url without padding, the second at which
it ends, and the HMAC-SHA256 of what stands before, in hex.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from datetime import datetime, timedelta
from hashlib import sha256

from rekindle.vocabulary import LONGEST_ID, is_usable_id

LONGEST = timedelta(days=1)
"""A token that would be good for longer is none: whoever copied it would use it as long."""

SLACK = timedelta(minutes=5)
MOST_CHARACTERS = 4 * 4 * LONGEST_ID // 3 + 100


def sign_person(secret: str, user: str, until: datetime) -> str:
    """Return the token of somebody, good until then."""
    who = urlsafe_b64encode(user.encode()).decode().rstrip("=")
    said = f"{who}.{int(until.timestamp())}"
    return f"{said}.{_sign(secret, said)}"


def read_person(secret: str, token: str, at: datetime) -> str | None:
    """Return whom a token is of; None where it is forged, cut off or over, or no secret is set."""
    if not secret or len(token) > MOST_CHARACTERS or not token.isascii():
        return None
    said, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_sign(secret, said), signature):
        return None
    who, _, end = said.partition(".")
    if not end.isdecimal() or len(end) > 12:
        return None
    left = int(end) - at.timestamp()
    if not 0 < left <= (LONGEST + SLACK).total_seconds():
        return None
    try:
        user = urlsafe_b64decode(who + "=" * (-len(who) % 4)).decode()
    except (ValueError, NotBase64Error):
        return None
    return user if is_usable_id(user) else None


def _sign(secret: str, said: str) -> str:
    return hmac.new(secret.encode(), said.encode(), sha256).hexdigest()
