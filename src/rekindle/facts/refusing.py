"""Sets aside the rows that break a contract, and keeps them with reason and line.

The sound rows stay in the temporary table ``checked``; what was taken out of it goes to
``refused`` and from there, beside the raw text of its line, to quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from rekindle.facts import folding
from rekindle.facts.casting.cards import build_masked, mask
from rekindle.facts.checks import CLOCKS_DIFFER_BY, build_record, build_refused
from rekindle.facts.contracts import CONTRACTS, ORDER_LINES, ORDERS, QUARANTINE, Contract
from rekindle.facts.lake import Change, create_view, shaped
from rekindle.facts.sources import Raw
from rekindle.facts.sql import literal, quoted

INSTANTS = ("ordered_at", "occurred_at", "created_at")
EXAMPLES = 5
LONGEST_SHOWN = 2_000
TWO_CUSTOMERS = (
    "select order_id from checked group by order_id having min(customer_id) <> max(customer_id)"
)


@dataclass(frozen=True)
class RefusedRows:
    """The rows of one file that are not taken.

    ``given`` are the columns it has; ``may_mix`` says that its amounts may be of several
    currencies.
    """

    con: duckdb.DuckDBPyConnection
    raw: Raw
    contract: Contract
    given: frozenset[str]
    may_mix: bool = False

    def find(self, *, now: datetime) -> None:
        """Move every refused row from ``checked`` to ``refused``."""
        self.con.execute(f"create or replace temp table refused as {build_refused()}")
        self._refuse_future(now)
        if self.contract.table == "payments":
            self._refuse(
                "select line, 'missing_customer_id' as problem, 'no customer is named, and no "
                "invoice says whose it is' as detail from checked "
                "where verdict is null and customer_id is null",
                drop=False,
            )
        if self.contract in (ORDERS, ORDER_LINES):
            self._refuse_rest_of_orders()
        self._drop_refused()
        if self.may_mix and self.contract in (ORDERS, ORDER_LINES) and "currency" in self.given:
            self._refuse(folding.build_two_currencies())
        if self.contract is ORDER_LINES:
            folding.fold_lines(self.con, self.given)
            self._refuse(folding.build_conflicting_customers(folding.TWO_CUSTOMERS))
            self.con.execute("delete from folded where other_id <> customer_id")
            return
        key = [name for name in self.contract.key if name != "source"]
        if "line" in key:  # a row is its place, and no two are one
            return
        columns = [c.name for c in self.contract.inputs if c.name in self.given.union(key)]
        if self.contract is ORDERS:
            self._join_parts(columns)
            return
        self._refuse(folding.build_conflicts(key, columns))
        self._keep_first(", ".join(key))

    def note_two_addresses(self) -> None:
        """Refuse the addresses, not the orders, of customers who have two."""
        if "email" in self.given and self.contract in (ORDERS, ORDER_LINES):
            self._refuse(folding.build_two_addresses(), drop=False)

    def count(self) -> Mapping[str, int]:
        """Return how many rows were refused by reason, the most frequent first."""
        reasons = dict(
            self.con.execute(
                "select problem, count(*) from refused group by problem order by 2 desc, 1"
            ).fetchall()
        )
        return reasons | ({"not_a_row": len(self.raw.rejects)} if self.raw.rejects else {})

    def examples(self) -> tuple[str, ...]:
        """Return the first line and detail of each of the most frequent reasons."""
        self.con.register("rejects", self._rejects())
        rows = self.con.execute(
            f"select min_by('line ' || line || ': ' || {self._shown('detail')}, line) from ("
            "select line, problem, detail from refused union all "
            "select line, 'not_a_row', detail from rejects) "
            f"group by problem order by count(*) desc, problem limit {EXAMPLES}"
        ).fetchall()
        return tuple(text for (text,) in rows)

    def write(self, change: Change, source: str) -> None:
        """Put the refused rows in the place of what quarantine held of the same file."""
        create_view(self.con, change, QUARANTINE)
        place = f"source = {literal(source)} and file = {literal(self.raw.name)}"
        held = self.con.execute(f"select count(*) from quarantine where {place}").fetchall()[0][0]
        if not held and not self.count():
            return
        self.con.register("rejects", self._rejects())
        rows = self.con.execute(
            f"""
            select * from quarantine where not ({place})
            union all by name
            select {literal(source)} as source, {literal(self.contract.table)} as "table",
                {literal(self.raw.name)} as file, * from (
                select r.line, r.problem as reason, {self._shown("r.detail")} as detail,
                    {self._shown("d.record")} as record
                from refused r left join ({build_record(self.raw)}) d on d.line = r.line
                union all select line, 'not_a_row', detail, record from rejects)
            order by source, file, line, reason"""
        ).to_arrow_table()
        change.overwrite("quarantine", shaped(rows, QUARANTINE))

    def _shown(self, text: str) -> str:
        """Return SQL for a text as it may be kept and told."""
        return build_masked(text) if self.contract.hides_cards else text

    def _rejects(self) -> pa.Table:
        rows = self.raw.rejects
        shown = mask if self.contract.hides_cards else str
        return pa.table(
            {
                "line": pa.array([row.line for row in rows], pa.int64()),
                "detail": pa.array(
                    [shown(f"{row.message}: {row.text[:LONGEST_SHOWN]}") for row in rows],
                    pa.string(),
                ),
                "record": pa.array([shown(row.text[:LONGEST_SHOWN]) for row in rows], pa.string()),
            }
        )

    def _refuse_future(self, now: datetime) -> None:
        names = {column.name for column in self.contract.inputs}
        latest = f"timestamptz {literal((now + CLOCKS_DIFFER_BY).isoformat())}"
        for name in dict.fromkeys((*INSTANTS, self.contract.known_at or "")):
            if name in names & self.given:
                self.con.execute(
                    "insert into refused select line, 'in_the_future', "
                    f"'{name} ' || {name}::varchar || ' has not come yet' "
                    f"from checked where verdict is null and {name} > {latest}"
                )

    def _refuse_rest_of_orders(self) -> None:
        """Refuse the sound rows of an order that has a bad one: half an order is a wrong one."""
        if self._count("refused"):
            self._refuse(
                "select line, 'rest_of_order' as problem, 'order ' || order_id || ' is not taken, "
                "as its line ' || bad || ' was refused' as detail from checked join ("
                "select order_id, min(line) as bad from checked "
                "where line in (select line from refused) group by order_id) using (order_id) "
                "where line not in (select line from refused)",
                drop=False,
            )

    def _join_parts(self, columns: Collection[str]) -> None:
        """Make one row of an order of what stands under one number; refuse what differs."""
        if self._count("(select distinct order_id from checked)") == self._count("checked"):
            return
        self._keep_first(", ".join(columns))
        self._make_checked(folding.build_parts_marked())
        sales = "(from checked where not is_part)"
        self._refuse(folding.build_conflicts(["order_id"], list(columns), among=sales))
        self._refuse(folding.build_conflicting_customers(TWO_CUSTOMERS))
        self._make_checked(folding.build_parts_joined())

    def _make_checked(self, query: str) -> None:
        self.con.execute(f"create or replace temp table checked as {query}")

    def _refuse(self, query: str, *, drop: bool = True) -> None:
        before = self._count("refused")
        self.con.execute(f"insert into refused select line, problem, detail from ({query})")
        if drop and self._count("refused") > before:
            self._drop_refused()

    def _drop_refused(self) -> None:
        if self._count("refused"):
            self._make_checked("select * from checked where line not in (select line from refused)")

    def _keep_first(self, key: str) -> None:
        """Drop exact repetitions of a row."""
        if self._count(f"(select distinct {key} from checked)") < self._count("checked"):
            self._make_checked(
                "select * from checked "
                f"qualify row_number() over (partition by {key} order by line) = 1"
            )

    def _count(self, relation: str) -> int:
        return int(self.con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def clamp(
    con: duckdb.DuckDBPyConnection,
    change: Change,
    contract: Contract,
    given: Collection[str],
    *,
    source: str,
    now: datetime,
) -> None:
    """Let the instants of ``checked`` that lie ahead count from when they were first read.

    Nothing happens after it is read: a clock is a little fast there. What lies further ahead
    than clocks and zones can explain was refused before.
    """
    present = f"timestamptz {literal(now.isoformat())}"
    for name in {column.name for column in contract.inputs} & set(given) & set(INSTANTS):
        if not con.execute(f"from checked where {name} > {present} limit 1").fetchall():
            continue
        held = ORDERS if contract is ORDER_LINES else CONTRACTS[contract.table]
        create_view(con, change, held)
        keys = [key for key in held.key if key != "source"]
        same = " and ".join(f"h.{quoted(key)} = c.{quoted(key)}" for key in keys)
        con.execute(
            f"""
            create or replace temp table checked as
            select c.* replace (case when c.{name} <= {present} then c.{name}
                when h.{name} <= {present} then h.{name} else {present} end as {name})
            from checked c left join {held.table} h
                on {same} and h.source = {literal(source)}"""
        )
        if contract is ORDER_LINES:
            folding.fold_lines(con, given)
