"""Letters that are called back after they were handed over; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.journeys import order_signal
from rekindle.ledger import load_stays_of, models, tally_lists
from rekindle.messages import ChangeKind, Stay
from rekindle.vocabulary import Reason
from tests.ledger.queueing import DAY, HOUR, MINUTE, START, claim
from tests.ledger.reaching.test_stays import LEASE, Lists

UNTIL = START + 4 * HOUR


@pytest.fixture(params=["sqlite", "postgres"])
def lists(request: pytest.FixtureRequest) -> Lists:
    return Lists(request.getfixturevalue(request.param))


def post(lists: Lists, person: str = "alice") -> int:
    """Hand a letter over that leaves in four hours; return the touch."""
    touch = lists.queue.message(person, ended=Reason.FINISHED)
    models.Touch.objects.using(lists.alias).filter(pk=touch).update(
        channel="letter", outlet="letter_lob", cost_micros=1200
    )
    (message,) = (one for one in claim(lists.outbox) if one.touch == touch)
    lists.outbox.begin_sending([message], START, outlet="letter_lob")
    lists.outbox.accept([(message, "ltr_1")], START, stays={touch: Stay("", "ltr_1", UNTIL)})
    return touch


def buy(lists: Lists, person: str = "alice", after: timedelta = HOUR) -> None:
    lists.book.record([order_signal(person, START + after, "shop", "o-1")], START + after)


def test_who_returns_has_their_letter_called_back_and_it_costs_nothing(lists: Lists) -> None:
    touch = post(lists)
    assert lists.stays.claim("letter_lob", ChangeKind.REMOVE, START, limit=1, lease=LEASE) is None
    buy(lists)
    at = START + HOUR
    claimed = lists.stays.claim("letter_lob", ChangeKind.REMOVE, at, limit=1, lease=LEASE)
    assert claimed is not None
    assert list(claimed.members) == ["ltr_1"]
    lists.stays.take(claimed, "called back", at)
    (asked,) = lists.stays.asked("letter_lob", at)
    assert asked.is_of_messages
    lists.stays.settle_called_back(asked.stays, at)
    row = models.Touch.objects.using(lists.alias).get(pk=touch)
    assert (row.state, row.reason) == ("cancelled", Reason.ORDER)
    (stay,) = load_stays_of(lists.alias, "alice")
    assert (stay.reason, stay.request, stay.effective_at) == ("order", "called back", at)


def test_a_worker_that_was_killed_while_it_asked_leaves_it_to_be_asked_again(lists: Lists) -> None:
    post(lists)
    buy(lists)
    at = START + HOUR
    assert lists.stays.claim("letter_lob", ChangeKind.REMOVE, at, limit=1, lease=LEASE)
    assert lists.stays.claim("letter_lob", ChangeKind.REMOVE, at, limit=1, lease=LEASE) is None
    later = at + LEASE + MINUTE
    assert lists.stays.claim("letter_lob", ChangeKind.REMOVE, later, limit=1, lease=LEASE)


def test_a_letter_that_nobody_called_back_leaves_without_a_word(lists: Lists) -> None:
    touch = post(lists)
    lists.stays.end_overdue(UNTIL)
    assert lists.stays.outlets() == []
    buy(lists, after=5 * HOUR)
    at = START + DAY
    assert lists.stays.claim("letter_lob", ChangeKind.REMOVE, at, limit=1, lease=LEASE) is None
    assert models.Touch.objects.using(lists.alias).get(pk=touch).state == "accepted"
    (stay,) = load_stays_of(lists.alias, "alice")
    assert (stay.reason, stay.request, stay.effective_at) == ("finished", "", UNTIL)


def test_a_letter_is_on_no_list(lists: Lists) -> None:
    post(lists)
    assert tally_lists(lists.alias) == []


def test_a_report_that_it_was_deleted_may_come_first(lists: Lists) -> None:
    touch = post(lists)
    buy(lists)
    rows = models.Touch.objects.using(lists.alias).filter(pk=touch)
    rows.update(state="failed", reason=Reason.REFUSED)
    stay = models.Stay.objects.using(lists.alias).get(touch=touch)
    lists.stays.settle_called_back([stay.pk], START + HOUR)
    assert (rows.get().state, rows.get().reason) == ("cancelled", Reason.ORDER)


def test_who_is_erased_has_their_letter_called_back(lists: Lists) -> None:
    post(lists)
    lists.book.erase("alice", START + HOUR)
    (stay,) = load_stays_of(lists.alias, "alice")
    assert stay.reason == Reason.ERASED
