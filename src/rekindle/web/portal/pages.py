"""The pages themselves. A GET shows, a POST acts: mail scanners follow every link.

There is no session, cookie or CSRF token: a mail program posts without having seen the
page (RFC 8058 section 3.2), and the signed token in the address is all the permission
there is.
"""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from rekindle.consent import OptOutLink, read_unsubscribe
from rekindle.errors import WorkError
from rekindle.feedback import ASKED_OF_READERS, read_reason, read_words
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.choosing import Choosing
from rekindle.web.portal.interfaces import Clicks, NoClicks, NoOpens, Opens, OptOuts
from rekindle.web.portal.rendering import SHOWING, Renderer, Voice
from rekindle.web.portal.visits import is_machine, is_opening_machine

ONE_CLICK = b"One-Click"
EVERYTHING = b"scope=everything"
WHY = b"scope=why"
# The whole body RFC 8058 asks for has 26 bytes; of an answer in words we read so much.
READ_BYTES = 8192
# The smallest GIF there is, of one transparent dot.
DOT = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

logger = logging.getLogger(__name__)


class Pages:
    """The views, for one business."""

    def __init__(
        self,
        opt_outs: OptOuts,
        secret: bytes,
        find_trouble: Callable[[], str] = lambda: "",
        clicks: Clicks | None = None,
        choosing: Choosing | None = None,
        opens: Opens | None = None,
    ) -> None:
        self._opens = NoOpens() if opens is None else opens
        self._clicks = NoClicks() if clicks is None else clicks
        self._opt_outs = opt_outs
        self._secret = secret
        self._find_trouble = find_trouble
        self._choosing = choosing
        self._renderer = Renderer(opt_outs.shop_name)

    @open_to_anyone("the signed token in the address is the permission; no login, RFC 8058")
    def unsubscribe(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the question on GET; take the person off the list on POST."""
        link = read_unsubscribe(self._secret, token)
        if link is None:
            return self.not_found(request)
        if request.method == "POST":
            return self._leave(request, link)
        if request.method in SHOWING:
            choose_url = self._choosing.url_for(link.person) if self._choosing else ""
            voice = self._voice(request, link, link.channel)
            shown: dict[str, Any] = {"channel": link.channel, "choose_url": choose_url}
            return self._renderer.page("unsubscribe.html", voice, **shown)
        return self._refuse_method(request, (*SHOWING, "POST"))

    @open_to_anyone("the signed token in the address says where it leads, to the shop's own pages")
    def click(self, request: HttpRequest, token: str) -> HttpResponse:
        """Lead to a page of the shop, and keep that somebody went there."""
        if request.method not in SHOWING:
            return self._refuse_method(request, SHOWING)
        url = self._clicks.follow(token, is_machine=is_machine(request))
        return HttpResponseRedirect(url) if url else self.not_found(request)

    @open_to_anyone("the signed token in the address names a message; it shows a dot to anybody")
    def opening(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the picture of a message, and keep that it was loaded: nothing else changes."""
        if request.method not in SHOWING:
            return self._refuse_method(request, SHOWING)
        if request.method == "GET" and not self._opens.notice(
            token, is_machine=is_opening_machine(request)
        ):
            return self.not_found(request)
        return HttpResponse(DOT, content_type="image/gif")

    @open_to_anyone("it says what this address is for, and nothing about anybody")
    def home(self, request: HttpRequest) -> HttpResponse:
        """Say what this address is for, to whoever cuts a link down to it."""
        if request.method not in SHOWING:
            return self._refuse_method(request, SHOWING)
        return self._page("home.html", request)

    @open_to_anyone("it says whether ledger and worker are well, and nothing about anybody")
    def health(self, request: HttpRequest) -> HttpResponse:
        """Answer a load balancer: 200 if ledger and worker are well, else 503 and why."""
        if request.method not in SHOWING:
            return self._refuse_method(request, SHOWING)
        trouble = self._find_trouble()
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
        text = f"{trouble or 'ok'}\n"
        return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)

    def not_found(self, request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        """Say that a link is cut off, forged or leads nowhere."""
        return self._page("not-found.html", request, HTTPStatus.NOT_FOUND)

    def bad_request(self, request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        """Say that a request was not understood."""
        return self._page("not-found.html", request, HTTPStatus.BAD_REQUEST)

    def failed(self, request: HttpRequest) -> HttpResponse:
        """Say that nothing was recorded, and to try again."""
        return self._page("failed.html", request, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _leave(self, request: HttpRequest, link: OptOutLink) -> HttpResponse:
        body = request.read(READ_BYTES)
        if self._choosing is not None and WHY in body:
            return self._answer(request, link, body)
        source = "one_click" if ONE_CLICK in body else "page"
        channel = "" if EVERYTHING in body else link.channel
        try:
            self._opt_outs.unsubscribe(link.person, link.list_id, at_source=source, channel=channel)
        except WorkError:
            return self._could_not(request, "an unsubscribe")
        voice = self._voice(request, link, channel)
        reasons = [{"value": one, "text": voice.say(f"why_{one}")} for one in ASKED_OF_READERS]
        shown: dict[str, Any] = {"channel": channel, "reasons": reasons if self._choosing else []}
        # Not a redirect to a page of its own: RFC 8058 section 3.1 forbids one.
        return self._renderer.page("unsubscribed.html", voice, **shown)

    def _answer(self, request: HttpRequest, link: OptOutLink, body: bytes) -> HttpResponse:
        """Keep why somebody left; what is no reason of ours is another one."""
        assert self._choosing is not None
        given = parse_qs(body.decode("utf-8", "replace"))
        reason = read_reason(given.get("reason", [""])[0])
        words = read_words(given.get("words", [""])[0])
        try:
            self._choosing.customers.answer(link.person, reason, words)
        except WorkError:
            return self._could_not(request, "an answer")
        return self._renderer.page("thanks.html", self._voice(request, link))

    def _could_not(self, request: HttpRequest, what: str) -> HttpResponse:
        logger.exception("%s could not be recorded", what)
        return self._renderer.try_again(self._renderer.voice(request))

    def _voice(self, request: HttpRequest, link: OptOutLink, channel: str = "") -> Voice:
        choosing = self._choosing
        country = choosing.customers.country_of(link.person) if choosing else None
        return self._renderer.voice(request, country=country, channel=channel)

    def _refuse_method(self, request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
        return self._renderer.refuse_method(self._renderer.voice(request), allowed)

    def _page(
        self, name: str, request: HttpRequest, status: HTTPStatus = HTTPStatus.OK
    ) -> HttpResponse:
        return self._renderer.page(name, self._renderer.voice(request), status)
