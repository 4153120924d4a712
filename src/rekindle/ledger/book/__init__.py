"""``LedgerBook``: the engine's book, kept in a database."""

from rekindle.ledger.book.book import LedgerBook, enrolment_of, hash_address
from rekindle.ledger.book.lanes import LANES, lane_of

__all__ = ["LANES", "LedgerBook", "enrolment_of", "hash_address", "lane_of"]
