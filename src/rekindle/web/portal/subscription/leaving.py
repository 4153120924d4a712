"""The page on which a subscriber cancels, or does something else that fits why.

The way to cancel is on the first page, and one press. A GET shows and a POST acts, without a
login: the signed link is the permission. What somebody told is written down before the biller
is asked; where the biller does not answer it waits, is done later, and the page says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from rekindle.billing import (
    BilledPlan,
    BilledStanding,
    Biller,
    Instruction,
    InstructionKind,
    SubscriptionState,
    is_so,
    may_instruct,
)
from rekindle.config import LeavingSettings
from rekindle.consent import LinkPurpose, PersonLink
from rekindle.errors import BillerError, BillerRefusedError, WorkError
from rekindle.feedback import ASKED_OF_SUBSCRIBERS, read_reason, read_words
from rekindle.web.access import open_to_anyone
from rekindle.web.portal.rendering import SHOWING, Renderer, Voice, allow_frames_of
from rekindle.web.portal.subscription.pages import Subscribers, read_subscription
from rekindle.web.portal.subscription.staying import (
    MOST_PLANS,
    SubscriptionVoice,
    find_smaller,
    may_pause,
    pause_until,
    tell_question,
    tell_remedies,
    tell_standing,
)
from rekindle.worker import Carried

READ_BYTES = 8192
MOST_FIELDS = 20
# What needs no look at how things stand, so that it can be noted while the biller is away.
PLAIN = frozenset({InstructionKind.CANCEL, InstructionKind.KEEP, InstructionKind.RESUME})

Given = Mapping[str, Sequence[str]]
logger = logging.getLogger(__name__)


class Leavers(Subscribers, Protocol):
    """What the page needs from outside. Whatever asks or writes raises a WorkError."""

    def day_of(self, at: datetime) -> date:
        """Return the day of an instant where the business is."""

    def waiting(self, subscription: str) -> Instruction | None:
        """Return what was told of a subscription and is not done yet."""

    def was_given(self, subscription: str) -> bool:
        """Return whether an offer was taken for a subscription before."""


class LeavingPages:
    """The view, for one business."""

    def __init__(
        self,
        biller: Biller,
        leavers: Leavers,
        secret: bytes,
        shop_name: Callable[[], str],
        settings: LeavingSettings,
    ) -> None:
        self._biller, self._leavers, self._secret = biller, leavers, secret
        self._settings, self._renderer = settings, Renderer(shop_name)

    def routes(self) -> tuple[URLPattern, ...]:
        """Return the address of the page."""
        return (path("leave/<str:token>", self.leave, name="leave"),)

    @open_to_anyone("the signed token names one subscription; it runs out, and logs nobody in")
    def leave(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show how to cancel and what may fit better; do what a button said on POST."""
        response = self._answer(request, token)
        return allow_frames_of(response, self._settings.frames)

    def _answer(self, request: HttpRequest, token: str) -> HttpResponse:
        link, refusal = self._renderer.read(
            request, self._secret, LinkPurpose.LEAVE, token, allowed=(*SHOWING, "POST")
        )
        if link is None:
            return refusal
        voice = self._renderer.voice(request, country=self._leavers.country_of(link.person))
        if link.is_over(self._leavers.now()):
            return self._renderer.page("over.html", voice, HTTPStatus.GONE)
        if not self._leavers.knows(link.person):
            return self._gone(voice)
        given = _read(request)
        if given is None:
            return self._renderer.page("not-found.html", voice, HTTPStatus.BAD_REQUEST)
        try:
            return self._looked(voice, link, given)
        except WorkError:
            logger.exception("a subscription could not be shown or changed")
            return self._renderer.try_again(voice)

    def _looked(self, voice: Voice, link: PersonLink, given: Given) -> HttpResponse:
        looked_at = self._leavers.now()
        try:
            found = self._biller.look(read_subscription(link)[0])
        except BillerRefusedError:
            raise
        except BillerError:
            if (kind := _kind(given)) not in PLAIN:
                raise
            return self._note_blindly(voice, link, kind, given)
        if found is None:
            return self._gone(voice)
        return self._act(voice, link, given, found, looked_at=looked_at)

    def _note_blindly(
        self, voice: Voice, link: PersonLink, kind: InstructionKind, given: Given
    ) -> HttpResponse:
        """Note what somebody told while the biller does not even say how things stand."""
        subscription, evidence = read_subscription(link)
        told, now = Instruction(subscription, kind, "", *_why(given)), self._leavers.now()
        self._leavers.tell(link.person, told, None, looked_at=now, evidence=evidence)
        return self._noted(voice)

    def _act(
        self,
        voice: Voice,
        link: PersonLink,
        given: Given,
        found: BilledStanding,
        *,
        looked_at: datetime,
    ) -> HttpResponse:
        kind, waiting = _kind(given), self._leavers.waiting(found.subscription)
        standing = found if waiting is None else _as_told(found, waiting)
        teller = SubscriptionVoice(voice, standing, self._leavers.day_of)
        if _one(given, "do") == "why" and may_instruct(InstructionKind.CANCEL, standing):
            return self._fitting(teller, given)
        if kind is None:
            return self._shown(teller, note="waiting" if waiting else "")
        told = self._instruction(standing, kind, given)
        if told is None or not may_instruct(kind, standing):
            is_done = told is not None and is_so(told, standing)
            return self._shown(teller, note="" if is_done else "moved")
        evidence = read_subscription(link)[1]
        became = self._leavers.tell(
            link.person, told, standing, looked_at=looked_at, evidence=evidence
        )
        return self._told(teller, told, became)

    def _instruction(
        self, standing: BilledStanding, kind: InstructionKind, given: Given
    ) -> Instruction | None:
        """Return what a button said, None where that is not to be had, or no longer."""
        value, argument = _one(given, "value"), ""
        if kind is InstructionKind.PAUSE:
            months = int(value) if value in {"1", "2", "3"} else 0
            if months not in self._settings.pause_months or not may_pause(standing):
                return None
            argument = pause_until(standing, months).isoformat()
        elif kind is InstructionKind.PLAN:
            if value not in {one.price_id for one in self._plans(standing)}:
                return None
            argument = value
        elif kind is InstructionKind.OFFER:
            argument = self._settings.discount
            if not argument or self._leavers.was_given(standing.subscription):
                return None
        return Instruction(standing.subscription, kind, argument, *_why(given))

    def _plans(self, standing: BilledStanding) -> list[BilledPlan]:
        """Return the smaller plans there are for whoever has this one."""
        if not may_instruct(InstructionKind.PLAN, standing):
            return []
        quantity = standing.before.quantity
        asked = (self._biller.find_plan(one, quantity=quantity) for one in self._settings.plans)
        found = sorted(find_smaller(standing, asked), key=lambda one: -one.amount.amount)
        return found[:MOST_PLANS]

    def _fitting(self, teller: SubscriptionVoice, given: Given) -> HttpResponse:
        """Show what fits a reason, and the button that cancels all the same."""
        reason, words = _why(given)
        plans = self._plans(teller.standing) if self._settings.plans else []
        remedies = tell_remedies(
            teller,
            read_reason(reason),
            self._settings,
            plans,
            was_given=self._leavers.was_given(teller.standing.subscription),
        )
        shown = tell_question(teller, has_reasons=False)
        if remedies:
            shown |= {"heading": teller.say("fits_heading"), "rather": teller.say("rather")}
        else:
            shown["note"] = teller.say("thanks")
        shown |= {"remedies": remedies, "reason": reason, "words": words}
        return self._page(teller.voice, shown)

    def _shown(self, teller: SubscriptionVoice, *, note: str = "") -> HttpResponse:
        """Show how things stand, and what can be done from there."""
        standing = teller.standing
        is_open = may_instruct(InstructionKind.CANCEL, standing)
        if is_open and standing.state is not SubscriptionState.PAUSED:
            shown = tell_question(teller, has_reasons=True)
        else:
            shown = tell_standing(teller)
        shown["note"] = teller.say(note) if note else ""
        return self._page(teller.voice, shown)

    def _told(self, teller: SubscriptionVoice, told: Instruction, became: Carried) -> HttpResponse:
        """Say what became of what somebody told."""
        if became is Carried.WAITING:
            return self._noted(teller.voice)
        standing = teller.standing
        if became is not Carried.DONE:
            found = self._biller.look(standing.subscription)
            if found is None:
                return self._gone(teller.voice)
            return self._shown(replace(teller, standing=found), note="moved")
        if told.kind in {InstructionKind.CANCEL, InstructionKind.PAUSE}:
            return self._shown(replace(teller, standing=_as_told(standing, told)))
        return self._page(
            teller.voice,
            {
                "heading": teller.say(f"{told.kind}_done_heading"),
                "text": teller.say(f"{told.kind}_done_text"),
            },
        )

    def _noted(self, voice: Voice) -> HttpResponse:
        shown = {name: voice.say(f"sub_noted_{name}") for name in ("heading", "text")}
        return self._page(voice, shown, HTTPStatus.ACCEPTED)

    def _gone(self, voice: Voice) -> HttpResponse:
        shown = {name: voice.say(f"sub_gone_{name}") for name in ("heading", "text")}
        return self._page(voice, shown, HTTPStatus.GONE)

    def _page(
        self, voice: Voice, shown: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK
    ) -> HttpResponse:
        reasons = [
            {"value": one.value, "text": voice.say(f"why_{one}")} for one in ASKED_OF_SUBSCRIBERS
        ]
        return self._renderer.page("leave.html", voice, status, **{"reasons": reasons, **shown})


def _as_told(standing: BilledStanding, told: Instruction) -> BilledStanding:
    """Return how a subscription stands once what somebody told is done."""
    match told.kind:
        case InstructionKind.CANCEL:
            return replace(standing, leaves_at=standing.leaves_at or standing.paid_until)
        case InstructionKind.KEEP:
            return replace(standing, leaves_at=None)
        case InstructionKind.PAUSE:
            until = datetime.fromisoformat(told.argument)
            return replace(standing, state=SubscriptionState.PAUSED, resumes_at=until)
        case InstructionKind.RESUME:
            return replace(standing, state=SubscriptionState.ACTIVE, resumes_at=None)
        case _:
            return standing


def _read(request: HttpRequest) -> Given | None:
    """Return what a form says, nothing where none was sent; None where it is none of ours."""
    if request.method != "POST":
        return {}
    try:
        body = request.read(READ_BYTES).decode("utf-8", "replace")
        return parse_qs(body, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None


def _one(given: Given, name: str) -> str:
    """Return a field; of a form whose button names it as well, what the button says."""
    return given.get(name, [""])[-1]


def _kind(given: Given) -> InstructionKind | None:
    word = _one(given, "do")
    return InstructionKind(word) if word in set(InstructionKind) else None


def _why(given: Given) -> tuple[str, str]:
    """Return the reason and the words of a form; of who gave none, neither."""
    words = read_words(_one(given, "words"))
    word = _one(given, "reason")
    if not word and not words:
        return "", ""
    return read_reason(word).value, words
