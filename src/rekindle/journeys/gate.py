"""The one gate: before anything leaves the building, one pure function is asked.

It looks at one frozen context and answers send, hold or skip. What each reason means,
and what a person can do about it, stands below in the order in which the gate asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.config import CapsSettings
from rekindle.journeys.model import Decision, Dossier, Send
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason

# The finest step that every database keeps apart.
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``max`` marketing sends in any ``per``; ``channel`` None counts them all."""

    channel: Channel | None
    max: int
    per: timedelta

    def binds(self, channel: Channel) -> bool:
        """Return whether a send through ``channel`` counts and is counted."""
        return self.channel in (None, channel)


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for every touch of one journey version."""

    purpose: Purpose
    stale_after: timedelta
    caps: tuple[Cap, ...]


@dataclass(frozen=True, slots=True)
class GateContext:
    """Everything the gate may look at for one touch.

    ``is_condition_met`` is True also where the step has no condition.
    """

    dossier: Dossier
    send: Send
    policy: Policy
    at: datetime
    is_condition_met: bool = True


@dataclass(frozen=True, slots=True)
class ReasonNote:
    """What a reason means and what a person can do about it; for the documentation."""

    reason: Reason
    meaning: str
    remedy: str


SEND = Decision(Answer.SEND)


def decide(context: GateContext) -> Decision:
    """Return whether this touch leaves now, waits or is left out, and why.

    The questions are asked in the order of ``Reason``; the first that applies answers.
    The holdout comes last of all, so a ``HELD_OUT`` marks exactly the instant at which
    a treated person would have been written to: the ghost of a touch.
    """
    dossier = context.dossier
    if dossier.exit is not None:
        return _EXIT_REACHED
    if dossier.is_suppressed:
        return _SUPPRESSED
    if not dossier.permission.is_granted:
        return _NO_PERMISSION
    if not dossier.is_reachable:
        return _UNREACHABLE
    if context.at - dossier.enrolment.ready_at > context.policy.stale_after:
        return _STALE
    if not context.is_condition_met:
        return _CONDITION_NOT_MET
    if dossier.sent and (free_at := _find_free(context)) is not None:
        return Decision(Answer.HOLD, Reason.CAP, free_at)
    if dossier.enrolment.arm is Arm.HOLDOUT:
        return _HELD_OUT
    return SEND


def build_caps(settings: CapsSettings) -> tuple[Cap, ...]:
    """Return the caps of the configuration: the e-mail one, then the one across all."""
    return (
        Cap(Channel.EMAIL, settings.email.max, settings.email.per),
        Cap(None, settings.all.max, settings.all.per),
    )


def longest_window(caps: Sequence[Cap]) -> timedelta:
    """Return how far back sends have to be known to judge ``caps``."""
    return max((cap.per for cap in caps), default=timedelta(0))


_EXIT_REACHED = Decision(Answer.SKIP, Reason.EXIT_REACHED)
_SUPPRESSED = Decision(Answer.SKIP, Reason.SUPPRESSED)
_NO_PERMISSION = Decision(Answer.SKIP, Reason.NO_PERMISSION)
_UNREACHABLE = Decision(Answer.SKIP, Reason.UNREACHABLE)
_STALE = Decision(Answer.SKIP, Reason.STALE)
_CONDITION_NOT_MET = Decision(Answer.SKIP, Reason.CONDITION_NOT_MET)
_HELD_OUT = Decision(Answer.SKIP, Reason.HELD_OUT)


def _find_free(context: GateContext) -> datetime | None:
    """Return when every cap is free again, or None if they are now.

    A touch is not held beyond the first instant at which it is stale, so that it then
    expires with that reason.
    """
    policy = context.policy
    if policy.purpose is Purpose.TRANSACTIONAL:
        return None
    frees = [at for cap in policy.caps if (at := _frees_at(cap, context)) is not None]
    if not frees:
        return None
    return min(max(frees), context.dossier.enrolment.ready_at + policy.stale_after + INSTANT)


def _frees_at(cap: Cap, context: GateContext) -> datetime | None:
    """Return when fewer than ``cap.max`` sends remain in the window; None if they do now."""
    sent, at = context.dossier.sent, context.at
    if len(sent) < cap.max or not cap.binds(context.send.channel):
        return None
    since = at - cap.per
    counted = sorted(one.at for one in sent if since < one.at <= at and cap.binds(one.channel))
    return counted[-cap.max] + cap.per if len(counted) >= cap.max else None


REASONS: tuple[ReasonNote, ...] = (
    ReasonNote(
        Reason.EXIT_REACHED,
        "Something that ends the journey happened before this touch.",
        "Nothing: this is the stop doing its work.",
    ),
    ReasonNote(
        Reason.SUPPRESSED,
        "The address must not be contacted again: an opt-out, a complaint or a bounce.",
        "Nothing. After a bounce, ask the person for a working address.",
    ),
    ReasonNote(
        Reason.NO_PERMISSION,
        "Neither a record nor the law of the person's country allows this message.",
        "Collect express consent, or claim soft_opt_in in rekindle.toml if it applies.",
    ),
    ReasonNote(
        Reason.UNREACHABLE,
        "No address is known for this channel.",
        "Import one with the customers.",
    ),
    ReasonNote(
        Reason.STALE,
        "The touch is overdue by more than the journey's stale_after.",
        "Keep the worker running, raise stale_after, or loosen the caps that held it.",
    ),
    ReasonNote(
        Reason.CONDITION_NOT_MET,
        "The person did not match the step's when.",
        "Change the condition if it leaves out people it should not.",
    ),
    ReasonNote(
        Reason.CAP,
        "The person had as many marketing messages as the caps allow; the touch waits.",
        "Nothing, or raise the caps in rekindle.toml.",
    ),
    ReasonNote(
        Reason.HELD_OUT,
        "The person is in the holdout; a treated person would have been written to now.",
        "Nothing: the holdout is how the lift is measured.",
    ),
    ReasonNote(
        Reason.UNDELIVERABLE,
        "The provider will never take this message for this address.",
        "Read the provider's answer with rekindle explain and correct the address.",
    ),
    ReasonNote(Reason.FINISHED, "The person went through every step.", "Nothing."),
    ReasonNote(Reason.ORDER, "The person bought again.", "Nothing: this is the aim."),
    ReasonNote(
        Reason.OPT_OUT,
        "The person asked not to be contacted.",
        "Nothing: it takes effect at once and stays.",
    ),
    ReasonNote(
        Reason.COMPLAINT,
        "The person reported a message as spam.",
        "Look at who is written to, how often and with what.",
    ),
    ReasonNote(
        Reason.BOUNCE,
        "The address does not exist or refuses mail for good.",
        "Ask the person for a working address.",
    ),
)
