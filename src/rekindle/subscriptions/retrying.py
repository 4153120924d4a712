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
from zoneinfo import ZoneInfo

from rekindle.subscriptions.declines import DeclineKind
from rekindle.subscriptions.hours import at_hour

DAY, MONTH = timedelta(days=1), timedelta(days=30)
Limit = tuple[int, timedelta]
NETWORK_LIMITS: Mapping[str, Sequence[Limit]] = {
    "visa": ((15, MONTH),),
    "mastercard": ((10, DAY), (35, MONTH)),
}
# Of whoever publishes none, and where the network is not known, the strictest of both.
OTHER_LIMITS: Sequence[Limit] = ((10, DAY), (15, MONTH))
CLOCKS_DIFFER = timedelta(minutes=2)
"""Between the biller's clock, which counts seconds, and ours."""
SOMEWHERE = ZoneInfo("UTC")
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
    of this invoice were ours. ``kind`` is what the newest decline means, ``zone`` where its
    owner lives.
    """

    invoice: str
    subscription: str
    customer: str
    failed_at: datetime
    kind: DeclineKind
    network: str
    tries: Sequence[datetime]
    retries: int
    zone: ZoneInfo = SOMEWHERE


@dataclass(frozen=True, slots=True)
class CardTry:
    """One try of a card: as the biller numbers it (or "" where nobody said), and when.

    One of ours that was not answered at once was made somewhere from ``at`` to ``until``.
    """

    payment: str
    invoice: str
    at: datetime
    until: datetime


def merge_tries(told: Sequence[CardTry], own: Sequence[CardTry]) -> list[datetime]:
    """Return when a person's cards were tried, each try once, oldest first.

    ``told`` is what the biller's records say, ``own`` what we asked for. The records have ours,
    too, sooner or later: by the payment's id, and where nobody answered with one, as the first
    try of that invoice within the time in which ours was made. What no record has counts as well.
    """
    named = {one.payment for one in own if one.payment}
    known = {one.payment for one in told}
    free = sorted((one for one in told if one.payment not in named), key=lambda one: one.at)
    missing = []
    for one in sorted(own, key=lambda one: one.at):
        if one.payment and one.payment in known:
            continue
        same = None if one.payment else next((each for each in free if _may_be(each, one)), None)
        if same is None:
            missing.append(one.at)
        else:
            free.remove(same)
    return sorted([*(one.at for one in told), *missing])


def _may_be(told: CardTry, own: CardTry) -> bool:
    begins, ends = own.at - CLOCKS_DIFFER, own.until + CLOCKS_DIFFER
    return told.invoice == own.invoice and begins <= told.at <= ends


def decide_retry(
    one: OwedPayment, schedule: Sequence[timedelta], hour: int | None = None
) -> datetime | RetryStop:
    """Return when a payment may be tried next, or why not at all.

    ``schedule`` says how long after the first failure each try is made. With an ``hour`` it is
    made when the clock where its owner lives shows that hour next: never earlier than without
    one, and before the schedule's next try, or within a day of the last; else as without.
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
    if hour is None:
        return at
    following = schedule[one.retries + 1 :]
    ends = one.failed_at + following[0] if following else at + DAY
    # Later leaves no more tries in any window of a network than earlier would.
    moved = at_hour(at, hour, one.zone)
    return moved if moved < ends else at
