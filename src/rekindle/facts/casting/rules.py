"""What the cells of a source are read by: its settings and those of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rekindle.config import SourceSettings
from rekindle.facts.casting.amounts import COMMA


@dataclass(frozen=True, slots=True)
class Rules:
    """What a source's rows are read by beside its contract.

    ``prefixes`` begin customer ids that are told apart from others here, like ``till:``.
    ``rates`` are what one unit of another currency is worth in ``currency``.
    """

    source: SourceSettings
    currency: str
    zone: str
    prefixes: tuple[str, ...] = ()
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def date_form(self, column: str) -> str | None:
        """Return how a column's dates are written; None is ISO 8601."""
        form = self.source.formats.get(column, self.source.date_format)
        return None if form == "iso" else form

    def amount_form(self, column: str) -> str:
        """Return how a column's amounts are written: a key of ``AMOUNT_FORMS``."""
        return self.source.formats.get(column, COMMA if self.source.decimal_comma else "1,234.50")
