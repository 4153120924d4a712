"""The business's own days. Ibis has no word for the clock of a zone; engines have."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT

MONTH_DAYS = 365.25 / 12
"""How long a month is where months are counted in days."""


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name="timezone", signature=(("string", INSTANT), "timestamp(6)")
)
def _by_the_clock_of(zone: str, at: datetime) -> datetime:  # type: ignore[empty-body]
    """Return what a clock of the zone shows; DuckDB and PostgreSQL call it the same.

    Spark is taught the name as it is opened.
    """


def local_day(at: ir.Value, zone: str) -> ir.Value:
    """Return the day of an instant by the clock of an IANA zone."""
    return _by_the_clock_of(zone, at).date()
