"""The preference centre: what somebody hears of, how often, from when; their data, and the end.

Every page has a link of its own that runs out. A GET shows, a POST acts; what cannot be taken
back is asked for twice, by a link that works for an hour.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from rekindle.consent import LinkPurpose, PendingState, PersonLink, sign_link
from rekindle.errors import WorkError
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.interfaces import Choices, Chosen, Customers
from rekindle.web.portal.languages import name_channel
from rekindle.web.portal.rendering import Renderer, Voice

ASKED_AGAIN_WITHIN = timedelta(hours=1)
# Said of a link that a page gives which anybody may have been sent on and which never runs out:
# by it somebody hears less, but gives no permission, and nobody's data are handed out or erased.
LESS_ALONE = "wishes"
READ_BYTES = 16_384
MOST_FIELDS = 200
RATES: Mapping[str, int | None] = {"any": None, "week": 7, "month": 30, "quarter": 90}
SPANS = (30, 60, 90)
LONGEST_SNOOZE = timedelta(days=366)

Given = Mapping[str, Sequence[str]]
logger = logging.getLogger(__name__)


class Choosing:
    """The views, for one business."""

    def __init__(self, customers: Customers, secret: bytes, shop_name: Callable[[], str]) -> None:
        self.customers = customers
        self._secret = secret
        self._renderer = Renderer(shop_name)

    def url_for(self, person: str) -> str:
        """Return the address of somebody's page, from where they unsubscribe; "" for nobody."""
        until = self.customers.now() + ASKED_AGAIN_WITHIN
        return self._page_of(PersonLink(person, until, LESS_ALONE))

    def _page_of(self, link: PersonLink) -> str:
        if not self.customers.knows(link.person):
            return ""
        return f"../p/{sign_link(self._secret, LinkPurpose.PREFERENCES, link)}"

    @open_to_anyone("the signed token in the address is the permission; it runs out")
    def preferences(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what somebody hears of; change it on POST."""
        link, refusal = self._open(request, LinkPurpose.PREFERENCES, token)
        if link is None:
            return refusal
        choices = self.customers.look(link.person)
        if choices is None:
            return self._told(request, "erased")
        if is_less := link.about == LESS_ALONE:
            channels, topics = _those_on(choices.channels), _those_on(choices.topics)
            choices = replace(choices, channels=channels, topics=topics)
        voice = self._renderer.voice(request, country=choices.country)
        if request.method != "POST":
            return self._show(request, voice, choices, is_less=is_less)
        body = request.read(READ_BYTES).decode("utf-8", "replace")
        try:
            given = parse_qs(body, max_num_fields=MOST_FIELDS)
        except ValueError:  # no form of ours has so many fields
            return self._renderer.page("not-found.html", voice, HTTPStatus.BAD_REQUEST)
        try:
            return self._act(request, link, given, choices, voice)
        except WorkError:
            return self._could_not(request, "a wish")

    @open_to_anyone("the signed token in the address is the permission; it works for an hour")
    def export(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask whether to hand out what is on record; hand it out on POST."""
        link, refusal = self._open(request, LinkPurpose.EXPORT, token)
        if link is None:
            return refusal
        if request.method != "POST":
            return self._ask(request, "export", link)
        try:
            response = HttpResponse(
                self.customers.export(link.person), content_type="application/json; charset=utf-8"
            )
        except WorkError:
            return self._could_not(request, "an export")
        response["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return response

    @open_to_anyone("the signed token in the address is the permission; it works for an hour")
    def erase(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask whether to forget somebody; forget them on POST, and say so ever after."""
        link, refusal = self._open(request, LinkPurpose.ERASE, token)
        if link is None:
            return refusal
        if not self.customers.knows(link.person):
            return self._told(request, "erased")
        if request.method != "POST":
            return self._ask(request, "erase", link)
        try:
            self.customers.erase(link.person)
        except WorkError:
            return self._could_not(request, "an erasure")
        return self._told(request, "erased")

    @open_to_anyone("the signed token in the address is the permission; it runs out")
    def confirm(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask whether somebody meant a yes; record it on POST, unless they said no since."""
        link, refusal = self._open(request, LinkPurpose.CONFIRM, token)
        if link is None:
            return refusal
        found = self.customers.question(link.person, link.about)
        if found is None:
            return self._told(request, "withdrawn", status=HTTPStatus.GONE)
        voice = self._renderer.voice(request, country=found.country)
        words = found.words or voice.say(
            "choose_words", channel=name_channel(voice.texts, found.channel)
        )
        if request.method == "POST":
            try:
                found = self.customers.confirm(link.person, link.about, words)
            except WorkError:
                return self._could_not(request, "a confirmation")
        match found and found.state:
            case PendingState.OPEN if request.method == "POST":
                return self._told(request, "confirmed", voice)
            case PendingState.OPEN:
                return self._ask_to_confirm(voice, words)
            case PendingState.CONFIRMED:
                return self._told(request, "confirmed", voice)
            case PendingState.OVER:
                return self._renderer.page("over.html", voice, HTTPStatus.GONE)
            case _:
                return self._told(request, "withdrawn", voice, HTTPStatus.GONE)

    def _ask_to_confirm(self, voice: Voice, words: str) -> HttpResponse:
        names = ("title", "heading", "button", "nothing")
        shown: dict[str, Any] = {name: voice.say(f"confirm_{name}") for name in names}
        text = voice.say("confirm_text", words=words)
        return self._renderer.page("ask.html", voice, **shown, text=text, action="")

    def _open(
        self, request: HttpRequest, purpose: LinkPurpose, token: str
    ) -> tuple[PersonLink | None, HttpResponse]:
        """Return whom a link is for, or what to answer to one that does not work."""
        link, refusal = self._renderer.read(request, self._secret, purpose, token)
        if link is not None and link.is_over(self.customers.now()):
            voice = self._renderer.voice(request)
            return None, self._renderer.page("over.html", voice, HTTPStatus.GONE)
        return link, refusal

    def _act(
        self, request: HttpRequest, link: PersonLink, given: Given, choices: Choices, voice: Voice
    ) -> HttpResponse:
        person, is_less = link.person, link.about == LESS_ALONE
        match given.get("do", ["save"])[0]:
            case "snooze":
                try:
                    until = self._snooze(given, choices.zone)
                except (ValueError, OverflowError):  # the year 1, in a zone east of Greenwich
                    return HttpResponseRedirect("?", status=HTTPStatus.SEE_OTHER)
                if not is_less or _is_later(until, choices.snoozed_until):
                    self.customers.snooze(person, until)
            case "leave":
                self.customers.leave(person)
            case "export" | "erase" if is_less:
                return self._renderer.page("not-found.html", voice, HTTPStatus.FORBIDDEN)
            case "export" | "erase" as wanted:
                purpose = LinkPurpose(wanted)
                until = self.customers.now() + ASKED_AGAIN_WITHIN
                token = sign_link(self._secret, purpose, PersonLink(person, until))
                return HttpResponseRedirect(f"../{wanted}/{token}", status=HTTPStatus.SEE_OTHER)
            case _:
                wish = self._wish(given, choices, voice)
                self.customers.choose(person, _only_less(wish, choices) if is_less else wish)
        # So that loading the page again does not say it again.
        return HttpResponseRedirect("?saved", status=HTTPStatus.SEE_OTHER)

    def _wish(self, given: Given, choices: Choices, voice: Voice) -> Chosen:
        """Return what the form says otherwise than it was shown, of what it had shown alone."""
        channels = _turned(given, "shown", "channel", of=choices.channels)
        topics = _turned(given, "told", "topic", of=choices.topics)
        often, days = given.get("often", [""])[0], choices.every_days
        rate = days if often in given.get("often_was", ()) else _chosen_rate(often, days)
        return Chosen(channels, topics, rate, {one: _words(voice, one) for one in channels})

    def _snooze(self, given: Given, zone: tzinfo) -> datetime | None:
        """Return until when to be quiet; None to end it.

        Raises:
            ValueError: it names no day to come. A pause that runs goes on.
        """
        now = self.customers.now()
        days = given.get("days", [""])[0]
        if days.isascii() and days.isdigit():
            span = min(timedelta(days=int(days[:6])), LONGEST_SNOOZE)
            return now + span if span else None
        day = date.fromisoformat(given.get("until", [""])[0])
        until = datetime.combine(day, time.min, zone).astimezone(UTC)
        if until <= now:
            raise ValueError(f"{day} is past")
        return min(until, now + LONGEST_SNOOZE)

    def _show(
        self, request: HttpRequest, voice: Voice, choices: Choices, *, is_less: bool
    ) -> HttpResponse:
        now = self.customers.now().astimezone(choices.zone)
        until = choices.snoozed_until and choices.snoozed_until.astimezone(choices.zone)
        snoozed = voice.say("snooze_now", day=voice.day(until)) if until and until > now else ""
        rate = _rate_of(choices.every_days)
        shown: dict[str, Any] = {
            "is_saved": "saved" in request.GET,
            "is_less": is_less,
            "channels": [
                _box(one, _words(voice, one), is_on) for one, is_on in choices.channels.items()
            ],
            "rates": [
                _box(one, voice.say(f"often_{one}"), one == rate)
                for one, days in RATES.items()
                if not is_less or (days or 0) >= (RATES[rate] or 0)
            ],
            "topics": [
                _box(one, one.replace("-", " "), is_on) for one, is_on in choices.topics.items()
            ],
            "spans": [_box(str(one), voice.say("snooze_days", days=one), False) for one in SPANS],
            "snoozed": snoozed,
            "first_day": f"{now + timedelta(days=1):%Y-%m-%d}",
            "last_day": f"{now + LONGEST_SNOOZE:%Y-%m-%d}",
        }
        return self._renderer.page("choose.html", voice, **shown)

    def _ask(self, request: HttpRequest, what: str, link: PersonLink) -> HttpResponse:
        voice = self._renderer.voice(request, country=self.customers.country_of(link.person))
        names = ("title", "heading", "text", "button")
        shown: dict[str, Any] = {name: voice.say(f"{what}_{name}") for name in names}
        # It works no longer than the question: nobody's link lasts by being followed.
        back = self._page_of(PersonLink(link.person, link.until))
        return self._renderer.page("ask.html", voice, **shown, action="", back_url=back)

    def _told(
        self,
        request: HttpRequest,
        what: str,
        voice: Voice | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> HttpResponse:
        voice = voice or self._renderer.voice(request)
        names = ("title", "heading", "text")
        shown: dict[str, Any] = {name: voice.say(f"{what}_{name}") for name in names}
        return self._renderer.page("told.html", voice, status, **shown)

    def _could_not(self, request: HttpRequest, what: str) -> HttpResponse:
        logger.exception("%s could not be recorded", what)
        return self._renderer.try_again(self._renderer.voice(request))


def _turned(given: Given, shown: str, chosen: str, *, of: Collection[str]) -> dict[str, bool]:
    """Return the boxes of one kind that stand otherwise than they were shown, and how.

    What somebody said elsewhere since, as by the link of a message, is not taken back by a page
    that was open all the while. A form that says nothing of how it was shown states each box.
    """
    was, now = given.get(f"{chosen}_was"), given.get(chosen, ())
    boxes = [one for one in given.get(shown, ()) if one in of]
    return {one: one in now for one in boxes if was is None or (one in was) != (one in now)}


def _those_on(choices: Mapping[str, bool]) -> dict[str, bool]:
    return {one: is_on for one, is_on in choices.items() if is_on}


def _only_less(wish: Chosen, choices: Choices) -> Chosen:
    """Return what of a wish lets somebody hear less than they do."""
    channels = {one: is_on for one, is_on in wish.channels.items() if not is_on}
    topics = {one: is_on for one, is_on in wish.topics.items() if not is_on}
    is_rarer = (wish.every_days or 0) > (choices.every_days or 0)
    rate = wish.every_days if is_rarer else choices.every_days
    return Chosen(channels, topics, rate, {})


def _is_later(until: datetime | None, held: datetime | None) -> bool:
    return until is not None and (held is None or until > held)


def _words(voice: Voice, name: str) -> str:
    """Return the exact words that somebody agrees to, of a channel or of something else."""
    own = f"choose_words_{name}"
    if own in voice.texts:
        return voice.say(own)
    return voice.say("choose_words", channel=name_channel(voice.texts, name))


def _box(value: str, text: str, is_on: bool) -> dict[str, Any]:
    return {"value": value, "text": text, "is_on": is_on}


def _rate_of(days: int | None) -> str:
    """Return the button of a rate: the next rarer one of those there are, or else the last."""
    return next((name for name, one in RATES.items() if (one or 0) >= (days or 0)), "quarter")


def _chosen_rate(often: str, days: int | None) -> int | None:
    """Return what a button means to who has a rate: a rarer one of their own, that it stays."""
    chosen = RATES.get(often, days)
    if days is None or chosen is None or often != _rate_of(days):
        return chosen
    return max(days, chosen)
