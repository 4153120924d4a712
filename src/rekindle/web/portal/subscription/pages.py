"""The pages of one subscription: coming back to it, and another card for it.

A GET shows and a POST acts, on what the page said and nothing else. Nobody is logged in: who
holds the link may start again what ended, at the price that is shown, by the card that is
saved; see a plan, a price and the last four digits of a card; and no more (docs/SECURITY.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from rekindle.billing import (
    BilledStanding,
    Biller,
    Charge,
    ChargeOutcome,
    Comeback,
    Instruction,
    InstructionKind,
    SubscriptionState,
)
from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.errors import BillerRefusedError, WorkError
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.rendering import SHOWING, Renderer, Voice
from rekindle.web.portal.subscription.telling import (
    KeptThings,
    tell_comeback,
    tell_kept,
    tell_owing,
    tell_why,
)
from rekindle.worker import Carried

READ_BYTES = 2048
RETURN_WITHIN = timedelta(hours=1)
"""How long somebody may take on the provider's page for another card."""

logger = logging.getLogger(__name__)


class Subscribers(Protocol):
    """What the pages need from outside."""

    def now(self) -> datetime:
        """Return the present."""

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""

    def kept(self, person: str) -> KeptThings | None:
        """Return what is or was kept for somebody who left; None where nothing is on record."""

    def page(self, name: str, token: str) -> str:
        """Return the whole address of a page."""

    def tell(
        self,
        person: str,
        told: Instruction,
        standing: BilledStanding | None,
        *,
        looked_at: datetime,
        evidence: str,
    ) -> Carried:
        """Write down what somebody told, and do it; ``standing`` is None while nobody knows."""

    def call_off(self, subscription: str) -> None:
        """Let nothing that was told of a subscription before wait any more."""

    def came_back(self, person: str, instead_of: str, subscription: str) -> None:
        """Have somebody's access restored, who came back and paid just now. Never raises."""


class SubscriptionPages:
    """The views, for one business."""

    def __init__(
        self,
        biller: Biller,
        subscribers: Subscribers,
        secret: bytes,
        shop_name: Callable[[], str],
    ) -> None:
        self._biller, self._subscribers, self._secret = biller, subscribers, secret
        self._renderer = Renderer(shop_name)

    def routes(self) -> tuple[URLPattern, ...]:
        """Return the addresses of the pages."""
        return (
            path("s/<str:token>", self.show, name="subscription"),
            path("card/<str:token>", self.card, name="card"),
        )

    @open_to_anyone("the signed token names one subscription; it runs out, and logs nobody in")
    def show(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show how a subscription stands; do what the page's button said on POST."""
        link, answer = self._open(request, LinkPurpose.SUBSCRIPTION, token, (*SHOWING, "POST"))
        if link is None:
            return answer
        voice = self._voice(request, link)
        looked_at = self._subscribers.now()
        try:
            standing = self._look(link)
            if standing is None:
                return self._say(voice, "gone", HTTPStatus.GONE)
            if request.method == "POST":
                return self._act(request, voice, link, standing, looked_at=looked_at)
            return self._shown(voice, link, standing)
        except WorkError:
            return self._could_not(voice)

    @open_to_anyone("the signed token was made for one return from the provider's page")
    def card(self, request: HttpRequest, token: str) -> HttpResponse:
        """Take the card that was just saved at the provider, and pay by it what is open.

        It is the second half of a POST: its address was made by one, is known to that browser
        alone, works for an hour, and does nothing without a new card.
        """
        link, answer = self._open(request, LinkPurpose.CARD, token, ("GET",))
        if link is None:
            return answer
        voice, (subscription, before) = self._voice(request, link), read_subscription(link)
        key = f"{subscription}:{int(link.until.timestamp())}"
        try:
            charge = self._biller.adopt_card(subscription, instead_of=before, key=key)
        except BillerRefusedError:
            return self._shown_anew(voice, link, note="sub_other_none", has_button=False)
        except WorkError:
            return self._could_not(voice)
        if charge is None:
            return self._say(voice, "saved")
        if charge.outcome in {ChargeOutcome.PAID, ChargeOutcome.CLOSED}:
            return self._say(voice, "paid")
        return self._step(voice, charge)

    def _act(
        self,
        request: HttpRequest,
        voice: Voice,
        link: PersonLink,
        standing: BilledStanding,
        *,
        looked_at: datetime,
    ) -> HttpResponse:
        """Do what the button said, if that is still what there is to do."""
        given = parse_qs(request.read(READ_BYTES).decode("utf-8", "replace"))
        wanted, price = given.get("do", [""])[0], given.get("price", [""])[0]
        if wanted != _to_do(standing):
            return self._shown(voice, link, standing)
        if wanted == "back":
            return self._come_back(voice, link, standing, price)
        if wanted == "resume":
            return self._go_on(voice, link, standing, looked_at=looked_at)
        return self._lead_to_card(voice, link, standing)

    def _go_on(
        self, voice: Voice, link: PersonLink, standing: BilledStanding, *, looked_at: datetime
    ) -> HttpResponse:
        """Let a pause end, as an instruction: it overtakes what waits and was told before."""
        told = Instruction(standing.subscription, InstructionKind.RESUME)
        _, evidence = read_subscription(link)
        became = self._subscribers.tell(
            link.person, told, standing, looked_at=looked_at, evidence=evidence
        )
        if became is Carried.DONE:
            return self._say(voice, "running")
        if became is Carried.WAITING:
            return self._say(voice, "noted", HTTPStatus.ACCEPTED)
        return self._shown_anew(voice, link)

    def _come_back(
        self, voice: Voice, link: PersonLink, standing: BilledStanding, price: str
    ) -> HttpResponse:
        _, touch = read_subscription(link)
        # Where the same subscription runs again, a cancellation of before would end it.
        self._subscribers.call_off(standing.subscription)
        try:
            back = self._biller.reactivate(standing.subscription, price, key=touch)
        except BillerRefusedError:
            return self._shown_anew(voice, link, note="sub_new_price")
        if back.outcome is ChargeOutcome.PAID:
            former = back.takes_place_of(standing.subscription)
            self._subscribers.came_back(link.person, former, back.subscription)
            return self._say(voice, "on")
        return self._step(voice, back)

    def _lead_to_card(
        self, voice: Voice, link: PersonLink, standing: BilledStanding
    ) -> HttpResponse:
        until = self._subscribers.now() + RETURN_WITHIN
        card = standing.card.id if standing.card else "-"
        about = f"{standing.subscription} {card}"
        token = sign_link(self._secret, LinkPurpose.CARD, PersonLink(link.person, until, about))
        return_url = self._subscribers.page("card", token)
        url = self._biller.card_page(standing.subscription, return_url=return_url)
        why = standing.open_invoice.decline_code if standing.open_invoice else ""
        answer = self._step_to(voice, url, tell_why(voice, why))
        answer["Refresh"] = f"0; url={url}"  # a form may not lead to other sites, a page may
        return answer

    def _step(self, voice: Voice, became: Charge | Comeback) -> HttpResponse:
        asks = became.outcome is ChargeOutcome.AUTHENTICATE and not became.decline_code
        code = "authentication_required" if asks else became.decline_code
        return self._step_to(voice, became.page_url, tell_why(voice, code))

    def _step_to(self, voice: Voice, url: str, why: str) -> HttpResponse:
        shown: dict[str, Any] = {
            "heading": voice.say("sub_step_heading"),
            "text": voice.say("sub_step_text", why=why),
            "link": url if url.startswith("https://") else "",
        }
        return self._renderer.page("subscription.html", voice, **shown)

    def _shown_anew(self, voice: Voice, link: PersonLink, **more: Any) -> HttpResponse:
        """Show how a subscription stands after all, where what was asked for was not to be had."""
        standing = self._look(link)
        if standing is None:
            return self._say(voice, "gone", HTTPStatus.GONE)
        return self._shown(voice, link, standing, **more)

    def _shown(
        self,
        voice: Voice,
        link: PersonLink,
        standing: BilledStanding,
        *,
        note: str = "",
        has_button: bool = True,
    ) -> HttpResponse:
        wanted = _to_do(standing)
        if not wanted:
            is_gone = standing.state is SubscriptionState.ENDED and not standing.successor
            return self._say(voice, "unsold" if is_gone else "running")
        shown: dict[str, Any] = {"note": voice.say(note) if note else "", "do": wanted}
        if wanted == "back":
            shown |= tell_comeback(voice, standing)
            shown |= tell_kept(voice, self._subscribers.kept(link.person))
        elif wanted == "resume":
            shown |= {name: voice.say(f"sub_paused_{name}") for name in ("heading", "text")}
            shown["button"] = voice.say("sub_paused_button")
        else:
            shown |= tell_owing(voice, standing)
        if not has_button:
            shown["button"] = ""
        return self._renderer.page("subscription.html", voice, **shown)

    def _look(self, link: PersonLink) -> BilledStanding | None:
        """Return how it stands; nothing of who was forgotten."""
        known = self._subscribers.knows(link.person)
        return self._biller.look(read_subscription(link)[0]) if known else None

    def _open(
        self, request: HttpRequest, purpose: LinkPurpose, token: str, allowed: tuple[str, ...]
    ) -> tuple[PersonLink | None, HttpResponse]:
        link, refusal = self._renderer.read(request, self._secret, purpose, token, allowed=allowed)
        if link is not None and link.is_over(self._subscribers.now()):
            voice = self._renderer.voice(request)
            return None, self._renderer.page("over.html", voice, HTTPStatus.GONE)
        return link, refusal

    def _voice(self, request: HttpRequest, link: PersonLink) -> Voice:
        country = self._subscribers.country_of(link.person)
        return self._renderer.voice(request, country=country)

    def _say(self, voice: Voice, what: str, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
        shown: dict[str, Any] = {
            name: voice.say(f"sub_{what}_{name}") for name in ("heading", "text")
        }
        return self._renderer.page("subscription.html", voice, status, **shown)

    def _could_not(self, voice: Voice) -> HttpResponse:
        logger.exception("a subscription could not be shown or changed")
        return self._renderer.try_again(voice)


def _to_do(standing: BilledStanding) -> str:
    """Return what the page's button does: `back`, `resume`, `card`, or "" for no button."""
    match standing.state:
        case SubscriptionState.ENDED:
            return "back" if standing.now is not None and not standing.successor else ""
        case SubscriptionState.PAUSED:
            return "resume"
        case SubscriptionState.OWING | SubscriptionState.STARTING:
            return "card"
        case _:
            return ""


def read_subscription(link: PersonLink) -> tuple[str, str]:
    """Return the subscription a link is about, and what else it says."""
    subscription, _, rest = link.about.partition(" ")
    return subscription, rest
