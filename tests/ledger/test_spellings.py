"""A mailbox that was suppressed in one spelling is suppressed in every other."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime

import pytest

from rekindle.journeys import Person
from rekindle.ledger import LedgerBook, models
from rekindle.ledger.papers import load_suppressed
from rekindle.vocabulary import Channel

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
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
