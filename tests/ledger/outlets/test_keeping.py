"""What is kept until its person asks is withdrawn by whatever ends it, in that transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from rekindle.consent import ConsentRecord
from rekindle.gate import BookRules
from rekindle.identity import JoinReason, Link
from rekindle.journeys import Signal
from rekindle.ledger import Deliveries, KeptMessages, LedgerBook, Observations, Outbox, models
from rekindle.messages import (
    Address,
    AddressKind,
    Capabilities,
    DeliveryEvent,
    DeliveryKind,
    Message,
)
from rekindle.vocabulary import Channel, Reason, SignalKind
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import DAY, HOUR, MINUTE, START, Queue, claim

INAPP = Channel("inapp")
ASKED_FOR = Capabilities(
    AddressKind.PERSON, needs_consent=False, needs_quiet_hours=False, is_asked_for=True
)
TERMS = BookRules(channels={INAPP: ASKED_FOR}, longest_window=7 * DAY)
SECOND = MINUTE / 60


@dataclass
class Shelf:
    """One ledger with what is kept in it."""

    alias: str

    def __post_init__(self) -> None:
        self.queue = Queue(self.alias)
        self.outbox = Outbox(self.alias, terms=TERMS)
        self.book = LedgerBook(self.alias, secret=SECRET, terms=TERMS)
        self.kept = KeptMessages(self.alias, TERMS)

    def keep(self, person: str = "alice", at: datetime = START, **changes: Any) -> int:
        """Keep one message; return its touch."""
        number = self.queue.message(person, **changes)
        models.Touch.objects.using(self.alias).filter(pk=number).update(channel="inapp")
        if not changes.get("ended"):
            self.queue.stand(number)
        (claimed,) = claim(self.outbox, at=at)
        self.accept(claimed, at)
        return number

    def accept(self, claimed: Any, at: datetime) -> None:
        self.outbox.begin_sending([claimed], at)
        written = Message(
            claimed.key,
            INAPP,
            claimed.person,
            Address("person", claimed.person),
            {"title": "Ann", "body": f"For {claimed.person}"},
            at,
            leave_by=claimed.expires_at,
        )
        self.outbox.accept([(claimed, claimed.key)], at, kept=[(claimed, written)])

    def shown(self, person: str = "alice", at: datetime = START + HOUR) -> list[int]:
        return [one.message.touch for one in self.kept.of(person, at)]

    def tell(self, kind: DeliveryKind, touch: int, at: datetime = START + HOUR) -> int:
        (key,) = [
            one.message.key
            for one in self.kept.of("alice", START + MINUTE)
            if one.message.touch == touch
        ] or [next(iter(self.kept.told_of("alice", [INAPP], START + DAY)))]
        deliveries = Deliveries(self.alias, self.book, secret=SECRET, terms=TERMS)
        event = DeliveryEvent(f"{key}:{kind}", kind, INAPP, "kept", at, message=key, person="alice")
        return deliveries.take([event], at)


@pytest.fixture
def shelf(alias: str) -> Shelf:
    return Shelf(alias)


def buy(shelf: Shelf) -> None:
    shelf.book.record([Signal("alice", SignalKind.ORDER, START + MINUTE, "order:1")], START + HOUR)


def opt_out(shelf: Shelf) -> None:
    stop = Signal("alice", SignalKind.OPT_OUT, START + MINUTE, "stop:1")
    shelf.book.record([stop], START + HOUR)


ENDS: dict[str, Callable[[Shelf], object]] = {
    "return": buy,
    "opt-out": opt_out,
    "erasure": lambda shelf: shelf.book.erase("alice", START + HOUR),
    "stop": lambda shelf: shelf.book.stop("lapsed", START + HOUR),
}


@pytest.mark.parametrize("ended", [None, Reason.FINISHED])
@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_journey_withdraws_what_it_would_show(
    shelf: Shelf, end: str, ended: Reason | None
) -> None:
    mine, other = shelf.keep(ended=ended), shelf.keep("bob", journey="other")
    assert (shelf.shown(), shelf.shown("bob")) == ([mine], [other])
    ENDS[end](shelf)
    assert (shelf.shown(), shelf.shown("bob")) == ([], [other])
    rows = models.Kept.objects.using(shelf.alias).values_list("touch", flat=True)
    assert list(rows) == [other]
    assert shelf.queue.fate(mine) == ("accepted", None)


def test_a_no_withdraws_for_good_what_it_is_about(shelf: Shelf) -> None:
    shelf.keep()
    receipt = shelf.keep(journey="other", is_marketing=False)
    for number, is_granted in enumerate((False, True), start=1):
        said = ConsentRecord("alice", INAPP, is_granted, START + number * MINUTE, "shop")
        shelf.book.save_consent([said])
        assert shelf.shown() == [receipt]


def test_a_return_that_an_import_brings_is_watched_for_while_something_is_kept(
    shelf: Shelf,
) -> None:
    mine = shelf.keep(ended=Reason.FINISHED)
    observations = Observations(shelf.alias)
    assert [person for person, *_ in observations.watched()] == ["alice"]
    shelf.tell(DeliveryKind.DISMISSED, mine)
    assert observations.watched() == []


@pytest.mark.parametrize("end", ENDS)
def test_what_is_accepted_while_its_journey_ends_is_not_kept_or_not_let_through(
    shelf: Shelf, end: str
) -> None:
    number = shelf.queue.message()
    models.Touch.objects.using(shelf.alias).filter(pk=number).update(channel="inapp")
    shelf.queue.stand(number)
    (claimed,) = claim(shelf.outbox)
    shelf.outbox.begin_sending([claimed], START)
    ENDS[end](shelf)
    shelf.accept(claimed, START + HOUR)
    assert [
        one for one in shelf.kept.of("alice", START + HOUR) if not one.message.dossier.exit
    ] == []


def test_a_finished_journey_is_no_exit_and_a_purchase_during_acceptance_is(shelf: Shelf) -> None:
    number = shelf.queue.message(ended=Reason.FINISHED)
    models.Touch.objects.using(shelf.alias).filter(pk=number).update(channel="inapp")
    (claimed,) = claim(shelf.outbox)
    shelf.outbox.begin_sending([claimed], START)
    shelf.accept(claimed, START)
    (one,) = shelf.kept.of("alice", START + MINUTE)
    assert one.message.dossier.exit is None
    assert one.parts == {"title": "Ann", "body": "For alice"}
    models.Signal.objects.using(shelf.alias).create(  # by a transaction that saw it leaving
        person_id="alice",
        kind="order",
        at=START + MINUTE,
        key="order:1",
        recorded_at=START + MINUTE,
    )
    (one,) = shelf.kept.of("alice", START + HOUR)
    assert one.message.dossier.exit is Reason.ORDER


def test_a_pause_hides_what_is_kept_and_a_time_ends_it(shelf: Shelf) -> None:
    mine = shelf.keep()
    shelf.book.pause("lapsed", START + MINUTE)
    assert shelf.shown() == []
    shelf.book.resume("lapsed", START + HOUR, over_seconds=0)
    assert shelf.shown(at=START + 2 * HOUR) == [mine]
    assert shelf.shown(at=START + 3 * DAY - SECOND) == [mine]
    assert shelf.shown(at=START + 3 * DAY) == []
    shelf.kept.drop_over(START + 3 * DAY - SECOND)
    assert models.Kept.objects.using(shelf.alias).count() == 1
    shelf.kept.drop_over(START + 3 * DAY)
    assert models.Kept.objects.using(shelf.alias).count() == 0


@pytest.mark.parametrize(
    ("kind", "is_over", "signals"),
    [
        (DeliveryKind.SHOWN, False, []),
        (DeliveryKind.CLICKED, True, ["click"]),
        (DeliveryKind.DISMISSED, True, []),
    ],
)
def test_what_a_person_does_with_it_is_heard_once(
    shelf: Shelf, kind: DeliveryKind, is_over: bool, signals: list[str]
) -> None:
    mine = shelf.keep()
    # Whoever clicks within seconds of the acceptance was in the app, and is no scanner.
    assert shelf.tell(kind, mine, at=START + SECOND) == 1
    assert shelf.shown() == ([] if is_over else [mine])
    assert shelf.tell(kind, mine) == 0
    rows = models.Signal.objects.using(shelf.alias)
    assert list(rows.values_list("kind", flat=True)) == signals
    assert not models.Delivery.objects.using(shelf.alias).get().is_machine


def test_what_was_one_persons_is_the_others_after_a_join(shelf: Shelf) -> None:
    mine = shelf.keep("ann")
    other = shelf.keep("alice", journey="other")
    link = Link("ann", "alice", JoinReason.BY_HAND, "tests")
    shelf.book.persons.join([link], START + MINUTE, by="tests")
    assert shelf.shown("ann") == []
    assert shelf.shown() == [other, mine]
