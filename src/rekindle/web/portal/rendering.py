"""Makes pages of templates and texts, in the language of whoever asks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.utils.safestring import mark_safe

from rekindle.consent import LinkPurpose, PersonLink, read_link
from rekindle.web.portal.languages import (
    Texts,
    choose_language,
    load_texts,
    name_channel,
    say,
    say_day,
)

SHOWING = ("GET", "HEAD")
RETRY_SECONDS = 60
TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()


# https://owasp.org/www-project-secure-headers/: nothing is loaded or framed.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def allow_forms_to(response: HttpResponse, origin: str) -> HttpResponse:
    """Let the forms of a page lead on to an origin: browsers ask it of a redirect as well."""
    response["Content-Security-Policy"] = POLICY.replace("'self'", f"'self' {origin}", 1)
    return response


def allow_frames_of(response: HttpResponse, origins: Sequence[str]) -> HttpResponse:
    """Let pages of these origins show a page in a frame of theirs; of none nobody may."""
    if origins:
        policy, held = response.get("Content-Security-Policy", POLICY), "frame-ancestors 'none'"
        named = f"frame-ancestors {' '.join(origins)}"
        response["Content-Security-Policy"] = policy.replace(held, named)
    return response


class Voice:
    """What a page says to one visitor: its texts, with the shop and a channel in them."""

    def __init__(self, language: str, shop: str, channel: str = "") -> None:
        self.language = language
        self.texts: Texts = load_texts()[language]
        self._places = {"shop": shop, "channel": name_channel(self.texts, channel)}

    def say(self, name: str, **places: object) -> str:
        """Return a text, its places filled in."""
        return say(self.texts, name, **{**self._places, **places})

    def day(self, day: date) -> str:
        """Return a day as the visitor's language writes it."""
        return say_day(self.texts, day)

    @property
    def plain(self) -> Mapping[str, str]:
        """Return every text that needs no more than the shop and the channel."""
        found = {}
        for name, text in self.texts.items():
            try:
                found[name] = text.format(**self._places)
            except KeyError:  # one that the page fills in itself
                continue
        return found


class Renderer:
    """Renders the pages of one shop."""

    def __init__(self, shop_name: Callable[[], str]) -> None:
        self._shop_name = shop_name

    def voice(
        self, request: HttpRequest | None, *, country: str | None = None, channel: str = ""
    ) -> Voice:
        """Return how to speak to whoever asks, who may live in a country."""
        accepted = "" if request is None else request.headers.get("Accept-Language", "")
        return Voice(choose_language(accepted, country), self._shop_name(), channel)

    def read(
        self,
        request: HttpRequest,
        secret: bytes,
        purpose: LinkPurpose,
        token: str,
        *,
        allowed: Sequence[str] = (*SHOWING, "POST"),
    ) -> tuple[PersonLink | None, HttpResponse]:
        """Return whom a signed link is for, or what to answer where it or the method is wrong."""
        voice = self.voice(request)
        if request.method not in allowed:
            return None, self.refuse_method(voice, allowed)
        link = read_link(secret, purpose, token)
        if link is None:
            return None, self.page("not-found.html", voice, HTTPStatus.NOT_FOUND)
        return link, HttpResponse()

    def refuse_method(self, voice: Voice, allowed: Sequence[str]) -> HttpResponse:
        """Return the answer to a method that a page does not know."""
        refusal = self.page("not-found.html", voice, HTTPStatus.METHOD_NOT_ALLOWED)
        refusal["Allow"] = ", ".join(allowed)
        return refusal

    def try_again(self, voice: Voice) -> HttpResponse:
        """Say that nothing was recorded, and to try again in a minute."""
        response = self.page("failed.html", voice, HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response

    def page(
        self, name: str, voice: Voice, status: HTTPStatus = HTTPStatus.OK, **shown: object
    ) -> HttpResponse:
        """Return a page; what it shows is escaped."""
        # The style is marked safe as it is ours, and a hash of it opens the policy for it.
        context = Context(
            {
                "shop": self._shop_name(),
                "style": mark_safe(STYLE),
                "language": voice.language,
                "t": voice.plain,
                **shown,
            }
        )
        response = HttpResponse(_engine().get_template(name).render(context), status=status)
        response["Content-Language"] = voice.language
        response["Vary"] = "Accept-Language"
        return response


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(TEMPLATES)])
