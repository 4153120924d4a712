"""What leaves, what waits, and what becomes of a message whatever the provider does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.clock import MovableClock
from rekindle.config import WarmUpSettings
from rekindle.errors import (
    BrokenTemplateError,
    ConfigError,
    RefusedContentError,
    RekindleError,
    TemplateError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.gate import Cap, HouseRules, QuietHours
from rekindle.journeys import Book, Candidate, JourneyVersion, parse_journey
from rekindle.ledger import (
    MAX_ATTEMPTS,
    Meters,
    Outbox,
    OutboxMessage,
    cancelling,
    connect,
    disconnect,
    migrate,
    models,
)
from rekindle.messages import FOR_EVER, Message, Receipt
from rekindle.vocabulary import Channel, Reason
from rekindle.worker.dispatching import Dispatcher, LastLook, Means
from rekindle.worker.dispatching.dispatcher import backoff, next_chunk
from rekindle.worker.dispatching.metering import MeteredPace, Pace, Unmetered, limit_of_day
from tests.channels.postbox import build_mail, message_of, serving
from tests.ledger.queueing import DAY, HOUR, MINUTE, START, TERMS, TEXT, Queue

CAPPED = HouseRules(caps=(Cap(Channel("email"), 1, 16 * HOUR),))
NIGHT = HouseRules(quiet_hours=QuietHours(time(8), time(10)))
ZONE = ZoneInfo("Europe/London")


class FakeOutlet:
    """Takes everything but what it was told to answer otherwise, by address."""

    name = "fake"
    channel = Channel("email")
    is_idempotent = False

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.tries = 0
        self.answers: dict[str, Exception] = {}
        self.always: Exception | None = None

    def send(self, message: Message) -> Receipt:
        self.tries += 1
        answer = self.answers.get(message.address.value.partition("@")[0], self.always)
        if answer is not None:
            raise answer
        self.taken.append(message.address.value.partition("@")[0])
        return Receipt(f"<{message.key}>")

    def close(self) -> None:
        """Hold nothing open."""


class Desk:
    """A dispatcher at work on a queue, with a clock, an outlet and house rules to set."""

    def __init__(self, alias: str, *, text: str = TEXT) -> None:
        self.queue, self.text = Queue(alias, text=text), text
        self.clock = MovableClock(START)
        self.outlet = FakeOutlet()
        self.rules = HouseRules()
        self.terms = replace(TERMS, budgets=())
        self.pace: Pace = Unmetered()
        self.broken: dict[str, RekindleError] = {}
        self.matched: dict[str, set[str]] = {}
        self.between: Callable[[], None] = lambda: None

    def compose(self, messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
        """Write every message, but for the people it cannot be written to."""
        self.between()
        return {
            one.key: self.broken.get(one.person)
            or message_of(build_mail(key=one.key, to_address=one.address))
            for one in messages
        }

    def dispatch(self, outlet: Any = None, connections: int = 2) -> Any:
        """Make one pass."""
        look = LastLook(cast("Book", self), self.rules, self)
        is_known = (outlet or self.outlet) is self.outlet and self.outlet.is_idempotent
        means = Means(
            self.compose,
            look,
            self.clock,
            self.pace,
            connections,
            idempotent_for=FOR_EVER if is_known else None,
        )
        outbox = Outbox(self.queue.alias, terms=self.terms)
        return Dispatcher(outbox, outlet or self.outlet, means).run()

    def entrants(self, version: JourneyVersion, at: datetime) -> list[Candidate]:
        """Let nobody enter."""
        return []

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` of whom a test says so."""
        return self.matched.get(predicate, set()).intersection(people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Know no dates."""
        return {}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Know no amounts."""
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Know no orders."""
        return {}

    def versions(self, journey: str) -> list[JourneyVersion]:
        """Stand in for the book."""
        purpose = "transactional" if journey == "receipt" else "marketing"
        parsed = parse_journey(self.text.format(name=journey, purpose=purpose), name_hint=journey)
        return [JourneyVersion(parsed, 1, 0.0, journey, START)]

    def answers(self, touch: int) -> list[models.Decision]:
        """Return the gate's last answers about a message, in order."""
        row = self.queue.touch(touch)
        rows = models.Decision.objects.using(self.queue.alias).filter(enrolment_id=row.enrolment_id)
        return list(rows.order_by("id"))

    def pass_later(self, by: timedelta) -> Any:
        """Move the clock and make a pass."""
        self.clock.move(by)
        return self.dispatch()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    alias = connect("sqlite:///ledger.sqlite3", base=folder)
    migrate(alias)
    disconnect(alias)
    return folder / "ledger.sqlite3"


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> Iterator[Desk]:
    shutil.copy(template, tmp_path / "ledger.sqlite3")
    alias = connect("sqlite:///ledger.sqlite3", base=tmp_path)
    yield Desk(alias)
    disconnect(alias)


# The last look


def test_everything_that_may_leaves_once(desk: Desk) -> None:
    for number in range(30):
        desk.queue.message(f"person{number}")
    assert desk.dispatch().outcomes == {"accepted": 30}
    assert desk.dispatch().outcomes == {}
    assert len(desk.outlet.taken) == len(set(desk.outlet.taken)) == 30


def test_message_waits_through_a_night_that_began_meanwhile(desk: Desk) -> None:
    number = desk.queue.message()
    desk.rules = NIGHT
    assert desk.dispatch().outcomes == {"held": 1}
    assert desk.queue.answers() == [("hold", "quiet_hours", START + HOUR)]
    assert desk.pass_later(HOUR).outcomes == {"accepted": 1}
    assert desk.queue.fate(number) == ("accepted", None)


def test_of_two_messages_that_waited_one_leaves_and_one_meets_the_cap(desk: Desk) -> None:
    first = desk.queue.message()
    second = desk.queue.message(journey="other")
    desk.rules = CAPPED
    assert desk.dispatch().outcomes == {"accepted": 1, "held": 1}
    assert desk.queue.fate(first)[0] == "accepted"
    assert desk.pass_later(HOUR).outcomes == {"held": 1}
    assert desk.pass_later(15 * HOUR).outcomes == {"accepted": 1}
    assert desk.queue.fate(second)[0] == "accepted"


def test_transactional_messages_are_not_capped(desk: Desk) -> None:
    desk.queue.message(journey="other", state="accepted", accepted_at=START)
    desk.queue.journey("receipt", purpose="transactional")
    desk.queue.message(journey="receipt", is_marketing=False)
    desk.rules = CAPPED
    assert desk.dispatch().accepted == 1


@pytest.mark.parametrize(
    ("ended", "late", "reason"),
    [(Reason.ORDER, timedelta(0), "exit_reached"), (None, 4 * DAY, "stale")],
)
def test_message_without_business_any_more_is_cancelled(
    desk: Desk, ended: Reason | None, late: timedelta, reason: str
) -> None:
    number = desk.queue.message(ended=ended)
    assert desk.pass_later(late).outcomes == {"cancelled": 1}
    assert desk.queue.fate(number) == ("cancelled", reason)
    assert desk.queue.answers() == [("skip", reason, None)]


def test_what_is_cancelled_while_it_is_written_does_not_leave(desk: Desk) -> None:
    desk.queue.message()
    desk.queue.message("bob")
    touches = models.Touch.objects.using(desk.queue.alias).filter(person="bob")

    def cancel() -> None:
        cancelling.cancel(desk.queue.alias, touches, Reason.ORDER)

    desk.between = cancel
    assert desk.dispatch().outcomes == {"accepted": 1, "cancelled": 1}
    assert desk.outlet.taken == ["alice"]


def test_night_that_begins_while_it_is_written_holds_it(desk: Desk) -> None:
    desk.queue.message()
    desk.rules = HouseRules(quiet_hours=QuietHours(time(9, 30), time(10)))
    desk.between = lambda: desk.clock.move(45 * MINUTE)
    assert desk.dispatch().outcomes == {"held": 1}


def test_what_was_read_long_ago_is_read_again(desk: Desk) -> None:
    for number in range(9):
        desk.queue.message(f"person{number}")
    desk.between = lambda: desk.clock.move(2 * MINUTE)
    assert desk.dispatch().outcomes == {"accepted": 9}


# What becomes of them


def test_refused_message_fails_alone(desk: Desk) -> None:
    number = desk.queue.message("ann")
    desk.queue.message("bob")
    desk.outlet.answers["ann"] = RefusedContentError("554 spam")
    assert desk.dispatch().outcomes == {"accepted": 1, "refused": 1}
    assert desk.queue.fate(number) == ("failed", "refused")


def test_busy_provider_is_asked_again_twice_as_late_each_time(desk: Desk) -> None:
    number = desk.queue.message()
    desk.outlet.always = TemporaryDeliveryError("451 busy")
    for attempt in range(3):
        desk.dispatch()
        wait = desk.queue.touch(number).not_before - desk.clock.now()
        assert MINUTE * 2**attempt <= wait <= MINUTE * 2**attempt * 1.25
        desk.clock.move(wait)


def test_providers_own_wish_is_kept(desk: Desk) -> None:
    number = desk.queue.message()
    desk.outlet.always = TemporaryDeliveryError("451", retry_after=10 * MINUTE)
    desk.dispatch()
    assert desk.queue.touch(number).not_before >= START + 10 * MINUTE


@pytest.mark.long
def test_what_fails_until_it_is_stale_is_cancelled_as_stale(desk: Desk) -> None:
    number = desk.queue.message()
    desk.outlet.always = TemporaryDeliveryError("451 busy")
    while desk.queue.touch(number).state == "queued":
        desk.dispatch()
        desk.clock.set(max(desk.queue.touch(number).not_before, desk.clock.now()))
    assert desk.queue.fate(number) == ("cancelled", "stale")
    assert desk.clock.now() < START + 3 * DAY + MINUTE


def test_unknown_fate_is_not_tried_again(desk: Desk) -> None:
    number = desk.queue.message()
    desk.outlet.always = UnknownFateError("lost after DATA")
    assert desk.dispatch().trouble == "lost after DATA"
    desk.outlet.always = None
    assert desk.pass_later(HOUR).outcomes == {}
    assert desk.queue.fate(number) == ("unknown", None)


def test_defect_of_an_outlet_leaves_the_fate_unknown(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    number = desk.queue.message("ann")
    desk.queue.message("bob")
    desk.outlet.answers["ann"] = ZeroDivisionError("oops")
    assert desk.dispatch().outcomes == {"accepted": 1, "unknown": 1}
    assert desk.queue.touch(number).last_error == "ZeroDivisionError: oops"
    assert "oops" in caplog.text


def test_message_that_cannot_be_written_holds_nobody_up_and_is_given_up(desk: Desk) -> None:
    number = desk.queue.message("ann")
    desk.queue.message("bob")
    desk.broken["ann"] = TemplateError("no such variable")
    assert desk.dispatch().outcomes == {"accepted": 1, "not written": 1}
    for _ in range(MAX_ATTEMPTS - 1):
        desk.pass_later(2 * HOUR)
    assert desk.queue.fate(number) == ("failed", "undeliverable")
    assert desk.queue.touch(number).last_error == "no such variable"


@pytest.mark.parametrize("fault", [BrokenTemplateError("half written"), ConfigError("no street")])
def test_message_whose_template_is_broken_waits_until_it_is_mended(
    desk: Desk, fault: RekindleError
) -> None:
    number = desk.queue.message("ann")
    desk.queue.message("bob")
    desk.broken["ann"] = fault
    assert desk.dispatch().outcomes == {"accepted": 1, "not written": 1}
    for _ in range(2 * MAX_ATTEMPTS):
        desk.pass_later(2 * HOUR)
    assert desk.queue.fate(number) == ("queued", None)
    (answer,) = desk.answers(number)
    assert (answer.answer, answer.reason, answer.detail) == ("hold", "not_ready", str(fault))
    desk.broken.clear()
    assert desk.pass_later(2 * HOUR).outcomes == {"accepted": 1}


def test_message_whose_template_stays_broken_is_skipped_when_it_is_stale(desk: Desk) -> None:
    number = desk.queue.message("ann")
    desk.broken["ann"] = BrokenTemplateError("half written")
    for _ in range(4):
        desk.pass_later(DAY)
    assert desk.queue.fate(number) == ("cancelled", "stale")


@pytest.mark.parametrize("connections", [1, 4])
def test_provider_out_of_reach_is_not_asked_for_everyone(desk: Desk, connections: int) -> None:
    for number in range(40):
        desk.queue.message(f"person{number}")
    desk.outlet.always = TemporaryDeliveryError("connection refused")
    report = desk.dispatch(connections=connections)
    assert 5 <= desk.outlet.tries < 5 + connections
    assert report.trouble == "connection refused"
    rows = models.Touch.objects.using(desk.queue.alias).values_list("state", "attempts")
    untried = [row for row in rows if row == ("queued", 0)]
    assert len(untried) == 40 - desk.outlet.tries


# The pace


def _metered(desk: Desk, **settings: Any) -> MeteredPace:
    email = EmailSettings(from_address="shop@Example.com", **settings)
    return MeteredPace(Meters(desk.queue.alias), email, channel="email", zone=ZONE)


def test_throttle_ends_the_pass_and_says_when_to_come_again(desk: Desk) -> None:
    for number in range(12):
        desk.queue.message(f"person{number}")
    desk.pace = _metered(desk, per_minute=60)
    report = desk.dispatch()
    assert (report.outcomes, report.again_in) == ({"accepted": 5}, timedelta(seconds=5))
    states = models.Touch.objects.using(desk.queue.alias).values_list("state", flat=True)
    assert sorted(states) == ["accepted"] * 5 + ["queued"] * 7
    assert desk.pass_later(timedelta(seconds=5)).accepted == 5


def test_what_the_gate_holds_uses_nothing_up(desk: Desk) -> None:
    for number in range(5):
        desk.queue.message(f"person{number}", ended=Reason.ORDER)
    desk.queue.message("last")
    desk.pace = _metered(desk, per_minute=60)
    assert desk.dispatch().outcomes == {"cancelled": 5, "accepted": 1}


def test_warm_up_lets_a_days_number_leave_by_the_local_day(desk: Desk) -> None:
    for number in range(30):
        desk.queue.message(f"person{number}")
    ramp = WarmUpSettings(first_day=START.date(), messages=4, growth=1.5)
    desk.pace = _metered(desk, warm_up=ramp)
    assert desk.dispatch().accepted == 4
    assert desk.pass_later(14 * HOUR).accepted == 0
    assert desk.pass_later(HOUR).accepted == 6


def test_warm_up_counts_what_was_accepted_alone(desk: Desk) -> None:
    for number in range(8):
        desk.queue.message(f"person{number}")
    desk.outlet.answers = {f"person{n}": RefusedContentError("554") for n in range(3)}
    ramp = WarmUpSettings(first_day=START.date(), messages=4, growth=1.5)
    desk.pace = _metered(desk, warm_up=ramp)
    assert desk.dispatch().outcomes == {"accepted": 4, "refused": 3}


@pytest.mark.parametrize(
    ("day", "limit"),
    [(0, 50), (1, 75), (2, 112), (-3, 50), (9, 1922), (4000, None)],
)
def test_warm_up_grows_every_day(day: int, limit: int | None) -> None:
    ramp = WarmUpSettings(first_day=date(2026, 3, 2), messages=50, growth=1.5)
    assert limit_of_day(ramp, date(2026, 3, 2) + timedelta(days=day)) == limit


# Several connections


@pytest.mark.long
def test_real_server_gets_every_message_once_over_several_connections(desk: Desk) -> None:
    for number in range(60):
        desk.queue.message(f"person{number}")
    with serving() as box:
        smtp = SmtpSettings(host="127.0.0.1", port=box.port, security="none", connections=3)
        settings = EmailSettings(outlet="email_smtp", smtp=smtp)
        outlet = build_outlet("email_smtp", settings, base=Path(), secrets={})
        assert desk.dispatch(outlet, connections=3).outcomes == {"accepted": 60}
        arrived = [str(mail["To"]) for mail in box.received]
    assert len(arrived) == len(set(arrived)) == 60
    assert 1 <= box.greetings <= 3


@pytest.mark.parametrize(
    ("sent", "seconds", "following"),
    [(2, 0.001, 4), (50, 0.01, 50), (50, 0.05, 50), (50, 0.1, 25), (50, 30.0, 2), (1, 9.0, 2)],
)
def test_chunk_is_what_leaves_in_a_twentieth_of_a_second(
    sent: int, seconds: float, following: int
) -> None:
    assert next_chunk(sent, seconds, least=2) == following


def test_backoff_has_an_end_and_differs_by_message() -> None:
    def wait(key: str, attempts: int) -> timedelta:
        return backoff(cast("OutboxMessage", SimpleNamespace(key=key, attempts=attempts)))

    assert all(HOUR <= wait("a", attempts) <= 1.25 * HOUR for attempts in (6, 50, 5000))
    assert len({wait(key, 0) for key in "abcdef"}) == 6
    assert wait("a", 1) == wait("a", 1)
