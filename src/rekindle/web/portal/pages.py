"""The pages themselves. A GET shows, a POST acts: mail scanners follow every link.

There is no session, cookie or CSRF token: a mail program posts without having seen the
page (RFC 8058 section 3.2), and the signed token in the address is all the permission
there is.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import Context, Engine
from django.utils.safestring import mark_safe

from rekindle.consent import OptOutLink, read_unsubscribe
from rekindle.errors import WorkError
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.interfaces import Clicks, NoClicks, OptOuts
from rekindle.web.portal.visits import is_machine

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
SHOWING = ("GET", "HEAD")
ONE_CLICK = b"One-Click"
EVERYTHING = b"scope=everything"
# The whole body RFC 8058 asks for has 26 bytes; nobody needs to make us read more.
READ_BYTES = 1024
RETRY_SECONDS = 60

logger = logging.getLogger(__name__)


class Pages:
    """The views, for one business."""

    def __init__(
        self,
        opt_outs: OptOuts,
        secret: bytes,
        find_trouble: Callable[[], str] = lambda: "",
        clicks: Clicks | None = None,
    ) -> None:
        self._clicks = NoClicks() if clicks is None else clicks
        self._opt_outs = opt_outs
        self._secret = secret
        self._find_trouble = find_trouble

    @open_to_anyone("the signed token in the address is the permission; no login, RFC 8058")
    def unsubscribe(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the question on GET; take the person off the list on POST."""
        link = read_unsubscribe(self._secret, token)
        if link is None:
            return self.not_found(request)
        if request.method == "POST":
            return self._leave(request, link)
        if request.method in SHOWING:
            return self._page("unsubscribe.html", channel=link.channel)
        return self._refuse_method((*SHOWING, "POST"))

    @open_to_anyone("the signed token in the address says where it leads, to the shop's own pages")
    def click(self, request: HttpRequest, token: str) -> HttpResponse:
        """Lead to a page of the shop, and keep that somebody went there."""
        if request.method not in SHOWING:
            return self._refuse_method(SHOWING)
        url = self._clicks.follow(token, is_machine=is_machine(request))
        return HttpResponseRedirect(url) if url else self.not_found(request)

    @open_to_anyone("it says what this address is for, and nothing about anybody")
    def home(self, request: HttpRequest) -> HttpResponse:
        """Say what this address is for, to whoever cuts a link down to it."""
        if request.method not in SHOWING:
            return self._refuse_method(SHOWING)
        return self._page("home.html")

    @open_to_anyone("it says whether ledger and worker are well, and nothing about anybody")
    def health(self, request: HttpRequest) -> HttpResponse:
        """Answer a load balancer: 200 if ledger and worker are well, else 503 and why."""
        if request.method not in SHOWING:
            return self._refuse_method(SHOWING)
        trouble = self._find_trouble()
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
        text = f"{trouble or 'ok'}\n"
        return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)

    def not_found(self, request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        """Say that a link is cut off, forged or leads nowhere."""
        return self._page("not-found.html", HTTPStatus.NOT_FOUND)

    def bad_request(self, request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        """Say that a request was not understood."""
        return self._page("not-found.html", HTTPStatus.BAD_REQUEST)

    def failed(self, request: HttpRequest) -> HttpResponse:
        """Say that nothing was recorded, and to try again."""
        return self._page("failed.html", HTTPStatus.INTERNAL_SERVER_ERROR)

    def _leave(self, request: HttpRequest, link: OptOutLink) -> HttpResponse:
        body = request.read(READ_BYTES)
        source = "one_click" if ONE_CLICK in body else "page"
        channel = "" if EVERYTHING in body else link.channel
        try:
            self._opt_outs.unsubscribe(link.person, link.list_id, at_source=source, channel=channel)
        except WorkError:
            logger.exception("an unsubscribe could not be recorded")
            response = self._page("failed.html", HTTPStatus.SERVICE_UNAVAILABLE)
            response["Retry-After"] = str(RETRY_SECONDS)
            return response
        # Not a redirect to a page of its own: RFC 8058 section 3.1 forbids one.
        return self._page("unsubscribed.html", channel=channel)

    def _refuse_method(self, allowed: tuple[str, ...]) -> HttpResponse:
        response = self._page("not-found.html", HTTPStatus.METHOD_NOT_ALLOWED)
        response["Allow"] = ", ".join(allowed)
        return response

    def _page(
        self, name: str, status: HTTPStatus = HTTPStatus.OK, *, channel: str = ""
    ) -> HttpResponse:
        # The style is marked safe as it is ours, and a hash of it opens the policy for it.
        shop = self._opt_outs.shop_name()
        context = Context({"shop": shop, "style": mark_safe(STYLE), "channel": channel})
        return HttpResponse(_engine().get_template(name).render(context), status=status)


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(TEMPLATES)])
