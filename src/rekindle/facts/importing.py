"""Imports sources into the lake: read, check, quarantine, fold, upsert, together.

Importing the same file twice changes nothing, a corrected file corrects, and a bad row
is kept in quarantine with its reason and line. All tables of one import show at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from rekindle.config import Config, SourceSettings
from rekindle.errors import LakeError, SourceError
from rekindle.facts import folding
from rekindle.facts.checks import Rules, build_checked, build_record, resolve_columns
from rekindle.facts.contracts import (
    CONTRACTS,
    CUSTOMERS,
    IDENTITIES,
    IMPORTS,
    ORDER_LINES,
    ORDERS,
    QUARANTINE,
    Contract,
)
from rekindle.facts.lake import BATCH_ROWS, OPERATION, Change, Lake, create_view
from rekindle.facts.reading import Raw, literal, open_source, quoted

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FileImport:
    """What one file gave. ``reasons`` counts quarantined rows by reason."""

    source: str
    file: str
    table: str
    read: int
    quarantined: int
    anonymous: int
    added: int
    changed: int
    reasons: dict[str, int]
    examples: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Return whether every row was taken."""
        return self.quarantined == 0


def import_sources(
    config: Config,
    base: Path,
    *,
    now: datetime,
    progress: Progress = lambda text: None,
    only: Sequence[str] = (),
) -> list[FileImport]:
    """Import every configured source (or those named) and return what each file gave.

    Raises:
        SourceError: a source cannot be read at all; nothing is changed then.
        BusyError: another import is running.
    """
    sources = [s for s in config.sources if not only or s.name in only]
    if not sources:
        named = ", ".join(only) or "any"
        raise SourceError(f"rekindle.toml names no source {named}; add a [[sources]] block")
    lake = Lake(base / config.facts.lake)
    with lake.change() as change, _engine(base / config.facts.lake) as con:
        work = _Import(con, change, now=now, progress=progress)
        found = [r for source in sources for r in work.run(_rules(config, source), base)]
        work.resolve_identities()
    return found


def _rules(config: Config, source: SourceSettings) -> Rules:
    return Rules(source, config.workspace.currency, config.workspace.timezone)


def _engine(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute(f"set temp_directory = {literal(str(folder / '.spill'))}")
    return con


class _Import:
    """One running import: the engine, the change it writes to, and the time it began."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        change: Change,
        *,
        now: datetime,
        progress: Progress,
    ) -> None:
        self._con, self._change = con, change
        self._now, self._progress = now, progress

    def run(self, rules: Rules, base: Path) -> list[FileImport]:
        return [self._file(raw, rules) for raw in open_source(self._con, rules.source, base)]

    def _file(self, raw: Raw, rules: Rules) -> FileImport:
        contract = CONTRACTS[rules.source.table]
        self._progress(f"{raw.name}: reading")
        self._con.execute(
            f"create or replace temp table checked as {build_checked(raw, contract, rules)}"
        )
        read = self._count("checked") + len(raw.rejects)
        if read == 0:
            raise SourceError(f"{raw.name} holds a header but no rows")
        given = frozenset(resolve_columns(raw, contract, rules.source))
        self._find_problems(contract, given)
        reasons = self._quarantine(raw, contract, rules)
        anonymous = (
            self._count("checked where customer_id is null")
            if contract
            in (
                ORDERS,
                ORDER_LINES,
            )
            else 0
        )
        self._progress(f"{raw.name}: writing")
        added, changed = self._write(contract, rules, given)
        result = FileImport(
            source=rules.source.name,
            file=raw.name,
            table=contract.table,
            read=read,
            quarantined=sum(reasons.values()),
            anonymous=anonymous,
            added=added,
            changed=changed,
            reasons=reasons,
            examples=self._examples(),
        )
        self._remember(result)
        return result

    def _find_problems(self, contract: Contract, given: frozenset[str]) -> None:
        """Move every refused line to the temporary table ``refused``."""
        con = self._con
        con.execute(
            "create or replace temp table refused as "
            "select line, problem, detail from checked where problem is not null"
        )
        if contract in (ORDERS, ORDER_LINES, CUSTOMERS) or "occurred_at" in given:
            self._refuse_future(contract)
        self._drop_refused()
        if contract is ORDER_LINES:
            self._refuse(folding.build_conflicting_customers())
        else:
            key = contract.key[-1]
            columns = tuple(c.name for c in contract.inputs if c.name in given | {key})
            self._refuse(folding.build_conflicts(key, columns))
            self._keep_first(key)

    def _keep_first(self, key: str) -> None:
        """Drop exact repetitions of a row."""
        if self._count(f"(select distinct {key} from checked)") < self._count("checked"):
            self._con.execute(
                "create or replace temp table checked as select * exclude (kept) from (select *, "
                f"row_number() over (partition by {key} order by line) as kept from checked) "
                "where kept = 1"
            )

    def _refuse_future(self, contract: Contract) -> None:
        names = {c.name for c in contract.inputs}
        for name in ("ordered_at", "occurred_at", "created_at"):
            if name in names:
                self._con.execute(
                    "insert into refused select line, 'in_the_future', "
                    f"'{name} ' || {name}::varchar || ' has not come yet' from checked "
                    f"where problem is null and {name} > ?::timestamptz + interval 1 day",
                    [self._now],
                )

    def _refuse(self, query: str) -> None:
        before = self._count("refused")
        self._con.execute(f"insert into refused select line, problem, detail from ({query})")
        if self._count("refused") > before:
            self._drop_refused()

    def _drop_refused(self) -> None:
        if self._count("refused"):
            self._con.execute(
                "create or replace temp table checked as select * from checked "
                "where line not in (select line from refused)"
            )

    def _quarantine(self, raw: Raw, contract: Contract, rules: Rules) -> dict[str, int]:
        """Write the refused lines with their raw text; return how many by reason."""
        con, source = self._con, rules.source.name
        for line, text, message in raw.rejects:
            con.execute(
                "insert into refused values (?, 'not_a_row', ?)", [line, f"{message}: {text}"]
            )
        if contract in (ORDERS, ORDER_LINES) and "email" in rules.source.columns:
            con.execute(
                "insert into refused select line, problem, detail "
                f"from ({folding.build_two_addresses()})"
            )
        create_view(con, self._change, QUARANTINE)
        held = con.execute(
            "select count(*) from quarantine where source = ? and file = ?", [source, raw.name]
        ).fetchall()[0][0]
        counted = con.execute(
            "select problem, count(*) from refused group by problem order by 2 desc, 1"
        ).fetchall()
        if counted or held:
            rows = con.execute(
                f"""
                select * from quarantine where not (source = {literal(source)}
                    and file = {literal(raw.name)})
                union all by name
                select {literal(source)} as source, {literal(contract.table)} as "table",
                    {literal(raw.name)} as file, r.line, r.problem as reason, r.detail, d.record
                from refused r left join ({build_record(raw)}) d on d.line = r.line"""
            ).to_arrow_table()
            self._change.overwrite("quarantine", _shaped(rows, QUARANTINE))
        return dict(counted)

    def _examples(self) -> tuple[str, ...]:
        rows = self._con.execute(
            "select min_by('line ' || line || ': ' || detail, line) from refused "
            "group by problem order by count(*) desc limit 5"
        ).fetchall()
        return tuple(text for (text,) in rows)

    def _write(self, contract: Contract, rules: Rules, given: frozenset[str]) -> tuple[int, int]:
        if contract is ORDER_LINES:
            self._upsert(ORDER_LINES, folding.build_lines(rules), covers="order_id")
            counts = self._upsert(ORDERS, folding.build_orders_from_lines(rules))
        elif contract is ORDERS:
            counts = self._upsert(ORDERS, folding.build_orders(rules))
        else:
            names = ", ".join(
                literal(rules.source.name) + " as source" if c.name == "source" else quoted(c.name)
                for c in contract.columns
            )
            counts = self._upsert(contract, f"select {names} from checked")
        if contract in (ORDERS, ORDER_LINES) and given & {"email", "first_name", "country"}:
            self._write_cards(rules, given)
        return counts

    def _write_cards(self, rules: Rules, given: frozenset[str]) -> None:
        """Upsert cards gathered from orders; a card from a customers source wins."""
        create_view(self._con, self._change, CUSTOMERS)
        self._upsert(
            CUSTOMERS,
            f"select * from ({folding.build_cards(rules, given)}) where customer_id not in "
            f"(select customer_id from customers where source <> {literal(rules.source.name)})",
        )

    def _upsert(
        self, contract: Contract, query: str, *, covers: str | None = None
    ) -> tuple[int, int]:
        """Write what is new or different; return how many rows were added and changed.

        With ``covers``, rows of a covered value that the query no longer holds go.
        """
        con, table = self._con, contract.table
        con.execute(f"create or replace temp table fresh as {query}")
        names = ", ".join(quoted(c.name) for c in contract.columns)
        if not self._lake_has(table):
            if self._count("fresh"):
                self._change.append(table, _reader(con, f"select {names} from fresh"))
            return self._count("fresh"), 0
        create_view(con, self._change, contract)
        con.execute(
            f"create or replace temp table different as select {names} from fresh "
            f"except select {names} from {table}"
        )
        keys = ", ".join(contract.key)
        con.execute(
            "create or replace temp table known as select distinct "
            f"{keys} from {table} semi join fresh using ({keys})"
        )
        gone = self._gone(contract, covers)
        added = self._count(f"different anti join known using ({keys})")
        changed = self._count("different") - added
        if changed or gone:
            operations = (
                f"select {names}, 'put' as {OPERATION} from different union all by name "
                f"select {names}, 'delete' as {OPERATION} from gone"
            )
            self._change.merge(contract, _reader(con, operations))
        elif added:
            self._change.append(table, _reader(con, f"select {names} from different"))
        return added, changed

    def _gone(self, contract: Contract, covers: str | None) -> int:
        keys = ", ".join(contract.key)
        limit = "false" if covers is None else f"{covers} in (select {covers} from fresh)"
        con = self._con
        con.execute(
            f"create or replace temp table gone as select t.* from {contract.table} t "
            f"anti join fresh using ({keys}) where {limit} "
            "and source in (select distinct source from fresh)"
            if covers is not None
            else f"create or replace temp table gone as select * from {contract.table} limit 0"
        )
        return self._count("gone")

    def _lake_has(self, table: str) -> bool:
        return table in self._change.versions

    def _remember(self, result: FileImport) -> None:
        con = self._con
        create_view(con, self._change, IMPORTS)
        rows = con.execute(
            "select * from imports where not (source = ? and file = ?)",
            [result.source, result.file],
        ).to_arrow_table()
        fresh = {
            name: [getattr(result, name)] for name in IMPORTS.schema.names if name != "imported_at"
        }
        schema = IMPORTS.schema.to_pyarrow()
        added = pa.table({**fresh, "imported_at": [self._now]}, schema=schema)
        self._change.overwrite("imports", pa.concat_tables([_shaped(rows, IMPORTS), added]))

    def resolve_identities(self) -> None:
        """Give customer ids that share an e-mail address one person id."""
        con = self._con
        if "customers" not in self._change.versions:
            return
        create_view(con, self._change, CUSTOMERS)
        rows = con.execute(
            """
            select customer_id, person_id from (
                select customer_id, min(customer_id) over (partition by lower(email)) as person_id
                from customers where email is not null)
            where customer_id <> person_id order by customer_id"""
        ).to_arrow_table()
        self._change.overwrite("identities", _shaped(rows, IDENTITIES))

    def _count(self, relation: str) -> int:
        return int(self._con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _reader(con: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    return con.execute(query).to_arrow_reader(BATCH_ROWS)


def _shaped(rows: pa.Table, contract: Contract) -> pa.Table:
    schema = contract.schema.to_pyarrow()
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, KeyError) as error:
        raise LakeError(f"{contract.table} does not fit its contract: {error}") from error
