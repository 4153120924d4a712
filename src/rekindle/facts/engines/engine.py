"""The engine: the one who runs what is built on the facts.

Expressions built on these tables run on every engine and give the same numbers. What is
here suits any database that Ibis knows; an engine of its own file changes what it must.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import LakeError
from rekindle.facts.contracts import (
    CONTRACTS,
    CUSTOMERS,
    IDENTITIES,
    INSTANT,
    PERMISSIONS,
    REFUNDS,
    Contract,
)
from rekindle.facts.engines.comparing import compare_safely
from rekindle.facts.engines.naming import Basis, lay_basis, name_query
from rekindle.facts.engines.restating import Restating
from rekindle.facts.facts import Facts, find_late_changes, find_undated_cards
from rekindle.facts.permissions import build_permissions
from rekindle.facts.purchases import find_undone
from rekindle.facts.sql import first_line

# Fused selects repeat a column's whole expression wherever it is used, and the expected gap
# is used some twenty times.
ibis.options.sql.fuse_selects = False
compare_safely()

# Where `timezone(zone, instant)` is what a clock of the zone shows, as subscriptions ask for.
LOCAL_CLOCKS = ("duckdb", "postgres", "pyspark")
# More of them are worked out anew in each question rather than held in memory.
MOST_UNDONE = 500_000
NO_RATES: Mapping[str, Decimal] = MappingProxyType({})

_numbers = itertools.count(1)
_thread = threading.local()


class Engine:
    """An Ibis connection that holds the facts, and runs what is built on them.

    Several threads may ask one engine: of a connection that answers one question at a
    time they take turns. A table that was kept or brought belongs to the thread that did
    it, and the next of its name replaces it.
    """

    def __init__(
        self, con: Any, *, currency: str, zone: str, rates: Mapping[str, Decimal] = NO_RATES
    ) -> None:
        self._con = con
        self._turn: AbstractContextManager[Any] = threading.RLock()
        found = self._find_tables()
        self._tables = {
            c.table: _completed(found[c.table], c) if c.table in found else _without_rows(c)
            for c in CONTRACTS.facts
        }
        self._books = {
            c.table: _completed(found[c.table], c)
            for c in CONTRACTS.bookkeeping
            if c.table in found
        }
        self._identities = self._books.get(IDENTITIES.table)
        self._currency, self._zone = currency, zone
        self._restating = Restating(currency, rates)

    def know_persons(self, rows: pa.Table) -> None:
        """Take who is one person from an authority outside instead of the facts' own table.

        ``rows`` are in the shape of the contract ``identities``.
        """
        self._identities = self.share("persons_known", rows)
        self._books[IDENTITIES.table] = self._identities

    def facts(self) -> Facts:
        """Return the tables as expressions: identities resolved, amounts in one currency.

        Raises:
            LakeError: rows are in a currency of which no rate is stated.
        """
        basis = lay_basis([*self._tables.values(), *self._books.values()])
        held = self._find_held(basis)
        others = frozenset(name for name in self._tables if _others_of(name) in held)
        rates = self._find_rates(others) if others else NO_RATES
        tables = self._tell(basis, held, others)
        steps = tables.get(REFUNDS.table)
        undone = None
        if not held.isdisjoint({"given back", "steps"}):
            # Looked for once, and few: every question of a date asks for them.
            told = lay_basis([tables["orders"], *([] if steps is None else [steps])])
            undone = self.run(
                name_query("undone", told, lambda: find_undone(tables["orders"], steps))
            )
        count = undone.num_rows if undone is not None else 0
        return Facts(
            customers=tables["customers"],
            orders=tables["orders"],
            order_lines=tables["order_lines"],
            products=tables["products"],
            events=tables["events"],
            currency=self._currency,
            zone=self._zone,
            rates=tuple(rates.items()),
            has_categories="lines" in held
            and not held.isdisjoint({"categories", "categories of products"}),
            has_cards=not held.isdisjoint({"cards", "subscriptions"}),
            has_events="events" in held,
            has_scores="scores" in held,
            has_subscriptions="subscriptions" in held and self._con.name in LOCAL_CLOCKS,
            has_past_sends="past sends" in held,
            bookkeeping=self._books,
            permissions=tables["permissions"],
            more={c.table: tables[c.table] for c in CONTRACTS.further},
            has_late_changes=count > 0 or "late changes" in held,
            has_undated_cards="undated cards" in held,
            refund_steps=steps,
            undone=self.share("undone", undone) if 0 < count <= MOST_UNDONE else None,
        )

    def run(self, expression: ir.Expr) -> pa.Table:
        """Execute an expression and return its rows; a single value is a row of one."""
        with self._turn:
            return expression.as_table().to_pyarrow()

    def write_query(self, expression: ir.Table) -> str:
        """Return an expression in the engine's own language, to be looked at."""
        with self._turn:
            return str(self._con.compile(expression, pretty=True))

    def scalar(self, expression: ir.Scalar) -> Any:
        """Execute an expression of a single value and return it; None for NULL."""
        return self.run(expression).column(0)[0].as_py()

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Execute a table expression once and return its rows as a table of the engine."""
        with self._turn:
            return self._con.create_table(own_name(name), expression, temp=True, overwrite=True)

    def bring(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a temporary table of the engine."""
        with self._turn:
            return self._con.create_table(own_name(name), rows, temp=True, overwrite=True)

    def share(self, name: str, rows: pa.Table) -> ir.Table:
        """Return rows from outside as a table that every thread sees; once an engine."""
        return self.bring(name, rows)

    def write(self, contract: Contract, rows: pa.Table) -> None:
        """Add rows to a table of a warehouse for good, and make the table if it is not there.

        Raises:
            LakeError: the warehouse does not let us.
        """
        try:
            with self._turn:
                if contract.table not in self._con.list_tables():
                    self._con.create_table(contract.table, schema=contract.schema)
                self._con.insert(contract.table, ibis.memtable(rows))
        except Exception as error:  # every driver raises its own kind
            raise LakeError(
                f"the warehouse takes no rows of {contract.table}: {first_line(error)}; "
                "give its user the right to create and fill this table"
            ) from error

    def close(self) -> None:
        """Let the engine go."""
        self._con.disconnect()

    def _find_tables(self) -> dict[str, ir.Table]:
        """Return the contracts' tables that are there."""
        names = set(self._con.list_tables())
        return {c.table: self._con.table(c.table) for c in CONTRACTS.values() if c.table in names}

    def _find_rates(self, others: Collection[str]) -> Mapping[str, Decimal]:
        """Return the rates of the currencies that stand in these tables."""
        found = self._restating.find_others({name: self._tables[name] for name in sorted(others)})
        told = [
            rows.select(table=ibis.literal(name), currency=rows.currency.upper()).distinct()
            for name, rows in found.items()
        ]
        return self._restating.find_rates(self.run(ibis.union(*told)).to_pylist())

    def _tell(
        self, basis: Basis | None, held: Collection[str], others: frozenset[str]
    ) -> Mapping[str, ir.Table]:
        """Return the tables of the facts, with permissions and the steps of refunds.

        Amounts are in one currency, and customers go by the id of the person they are.
        """
        raw = dict(self._tables)
        if "steps" in held:
            raw[REFUNDS.table] = self._books[REFUNDS.table]
        known = self._identities if "identities" in held else None
        has_apart = "identities of one source" in held

        @cache
        def build() -> Mapping[str, ir.Table]:
            tables = self._restating.restate(raw, others) if others else raw
            statements = self._books.get(PERMISSIONS.table)
            permissions = build_permissions(tables["customers"], statements)
            tables = {**tables, PERMISSIONS.table: permissions}
            if known is None:
                return tables
            return {n: _by_persons(n, rows, known, has_apart) for n, rows in tables.items()}

        what = (known is not None, has_apart, others, tuple(self._restating.rates.items()))
        as_told = {
            name
            for name, rows in raw.items()
            if not others and (known is None or "customer_id" not in rows.columns)
        }

        def tell(name: str) -> ir.Table:
            if name in as_told:
                return raw[name]
            return name_query((name, *what), basis, lambda: build()[name])

        return {name: tell(name) for name in (*raw, PERMISSIONS.table)}

    def _find_held(self, basis: Basis | None) -> set[str]:
        """Return which of these kinds of rows there are, asked for in one question."""
        asked = name_query(("held", self._currency), basis, self._build_held)
        return set(self.run(asked).column(0).to_pylist())

    def _build_held(self) -> ir.Table:
        tables = self._tables
        known, steps = self._identities, self._books.get(REFUNDS.table)
        orders, cards = tables["orders"], tables["customers"]
        lines, products = tables["order_lines"], tables["products"]
        asked = {
            "lines": lines,
            "categories": lines.filter(lines.category.notnull()),
            "categories of products": products.filter(products.category.notnull()),
            "cards": cards,
            "events": tables["events"],
            "undated cards": find_undated_cards(cards),
            "scores": tables["scores"],
            "subscriptions": tables["subscriptions"],
            "past sends": tables["past_sends"],
            "given back": orders.filter(orders.refund > 0),
            "late changes": find_late_changes(orders),
        }
        if steps is not None:
            asked["steps"] = steps
        for name, rows in self._restating.find_others(tables).items():
            asked[_others_of(name)] = rows
        if known is not None:
            asked["identities"] = known
            asked["identities of one source"] = known.filter(known.source.notnull())
        found = [rows.limit(1).select(held=ibis.literal(name)) for name, rows in asked.items()]
        return ibis.union(*found)


def _others_of(table: str) -> str:
    return f"other currencies in {table}"


def own_name(name: str) -> str:
    """Return the calling thread's name for a table it keeps or brings."""
    if not hasattr(_thread, "number"):
        _thread.number = next(_numbers)
    return f"{name}_{_thread.number}"


def _completed(table: ir.Table, contract: Contract) -> ir.Table:
    """Return a table with the optional columns it lacks, all empty, and instants in UTC.

    Spark's TIMESTAMP is an instant, but Ibis shows it without a zone.
    """
    lacking = [c for c in contract.columns if not c.required and c.name not in table.columns]
    zoneless = {
        name: INSTANT
        for name, dtype in table.schema().items()
        if dtype.is_timestamp() and dtype.timezone is None
    }
    table = table.cast(zoneless) if zoneless else table
    return table.mutate(**{c.name: ibis.null().cast(c.type) for c in lacking}) if lacking else table


def _without_rows(contract: Contract) -> ir.Table:
    return ibis.memtable(contract.schema.to_pyarrow().empty_table(), schema=contract.schema)


def _by_persons(name: str, rows: ir.Table, known: ir.Table, has_apart: bool) -> ir.Table:
    if "customer_id" not in rows.columns:
        return rows
    # Cards were told apart by the import.
    may_be_apart = name != CUSTOMERS.table and "source" in rows.columns
    return _as_persons(rows, known, has_apart=has_apart and may_be_apart)


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
