"""When two ids turn out to be one person, everything the ledger keeps follows, and can go back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.models import ForeignKey

from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.gate import Enrolment
from rekindle.identity import IdentityChange, JoinReason, Link
from rekindle.journeys import Person, Signal
from rekindle.ledger import AddressBook, History, Outbox, hash_address, models
from rekindle.ledger.book.persons.following import FOLLOWED
from rekindle.ledger.hashing import touch_key
from rekindle.messages import AddressKind
from rekindle.testing.book_contract import (
    DAY,
    START,
    TERMS,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import claim

EMAIL = Channel("email")
LATER = START + DAY
GONE, KEPT = "C200", "C100"


def join(
    book: OpenedLedgerBook,
    gone: str = GONE,
    kept: str = KEPT,
    reason: JoinReason = JoinReason.SAME_EMAIL,
) -> None:
    book.persons.join([Link(gone, kept, reason, "ada@example.org")], LATER, by="test")


@pytest.fixture
def two(book: OpenedLedgerBook) -> OpenedLedgerBook:
    """A book that knows two ids, and a journey."""
    book.start(build_version())
    book.save_people([Person(KEPT, "ada@example.org", "GB"), Person(GONE, "ada@example.org", "GB")])
    return book


def entered(book: OpenedLedgerBook, person: str, **changes: Any) -> Enrolment:
    enrolment = replace(build_enrolment(person), **changes)
    book.enrol([enrolment])
    return enrolment


def sent(book: OpenedLedgerBook, enrolment: Enrolment) -> None:
    """Decide the first step of an enrolment."""
    assert book.save([build_move(enrolment)]) == 1


def open_of(book: OpenedLedgerBook) -> list[tuple[str, int]]:
    return [(one.person, one.position) for one in book.open_enrolments()]


def ends(alias: str) -> set[tuple[str, str | None]]:
    return set(models.Enrolment.objects.using(alias).values_list("person_id", "ended_reason"))


def test_every_table_that_names_a_person_follows() -> None:
    """A table that gains a person has to say here what a join does to it."""
    named = {
        model
        for model in apps.get_app_config("ledger").get_models()
        for one in model._meta.concrete_fields
        if one.name == "person"
        or (isinstance(one, ForeignKey) and one.related_model is models.Person)
    }
    assert named | {models.Person} == set(FOLLOWED)


def test_no_row_is_left_with_who_is_gone(two: OpenedLedgerBook, alias: str) -> None:
    entered(two, GONE)
    two.save_consent([ConsentRecord(GONE, EMAIL, True, START, "form")])
    two.record([Signal(GONE, SignalKind.CLICK, START, "click-1")], LATER)
    two.suppress(GONE, EMAIL, reason="opt_out", at=START)
    two.exclude(GONE, Exclusion.BAD_ACTOR, at=START, until=None)
    join(two)
    for model in set(FOLLOWED) - {models.Person, models.Preference}:
        assert not model._default_manager.using(alias).filter(person=GONE).exists(), model
    card = models.Person.objects.using(alias).get(pk=GONE)
    assert (card.joined_to, card.address, card.properties) == (KEPT, None, {})


def test_what_one_may_not_be_sent_the_other_may_not_either(
    two: OpenedLedgerBook, alias: str
) -> None:
    two.suppress(GONE, EMAIL, reason="opt_out", at=START)
    two.exclude(GONE, Exclusion.POOR_FIT, at=START, until=None)
    two.exclude(KEPT, Exclusion.POOR_FIT, at=START, until=LATER)
    two.save_preferences(GONE, Preferences(LATER + DAY, frozenset({"news"}), None))
    two.save_preferences(KEPT, Preferences(LATER, frozenset({"sale"}), timedelta(days=9)))
    join(two)
    history = History(alias)
    assert [one.reason for one in history.suppressions_of(KEPT)] == ["opt_out"]
    assert [one.until for one in history.exclusions_of(KEPT)] == [None]
    assert history.preferences_of(KEPT) == Preferences(
        LATER + DAY, frozenset({"news", "sale"}), timedelta(days=9)
    )


def test_who_is_joined_again_after_a_split_is_one(two: OpenedLedgerBook) -> None:
    for gone, kept in ((GONE, KEPT), (KEPT, GONE)):
        join(two, gone, kept, JoinReason.BY_HAND)
        told = two.persons.told()
        assert (gone, kept) in told.together
        assert told.apart == []
        two.persons.part([gone], LATER, by="ann")
        assert (gone, kept) in two.persons.told().apart


def test_a_wish_of_one_holds_where_the_other_never_had_any(
    two: OpenedLedgerBook, alias: str
) -> None:
    for wish in (Preferences(None, frozenset(), timedelta(days=60)), Preferences(LATER)):
        two.save_preferences(GONE, wish)
        join(two)
        assert History(alias).preferences_of(KEPT) == wish
        two.persons.part([GONE], LATER, by="ann")
        models.Preference.objects.using(alias).filter(person=KEPT).delete()


@pytest.mark.parametrize("by", [GONE, KEPT])
@pytest.mark.parametrize("is_said_first", [True, False])
@pytest.mark.parametrize("what", ["opt_out", "erasure"])
def test_a_no_binds_the_addresses_of_both(
    book: OpenedLedgerBook, by: str, is_said_first: bool, what: str
) -> None:
    """Another customer may come with the address of a card that is not one any more."""
    mails = {KEPT: "ada@example.org", GONE: "ada@work.example.org"}
    book.start(build_version())
    book.save_people([Person(id_, mail, "GB") for id_, mail in mails.items()])
    steps: list[Callable[[], object]] = [
        lambda: join(book, reason=JoinReason.BY_HAND),
        lambda: (
            book.suppress(by, EMAIL, reason="opt_out", at=START)
            if what == "opt_out"
            else book.erase(by, START)
        ),
    ]
    for step in reversed(steps) if is_said_first else steps:
        step()
    again = [Person(f"again {mail}", mail, "GB") for mail in mails.values()]
    book.save_people(again)
    book.enrol([build_enrolment(person.id) for person in again])
    assert [one.is_suppressed for one in book.due(START, 10)] == [True, True]


def test_a_person_is_found_by_every_address(book: OpenedLedgerBook, alias: str) -> None:
    mails = {KEPT: "ada@example.org", GONE: "ada@work.example.org"}
    book.save_people([Person(id_, mail, "GB") for id_, mail in mails.items()])
    join(book, reason=JoinReason.BY_HAND)
    asked = [(AddressKind.EMAIL, mail) for mail in mails.values()]
    found = AddressBook(alias, secret=SECRET).find_people(asked)
    assert found == {one: [KEPT] for one in asked}
    hashed = hash_address(mails[GONE], SECRET)
    assert History(alias).people_at(hashed) == [KEPT]


def test_erased_ids_are_not_parted_by_a_rule(two: OpenedLedgerBook, alias: str) -> None:
    """What joined them leaves the facts with the erasure, and a person would be back."""
    join(two)
    two.erase(KEPT, LATER)
    two.persons.apply(IdentityChange([], [GONE], []), LATER)
    assert two.persons.find([GONE]) == {GONE: KEPT}


def test_a_no_after_a_split_binds_the_address_of_who_said_it(book: OpenedLedgerBook) -> None:
    book.start(build_version())
    book.save_people([Person(KEPT, "ada@example.org", "GB"), Person(GONE, "bob@example.org", "GB")])
    join(book)
    book.persons.part([GONE], LATER, by="ann")
    book.save_people([Person(GONE, "bob@example.org", "GB")])
    book.suppress(KEPT, EMAIL, reason="opt_out", at=LATER)
    book.enrol([build_enrolment(GONE)])
    assert not book.due(START, 10)[0].is_suppressed


@pytest.mark.parametrize("said", [(True, False), (False, True)])
def test_a_no_of_either_holds_until_a_new_yes(
    two: OpenedLedgerBook, alias: str, said: tuple[bool, bool]
) -> None:
    """Also where the yes was said later: it was said by who did not know of the no."""
    for person, granted, at in zip((GONE, KEPT), said, (START, START + DAY / 2), strict=True):
        two.save_consent([ConsentRecord(person, EMAIL, granted, at, "form")])
    join(two)
    assert models.Person.objects.using(alias).get(pk=KEPT).statements == "email-"
    two.save_consent([ConsentRecord(GONE, EMAIL, True, LATER + DAY, "form")])
    assert models.Person.objects.using(alias).get(pk=KEPT).statements == "email+"


def test_who_is_joined_to_somebody_erased_is_erased(two: OpenedLedgerBook, alias: str) -> None:
    entered(two, KEPT)
    two.erase(GONE, START)
    join(two)
    assert models.Person.objects.using(alias).get(pk=KEPT).erased_at is not None
    assert open_of(two) == []


def test_by_what_somebody_erased_was_found_is_forgotten(two: OpenedLedgerBook, alias: str) -> None:
    join(two)
    assert [one.evidence for one in two.persons.log(KEPT)] == ["ada@example.org"]
    two.erase(GONE, LATER)
    assert [one.evidence for one in two.persons.log(KEPT)] == [""]


def test_two_open_enrolments_go_on_as_one(two: OpenedLedgerBook, alias: str) -> None:
    ahead = entered(two, GONE)
    entered(two, KEPT)
    sent(two, ahead)
    join(two)
    assert open_of(two) == [(KEPT, 2)]
    assert ends(alias) == {(KEPT, None), (KEPT, Reason.JOINED.value)}
    assert two.past("lapsed", [KEPT])[KEPT].is_open


def test_a_message_of_the_one_that_ends_is_cancelled(two: OpenedLedgerBook, alias: str) -> None:
    for person in (GONE, KEPT):
        sent(two, entered(two, person))
    join(two)
    states = (
        models.Touch.objects.using(alias)
        .order_by("state")
        .values_list("state", "reason", "person_id")
    )
    assert list(states) == [("cancelled", "joined", KEPT), ("queued", None, KEPT)]


def test_nobody_who_was_through_a_journey_goes_through_it_as_another(
    two: OpenedLedgerBook, alias: str
) -> None:
    first = entered(two, GONE)
    two.record([Signal(GONE, SignalKind.ORDER, LATER, "order-1")], LATER)
    entered(two, KEPT, entered_at=START + 10 * DAY)
    join(two)
    assert open_of(two) == []
    past = two.past("lapsed", [KEPT])[KEPT]
    assert (past.rotation, past.entered_at, past.is_open) == (1, START + 10 * DAY, False)
    assert first.rotation == 0


def test_what_went_out_is_not_sent_again_by_the_one_that_goes_on(
    two: OpenedLedgerBook, alias: str, outbox: Outbox
) -> None:
    entered(two, KEPT)
    behind = entered(two, GONE)
    sent(two, behind)
    models.Touch.objects.using(alias).update(state="accepted", accepted_at=START)
    models.Place.objects.using(alias).filter(enrolment__person=KEPT).update(position=2)
    extra = models.Enrolment.objects.using(alias).get(person=KEPT)
    for step in ("x", "y"):  # it went further, by another way
        models.Touch.objects.using(alias).create(
            enrolment=extra, person_id=KEPT, version=1, step=step, channel="email", at=START,
            state="cancelled", is_marketing=True, not_before=START, expires_at=START,
        )  # fmt: skip
    join(two)
    (going,) = models.Place.objects.using(alias).all()
    assert going.enrolment_id == extra.pk
    touch = models.Touch.objects.using(alias).get(step="check-in")
    assert (touch.enrolment_id, touch.person_id) == (extra.pk, KEPT)
    assert touch.key == touch_key(GONE, "lapsed", 1, "check-in", 0)


def test_sends_to_either_count_towards_one_cap(two: OpenedLedgerBook, alias: str) -> None:
    sent(two, entered(two, GONE))
    models.Touch.objects.using(alias).update(state="accepted", accepted_at=START)
    join(two)
    assert set(models.Touch.objects.using(alias).values_list("person_id", flat=True)) == {KEPT}


def test_the_arm_that_was_drawn_first_stays(two: OpenedLedgerBook, alias: str) -> None:
    entered(two, KEPT, entered_at=START + DAY)
    entered(two, GONE, arm=Arm.HOLDOUT)
    join(two)
    assert History(alias).assigned("lapsed") == {KEPT: Arm.HOLDOUT}
    assert History(alias).arm_conflicts("lapsed") == 1
    assert two.past("lapsed", [KEPT])[KEPT].arm is Arm.HOLDOUT
    assert [one.arm for one in two.open_enrolments()] == [Arm.HOLDOUT]


def test_what_they_were_as_they_entered_goes_with_the_arm(
    two: OpenedLedgerBook, alias: str
) -> None:
    two.enrol([replace(build_enrolment(KEPT), entered_at=LATER)], {KEPT: {"tier": "dormant"}})
    two.enrol([build_enrolment(GONE)], {GONE: {"tier": "lapsed"}})
    join(two)
    assert History(alias).covariates("lapsed") == {KEPT: {"tier": "lapsed"}}


def test_whatever_is_said_of_an_old_id_is_said_of_the_person(
    two: OpenedLedgerBook, alias: str
) -> None:
    entered(two, KEPT)
    join(two)
    two.record([Signal(GONE, SignalKind.ORDER, LATER, "order-9")], LATER)
    assert ends(alias) == {(KEPT, "order")}
    two.exclude(GONE, Exclusion.BAD_ACTOR, at=LATER, until=None)
    assert History(alias).exclusions_of(KEPT)
    assert two.enrol([build_enrolment(GONE)]) == 0


def test_a_chain_of_joins_ends_at_one_person(two: OpenedLedgerBook, alias: str) -> None:
    two.persons.join(
        [Link("a", "b", JoinReason.BY_HAND, ""), Link("b", GONE, JoinReason.BY_HAND, "")],
        LATER,
        by="x",
    )
    join(two)
    assert two.persons.find(["a", "b", GONE]) == {"a": KEPT, "b": KEPT, GONE: KEPT}


def test_a_join_of_what_is_joined_changes_nothing(two: OpenedLedgerBook) -> None:
    join(two)
    before = two.persons.version()
    join(two)
    assert two.persons.version() == before


def test_a_split_gives_back_what_came_and_keeps_what_was_refused(
    two: OpenedLedgerBook, alias: str
) -> None:
    entered(two, GONE)
    two.record([Signal(GONE, SignalKind.CLICK, START, "click-1")], LATER)
    join(two)
    two.suppress(KEPT, EMAIL, reason="opt_out", at=LATER)
    assert two.persons.part([GONE], LATER, by="ann") == [GONE]
    assert two.persons.find([GONE]) == {GONE: GONE}
    assert open_of(two) == [(GONE, 0)]
    assert [one.person_id for one in models.Signal.objects.using(alias).filter(kind="click")] == [
        GONE
    ]
    for person in (GONE, KEPT):
        assert History(alias).suppressions_of(person)
    assert two.persons.told().apart == [(GONE, KEPT)]


def test_join_and_split_leave_two_as_they_were(two: OpenedLedgerBook, alias: str) -> None:
    entered(two, KEPT)
    two.start(build_version("receipt"))
    two.enrol([build_enrolment(GONE, journey="receipt")], {GONE: {"tier": "lapsed"}})
    two.save_consent([ConsentRecord(one, EMAIL, True, START, "form") for one in (GONE, KEPT)])
    before = {
        m: sorted(map(str, m._default_manager.using(alias).values()))
        for m in FOLLOWED
        if m is not models.Person
    }
    join(two)
    two.persons.part([GONE], LATER, by="ann")
    after = {
        m: sorted(map(str, m._default_manager.using(alias).values()))
        for m in FOLLOWED
        if m is not models.Person
    }
    assert after == before


def test_a_message_on_its_way_keeps_the_key_it_has_outside(
    two: OpenedLedgerBook, alias: str, outbox: Outbox
) -> None:
    sent(two, entered(two, GONE))
    join(two)
    (message,) = claim(outbox)
    assert message.key == touch_key(GONE, "lapsed", 1, "check-in", 0)
    assert message.person == KEPT


def _at_once(alias: str, *works: Callable[[], object]) -> list[BaseException]:
    together = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        together.wait(60)
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _other(alias: str) -> OpenedLedgerBook:
    return OpenedLedgerBook(alias, secret=b"a secret of the tests", terms=TERMS)


@pytest.mark.long
def test_two_joins_a_tick_and_a_report_at_once_end_as_one_after_another(postgres: str) -> None:
    book = _other(postgres)
    book.start(build_version())
    people = [f"p{number}" for number in range(60)]
    book.save_people(Person(person, None, None) for person in people)
    book.enrol([build_enrolment(person) for person in people])

    def join_all(pairs: list[tuple[str, str]]) -> None:
        for gone, kept in pairs:
            _other(postgres).persons.join([Link(gone, kept, JoinReason.BY_HAND, "")], LATER, by="x")

    def tick() -> None:
        while _other(postgres).take_due(
            START, 7, lambda batch: [build_move(d.enrolment) for d in batch.dossiers]
        ):
            pass

    def buy() -> None:
        for person in people[::3]:
            _other(postgres).record(
                [Signal(person, SignalKind.ORDER, START, f"order-{person}")], START
            )

    pairs = [(people[number + 30], people[number]) for number in range(30)]
    backwards = [(a, b) for b, a in pairs]
    assert (
        _at_once(postgres, partial(join_all, pairs), partial(join_all, backwards[::-1]), tick, buy)
        == []
    )
    persons = book.persons.find(people)
    assert len({persons[person] for person in people}) == 30
    assert {one.person for one in book.open_enrolments()} <= set(persons.values())
    alive = set(persons.values())
    for model in (models.Enrolment, models.Touch, models.Signal):
        named = set(model._default_manager.using(postgres).values_list("person_id", flat=True))
        assert named <= alive, model
    per_person = [one.person for one in book.open_enrolments()]
    assert len(per_person) == len(set(per_person))
