"""What the cells of a source are read by: its settings and those of the workspace."""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.config import SourceSettings
from rekindle.facts.casting.amounts import COMMA


@dataclass(frozen=True, slots=True)
class Rules:
    """What a source's rows are read by beside its contract.

    ``prefixes`` begin customer ids that are told apart from others here, like ``till:``.
    """

    source: SourceSettings
    currency: str
    zone: str
    prefixes: tuple[str, ...] = ()

    def date_form(self, column: str) -> str | None:
        """Return how a column's dates are written; None is ISO 8601."""
        form = self.source.formats.get(column, self.source.date_format)
        return None if form == "iso" else form

    def amount_form(self, column: str) -> str:
        """Return how a column's amounts are written: a key of ``AMOUNT_FORMS``."""
        return self.source.formats.get(column, COMMA if self.source.decimal_comma else "1,234.50")
