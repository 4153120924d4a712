"""When a payment that failed may be tried again, with nobody present.

Networks count what a merchant tries of one card and charge fees beyond it. Both figures here are
the lowest that are published: Visa allowed 15 in 30 days, and 20 since May 2025; Mastercard 10 a
day and 35 in 30 days:
  https://support.checkout.com/hc/en-us/articles/25482040901394
  https://docs.cielo.com.br/ecommerce-cielo-en/reference/card-brands-retry-program-1
Who is tried first by the provider is counted with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.subscriptions.declines import DeclineKind

DAY, MONTH = timedelta(days=1), timedelta(days=30)
Limit = tuple[int, timedelta]
NETWORK_LIMITS: Mapping[str, Sequence[Limit]] = {
    "visa": ((15, MONTH),),
    "mastercard": ((10, DAY), (35, MONTH)),
}
# Of whoever publishes none, and where the network is not known, the strictest of both.
OTHER_LIMITS: Sequence[Limit] = ((10, DAY), (15, MONTH))
LEAST_GAP = timedelta(hours=20)
"""Between two tries: who was away for a week does not catch up in an hour."""


class RetryStop(StrEnum):
    """Why a payment is not tried again."""

    NOT_SOFT = "not_soft"
    """The decline is hard, unknown, or asks for its owner: trying again never helps."""
    SPENT = "spent"
    """The schedule has no further try."""


@dataclass(frozen=True, slots=True)
class OwedPayment:
    """A payment that failed and is owed: what is known of it, and every try of its card.

    ``tries`` are those of 30 days, the provider's and ours, oldest first; ``retries`` how many
    of this invoice were ours. ``kind`` is what the newest decline means.
    """

    invoice: str
    subscription: str
    customer: str
    failed_at: datetime
    kind: DeclineKind
    network: str
    tries: Sequence[datetime]
    retries: int


def decide_retry(one: OwedPayment, schedule: Sequence[timedelta]) -> datetime | RetryStop:
    """Return when a payment may be tried next, or why not at all.

    ``schedule`` says how long after the first failure each try is made.
    """
    if one.kind is not DeclineKind.SOFT:
        return RetryStop.NOT_SOFT
    if one.retries >= len(schedule):
        return RetryStop.SPENT
    at = one.failed_at + schedule[one.retries]
    tries = sorted(one.tries)
    if tries:
        at = max(at, tries[-1] + LEAST_GAP)
    for most, window in NETWORK_LIMITS.get(one.network.lower(), OTHER_LIMITS):
        if len(tries) >= most:
            # Until the oldest that counts has left the window.
            at = max(at, tries[-most] + window)
    return at
