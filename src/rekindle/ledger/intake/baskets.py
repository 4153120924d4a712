"""What events say of baskets while they still wait here for the lake."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from rekindle.intake import BASKET_EVENTS, KeptEvent, basket_rows
from rekindle.ledger.intake.inbox import Inbox

BOUGHT, EMPTIED = "order_completed", "cart_updated"


def waiting_baskets(inbox: Inbox, people: Collection[str], currency: str) -> list[dict[str, Any]]:
    """Return the rows of ``baskets`` that wait for an import, as their contract has them.

    Somebody who is reported to have bought has an empty basket from then on: what they bought
    is known to the facts once it is imported, and until then nothing is said to be waiting.
    """
    events = inbox.about(people, {*BASKET_EVENTS, BOUGHT})
    told = [
        *(one for one in events if one.name != BOUGHT),
        *(_emptied(one) for one in events if one.name == BOUGHT),
    ]
    return [
        {
            **row,
            "source": "",
            "changed_at": datetime.fromisoformat(row["changed_at"]),
            "quantity": Decimal(row["quantity"]),
            "unit_price": None if row.get("unit_price") is None else Decimal(row["unit_price"]),
        }
        for row in basket_rows(told, currency)
    ]


def _emptied(event: KeptEvent) -> KeptEvent:
    return replace(event, name=EMPTIED, content={"products": []}, is_machine=False)
