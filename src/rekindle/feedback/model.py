"""The nouns of an answer: a reason from a short list, and words if somebody wants to add any.

The reason is an event of the person (``left_because_too_often``), so that journeys and
audiences can ask for it; the words are kept beside it, and go with an erasure.
"""

from __future__ import annotations

from enum import StrEnum

LEFT = "left"
"""The action under which an answer stands in the log."""

_BEGINS = "left_because_"


class LeaveReason(StrEnum):
    """Why somebody left, as the page asks it."""

    TOO_OFTEN = "too_often"
    NOT_RELEVANT = "not_relevant"
    NEVER_ASKED = "never_asked"
    BOUGHT_ELSEWHERE = "bought_elsewhere"
    BAD_EXPERIENCE = "bad_experience"
    OTHER = "other"


def event_of(reason: LeaveReason) -> str:
    """Return the event that an answer is, as journeys know it."""
    return f"{_BEGINS}{reason.value}"


def reason_of(event: str) -> LeaveReason | None:
    """Return the reason that an event tells of, None for another event."""
    word = event.removeprefix(_BEGINS)
    known = {one.value for one in LeaveReason}
    return LeaveReason(word) if event.startswith(_BEGINS) and word in known else None
