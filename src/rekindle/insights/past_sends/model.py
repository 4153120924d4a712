"""The nouns of what was sent before Rekindle: to whom, how silent they were, and what followed.

A group with people kept out by lot is an experiment and has a lift. Of any other only what
stands beside it can be told: the people were chosen, and nothing here says what a message did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rekindle.experiments import Lift
from rekindle.insights.wire import Figure, Json, write_figure, write_told
from rekindle.vocabulary import Unknown

WITHIN_DAYS = 30
"""How long after a message what people buy is looked at."""
JUST_BOUGHT_DAYS = 7
CHOSEN = "no experiment: who was written to was chosen"


@dataclass(frozen=True, slots=True)
class SilenceBand:
    """Silences of ``first`` days and more, until the next band begins."""

    first: int
    label: str


BANDS = (
    SilenceBand(0, "0-30"),
    SilenceBand(31, "31-60"),
    SilenceBand(61, "61-90"),
    SilenceBand(91, "91-180"),
    SilenceBand(181, "181-365"),
    SilenceBand(366, "over 365"),
)


@dataclass(frozen=True, slots=True)
class WhatFollowed:
    """What people did within the days after their first message, or the moment they had none.

    ``people`` are those whose days are over; ``bought`` of them bought, for ``revenue`` of net
    revenue together, in major units.
    """

    people: int
    bought: int
    revenue: float

    @property
    def share(self) -> Figure:
        """Return the part of them who bought, in 0-1."""
        if not self.people:
            return Unknown(f"nobody's {WITHIN_DAYS} days are over yet")
        return self.bought / self.people

    def to_json(self) -> Json:
        """Return the counts as JSON values."""
        return {
            "people": self.people,
            "bought": self.bought,
            "share": write_figure(self.share),
            "net_revenue": round(self.revenue, 2),
        }


@dataclass(frozen=True, slots=True)
class EquallySilent:
    """Those sent to, beside people as silent on the same day who got nothing in that time.

    ``share`` is of those sent to who could be compared; ``beside`` is what as many equally
    silent people did, weighted as the bands of silence are among those sent to. ``left_out``
    could not be compared. Neither is an effect.
    """

    people: int
    left_out: int
    share: float
    others: int
    beside: float

    def to_json(self) -> Json:
        """Return both shares as JSON values, with the sentence they must not be read without."""
        return {
            "people": self.people,
            "left_out": self.left_out,
            "share": round(self.share, 4),
            "equally_silent_people": self.others,
            "equally_silent_share": round(self.beside, 4),
            "warning": CHOSEN,
        }


@dataclass(frozen=True, slots=True)
class ChannelSends:
    """Everything that was sent on one channel, each person once.

    ``sends`` left, to ``people`` known here; ``strangers`` of the sends were to nobody known
    here, or to an address that several share.
    """

    channel: str
    sends: int
    strangers: int
    bounced: int
    opened: int
    clicked: int
    people: int
    followed: WhatFollowed

    def to_json(self) -> Json:
        """Return the channel as JSON values."""
        return {
            "channel": self.channel,
            "sends": self.sends,
            "to_nobody_known": self.strangers,
            "bounced": self.bounced,
            "opened": self.opened,
            "clicked": self.clicked,
            "people": self.people,
            "followed": self.followed.to_json(),
        }


@dataclass(frozen=True, slots=True)
class SendGroup(ChannelSends):
    """One campaign on one channel.

    ``held_out`` people were kept out by lot;
    ``in_both`` are in either arm and in no figure of them. ``silent`` counts the people by band
    of their silence before their first message, ``prospects`` had never bought.
    """

    campaign: str
    first_on: date
    last_on: date
    held_out: int
    in_both: int
    prospects: int
    silence_days: Figure
    silent: Mapping[str, int]
    holdout: WhatFollowed
    lift: Lift | Unknown
    revenue_lift: Lift | Unknown
    beside: EquallySilent | Unknown

    @property
    def is_experiment(self) -> bool:
        """Return whether somebody was kept out by lot."""
        return self.held_out > 0

    def to_json(self) -> Json:
        """Return the group as JSON values."""
        return ChannelSends.to_json(self) | {
            "campaign": self.campaign,
            "first_on": self.first_on.isoformat(),
            "last_on": self.last_on.isoformat(),
            "held_out": self.held_out,
            "in_both_arms": self.in_both,
            "never_bought": self.prospects,
            "silence_days": write_figure(self.silence_days, 1),
            "silent": dict(self.silent),
            "holdout": self.holdout.to_json() if self.is_experiment else None,
            "bought_lift": _write_lift(self.lift),
            "net_revenue_lift": _write_lift(self.revenue_lift),
            "beside": write_told(self.beside),
        }


@dataclass(frozen=True, slots=True)
class SendFaults:
    """Messages that ought not to have left, of those to people known here; one may be several.

    ``just_bought`` went to people who had bought in the days before, ``since_first`` to people
    who had bought since the campaign's first message to them, ``same_day`` were a person's
    second or later on one day, ``at_night`` left in quiet hours on the business's clock, and
    ``refused`` went to people whose newest word on the channel was a no.
    """

    just_bought: int
    since_first: int
    same_day: int
    at_night: int
    refused: int

    def to_json(self) -> Json:
        """Return the counts as JSON values."""
        return {
            "within_days_of_a_purchase": self.just_bought,
            "after_a_purchase_since_the_first": self.since_first,
            "second_on_one_day": self.same_day,
            "in_quiet_hours": self.at_night,
            "after_a_no": self.refused,
        }


@dataclass(frozen=True, slots=True)
class SendAudit:
    """What other systems sent before, and what became of it. Groups are the newest first."""

    currency: str
    sends: int
    strangers: int
    known: int
    channels: tuple[ChannelSends, ...]
    groups: tuple[SendGroup, ...]
    faults: SendFaults
    notes: tuple[str, ...]

    def to_json(self) -> Json:
        """Return the audit as JSON values."""
        return {
            "within_days": WITHIN_DAYS,
            "sends": self.sends,
            "to_nobody_known": self.strangers,
            "to_known": self.known,
            "channels": [one.to_json() for one in self.channels],
            "campaigns": [one.to_json() for one in self.groups],
            "faults": self.faults.to_json(),
            "notes": list(self.notes),
        }


def _write_lift(lift: Lift | Unknown) -> object:
    if isinstance(lift, Unknown):
        return {"not_estimable": lift.reason}
    return {
        "difference": round(lift.difference, 4),
        "low": round(lift.low, 4),
        "high": round(lift.high, 4),
        "p_value": round(lift.p_value, 4),
        "confidence": lift.confidence,
        "method": lift.method,
        "warnings": list(lift.warnings),
    }
