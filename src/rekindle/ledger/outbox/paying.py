"""Asks again, as messages are claimed, whether the budgets still pay for them.

A message is paid for when it is decided. Until it leaves, a budget may have been cut, or a
new one made: then those that wait longest are paid first, as far as it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rekindle.gate import BookRules, month_of
from rekindle.ledger import models
from rekindle.ledger.cancelling import book_budgets
from rekindle.ledger.models import MessageState
from rekindle.ledger.queries import barred, execute, fetch, names_of, rows_of
from rekindle.vocabulary import Channel

Slot = tuple[str, str]
"""A budget's name and a month of it."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What one claimed message costs, and what was reserved for it: names and a month."""

    touch: int
    journey: str
    channel: Channel
    cost: int
    budgets: str
    month: str


def pay_again(alias: str, bills: Sequence[Bill], terms: BookRules, at: datetime) -> dict[int, int]:
    """Return, by touch, the least that is left for each message in a budget that binds it.

    What a budget that it did not know yet has room for is reserved, in the transaction of
    the claim. Touches that no budget binds are left out.
    """
    limits = {one.name: one.limit_micros for one in terms.budgets}
    if not limits:
        return {}
    now = month_of(at, ZoneInfo(terms.zone))
    slots = {bill.touch: _slots(bill, terms, now) for bill in bills}
    wanted = {slot for found in slots.values() for slot in found}
    others = _reserved_by_others(alias, bills, slots, wanted, limits)
    left: dict[int, int] = {}
    unpaid: list[tuple[Bill, Collection[str]]] = []
    for bill in bills:
        mine = slots[bill.touch]
        if not mine:
            continue
        left[bill.touch] = min(limits[name] - others[name, month] for name, month in mine)
        if left[bill.touch] < bill.cost:
            continue
        others.update(dict.fromkeys(mine, bill.cost))
        if new := [name for name, _ in mine if name not in names_of(bill.budgets)]:
            unpaid.append((bill, new))
    _reserve(alias, unpaid, now)
    return left


def release(alias: str, touches: Collection[int]) -> None:
    """Take back what was reserved for messages that wait for another month's money."""
    rows = models.Touch.objects.using(alias).filter(pk__in=touches).exclude(budgets="")
    amounts = rows.order_by("pk").values_list("budgets", "budget_month", "cost_micros")
    book_budgets(alias, [(names, month, -cost) for names, month, cost in amounts])
    rows.update(budgets="", budget_month="")


def _slots(bill: Bill, terms: BookRules, now: str) -> list[Slot]:
    month = bill.month or now
    return [(one.name, month) for one in terms.budgets if one.binds(bill.journey, bill.channel)]


def _reserved_by_others(
    alias: str,
    bills: Sequence[Bill],
    slots: dict[int, list[Slot]],
    wanted: Iterable[Slot],
    limits: dict[str, int],
) -> Counter[Slot]:
    """Return what is reserved in each slot beside the bills themselves.

    In a slot that holds more than its limit allows, what waits in the queue is left out
    too: it does not stand before what has waited longer.
    """
    reserved = _hold(alias, wanted)
    over = {slot for slot, micros in reserved.items() if micros > limits[slot[0]]}
    for bill in bills:
        paid = names_of(bill.budgets)
        for name, month in slots[bill.touch]:
            if name in paid:
                reserved[name, month] -= bill.cost
    for slot, micros in _queued(alias, over).items():
        reserved[slot] -= micros
    return reserved


def _hold(alias: str, wanted: Iterable[Slot]) -> Counter[Slot]:
    """Read and hold these budgets, until the claim is written."""
    slots = rows_of(sorted(wanted))
    execute(alias, "open_budgets", slots)
    rows = fetch(alias, "hold_budgets_of_months", slots)
    return Counter({(str(name), str(month)): int(micros) for name, month, micros in rows})


def _queued(alias: str, over: Collection[Slot]) -> Counter[Slot]:
    """Return what messages in the queue have reserved of these slots."""
    found: Counter[Slot] = Counter()
    if not over:
        return found
    months = {month for _, month in over}
    rows = models.Touch.objects.using(alias).filter(
        state=MessageState.QUEUED, budget_month__in=months
    )
    for names, month, cost in rows.values_list("budgets", "budget_month", "cost_micros"):
        for name in names_of(names):
            if (name, month) in over:
                found[name, month] += cost
    return found


def _reserve(alias: str, unpaid: Sequence[tuple[Bill, Collection[str]]], now: str) -> None:
    """Reserve what these messages cost in the budgets that are new to them."""
    book_budgets(alias, [(barred(names), bill.month or now, bill.cost) for bill, names in unpaid])
    for bill, names in unpaid:
        paid = barred(sorted({*names_of(bill.budgets), *names}))
        rows = models.Touch.objects.using(alias).filter(pk=bill.touch)
        rows.update(budgets=paid, budget_month=bill.month or now)
