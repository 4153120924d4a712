"""What a batch decides is written down of each person, however many others it is alike for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rekindle.gate import Enrolment
from rekindle.journeys import Batch, Move, Person
from rekindle.ledger import models
from rekindle.ledger.bulk import BLOCK, LARGE
from rekindle.testing.book_contract import START, build_enrolment, build_move, build_version
from rekindle.testing.book_samples import build_end, build_hold
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Arm

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


def _told(person: str, move: Move) -> Told:
    decision = move.decision
    reason = None if decision.reason is None else decision.reason.value
    is_ghost = person.startswith("ghost")
    words = move.step.key, move.at, decision.answer.value, reason, decision.until
    return (person, *words, is_ghost, move.detail)
