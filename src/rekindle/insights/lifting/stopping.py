"""What one message of a journey earns, and what it cost to have stopped sending it.

A message is worth the journey's lift, per person, times the people treated, over the messages
they were sent, as far as it is margin. That is read every day, so the interval is the
open-ended one; and a message is stopped at only where its upper end is below the cost. Of the
people it stops at some are written to still, drawn by a hash: the difference between these and
the others is what stopping gives up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rekindle.facts import Engine, Facts
from rekindle.gate import Overrule
from rekindle.insights.lifting.programme import (
    DrawnPerson,
    ProgrammePart,
    compare_drawn,
    is_cut,
    write_lift,
)
from rekindle.insights.wire import Json
from rekindle.vocabulary import Arm, Unknown
from rekindle.wording import amount, counted

LEVEL = 0.95
OF_THE_JOURNEY = "stopped for earning less than they cost"
OF_PERSONS = "held back from people whom the journey does not move"
FEWEST = 10
"""So many of each arm have to come back. With fewer, one large basket in a small holdout is a stop:
31 % of years with four subgroups that paid were stopped in one, none with it (ADR 0071)."""


@dataclass(frozen=True, slots=True)
class MessageWorth:
    """Margin earned by one message, in major units, with its ends; on ``people`` treated."""

    value: float
    low: float
    high: float
    people: int
    messages: int


@dataclass(frozen=True, slots=True)
class StoppedPerson:
    """Somebody a measured message came to: stopped at, or written to still, since when."""

    person: str
    is_kept_on: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class StoppingTerms:
    """By what stopping is judged: who is kept on, what is margin, and over which window.

    ``family`` is how many such figures there are: all their intervals hold together. While
    it was ``overruled`` everybody was written to: of those whose window that touches nothing
    is compared.
    """

    kept_on: float
    margin: float
    within: timedelta
    until: datetime
    family: int = 1
    overruled: Sequence[tuple[datetime, datetime]] = ()

    @property
    def confidence(self) -> float:
        """Return at which level each of the family has its interval (Bonferroni)."""
        return 1 - (1 - LEVEL) / self.family


@dataclass(frozen=True, slots=True)
class StoppingReport:
    """What was stopped for not earning its cost: how many messages, which would have cost what.

    ``given_up`` compares those written to still, its treated, with those stopped at.
    ``margin`` is the part of net revenue that is left to the business; ``subgroups`` the same
    of each declared subgroup with people in it, by intervals that hold together. ``why`` says
    why they were left out.
    """

    messages: int
    saved: float
    given_up: ProgrammePart
    margin: float
    currency: str
    subgroups: Mapping[str, StoppingReport] = field(default_factory=dict)
    why: str = OF_THE_JOURNEY

    def tell_all(self) -> tuple[str, ...]:
        """Return in words what is known of everybody, and of each subgroup."""
        return (self.told, *(f"{name}: {one.told}" for name, one in self.subgroups.items()))

    @property
    def told(self) -> str:
        """Return in words whether it pays, as far as that is known."""
        saved = (
            f"{counted(self.messages, 'message')} {self.why} saved "
            f"{amount(self.saved, self.currency)}."
        )
        lift, people = self.given_up.lift, self.given_up.over[Arm.HOLDOUT]
        if isinstance(lift, Unknown):
            return f"{saved} What they would have earned cannot be told yet: {lift.reason}."
        figures = (one * self.margin * people for one in (lift.difference, lift.low, lift.high))
        value, low, high = (amount(one, self.currency) for one in figures)
        return (
            f"{saved} By the people written to still, they would have earned {value} of margin "
            f"({low} to {high}) from the {counted(people, 'person')} whose time is over."
        )

    def to_json(self) -> Json:
        """Return the report as JSON values; amounts in major units."""
        return {
            "messages": self.messages,
            "saved": round(self.saved, 4),
            "kept_on": self.given_up.over[Arm.TREATMENT],
            "stopped": self.given_up.over[Arm.HOLDOUT],
            "given_up_per_person": write_lift(self.given_up.lift),
            "margin": self.margin,
            "told": self.told,
            "subgroups": {name: one.to_json() for name, one in self.subgroups.items()},
        }


@dataclass(frozen=True, slots=True)
class Overruling:
    """Who let messages of a journey leave in spite of a stop, and what these messages cost."""

    made: Sequence[Overrule]
    messages: int
    cost: float
    currency: str

    @property
    def told(self) -> tuple[str, ...]:
        """Return in words who did it, from when until when, and what it led to."""
        return (
            *(_tell_overrule(one) for one in self.made),
            f"{counted(self.messages, 'message')} left in spite of a stop and cost "
            f"{amount(self.cost, self.currency)}.",
        )

    def to_json(self) -> Json:
        """Return it as JSON values; amounts in major units."""
        made = [
            {
                "who": one.who,
                "why": one.why,
                "from": one.at.isoformat(),
                "until": one.until.isoformat(),
                "subgroup": one.subgroup,
                "message": one.step,
            }
            for one in self.made
        ]
        return {"made": made, "messages": self.messages, "cost": round(self.cost, 4)}


def _tell_overrule(one: Overrule) -> str:
    what = one.step or "every message"
    of = f" to {one.subgroup}" if one.subgroup else ""
    return (
        f"{one.who} overruled what stops {what}{of} from {one.at:%Y-%m-%d} until "
        f"{one.until:%Y-%m-%d}: {one.why}."
    )


def weigh_messages(
    drawn: Sequence[DrawnPerson],
    sent: Sequence[tuple[str, datetime]],
    reading: tuple[Facts, Engine],
    *,
    share: float,
    terms: StoppingTerms,
    ended: Sequence[tuple[datetime, datetime]] = (),
) -> MessageWorth | Unknown:
    """Return what a message of a journey earned, or why that is not known.

    ``drawn`` are the people of its arms, of whom ``share`` were held out, ``sent`` the
    messages that left, with their person. People whose window a time of ``ended`` touches
    are left out.
    """
    if share <= 0:
        return Unknown("the journey holds nobody out")
    within, until = terms.within, terms.until
    part = compare_drawn(
        share,
        drawn,
        reading,
        within=within,
        until=until,
        ended=ended,
        confidence=terms.confidence,
    )
    if isinstance(part.lift, Unknown):
        return part.lift
    if (buyers := min(part.bought.values())) < FEWEST:
        return Unknown(f"only {buyers} of an arm came back; {FEWEST} are needed to stop by it")
    ends = {
        one.person: one.at + within
        for one in drawn
        if one.arm is Arm.TREATMENT and not is_cut(one.at, one.at + within, ended)
    }
    messages = sum(at <= ends[who] <= until for who, at in sent if who in ends)
    if not messages:
        return Unknown("no message left to anybody whose window is over")
    lift, people = part.lift, part.over[Arm.TREATMENT]
    each = terms.margin * people / messages
    return MessageWorth(lift.difference * each, lift.low * each, lift.high * each, people, messages)


def weigh_again(
    people: Sequence[StoppedPerson],
    sent: Sequence[tuple[str, datetime]],
    reading: tuple[Facts, Engine],
    terms: StoppingTerms,
) -> MessageWorth | Unknown:
    """Return what a message to people written to still earned, beside those stopped at.

    ``sent`` are the messages that left; those before a person was decided about count not.
    """
    since = {one.person: one.at for one in people}
    own = [(who, at) for who, at in sent if who in since and at >= since[who]]
    return weigh_messages(
        _drawn(people),
        own,
        reading,
        share=1 - terms.kept_on,
        terms=terms,
        ended=terms.overruled,
    )


def report_stopping(
    people: Sequence[StoppedPerson],
    stopped: Mapping[str, int],
    cost: Mapping[str, float],
    reading: tuple[Facts, Engine],
    terms: StoppingTerms,
    *,
    why: str = OF_THE_JOURNEY,
) -> StoppingReport:
    """Return what leaving out saved and gave up; ``stopped`` and ``cost`` are by step."""
    return StoppingReport(
        messages=sum(stopped.values()),
        saved=sum(number * cost.get(step, 0.0) for step, number in stopped.items()),
        given_up=compare_drawn(
            1 - terms.kept_on,
            _drawn(people),
            reading,
            within=terms.within,
            until=terms.until,
            ended=terms.overruled,
            confidence=terms.confidence,
        ),
        margin=terms.margin,
        currency=reading[0].currency,
        why=why,
    )


def first_of(decisions: Iterable[StoppedPerson]) -> list[StoppedPerson]:
    """Return of decisions, oldest first, the first about each person: by it they were drawn."""
    first: dict[str, StoppedPerson] = {}
    for one in decisions:
        first.setdefault(one.person, one)
    return list(first.values())


def _drawn(people: Sequence[StoppedPerson]) -> list[DrawnPerson]:
    return [
        DrawnPerson(one.person, Arm.TREATMENT if one.is_kept_on else Arm.HOLDOUT, one.at, 0.0)
        for one in people
    ]
