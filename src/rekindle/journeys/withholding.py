"""Who gets nothing from any marketing journey, so that all of them together can be measured.

People are drawn once, when they first enter a marketing journey while there is such a
holdout, and both books remember what was drawn: a share that is changed draws new people
alone. So a comparison is of people drawn alike, and nobody changes sides after messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rekindle.experiments import assigner
from rekindle.gate import GlobalHoldout
from rekindle.vocabulary import Arm, Purpose

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class HoldoutPeriod:
    """A share of the holdout of all marketing journeys, and since when it draws people."""

    number: int
    share: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Withheld:
    """Who was drawn to get nothing from any marketing journey, since when.

    ``ended`` says from when until when there was no such holdout, so that everybody got all.
    """

    since: Mapping[str, datetime]
    ended: Sequence[Span] = ()

    def keeps_out(self, person: str, purpose: Purpose, at: datetime) -> bool:
        """Return whether nothing could reach who entered a journey of this purpose then."""
        return (
            purpose is Purpose.MARKETING
            and person in self.since
            and self.since[person] <= at
            and not any(begins <= at < ends for begins, ends in self.ended)
        )


def find_ended(periods: Sequence[HoldoutPeriod], until: datetime) -> list[Span]:
    """Return from when until when there was no holdout, since the first."""
    ends = [*(one.since for one in periods[1:]), until]
    return [(one.since, end) for one, end in zip(periods, ends, strict=False) if one.share == 0]


def draw_withheld(holdout: GlobalHoldout, person: str, purpose: Purpose) -> Arm | None:
    """Return the arm of somebody who enters a journey; None where nobody is drawn."""
    if purpose is not Purpose.MARKETING or holdout.share <= 0:
        return None
    return assigner(holdout.salt, holdout.share)(person)
