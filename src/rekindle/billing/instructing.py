"""What a subscriber tells their biller to do: pause, go on, a smaller plan, cancel, keep.

An instruction is carried out once. What it asks for may be so already, as somebody else did it
or an earlier try was not answered: then there is nothing to do, and it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rekindle.billing.model import BilledStanding, Biller, SubscriptionState

RUNS = frozenset({SubscriptionState.ACTIVE, SubscriptionState.OWING, SubscriptionState.PAUSED})


class InstructionKind(StrEnum):
    """What may be told."""

    CANCEL = "cancel"
    KEEP = "keep"
    PAUSE = "pause"
    RESUME = "resume"
    PLAN = "plan"
    OFFER = "offer"


@dataclass(frozen=True, slots=True)
class Instruction:
    """What somebody told the biller to do with a subscription, and why.

    ``argument`` is the instant until which is paused (ISO 8601), the price of a smaller plan or
    the discount that is given; "" for the others.
    """

    subscription: str
    kind: InstructionKind
    argument: str = ""
    reason: str = ""
    words: str = ""


def may_instruct(kind: InstructionKind, standing: BilledStanding) -> bool:
    """Return whether there is anything that an instruction could change, as things stand."""
    state, leaves = standing.state, standing.leaves_at is not None
    match kind:
        case InstructionKind.CANCEL:
            return not leaves and (state in RUNS or state is SubscriptionState.STARTING)
        case InstructionKind.KEEP:
            return leaves and state is not SubscriptionState.ENDED
        case InstructionKind.RESUME:
            return state is SubscriptionState.PAUSED
        case InstructionKind.OFFER:
            return state is SubscriptionState.ACTIVE and not (leaves or standing.has_discount)
        case _:
            return state is SubscriptionState.ACTIVE and not leaves


def is_moot(one: Instruction, standing: BilledStanding, at: datetime) -> bool:
    """Return whether nothing is left of an instruction that waited: its time has passed."""
    if standing.state is SubscriptionState.ENDED:
        return True
    return one.kind is InstructionKind.PAUSE and datetime.fromisoformat(one.argument) <= at


def is_so(one: Instruction, standing: BilledStanding) -> bool:
    """Return whether a subscription is as an instruction would have it."""
    match one.kind:
        case InstructionKind.CANCEL:
            return standing.leaves_at is not None or standing.state is SubscriptionState.ENDED
        case InstructionKind.KEEP:
            return standing.leaves_at is None and standing.state is not SubscriptionState.ENDED
        case InstructionKind.PAUSE:
            return standing.state is SubscriptionState.PAUSED
        case InstructionKind.RESUME:
            return standing.state is SubscriptionState.ACTIVE
        case InstructionKind.PLAN:
            return standing.before.price_id == one.argument
        case InstructionKind.OFFER:
            return standing.has_discount


def carry_out(biller: Biller, one: Instruction, *, key: str) -> None:
    """Ask the biller for it.

    Raises:
        BillerError, BillerRefusedError: it did not answer, or will not do it.
    """
    match one.kind:
        case InstructionKind.CANCEL:
            biller.cancel(one.subscription, key=key, reason=one.reason, words=one.words)
        case InstructionKind.KEEP:
            biller.keep(one.subscription, key=key)
        case InstructionKind.PAUSE:
            biller.pause(one.subscription, datetime.fromisoformat(one.argument), key=key)
        case InstructionKind.RESUME:
            biller.resume(one.subscription, key=key)
        case InstructionKind.PLAN:
            biller.change_plan(one.subscription, one.argument, key=key)
        case InstructionKind.OFFER:
            biller.give(one.subscription, one.argument, key=key)
