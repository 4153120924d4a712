"""What was decided and done can be read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Model

from rekindle.consent import Exclusion, Preferences
from rekindle.gate import Decision
from rekindle.journeys import Person, Signal
from rekindle.ledger import (
    AuditLog,
    DecisionCount,
    ExclusionEntry,
    History,
    JourneyState,
    MessageState,
    Outbox,
    intake_models,
    load_extent,
    models,
)
from rekindle.testing.book_contract import (
    DAY,
    HOUR,
    START,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer, Arm, Channel, Reason, SignalKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HELD_OUT = Decision(Answer.SKIP, Reason.HELD_OUT)
CAPPED = Decision(Answer.HOLD, Reason.CAP, START + HOUR)


def _run(book: OpenedLedgerBook) -> None:
    """Hold Alice for an hour, then write to her; Bob is held out."""
    book.start(build_version())
    book.save_people([Person("alice", "alice@example.com", "GB")])
    alice, bob = build_enrolment("alice"), replace(build_enrolment("bob"), arm=Arm.HOLDOUT)
    book.enrol([alice, bob])
    held = replace(alice, due_at=START + HOUR)
    book.save([replace(build_move(alice, decision=CAPPED), next=held)])
    book.save([build_move(held, START + HOUR), build_move(bob, decision=HELD_OUT)])


def test_decisions_are_read_back_in_order(book: OpenedLedgerBook, alias: str) -> None:
    _run(book)
    first, second = History(alias).decisions_of("alice")
    assert (first.answer, first.reason, first.until) == (Answer.HOLD, Reason.CAP, START + HOUR)
    assert (second.answer, second.reason, second.at) == (Answer.SEND, None, START + HOUR)
    assert (second.journey, second.version, second.rotation, second.step) == (
        "lapsed",
        1,
        0,
        "check-in",
    )


def test_how_far_a_ledger_has_come_is_the_newest_row_of_each_table(
    book: OpenedLedgerBook, alias: str
) -> None:
    tables: dict[str, type[Model]] = {
        "enrolments": models.Enrolment,
        "touches": models.Touch,
        "signals": models.Signal,
        "reports": intake_models.Event,
        "consents": models.Consent,
        "unconfirmed consents": models.PendingConsent,
        "suppressions": models.Suppression,
        "decisions": models.Decision,
        "versions": models.JourneyVersion,
        "entries of the log": models.AuditEntry,
    }
    _run(book)
    AuditLog(alias).write("ann", "looked", "alice", {}, START)
    models.Touch.objects.using(alias).update(accepted_at=START + HOUR)
    extent = dict(load_extent(alias))
    accepted = extent.pop("accepted")
    assert EPOCH + timedelta(microseconds=accepted) == START + HOUR
    newest = {n: m._default_manager.using(alias).aggregate(Max("id")) for n, m in tables.items()}
    assert extent == {name: found["id__max"] or 0 for name, found in newest.items()}
    assert len(set(extent.values())) > 2


def test_decisions_about_the_held_out_are_ghosts(book: OpenedLedgerBook, alias: str) -> None:
    _run(book)
    assert [one.is_ghost for one in History(alias).decisions_of("bob")] == [True]


def test_decisions_are_counted_by_answer_and_reason(book: OpenedLedgerBook, alias: str) -> None:
    _run(book)
    assert set(History(alias).decision_counts("lapsed")) == {
        DecisionCount(Answer.HOLD, Reason.CAP, is_ghost=False, count=1),
        DecisionCount(Answer.SEND, None, is_ghost=False, count=1),
        DecisionCount(Answer.SKIP, Reason.HELD_OUT, is_ghost=True, count=1),
    }


def test_first_touch_is_known_in_both_arms(book: OpenedLedgerBook, alias: str) -> None:
    _run(book)
    found = History(alias).enrolments_of("lapsed")
    assert {one.person: one.first_touch_at for one in found} == {
        "alice": START + HOUR,
        "bob": START,
    }


def test_message_tells_when_the_provider_took_it(
    book: OpenedLedgerBook, outbox: Outbox, alias: str
) -> None:
    _run(book)
    (message,) = outbox.claim(START + DAY, worker="one", lease=HOUR, limit=1)
    outbox.begin_sending([message], START + DAY)
    assert [one.accepted_at for one in History(alias).messages_of("lapsed")] == [None]
    outbox.accept([(message, "id")], START + DAY)
    (entry,) = History(alias).messages_of("lapsed")
    assert (entry.state, entry.accepted_at) == (MessageState.ACCEPTED, START + DAY)
    assert entry.cost_micros == 1000


def test_ghosts_are_no_messages(book: OpenedLedgerBook, alias: str) -> None:
    _run(book)
    assert [one.person for one in History(alias).messages_of("lapsed")] == ["alice"]


def test_what_was_asked_for_is_read_back(book: OpenedLedgerBook, alias: str) -> None:
    wish = Preferences(START + DAY, frozenset({"news", "baskets"}), 3 * DAY)
    book.save_people([Person("alice", "alice@example.com")])
    assert History(alias).preferences_of("alice") == Preferences()
    book.save_preferences("alice", wish)
    assert History(alias).preferences_of("alice") == wish


def test_exclusions_are_read_back(book: OpenedLedgerBook, alias: str) -> None:
    book.save_people([Person("alice", "alice@example.com")])
    book.exclude("alice", Exclusion.POOR_FIT, at=START, until=START + DAY)
    assert History(alias).exclusions_of("alice") == [
        ExclusionEntry(Exclusion.POOR_FIT, START, START + DAY)
    ]


def test_suppression_of_the_address_is_one_of_everyone_who_has_it(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.save_people([Person("alice", "a@example.com"), Person("twin", "a@example.com")])
    book.suppress("alice", Channel("email"), reason="asked by phone", at=START)
    for person in ("alice", "twin"):
        (entry,) = History(alias).suppressions_of(person)
        assert (entry.channel, entry.reason, entry.at) == (
            Channel("email"),
            "asked by phone",
            START,
        )
    assert History(alias).suppressions_of("nobody") == []


def test_signals_are_read_back_by_their_names(book: OpenedLedgerBook, alias: str) -> None:
    book.record(
        [
            Signal("alice", SignalKind.CLICK, START, "1"),
            Signal("alice", SignalKind.EVENT, START + HOUR, "2", "cart_abandoned"),
        ],
        START + DAY,
    )
    found = History(alias).signals_of("alice")
    assert [(one.event, one.at) for one in found] == [
        ("click", START),
        ("cart_abandoned", START + HOUR),
    ]
    assert [one.event for one in History(alias).signals_of("alice", limit=1)] == ["cart_abandoned"]


def test_journeys_are_listed_with_their_state(book: OpenedLedgerBook, alias: str) -> None:
    book.start(build_version())
    book.start(build_version(version=2))
    book.pause("lapsed", START + DAY)
    entry = History(alias).journeys()["lapsed"]
    assert (entry.state, entry.version) == (JourneyState.PAUSED, 2)
    assert (entry.opened_at, entry.changed_at) == (START, START + DAY)


def test_what_people_are_as_they_first_enter_is_kept_until_they_are_erased(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.start(build_version())
    first, other = build_enrolment("alice"), build_enrolment("bob")
    book.enrol([first, other], {"alice": {"tier": "lapsed", "country": "GB"}})
    later = replace(first, rotation=1, entered_at=START + DAY)
    book.enrol([later], {"alice": {"tier": "gone"}})
    kept = {"alice": {"tier": "lapsed", "country": "GB"}}
    assert History(alias).covariates(first.journey) == kept
    book.erase("alice", START + DAY)
    assert History(alias).covariates(first.journey) == {}


def test_of_somebody_erased_it_is_not_kept_what_they_are(
    book: OpenedLedgerBook, alias: str
) -> None:
    book.start(build_version())
    book.save_people([Person("alice", "alice@example.com", "GB")])
    book.erase("alice", START)
    enrolment = build_enrolment("alice")
    book.enrol([enrolment], {"alice": {"tier": "lapsed"}})
    assert History(alias).covariates(enrolment.journey) == {}
