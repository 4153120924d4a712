"""Products as a template shows them: plain words, and addresses that are safe to follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from rekindle.content.language import one_line
from rekindle.wording import amount

LONGEST = 120
LONGEST_TEXT = 500
LONGEST_ID = 200
PRODUCT = {
    "id": "The shop's own id of it.",
    "name": "What it is called, from the catalogue or else from most lines that sold it.",
    "category": "Its category.",
    "price": "What it costs now, with its currency; of a plan, a month.",
    "was": "Of a price that fell: what it cost when the person bought it last, with its currency; "
    "of a basket, when they put it in, if that was more or less.",
    "quantity": "Of a basket: how many.",
    "url": "The address of its page.",
    "image": "The address of a picture, over https.",
    "text": "Of a change or a review: what it says.",
    "by": "Of a review: whom it is by.",
    "stars": "Of a review: how many of five stars.",
    "on": "Of a change or a review: its day; of points, when they were counted; of a plan, since "
    "when.",
    "until": "Of points: the last day on which they count; of a plan that somebody left: its end.",
}
"""Name → meaning of what a template may show of a product; what is not known is empty."""


def show_product(row: Mapping[str, Any], currency: str) -> Mapping[str, str | None]:
    """Return what may be shown of a product, a change or a review; what is not known is None.

    Its words come from a catalogue or a till: they are one line, never markup, and an
    address that is no web address is none.
    """
    return {
        "id": _line(row.get("product_id"), LONGEST_ID),
        "name": _line(row.get("name")),
        "category": _line(row.get("category")),
        "price": _amount(row.get("price"), currency),
        "was": _amount(row.get("was"), currency),
        "quantity": _count(row.get("quantity")),
        "url": _address(row.get("url"), ("https", "http")),
        "image": _address(row.get("image"), ("https",)),
        "text": _line(row.get("text"), LONGEST_TEXT),
        "by": _line(row.get("by")),
        "stars": None if row.get("stars") is None else str(row["stars"]),
        "on": _day(row.get("on")),
        "until": _day(row.get("until")),
    }


def _amount(value: Decimal | None, currency: str) -> str | None:
    return None if value is None else amount(value, currency)


def _count(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _line(text: str | None, longest: int = LONGEST) -> str | None:
    tidy = one_line(text or "")
    return (tidy if len(tidy) <= longest else f"{tidy[: longest - 1]}…") or None


def _address(text: str | None, schemes: tuple[str, ...]) -> str | None:
    address = (text or "").strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    is_whole = parts.scheme in schemes and bool(parts.hostname)
    return address if is_whole and address.isprintable() and " " not in address else None
