"""Every promise of ``rekindle.journeys.interfaces.Book``, as one suite for all books.

A test module subclasses ``BookContract`` and overrides ``make_book``; pytest then
runs the whole suite over that book. A promise that is not here is not a promise.
"""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from rekindle.consent import ConsentRecord, Rule
from rekindle.gate import Decision, Enrolment, Sent
from rekindle.journeys.model import Batch, Move, Person, Signal, order_signal
from rekindle.messages import AddressKind, Capabilities
from rekindle.testing.book_holdout import HoldoutContract
from rekindle.testing.book_law import LawContract
from rekindle.testing.book_samples import (
    DAY,
    HOUR,
    LAST_ORDER,
    OFFER,
    OFFERING,
    START,
    TERMS,
    WINDOW,
    Deliver,
    MakeBook,
    OpenedBook,
    build_end,
    build_enrolment,
    build_hold,
    build_move,
    build_offering_version,
    build_order,
    build_tested_version,
    build_version,
    only_due,
    people_of,
)
from rekindle.testing.book_steering import SteeringContract
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason, SignalKind

__all__ = [
    "DAY",
    "HOUR",
    "LAST_ORDER",
    "START",
    "TERMS",
    "WINDOW",
    "BookContract",
    "Deliver",
    "MakeBook",
    "build_enrolment",
    "build_move",
    "build_version",
]


EMAIL, TEXT = Channel("email"), Channel("text")


def _start_each(book: OpenedBook) -> None:
    """Let Alice, who has a phone, into a journey of each kind."""
    book.save_people([Person("alice", "alice@example.com", "GB", phone="+44 20 7946 0000")])
    for name, channels, purpose in (
        ("mails", (EMAIL, EMAIL), Purpose.MARKETING),
        ("texts", (TEXT, TEXT), Purpose.MARKETING),
        ("both", (EMAIL, TEXT), Purpose.MARKETING),
        ("receipt", (EMAIL, EMAIL), Purpose.TRANSACTIONAL),
    ):
        book.start(build_version(name, purpose=purpose, channels=channels))
        book.enrol([build_enrolment(journey=name)])


def _open_journeys(book: OpenedBook) -> set[str]:
    return {one.journey for one in book.open_enrolments()}


def _suppressed_in(book: OpenedBook, *, rotation: int = 1) -> set[str]:
    """Return the journeys whose first step Alice may not get, entering as often as that."""
    for name in ("mails", "texts", "both", "receipt"):
        book.enrol([replace(build_enrolment(journey=name), rotation=rotation)])
    due = [one for one in book.due(START, 100) if one.enrolment.rotation == rotation]
    return {one.enrolment.journey for one in due if one.is_suppressed}


def _give_first(make_book: MakeBook, enrolment: Enrolment) -> OpenedBook:
    """Return a book in which somebody was given an offer with their first message."""
    book = make_book(OFFERING)
    book.save_people([Person("alice", "alice@example.com", "GB")])
    version = build_offering_version()
    book.start(version)
    enrolment = replace(enrolment, journey=version.journey.name)
    book.enrol([enrolment])
    is_held_out = enrolment.arm is Arm.HOLDOUT
    answer = Decision(Answer.SKIP, Reason.HELD_OUT) if is_held_out else Decision(Answer.SEND)
    book.save([replace(build_move(enrolment, decision=answer), offer=OFFER)])
    return book


class BookContract(SteeringContract, LawContract, HoldoutContract):
    """The suite. Alice, Bob and Charlie can be reached by e-mail; nobody consented."""

    @pytest.fixture
    def make_book(self) -> MakeBook:
        """Return a maker of empty books; every subclass overrides it."""
        raise NotImplementedError

    @pytest.fixture
    def deliver(self) -> Deliver:
        """Return what lets the messages that wait leave; here they have left already."""
        return lambda at: None

    @pytest.fixture
    def book(self, make_book: MakeBook) -> OpenedBook:
        """Return a book that knows three buyers and runs the journey ``lapsed``."""
        book = make_book(TERMS)
        book.save_people(
            Person(name, f"{name}@example.com", "GB") for name in ("alice", "bob", "charlie")
        )
        book.start(build_version())
        return book

    # People, consent and suppression

    def test_person_without_address_is_unreachable(self, book: OpenedBook) -> None:
        book.save_people([Person("dora")])
        book.enrol([build_enrolment("dora"), build_enrolment("alice")])
        assert not only_due(book, person="dora").is_reachable
        assert only_due(book, person="alice").is_reachable

    def test_contact_card_saved_again_is_replaced(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.save_people([Person("alice", None, "GB")])
        assert not only_due(book).is_reachable
        book.save_people([Person("alice", "alice@example.org", "GB")])
        assert only_due(book).is_reachable

    def test_buyer_is_permitted_by_soft_opt_in_only_where_claimed(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(replace(TERMS, soft_opt_in=False))
        book.save_people([Person("alice", "alice@example.com", "GB")])
        book.start(build_version())
        book.enrol([build_enrolment()])
        assert only_due(book).permission.rule is Rule.NO_RECORD

    def test_soft_opt_in_needs_a_purchase(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment(), replace(build_enrolment("bob"), last_order_at=None)])
        assert only_due(book).permission.rule is Rule.SOFT_OPT_IN
        assert only_due(book, person="bob").permission.rule is Rule.NO_RECORD

    def test_permission_is_judged_as_of_the_asking(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.save_consent(
            [
                ConsentRecord("alice", Channel("email"), False, START + 2 * DAY, "form"),
                ConsentRecord("alice", Channel("email"), True, START + DAY, "form"),
            ]
        )
        rules = [only_due(book, START + days * DAY).permission.rule for days in range(3)]
        assert rules == [Rule.SOFT_OPT_IN, Rule.EXPRESS, Rule.WITHDRAWN]

    def test_consent_saved_again_changes_nothing(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        granted = ConsentRecord("alice", Channel("email"), True, START - DAY, "form", "Yes, please")
        book.save_consent([granted, granted])
        book.save_consent([granted])
        assert only_due(book).permission.rule is Rule.EXPRESS

    def test_permission_follows_the_country(self, book: OpenedBook) -> None:
        book.save_people([Person("alice", "alice@example.com", "CA")])
        book.enrol([build_enrolment()])
        assert only_due(book).permission.rule is Rule.IMPLIED_BY_PURCHASE
        assert only_due(book, START + 800 * DAY).permission.rule is Rule.EXPIRED

    def test_transactional_journey_needs_no_permission(self, book: OpenedBook) -> None:
        book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL))
        book.save_consent([ConsentRecord("alice", Channel("email"), False, START - DAY, "form")])
        book.enrol([build_enrolment(journey="receipt")])
        assert only_due(book).permission.rule is Rule.TRANSACTIONAL

    def test_suppression_stays_however_often_it_is_said(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        for _ in range(2):
            book.suppress("alice", Channel("email"), reason="opt_out", at=START)
        assert only_due(book).is_suppressed
        assert not only_due(book, person="bob").is_suppressed

    def test_suppression_follows_the_address(self, book: OpenedBook) -> None:
        book.save_people([Person("alice-again", "Alice@Example.com", "GB")])
        book.enrol([build_enrolment("alice-again")])
        book.suppress("alice", Channel("email"), reason="opt_out", at=START)
        assert only_due(book, person="alice-again").is_suppressed

    def test_suppression_survives_a_new_address(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.suppress("alice", Channel("email"), reason="opt_out", at=START)
        book.save_people([Person("alice", "alice@example.org", "GB")])
        assert only_due(book).is_suppressed

    @pytest.mark.parametrize("is_known_first", [True, False])
    def test_suppression_binds_the_address_somebody_gets_later_whoever_has_it(
        self, book: OpenedBook, is_known_first: bool
    ) -> None:
        book.save_people([Person("again", "home@example.com", "GB")])
        moved = Person("alice", "Home@example.com", "GB")
        for person in [moved] if is_known_first else []:
            book.save_people([person])
        book.suppress("alice", EMAIL, reason="opt_out", at=START)
        book.save_people([moved])
        book.enrol([build_enrolment("again")])
        assert only_due(book, person="again").is_suppressed

    @pytest.mark.parametrize("is_known_first", [True, False])
    def test_suppression_binds_secondary_addresses_of_its_kind(
        self, book: OpenedBook, is_known_first: bool
    ) -> None:
        places = (("email", "Alice@work.example.com"), ("phone", "+44 20 7946 0000"))
        told = Person("alice", "alice@example.com", "GB", secondary=places)
        for person in [told] if is_known_first else []:
            book.save_people([person])
        book.suppress("alice", EMAIL, reason="opt_out", at=START)
        book.save_people([told])
        book.save_people([Person("again", "alice@work.example.com", "GB", phone="+442079460000")])
        book.start(build_version("texts", channels=(TEXT, TEXT)))
        book.enrol([build_enrolment("again"), build_enrolment("again", journey="texts")])
        due = {one.enrolment.journey: one for one in book.due(START, 100)}
        assert due["lapsed"].is_suppressed
        assert not due["texts"].is_suppressed

    def test_erased_persons_secondary_address_is_written_to_by_nobody(
        self, book: OpenedBook
    ) -> None:
        places = (("email", "alice@work.example.com"),)
        book.save_people([Person("alice", "alice@example.com", "GB", secondary=places)])
        book.erase("alice", START)
        book.save_people([Person("again", "alice@work.example.com", "GB")])
        book.enrol([build_enrolment("again")])
        assert only_due(book, person="again").is_suppressed

    def test_opt_out_of_one_channel_stops_its_marketing_and_nothing_else(
        self, book: OpenedBook
    ) -> None:
        _start_each(book)
        book.record([Signal("alice", SignalKind.OPT_OUT, START, "no", channel=EMAIL)], START)
        assert _open_journeys(book) == {"receipt", "texts"}
        assert _suppressed_in(book) == {"mails", "both"}

    @pytest.mark.parametrize("kind", [SignalKind.OPT_OUT, SignalKind.COMPLAINT])
    def test_stop_everything_and_a_complaint_stop_all_marketing(
        self, book: OpenedBook, kind: SignalKind
    ) -> None:
        _start_each(book)
        channel = EMAIL if kind is SignalKind.COMPLAINT else None
        book.record([Signal("alice", kind, START, "no", channel=channel)], START)
        assert _open_journeys(book) == {"receipt"}
        assert _suppressed_in(book) == {"mails", "texts", "both"}

    def test_bounce_stops_every_purpose_at_that_address_and_not_the_phone(
        self, book: OpenedBook
    ) -> None:
        _start_each(book)
        book.record([Signal("alice", SignalKind.BOUNCE, START, "no", channel=EMAIL)], START)
        assert _open_journeys(book) == {"texts", "both"}
        assert _suppressed_in(book) == {"mails", "receipt", "both"}

    def test_bounced_person_can_be_written_to_at_another_address(self, book: OpenedBook) -> None:
        book.record([Signal("alice", SignalKind.BOUNCE, START, "no", channel=EMAIL)], START)
        book.save_people([Person("alice-again", "Alice@Example.com", "GB")])
        book.save_people([Person("alice", "alice@example.org", "GB")])
        book.enrol([build_enrolment(), build_enrolment("alice-again")])
        assert not only_due(book).is_suppressed
        assert only_due(book, person="alice-again").is_suppressed

    def test_bounce_of_an_address_somebody_had_ends_nothing_of_theirs(
        self, book: OpenedBook
    ) -> None:
        book.enrol([build_enrolment()])
        bounce = Signal(
            "alice", SignalKind.BOUNCE, START, "no", channel=EMAIL, address="Alice@old.example.com"
        )
        assert book.record([bounce], START) == 0
        assert not only_due(book).is_suppressed
        book.save_people([Person("alice", "alice@old.example.com", "GB")])
        assert only_due(book).is_suppressed

    def test_suppression_by_hand_reaches_as_far_as_it_says(self, book: OpenedBook) -> None:
        _start_each(book)
        book.suppress("alice", TEXT, reason="never", at=START)
        assert _suppressed_in(book, rotation=0) == {"texts"}
        book.suppress("alice", None, reason="never", at=START, purpose=Purpose.MARKETING)
        assert _suppressed_in(book, rotation=0) == {"texts", "mails", "both"}
        book.suppress("alice", None, reason="never", at=START)
        assert _suppressed_in(book, rotation=0) == {"texts", "mails", "both", "receipt"}

    def test_erased_persons_address_is_written_to_by_nobody(self, book: OpenedBook) -> None:
        book.erase("alice", START)
        book.save_people([Person("alice-again", "alice@example.com", "GB")])
        book.enrol([build_enrolment("alice-again")])
        assert only_due(book, person="alice-again").is_suppressed

    def test_channel_that_needs_no_consent_is_closed_by_a_no_alone(
        self, make_book: MakeBook
    ) -> None:
        can = Capabilities(AddressKind.EMAIL, needs_consent=False)
        book = make_book(replace(TERMS, soft_opt_in=False, channels={EMAIL: can}))
        book.save_people([Person("alice", "alice@example.com", "GB")])
        book.start(build_version())
        book.enrol([build_enrolment()])
        assert only_due(book).permission.rule is Rule.NOT_NEEDED
        book.save_consent([ConsentRecord("alice", EMAIL, False, START - DAY, "form")])
        assert only_due(book).permission.rule is Rule.WITHDRAWN

    def test_channel_that_is_about_a_person_needs_no_address_of_theirs(
        self, make_book: MakeBook
    ) -> None:
        for kind, is_reachable in ((AddressKind.PERSON, True), (AddressKind.DEVICE, False)):
            book = make_book(replace(TERMS, channels={EMAIL: Capabilities(kind)}))
            book.save_people([Person("alice", None, "GB")])
            book.start(build_version())
            book.enrol([build_enrolment()])
            assert only_due(book).is_reachable is is_reachable
            book.suppress("alice", EMAIL, reason="never", at=START)
            assert only_due(book).is_suppressed

    # Versions

    def test_new_people_enter_the_newest_version(self, book: OpenedBook) -> None:
        newer, other = build_version(version=2), build_version("other")
        book.start(newer)
        book.start(other)
        assert {(v.journey.name, v.version) for v in book.running()} == {
            ("lapsed", 2),
            ("other", 1),
        }

    def test_version_is_read_back_as_it_was_started(self, book: OpenedBook) -> None:
        book.start(build_version(version=2))
        book.start(build_version(version=2))
        assert list(book.versions("lapsed")) == [build_version(), build_version(version=2)]
        assert list(book.versions("unknown")) == []

    # Enrolment

    def test_enrolment_is_read_back_as_it_was_written(self, book: OpenedBook) -> None:
        enrolments = [
            build_enrolment("alice"),
            replace(build_enrolment("bob"), last_order_at=None, arm=Arm.HOLDOUT),
        ]
        assert book.enrol(enrolments) == 2
        assert sorted(book.open_enrolments(), key=lambda e: e.person) == enrolments

    def test_enrolment_that_exists_is_left_alone(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        again = replace(build_enrolment(), arm=Arm.HOLDOUT, due_at=START + DAY)
        assert book.enrol([again, build_enrolment("bob")]) == 1
        assert only_due(book).enrolment == build_enrolment()

    def test_enrolment_that_ended_is_not_opened_again(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.save([build_end(build_enrolment())])
        assert book.enrol([build_enrolment()]) == 0
        assert list(book.open_enrolments()) == []

    def test_past_is_the_latest_enrolment_of_those_who_have_one(self, book: OpenedBook) -> None:
        assert dict(book.past("lapsed", ["alice", "bob"])) == {}
        book.enrol([replace(build_enrolment(), arm=Arm.HOLDOUT)])
        book.save([build_end(replace(build_enrolment(), arm=Arm.HOLDOUT))])
        first = book.past("lapsed", ["alice", "bob"])
        later = START + 200 * DAY
        book.enrol([replace(build_enrolment(), arm=Arm.HOLDOUT, rotation=1, entered_at=later)])
        second = book.past("lapsed", ["alice", "bob"])["alice"]
        assert set(first) == {"alice"}
        assert (first["alice"].rotation, first["alice"].is_open) == (0, False)
        assert (second.rotation, second.is_open) == (1, True)
        assert (second.entered_at, second.arm) == (later, Arm.HOLDOUT)

    def test_past_keeps_journeys_apart(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment()])
        assert dict(book.past("other", ["alice"])) == {}

    # The queue

    def test_due_is_oldest_first_and_not_before_its_time(self, book: OpenedBook) -> None:
        waits = {"alice": 3 * HOUR, "bob": HOUR, "charlie": 4 * HOUR}
        book.enrol([replace(build_enrolment(p), due_at=START + w) for p, w in waits.items()])
        assert people_of(book.due(START, 100)) == []
        assert people_of(book.due(START + 3 * HOUR, 100)) == ["bob", "alice"]
        assert people_of(book.due(START + DAY, 1)) == ["bob"]

    def test_reading_the_queue_changes_nothing(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        assert list(book.due(START, 100)) == list(book.due(START, 100))

    # Moves

    def test_send_advances_the_enrolment(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move]) == 1
        assert list(book.due(START + 4 * DAY, 100)) == []
        assert only_due(book, START + 5 * DAY).enrolment == move.next

    def test_hold_keeps_the_step_and_looks_again_later(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        assert book.save([build_hold(build_enrolment(), START + 3 * HOUR)]) == 1
        assert list(book.due(START + 2 * HOUR, 100)) == []
        found = only_due(book, START + 3 * HOUR).enrolment
        assert (found.position, found.ready_at) == (0, START)

    def test_end_takes_the_enrolment_out_of_the_queue(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        assert book.save([build_end(build_enrolment())]) == 1
        assert list(book.due(START + 99 * DAY, 100)) == []
        assert list(book.open_enrolments()) == []

    def test_move_made_twice_applies_once(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move]) == 1
        assert book.save([move]) == 0
        assert len(only_due(book, START + 5 * DAY).sent) == 1

    def test_move_repeated_within_one_call_applies_once(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        move = build_move(build_enrolment())
        assert book.save([move, move]) == 1
        assert len(only_due(book, START + 5 * DAY).sent) == 1

    def test_move_from_an_earlier_look_is_dropped_whole(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        held = build_hold(build_enrolment(), START + HOUR)
        book.save([held])
        assert book.save([build_move(build_enrolment())]) == 0
        found = only_due(book, START + HOUR)
        assert (found.enrolment, found.sent) == (held.next, ())

    def test_dropped_move_leaves_the_others_be(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        book.record([build_order("alice", START)], START)
        moves = [build_move(build_enrolment("alice")), build_move(build_enrolment("bob"))]
        assert book.save(moves) == 1
        assert people_of(book.due(START + 5 * DAY, 100)) == ["bob"]

    def test_move_after_an_exit_is_dropped(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        book.record([build_order("alice", START)], START)
        assert book.save([build_move(build_enrolment())]) == 0
        assert list(book.open_enrolments()) == []

    # What caps count

    def test_sends_of_all_journeys_count_inside_the_window(
        self, book: OpenedBook, deliver: Deliver
    ) -> None:
        book.start(build_version("other"))
        book.enrol([build_enrolment(), build_enrolment(journey="other")])
        book.save([build_move(build_enrolment(journey="other"))])
        deliver(START)
        assert only_due(book).sent == (Sent(Channel("email"), START),)
        just_inside = START + WINDOW - timedelta(microseconds=1)
        inside, outside = (
            next(d for d in book.due(at, 100) if d.enrolment.journey == "lapsed")
            for at in (just_inside, START + WINDOW)
        )
        assert inside.sent == (Sent(Channel("email"), START),)
        assert outside.sent == ()

    def test_each_send_leaves_the_window_by_itself(
        self, book: OpenedBook, deliver: Deliver
    ) -> None:
        book.enrol([build_enrolment()])
        first = build_move(build_enrolment())
        book.save([first])
        deliver(START)
        book.save([build_hold(first.next, START + WINDOW, START + 5 * DAY)])
        book.start(build_version("other"))
        book.enrol([build_enrolment(journey="other")])
        book.save([build_move(build_enrolment(journey="other"), START + HOUR)])
        deliver(START + HOUR)
        (found,) = (d for d in book.due(START + WINDOW, 9) if d.enrolment.journey == "lapsed")
        assert found.sent == (Sent(Channel("email"), START + HOUR),)

    def test_transactional_sends_and_skips_do_not_count(self, book: OpenedBook) -> None:
        book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL))
        book.start(build_version("other"))
        journeys = ("lapsed", "receipt", "other")
        book.enrol([build_enrolment(journey=journey) for journey in journeys])
        skip = Decision(Answer.SKIP, Reason.NO_PERMISSION)
        book.save(
            [
                build_move(build_enrolment(journey="receipt")),
                build_move(build_enrolment(journey="other"), decision=skip),
            ]
        )
        assert only_due(book).sent == ()

    def test_ghosts_count_for_the_held_out_alone(self, book: OpenedBook) -> None:
        book.start(build_version("other"))
        book.start(build_version("third"))
        held_out = replace(build_enrolment(), arm=Arm.HOLDOUT)
        other = replace(held_out, journey="other")
        book.enrol([held_out, other, build_enrolment(journey="third")])
        book.save([build_move(held_out, decision=Decision(Answer.SKIP, Reason.HELD_OUT))])
        sent = {d.enrolment.journey: d.sent for d in book.due(START, 100)}
        assert sent == {"other": (Sent(Channel("email"), START),), "third": ()}

    # Offers

    def test_offer_given_is_seen_at_the_next_step_that_gives_one(self, make_book: MakeBook) -> None:
        book = _give_first(make_book, build_enrolment())
        (found,) = only_due(book, START + 5 * DAY).offers
        assert (found.offer, found.course, found.at) == ("ten-percent", ("giving", 0), START)
        assert (found.ends_at, found.cost_micros) == (OFFER.ends_at, OFFER.cost_micros)
        assert found.redeemed_at is None

    def test_ghost_of_an_offer_is_seen_by_the_held_out_alone(self, make_book: MakeBook) -> None:
        held_out = replace(build_enrolment(), arm=Arm.HOLDOUT)
        book = _give_first(make_book, held_out)
        assert len(only_due(book, START + 5 * DAY).offers) == 1
        book.start(build_offering_version("other"))
        book.enrol([build_enrolment(journey="other")])
        (found,) = (d for d in book.due(START, 9) if d.enrolment.journey == "other")
        assert found.offers == ()

    def test_offer_that_bears_on_nothing_any_more_is_not_listed(self, make_book: MakeBook) -> None:
        book = _give_first(make_book, build_enrolment())
        late = OFFER.ends_at + OFFERING.offers_matter_for + DAY
        assert only_due(book, late).offers == ()

    def test_what_is_given_is_set_aside_in_the_stock(self, make_book: MakeBook) -> None:
        book = _give_first(make_book, build_enrolment())
        seen: list[Batch] = []

        def look(batch: Batch) -> list[Move]:
            seen.append(batch)
            return []

        book.take_due(START + 5 * DAY, 9, look)
        assert seen[0].stock["ten-percent"].reserved_micros == OFFER.most_micros

    # Variants

    def test_variant_given_before_is_handed_out_to_who_enters_again(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(TERMS)
        book.start(build_tested_version())
        first = build_enrolment(journey="tested")
        again = replace(first, rotation=1, entered_at=START + 200 * DAY)
        newcomer = build_enrolment("bob", journey="tested")
        book.enrol([first, newcomer])
        book.save([replace(build_end(first), variant="brief")])
        book.enrol([again])
        seen: list[Batch] = []

        def look(batch: Batch) -> list[Move]:
            seen.append(batch)
            return []

        book.take_due(START + 200 * DAY, 9, look)
        assert {one.enrolment.person for one in seen[0].dossiers} == {"alice", "bob"}
        assert seen[0].variants == {("alice", "tested", "check-in"): "brief"}

    # Exits

    def test_order_after_the_last_known_one_ends_the_enrolment(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment("alice"), build_enrolment("bob")])
        late = build_order("alice", LAST_ORDER + DAY)
        assert book.record([late], START + DAY) == 1
        assert people_of(book.due(START, 100)) == ["bob"]
        assert not book.past("lapsed", ["alice"])["alice"].is_open

    @pytest.mark.parametrize("at", [LAST_ORDER, LAST_ORDER - DAY])
    def test_order_known_at_entry_ends_nothing(self, book: OpenedBook, at: datetime) -> None:
        book.enrol([build_enrolment()])
        assert book.record([build_order("alice", at)], START + DAY) == 0
        assert only_due(book).exit is None

    def test_without_a_known_order_the_entry_counts(self, book: OpenedBook) -> None:
        book.enrol([replace(build_enrolment(), last_order_at=None)])
        assert book.record([build_order("alice", START, "at entry")], START + DAY) == 0
        assert book.record([build_order("alice", START + HOUR, "after")], START + DAY) == 1

    def test_order_ends_only_journeys_that_name_it(self, book: OpenedBook) -> None:
        book.start(build_version("loyal", exits=frozenset()))
        book.enrol([build_enrolment(), build_enrolment(journey="loyal")])
        assert book.record([build_order("alice", START + HOUR)], START + DAY) == 1
        assert [e.journey for e in book.open_enrolments()] == ["loyal"]

    def test_order_written_before_the_enrolment_is_its_exit(self, book: OpenedBook) -> None:
        """The audience was read, then the order came, then the enrolment was written."""
        book.record([build_order("alice", LAST_ORDER + DAY)], START)
        book.enrol([build_enrolment()])
        assert all(d.exit is Reason.ORDER for d in book.due(START, 100))

    @pytest.mark.parametrize("kind", [SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE])
    def test_objection_ends_everything_and_suppresses(
        self, book: OpenedBook, kind: SignalKind
    ) -> None:
        book.start(build_version("loyal", exits=frozenset()))
        book.enrol([build_enrolment(), build_enrolment(journey="loyal"), build_enrolment("bob")])
        assert book.record([Signal("alice", kind, START - DAY, "no")], START) == 2
        assert [e.person for e in book.open_enrolments()] == ["bob"]
        book.enrol([replace(build_enrolment(), rotation=1)])
        assert only_due(book).is_suppressed

    def test_signal_known_by_its_key_changes_nothing(self, book: OpenedBook) -> None:
        opt_out = Signal("alice", SignalKind.OPT_OUT, START, "no")
        book.enrol([build_enrolment()])
        assert book.record([opt_out, opt_out], START) == 1
        book.enrol([replace(build_enrolment(), rotation=1)])
        assert book.record([opt_out], START + DAY) == 0
        assert len(list(book.open_enrolments())) == 1

    def test_reason_of_the_end_is_not_rewritten(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        signals = [build_order("alice", START + HOUR, f"order-{n}") for n in range(2)]
        assert [book.record([s], START + DAY) for s in signals] == [1, 0]

    def test_order_that_is_redated_is_seen_again(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        assert book.record([order_signal("alice", LAST_ORDER - DAY, "shop", "1")], START) == 0
        later = order_signal("alice", START + HOUR, "shop", "1")
        assert [book.record([later], START + DAY) for _ in range(2)] == [1, 0]

    def test_order_that_turns_out_older_ends_no_later_entry(self, book: OpenedBook) -> None:
        for at in (START + 2 * HOUR, LAST_ORDER - DAY):
            book.record([order_signal("alice", at, "shop", "1")], START + DAY)
        book.enrol([build_enrolment()])
        assert only_due(book).exit is None

    def test_order_known_too_late_for_its_date_ends_who_had_entered(self, book: OpenedBook) -> None:
        book.enrol([build_enrolment()])
        old = order_signal("alice", LAST_ORDER - DAY, "shop", "1")
        assert book.record([old], START + HOUR) == 0
        news = replace(old, arrived_at=START + HOUR)
        assert [book.record([news], START + DAY) for _ in range(2)] == [1, 0]

    # Nobody is forgotten

    def test_everyone_is_waiting_or_ended(self, book: OpenedBook) -> None:
        people = ("alice", "bob", "charlie")
        book.enrol([build_enrolment(person) for person in people])
        book.save([build_move(build_enrolment("alice")), build_end(build_enrolment("bob"))])
        waiting = {enrolment.person for enrolment in book.open_enrolments()}
        assert waiting == {"alice", "charlie"}
        assert set(people_of(book.due(START + 99 * DAY, 100))) == waiting
        assert set(book.past("lapsed", people)) == set(people)

    def test_queue_is_drained_in_batches_without_loss(self, book: OpenedBook) -> None:
        names = [f"person-{number}" for number in range(25)]
        book.save_people(Person(name, f"{name}@example.com") for name in names)
        book.enrol([build_enrolment(name) for name in names])
        seen: list[str] = []
        while batch := book.due(START, 10):
            assert all(a.enrolment.due_at <= b.enrolment.due_at for a, b in pairwise(batch))
            seen += people_of(batch)
            book.save([build_move(dossier.enrolment) for dossier in batch])
        assert sorted(seen) == sorted(names)
