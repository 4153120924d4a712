"""Events that make no sense and pauses that last a year do no harm, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.consent import ConsentRecord
from rekindle.journeys import JourneyVersion, Person, Signal, parse_journey
from rekindle.ledger import History, MessageState, disconnect
from rekindle.testing.smtp_sink import running_sink
from rekindle.vocabulary import Channel, Reason, SignalKind
from tests.runtime.accounts import JOURNEY
from tests.runtime.databases import postgres_ledger, sqlite_ledger
from tests.runtime.killing import BEGIN, CALL_BACK, Desk, Post, name_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PEOPLE = 12


class Office(Desk):
    """A desk with its clock at hand and what is on record about its people."""

    def __init__(self, post: Post) -> None:
        self.clock = MovableClock(post.begins_at)
        super().__init__(post, self.clock)
        self.history = History(self.alias)

    def wait(self, span: timedelta) -> None:
        """Let time pass, then make one pass."""
        self.clock.move(span)
        self.tick()

    def states(self) -> list[MessageState]:
        """Return what became of every message."""
        return [one.state for one in self.history.messages_of(JOURNEY)]

    def open(self) -> set[str]:
        """Return who is in the journey."""
        return {one.person for one in self.book.open_enrolments()}


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Yield an office whose journey for twelve people runs; nobody has entered yet."""
    with ExitStack() as stack:
        if request.param == "postgres":
            server = str(request.getfixturevalue("postgres_url"))
            url = stack.enter_context(postgres_ledger(server))
        else:
            url = sqlite_ledger(tmp_path)
        sink = stack.enter_context(running_sink())
        office = Office(Post(url, str(tmp_path), sink.port, BEGIN, PEOPLE))
        stack.callback(disconnect, office.alias)
        names = [name_of(number) for number in range(PEOPLE)]
        office.book.save_people(Person(one, f"{one}@example.com", "GB") for one in names)
        office.book.save_consent(
            ConsentRecord(one, Channel("email"), True, BEGIN, "shop") for one in names
        )
        journey = parse_journey(CALL_BACK.replace("holdout: 0.1", "holdout: none"), name_hint="")
        office.book.start(JourneyVersion(journey, 1, 0.0, salt="office", started_at=BEGIN))
        yield office


def test_orders_that_mean_nothing_stop_nobody(office: Office) -> None:
    office.tick()
    at = office.clock.now() + MINUTE
    older = Signal("p00001", SignalKind.ORDER, BEGIN - DAY, key="older")
    future = Signal("p00002", SignalKind.ORDER, at + DAY, key="future")
    nobodys = Signal("nobody", SignalKind.ORDER, at, key="nobody's")
    assert office.book.record([older, future, nobodys, older], at) == 0
    office.wait(2 * HOUR)
    assert office.states() == [MessageState.ACCEPTED] * 2 * PEOPLE


def test_order_told_again_and_again_counts_once(office: Office) -> None:
    office.tick()
    at = office.clock.now() + MINUTE
    order = Signal("p00001", SignalKind.ORDER, at, key="order")
    assert [office.book.record([order, order], at + n * MINUTE) for n in range(3)] == [1, 0, 0]
    office.wait(2 * HOUR)
    assert len(office.history.signals_of("p00001")) == 1
    assert len(office.history.messages_of_person("p00001")) == 1
    assert len(office.states()) == 2 * PEOPLE - 1


def test_a_year_of_pause_is_followed_by_silence_not_by_a_burst(office: Office) -> None:
    office.tick()
    office.book.pause(JOURNEY, office.clock.now())
    office.wait(365 * DAY)
    assert len(office.open()) == PEOPLE
    now = office.clock.now()
    assert office.book.resume(JOURNEY, now, over_seconds=3600) == PEOPLE
    for _ in range(3):
        office.wait(HOUR)
    assert office.states() == [MessageState.ACCEPTED] * PEOPLE  # the first step, a year ago
    last = [office.history.decisions_of(name_of(n))[-1].reason for n in range(PEOPLE)]
    assert last == [Reason.STALE] * PEOPLE
    assert office.open() == set()


def test_messages_that_waited_out_a_year_of_pause_are_stale(office: Office) -> None:
    office.decide()
    office.book.pause(JOURNEY, office.clock.now())
    office.wait(365 * DAY)
    assert set(office.states()) == {MessageState.QUEUED}
    office.book.resume(JOURNEY, office.clock.now(), over_seconds=3600)
    for _ in range(3):
        office.wait(HOUR)
    messages = office.history.messages_of(JOURNEY)
    assert {(one.state, one.reason) for one in messages} == {(MessageState.CANCELLED, Reason.STALE)}
