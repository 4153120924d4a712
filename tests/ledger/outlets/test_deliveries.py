"""What providers say later finds its people and its message, once, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rekindle.journeys import Person
from rekindle.ledger import Deliveries, LedgerBook, models
from rekindle.ledger.outbox import touch_key
from rekindle.ledger.papers import load_suppressed
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel
from tests.ledger.conftest import SECRET, TERMS
from tests.ledger.queueing import DAY, HOUR, START, Queue

LEFT: dict[str, Any] = {"state": "accepted", "accepted_at": START, "provider_id": "<abc> 250 ok"}
TOLD = DeliveryEvent(
    id="1",
    kind=DeliveryKind.BOUNCED,
    channel=Channel("email"),
    outlet="email_smtp",
    at=START + HOUR,
    message="abc",
    address="Alice@Example.com",
    reason="550 5.1.1 <alice@example.com> is nobody",
)


@pytest.fixture
def queue(alias: str, book: LedgerBook) -> Queue:
    book.save_people(Person(name, f"{name}@example.com", "GB") for name in ("alice", "bob", "twin"))
    return Queue(alias)


@pytest.fixture
def deliveries(alias: str, book: LedgerBook) -> Deliveries:
    return Deliveries(alias, book, secret=SECRET, terms=TERMS)


def rows(alias: str) -> list[tuple[str, str, str]]:
    found = models.Suppression.objects.using(alias).order_by("id")
    return [(row.channel, row.purpose, row.reason) for row in found]


def test_a_bounce_is_acted_on_once_and_kept_without_the_address(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    number = queue.message(**LEFT)
    assert [deliveries.take([TOLD], START + DAY) for _ in range(2)] == [1, 0]
    assert rows(alias) == [("email", "*", "bounce")]
    (kept,) = models.Delivery.objects.using(alias)
    assert (kept.touch, kept.at, kept.is_machine) == (number, START + HOUR, False)
    assert "alice" not in kept.reason.lower()
    assert models.Signal.objects.using(alias).get().person_id == "alice"


@pytest.mark.parametrize("kind", [DeliveryKind.BOUNCED, DeliveryKind.COMPLAINED])
def test_an_address_nobody_has_any_more_is_suppressed_all_the_same(
    queue: Queue, deliveries: Deliveries, book: LedgerBook, alias: str, kind: DeliveryKind
) -> None:
    told = replace(TOLD, kind=kind, address="gone@example.com", message="")
    assert deliveries.take([told], START + DAY) == 1
    book.save_people([Person("new", "gone@example.com", "GB")])
    assert set(load_suppressed(alias, ["new"])) == {"new"}


def test_half_a_character_in_a_report_holds_no_other_up(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    odd = replace(TOLD, kind=DeliveryKind.FAILED, id="\udc00", message="\x00")
    odd = replace(odd, reason="\ud83d no\x00", provider_id="\ud83d")
    told = [
        odd,
        replace(TOLD, id="2", kind=DeliveryKind.COMPLAINED),
    ]
    assert deliveries.take(told, START + DAY) == 2
    assert deliveries.take(told, START + DAY) == 0
    assert [reason for _, _, reason in rows(alias)] == ["complaint"]


@pytest.mark.parametrize("kind", [DeliveryKind.BOUNCED, DeliveryKind.COMPLAINED])
@pytest.mark.parametrize("message", ["", "made-up"])
def test_a_mail_that_anybody_could_have_written_names_a_message_of_ours_or_does_nothing(
    queue: Queue, deliveries: Deliveries, alias: str, kind: DeliveryKind, message: str
) -> None:
    queue.message(**LEFT)
    told = replace(TOLD, kind=kind, message=message, needs_message=True)
    nobodys = replace(told, id="2", address="gone@example.com")
    assert deliveries.take([told, nobodys], START + DAY) == 2
    assert rows(alias) == []
    assert not models.Signal.objects.using(alias).exists()
    assert deliveries.take([replace(told, id="3", message="abc")], START + DAY) == 1
    assert [reason for _, _, reason in rows(alias)] == [
        "bounce" if kind is DeliveryKind.BOUNCED else "complaint"
    ]


def test_who_knows_a_message_of_theirs_says_nothing_of_somebody_elses_address(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    queue.message("bob", **LEFT)
    told = replace(TOLD, needs_message=True)
    deliveries.take([told], START + DAY)
    assert rows(alias) == []
    deliveries.take([replace(told, id="2", kind=DeliveryKind.COMPLAINED)], START + DAY)
    found = models.Signal.objects.using(alias).values_list("person_id", "kind")
    assert list(found) == [("bob", "complaint")]
    assert set(load_suppressed(alias, ["alice", "bob"])) == {"bob"}


def test_a_complaint_of_one_of_two_who_share_an_address_counts_for_both(
    queue: Queue, deliveries: Deliveries, book: LedgerBook, alias: str
) -> None:
    book.save_people([Person("twin", "alice@example.com", "GB")])
    deliveries.take([replace(TOLD, kind=DeliveryKind.COMPLAINED, message="")], START + DAY)
    found = set(models.Signal.objects.using(alias).values_list("person_id", "kind"))
    assert found == {("alice", "complaint"), ("twin", "complaint")}


def test_an_answer_is_of_whom_the_message_went_to_and_no_machines(
    queue: Queue, deliveries: Deliveries, book: LedgerBook, alias: str
) -> None:
    book.save_people([Person("twin", "alice@example.com", "GB")])
    queue.message(**LEFT)
    queue.message("twin", **{**LEFT, "provider_id": "<def> 250 ok"})
    click = replace(TOLD, kind=DeliveryKind.CLICKED)
    told = [
        click,
        replace(click, id="2", is_machine=True),
        replace(click, id="3", at=START),  # too soon for a person
        replace(click, id="4", message=""),  # of the newest, which is the twin's
    ]
    assert deliveries.take(told, START + DAY) == 4
    found = models.Signal.objects.using(alias).order_by("id")
    assert [row.person_id for row in found] == ["alice", "twin"]


def test_a_message_is_found_by_its_name_alone(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    number = queue.message(**LEFT)
    told = replace(TOLD, kind=DeliveryKind.FAILED, address="", reason="554 spam")
    deliveries.take([told, replace(told, id="2", message="abcd")], START + DAY)
    assert queue.fate(number) == ("failed", "refused")
    assert [row.touch for row in models.Delivery.objects.using(alias).order_by("id")] == [
        number,
        None,
    ]


def test_unknown_fate_is_settled_by_what_the_provider_says(
    queue: Queue, deliveries: Deliveries
) -> None:
    number = queue.message(state="unknown")
    key = touch_key("alice", "lapsed", 1, "check-in", 0)
    told = replace(TOLD, kind=DeliveryKind.DELIVERED, message=key)
    deliveries.take([told], START + DAY)
    assert queue.fate(number)[0] == "accepted"
    assert queue.touch(number).accepted_at == START + HOUR


def test_what_is_told_of_tomorrow_happened_when_it_was_told(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    queue.message(**LEFT)
    deliveries.take([replace(TOLD, at=START + 9 * DAY)], START + DAY)
    assert models.Signal.objects.using(alias).get().at == START + DAY


def test_a_click_on_our_own_link_is_its_readers_and_of_that_message(
    queue: Queue, deliveries: Deliveries, book: LedgerBook, alias: str
) -> None:
    queue.message(**LEFT)
    key = models.Touch.objects.using(alias).get().key or queue_key(alias)
    click = replace(TOLD, kind=DeliveryKind.CLICKED, address="", message=key[:24], person="alice")
    told = [
        click,
        replace(click, id="2", is_machine=True),
        replace(click, id="3", at=START),  # too soon for a person
        replace(click, id="4", person="bob"),  # none of bob's begins so
        replace(click, id="5", person="nobody"),
        replace(click, id="6", message="f" * 24),
    ]
    assert deliveries.take(told, START + DAY) == 6
    found = models.Signal.objects.using(alias).values_list("person_id", "kind", "at")
    assert list(found) == [("alice", "click", START + HOUR)]
    kept = models.Delivery.objects.using(alias).filter(touch__isnull=False).order_by("id")
    assert [row.is_machine for row in kept] == [False, True, True]
    assert not models.Person.objects.using(alias).filter(id="nobody").exists()


LEASED: dict[str, Any] = {"lease_until": START + DAY, "leased_by": "a worker"}


def queue_key(alias: str) -> str:
    """Return the key of the one message, which is not written down where it follows."""
    touch = models.Touch.objects.using(alias).select_related("enrolment").get()
    own = touch.enrolment
    return touch_key(touch.person_id, own.journey, touch.version, touch.step, own.rotation)


def test_a_click_while_the_message_is_leaving_is_a_machines(
    queue: Queue, deliveries: Deliveries, alias: str
) -> None:
    queue.message(**{**LEFT, "state": "sending", "accepted_at": None, **LEASED})
    click = replace(TOLD, kind=DeliveryKind.CLICKED, address="", person="alice")
    deliveries.take([replace(click, message=queue_key(alias)[:24])], START + DAY)
    assert models.Delivery.objects.using(alias).get().is_machine
    assert not models.Signal.objects.using(alias).exists()
