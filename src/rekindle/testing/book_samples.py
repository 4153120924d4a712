"""People, journeys and moves to hold a book to its promises with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from rekindle.gate import BookRules, Decision, Dossier, Enrolment
from rekindle.journeys.interfaces import Book
from rekindle.journeys.model import (
    Batch,
    Goal,
    Journey,
    JourneyVersion,
    Move,
    Send,
    Signal,
    Trigger,
    Variant,
    Wait,
)
from rekindle.messages import AddressKind, Capabilities
from rekindle.offers import ToGive, Wanted, parse_offers
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WINDOW = timedelta(days=7)
LAST_ORDER = START - 100 * DAY
TERMS = BookRules(
    soft_opt_in=True,
    longest_window=WINDOW,
    channels={
        Channel("email"): Capabilities(AddressKind.EMAIL),
        Channel("text"): Capabilities(AddressKind.PHONE),
    },
)

_TEXT = """\
journey: {name}
purpose: {purpose}
enter:
  audience: tier = 'lapsed'
goal: {{on: order, within: 30 days}}
exit: [{exits}]
reenter: after 180 days
holdout: 0.2
stale_after: 3 days
steps:
  - send: {{channel: {channels[0]}, template: check-in}}
  - wait: 5 days
  - send: {{channel: {channels[1]}, template: new-arrivals}}
"""


Deliver = Callable[[datetime], None]
"""Lets every message that waits leave at an instant."""


class OpenedBook(Book, Protocol):
    """A book that can be looked into, and handed a move that nobody was asked to decide."""

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments that are due, oldest first."""

    def save(self, moves: Iterable[Move]) -> int:
        """Write those of ``moves`` that still apply, each once; count them."""


class MakeBook(Protocol):
    """Makes an empty book."""

    def __call__(self, terms: BookRules) -> OpenedBook:
        """Return a book without people, on these terms."""


def build_version(
    name: str = "lapsed",
    version: int = 1,
    *,
    purpose: Purpose = Purpose.MARKETING,
    exits: frozenset[str] = frozenset({"order"}),
    channels: tuple[Channel, Channel] = (Channel("email"), Channel("email")),
) -> JourneyVersion:
    """Return a version of a journey with two messages, e-mails at first, five days apart.

    Its ``text`` is a journey file that reads as exactly this journey.
    """
    text = _TEXT.format(
        name=name, purpose=purpose.value, exits=", ".join(sorted(exits)), channels=channels
    )
    journey = Journey(
        name=name,
        audience="tier = 'lapsed'",
        goal=Goal("order", timedelta(days=30)),
        steps=(
            Send("check-in", channels[0], "check-in"),
            Wait("wait", timedelta(days=5)),
            Send("new-arrivals", channels[1], "new-arrivals"),
        ),
        purpose=purpose,
        reenter=timedelta(days=180),
        exits=exits,
        holdout=0.2,
        text=text,
    )
    return JourneyVersion(journey, version, 0.2, f"{name}-salt", START)


OFFERING = replace(
    TERMS,
    offers=parse_offers("offers: {ten-percent: {kind: percent_off, percent: 10, codes: none}}"),
    offer_wait=timedelta(days=60),
)
OFFER = ToGive(
    offer="ten-percent",
    kind="percent_off",
    ladder="",
    rung=0,
    text="10 % off",
    ends_on=date(2026, 3, 16),
    ends_at=datetime(2026, 3, 17, tzinfo=UTC),
    cost_micros=10_000_000,
    most_micros=12_000_000,
    expected_micros=1_000_000,
    minimum_micros=0,
    takes_code=False,
)


def build_offering_version(name: str = "giving") -> JourneyVersion:
    """Return a version both of whose messages give ten per cent."""
    version = build_version(name)
    text = version.journey.text.replace("template:", "offer: ten-percent, template:")
    steps = tuple(
        replace(step, offer=Wanted("ten-percent")) if isinstance(step, Send) else step
        for step in version.journey.steps
    )
    return replace(version, journey=replace(version.journey, text=text, steps=steps))


def build_tested_version(name: str = "tested") -> JourneyVersion:
    """Return a version whose first message has two variants."""
    version = build_version(name)
    text = version.journey.text.replace(
        "template: check-in", "template: check-in, variants: [warm, brief]"
    )
    first, *rest = version.journey.steps
    assert isinstance(first, Send)
    tested = replace(first, variants=(Variant("warm"), Variant("brief")))
    journey = replace(version.journey, text=text, steps=(tested, *rest))
    return replace(version, journey=journey)


def build_enrolment(person: str = "alice", journey: str = "lapsed") -> Enrolment:
    """Return a first enrolment at ``START``, waiting at the first e-mail."""
    return Enrolment(
        person=person,
        journey=journey,
        version=1,
        rotation=0,
        arm=Arm.TREATMENT,
        entered_at=START,
        last_order_at=LAST_ORDER,
        position=0,
        ready_at=START,
        due_at=START,
    )


def build_move(
    enrolment: Enrolment, at: datetime = START, decision: Decision | None = None
) -> Move:
    """Return a move that sends the first e-mail and waits for the second."""
    later = replace(enrolment, position=2, ready_at=at + 5 * DAY, due_at=at + 5 * DAY)
    return Move(
        before=enrolment,
        step=Send("check-in", Channel("email"), "check-in"),
        decision=decision or Decision(Answer.SEND),
        at=at,
        cost_micros=1000,
        next=later,
    )


def build_hold(enrolment: Enrolment, until: datetime, at: datetime = START) -> Move:
    """Return a move that looks again at ``until``."""
    decision = Decision(Answer.HOLD, Reason.CAP, until)
    move = build_move(enrolment, at, decision)
    return replace(move, cost_micros=0, next=replace(enrolment, due_at=until))


def build_end(enrolment: Enrolment, at: datetime = START) -> Move:
    """Return a move that ends the enrolment."""
    return replace(build_move(enrolment, at), next=enrolment, ended=Reason.FINISHED)


def build_order(person: str, at: datetime, key: str = "order-1") -> Signal:
    """Return a purchase."""
    return Signal(person, SignalKind.ORDER, at, key)


def send_all(batch: Batch) -> list[Move]:
    """Decide to write to everyone."""
    return [build_move(dossier.enrolment) for dossier in batch.dossiers]


def build_triggered_version(trigger: Trigger) -> JourneyVersion:
    """Return a version that an event lets people into."""
    version = build_version("triggered")
    text = version.journey.text.replace(
        "audience: tier = 'lapsed'",
        f"on: {trigger.event}\n  times: {trigger.times}\n  within: 1 day",
    )
    journey = replace(version.journey, trigger=trigger, audience="", text=text)
    return replace(version, journey=journey)


def people_of(dossiers: Sequence[Dossier]) -> list[str]:
    """Return whom the dossiers are about, in their order."""
    return [dossier.enrolment.person for dossier in dossiers]


def only_due(book: OpenedBook, at: datetime = START, person: str = "alice") -> Dossier:
    """Return the one dossier of a person who is due."""
    (found,) = (d for d in book.due(at, 100) if d.enrolment.person == person)
    return found
