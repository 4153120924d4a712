"""The token a plan gives and a start takes: what was planned, signed, for a quarter hour.

Nothing is kept for it. It says which text was planned, for how many people and when, so
that a start can be refused if any of that is no longer so.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from rekindle.errors import UsageError
from rekindle.journeys import Journey

PURPOSE = b"rekindle.plan"
VALID_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a token states. ``text`` is the hash of the journey's file."""

    journey: str
    text: str
    people: int
    at: str


def sign_plan(secret: bytes, journey: Journey, people: int, at: datetime) -> str:
    """Return the token of a plan made at ``at`` that counted ``people``."""
    planned = Planned(journey.name, _hash(journey), people, at.isoformat())
    payload = _encode(json.dumps(asdict(planned), separators=(",", ":")).encode())
    return f"{payload}.{_signature(secret, payload)}"


def read_plan(secret: bytes, token: str, journey: Journey, at: datetime) -> Planned:
    """Return what a token states about ``journey``.

    Raises:
        UsageError: it was not made here, is of another journey or text, or is older
            than 15 minutes.
    """
    payload, _, signature = token.strip().partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, payload).encode()):
        raise UsageError("this is no token of a plan made in this workspace; plan again")
    planned = Planned(**json.loads(_decode(payload)))
    if planned.journey != journey.name:
        raise UsageError(f"this token is of a plan of {planned.journey}, not of {journey.name}")
    if planned.text != _hash(journey):
        raise UsageError(f"{journey.name} has been edited since this plan; plan again")
    age = at - datetime.fromisoformat(planned.at)
    if not timedelta(0) <= age <= VALID_FOR:
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
            f"{people:,} people would enter now, {planned.people:,} were planned: that is "
            f"{moved:,} off, more than the share of {limit:.0%} allowed; look and plan again"
        )


def _hash(journey: Journey) -> str:
    return sha256(journey.text.encode()).hexdigest()[:16]


def _signature(secret: bytes, payload: str) -> str:
    key = hmac.digest(secret, PURPOSE, "sha256")
    return _encode(hmac.digest(key, payload.encode(), "sha256")[:16])


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except NotBase64 as error:  # signed by us, so never
        raise UsageError("this token is damaged; plan again") from error
