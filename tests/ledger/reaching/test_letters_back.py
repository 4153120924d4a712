"""A letter that comes back retires the address it went to, and nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest

from rekindle.gate import BookRules
from rekindle.intake import read_event
from rekindle.ledger import Deliveries, Inbox, LedgerBook, Outbox, models, ready_events
from rekindle.messages import (
    Address,
    AddressKind,
    Capabilities,
    DeliveryEvent,
    DeliveryKind,
    fingerprint,
)
from rekindle.vocabulary import Channel
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import DAY, HOUR, START, Queue, claim

LETTER = Channel("letter")
TERMS = BookRules(channels={LETTER: Capabilities(AddressKind.POSTAL, needs_consent=False)})


def moved(alias: str, book: LedgerBook, street: str, at: datetime) -> None:
    """Let a shop's server say where ann lives."""
    call = {
        "type": "identify",
        "userId": "ann",
        "messageId": f"{street} {at}",
        "timestamp": at.isoformat(),
        "traits": {"address": {"street": street, "city": "Leeds", "country": "GB"}},
    }
    event = read_event(call, received_at=START + 90 * DAY)
    Inbox(alias, book).take("shop", ready_events(alias, [event]), START + 90 * DAY)


def known(alias: str) -> list[str]:
    rows = models.Address.objects.using(alias).filter(retired_at=None).order_by("seen_at")
    return list(rows.values_list("value", flat=True))


@pytest.fixture
def posted(alias: str, book: LedgerBook) -> str:
    """Post a letter to ann's home of then; return the fingerprint of where it went."""
    moved(alias, book, "1 Old Road", START)
    number = Queue(alias).message("ann")
    models.Touch.objects.using(alias).filter(pk=number).update(channel="letter")
    outbox = Outbox(alias, terms=TERMS)
    (message,) = claim(outbox, at=START + DAY)
    assert message.dossier.is_reachable
    outbox.begin_sending([message], START + DAY)
    outbox.accept([(message, "ltr_1")], START + DAY)
    return fingerprint(Address(message.address_kind, message.address))


def came_back(alias: str, book: LedgerBook, printed: str, at: datetime) -> None:
    event = DeliveryEvent(
        id="evt_1",
        kind=DeliveryKind.BOUNCED,
        channel=LETTER,
        outlet="letter_lob",
        at=at,
        provider_id="ltr_1",
        fingerprint=printed,
        reason="letter.returned_to_sender",
    )
    deliveries = Deliveries(alias, book, secret=SECRET, terms=TERMS)
    deliveries.take([event], at)
    deliveries.take([event], at + HOUR)


def test_the_address_it_went_to_is_written_to_no_more_and_nobody_bounced(
    alias: str, book: LedgerBook, posted: str
) -> None:
    moved(alias, book, "2 New Street", START + 2 * DAY)
    came_back(alias, book, posted, START + 9 * DAY)
    (left,) = known(alias)
    assert "2 New Street" in left
    assert not models.Suppression.objects.using(alias).exists()
    assert not models.Signal.objects.using(alias).filter(kind="bounce").exists()
    moved(alias, book, "1 Old Road", START + 5 * DAY)  # said before it came back
    assert len(known(alias)) == 1
    moved(alias, book, "1 Old Road", START + 10 * DAY)
    assert len(known(alias)) == 2


def test_who_gave_the_address_again_after_it_came_back_keeps_it(
    alias: str, book: LedgerBook, posted: str
) -> None:
    moved(alias, book, "1 Old Road", START + 10 * DAY)
    came_back(alias, book, posted, START + 9 * DAY)
    assert len(known(alias)) == 1


def test_a_return_of_another_address_retires_none(
    alias: str, book: LedgerBook, posted: str
) -> None:
    came_back(alias, book, "", START + 9 * DAY)
    assert len(known(alias)) == 1
