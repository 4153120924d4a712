"""Only what is given changes anything, and a bad trait does not lose the good ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rekindle.intake import Statement, as_visitor, read_card, read_event
from rekindle.messages import LISTED
from rekindle.vocabulary import Channel


def test_every_trait_is_read() -> None:
    card = read_card(
        {
            "email": " ada@example.com ",
            "firstName": "Ada",
            "last_name": "King",
            "phone": "+44 20 7946 0018",
            "address": {"country": "gb"},
            "timezone": "Europe/London",
            "createdAt": "2020-01-02T03:04:05Z",
        }
    )
    assert (card.email, card.first_name, card.last_name) == ("ada@example.com", "Ada", "King")
    assert (card.phone, card.country, card.timezone) == (
        "+44 20 7946 0018",
        "GB",
        "Europe/London",
    )
    assert card.created_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert card.notes == ()


@pytest.mark.parametrize(
    "trait",
    [
        {"email": "ada"},
        {"email": "ada@example.com\r\nBcc: everyone@example.com"},
        {"email": 7},
        {"phone": "call me"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"address": {"country": "Utopia"}},
        {"createdAt": "long ago"},
        {"firstName": "A" * 201},
        {"consent": "yes"},
        {"consent": {"email": "yes"}},
        {"consent": {"email": {"granted": False}}},
        {"consent": {"email": [False]}},
    ],
)
def test_a_bad_trait_is_left_out_with_a_note(trait: dict[str, Any]) -> None:
    card = read_card({"lastName": "King", **trait})
    (note,) = card.notes
    assert "was left out" in note
    assert (card.last_name, card.email, card.statements) == ("King", None, ())


def test_nothing_said_is_nothing_changed() -> None:
    card = read_card({"plan": "gold", "email": None, "firstName": ""})
    assert (card.email, card.first_name, card.notes) == (None, None, ())


def test_a_statement_keeps_its_words() -> None:
    consent = {"email": False, "wording": "Send me offers", "source": "checkout"}
    (statement,) = read_card({"consent": consent}).statements
    assert statement == Statement(Channel("email"), False, "Send me offers", "checkout")


KEYS = {"p256dh": "B" * 87, "auth": "a" * 22}


@pytest.mark.parametrize(
    "subscription",
    [
        "https://push.example.com/abc",
        {"endpoint": "http://push.example.com/abc", "keys": KEYS},
        {"endpoint": "https:///abc", "keys": KEYS},
        {"endpoint": "https://push.example.com/\r\nX: 1", "keys": KEYS},
        {"endpoint": "https://[::1", "keys": KEYS},
        {"endpoint": "https://push.example.com/" + "a" * 2048, "keys": KEYS},
        {"endpoint": "https://push.example.com/abc"},
        {"endpoint": "https://push.example.com/abc", "keys": {**KEYS, "p256dh": "short"}},
        {"endpoint": "https://push.example.com/abc", "keys": {**KEYS, "auth": 7}},
    ],
)
def test_what_is_no_subscription_is_left_out_with_a_note(subscription: object) -> None:
    card = read_card({"pushSubscription": subscription, "firstName": "Ada"})
    assert (card.addresses, card.first_name) == ((), "Ada")
    assert card.notes[0].startswith("pushSubscription was left out")


def test_addresses_are_kept_in_the_words_of_the_channels() -> None:
    subscription = {"endpoint": "https://push.example.com/abc", "keys": KEYS}
    home = {"street": " 1  High Street", "city": "Leeds", "postalCode": "LS1 1AA"}
    traits = {"pushSubscription": subscription, "address": home, "country": "gb"}
    card = read_card(traits, {"device": {"token": "a-token-of-a-device"}})
    assert [one.kind for one in card.addresses] == ["device", "web_push", "postal"]
    assert {one.kind for one in card.addresses} == {kind.value for kind in LISTED}
    assert json.loads(card.addresses[2].value) == {
        "street": "1 High Street",
        "city": "Leeds",
        "postal_code": "LS1 1AA",
        "state": "",
        "country": "GB",
    }


@pytest.mark.parametrize("token", [None, 7, "short", "with a space in it", "a" * 4097])
def test_what_is_no_token_is_none(token: object) -> None:
    assert read_card({}, {"device": {"token": token}}).addresses == ()


@pytest.mark.parametrize("context", [{"device": "phone"}, {"device": None}, {}])
def test_a_context_without_a_device_gives_none(context: dict[str, object]) -> None:
    assert read_card({}, context).addresses == ()


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ({"type": "track", "event": "Application Opened"}, 1),
        ({"type": "track", "event": "Product Viewed"}, 0),
        ({"type": "page"}, 0),
    ],
)
def test_an_app_that_is_opened_says_by_which_token_it_is_reached(
    call: dict[str, object], given: int
) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    context = {"device": {"token": "a-token-of-a-device"}}
    event = read_event({"userId": "ann", "context": context, **call}, received_at=at)
    assert len(event.card.addresses if event.card else ()) == given


def test_an_address_named_by_a_page_is_not_believed() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    call = {"type": "identify", "anonymousId": "v", "context": {"device": {"token": "a-token-x"}}}
    own, notes = as_visitor(read_event(call, received_at=at))
    assert own.card is not None
    assert own.card.addresses == ()
    assert "device address was left out" in notes[0]
