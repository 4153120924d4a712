"""What a batch decides is written down of each person, however many others it is alike for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from rekindle.consent import ConsentRecord, Preferences
from rekindle.gate import Dossier, Enrolment
from rekindle.journeys import Batch, Move, Person
from rekindle.ledger import models
from rekindle.ledger.book import LANES
from rekindle.ledger.bulk import BLOCK, LARGE
from rekindle.ledger.queries import ledger_transaction
from rekindle.testing.book_contract import START, build_enrolment, build_move, build_version
from rekindle.testing.book_samples import build_end, build_hold
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Arm, Channel

EMAIL = Channel("email")
Told = tuple[object, ...]


@pytest.fixture(params=[1, BLOCK - 1, BLOCK, LARGE - 1, LARGE, 2 * LARGE + BLOCK + 1])
def count(request: pytest.FixtureRequest) -> int:
    """Return how many people there are of each kind."""
    return int(request.param)


def _decide(enrolment: Enrolment) -> Move:
    kind, number = enrolment.person.split("-")
    if kind == "alone":  # each until an instant of their own
        return build_hold(enrolment, START + timedelta(minutes=int(number) + 1))
    if kind == "held":
        return build_hold(enrolment, START + timedelta(days=1))
    if kind == "ends":
        return build_end(enrolment)
    return replace(build_move(enrolment), detail="an 'odd' detail\n")


def _enrol(book: OpenedLedgerBook, count: int) -> list[str]:
    kinds = ("alone", "held", "ends", "sent", "ghost")
    people = [f"{kind}-{number}" for number in range(count) for kind in kinds]
    book.save_people(Person(person, f"{person}@example.com", "GB") for person in people)
    book.start(build_version())
    held_out = [f"ghost-{number}" for number in range(count)]
    enrolments = [build_enrolment(person) for person in people]
    book.enrol(
        [replace(one, arm=Arm.HOLDOUT) if one.person in held_out else one for one in enrolments]
    )
    return people


def test_each_person_gets_what_was_decided_about_them(
    book: OpenedLedgerBook, alias: str, count: int
) -> None:
    people = _enrol(book, count)
    moves: dict[str, Move] = {}

    def decide(batch: Batch) -> list[Move]:
        moves.update((one.enrolment.person, _decide(one.enrolment)) for one in batch.dossiers)
        return list(moves.values())

    assert book.take_due(START, len(people), decide) == len(people)

    places = models.Place.objects.using(alias).values_list(
        "enrolment__person", "position", "ready_at", "due_at", "wakes_on"
    )
    assert sorted(places) == sorted(
        (who, one.next.position, one.next.ready_at, one.next.due_at, one.next.wakes_on)
        for who, one in moves.items()
        if one.ended is None
    )
    decisions = models.Decision.objects.using(alias).values_list(
        "enrolment__person", "step", "at", "answer", "reason", "until", "is_ghost", "detail"
    )
    assert sorted(decisions, key=str) == sorted((_told(who, moves[who]) for who in people), key=str)
    touches = models.Touch.objects.using(alias).values_list(
        "person", "enrolment__person", "state", "cost_micros", "template"
    )
    assert sorted(touches) == sorted(
        (who, who, *(("ghost", 0) if who.startswith("ghost") else ("queued", 1000)), "check-in")
        for who in people
        if who.split("-")[0] in {"ends", "sent", "ghost"}
    )


def test_messages_of_two_journeys_that_are_alike_are_all_written(
    book: OpenedLedgerBook, alias: str, count: int
) -> None:
    for journey in ("lapsed", "other"):
        book.start(build_version(journey))
        people = [f"{journey}-{number}" for number in range(count)]
        book.save_people(Person(person, f"{person}@example.com", "GB") for person in people)
        book.enrol([build_enrolment(person, journey) for person in people])

    def send_all(batch: Batch) -> list[Move]:
        return [build_move(one.enrolment) for one in batch.dossiers]

    assert book.take_due(START, 2 * count, send_all) == 2 * count
    for rows in (models.Touch.objects.using(alias), models.Decision.objects.using(alias)):
        found = rows.values_list("enrolment__journey", "enrolment__person")
        assert sorted(found) == sorted(
            (journey, f"{journey}-{number}")
            for journey in ("lapsed", "other")
            for number in range(count)
        )


@pytest.mark.long
def test_who_is_looked_at_beside_others_is_judged_as_alone(book: OpenedLedgerBook) -> None:
    draw = Random(11)
    people = [
        Person(
            f"one-{number}",
            draw.choice([f"one-{number}@example.com", None]),
            draw.choice(["GB", "DE", "CA", None]),
            draw.choice(["Asia/Tokyo", None]),
            phone=draw.choice(["+81312345678", None]),
        )
        for number in range(300)
    ]
    book.save_people(people)
    book.start(build_version())
    book.enrol([_entered(one.id, draw) for one in people])
    for one in people:
        book.save_consent(
            ConsentRecord(one.id, EMAIL, draw.random() < 0.7, START - timedelta(days=1), "form")
            for _ in range(draw.randint(0, 1))
        )
        if draw.random() < 0.1:
            book.suppress(one.id, EMAIL, reason="opt_out", at=START - timedelta(days=1))
        if draw.random() < 0.1:
            book.save_preferences(one.id, Preferences(snoozed_until=START + timedelta(days=2)))
    together = book.due(START, len(people))
    assert len(together) == len(people)
    assert len({(one.permission, one.zones) for one in together}) > 8
    assert {one.enrolment.person: one for one in together} == _judged_alone(book)


def _entered(person: str, draw: Random) -> Enrolment:
    """Return an enrolment of somebody who bought lately, long ago, or never."""
    bought_at = draw.choice([None, START - timedelta(days=40), START - timedelta(days=4_000)])
    return replace(build_enrolment(person), last_order_at=bought_at)


def _judged_alone(book: OpenedLedgerBook) -> dict[str, Dossier]:
    reader = book._reader
    with ledger_transaction(book._alias):
        rows = [row for lane in range(LANES) for row in reader.read_lane(lane, START, 1_000)]
        found = [one.dossier for row in rows for one in reader.complete([row], START)]
    return {one.enrolment.person: one for one in found}


def _told(person: str, move: Move) -> Told:
    decision = move.decision
    reason = None if decision.reason is None else decision.reason.value
    is_ghost = person.startswith("ghost")
    words = move.step.key, move.at, decision.answer.value, reason, decision.until
    return (person, *words, is_ghost, move.detail)
