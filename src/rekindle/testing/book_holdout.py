"""What a book promises of the holdout of all marketing journeys."""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from dataclasses import replace

from rekindle.experiments import assign
from rekindle.gate import Decision, GlobalHoldout
from rekindle.journeys.model import Person
from rekindle.testing.book_samples import (
    DAY,
    START,
    TERMS,
    MakeBook,
    OpenedBook,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.vocabulary import Answer, Arm, Purpose, Reason

SALT = "shop/*"
CROWD = tuple(f"p{number}" for number in range(40))


def _held(share: float) -> set[str]:
    drawn = {who: assign(who, salt=SALT, holdout_share=share) for who in CROWD}
    return {who for who, arm in drawn.items() if arm is Arm.HOLDOUT}


def _open(make_book: MakeBook, share: float) -> OpenedBook:
    return make_book(replace(TERMS, holdout=GlobalHoldout(share, SALT)))


def _fill(book: OpenedBook) -> OpenedBook:
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in CROWD)
    for name, purpose in (
        ("lapsed", Purpose.MARKETING),
        ("other", Purpose.MARKETING),
        ("receipt", Purpose.TRANSACTIONAL),
    ):
        book.start(build_version(name, purpose=purpose))
    return book


def _withheld(book: OpenedBook) -> set[tuple[str, str]]:
    due = book.due(START, 1_000)
    return {(d.enrolment.person, d.enrolment.journey) for d in due if d.is_withheld}


class HoldoutContract:
    """Who is drawn, when, and what they are from then on."""

    def test_share_of_those_who_enter_marketing_is_withheld(self, make_book: MakeBook) -> None:
        book, held = _fill(_open(make_book, 0.3)), _held(0.3)
        book.enrol([build_enrolment(who) for who in CROWD])
        assert 0 < len(held) < len(CROWD)
        assert _withheld(book) == {(who, "lapsed") for who in held}

    def test_nobody_is_withheld_without_a_share(self, make_book: MakeBook) -> None:
        book = _fill(_open(make_book, 0.0))
        book.enrol([build_enrolment(who) for who in CROWD])
        assert not _withheld(book)

    def test_transactional_journey_draws_nobody(self, make_book: MakeBook) -> None:
        book = _fill(_open(make_book, 0.3))
        book.enrol([build_enrolment(who, journey="receipt") for who in CROWD])
        assert not _withheld(book)

    def test_draw_holds_in_journeys_entered_before_and_after(self, make_book: MakeBook) -> None:
        book = _fill(_open(make_book, 0.3))
        book.enrol([build_enrolment(who, journey="receipt") for who in CROWD])
        book.enrol([build_enrolment(who) for who in CROWD])
        book.enrol([build_enrolment(who, journey="other") for who in CROWD])
        assert {journey for _, journey in _withheld(book)} == {"lapsed", "other", "receipt"}

    def test_ghosts_count_for_the_withheld(self, make_book: MakeBook) -> None:
        book, held = _fill(_open(make_book, 0.3)), min(_held(0.3))
        book.enrol([build_enrolment(held), build_enrolment(held, journey="other")])
        ghost = Decision(Answer.SKIP, Reason.GLOBAL_HOLDOUT)
        assert book.save([build_move(build_enrolment(held), decision=ghost)]) == 1
        (other,) = (d for d in book.due(START, 9) if d.enrolment.journey == "other")
        assert len(other.sent) == 1
        (moved,) = (d for d in book.due(START + 9 * DAY, 9) if d.enrolment.journey == "lapsed")
        assert moved.enrolment.position > 0
