"""What the answers of those who left come to: reasons by count, and by who they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rekindle.feedback.model import LeaveReason

NOT_KNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LeaveAnswer:
    """Why one person left; ``words`` are theirs, empty where they added none or were erased."""

    person: str
    reason: LeaveReason
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """One reason: how many gave it, of which segments, and the words they added, newest first."""

    reason: LeaveReason
    count: int
    by_segment: Mapping[str, int]
    words: tuple[tuple[datetime, str], ...]


def find_themes(
    answers: Iterable[LeaveAnswer], segments: Mapping[str, str] | None = None
) -> Sequence[Theme]:
    """Return every reason that was given, the most frequent first.

    A person counts once, by their newest answer; who is in none of ``segments`` is unknown.
    """
    newest: dict[str, LeaveAnswer] = {}
    for one in answers:
        known = newest.get(one.person)
        if known is None or known.at <= one.at:
            newest[one.person] = one
    counts = Counter(one.reason for one in newest.values())
    order = {reason: place for place, reason in enumerate(LeaveReason)}
    return [
        Theme(
            reason,
            count,
            {} if segments is None else _count_segments(newest.values(), reason, segments),
            tuple(
                sorted(
                    ((one.at, one.words) for one in newest.values() if _said(one, reason)),
                    reverse=True,
                )
            ),
        )
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], order[item[0]]))
    ]


def _count_segments(
    answers: Iterable[LeaveAnswer], reason: LeaveReason, segments: Mapping[str, str]
) -> Mapping[str, int]:
    found = Counter(segments.get(one.person, NOT_KNOWN) for one in answers if one.reason is reason)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _said(one: LeaveAnswer, reason: LeaveReason) -> bool:
    return one.reason is reason and bool(one.words)
