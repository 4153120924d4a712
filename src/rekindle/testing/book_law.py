"""What every book promises of the law: the hours of a state, an inquiry, how far a STOP goes."""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rekindle.consent import PENDING_EVENT, ConsentRecord, PendingConsent, Rule
from rekindle.journeys.model import Person, Signal, Trigger
from rekindle.messages import AddressKind, Capabilities
from rekindle.testing.book_samples import (
    DAY,
    START,
    TERMS,
    MakeBook,
    build_enrolment,
    build_version,
    only_due,
)
from rekindle.vocabulary import Channel, Purpose, SignalKind

SMS, EMAIL = Channel("sms"), Channel("email")
REVOKED = datetime(2027, 1, 31, tzinfo=UTC)
DALLAS, LONDON = "+12145550123", "+442079460123"


class LawContract:
    """Subclassed by ``BookContract``, which has the fixtures."""

    def test_stop_of_a_text_ends_all_texts_where_the_law_says_so_from_its_day(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(replace(TERMS, channels={SMS: Capabilities(AddressKind.PHONE)}))
        book.start(build_version("receipt", purpose=Purpose.TRANSACTIONAL, channels=(SMS, SMS)))
        cases = (
            ("before", REVOKED - DAY / 24, "US-TX", DALLAS),
            ("then", REVOKED, "US-TX", "+12145550124"),
            ("abroad", REVOKED, "GB", LONDON),
            ("by their phone", REVOKED, None, "+12145550199"),
        )
        for person, when, country, phone in cases:
            book.save_people([Person(person, None, country, phone=phone)])
            book.record([Signal(person, SignalKind.OPT_OUT, when, person, channel=SMS)], when)
            book.enrol([build_enrolment(person, "receipt")])
        found = {who: only_due(book, person=who).is_suppressed for who, *_ in cases}
        assert found == {"before": False, "then": True, "abroad": False, "by their phone": True}

    def test_inquiry_of_the_last_six_months_permits_in_canada(self, make_book: MakeBook) -> None:
        book = make_book(replace(TERMS, inquiries=frozenset({"quote_requested"})))
        book.start(build_version())
        for person, country in (("asked", "CA"), ("long ago", "CA"), ("elsewhere", "GB")):
            book.save_people([Person(person, f"{person[:4]}@example.com", country)])
            ago = 30 * DAY if person != "long ago" else 187 * DAY
            at = START - ago
            book.record([Signal(person, SignalKind.EVENT, at, person, "quote_requested")], START)
            book.enrol([replace(build_enrolment(person), last_order_at=None)])
        found = {who: only_due(book, person=who).permission.rule for who in ("asked", "elsewhere")}
        assert found == {"asked": Rule.IMPLIED_BY_INQUIRY, "elsewhere": Rule.NO_RECORD}
        assert not only_due(book, person="long ago").permission.is_granted

    def test_dossier_tells_the_hours_of_the_state_and_without_one_the_strictest(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(replace(TERMS, channels={SMS: Capabilities(AddressKind.PHONE)}))
        book.start(build_version(channels=(SMS, SMS)))
        cases = {"US-TX": (12, 21), "US-FL": (8, 20), "US": (12, 20), "GB": None}
        for place in cases:
            book.save_people([Person(place, None, place, phone=LONDON)])
            book.enrol([build_enrolment(place)])
        weeks = {place: only_due(book, person=place).hours for place in cases}
        sundays = {
            place: None if week is None else tuple(second // 3600 for second in week.days[6])
            for place, week in weeks.items()
        }
        assert sundays == cases

    def test_yes_that_waits_permits_nothing_and_takes_nothing_back(
        self, make_book: MakeBook
    ) -> None:
        book = make_book(replace(TERMS, soft_opt_in=False))
        book.start(build_version())
        for person in ("new", "old"):
            book.save_people([Person(person, f"{person}@example.com", "DE")])
            book.enrol([build_enrolment(person)])
        book.save_consent([ConsentRecord("old", EMAIL, True, START - 2 * DAY, "form")])
        asked = [PendingConsent(who, EMAIL, START - DAY, "form", "Yes") for who in ("new", "old")]
        for _ in range(2):
            book.save_pending(asked, START)
        assert only_due(book, person="new").permission.rule is Rule.NO_RECORD
        assert only_due(book, person="old").permission.rule is Rule.EXPRESS
        found = book.triggered(Trigger(PENDING_EVENT), since=START - DAY, at=START)
        assert found == {"new": START, "old": START}
        assert book.unconfirmed(["new", "old", "other"], START) == {
            (one.person, EMAIL): one for one in asked
        }
        book.save_consent([ConsentRecord("new", EMAIL, True, START, "portal:confirm")])
        assert only_due(book, person="new").permission.rule is Rule.EXPRESS
        assert book.unconfirmed(["new"], START) == {}

    def test_no_since_or_a_suppression_or_time_ends_what_waits(self, make_book: MakeBook) -> None:
        book = make_book(TERMS)
        stopped = (SignalKind.OPT_OUT, SignalKind.COMPLAINT)
        before = {f"{kind} before": (kind, START - 2 * DAY) for kind in stopped}
        since = {f"{kind} since": (kind, START) for kind in stopped}
        people = ("waits", "refused", "by hand", "late", "erased", *before, *since)
        for person in people:
            book.save_people([Person(person, f"{person.replace(' ', '')}@example.com", "DE")])
        for person, (kind, when) in (before | since).items():
            book.record([Signal(person, kind, when, person, channel=EMAIL)], when)
        book.erase("erased", START - 2 * DAY)
        late = PendingConsent("late", EMAIL, START - 7 * DAY, "form")
        asked = [PendingConsent(who, EMAIL, START - DAY, "form") for who in people if who != "late"]
        book.save_pending([late, *asked], START)
        book.save_consent([ConsentRecord("refused", EMAIL, False, START - DAY, "form")])
        book.suppress("by hand", EMAIL, reason="never", at=START - 2 * DAY)
        waiting = {who for who, _ in book.unconfirmed(people, START)}
        assert waiting == {"waits", "opt_out before"}
        happened = book.triggered(Trigger(PENDING_EVENT), since=START - DAY, at=START)
        assert not {"late", "erased"} & happened.keys()
        assert book.unconfirmed(people, START + 6 * DAY) == {}
