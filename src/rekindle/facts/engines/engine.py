"""The engine that holds the facts and runs what is built on them.

The lake is read through DuckDB, a warehouse through its own engine. Expressions built
on these tables run on both and give the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import LakeError
from rekindle.facts.contracts import CONTRACTS, IDENTITIES, PERMISSIONS, Contract
from rekindle.facts.facts import Facts
from rekindle.facts.lake import Lake, create_view
from rekindle.facts.permissions import build_permissions

# Fused selects repeat a column's whole expression wherever it is used, and the expected gap
# is used some twenty times.
ibis.options.sql.fuse_selects = False


class Engine:
    """The Ibis connection that holds the facts and runs what is built on them."""

    def __init__(self, con: Any, *, currency: str, zone: str) -> None:
        self._con = con
        self._tables = {c.table: _completed(con.table(c.table), c) for c in CONTRACTS.facts}
        names = set(con.list_tables())
        self._books = {
            c.table: _completed(con.table(c.table), c)
            for c in CONTRACTS.bookkeeping
            if c.table in names
        }
        self._identities = self._books.get(IDENTITIES.table)
        self._currency, self._zone = currency, zone

    @classmethod
    def over_lake(cls, folder: Path, *, currency: str, zone: str) -> Engine:
        """Return DuckDB over the lake's committed snapshot.

        Raises:
            LakeError: the lake is damaged or of a newer format.
        """
        con = ibis.duckdb.connect()
        con.raw_sql("set TimeZone = 'UTC'")
        con.raw_sql(
            f"set temp_directory = '{str(folder / '.spill').replace(chr(39), chr(39) * 2)}'"
        )
        lake = Lake(folder)
        for contract in CONTRACTS.values():
            create_view(con.con, lake, contract)
        return cls(con, currency=currency, zone=zone)

    @classmethod
    def over_warehouse(cls, url: str, *, currency: str, zone: str) -> Engine:
        """Return the engine behind a database URL that holds the contract's tables.

        Raises:
            LakeError: it cannot be reached, or a table is missing.
        """
        try:
            con = ibis.connect(url)
            missing = {c.table for c in CONTRACTS.facts} - set(con.list_tables())
        except Exception as error:  # every driver raises its own kind
            raise LakeError(f"the warehouse cannot be reached: {error}") from error
        if missing:
            raise LakeError(
                f"the warehouse lacks {', '.join(sorted(missing))}; "
                "docs/reference/facts.md gives the columns each table needs"
            )
        return cls(con, currency=currency, zone=zone)

    def facts(self) -> Facts:
        """Return the tables as expressions, identities resolved."""
        tables = dict(self._tables)
        statements = self._books.get(PERMISSIONS.table)
        tables["permissions"] = build_permissions(tables["customers"], statements)
        known = self._identities
        if known is not None and self._holds(known):
            has_apart = self._holds(known.filter(known.source.notnull()))
            for name in ("orders", "customers", "events", "permissions"):
                is_apart = has_apart and name != "customers"  # cards were, by the import
                tables[name] = _as_persons(tables[name], known, has_apart=is_apart)
        has_lines = self._holds(tables["order_lines"])
        return Facts(
            customers=tables["customers"],
            orders=tables["orders"],
            order_lines=tables["order_lines"],
            products=tables["products"],
            events=tables["events"],
            currency=self._currency,
            zone=self._zone,
            has_categories=has_lines and self._has_categories(tables),
            has_cards=self._holds(tables["customers"]),
            bookkeeping=self._books,
            permissions=tables["permissions"],
        )

    def run(self, expression: Any) -> pa.Table:
        """Execute a table expression and return its rows."""
        return expression.to_pyarrow() if hasattr(expression, "columns") else expression.as_table()

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Execute a table expression once and return its rows as a table of the engine."""
        return self._con.create_table(name, expression, temp=True, overwrite=True)

    def bring(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a temporary table of the engine."""
        return self._con.create_table(name, rows, temp=True, overwrite=True)

    def close(self) -> None:
        """Let the engine go."""
        self._con.disconnect()

    def _holds(self, table: ir.Table) -> bool:
        return bool(table.limit(1).to_pyarrow().num_rows)

    def _has_categories(self, tables: Mapping[str, ir.Table]) -> bool:
        lines, products = tables["order_lines"], tables["products"]
        return self._holds(lines.filter(lines.category.notnull())) or self._holds(
            products.filter(products.category.notnull())
        )


def _completed(table: ir.Table, contract: Contract) -> ir.Table:
    """Return a warehouse's table with the optional columns it lacks, all empty."""
    lacking = [c for c in contract.columns if not c.required and c.name not in table.columns]
    return table.mutate(**{c.name: ibis.null().cast(c.type) for c in lacking}) if lacking else table


def _as_persons(table: ir.Table, known: ir.Table, *, has_apart: bool) -> ir.Table:
    """Return a table whose customers go by the id of the person they are.

    With ``has_apart``, ids that are another's at one source only are told apart.
    """
    everywhere = known.filter(known.source.isnull()).select(other_id="customer_id", to="person_id")
    joined = table.left_join(everywhere, table.customer_id == everywhere.other_id)
    if not has_apart:
        return _going_by(table, joined, ibis.coalesce(everywhere.to, table.customer_id))
    apart = known.filter(known.source.notnull()).select(
        there="source", id_there="customer_id", to_there="person_id"
    )
    joined = joined.left_join(
        apart, [table.customer_id == apart.id_there, table.source == apart.there]
    )
    person = ibis.coalesce(apart.to_there, everywhere.to, table.customer_id)
    return _going_by(table, joined, person)


def _going_by(table: ir.Table, joined: ir.Table, person: ir.Value) -> ir.Table:
    return joined.select(**{n: person if n == "customer_id" else table[n] for n in table.columns})
