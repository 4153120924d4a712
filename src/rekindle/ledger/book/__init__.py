"""``LedgerBook``: the engine's book, kept in a database."""

from rekindle.ledger.book.book import LedgerBook, enrolment_of
from rekindle.ledger.book.lanes import LANES, lane_of

__all__ = ["LANES", "LedgerBook", "enrolment_of", "lane_of"]
