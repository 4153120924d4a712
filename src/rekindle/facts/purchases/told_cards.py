"""Keeps what was reported of a card from files that say nothing new of it, column by column.

A file of cards is exported again and again, and people say of themselves what it does not
know yet. A cell that stands in a file as it stood there before the report says nothing new;
once it says something else, that counts.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from rekindle.config import SourceSettings
from rekindle.facts.contracts import CUSTOMERS, IMPORTS, OVERRIDDEN_CARDS
from rekindle.facts.lake import Change, create_view
from rekindle.facts.purchases.overriding import REPORTED, is_reported
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows, replace_rows

KEY = ", ".join(OVERRIDDEN_CARDS.key)
CELLS = [c.name for c in OVERRIDDEN_CARDS.columns if c.name not in OVERRIDDEN_CARDS.key]
NONE = f"select * from {OVERRIDDEN_CARDS.table} limit 0"


class ToldCards:
    """The cards of one import of which a report said otherwise than a file of their source.

    ``told_cards`` is a temporary table of what files of the source said last of them.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, change: Change) -> None:
        self._con, self._change = con, change
        self._given: frozenset[str] | None = None
        self.is_none = True

    def begin(self, source: SourceSettings) -> None:
        """Look for what files of ``source`` said of cards that were reported on since."""
        con, self._given = self._con, None
        create_view(con, self._change, OVERRIDDEN_CARDS)
        con.execute(
            f"create or replace temp table told_cards as select * from {OVERRIDDEN_CARDS.table} "
            f"where source = {literal(source.name)} and {not is_reported(source)}"
        )
        self.is_none = not con.execute("select 1 from told_cards limit 1").fetchall()

    def hold(self, given: frozenset[str]) -> None:
        """Let the rows of ``checked`` that are of these cards wait for the source's last file."""
        if self.is_none:
            return
        con = self._con
        if self._given is None:
            con.execute("create or replace temp table waiting as from checked limit 0")
        con.execute("delete from waiting where customer_id in (select customer_id from checked)")
        con.execute(
            "insert into waiting by name select * from checked semi join told_cards "
            "using (customer_id)"
        )
        con.execute("delete from checked where customer_id in (select customer_id from told_cards)")
        self._given = given if self._given is None else self._given & given

    def release(self) -> frozenset[str] | None:
        """Let what waited be ``checked``; return the columns it has, None where nothing waited."""
        if self._given is not None:
            self._con.execute("create or replace temp table checked as from waiting")
        return self._given

    def renew(self, rows: str, names: Collection[str]) -> None:
        """Keep what files say now, in the columns ``names`` of ``rows``."""
        if self.is_none:
            return
        cells = [name for name in CELLS if name in names]
        said = ", ".join(f"c.{name} as {name}" for name in cells)
        self._con.execute(
            f"create or replace temp table told_now as select o.* replace ({said}) "
            f"from told_cards o join ({rows}) c using (customer_id) except from told_cards"
        )
        if self._con.execute("select 1 from told_now limit 1").fetchall():
            put = "told_now"
            replace_rows(self._con, self._change, OVERRIDDEN_CARDS, put=put, gone=put)

    def note(self) -> None:
        """Keep what files had said of the cards that a report just changed.

        ``held`` are the cards as they were, ``different`` those that were written.
        """
        con = self._con
        create_view(con, self._change, OVERRIDDEN_CARDS)
        create_view(con, self._change, IMPORTS)
        names = ", ".join(quoted(column.name) for column in OVERRIDDEN_CARDS.columns)
        append_rows(
            con,
            self._change,
            OVERRIDDEN_CARDS,
            f"select {names} from held semi join different using ({', '.join(CUSTOMERS.key)}) "
            f"anti join {OVERRIDDEN_CARDS.table} using ({KEY}) where source in ("
            f"select source from imports where not starts_with(file, {literal(REPORTED)}))",
        )
