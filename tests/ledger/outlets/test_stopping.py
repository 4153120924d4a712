"""What is ours to mend stops the outlet, and costs nobody an address and no message a try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.ledger import Outbox, Stops, models
from rekindle.messages import FOR_EVER
from rekindle.worker.dispatching import DispatchReport
from rekindle.worker.dispatching.dispatcher import Dispatcher, Means, name_worker
from rekindle.worker.dispatching.looking import LastLook
from rekindle.worker.dispatching.stopping import LedgerDoor
from tests.ledger.queueing import DAY, HOUR, MINUTE
from tests.runtime.test_dispatching import Desk

OUTLET = "email_smtp"
FAULT = OutletFaultError("the server refused the login: 535 no")


class Door(Desk):
    """A desk whose outlet is remembered in the ledger, and whose workers come and go."""

    def dispatch(self, outlet: object = None, connections: int = 2) -> DispatchReport:
        """Make one pass of a new worker."""
        name = name_worker()
        door = LedgerDoor(self.stops, OUTLET, worker=name)
        look = LastLook(self, self.rules, self)  # type: ignore[arg-type]
        means = Means(self.compose, look, self.clock, self.pace, connections, None, FOR_EVER, door)
        outbox = Outbox(self.queue.alias, terms=self.terms)
        return Dispatcher(outbox, self.outlet, means, worker=name).run()

    @property
    def stops(self) -> Stops:
        """Return what is stopped."""
        return Stops(self.queue.alias)

    def resume(self) -> None:
        """Say that it was mended."""
        self.stops.resume(OUTLET, self.clock.now(), who="ann")

    def states(self) -> set[tuple[str, int]]:
        """Return how the messages stand, and how often each was tried."""
        rows = models.Touch.objects.using(self.queue.alias)
        return set(rows.values_list("state", "attempts"))


@pytest.fixture
def desk(alias: str) -> Door:
    desk = Door(alias)
    for number in range(40):
        desk.queue.message(f"person{number}")
    return desk


def test_a_fault_of_ours_stops_the_outlet_and_touches_nobody(desk: Door) -> None:
    desk.outlet.always = FAULT
    report = desk.dispatch()
    assert set(report.outcomes) == {"ours to mend"}
    assert "`rekindle outbox resume email_smtp`" in report.trouble
    assert desk.outlet.tries <= 2, "no more than were under way"
    assert desk.states() == {("queued", 0)}
    assert not models.Suppression.objects.using(desk.queue.alias).exists()
    assert not models.Signal.objects.using(desk.queue.alias).exists()

    desk.outlet.always = None
    again = desk.pass_later(HOUR)
    assert (again.outcomes, desk.outlet.tries) == ({}, report.outcomes["ours to mend"])
    assert "535" in again.trouble


def test_one_message_tries_a_resumed_outlet_out(desk: Door) -> None:
    desk.outlet.always = FAULT
    desk.dispatch()
    tried = desk.outlet.tries
    desk.resume()
    assert desk.dispatch().outcomes == {"ours to mend": 1}
    assert (desk.outlet.tries, desk.states()) == (tried + 1, {("queued", 0)})
    assert desk.stops.all()[OUTLET].resumed_at is None

    desk.resume()
    desk.outlet.always = None
    assert desk.dispatch().outcomes == {"accepted": 40}
    assert desk.stops.all() == {}


@pytest.mark.long
@pytest.mark.parametrize(
    ("said", "is_open"),
    [
        (PermanentDeliveryError("no such address"), True),
        (RefusedContentError("too large"), True),
        (TemporaryDeliveryError("busy"), False),
        (UnknownFateError("gone"), False),
    ],
)
def test_an_outlet_opens_again_when_its_provider_lets_us_in(
    desk: Door, said: DeliveryError, *, is_open: bool
) -> None:
    desk.outlet.always = FAULT
    desk.dispatch()
    desk.resume()
    desk.outlet.tries, desk.outlet.always = 0, said
    desk.dispatch()
    assert (desk.stops.all() == {}) is is_open
    assert (desk.outlet.tries > 1) is is_open
    if not is_open:
        desk.outlet.always = None
        assert desk.pass_later(MINUTE).accepted == 39


def test_another_worker_waits_while_one_tries_out(desk: Door) -> None:
    desk.outlet.always = FAULT
    desk.dispatch()
    desk.resume()
    now = desk.clock.now()
    desk.stops.ask(OUTLET, now, worker="another", lease=timedelta(minutes=5))
    desk.outlet.always = None
    assert desk.dispatch().outcomes == {}
    assert desk.pass_later(timedelta(minutes=6)).outcomes == {"accepted": 40}


def test_an_outlet_that_another_worker_stopped_is_left_in_the_middle_of_a_batch(desk: Door) -> None:
    sent = desk.outlet.taken

    def stop_meanwhile() -> None:
        desk.stops.stop(OUTLET, desk.clock.now(), "another worker was refused")

    desk.between = stop_meanwhile
    report = desk.dispatch()
    assert (sent, desk.states()) == ([], {("queued", 0)})
    assert "another worker was refused" in report.trouble


def test_what_waits_for_a_stopped_outlet_goes_stale(desk: Door) -> None:
    desk.outlet.always = FAULT
    desk.dispatch()
    desk.clock.move(4 * DAY)
    desk.resume()
    desk.outlet.always = None
    assert desk.dispatch().outcomes == {"cancelled": 40}
