"""Silences are read off what left and what came back, and end with whatever a person does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rekindle.consent import NO_RESPONSE, ConsentRecord, Silence
from rekindle.journeys import Person, Signal
from rekindle.ledger import (
    LedgerBook,
    active_among,
    find_silences,
    find_suppressed,
    leave_alone,
    left_alone,
    models,
    people_suppressed_since,
)
from rekindle.vocabulary import Channel, Purpose, SignalKind
from tests.ledger.queueing import DAY, START, Queue

EMAIL = Channel("email")
NOW = START + 100 * DAY


@pytest.fixture
def queue(alias: str) -> Queue:
    return Queue(alias)


def send(queue: Queue, person: str, *days: int, **changes: object) -> list[int]:
    return [
        queue.message(
            person,
            f"j{number}",
            state="accepted",
            at=START + day * DAY,
            accepted_at=START + day * DAY,
            **changes,
        )
        for number, day in enumerate(days)
    ]


def silences(queue: Queue, least: int = 2) -> dict[str, tuple[int, datetime, bool]]:
    found = find_silences(queue.alias, least=least, since=NOW)
    return {one.person: (one.unanswered_count, one.first_at, one.opened) for one in found}


def suppressed(alias: str, person: str) -> bool:
    found = find_suppressed(alias, [person], {EMAIL: "email"}, Purpose.MARKETING)
    return (person, EMAIL) in found


def test_messages_since_the_last_answer_are_counted(queue: Queue, book: LedgerBook) -> None:
    send(queue, "silent", 0, 5, 10)
    send(queue, "clicked", 0, 5, 10)
    book.record([Signal("clicked", SignalKind.CLICK, START + 6 * DAY, "c")], NOW)
    send(queue, "opened", 0, 5)
    book.record([Signal("opened", SignalKind.OPEN, START + 6 * DAY, "o")], NOW)
    send(queue, "receipts", 0, 5, is_marketing=False)
    assert silences(queue) == {
        "silent": (3, START, False),
        "opened": (2, START, False),
    }
    assert silences(queue, least=1)["clicked"] == (1, START + 10 * DAY, False)


def test_an_open_of_a_person_is_faint_interest_and_a_machines_is_not(queue: Queue) -> None:
    for person, is_machine in (("person", False), ("machine", True)):
        _, touch = send(queue, person, 0, 5)
        queue.add(
            models.Delivery,
            key=person,
            channel="email",
            outlet="x",
            kind="opened",
            at=START + 6 * DAY,
            touch=touch,
            is_machine=is_machine,
            is_permanent=False,
            recorded_at=NOW,
        )
    assert {who: opened for who, (*_, opened) in silences(queue).items()} == {
        "person": True,
        "machine": False,
    }


def test_who_is_left_alone_is_so_alone_until_they_do_something(
    queue: Queue, book: LedgerBook, alias: str
) -> None:
    send(queue, "ann", 0, 5)
    book.save_people(
        [Person("ann", "ann@example.com", "GB"), Person("twin", "ann@example.com", "GB")]
    )
    leave_alone(alias, [("ann", "email", NO_RESPONSE)], NOW)
    assert suppressed(alias, "ann")
    assert not suppressed(alias, "twin")  # somebody else with the address did not stay silent
    assert left_alone(alias) == {"ann": NOW}
    for kind in (SignalKind.OPEN, SignalKind.BOUNCE):
        book.record([Signal("ann", kind, NOW, kind.value, channel=Channel("text"))], NOW)
    assert left_alone(alias) == {"ann": NOW}
    later = NOW + DAY
    book.record([Signal("ann", SignalKind.REPLY, later, "reply")], later)
    assert not suppressed(alias, "ann")
    leave_alone(alias, [("ann", "*", "archived")], later)  # and it may come to that again
    assert suppressed(alias, "ann")
    book.record([Signal("ann", SignalKind.VISIT, later + timedelta(1), "v")], later + DAY)
    assert left_alone(alias) == {}


def test_an_opt_out_is_not_taken_back_by_a_click(book: LedgerBook, alias: str) -> None:
    book.save_people([Person("ann", "ann@example.com", "GB")])
    book.record([Signal("ann", SignalKind.OPT_OUT, START, "out", channel=EMAIL)], START)
    book.record([Signal("ann", SignalKind.CLICK, NOW, "click")], NOW)
    assert suppressed(alias, "ann")


def test_active_people_are_those_who_did_something_since(book: LedgerBook, alias: str) -> None:
    for person, day in (("old", 0), ("new", 50)):
        book.save_people([Person(person, f"{person}@example.com", "GB")])
        book.record([Signal(person, SignalKind.CLICK, START + day * DAY, person)], NOW)
    assert active_among(alias, ["old", "new", "nobody"], since=START + DAY) == {"new"}


def test_a_silence_names_its_channel(queue: Queue) -> None:
    send(queue, "ann", 0, 5)
    (found,) = find_silences(queue.alias, least=2, since=NOW)
    assert found == Silence("ann", "email", 2, START)


def test_what_waited_to_be_asked_for_counts_once_it_was_shown(queue: Queue) -> None:
    seen, _ = send(queue, "silent", 0, 5)
    asked_for = [EMAIL.value]
    found = find_silences(queue.alias, least=1, since=NOW, asked_for=asked_for)
    assert found == []
    queue.add(
        models.Delivery,
        key="d",
        channel="email",
        outlet="kept",
        kind="shown",
        at=START + DAY,
        touch=seen,
        is_machine=False,
        is_permanent=True,
        recorded_at=NOW,
    )
    (found_one,) = find_silences(queue.alias, least=1, since=NOW, asked_for=asked_for)
    assert found_one.unanswered_count == 1


def test_who_is_suppressed_since_is_told_until_it_is_lifted(book: LedgerBook, alias: str) -> None:
    book.save_people([Person(who, f"{who}@example.com", "GB") for who in ("ann", "bob", "cat")])
    leave_alone(alias, [("ann", "email", NO_RESPONSE), ("bob", "*", "archived")], NOW)
    book.record([Signal("cat", SignalKind.OPT_OUT, NOW + DAY, "c", channel=EMAIL)], NOW + DAY)
    book.record([Signal("cat", SignalKind.BOUNCE, NOW + DAY, "b", channel=EMAIL)], NOW + DAY)
    assert people_suppressed_since(alias, NOW) == [
        ("ann", NO_RESPONSE, NOW),
        ("bob", "archived", NOW),
        ("cat", "opt_out", NOW + DAY),
    ]
    assert [who for who, *_ in people_suppressed_since(alias, NOW + DAY / 2)] == ["cat"]
    book.record([Signal("ann", SignalKind.REPLY, NOW + DAY, "r")], NOW + DAY)
    assert [who for who, *_ in people_suppressed_since(alias, NOW)] == ["bob", "cat"]


def test_who_said_no_by_a_file_is_among_those_who_left(book: LedgerBook, alias: str) -> None:
    book.save_people([Person(who, f"{who}@example.com", "GB") for who in ("ann", "bob", "cat")])

    def say(person: str, granted: bool, at: datetime, source: str = "crm") -> None:
        book.save_consent([ConsentRecord(person, EMAIL, granted, at, source)])

    say("ann", granted=True, at=START)
    say("ann", granted=False, at=NOW)
    say("bob", granted=False, at=NOW)
    say("bob", granted=True, at=NOW + DAY)  # a yes that is newer
    say("cat", granted=False, at=NOW, source="portal:preferences")  # a box left empty
    assert people_suppressed_since(alias, NOW) == [("ann", "opt_out", NOW)]
    assert people_suppressed_since(alias, NOW + DAY) == []
