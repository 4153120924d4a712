"""The nouns of an answer: a reason from a short list, and words if somebody wants to add any.

The reason is an event of the person (``left_because_too_often``), so that journeys and
audiences can ask for it; the words are kept beside it, and go with an erasure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from unicodedata import category

LONGEST_WORDS = 1000
LEFT = "left"
"""The action under which an answer stands in the log."""

_BEGINS = "left_because_"


class LeaveReason(StrEnum):
    """Why somebody left a list or a subscription, as the pages ask it."""

    TOO_OFTEN = "too_often"
    NOT_RELEVANT = "not_relevant"
    NEVER_ASKED = "never_asked"
    BOUGHT_ELSEWHERE = "bought_elsewhere"
    BAD_EXPERIENCE = "bad_experience"
    TOO_EXPENSIVE = "too_expensive"
    UNUSED = "unused"
    NEEDS_A_BREAK = "needs_a_break"
    MISSING_FEATURES = "missing_features"
    TOO_COMPLEX = "too_complex"
    OTHER = "other"


ASKED_OF_READERS = (
    LeaveReason.TOO_OFTEN,
    LeaveReason.NOT_RELEVANT,
    LeaveReason.NEVER_ASKED,
    LeaveReason.BOUGHT_ELSEWHERE,
    LeaveReason.BAD_EXPERIENCE,
    LeaveReason.OTHER,
)
"""What who leaves a list is asked."""

ASKED_OF_SUBSCRIBERS = (
    LeaveReason.TOO_EXPENSIVE,
    LeaveReason.UNUSED,
    LeaveReason.NEEDS_A_BREAK,
    LeaveReason.MISSING_FEATURES,
    LeaveReason.TOO_COMPLEX,
    LeaveReason.BOUGHT_ELSEWHERE,
    LeaveReason.BAD_EXPERIENCE,
    LeaveReason.OTHER,
)
"""What who cancels a subscription is asked."""


class Remedy(StrEnum):
    """What may keep a subscriber."""

    PAUSE = "pause"
    PLAN = "plan"
    OFFER = "offer"
    HELP = "help"


REMEDIES: Mapping[LeaveReason, tuple[Remedy, ...]] = {
    LeaveReason.TOO_EXPENSIVE: (Remedy.PLAN, Remedy.OFFER, Remedy.PAUSE),
    LeaveReason.UNUSED: (Remedy.PAUSE, Remedy.PLAN),
    LeaveReason.NEEDS_A_BREAK: (Remedy.PAUSE,),
    LeaveReason.MISSING_FEATURES: (Remedy.HELP,),
    LeaveReason.TOO_COMPLEX: (Remedy.HELP,),
    LeaveReason.BAD_EXPERIENCE: (Remedy.HELP, Remedy.OFFER),
    LeaveReason.OTHER: (Remedy.PAUSE, Remedy.HELP),
}
"""What fits a reason, the best first; who goes elsewhere is kept by nothing, and let go."""


def event_of(reason: LeaveReason) -> str:
    """Return the event that an answer is, as journeys know it."""
    return f"{_BEGINS}{reason.value}"


def read_words(text: str) -> str:
    """Return words as they are kept: on one line, no longer than a page asks for, nothing odd."""
    plain = "".join(" " if category(one) == "Cc" else one for one in text)
    return " ".join(plain.split())[:LONGEST_WORDS].rstrip()


def read_reason(word: object) -> LeaveReason:
    """Return the reason a word names; what is no reason of ours is another one."""
    known = {one.value for one in LeaveReason}
    return LeaveReason(str(word)) if word in known else LeaveReason.OTHER
