"""The nouns of delivery: a message ready to leave, and the provider's receipt for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One e-mail, complete. ``key`` names it for ever: the same key is the same message.

    ``list_id`` and ``unsubscribe_url`` are both given, or both empty for a message
    nobody can unsubscribe from.
    """

    key: str
    to_address: str
    to_name: str
    from_address: str
    from_name: str
    subject: str
    html: str
    text: str
    list_id: str
    unsubscribe_url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider calls the message it took."""

    provider_id: str
