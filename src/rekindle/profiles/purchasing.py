"""When somebody bought last: an order, or a subscription that began."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

LAST_PURCHASE = ("last_order_at", "last_start_at")
"""The columns of a profile that say it between them."""


def newest_purchase(table: ir.Table) -> ir.Value:
    """Return the newest order or start of a subscription that is known; empty where none is."""
    ordered, started = (table[name] for name in LAST_PURCHASE)
    return ibis.greatest(ibis.coalesce(ordered, started), ibis.coalesce(started, ordered))


def list_last_purchases(profiles: ir.Table) -> ir.Table:
    """Return ``customer_id`` and ``bought_at`` of whoever bought, of profiles with both columns."""
    rows = profiles.mutate(bought_at=newest_purchase(profiles))
    return rows.filter(rows.bought_at.notnull()).select("customer_id", "bought_at")


def last_purchase_of(profile: Mapping[str, Any]) -> datetime | None:
    """Return the newest of them in one person's row; None where none is known."""
    known = [at for name in LAST_PURCHASE if (at := profile.get(name)) is not None]
    return max(known, default=None)
