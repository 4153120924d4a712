"""A subscription business that never was: drawn by a seed, by rates that are written down.

For demos and tests of who leaves and who comes back. The rates: three churns in ten are for want
of a payment (20-40 % are published); of those, 20 % are back within 30 days (10-30 %); by a year
20.1 % of all who left a monthly plan are back without being asked (RevenueCat, State of
Subscription Apps). Each has a chance of their own to leave at a renewal, Beta(0.7, 8), so that
the sBG is the right model for those who stay.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

PLANS: Mapping[str, int] = {"Basic": 9, "Plus": 19, "Team": 49}
LEAVES = (0.7, 8.0)
UNPAID = 0.3
BACK_SOON, BACK_IN_A_YEAR = 0.2, 0.201
REASONS = ("too expensive", "not using it", "missing features", "switched", "customer service", "")
MONTH = timedelta(days=30)
Row = Mapping[str, object]


@dataclass
class Club:
    """The rows of a business, by table, as its files hold them."""

    customers: list[Row] = field(default_factory=list)
    subscriptions: list[Row] = field(default_factory=list)
    cancellations: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)

    def write(self, folder: Path) -> dict[str, Path]:
        """Write a CSV file a table into ``folder``, and return where each is."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = {}
        for name in ("customers", "subscriptions", "cancellations", "payments"):
            rows: list[Row] = getattr(self, name)
            paths[name] = folder / f"{name}.csv"
            with paths[name].open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        return paths


def build_club(
    people: int = 1_000, *, until: date = date(2026, 6, 30), months: int = 24, seed: int = 1
) -> Club:
    """Return a business of ``people`` who began within ``months`` before ``until``."""
    roll = random.Random(seed)
    club = Club()
    for number in range(people):
        who = f"C{number:05}"
        began = until - timedelta(days=roll.randrange(30 * months))
        club.customers.append(
            {
                "customer_id": who,
                "email": f"{who.lower()}@example.com",
                "first_name": roll.choice(("Ada", "Ben", "Cleo", "Dina", "Emil", "Fay")),
                "country": roll.choice(("GB", "DE", "US")),
                "created_at": began.isoformat(),
            }
        )
        for stay in _stays(roll, began, until):
            _add(club, who, stay)
    return club


@dataclass(frozen=True, slots=True)
class _Stay:
    plan: str
    began: date
    ended: date | None
    is_unpaid: bool
    reason: str
    until: date


def _stays(roll: random.Random, began: date, until: date) -> Iterator[_Stay]:
    chance = roll.betavariate(*LEAVES)
    plan = roll.choice(tuple(PLANS))
    while began <= until:
        renewals = 1
        while roll.random() >= chance and began + renewals * MONTH <= until:
            renewals += 1
        ended = began + renewals * MONTH
        if ended > until:
            yield _Stay(plan, began, None, False, "", until)
            return
        is_unpaid = roll.random() < UNPAID
        reason = "payment_failed" if is_unpaid else roll.choice(REASONS)
        yield _Stay(plan, began, ended, is_unpaid, reason, until)
        gone = _days_gone(roll, is_unpaid)
        if gone is None:
            return
        began = ended + timedelta(days=gone)


def _days_gone(roll: random.Random, is_unpaid: bool) -> int | None:
    """Return after how many days somebody is back; None for never."""
    if is_unpaid and roll.random() < BACK_SOON:
        return roll.randrange(1, 31)
    # What those who are back soon leave over, so that by a year the share of all is right.
    later = (BACK_IN_A_YEAR - UNPAID * BACK_SOON) / (1 - UNPAID * BACK_SOON)
    return roll.randrange(31, 366) if roll.random() < later else None


def _add(club: Club, who: str, stay: _Stay) -> None:
    number = f"S{len(club.subscriptions):05}"
    price = PLANS[stay.plan]
    club.subscriptions.append(
        {
            "subscription_id": number,
            "customer_id": who,
            "plan": stay.plan,
            "start_date": stay.began.isoformat(),
            "end_date": "" if stay.ended is None else stay.ended.isoformat(),
            "amount": price,
            "interval": "month",
        }
    )
    if stay.ended is not None and not stay.is_unpaid:
        said = {"cancellation_id": f"K{number}", "customer_id": who, "subscription_id": number}
        day = stay.ended - timedelta(days=3)
        club.cancellations.append({**said, "cancel_date": day.isoformat(), "reason": stay.reason})
    last = stay.ended or stay.until
    day = stay.began
    while day <= last:
        fails = stay.is_unpaid and day == last
        if day < last or fails or stay.ended is None:
            club.payments.append(_payment(number, who, day, price, fails=fails))
        day += MONTH


def _payment(number: str, who: str, day: date, price: int, *, fails: bool) -> Row:
    return {
        "payment_id": f"P{number}-{day:%y%m%d}",
        "customer_id": who,
        "subscription_id": number,
        "date": day.isoformat(),
        "amount": price,
        "status": "failed" if fails else "paid",
        "decline_code": "insufficient_funds" if fails else "",
    }
