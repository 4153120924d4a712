"""A database that holds the contract's tables itself: PostgreSQL, or what else Ibis knows."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from decimal import Decimal

import ibis

from rekindle.errors import ConfigError, LakeError
from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.engines.engine import NO_RATES, Engine
from rekindle.facts.engines.model import EngineCapabilities, EngineEntry, FactsPlace
from rekindle.facts.sql import first_line


def open_warehouse(
    url: str, *, currency: str, zone: str, rates: Mapping[str, Decimal] = NO_RATES
) -> Engine:
    """Return the engine behind a database URL that holds the contract's tables.

    Raises:
        LakeError: it cannot be reached, or a table is missing.
    """
    try:
        con = ibis.connect(url)
        missing = {c.table for c in CONTRACTS.required} - set(con.list_tables())
    except Exception as error:  # every driver raises its own kind
        raise LakeError(f"the warehouse cannot be reached: {first_line(error)}") from error
    if missing:
        con.disconnect()
        raise LakeError(
            f"the warehouse lacks {', '.join(sorted(missing))}; "
            "make them, or views, with the columns of Rekindle's tables of these names"
        )
    if close := getattr(getattr(con, "con", None), "close", None):
        # Expressions outlive the engine in the hands of those who built them.
        weakref.finalize(con, close)
    return Engine(con, currency=currency, zone=zone, rates=rates)


def _open(place: FactsPlace) -> Engine:
    if place.options:
        raise ConfigError("[facts.options]: a warehouse takes its options in its URL")
    return open_warehouse(
        str(place.warehouse), currency=place.currency, zone=place.zone, rates=place.rates
    )


ENGINE = EngineEntry(
    "warehouse",
    "The database of a warehouse URL; tested with PostgreSQL, others by what Ibis knows.",
    EngineCapabilities(reads_lake=False, reads_warehouse=True, is_parallel=False),
    _open,
    extra="the driver; `postgres` for PostgreSQL",
)
