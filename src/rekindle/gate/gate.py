"""The one gate: before anything leaves the building, one pure function is asked.

It looks at one frozen context and answers send, hold or skip. It is asked twice: when a
touch falls due, and at the last moment before its message leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.consent import NO_PREFERENCES, Exclusion
from rekindle.gate.house import INSTANT, Cap, HouseRules
from rekindle.gate.interfaces import Outgoing
from rekindle.gate.local_time import (
    barred_from,
    barred_until,
    closed_from,
    closed_until,
    local_day_bounds,
    next_month,
    quiet_from,
    quiet_until,
    spread,
)
from rekindle.gate.model import Decision, Dossier, Sent
from rekindle.offers import Choice
from rekindle.vocabulary import Answer, Arm, Purpose, Reason, value_by_the_million

# When to look again at a touch that another message, still on its way, keeps back.
SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class JourneyRules:
    """What holds for every touch of one journey version.

    ``customers_when`` is the predicate of subscribers whom nobody has to win back; None for none.
    """

    purpose: Purpose
    stale_after: timedelta
    rules: HouseRules
    topic: str = ""
    customers_when: str | None = None


@value_by_the_million(frozen=True, slots=True)
class GateContext:
    """Everything the gate may look at for one touch.

    ``is_condition_met`` is True also where the step has no condition. ``budget_left`` is
    the least that is left in a budget that binds the touch, ``expected`` what it is
    expected to earn; both in micros, None where there is no budget or expectation.
    ``exclusion`` is one the profile gives rise to. ``offer`` is what was chosen to go with the
    message, None where it brings none, or may go without. ``is_customer`` says that the
    profile is one of the ``customers_when`` of the policy.
    """

    dossier: Dossier
    send: Outgoing
    policy: JourneyRules
    at: datetime
    is_condition_met: bool = True
    cost: int = 0
    budget_left: int | None = None
    expected: int | None = None
    exclusion: Exclusion | None = None
    offer: Choice | None = None
    is_customer: bool = False


SEND = Decision(Answer.SEND)


def decide(context: GateContext) -> Decision:
    """Return whether this touch leaves now, waits or is left out, and why.

    The questions are asked in the order of ``Reason``; the first that applies answers.
    What is stale is found before anything could hold it, so that a hold never outlives
    the staleness limit. The holdouts come last of all, that of all journeys before the
    journey's own: they mark exactly the instant at which a treated person would have been
    written to, the ghost of a touch.
    """
    refusal = _find_refusal(context)
    if refusal is not None:
        return refusal
    policy = context.policy
    is_marketing = policy.purpose is Purpose.MARKETING
    if is_marketing and (held := _find_hold(context, policy.rules)) is not None:
        return held
    if context.offer is not None and (short := _find_no_offer(context, context.offer)) is not None:
        return short
    if context.budget_left is not None and context.cost > context.budget_left:
        return _hold(context, Reason.BUDGET, next_month(context.at, policy.rules.zone))
    if is_marketing and context.expected is not None and context.expected < _full_cost(context):
        return _NOT_WORTH_IT
    if is_marketing and context.dossier.is_withheld:
        return _GLOBAL_HOLDOUT
    if context.dossier.enrolment.arm is Arm.HOLDOUT:
        return _HELD_OUT
    return SEND


def find_leave_by(dossier: Dossier, send: Outgoing, policy: JourneyRules, at: datetime) -> datetime:
    """Return until when a message that may leave at ``at`` may still be delivered.

    It is when its touch is stale, or marketing when the next night or closed day of the
    person begins, whichever comes first: what a provider keeps in its own queue for longer
    would arrive when nobody may be written to.
    """
    leave_by = dossier.enrolment.ready_at + policy.stale_after
    rules = policy.rules
    if policy.purpose is not Purpose.MARKETING or leave_by <= at:
        return leave_by
    if rules.calendar is not None:
        closed_at = closed_from(at, dossier.zones, rules.calendar, until=leave_by)
        leave_by = closed_at or leave_by
    if rules.quiet_hours is not None and send.channel not in rules.quiet:
        quiet_at = quiet_from(at, dossier.zones, rules.quiet_hours)
        leave_by = min(leave_by, quiet_at or leave_by)
    if dossier.hours is not None:
        leave_by = min(leave_by, barred_from(at, dossier.zones, dossier.hours))
    return leave_by


def find_withdrawal(
    dossier: Dossier, *, purpose: Purpose, topic: str, at: datetime
) -> Reason | None:
    """Return why somebody may not stay on a list they were put on; None where they may.

    It is what would keep the touch back that put them there, as far as it says something of
    the person: what is stale, capped or at night has happened already.
    """
    if (end := _find_end(dossier)) is not None:
        return dossier.exit or end.reason
    if purpose is not Purpose.MARKETING:
        return None
    wishes = dossier.preferences
    if wishes.snoozed_until is not None and wishes.snoozed_until > at:
        return Reason.SNOOZED
    if topic and topic in wishes.muted_topics:
        return Reason.PREFERENCE
    if dossier.exclusion is not None:
        return Reason.EXCLUDED
    return Reason.GLOBAL_HOLDOUT if dossier.is_withheld else None


_EXIT_REACHED = Decision(Answer.SKIP, Reason.EXIT_REACHED)
_ERASED = Decision(Answer.SKIP, Reason.ERASED)
_SUPPRESSED = Decision(Answer.SKIP, Reason.SUPPRESSED)
_NO_PERMISSION = Decision(Answer.SKIP, Reason.NO_PERMISSION)
_STALE = Decision(Answer.SKIP, Reason.STALE)
_CONDITION_NOT_MET = Decision(Answer.SKIP, Reason.CONDITION_NOT_MET)
_PREFERENCE = Decision(Answer.SKIP, Reason.PREFERENCE)
_EXCLUDED = Decision(Answer.SKIP, Reason.EXCLUDED)
_STILL_SUBSCRIBED = Decision(Answer.SKIP, Reason.STILL_SUBSCRIBED)
_UNREACHABLE = Decision(Answer.SKIP, Reason.UNREACHABLE)
_NOT_WORTH_IT = Decision(Answer.SKIP, Reason.NOT_WORTH_IT)
_GLOBAL_HOLDOUT = Decision(Answer.SKIP, Reason.GLOBAL_HOLDOUT)
_HELD_OUT = Decision(Answer.SKIP, Reason.HELD_OUT)


def _find_refusal(context: GateContext) -> Decision | None:
    """Return the first answer that ends the matter, or the snooze that comes among them."""
    dossier, policy = context.dossier, context.policy
    if (end := _find_end(dossier)) is not None:
        return end
    if context.at - dossier.enrolment.ready_at > policy.stale_after:
        return _STALE
    if not context.is_condition_met:
        return _CONDITION_NOT_MET
    if policy.purpose is Purpose.MARKETING and (wish := _find_wish(context)) is not None:
        return wish
    return None if dossier.is_reachable else _UNREACHABLE


def _find_end(dossier: Dossier) -> Decision | None:
    """Return what ends the matter for a person, whenever it is asked."""
    if dossier.exit is not None:
        return _EXIT_REACHED
    if dossier.is_erased:
        return _ERASED
    if dossier.is_suppressed:
        return _SUPPRESSED
    if not dossier.permission.is_granted:
        return _NO_PERMISSION
    return None


def _find_wish(context: GateContext) -> Decision | None:
    """Return what the person or the business asked for beside permission."""
    dossier, preferences = context.dossier, context.dossier.preferences
    if preferences is not NO_PREFERENCES:
        snoozed_until = preferences.snoozed_until
        if snoozed_until is not None and snoozed_until > context.at:
            return _hold(context, Reason.SNOOZED, snoozed_until)
        if context.policy.topic and context.policy.topic in preferences.muted_topics:
            return _PREFERENCE
        if preferences.at_most_every is not None:
            own = Cap(None, 1, preferences.at_most_every)
            if (free_at := _frees_at(own, context)) is not None:
                return _hold(context, Reason.PREFERENCE, free_at)
    if dossier.exclusion is not None or context.exclusion is not None:
        return _EXCLUDED
    return _STILL_SUBSCRIBED if context.is_customer else None


def _find_hold(context: GateContext, rules: HouseRules) -> Decision | None:
    """Return the first rule of the house that makes a marketing touch wait."""
    dossier, at = context.dossier, context.at
    if rules.calendar is not None:
        open_at = closed_until(at, dossier.zones, rules.calendar)
        if open_at is not None:
            return _hold(context, Reason.BLACKOUT, open_at + _jitter(context, rules))
    if rules.quiet_hours is not None and context.send.channel not in rules.quiet:
        loud_at = quiet_until(at, dossier.zones, rules.quiet_hours)
        if loud_at is not None:
            return _hold(context, Reason.QUIET_HOURS, loud_at + _jitter(context, rules))
    # Apart from the hours of the house, so that these can only be narrowed by the law.
    if dossier.hours is not None:
        open_at = barred_until(at, dossier.zones, dossier.hours)
        if open_at is not None:
            return _hold(context, Reason.QUIET_HOURS, open_at + _jitter(context, rules))
    if dossier.sent:
        frees = [free for cap in rules.caps if (free := _frees_at(cap, context)) is not None]
        if frees:
            return _hold(context, Reason.CAP, max(frees))
    return None


def _find_no_offer(context: GateContext, choice: Choice) -> Decision | None:
    """Return what becomes of a message whose offer may not be given; None if it may."""
    if choice.refusal is None:
        return None
    if choice.until is None:
        return Decision(Answer.SKIP, choice.refusal)
    return _hold(context, choice.refusal, choice.until)


def _full_cost(context: GateContext) -> int:
    """Return what a touch costs: its message, and its offer as far as that will be redeemed."""
    return context.cost + (0 if context.offer is None else context.offer.expected_micros)


def _hold(context: GateContext, reason: Reason, until: datetime) -> Decision:
    """Hold until then, but not beyond the first instant at which the touch is stale."""
    ready_at, stale_after = context.dossier.enrolment.ready_at, context.policy.stale_after
    return Decision(Answer.HOLD, reason, min(until, ready_at + stale_after + INSTANT))


def _jitter(context: GateContext, rules: HouseRules) -> timedelta:
    """Return how long after a night this one leaves, so that not all do at once."""
    enrolment = context.dossier.enrolment
    return spread(f"{enrolment.person}/{enrolment.journey}/{context.send.key}", rules.spread)


def _frees_at(cap: Cap, context: GateContext) -> datetime | None:
    """Return when fewer than ``cap.max`` sends remain in the window; None if they do now."""
    sent, at = context.dossier.sent, context.at
    if len(sent) < cap.max or not cap.binds(context.send.channel):
        return None
    # Clocks are set back: what left a moment from now has left.
    if cap.per is None:
        since, free_at = local_day_bounds(at, context.dossier.zones[0])
        count = sum(since <= one.at < free_at and cap.binds(one.channel) for one in sent)
        return free_at if count >= cap.max else None
    since = at - cap.per
    counted = [one for one in sent if one.at > since and cap.binds(one.channel)]
    if len(counted) < cap.max:
        return None
    blocking = sorted(counted, key=_left_at)[-cap.max]
    return at + min(SOON, cap.per) if blocking.is_pending else blocking.at + cap.per


def _left_at(sent: Sent) -> datetime:
    return sent.at
