"""What the page of a way back shows: the nouns alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class OfferFate(StrEnum):
    """How the offer of a message stands for whoever comes back by it."""

    OPEN = "open"
    LAPSED = "lapsed"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class KeptOffer:
    """An offer that a message brought. ``code`` is empty where it cannot be used any more.

    ``is_applied`` says that the way to the shop takes the code along.
    """

    text: str
    code: str
    ends_on: date
    fate: OfferFate
    is_applied: bool


@dataclass(frozen=True, slots=True)
class WayBack:
    """What was kept for somebody, and where it goes on: ``url`` is empty where nobody said.

    ``basket`` is what still waits in their basket, in the place of ``products``, and ``url``
    takes it along where the shop has an address for that. It names no person, address, order,
    amount or day: whoever holds the link sees it.
    """

    country: str | None
    has_returned: bool
    products: tuple[str, ...]
    offer: KeptOffer | None
    url: str
    basket: tuple[str, ...] = ()
