"""A mailbox that was suppressed in one spelling is suppressed in every other."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime

import pytest

from rekindle.gate import BookRules
from rekindle.intake import read_event
from rekindle.journeys import Person
from rekindle.ledger import Deliveries, Inbox, LedgerBook, models, ready_events
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.papers import load_suppressed
from rekindle.messages import AddressKind, Capabilities, DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SMS = Channel("sms")
TERMS = BookRules(channels={SMS: Capabilities(AddressKind.PHONE)})
SECRET = b"a secret of the tests"
LETTERS = "ada@exämple.org"
SPELLINGS = (
    LETTERS,
    "Ada@XN--EXMPLE-CUA.org",
    unicodedata.normalize("NFD", LETTERS),
    " ada@exämple.org\u200b",
)


def _bound(alias: str, person: str) -> set[tuple[str, str]]:
    found = load_suppressed(alias, [person])
    return {(who, one.channel) for who, bindings in found.items() for one in bindings}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_suppression_binds_every_spelling(alias: str, book: LedgerBook, spelling: str) -> None:
    book.save_people([Person("a", LETTERS, None, None), Person("b", spelling, None, None)])
    book.suppress("a", Channel("email"), reason="opt_out", at=AT)
    assert ("b", "email") in _bound(alias, "b")


@pytest.mark.parametrize("earlier", SPELLINGS[:3])
@pytest.mark.parametrize("now", SPELLINGS)
def test_what_an_earlier_release_hashed_still_binds(
    alias: str, book: LedgerBook, earlier: str, now: str
) -> None:
    """Only the hash is left, and it is of the spelling there was then."""
    former = hmac.new(SECRET, earlier.strip().casefold().encode(), hashlib.sha256).hexdigest()
    models.Suppression.objects.using(alias).create(
        channel="email", address_hash=former, person=None, reason="opt_out", at=AT
    )
    book.save_people([Person("b", now, None, None)])
    assert ("b", "email") in _bound(alias, "b")


NUMBER = "+442079460018"
NUMBERS = (
    "0044 20 7946 0018",
    "+44 (0)20 7946-0018",
    "(0044) 20/79460018",
    "\uff0b44 20 7946 0018",
    "+44\u201120\u201179460018",
    "+\u0664\u0664 20 7946 0018",
)


@pytest.mark.parametrize("spelling", NUMBERS)
def test_a_stop_from_a_number_binds_every_spelling_of_it(
    alias: str, book: LedgerBook, spelling: str
) -> None:
    book.save_people([Person("a", phone=NUMBER), Person("b", phone=spelling)])
    event = DeliveryEvent("1", DeliveryKind.UNSUBSCRIBED, SMS, "sms_x", AT, address=NUMBER)
    Deliveries(
        alias, LedgerBook(alias, secret=SECRET, terms=TERMS), secret=SECRET, terms=TERMS
    ).take([event], AT)
    assert ("a", "sms") in _bound(alias, "a")
    assert ("b", "sms") in _bound(alias, "b")


def test_a_number_that_an_earlier_release_hashed_still_binds(alias: str, book: LedgerBook) -> None:
    former = hmac.new(SECRET, b"00442079460018", hashlib.sha256).hexdigest()
    models.Suppression.objects.using(alias).create(
        channel="sms", address_hash=former, person=None, reason="opt_out", at=AT
    )
    book.save_people([Person("b", None, None, phone=NUMBERS[0])])
    assert ("b", "sms") in _bound(alias, "b")


def test_a_number_of_nowhere_is_compared_by_its_digits(alias: str, book: LedgerBook) -> None:
    cards = [Person("a", phone="020 7946 0018"), Person("b", phone="020-7946-0018")]
    book.save_people([*cards, Person("c", phone="020 7946 0019")])
    hashes = dict(models.Person.objects.using(alias).values_list("id", "phone_hash"))
    assert (hashes["a"] == hashes["b"], hashes["a"] == hashes["c"]) == (True, False)


def test_a_number_told_as_it_is_dialled_at_home_is_bound_in_both_spellings(
    alias: str, book: LedgerBook
) -> None:
    """A list that was read before has it as people write it at home."""
    models.Suppression.objects.using(alias).create(
        channel="sms", address_hash=Hashing(SECRET).of_phone("020 7946 0018"), person=None,
        reason="opt_out", at=AT,
    )  # fmt: skip
    call = {"type": "identify", "userId": "a",
            "traits": {"phone": "020 7946 0018", "address": {"country": "GB"}}}  # fmt: skip
    keeper = LedgerBook(alias, secret=SECRET, terms=TERMS)
    Inbox(alias, keeper).take("web", ready_events(alias, [read_event(call, received_at=AT)]), AT)
    assert models.Person.objects.using(alias).get(pk="a").phone == NUMBER
    assert ("a", "sms") in _bound(alias, "a")
