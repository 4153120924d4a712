"""Whom to leave alone because they do not answer: pure choices about one person's silence.

Only what a person did is an answer: a click, a reply, a visit, a purchase. That a message was
opened may be a machine's doing, and is faint interest at most; it feeds this choice alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.vocabulary import SignalKind

NO_RESPONSE = "no_response"
ARCHIVED = "archived"
LIFTED_BY_DEEDS = frozenset({NO_RESPONSE, ARCHIVED})
"""The suppressions that whatever the person does takes back."""

ANSWERS = frozenset(SignalKind) - {
    SignalKind.OPEN,
    SignalKind.BOUNCE,
    SignalKind.OPT_OUT,
    SignalKind.COMPLAINT,
}
"""What a person did of themselves."""


class Care(StrEnum):
    """What to do about a silence."""

    LEAVE_ALONE = "leave_alone"
    WRITE_LESS = "write_less"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Silence:
    """How long somebody did not answer on a channel: messages since they last did.

    ``opened`` is whether a message of these was opened, as far as it may be noticed.
    """

    person: str
    channel: str
    unanswered_count: int
    first_at: datetime
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many messages in vain, over how long, somebody is left alone on a channel."""

    unanswered: int
    over: timedelta


def decide_care(silence: Silence, patience: Patience, at: datetime) -> Care:
    """Return what to do about a silence at ``at``.

    Both the number and the time have to be reached. Who still opened a message is written to
    less often, and left alone after twice as many.
    """
    count = silence.unanswered_count
    if count < patience.unanswered or at - silence.first_at < patience.over:
        return Care.NOTHING
    if silence.opened and count < 2 * patience.unanswered:
        return Care.WRITE_LESS
    return Care.LEAVE_ALONE
