"""The signed links by which people leave a list.

A token does not expire, because the link has to work for as long as the message is
kept, and for 30 days at the least (CAN-SPAM, 15 U.S.C. § 7704(a)(3)(A)(ii)).
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.consent.signing import read_token, sign_token

PURPOSE = "unsubscribe"


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
    return sign_token(secret, PURPOSE, named)


def read_unsubscribe(secret: bytes, token: str) -> OptOutLink | None:
    """Return what a token identifies, or None if it was not signed with ``secret``."""
    said = read_token(secret, PURPOSE, token)
    if said is None:
        return None
    person, list_id, *channel = said
    return OptOutLink(person, list_id, *channel)
