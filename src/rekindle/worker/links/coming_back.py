"""The way back: what a person left with the business, and where it goes on.

A message may show `return_url`. Its page says what the business kept for them, with their
offer; a press of its button leads to the shop, where the offer's code is applied already
if the shop has an address for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.content import Click, KeptOffer, OfferFate, WayBack
from rekindle.journeys.population import LiveAudience
from rekindle.ledger import LinkedMessage, OfferEntry, OutboxMessage, find_linked_message
from rekindle.profiles import LAST_PURCHASE, last_purchase_of
from rekindle.runtime import Workspace
from rekindle.worker.links.clicking import ClickBook
from rekindle.worker.showing import BASKET, load_blocks

WORKS_FOR = timedelta(days=30)
"""A way back shows what somebody bought, to whoever holds it: shorter than other links."""

BLOCK = "favourites"
MOST = 3
Basket = Sequence[Mapping[str, Any]]


def sign_return(secret: bytes, message: OutboxMessage, at: datetime) -> str:
    """Return the token of the way back that a message shows."""
    about = f"{message.touch} {message.key[:24]}"
    return sign_link(secret, LinkPurpose.RETURN, PersonLink(message.person, at + WORKS_FOR, about))


class LedgerWaysBack:
    """The ways back of one workspace's messages."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._clicks = ClickBook(workspace)

    def now(self) -> datetime:
        """Return the present."""
        return self._workspace.clock.now()

    def front(self) -> str:
        """Return where the shop begins, "" where nobody said."""
        return self._workspace.config.shop.url

    def look(self, about: str) -> WayBack | None:
        """Return what a way back shows; None where its message or its reader is gone.

        Raises:
            WorkError: the ledger is away.
        """
        at = self.now()
        found = self._find(about, at)
        if found is None:
            return None
        has_returned = self._has_returned(found, at)
        basket: Basket = () if has_returned else self._shown(found.person, BASKET, at)
        offer = self._offer(found.offer, basket)
        return WayBack(
            country=found.country,
            has_returned=has_returned,
            products=() if has_returned or basket else self._products(found.person, at),
            offer=offer,
            url=self._lead(offer, basket),
            basket=tuple(str(one["name"]) for one in basket),
        )

    def lead(self, about: str, person: str) -> str | None:
        """Return where a press of the button leads, and keep it as a click in the message.

        "" is nowhere, None that the message or its reader is gone.

        Raises:
            WorkError: the ledger is away.
        """
        at = self.now()
        found = self._find(about, at)
        if found is None:
            return None
        # Asked anew: they may have bought since the page was shown.
        is_taken_along = self._workspace.config.shop.basket_url and not self._has_returned(
            found, at
        )
        basket: Basket = self._shown(found.person, BASKET, at) if is_taken_along else ()
        url = self._lead(self._offer(found.offer, basket), basket)
        if url:
            key = about.partition(" ")[2]
            click = Click(key, person, found.channel.value, url)
            self._clicks.keep(click, f"return {key}", is_machine=False)
        return url

    def _find(self, about: str, at: datetime) -> LinkedMessage | None:
        touch, _, key = about.partition(" ")
        return find_linked_message(self._workspace.ledger, int(touch), key, at)

    def _offer(self, given: OfferEntry | None, basket: Basket) -> KeptOffer | None:
        """Return what is to be said of an offer; nothing of one that was taken back."""
        if given is None or given.fate not in set(OfferFate):
            return None
        fate = OfferFate(given.fate)
        is_open = fate is OfferFate.OPEN
        return KeptOffer(
            given.text,
            given.code if is_open else "",
            given.ends_on,
            fate,
            is_applied=is_open and bool(given.code and "{code}" in self._address(basket)),
        )

    def _has_returned(self, found: LinkedMessage, at: datetime) -> bool:
        return found.has_returned or self._bought_since(found.person, found.at, at)

    def _bought_since(self, person: str, message_at: datetime, at: datetime) -> bool:
        """Return whether the facts know of a purchase on a later day than a message's."""
        space = self._workspace
        if not space.has_facts:
            return False
        profiles = LiveAudience(space).describe([person], at, LAST_PURCHASE)
        last, zone = last_purchase_of(profiles.get(person, {})), space.zone
        return last is not None and (
            last.astimezone(zone).date() > message_at.astimezone(zone).date()
        )

    def _products(self, person: str, at: datetime) -> tuple[str, ...]:
        shown = self._shown(person, BLOCK, at)
        return tuple(str(one["name"]) for one in shown)[:MOST]

    def _shown(self, person: str, block: str, at: datetime) -> Basket:
        shown = load_blocks(self._workspace, [person], [block], at)[person][block]
        return [one for one in shown if one["name"]]

    def _address(self, basket: Basket) -> str:
        """Return the address of the shop that takes along what there is, not filled in yet."""
        shop = self._workspace.config.shop
        return shop.basket_url if basket and shop.basket_url else shop.code_url

    def _lead(self, offer: KeptOffer | None, basket: Basket) -> str:
        address = self._address(basket)
        code = offer.code if offer is not None and offer.is_applied else ""
        if "{basket}" not in address and not code:
            return self._workspace.config.shop.url
        filled = address.replace("{code}", quote(code, safe=""))
        return filled.replace("{basket}", _write_basket(basket))


def _write_basket(basket: Basket) -> str:
    """Return what is in a basket as a shop's address has it: ``ID:QUANTITY,ID:QUANTITY``."""
    return ",".join(f"{quote(str(one['id']), safe='')}:{one['quantity']}" for one in basket)
