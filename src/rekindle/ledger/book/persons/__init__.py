"""Who is one person, kept where promises are: joins, what follows them, and the way back."""

from rekindle.ledger.book.persons.looking import find_persons, settled
from rekindle.ledger.book.persons.registry import RULES, Persons

__all__ = ["RULES", "Persons", "find_persons", "settled"]
