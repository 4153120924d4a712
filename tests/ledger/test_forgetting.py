"""After an erasure no text of the ledger holds the address, the phone or the name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models as fields

from rekindle.consent import ConsentRecord
from rekindle.intake import read_event
from rekindle.journeys import Person, Signal
from rekindle.ledger import (
    AuditLog,
    HeardNotice,
    Inbox,
    KeptNotices,
    models,
    ready_events,
)
from rekindle.messages import hide_address
from rekindle.testing.book_contract import (
    DAY,
    START,
    build_enrolment,
    build_move,
    build_version,
)
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Channel, SignalKind

EMAIL = "Ada.Byron@bücher.example"
SPELLINGS = ("ada.byron@bücher.example", "ada.byron@xn--bcher-kva.example")
PHONE = "+44 20 7946 0018"
NAMES = ("Augusta", "Lovelace")
PRIVATE = (*SPELLINGS, "7946", *(name.lower() for name in NAMES), "old@example.org")


def write_everywhere(alias: str, book: OpenedLedgerBook) -> None:
    """Let her words stand wherever a word can come from outside."""
    card = {"first_name": NAMES[0], "last_name": NAMES[1]}
    book.save_people([Person("C1", EMAIL, "GB", properties=card, phone=PHONE)])
    wording = f"I, {NAMES[0]} {NAMES[1]}, agree; write to {EMAIL.upper()}"
    book.save_consent([ConsentRecord("C1", Channel("email"), True, START, EMAIL, wording)])
    book.start(build_version())
    enrolment = build_enrolment("C1")
    book.enrol([enrolment])
    book.save([build_move(enrolment)])
    models.Touch.objects.using(alias).update(
        last_error=f"550 5.1.1 <{SPELLINGS[1]}>: no such user", provider_id=f"k queued for {EMAIL}"
    )
    key = f"order:{EMAIL}"
    book.record([Signal("C1", SignalKind.VISIT, START, key)], START)
    AuditLog(alias).write("ann", "excluded", "C1", {"why": f"{NAMES[0]} rang {PHONE}"}, START)
    calls: list[dict[str, object]] = [
        {
            "type": "identify",
            "userId": "C1",
            "traits": {"email": "old@example.org", "phone": PHONE},
        },
        {"type": "track", "userId": "C1", "event": f"Form of {NAMES[0]}"},
        {
            "type": "track",
            "userId": "C1",
            "event": "Order Completed",
            "properties": {"order_id": "o-1", "total": 5, "email": EMAIL},
        },
    ]
    events = [
        read_event({**call, "messageId": f"{number} {EMAIL}"}, received_at=START)
        for number, call in enumerate(calls)
    ]
    inbox = Inbox(alias, book)
    inbox.take("web", ready_events(alias, events), START)
    said = json.dumps({"email": EMAIL, "phone": PHONE}, ensure_ascii=False)
    notice = HeardNotice("stripe", "evt_1", "customer.created", "cus_1", "C1", START, said)
    KeptNotices(alias, book).take(notice, [], START)


def texts(alias: str) -> Iterator[tuple[str, str]]:
    """Yield every text of every table, with where it stands; ids of people stay."""
    for model in apps.get_app_config("ledger").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, fields.CharField | fields.TextField | fields.JSONField):
                rows = model._default_manager.using(alias).values_list(field.attname, flat=True)
                for value in rows:
                    text = (
                        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                    )
                    yield f"{model.__name__}.{field.attname}", text


def held(alias: str) -> set[str]:
    """Return the places where one of her words stands."""
    return {
        place for place, text in texts(alias) if any(word in text.casefold() for word in PRIVATE)
    }


def test_no_text_holds_what_was_private(book: OpenedLedgerBook, alias: str) -> None:
    write_everywhere(alias, book)
    before = held(alias)
    assert {"Touch.last_error", "Consent.wording", "AuditEntry.detail", "Event.payload"} < before
    assert "BillerNotice.statements" in before
    book.erase("C1", START + DAY)
    assert held(alias) == set()


def test_what_is_about_others_stays_as_it_is(book: OpenedLedgerBook, alias: str) -> None:
    write_everywhere(alias, book)
    book.save_people([Person("C2", "bob@example.org", properties={"first_name": NAMES[0]})])
    AuditLog(alias).write("ann", "excluded", "C2", {"why": f"{NAMES[0]} asked"}, START)
    book.erase("C1", START + DAY)
    assert held(alias) == {"Person.properties", "AuditEntry.detail"}


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        ("550 5.1.1 <ada.byron@BÜCHER.example>: unknown", "550 5.1.1 <…>: unknown"),
        ("550 no mailbox ada.byron@xn--bcher-kva.example here", "550 no mailbox … here"),
        ("250 queued as 4F2; to=Ada.Byron@bücher.example.", "250 queued as 4F2; to=…."),
        ("450 try later", "450 try later"),
        ("550 <bada.byron@bücher.example.org>", "550 <bada.byron@bücher.example.org>"),
        ("550 ADA.BYRON@XN--BCHER-KVA.EXAMPLE", "550 …"),
    ],
)
def test_a_reply_is_kept_without_the_address(reply: str, left: str) -> None:
    assert hide_address(reply, EMAIL) == left


def test_a_number_is_found_however_it_is_grouped() -> None:
    assert hide_address("no route to 0044-20.7946 0018", "44 2079460018") == "no route to 00…"
    assert (
        hide_address("21211: +442079460018 is none", "0044 (0)20 7946 0018") == "21211: … is none"
    )


@pytest.mark.parametrize(
    "said", ["kate@shop.example", "KATE@SHOP.EXAMPLE", "\u212aate@\u017fhop.example"]
)
def test_a_letter_is_found_in_every_form_it_has(said: str) -> None:
    assert hide_address(f"550 {said}?", "Kate@shop.example") == "550 …?"
