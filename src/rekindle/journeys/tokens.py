"""The token a plan gives and a start takes: what was planned, signed, for a quarter hour.

Nothing is kept for it. It says which text was planned, for how many people and when, so
that a start can be refused if any of that is no longer so.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from rekindle.errors import UsageError
from rekindle.journeys.model import Journey
from rekindle.wording import counted, percent

PURPOSE = b"rekindle.plan"
VALID_FOR = timedelta(minutes=15)
# Short enough to be copied from a terminal: people, seconds, the text's hash, signature.
TOKEN = re.compile(r"(\d{1,12})-(\d{1,12})-([0-9a-f]{8})-([A-Za-z0-9_-]{16})")


@dataclass(frozen=True, slots=True)
class Planned:
    """What a token states: for how many people a plan was made, and when."""

    people: int
    at: datetime


def sign_plan(secret: bytes, journey: Journey, people: int, at: datetime) -> str:
    """Return the token of a plan made at ``at`` that counted ``people``."""
    payload = f"{people}-{int(at.timestamp())}-{_hash(journey)}"
    return f"{payload}-{_signature(secret, journey, payload)}"


def read_plan(secret: bytes, token: str, journey: Journey, at: datetime) -> Planned:
    """Return what a token states about ``journey``.

    Raises:
        UsageError: it was not made here, is of another journey or text, or is older
            than 15 minutes.
    """
    found = TOKEN.fullmatch(token.strip())
    people, seconds, text, signature = found.groups() if found else ("", "", "", "")
    expected = _signature(secret, journey, f"{people}-{seconds}-{text}")
    if not hmac.compare_digest(signature, expected):
        raise UsageError(
            f"this is no token of a plan of {journey.name} made in this workspace; plan again"
        )
    if text != _hash(journey):
        raise UsageError(f"{journey.name} has been edited since this plan; plan again")
    planned = Planned(int(people), datetime.fromtimestamp(int(seconds), UTC))
    if not timedelta(seconds=-1) <= at - planned.at <= VALID_FOR:
        minutes = VALID_FOR // timedelta(minutes=1)
        raise UsageError(f"this plan was made more than {minutes} minutes ago; plan again")
    return planned


def check_drift(planned: Planned, people: int, *, limit: float) -> None:
    """Refuse a start for many more or fewer people than were planned.

    Raises:
        UsageError: the count moved by more than ``limit``, a share of what was planned.
    """
    moved = abs(people - planned.people)
    if moved > limit * planned.people:
        raise UsageError(
            f"{counted(people, 'person')} would enter now, {planned.people:,} were planned: "
            f"that is {moved:,} off, more than the share of {percent(limit)} allowed; look and "
            "plan again"
        )


def _hash(journey: Journey) -> str:
    return sha256(journey.text.encode()).hexdigest()[:8]


def _signature(secret: bytes, journey: Journey, payload: str) -> str:
    key = hmac.digest(secret, PURPOSE, "sha256")
    digest = hmac.digest(key, f"{journey.name}\n{payload}".encode(), "sha256")
    return urlsafe_b64encode(digest[:12]).decode()
