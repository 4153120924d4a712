"""What the page on which people cancel shows: what there is, what fits a reason, what was done.

Nothing is decided here but what may be shown; every button's form says what it does.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from rekindle.billing import (
    BilledPlan,
    BilledStanding,
    InstructionKind,
    SubscriptionState,
    may_instruct,
)
from rekindle.config import LeavingSettings
from rekindle.feedback import REMEDIES, LeaveReason, Remedy
from rekindle.vocabulary import Money
from rekindle.web.portal.rendering import Voice
from rekindle.web.portal.subscription.telling import tell_rhythm

MOST_PLANS = 3
# A pause leaves out payments. Of a plan that is paid for longer it would leave out a year.
MONTHLY_AT_MOST = {"day": 31, "week": 4, "month": 1}
# It ends before the payment that is due again, whose hour may lie on either side otherwise.
BEFORE_PAYMENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SubscriptionVoice:
    """Says things of one subscription to one visitor; ``day_of`` finds the day of an instant."""

    voice: Voice
    standing: BilledStanding
    day_of: Callable[[datetime], date]

    def say(self, name: str, **places: object) -> str:
        """Return a text of these pages."""
        return self.voice.say(f"go_{name}", **places)

    def plan(self, plan: BilledPlan) -> str:
        """Return a plan as people read it: Gold, $10.00 a month."""
        return f"{plan.name}, {plan.amount} {tell_rhythm(self.voice, plan)}"

    def day(self, at: datetime) -> str:
        """Return the day of an instant as the visitor's language writes it."""
        return self.voice.day(self.day_of(at))

    def until(self, name: str, at: datetime | None) -> str:
        """Return a text with a day in it, or the one without where the day is not known."""
        return self.say(f"{name}_open") if at is None else self.say(name, day=self.day(at))


def tell_question(teller: SubscriptionVoice, *, has_reasons: bool) -> dict[str, Any]:
    """Return the first page: what it is, the button that cancels, and the question why."""
    standing = teller.standing
    owed = standing.open_invoice
    return {
        "heading": teller.say("heading"),
        "text": teller.plan(standing.before),
        "more": teller.until("ends", standing.paid_until),
        "owed": teller.say("owed", amount=str(owed.due)) if owed else "",
        "buttons": [_button("cancel", teller.say("button"))],
        "asks": has_reasons,
        "nothing": teller.say("nothing"),
    }


def tell_standing(teller: SubscriptionVoice) -> dict[str, Any]:
    """Return the page of a subscription that was cancelled already, or rests, or is over."""
    standing = teller.standing
    if standing.state is SubscriptionState.ENDED:
        return {"heading": teller.say("ended_heading"), "text": teller.say("ended_text")}
    if standing.leaves_at is not None:
        return {
            "heading": teller.say("cancelled_heading"),
            "text": teller.until("cancelled_text", standing.leaves_at),
            "buttons": [_button("keep", teller.say("keep_button"), second=True)],
        }
    return {
        "heading": teller.say("paused_heading"),
        "text": teller.until("paused_text", standing.resumes_at),
        "buttons": [
            _button("resume", teller.say("resume_button")),
            _button("cancel", teller.say("button"), second=True),
        ],
    }


def tell_remedies(
    teller: SubscriptionVoice,
    reason: LeaveReason,
    settings: LeavingSettings,
    plans: Iterable[BilledPlan],
    *,
    was_given: bool,
) -> list[dict[str, Any]]:
    """Return what fits a reason and can be had, the best first."""
    found: list[dict[str, Any]] = []
    for remedy in REMEDIES.get(reason, ()):
        match remedy:
            case Remedy.PAUSE:
                buttons = list(_pauses(teller, settings))
            case Remedy.PLAN:
                buttons = [
                    _button("plan", teller.say("plan_button", plan=teller.plan(one)), one.price_id)
                    for one in plans
                ]
            case Remedy.OFFER:
                can = settings.discount and not was_given
                has = can and may_instruct(InstructionKind.OFFER, teller.standing)
                buttons = [_button("offer", teller.say("offer_button"))] if has else []
            case Remedy.HELP:
                buttons = []
        url = settings.help_url if remedy is Remedy.HELP else ""
        if buttons or url:
            text = settings.offer if remedy is Remedy.OFFER else teller.say(f"{remedy}_text")
            heading = teller.say(f"{remedy}_heading")
            found.append({"heading": heading, "text": text, "buttons": buttons, "url": url})
    return found


def find_smaller(
    standing: BilledStanding, plans: Iterable[BilledPlan | None]
) -> Iterator[BilledPlan]:
    """Yield the plans that cost less, in the same rhythm and currency.

    What stands beside the plan goes on, and is in what each of them would cost.
    """
    before = standing.before
    for one in plans:
        if one is None or one.amount.currency != before.amount.currency:
            continue
        rhythms = (one.interval, one.interval_count), (before.interval, before.interval_count)
        cost = one.amount.amount + before.besides
        if rhythms[0] == rhythms[1] and cost < before.amount.amount:
            yield replace(one, amount=Money(cost, one.amount.currency), besides=before.besides)


def may_pause(standing: BilledStanding) -> bool:
    """Return whether a pause is to be had: of what is paid monthly or more often, and runs."""
    plan = standing.before
    is_short = plan.interval_count <= MONTHLY_AT_MOST.get(plan.interval, 0)
    is_dated = standing.paid_until is not None
    return is_short and is_dated and may_instruct(InstructionKind.PAUSE, standing)


def pause_until(standing: BilledStanding, months: int) -> datetime:
    """Return when a pause ends that begins when what was paid for is over."""
    assert standing.paid_until is not None
    begins = standing.paid_until
    place = begins.month - 1 + months
    year, month = begins.year + place // 12, place % 12 + 1
    day = min(begins.day, calendar.monthrange(year, month)[1])
    return begins.replace(year=year, month=month, day=day) - BEFORE_PAYMENT


def _pauses(teller: SubscriptionVoice, settings: LeavingSettings) -> Iterator[dict[str, Any]]:
    if not may_pause(teller.standing):
        return
    for months in sorted(set(settings.pause_months)):
        day = teller.day(pause_until(teller.standing, months))
        name = "pause_month" if months == 1 else "pause_months"
        yield _button("pause", teller.say(name, count=months, day=day), str(months))


def _button(do: str, text: str, value: str = "", *, second: bool = False) -> dict[str, Any]:
    return {"do": do, "text": text, "value": value, "second": second}
