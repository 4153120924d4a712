"""A yes that waits for its confirmation: on record, no permission, and no refusal either."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.consent.hygiene import LIFTED_BY_DEEDS
from rekindle.consent.model import ConsentRecord
from rekindle.consent.rules import newest_record
from rekindle.countries import country_code
from rekindle.vocabulary import Channel, SignalKind

PENDING_EVENT = "consent_pending"
"""What begins a journey that asks for the confirmation."""
CONFIRMED_EVENT = "consent_confirmed"
CONFIRM_WITHIN = timedelta(days=7)
MARK_BYTES = 6

# What somebody said or did before a new yes of theirs stands in no way of asking about it.
_OUTDATED_BY_A_YES = LIFTED_BY_DEEDS | {SignalKind.OPT_OUT.value}


class PendingState(StrEnum):
    """What became of a yes that waited for its confirmation."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PendingConsent:
    """A yes that nobody confirmed yet: whose, to what, when, from where and in which words."""

    person: str
    channel: Channel
    at: datetime
    source: str
    wording: str = ""

    @property
    def key(self) -> str:
        """Return what the event that it begins is known by."""
        return f"{PENDING_EVENT}:{self.channel}:{self.person}:{self.at.isoformat()}"


def judge_pending(
    pending: PendingConsent,
    records: Iterable[ConsentRecord],
    stops: Iterable[tuple[str, datetime]],
    *,
    at: datetime,
    within: timedelta,
) -> PendingState:
    """Return what became of a yes by ``at``, where it may be confirmed ``within`` a time.

    ``records`` are the person's, ``stops`` the reason and time of each suppression that binds
    marketing on the channel. A no since wins, and of the same instant too; of suppressions
    those alone that a new yes outdates count for nothing if they are older.
    """
    later = [one for one in records if one.channel == pending.channel and one.at >= pending.at]
    newest = newest_record(later, at)
    if newest is not None and not newest.granted:
        return PendingState.REFUSED
    if any(reason not in _OUTDATED_BY_A_YES or since >= pending.at for reason, since in stops):
        return PendingState.REFUSED
    if newest is not None:
        return PendingState.CONFIRMED
    return PendingState.OPEN if at < pending.at + within else PendingState.OVER


def needs_confirming(place: str | None, double_opt_in: bool | frozenset[str]) -> bool:
    """Return whether a reported yes waits for its confirmation where somebody lives.

    Where countries are named, whoever lives nobody knows where is taken to be in one.
    """
    if isinstance(double_opt_in, bool):
        return double_opt_in
    country = country_code(place)
    return bool(double_opt_in) and (country is None or country in double_opt_in)


def write_about(secret: bytes, pending: PendingConsent, address: str) -> str:
    """Return what a link that confirms says beside its person: of which yes, at which address."""
    return f"{pending.channel} {pending.at.isoformat()} {_mark(secret, address)}"


def is_about(about: str, secret: bytes, pending: PendingConsent, address: str | None) -> bool:
    """Return whether a link is about this yes; an address that is another by now is another."""
    return address is not None and about == write_about(secret, pending, address)


def _mark(secret: bytes, address: str) -> str:
    written = address.strip().casefold().encode()
    return hmac.digest(secret, b"rekindle.consent.confirm:" + written, "sha256")[:MARK_BYTES].hex()
