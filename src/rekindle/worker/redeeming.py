"""Finds the orders that redeemed offers, by their codes, and settles what ran out.

All orders with a code are read again whenever the facts have changed or something was
given: an order that was cancelled or corrected redeems nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rekindle.facts import PURCHASE, find_known_until
from rekindle.gate import HouseRules
from rekindle.ledger import (
    CodeHolder,
    Redemption,
    first_given_at,
    learn_rates,
    load_extent,
    load_holders,
    save_redemptions,
    settle_ended,
)
from rekindle.offers import codes_of
from rekindle.runtime import Workspace
from rekindle.worker.watching import FactsRead

REDEEMS = (PURCHASE, "free")  # an offer may take the whole price off
READ = ("source", "order_id", "customer_id", "ordered_at", "discount", "discount_code")
MICROS = 1_000_000
A_DAY = timedelta(days=1)


class OfferWatch:
    """Looks for redemptions for one worker, and keeps what was learned from them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: tuple[str, int] | None = None
        self._rates: Any = None

    def look(self, rules: HouseRules, at: datetime, read: FactsRead) -> HouseRules:
        """Write down what was redeemed and what ran out; return the rules it leads to.

        ``read`` is of before the workspace's reading.
        """
        space = self._workspace
        if not rules.offers.offers.terms and self._rates is None and not _was_given(space):
            return rules
        ended = settle_ended(space.ledger, at)
        state = (read.every, load_extent(space.ledger)["touches"])
        if state != self._seen or ended or self._rates is None:
            is_whole = state == self._seen or redeem_offers(space, at)
            known = find_known_until(space.reading, at) if space.has_facts else at
            self._rates = learn_rates(space.ledger, rules, known)
            self._seen = state if is_whole else None
        found: HouseRules = self._rates
        return found


def redeem_offers(workspace: Workspace, at: datetime) -> bool:
    """Let the orders before ``at`` redeem what they carry the codes of; say if all could be."""
    since = first_given_at(workspace.ledger)
    if since is None:
        return True
    orders = list(_coded_orders(workspace, since, at))
    keys = {key for _, codes in orders for key in codes}
    holders = load_holders(workspace.ledger, keys)
    return save_redemptions(workspace.ledger, match_orders(orders, holders), at)


def match_orders(
    orders: Sequence[tuple[Mapping[str, Any], list[str]]], holders: Mapping[str, list[CodeHolder]]
) -> dict[int, Redemption]:
    """Return by touch the first order that redeems what goes with it.

    A code of one's own is redeemed by whoever types it; of a shared one, each holder redeems
    what they were given last before they ordered. What came off an order of several codes is
    shared among them: no order says which took how much.
    """
    found: dict[int, Redemption] = {}
    for order, codes in sorted(orders, key=lambda one: _place(one[0])):
        told = (_holder_of(holders.get(code, ()), order) for code in codes)
        mine = {one.touch: one for one in told if one is not None and one.touch not in found}
        micros = int((order["discount"] or 0) * MICROS)
        for place, holder in enumerate(mine.values()):
            found[holder.touch] = Redemption(
                order["source"],
                order["order_id"],
                order["ordered_at"],
                micros * (place + 1) // len(mine) - micros * place // len(mine),
                is_by_other=order["customer_id"] != holder.person,
            )
    return found


def _holder_of(holders: Any, order: Mapping[str, Any]) -> CodeHolder | None:
    # Some shops tell the day of an order alone, which begins before a message of that day.
    earlier = [one for one in holders if one.at - A_DAY <= order["ordered_at"]]
    own = [one for one in earlier if not one.is_shared or one.person == order["customer_id"]]
    return own[-1] if own else None


def _coded_orders(
    workspace: Workspace, since: datetime, at: datetime
) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Yield the orders in [since, at) that carry codes, with the keys of these."""
    engine, facts = workspace.reading
    orders = facts.standing_orders()
    chosen = orders.filter(
        orders.discount_code.notnull()
        & orders.kind.isin(REDEEMS)
        & (orders.ordered_at >= since - A_DAY)
        & (orders.ordered_at < at)
    )
    for batch in engine.run(chosen.select(*READ)).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            keys = codes_of(row["discount_code"])
            if any(keys):
                yield row, [key for key in keys if key]


def _place(order: Mapping[str, Any]) -> tuple[datetime, str, str]:
    return order["ordered_at"], order["source"], order["order_id"]


def _was_given(workspace: Workspace) -> bool:
    return first_given_at(workspace.ledger) is not None
