"""What a text costs as it was written, and what a START takes back, on both databases."""

from __future__ import annotations

from datetime import datetime

import pytest

from rekindle.consent import ConsentRecord
from rekindle.gate import BookRules, Budget
from rekindle.journeys import Person
from rekindle.ledger import Deliveries, LedgerBook, Outbox, models
from rekindle.messages import AddressKind, Capabilities, DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import COST, DAY, HOUR, START, Queue, claim

SMS = Channel("sms")
PHONE = "+442079460018"
TERMS = BookRules(
    budgets=(Budget(None, None, 5 * COST),),
    channels={
        SMS: Capabilities(AddressKind.PHONE),
        Channel("email"): Capabilities(AddressKind.EMAIL),
    },
)


@pytest.fixture
def book(alias: str) -> LedgerBook:
    book = LedgerBook(alias, secret=SECRET, terms=TERMS)
    book.save_people([Person("ann", "ann@example.com", "GB", phone="+44 20 7946 0018")])
    book.save_consent([ConsentRecord("ann", SMS, True, START - DAY, "form")])
    return book


def tell(alias: str, book: LedgerBook, kind: DeliveryKind, at: datetime, text: str = "") -> None:
    event = DeliveryEvent(f"{kind} {at}", kind, SMS, "sms_twilio", at, address=PHONE, reason=text)
    Deliveries(alias, book, secret=SECRET, terms=TERMS).take([event], at)


def last_word(alias: str) -> str:
    return models.Person.objects.using(alias).get(pk="ann").statements


def suppressed(alias: str) -> set[str]:
    rows = models.Suppression.objects.using(alias).exclude(channel="-")
    return set(rows.values_list("channel", flat=True))


def test_a_start_takes_back_every_stop_before_it(alias: str, book: LedgerBook) -> None:
    tell(alias, book, DeliveryKind.UNSUBSCRIBED, START)
    tell(alias, book, DeliveryKind.UNSUBSCRIBED, START + HOUR)
    assert (last_word(alias), suppressed(alias)) == ("sms-", {"sms"})
    tell(alias, book, DeliveryKind.RESUBSCRIBED, START + DAY, "Start")
    assert (last_word(alias), suppressed(alias)) == ("sms+", set())
    record = models.Consent.objects.using(alias).order_by("at").last()
    assert record is not None
    assert (record.granted, record.source, record.wording) == (True, "provider", "Start")
    tell(alias, book, DeliveryKind.UNSUBSCRIBED, START + 2 * DAY)
    assert (last_word(alias), suppressed(alias)) == ("sms-", {"sms"})


@pytest.mark.parametrize("no_after", [-2, 1])
def test_a_start_takes_back_no_other_no(alias: str, book: LedgerBook, no_after: int) -> None:
    said_no = ConsentRecord("ann", SMS, False, START + no_after * HOUR, "portal")
    if no_after < 0:
        book.save_consent([said_no])
    tell(alias, book, DeliveryKind.UNSUBSCRIBED, START)
    if no_after > 0:
        book.save_consent([said_no])
    tell(alias, book, DeliveryKind.RESUBSCRIBED, START + DAY)
    assert last_word(alias) == "sms-"


def test_a_start_that_comes_before_its_stop_takes_nothing_back(
    alias: str, book: LedgerBook
) -> None:
    tell(alias, book, DeliveryKind.UNSUBSCRIBED, START + HOUR)
    tell(alias, book, DeliveryKind.RESUBSCRIBED, START)
    assert (last_word(alias), suppressed(alias)) == ("sms-", {"sms"})


def test_what_was_set_aside_and_is_not_needed_is_free_again(alias: str) -> None:
    queue, outbox = Queue(alias), Outbox(alias, terms=TERMS)
    paid = {"budgets": "|*/*|", "budget_month": "2026-03"}
    number, other = queue.message(**paid), queue.message("bea", **paid)
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=3 * COST)
    messages = {one.touch: one for one in claim(outbox)}
    outbox.reprice([(messages[number], COST // 4)])
    budget = models.Budget.objects.using(alias).get()
    assert budget.reserved_micros == 3 * COST - COST + COST // 4
    assert queue.touch(number).cost_micros == COST // 4
    assert queue.touch(other).cost_micros == COST
    outbox.release(messages.values())
    outbox.reprice([(messages[number], COST)])  # not held any more
    assert queue.touch(number).cost_micros == COST // 4
