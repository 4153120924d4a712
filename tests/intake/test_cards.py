"""Only what is given changes anything, and a bad trait does not lose the good ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rekindle.intake import Statement, read_card
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
