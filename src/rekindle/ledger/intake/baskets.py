"""What reports say of baskets: on its way to the lake, and while it still waits here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from rekindle.intake import BASKET_EVENTS, BasketEvent, basket_rows, is_of_visitor
from rekindle.ledger.intake.inbox import Inbox, Spooled

BOUGHT, EMPTIED = "order_completed", "cart_updated"


def basket_events(reports: Iterable[Spooled]) -> Iterator[BasketEvent]:
    """Yield what people did to their baskets; what a machine did is left out."""
    for report in reports:
        if report.name in BASKET_EVENTS and report.person and not report.is_machine:
            content = report.payload.get("properties")
            yield BasketEvent(
                report.name,
                report.person,
                report.at,
                content if isinstance(content, dict) else {},
                is_by_page=is_of_visitor(report.message_id),
            )


def waiting_baskets(inbox: Inbox, people: Collection[str], currency: str) -> list[dict[str, Any]]:
    """Return the rows of ``baskets`` that wait for an import, as their contract has them.

    Somebody who is reported to have bought has an empty basket from then on: what they bought
    is known to the facts once it is imported, and until then nothing is said to be waiting.
    """
    reports = inbox.about(people, {*BASKET_EVENTS, BOUGHT})
    events = [*basket_events(reports), *(_emptied(one) for one in reports if one.name == BOUGHT)]
    return [
        {
            **row,
            "source": "",
            "changed_at": datetime.fromisoformat(row["changed_at"]),
            "quantity": Decimal(row["quantity"]),
            "unit_price": None if row.get("unit_price") is None else Decimal(row["unit_price"]),
        }
        for row in basket_rows(events, currency)
    ]


def _emptied(report: Spooled) -> BasketEvent:
    return BasketEvent(EMPTIED, str(report.person), report.at, {"products": []})
