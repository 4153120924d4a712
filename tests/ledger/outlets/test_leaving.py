"""Whatever the book is told reaches what already waits in the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.journeys import Person, Signal
from rekindle.ledger import History, LedgerBook, Outbox
from rekindle.vocabulary import Channel, Reason, SignalKind
from tests.ledger.queueing import DAY, HOUR, START, Queue, claim

Tell = Callable[[LedgerBook], object]


@pytest.fixture
def queue(alias: str) -> Queue:
    return Queue(alias)


def _happens(kind: SignalKind, name: str = "") -> Tell:
    return lambda book: book.record([Signal("alice", kind, START + HOUR, "1", name)], START + HOUR)


STOPPING: dict[str, tuple[Tell, Reason]] = {
    "purchase": (_happens(SignalKind.ORDER), Reason.ORDER),
    "opt-out": (_happens(SignalKind.OPT_OUT), Reason.OPT_OUT),
    "complaint": (_happens(SignalKind.COMPLAINT), Reason.COMPLAINT),
    "exit by name": (_happens(SignalKind.EVENT, "cart_abandoned"), Reason.EVENT),
    "withdrawal": (
        lambda book: book.save_consent(
            [ConsentRecord("alice", Channel("email"), False, START + HOUR, "portal")]
        ),
        Reason.NO_PERMISSION,
    ),
    "erasure": (lambda book: book.erase("alice", START + HOUR), Reason.ERASED),
    "stop": (lambda book: book.stop("lapsed", START + HOUR), Reason.STOPPED),
}


@pytest.mark.parametrize("is_claimed", [False, True], ids=["waiting", "held by a worker"])
@pytest.mark.parametrize(("tell", "reason"), list(STOPPING.values()), ids=[*STOPPING])
def test_what_stops_a_journey_cancels_what_has_not_left(
    queue: Queue, book: LedgerBook, outbox: Outbox, *, tell: Tell, reason: Reason, is_claimed: bool
) -> None:
    number = queue.message()
    queue.stand(number)
    claimed = claim(outbox) if is_claimed else []
    tell(book)
    assert queue.fate(number) == ("cancelled", reason.value)
    assert outbox.begin_sending(claimed, START + HOUR) == []


@pytest.mark.parametrize("kind", [SignalKind.ORDER, SignalKind.OPT_OUT])
def test_last_message_of_a_finished_journey_is_cancelled_too(
    queue: Queue, book: LedgerBook, kind: SignalKind
) -> None:
    number = queue.message(ended=Reason.FINISHED)
    book.record([Signal("alice", kind, START + HOUR, "1")], START + HOUR)
    assert queue.fate(number) == ("cancelled", kind.value)


def test_pause_takes_back_what_workers_hold(queue: Queue, book: LedgerBook, outbox: Outbox) -> None:
    number = queue.message()
    claimed = claim(outbox)
    book.pause("lapsed", START)
    assert outbox.begin_sending(claimed, START) == []
    assert queue.fate(number) == ("queued", None)
    assert claim(outbox) == []


@pytest.mark.parametrize(
    "tell",
    [
        lambda book: book.suppress("alice", Channel("email"), reason="asked", at=START),
        lambda book: book.save_preferences("alice", Preferences(START + DAY)),
        lambda book: book.exclude("alice", Exclusion.BAD_ACTOR, at=START, until=None),
    ],
    ids=["suppression", "wish", "exclusion"],
)
def test_what_changes_the_answer_is_asked_about_again(
    queue: Queue, book: LedgerBook, outbox: Outbox, tell: Tell
) -> None:
    number = queue.message()
    claimed = claim(outbox)
    tell(book)
    assert outbox.begin_sending(claimed, START) == []
    assert queue.fate(number) == ("queued", None)


def test_suppression_reaches_who_shares_the_address(
    queue: Queue, book: LedgerBook, outbox: Outbox
) -> None:
    book.save_people([Person("alice", "a@example.com"), Person("twin", "A@example.com ")])
    queue.message("twin")
    claimed = claim(outbox)
    signal = Signal("alice", SignalKind.COMPLAINT, START, "1")
    book.record([signal], START + HOUR)
    assert outbox.begin_sending(claimed, START + HOUR) == []


def test_purchase_leaves_a_message_on_its_way_alone_but_stops_its_retry(
    queue: Queue, book: LedgerBook, outbox: Outbox
) -> None:
    number = queue.message()
    queue.stand(number)
    (message,) = outbox.begin_sending(claim(outbox), START)
    book.record([Signal("alice", SignalKind.ORDER, START + HOUR, "1")], START + HOUR)
    assert queue.fate(number) == ("sending", None)
    outbox.retry_later(message, START + HOUR, error="busy")
    (again,) = claim(outbox, at=START + HOUR)
    assert again.dossier.exit is Reason.ORDER


def test_address_that_takes_no_messages_is_a_bounce(
    queue: Queue, book: LedgerBook, outbox: Outbox, alias: str
) -> None:
    number = queue.message()
    queue.stand(number)
    other = queue.message(journey="other")
    queue.stand(other)
    message = next(one for one in claim(outbox) if one.touch == number)
    outbox.begin_sending([message], START)
    outbox.fail(message, START + DAY, error="550 no such user", reason=Reason.BOUNCE)
    assert queue.fate(number) == ("failed", "bounce")
    assert queue.fate(other) == ("cancelled", "bounce")
    (enrolment, _) = History(alias).enrolments_of_person("alice")
    assert enrolment.ended_reason is Reason.BOUNCE
    assert outbox.stuck() == []
