"""What the pages of a subscription say of its price, its card and its failed payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from rekindle.billing import BilledPlan, BilledStanding, SubscriptionState
from rekindle.web.portal.rendering import Voice

# Words that help a person choose what to do; the bank's own code helps nobody.
WHY = {
    "insufficient_funds": "sub_why_funds",
    "expired_card": "sub_why_expired",
    "authentication_required": "sub_why_ask",
    "missing": "sub_why_none",
    "": "sub_why_none",
}
UNITS = frozenset({"day", "week", "month", "year"})
KEPT = {"kept": "sub_kept_until", "over": "sub_kept_over", "deleted": "sub_kept_gone"}


@dataclass(frozen=True, slots=True)
class KeptThings:
    """What is kept for somebody, in the business's words, and its last day.

    ``state`` is `kept`, `over` (that day is past and nobody said what became of it) or `deleted`.
    """

    what: tuple[str, ...]
    until: date
    state: str


def tell_why(voice: Voice, decline_code: str) -> str:
    """Return why a payment failed, in plain words."""
    return voice.say(WHY.get(decline_code, "sub_why_card"))


def tell_kept(voice: Voice, kept: KeptThings | None) -> dict[str, Any]:
    """Return what the page says of what is or was kept for somebody; nothing of nothing."""
    if kept is None:
        return {}
    told = voice.say(KEPT[kept.state], day=voice.day(kept.until))
    return {"kept": kept.what, "kept_told": told, "is_kept": kept.state == "kept"}


def tell_rhythm(voice: Voice, plan: BilledPlan) -> str:
    """Return how often a plan is paid: a month, every 3 months."""
    if plan.interval not in UNITS:
        return voice.say("sub_once")
    if plan.interval_count == 1:
        return voice.say(f"sub_each_{plan.interval}")
    return voice.say(f"sub_every_{plan.interval}", count=plan.interval_count)


def tell_comeback(voice: Voice, standing: BilledStanding) -> dict[str, Any]:
    """Return what the page says to somebody who may come back by one press."""
    now, before = standing.now, standing.before
    assert now is not None
    rhythm, amount = tell_rhythm(voice, now), str(now.amount)
    is_same = now.amount == before.amount
    card = standing.card
    terms: dict[str, str] = {"amount": amount, "rhythm": f"{amount} {rhythm}"}
    paid_by = (
        voice.say("sub_card", brand=card.brand.title(), last4=card.last4, **terms)
        if card
        else voice.say("sub_no_card", **terms)
    )
    return {
        "heading": voice.say("sub_back_heading"),
        "text": voice.say("sub_back_text"),
        "price": f"{now.name}, {amount} {rhythm}",
        "was": voice.say("sub_same")
        if is_same
        else voice.say("sub_changed", amount=str(before.amount)),
        "card": paid_by,
        "price_id": now.price_id,
        "button": voice.say("sub_back_button", amount=amount),
        "nothing": voice.say("sub_nothing"),
    }


def tell_owing(voice: Voice, standing: BilledStanding) -> dict[str, Any]:
    """Return what the page says to somebody whose payment failed."""
    invoice = standing.open_invoice
    is_first = standing.state is SubscriptionState.STARTING
    amount = str(invoice.due if invoice else standing.before.amount)
    why = tell_why(voice, invoice.decline_code if invoice else "")
    return {
        "heading": voice.say("sub_waiting_heading" if is_first else "sub_owing_heading"),
        "text": voice.say("sub_owing_text", why=why, amount=amount, plan=standing.before.name),
        "button": voice.say("sub_owing_button"),
        "nothing": voice.say("sub_owing_nothing"),
    }
