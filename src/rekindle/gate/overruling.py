"""Somebody knows better than what was measured: a stop that does not hold for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

OVERRULED = "overruled"
"""How the detail of a message begins that left in spite of a stop."""


@dataclass(frozen=True, slots=True)
class Overrule:
    """Messages of a journey that leave in spite of what was measured, from ``at`` until ``until``.

    ``subgroup`` and ``step`` name the part of the people and the message it is of; empty is all.
    """

    journey: str
    who: str
    why: str
    at: datetime
    until: datetime
    subgroup: str = ""
    step: str = ""

    def binds(self, journey: str, subgroup: str, step: str, at: datetime) -> bool:
        """Return whether a message to somebody of a subgroup leaves by it at an instant."""
        return (
            self.journey == journey
            and self.subgroup in ("", subgroup)
            and self.step in ("", step)
            and self.at <= at < self.until
        )

    @property
    def told(self) -> str:
        """Return what is written down with a message that leaves by it."""
        return f"{OVERRULED} by {self.who} until {self.until:%Y-%m-%d %H:%M} UTC: {self.why}"


def find_overrule(
    overrules: Iterable[Overrule], journey: str, subgroup: str, step: str, at: datetime
) -> Overrule | None:
    """Return the newest overrule that lets a message leave at an instant; None without one."""
    binding = (one for one in overrules if one.binds(journey, subgroup, step, at))
    return max(binding, key=lambda one: one.at, default=None)


def find_overruled_times(
    overrules: Iterable[Overrule], subgroup: str = ""
) -> list[tuple[datetime, datetime]]:
    """Return from when until when something was overruled, of a subgroup or of any."""
    return [
        (one.at, one.until) for one in overrules if not subgroup or one.subgroup in ("", subgroup)
    ]
