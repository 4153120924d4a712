"""What it takes to have a shop make the codes of an offer, and which shops there are.

A shop is a file of ``shops/``; a package adds one by an entry point of the group
``rekindle.shops``. It says what to ask and what the answers mean; who asks is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from rekindle.config import find_pieces
from rekindle.errors import ConfigError
from rekindle.offers.model import Discount, Offers

GROUP = "rekindle.shops"


class ShopAnswer(Protocol):
    """What a shop answered over HTTP."""

    @property
    def status(self) -> int:
        """Return the status."""

    @property
    def is_taken(self) -> bool:
        """Return whether the status says that the request was taken."""

    @property
    def word(self) -> str:
        """Return what it says in one line, without secrets."""

    def fields(self) -> dict[str, Any]:
        """Return the body as a JSON object, an empty one where it is none."""

    def retry_after(self) -> Any:
        """Return for how long not to ask again, None where it does not say."""


class Ask(Protocol):
    """Who asks a shop; what never left and what may have are told apart by its errors."""

    def ask(
        self,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        user: tuple[str, str] | None = None,
        method: str = "POST",
    ) -> ShopAnswer:
        """Return the answer to one request.

        Raises:
            TemporaryDeliveryError: nobody was reached.
            UnknownFateError: somebody was, and did not answer.
        """


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """What a code is to be worth at the shop.

    ``key`` names these terms: codes with one key are worth the same.
    """

    offer: str
    key: str
    discount: Discount
    minimum: Decimal
    currency: str


class Shop(Protocol):
    """A shop that makes codes. Whatever it cannot do is a ``DeliveryError``."""

    def make(self, code: str, terms: CodeTerms) -> str:
        """Make a code that can be used once, and return the shop's name for it.

        A code that was made here before is not made again: its name is returned.

        Raises:
            CodeTakenError: the shop has this code already, and not from here.
        """

    def end(self, code: str, name: str) -> None:
        """Let a code be used no more; one that is unknown there, or was ended, is ended.

        ``name`` is empty where nobody knows whether the shop has it.
        """

    def look(self) -> str:
        """Ask something harmless; return who answered, for a person to read."""


OpenShop = Callable[[Ask, str, str], Shop]
"""Opens a shop with who asks it, where it is, and its key."""


@dataclass(frozen=True, slots=True)
class ShopKind:
    """A shop there is: the secret its key is kept in, where it is, and how it is opened.

    ``url`` is empty where each business has its own; ``discounts`` are the fields of
    ``Discount`` it can make.
    """

    word: str
    secret: str
    url: str
    discounts: frozenset[str]
    open: OpenShop


@lru_cache(maxsize=1)
def find_shops() -> Mapping[str, ShopKind]:
    """Return the shops there are, by the word ``made_at`` calls them.

    Raises:
        ConfigError: one of an installed package is no shop, or has a word that is taken.
    """
    found: dict[str, ShopKind] = {}
    for place, one in find_pieces("rekindle.offers.shops", "SHOP", GROUP):
        if not isinstance(one, ShopKind):
            raise ConfigError(f"{place} names no shop: a ShopKind")
        if one.word in found:
            raise ConfigError(f"{place}: there is a shop {one.word!r} already")
        found[one.word] = one
    return found


def terms_of(offers: Offers, offer: str, currency: str) -> CodeTerms | None:
    """Return what a shop is to make codes of an offer with; None where it makes none."""
    terms = offers.terms.get(offer)
    discount = None if terms is None or terms.made_at is None else terms.discount
    if terms is None or discount is None:
        return None
    return CodeTerms(offer, terms.made_for, discount, terms.minimum_basket, currency)
