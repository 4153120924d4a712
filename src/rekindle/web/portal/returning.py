"""The way back: what was kept for somebody, and one button that leads there.

A GET shows and a POST leads on; neither changes anything for the person, so a link that is
opened by a scanner, opened twice or passed on does no harm. What a stranger who holds it
sees is said in docs/SECURITY.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from rekindle.consent import LinkPurpose
from rekindle.content import KeptOffer, OfferFate, WayBack
from rekindle.errors import WorkError
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.interfaces import WaysBack
from rekindle.web.portal.rendering import Renderer, Voice, allow_forms_to

SAID_OF_OFFERS = {OfferFate.LAPSED: "back_lapsed", OfferFate.REDEEMED: "back_used"}

logger = logging.getLogger(__name__)


class Returning:
    """The view, for one business."""

    def __init__(self, ways: WaysBack, secret: bytes, shop_name: Callable[[], str]) -> None:
        self._ways, self._secret = ways, secret
        self._renderer = Renderer(shop_name)

    @open_to_anyone("the signed token in the address says what is shown; it runs out")
    def back(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what was kept for somebody; lead to the shop on POST."""
        link, refusal = self._renderer.read(request, self._secret, LinkPurpose.RETURN, token)
        if link is None:
            return refusal
        voice = self._renderer.voice(request)
        try:
            if link.is_over(self._ways.now()):
                return self._over(voice)
            if request.method == "POST" and (url := self._ways.lead(link.about, link.person)):
                return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
            way = self._ways.look(link.about)
            if way is None:
                return self._over(voice)
        except WorkError:
            logger.exception("a way back could not be shown")
            return self._renderer.try_again(voice)
        return self._show(self._renderer.voice(request, country=way.country), way)

    def _show(self, voice: Voice, way: WayBack) -> HttpResponse:
        again = "again_" if way.has_returned else ""
        shown: dict[str, Any] = {
            "heading": voice.say(f"back_{again}heading"),
            "text": voice.say(f"back_{again}text"),
            "products": way.products,
            "basket": way.basket,
            "offer": None if way.offer is None else _told(voice, way.offer),
            "leads": bool(way.url),
        }
        response = self._renderer.page("back.html", voice, **shown)
        return allow_forms_to(response, _origin(way.url)) if way.url else response

    def _over(self, voice: Voice) -> HttpResponse:
        """Say of a link that ran out, or whose message is gone, no more than the way to the shop.

        One page for both: that somebody was forgotten is nobody else's business.
        """
        shown: dict[str, Any] = {"front": self._ways.front()}
        return self._renderer.page("back-over.html", voice, HTTPStatus.GONE, **shown)


def _told(voice: Voice, offer: KeptOffer) -> dict[str, str]:
    day = voice.day(offer.ends_on)
    if offer.fate is not OfferFate.OPEN:
        said = SAID_OF_OFFERS[offer.fate]
        return {"text": "", "code": "", "note": voice.say(said, offer=offer.text, day=day)}
    note = "" if not offer.code else "back_applied" if offer.is_applied else "back_type"
    told = [voice.say(note)] if note else []
    told.append(voice.say("back_until", day=day))
    return {"text": offer.text, "code": offer.code, "note": " ".join(told)}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
