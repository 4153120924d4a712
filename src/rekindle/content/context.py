"""What a template is told of one person, and of the business."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rekindle.config import Config, ShopSettings
from rekindle.content.colours import ink_of, text_on

LONGEST_NAME = 60
"""What is longer is cut: no message is a place for a name of a thousand letters."""


def build_shop(config: Config, shown: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a template may show of the business; ``shown`` is what the channel adds."""
    return {**_show_shop(config.shop), "name": config.workspace.name, **shown}


def _show_shop(shop: ShopSettings) -> Mapping[str, str]:
    return {
        "name": "",
        "postal_address": "",
        "url": shop.url,
        "logo": shop.logo,
        "colour": shop.colour,
        "on_colour": text_on(shop.colour),
        "ink": ink_of(shop.colour),
        "button": shop.button,
        "language": shop.language,
    }


BLANK_SHOP = _show_shop(ShopSettings())
"""What a template shows of a business that says nothing of itself."""


def build_person(
    properties: Mapping[str, str], address: str | None, profile: Mapping[str, Any]
) -> dict[str, object]:
    """Return what a template may show of a person: names, address and profile columns."""
    named: dict[str, object] = {column: _shown(value) for column, value in profile.items()}
    return {
        **named,
        "first_name": _cut(properties.get("first_name", "")),
        "name": _cut(full_name(properties)),
        "email": address or "",
    }


def full_name(properties: Mapping[str, str]) -> str:
    """Return a person's whole name, empty where none is known."""
    return " ".join(filter(None, (properties.get("first_name"), properties.get("last_name"))))


def _cut(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    begun = name[:LONGEST_NAME]
    return begun.rpartition(" ")[0].rstrip() or f"{begun[:-1]}…"


def _shown(value: Any) -> object:
    """Return a profile value as a template shows it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else value
