"""Orders as their events tell them: placed, corrected, cancelled, given back.

An order is a pure fold of all its events, so importing them again, or in another order,
gives the same row. Amounts follow Segment's e-commerce specification
(https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rekindle.intake.model import KeptEvent

LARGEST = Decimal("1e11")
ZERO = Decimal(0)
PLACED = ("order_completed", "order_updated")
TOTALS = ("revenue", "subtotal", "total")
AMOUNTS = frozenset(
    [
        "currency",
        "revenue",
        "subtotal",
        "total",
        "discount",
        "shipping",
        "tax",
        "amount",
        "refund",
        "coupon",
        "order_id",
        "orderId",
    ]
)
PRODUCT = ("product_id", "sku", "name", "category", "quantity", "price")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an order came to. ``gross`` is before the discount, without shipping and tax."""

    gross: Decimal
    discount: Decimal


def read_amounts(content: Mapping[str, Any]) -> Amounts:
    """Return what an order came to.

    ``revenue`` is the goods at their price. Without it: ``subtotal`` (after the discount)
    plus ``discount``; else ``total`` less shipping and tax plus ``discount``; else the sum
    of the products.

    Raises:
        ValueError: an amount is no number.
    """
    discount = abs(_amount(content, "discount") or ZERO)
    revenue, subtotal = _amount(content, "revenue"), _amount(content, "subtotal")
    total = _amount(content, "total")
    beside = (_amount(content, "shipping") or ZERO) + (_amount(content, "tax") or ZERO)
    if revenue is not None:
        gross = revenue
    elif subtotal is not None:
        gross = subtotal + discount
    elif total is not None:
        gross = total - beside + discount
    else:
        gross = _sum_of_products(content)
    return Amounts(gross, discount)


def check_amounts(name: str, content: Mapping[str, Any]) -> None:
    """Refuse an order's event of which an amount that counts is none.

    Raises:
        ValueError: an amount is no number.
    """
    if name == "order_refunded":
        _amount_back(content)
    else:
        read_amounts(content)


def names_amounts(content: Mapping[str, Any]) -> bool:
    """Return whether an order says what it came to, be it nothing."""
    if any(_is_given(content.get(key)) for key in TOTALS):
        return True
    return any(_is_given(product.get("price")) for product in _products(content))


def keep_amounts(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an order that says what was bought, and nothing of who bought it."""
    kept = {key: content[key] for key in content if key in AMOUNTS}
    products = [{key: p[key] for key in PRODUCT if key in p} for p in _products(content)]
    return {**kept, "products": products} if products else kept


def read_lines(content: Mapping[str, Any]) -> list[Row]:
    """Return the products of an order as rows of ``order_lines``, without the order."""
    lines = []
    for product in _products(content):
        quantity = product.get("quantity", 1)
        lines.append(
            {
                "product_id": _text(product.get("product_id") or product.get("sku")),
                "description": _text(product.get("name")),
                "category": _text(product.get("category")),
                "quantity": _text(quantity),
                "unit_price": _text(product.get("price")),
            }
        )
    return lines


def fold_order(
    order_id: str, events: Iterable[KeptEvent], held: Mapping[str, Any] | None = None
) -> Row | None:
    """Return the row of ``orders`` that the events of one order add up to.

    An update changes what it names. ``held`` is the order's row as something else, a file,
    told it; it stands for what no event says. A refund of an order nobody reported is a row
    of its own (``name_refund``), dated when it was given; a refund without an amount gives
    back the whole order. An order that is completed after it was cancelled is none that was; one
    that was held as cancelled since is, though a restored ledger has no event that says it.
    None if there is nothing to say.
    """
    told = sorted(events, key=lambda event: event.at)
    placed = [event for event in told if event.name in PLACED]
    refunds = [event for event in told if event.name == "order_refunded"]
    completed = [number for number, event in enumerate(told) if event.name == "order_completed"]
    since = completed[-1] if completed else 0
    cancelled = [event for event in told[since:] if event.name == "order_cancelled"]
    ended_at = None
    if completed:
        ended_at, held = _ended_since(held, told[since]), None
    if not placed and not cancelled:
        whole = _left_of(held)
        given = sum((_given_back(event, whole=whole) for event in refunds), ZERO)
        if held is not None:
            given = min(given, whole)
        if not given:
            return None
        row = _row(name_refund(order_id), refunds[:1], Amounts(ZERO, ZERO), refund=given)
        row["customer_id"] = row["customer_id"] or (held or {}).get("customer_id")
        if steps := _steps(refunds, whole=whole, most=given):
            row |= {"refunded_at": refunds[-1].at.isoformat(), "refunds": steps}
        return row
    content = _merged(placed or cancelled)
    if held is None and not cancelled and not names_amounts(content):
        return None
    row = _order(order_id, placed or cancelled, refunds, content, held or {})
    if refunds:
        row["refunded_at"] = refunds[-1].at.isoformat()
    whole = max(Decimal(row["gross"]) - Decimal(row["discount"]), ZERO)
    if steps := _steps(refunds, whole=whole, most=whole):
        row["refunds"] = steps
    if cancelled:
        ended_at = cancelled[0].at.isoformat()
    return row if ended_at is None else {**row, "status": "cancelled", "cancelled_at": ended_at}


def _ended_since(held: Mapping[str, Any] | None, completed: KeptEvent) -> str | None:
    """Return when an order was cancelled that is held so, if it was after an event."""
    if held is None or held.get("kind") != "cancelled":
        return None
    at: str | None = held.get("cancelled_at")
    return at if at is not None and datetime.fromisoformat(at) > completed.at else None


def name_refund(order_id: str) -> str:
    """Return the number of the row that a refund has while nobody reported its order."""
    return f"{order_id}/refund"


def take_back_refund(held: Mapping[str, Any]) -> Row:
    """Return the row of a refund that counts no more: its order has it by now."""
    names = ("order_id", "customer_id", "ordered_at", "currency")
    kept = {name: held[name] for name in names if held.get(name) is not None}
    return {**kept, "gross": "0", "discount": "0", "refund": "0", "status": "cancelled"}


def _left_of(held: Mapping[str, Any] | None) -> Decimal:
    """Return what can be given back yet of an order that is held, zero of none."""
    if held is None or held.get("kind") == "cancelled":
        return ZERO
    gross, *less = (Decimal(held.get(name) or 0) for name in ("gross", "discount", "refund"))
    return max(gross - sum(less, ZERO), ZERO)


def list_currencies_told(row: Row, events: Iterable[KeptEvent], currency: str) -> list[str]:
    """Return the currencies of an order's amounts: more than one come to no sum.

    ``row`` is what ``fold_order`` returned, ``currency`` the business's, which is meant where
    nothing is said.
    """
    refunds = (_named_currency(one.content) for one in events if one.name == "order_refunded")
    told = [row.get("currency") or currency, *filter(None, refunds)]
    return sorted({code.upper() for code in told})


def _merged(told: Sequence[KeptEvent]) -> dict[str, Any]:
    """Return what events say together: the newest word on each thing."""
    content: dict[str, Any] = {}
    for event in told:
        given = {key: value for key, value in event.content.items() if _is_given(value)}
        if names_amounts(given):  # what it came to is said in one of several ways
            content = {k: v for k, v in content.items() if k not in (*TOTALS, "products")}
        content |= given
    return content


def _order(
    order_id: str,
    told: Sequence[KeptEvent],
    refunds: Sequence[KeptEvent],
    content: Mapping[str, Any],
    held: Mapping[str, Any],
) -> Row:
    amounts = read_amounts(content)
    if held and not names_amounts(content):
        discount = amounts.discount if _is_given(content.get("discount")) else held["discount"]
        amounts = Amounts(Decimal(held["gross"]), Decimal(discount or 0))
    net = max(amounts.gross - amounts.discount, ZERO)
    given = sum((_given_back(event, whole=net) for event in refunds), ZERO)
    # A refund's total may hold shipping and tax, which were never counted as revenue.
    refund = min(given, net) if refunds else Decimal(held.get("refund") or 0)
    row = _row(order_id, told, amounts, refund=refund)
    if currency := _named_currency(content) or held.get("currency"):
        row["currency"] = currency
    code = content.get("coupon")
    row["discount_code"] = code if isinstance(code, str) and code else held.get("discount_code")
    if held:
        row |= {name: held.get(name) for name in ("ordered_at", "refunded_at", "cancelled_at")}
        row["customer_id"] = row["customer_id"] or held.get("customer_id")
    kind = held.get("kind")
    return {**row, "status": kind if kind in ("cancelled", "pending") else "completed"}


def _steps(refunds: Sequence[KeptEvent], *, whole: Decimal, most: Decimal) -> str:
    """Return what had been given back after each refund but the last, with its instant."""
    told, given = [], ZERO
    for event in refunds[:-1]:
        given += _given_back(event, whole=whole)
        told.append(f"{event.at.isoformat()}={min(given, most)}")
    return ";".join(told)


def _row(order_id: str, told: Sequence[KeptEvent], amounts: Amounts, *, refund: Decimal) -> Row:
    newest = told[-1]
    row = {
        "order_id": order_id,
        "customer_id": next((event.person for event in reversed(told) if event.person), None),
        "ordered_at": told[0].at.isoformat(),
        "gross": str(amounts.gross),
        "discount": str(amounts.discount),
        "refund": str(refund),
    }
    currency = _named_currency(newest.content)
    return row | ({"currency": currency} if currency else {})


def _named_currency(content: Mapping[str, Any]) -> str:
    currency = content.get("currency")
    return currency.strip() if isinstance(currency, str) else ""


def _is_given(value: Any) -> bool:
    return value not in (None, "", [])


def _given_back(event: KeptEvent, *, whole: Decimal) -> Decimal:
    told = _amount_back(event.content)
    return whole if told is None else told


def _amount_back(content: Mapping[str, Any]) -> Decimal | None:
    """Return how much a refund says it gives back; None where it does not say."""
    for key in ("total", "amount", "refund", "revenue"):
        amount = _amount(content, key)
        if amount is not None:
            return abs(amount)
    return _sum_of_products(content) or None


def _sum_of_products(content: Mapping[str, Any]) -> Decimal:
    total = ZERO
    for product in _products(content):
        quantity = _amount(product, "quantity")
        total += (_amount(product, "price") or ZERO) * (1 if quantity is None else quantity)
    return total


def _products(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    products = content.get("products")
    return [p for p in products if isinstance(p, dict)] if isinstance(products, list) else []


def _amount(content: Mapping[str, Any], key: str) -> Decimal | None:
    given = content.get(key)
    if given is None or given == "":
        return None
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise InvalidOperation
        amount = Decimal(str(given).strip())
    except InvalidOperation:
        raise ValueError(f"{key} {given!r:.40} is no number") from None
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise ValueError(f"{key} {given!r:.40} is no amount of money")
    return amount


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) and value != "" else None
