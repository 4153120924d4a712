"""Letters to send, and settings to send them with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rekindle.channels.letter.settings import LetterSettings
from rekindle.messages import Address, AddressKind, Links, Message
from rekindle.vocabulary import Channel

NOW = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
KEY, SECRET = "live_a key of the account", "the secret of the webhook"
LINK = "https://shop.example.com/u/abc"
HOME = {
    "street": "12 Mill Lane",
    "city": "Leeds",
    "postal_code": "LS1 4AB",
    "state": "",
    "country": "GB",
}


def home(**changes: str) -> Address:
    """Return a postal address as a card keeps it."""
    return Address(AddressKind.POSTAL, json.dumps({**HOME, **changes}, sort_keys=True))


def build_letter(
    text: str = "Dear Ann,\n\nyour size is back.\nCome by.", **changes: Any
) -> Message:
    """Return a marketing letter."""
    given: dict[str, Any] = {
        "key": "0f" * 32,
        "channel": Channel("letter"),
        "person": "ann",
        "address": home(),
        "parts": {"title": "Your size is back", "text": text},
        "at": NOW,
        "name": "Ann Archer",
        "links": Links(LINK),
        **changes,
    }
    return Message(**given)


def settings(outlet: str = "letter_folder", **changes: Any) -> LetterSettings:
    """Return the settings of a shop in London."""
    given = {
        "outlet": outlet,
        "return_address": ("My shop", "1 High Street", "London N1 9GU"),
        "country": "GB",
        "timeout_seconds": 5,
    }
    return LetterSettings.model_validate({**given, **changes})
