"""The ledger keeps every promise of a book, on both databases."""

from __future__ import annotations

from datetime import datetime

import pytest

from rekindle.gate import BookRules
from rekindle.ledger import MessageState, models
from rekindle.testing.book_contract import BookContract, Deliver, MakeBook
from rekindle.testing.book_samples import OpenedBook
from rekindle.testing.opened_books import OpenedLedgerBook


class TestLedgerBook(BookContract):
    @pytest.fixture
    def make_book(self, alias: str) -> MakeBook:
        def make(terms: BookRules) -> OpenedBook:
            return OpenedLedgerBook(alias, secret=b"secret", terms=terms)

        return make

    @pytest.fixture
    def deliver(self, alias: str) -> Deliver:
        def deliver(at: datetime) -> None:
            waiting = models.Touch.objects.using(alias).filter(state=MessageState.QUEUED)
            waiting.update(state=MessageState.ACCEPTED, accepted_at=at)

        return deliver
