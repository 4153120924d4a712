"""The ledger keeps every promise of a book, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.journeys import Book
from rekindle.ledger import LedgerBook
from rekindle.testing.book_contract import BookContract, MakeBook


class TestLedgerBook(BookContract):
    @pytest.fixture
    def make_book(self, alias: str) -> MakeBook:
        def make(*, soft_opt_in: bool, longest_window: timedelta) -> Book:
            return LedgerBook(
                alias, secret=b"secret", soft_opt_in=soft_opt_in, longest_window=longest_window
            )

        return make
