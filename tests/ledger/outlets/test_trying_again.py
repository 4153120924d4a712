"""A message of unknown fate is sent again only where, and as long as, its key is recognised."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.errors import UnknownFateError
from rekindle.ledger import Outbox, cancelling, models
from rekindle.messages import FOR_EVER
from rekindle.vocabulary import Reason
from rekindle.worker.dispatching import Dispatcher, DispatchReport, LastLook, Means
from rekindle.worker.dispatching.stopping import OpenDoor
from tests.ledger.queueing import DAY, HOUR, MINUTE
from tests.runtime.test_dispatching import Desk

LOST = UnknownFateError("no answer")


class Keyed(Desk):
    """A desk whose outlet recognises a key for a while."""

    within: timedelta | None = 30 * MINUTE
    name = "one"

    def dispatch(self, outlet: object = None, connections: int = 2) -> DispatchReport:
        """Make one pass."""
        look = LastLook(self, self.rules, self)  # type: ignore[arg-type]
        means = Means(
            self.compose, look, self.clock, self.pace, connections, None, self.within, OpenDoor(),
            self.name,
        )  # fmt: skip
        return Dispatcher(Outbox(self.queue.alias, terms=self.terms), self.outlet, means).run()


@pytest.fixture
def desk(alias: str) -> Keyed:
    desk = Keyed(alias)
    desk.outlet.always = LOST
    return desk


def test_it_is_sent_again_within_the_window(desk: Keyed) -> None:
    number = desk.queue.message()
    assert desk.dispatch().outcomes == {"unknown": 1}
    assert desk.queue.fate(number) == ("queued", None)
    assert desk.dispatch().outcomes == {}, "not at once"
    desk.outlet.always = None
    assert desk.pass_later(2 * MINUTE).outcomes == {"accepted": 1}
    assert desk.outlet.tries == 2


def test_after_the_window_a_person_decides(desk: Keyed) -> None:
    number = desk.queue.message()
    for _ in range(60):
        desk.pass_later(MINUTE)
    assert desk.queue.fate(number) == ("unknown", None)
    tried_for = desk.outlet.tries
    assert 2 <= tried_for <= 6
    assert desk.pass_later(HOUR).outcomes == {}


def test_no_try_moves_the_end_of_the_window(desk: Keyed) -> None:
    number = desk.queue.message()
    desk.dispatch()
    end = desk.queue.touch(number).known_until
    assert end is not None
    assert end < desk.clock.now() + 30 * MINUTE
    desk.pass_later(5 * MINUTE)
    assert desk.queue.touch(number).known_until == end


def test_what_no_worker_came_back_to_in_time_is_not_sent(desk: Keyed) -> None:
    number = desk.queue.message()
    desk.dispatch()
    desk.outlet.always = None
    desk.pass_later(31 * MINUTE)
    assert desk.outlet.tries == 1
    assert desk.queue.fate(number) == ("unknown", None)


@pytest.mark.parametrize("within", [None, HOUR])
def test_another_outlet_is_not_handed_what_may_have_left(
    desk: Keyed, within: timedelta | None
) -> None:
    number = desk.queue.message()
    desk.dispatch()
    desk.name, desk.within, desk.outlet.always = "two", within, None
    desk.pass_later(2 * MINUTE)
    assert desk.outlet.tries == 1
    assert desk.queue.fate(number) == ("unknown", None)


@pytest.mark.parametrize(("name", "state"), [("one", "accepted"), ("two", "unknown")])
def test_what_a_lost_worker_was_sending_goes_again_by_the_same_outlet_alone(
    desk: Keyed, name: str, state: str
) -> None:
    number = desk.queue.message()
    outbox = Outbox(desk.queue.alias, terms=desk.terms)
    now = desk.clock.now()
    claimed = outbox.claim(now, worker="lost", lease=MINUTE, limit=9)
    outbox.begin_sending(claimed, now, outlet="one")
    desk.name, desk.outlet.always = name, None
    desk.pass_later(2 * MINUTE)
    assert desk.queue.fate(number)[0] == state


def test_what_is_cancelled_in_doubt_stays_unknown_and_counted(desk: Keyed) -> None:
    number = desk.queue.message()
    desk.dispatch()
    touches = models.Touch.objects.using(desk.queue.alias)
    assert cancelling.cancel(desk.queue.alias, touches.all(), Reason.ORDER) == 0
    assert desk.queue.fate(number) == ("unknown", None)


def test_a_person_who_knows_that_it_did_not_arrive_may_have_it_sent(desk: Keyed) -> None:
    desk.queue.message()
    desk.dispatch()
    desk.pass_later(31 * MINUTE)
    outbox = Outbox(desk.queue.alias, terms=desk.terms)
    (stuck,) = outbox.stuck()
    outbox.resolve(stuck.key, sent=False, at=desk.clock.now(), who="ann")
    desk.outlet.always = None
    assert desk.dispatch().outcomes == {"accepted": 1}


@pytest.mark.parametrize(("within", "state"), [(FOR_EVER, "queued"), (None, "unknown")])
def test_where_keys_live_for_ever_or_not_at_all(
    desk: Keyed, within: timedelta | None, state: str
) -> None:
    desk.within = within
    number = desk.queue.message()
    end = desk.queue.touch(number).expires_at
    desk.dispatch()
    assert desk.queue.fate(number) == (state, None)
    assert desk.queue.touch(number).expires_at == end
    desk.pass_later(4 * DAY)
    assert desk.outlet.tries == 1
