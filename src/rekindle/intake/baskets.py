"""Baskets as events tell them: whole, or what was put in and taken out.

Names and fields are those of Segment's e-commerce specification
(https://segment.com/docs/connections/spec/ecommerce/v2/). What cannot be read of one product
never touches the others of its basket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rekindle.facts import EMPTY_BASKET
from rekindle.intake.model import KeptEvent
from rekindle.intake.visitors import is_of_visitor

WHOLE = frozenset({"cart_viewed", "cart_updated", "cart_abandoned", "checkout_started"})
"""Events that name the whole basket, where they have a list of ``products``."""

PUT_IN, TAKEN_OUT = "product_added", "product_removed"
BASKET_EVENTS = frozenset({*WHOLE, PUT_IN, TAKEN_OUT})
MOST = 100
LONGEST_ID = 200
LONGEST_TEXT = 2_000
LARGEST_QUANTITY = Decimal(10_000)
LARGEST_PRICE = Decimal("1e11")
Row = dict[str, Any]


def basket_rows(events: Iterable[KeptEvent], currency: str) -> list[Row]:
    """Return the rows of ``baskets`` that these events add up to, one a key.

    Of other events, of what a machine did and of what nobody is known to have done there are none.

    Of two whole baskets of one person and instant the later counts, and what was put in or taken
    out at that instant is in it already. Prices in another currency are left out, and so is
    whatever a page says beside what a product is called and how many there are: it is shown
    nothing that anybody with its key could have made up.
    """
    statements: dict[tuple[str, datetime], dict[str, Row]] = {}
    for event in events:
        rows = _read(event, currency)
        if rows is None or event.person is None:
            continue
        key = (event.person, event.at)
        if event.name in WHOLE:
            statements[key] = {row["product_id"]: row for row in rows}
        else:
            held = statements.setdefault(key, {})
            if not any(row["is_whole"] for row in held.values()):
                _put(held, rows)
    return [row for held in statements.values() for row in held.values()]


def _read(event: KeptEvent, currency: str) -> list[Row] | None:
    """Return what an event says of a basket; None where it says nothing."""
    if event.name not in BASKET_EVENTS or event.is_machine:
        return None
    content = event.content
    shared = {
        "customer_id": event.person,
        "changed_at": event.at.isoformat(),
        "is_whole": event.name in WHOLE,
    }
    if event.name not in WHOLE:
        return [shared | row for row in _items([content], event, currency)]
    products = content.get("products")
    if not isinstance(products, list):
        return None
    found: dict[str, Row] = {}
    _put(found, [shared | row for row in _items(products[:MOST], event, currency)])
    if not found and products:
        return None  # it names something, and nothing of it can be read
    return list(found.values()) or [shared | {"product_id": EMPTY_BASKET, "quantity": "0"}]


def _put(held: dict[str, Row], rows: Iterable[Row]) -> None:
    """Add rows to a statement; of one product twice there are as many as both say.

    ``0`` of what is not whole says that none is left, whatever was put in at that instant.
    """
    for row in rows:
        product, before = row["product_id"], held.get(row["product_id"])
        if before is None or (not row["is_whole"] and "0" in (row["quantity"], before["quantity"])):
            held[product] = row
        else:
            both = Decimal(before["quantity"]) + Decimal(row["quantity"])
            held[product] = {**before, "quantity": _plain(both)}


def _items(products: Iterable[Any], event: KeptEvent, currency: str) -> Iterator[Row]:
    for product in products:
        if not isinstance(product, Mapping):
            continue
        product_id = _text(product.get("product_id") or product.get("sku"))
        if product_id is None or len(product_id) > LONGEST_ID or product_id == EMPTY_BASKET:
            continue
        row: dict[str, str | None] = {"product_id": product_id}
        row |= {"quantity": _quantity(event, product), "name": _text(product.get("name"))}
        if not is_of_visitor(event.message_id):
            told = product.get("currency") or event.content.get("currency") or currency
            row["unit_price"] = _price(product.get("price")) if _is_in(told, currency) else None
            row["url"] = _text(product.get("url"))
            row["image"] = _text(product.get("image_url") or product.get("image"))
        yield {name: value for name, value in row.items() if value is not None}


def _quantity(event: KeptEvent, product: Mapping[str, Any]) -> str:
    """Return how many; what is taken out without saying how many is taken out whole."""
    given = _number(product.get("quantity"))
    if given is not None and not -LARGEST_QUANTITY <= given <= LARGEST_QUANTITY:
        given = None
    if event.name == TAKEN_OUT:
        return "0" if not given else _plain(-abs(given))
    if event.name == PUT_IN:
        return _plain(given) if given is not None and given > 0 else "1"
    return "1" if given is None else _plain(max(given, Decimal(0)))


def _price(value: Any) -> str | None:
    given = _number(value)
    return None if given is None or not 0 <= given <= LARGEST_PRICE else _plain(given)


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.0001')).normalize():f}"


def _is_in(told: Any, currency: str) -> bool:
    return isinstance(told, str) and told.strip().upper() == currency


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        given = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return given if given.is_finite() else None


def _text(value: Any) -> str | None:
    """Return a word as it was given; nothing of what is no word, or longer than any is."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip()[:LONGEST_TEXT] or None
