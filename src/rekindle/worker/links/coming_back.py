"""The way back: what a person left with the business, and where it goes on.

A message may show `return_url`. Its page says what the business kept for them, with their
offer; a press of its button leads to the shop, where the offer's code is applied already
if the shop has an address for that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.content import Click, KeptOffer, OfferFate, WayBack
from rekindle.journeys.population import LiveAudience
from rekindle.ledger import OfferEntry, OutboxMessage, find_linked_message
from rekindle.runtime import Workspace
from rekindle.worker.links.clicking import ClickBook
from rekindle.worker.showing import load_blocks

WORKS_FOR = timedelta(days=30)
"""A way back shows what somebody bought, to whoever holds it: shorter than other links."""

BLOCK = "favourites"
MOST = 3


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
        found = find_linked_message(self._workspace.ledger, _touch_of(about), at)
        if found is None:
            return None
        offer = self._offer(found.offer)
        has_returned = found.has_returned or self._bought_since(found.person, found.at, at)
        return WayBack(
            country=found.country,
            has_returned=has_returned,
            products=() if has_returned else self._products(found.person, at),
            offer=offer,
            url=self._lead(offer),
        )

    def lead(self, about: str, person: str) -> str | None:
        """Return where a press of the button leads, and keep it as a click in the message.

        "" is nowhere, None that the message or its reader is gone.

        Raises:
            WorkError: the ledger is away.
        """
        found = find_linked_message(self._workspace.ledger, _touch_of(about), self.now())
        if found is None:
            return None
        url = self._lead(self._offer(found.offer))
        if url:
            key = about.partition(" ")[2]
            click = Click(key, person, found.channel.value, url)
            self._clicks.keep(click, f"return {key}", is_machine=False)
        return url

    def _offer(self, given: OfferEntry | None) -> KeptOffer | None:
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
            is_applied=is_open and bool(given.code and self._workspace.config.shop.code_url),
        )

    def _bought_since(self, person: str, message_at: datetime, at: datetime) -> bool:
        """Return whether the facts know of a purchase on a later day than a message's."""
        space = self._workspace
        if not space.has_facts:
            return False
        profiles = LiveAudience(space).describe([person], at, ["last_order_on"])
        last = profiles.get(person, {}).get("last_order_on")
        zone = ZoneInfo(space.config.workspace.timezone)
        return last is not None and last > message_at.astimezone(zone).date()

    def _products(self, person: str, at: datetime) -> tuple[str, ...]:
        shown = load_blocks(self._workspace, [person], [BLOCK], at)[person][BLOCK]
        return tuple(str(one["name"]) for one in shown if one["name"])[:MOST]

    def _lead(self, offer: KeptOffer | None) -> str:
        shop = self._workspace.config.shop
        if offer is None or not offer.is_applied:
            return shop.url
        return shop.code_url.replace("{code}", quote(offer.code, safe=""))


def _touch_of(about: str) -> int:
    return int(about.partition(" ")[0])
