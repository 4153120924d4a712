"""Addresses of which people have several: whose each is, where a message goes, when it is gone."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from rekindle.gate import BookRules
from rekindle.identity import JoinReason, Link
from rekindle.intake import read_event
from rekindle.ledger import Inbox, LedgerBook, Outbox, count_reach, models, ready_events
from rekindle.ledger.guards.sealing import rekey
from rekindle.ledger.hashing import Hashing
from rekindle.messages import AddressKind, Capabilities
from rekindle.vocabulary import Channel
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import DAY, HOUR, START, Queue, claim

TERMS = BookRules(
    channels={
        Channel("push"): Capabilities(AddressKind.DEVICE),
        Channel("task"): Capabilities(AddressKind.PERSON),
    },
)
PHONE, TABLET = "token-of-the-phone", "token-of-the-tablet"
SUBSCRIPTION = {
    "endpoint": "https://push.example.com/abc",
    "keys": {"p256dh": "B" * 87, "auth": "a" * 22},
}


@pytest.fixture
def outbox(alias: str) -> Outbox:
    return Outbox(alias, terms=TERMS)


def told(
    alias: str, book: LedgerBook, person: str, token: str, at: datetime = START, **traits: object
) -> None:
    """Let a shop's server say by which device somebody is reached."""
    call = {
        "type": "identify",
        "userId": person,
        "messageId": f"{person} {token} {at}",
        "timestamp": at.isoformat(),
        "traits": traits,
        "context": {"device": {"token": token, "type": "android"}},
    }
    event = read_event(call, received_at=START + 9 * DAY)
    Inbox(alias, book).take("shop", ready_events(alias, [event]), START + 9 * DAY)


def held(alias: str) -> list[tuple[str, str]]:
    """Return whose the addresses are that can be written to, the newest last."""
    rows = models.Address.objects.using(alias).filter(retired_at=None)
    return list(rows.order_by("seen_at", "id").values_list("person_id", "value"))


def pushed(alias: str, person: str = "ann") -> int:
    """Queue a push; return the number of its touch."""
    queue = Queue(alias)
    number = queue.message(person)
    models.Touch.objects.using(alias).filter(pk=number).update(channel="push")
    return number


def test_a_message_goes_to_the_device_that_was_seen_last(
    alias: str, book: LedgerBook, outbox: Outbox
) -> None:
    told(alias, book, "ann", PHONE)
    told(alias, book, "ann", TABLET, START + HOUR)
    pushed(alias)
    (message,) = claim(outbox)
    assert (message.address_kind, message.address) == ("device", TABLET)
    assert message.dossier.is_reachable


def test_who_has_a_device_now_is_who_was_seen_with_it_last_whatever_arrives_last(
    alias: str, book: LedgerBook
) -> None:
    told(alias, book, "bea", PHONE, START + HOUR)
    told(alias, book, "ann", PHONE, START)
    assert held(alias) == [("bea", PHONE)]
    told(alias, book, "ann", PHONE, START + 2 * HOUR)
    assert held(alias) == [("ann", PHONE)]


def test_what_is_gone_is_retired_and_the_next_newest_is_written_to_then_nobody(
    alias: str, book: LedgerBook, outbox: Outbox
) -> None:
    told(alias, book, "ann", PHONE)
    told(alias, book, "ann", TABLET, START + HOUR)
    number = pushed(alias)
    for token in (TABLET, PHONE):
        (message,) = claim(outbox, at=START + DAY)
        assert message.address == token
        outbox.begin_sending([message], START + DAY)
        outbox.retire_address(message, START + DAY, error="UNREGISTERED")
        assert Queue(alias).fate(number) == ("queued", None)
    (message,) = claim(outbox, at=START + DAY)
    assert (message.address, message.dossier.is_reachable) == ("", False)
    assert message.attempts == 0
    assert not models.Suppression.objects.using(alias).exists()
    gone = models.Address.objects.using(alias).values_list("value", "reason")
    assert set(gone) == {("", "UNREGISTERED")}
    told(alias, book, "ann", PHONE, START + 2 * HOUR)  # said before it was gone
    assert held(alias) == []
    told(alias, book, "ann", PHONE, START + 2 * DAY)
    assert held(alias) == [("ann", PHONE)]


def test_a_bounce_is_one_where_a_card_has_one_address_of_the_kind(alias: str) -> None:
    queue, outbox = Queue(alias), Outbox(alias, terms=TERMS)
    number = queue.message("ann")
    (message,) = claim(outbox)
    outbox.begin_sending([message], START)
    outbox.retire_address(message, START, error="gone")
    assert queue.fate(number) == ("failed", "bounce")


def test_addresses_follow_a_join_and_go_back_with_what_was_given_since(
    alias: str, book: LedgerBook
) -> None:
    told(alias, book, "ann", PHONE)
    told(alias, book, "bea", TABLET, START + HOUR)
    link = Link("bea", "ann", JoinReason.BY_HAND, "")
    book.persons.join([link], START + DAY, by="test")
    assert held(alias) == [("ann", PHONE), ("ann", TABLET)]
    told(alias, book, "bea", "a-new-one", START + 2 * DAY)
    assert held(alias)[-1] == ("ann", "a-new-one")
    book.persons.part(["bea"], START + 3 * DAY, by="test")
    assert held(alias) == [("ann", PHONE), ("bea", TABLET), ("bea", "a-new-one")]


def test_an_erasure_takes_them_along_and_nothing_brings_them_back(
    alias: str, book: LedgerBook
) -> None:
    told(alias, book, "ann", PHONE, pushSubscription=SUBSCRIPTION)
    told(alias, book, "bea", TABLET)
    book.erase("ann", START + DAY)
    told(alias, book, "ann", PHONE, START + 2 * DAY)
    assert held(alias) == [("bea", TABLET)]


def test_a_household_shares_a_letter_box_and_a_browser_keeps_its_url(
    alias: str, book: LedgerBook
) -> None:
    home = {"street": "1 High Street", "city": "Leeds", "postalCode": "LS1", "country": "GB"}
    for person in ("ann", "bea"):
        told(alias, book, person, f"token-of-{person}", address=home)
    told(alias, book, "ann", PHONE, pushSubscription=SUBSCRIPTION)
    renewed = {**SUBSCRIPTION, "keys": {"p256dh": "C" * 87, "auth": "b" * 22}}
    told(alias, book, "ann", PHONE, START + HOUR, pushSubscription=renewed)
    rows = models.Address.objects.using(alias)
    assert set(rows.filter(kind="postal").values_list("person", flat=True)) == {"ann", "bea"}
    (browser,) = rows.filter(kind="web_push")
    assert json.loads(browser.value)["p256dh"] == "C" * 87
    assert browser.first_seen_at == START


def test_reach_counts_who_has_one(alias: str, book: LedgerBook) -> None:
    told(alias, book, "ann", PHONE, consent={"push": True})
    book.save_people([])
    Queue(alias).person("bea")
    reach = count_reach(alias, "push", AddressKind.DEVICE)
    assert (reach.people, reach.agreed, reach.unreachable) == (2, 1, 1)
    assert count_reach(alias, "task", AddressKind.PERSON).unreachable == 0
    open_to = count_reach(alias, "task", AddressKind.PERSON, needs_consent=False)
    assert (open_to.people, open_to.agreed) == (2, 2)


def test_another_secret_hashes_them_anew(alias: str, book: LedgerBook) -> None:
    told(alias, book, "ann", PHONE)
    rekey(alias, b"another secret", START)
    (row,) = models.Address.objects.using(alias).all()
    assert row.hash == Hashing(b"another secret").of_text(f"device|{PHONE}")
    assert row.hash != Hashing(SECRET).of_text(f"device|{PHONE}")
    assert PHONE not in row.hash
