"""Imports sources into the lake: read, check, quarantine, fold, upsert, together.

Importing the same file twice changes nothing, a corrected file corrects, and a bad row
is kept in quarantine with its reason and line. All tables of one import show at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import duckdb
import pyarrow as pa

from rekindle.config import Config, SourceSettings
from rekindle.errors import SourceError
from rekindle.facts import folding
from rekindle.facts.casting import Rules, ids_prefix
from rekindle.facts.casting.amounts import MINOR
from rekindle.facts.checks import build_checked, is_numbered_by_time, resolve_columns
from rekindle.facts.contracts import (
    CONTRACTS,
    CUSTOMERS,
    IMPORTS,
    ORDER_LINES,
    ORDERS,
    Contract,
)
from rekindle.facts.evidence import tell_shared, write_handles, write_identities
from rekindle.facts.lake import Change, Lake, create_view, shaped
from rekindle.facts.numbering import (
    build_card_stamps,
    build_change_stamps,
    build_stamps,
    build_stay_stamps,
    count_undated,
    next_number,
)
from rekindle.facts.permitting import Statements
from rekindle.facts.purchases import REPORTED, Overriding, ToldCards, is_reported, write_steps
from rekindle.facts.refusing import RefusedRows, clamp
from rekindle.facts.sources import Raw, open_source, source_files, with_made, without_rows
from rekindle.facts.sql import first_line, literal, quoted
from rekindle.facts.upserting import NO_STAMPS, Repeats, Written, upsert
from rekindle.wording import counted

Progress = Callable[[str], None]
IN_TURN = {"invoices": 1, "payments": 2}
"""What is completed by others comes after them: invoices after their lines, then payments."""


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
    notes: tuple[str, ...] = ()

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
    is_in_charge: bool = True,
    read_again: Callable[[], None] | None = None,
) -> list[FileImport]:
    """Import every configured source (or those named) and return what each file gave.

    ``is_in_charge`` says that the lake itself keeps who is one person; a ledger does where
    there is one. ``read_again`` is called, before anything is written, where the lake begins or
    has lost something, so that whatever else was in it can be brought again.

    Raises:
        SourceError: a source cannot be read at all; nothing is changed then.
        BusyError: another import is running.
    """
    sources = _chosen(config, only)
    lake = Lake.of(config.facts, base)
    with lake.change() as change, _engine(lake.spill) as con:
        if read_again is not None and (change.notes or not change.versions):
            read_again()
        work = _Import(
            con,
            change,
            now=now,
            progress=progress,
            cards=_cards_of(config),
            minor=_minor_units(config),
        )
        found = [r for source in sources for r in work.run(_rules(config, source), base)]
        # What is reported every few minutes says nothing of them, and to follow them takes long.
        is_billed = any(source.table in folding.BILLED for source in sources)
        told = (
            *(work.follow_bills() if is_billed else ()),
            *work.take_out_old(),
            *work.resolve_identities(is_in_charge=is_in_charge),
        )
    if told := (*change.notes, *told):
        found[-1] = replace(found[-1], notes=(*found[-1].notes, *told))
    return found


def _chosen(config: Config, only: Sequence[str]) -> list[SourceSettings]:
    names = [source.name for source in config.sources]
    for name in only:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"it names {', '.join(names) or 'none'}"
            )
            raise SourceError(f"rekindle.toml names no source {name!r}; {hint}")
    if not names:
        raise SourceError("rekindle.toml names no source; add a [[sources]] block")
    chosen = [source for source in config.sources if not only or source.name in only]
    for source in chosen:
        _require_table(source)
    _require_words(config)
    return sorted(chosen, key=lambda source: IN_TURN.get(source.table, 0))


def _are_several(source: SourceSettings, base: Path) -> bool:
    """Return whether a source is told by several files of its own."""
    return source.query is None and not is_reported(source) and len(source_files(source, base)) > 1


def _require_table(source: SourceSettings) -> None:
    tables = [contract.table for contract in CONTRACTS.facts]
    if source.table not in tables:
        near = get_close_matches(source.table, tables, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(tables)}"
        raise SourceError(f"source {source.name!r}: there is no table {source.table!r}; {hint}")


def _require_words(config: Config) -> None:
    """Refuse a word of ``ids`` that is the name of a source with other ids."""
    own = {source.name: ids_prefix(source) for source in config.sources}
    for source in config.sources:
        prefix = ids_prefix(source)
        if prefix and own.get(prefix[:-1], prefix) != prefix:
            raise SourceError(
                f'source {source.name!r}: ids = "{source.ids}" is the name of a source whose ids '
                f'are others; write ids = "own" in that one if they are its customers, else choose '
                "another word"
            )


def _cards_of(config: Config) -> dict[str, frozenset[str]]:
    """Return for each source of files the others of its kind whose ids it shares.

    Two of a kind are two systems, whose ids may be equal by chance. Orders and cards, and
    what machines report, are of one system more often than not.
    """
    kinds = {s.name: (s.table, s.ids) for s in config.sources if not is_reported(s)}
    cards = {name: kind for name, kind in kinds.items() if kind[0] != "events"}
    return {
        name: frozenset(other for other in cards if other != name and cards[other] == kind)
        for name, kind in cards.items()
    }


def _minor_units(config: Config) -> folding.MinorUnits:
    small = {s.name for s in config.sources if s.formats.get("amount") == MINOR}
    return folding.MinorUnits(config.workspace.currency, frozenset(small))


def _rules(config: Config, source: SourceSettings) -> Rules:
    # What was reported names people by the ids they go by here.
    prefixes = () if is_reported(source) else _prefixes(config)
    business = config.workspace
    return Rules(source, business.currency, business.timezone, prefixes, config.facts.rates)


def _prefixes(config: Config) -> tuple[str, ...]:
    """Return what begins the ids that are told apart from others: of a source, or a word."""
    apart = {f"{name}:" for name, others in _cards_of(config).items() if others}
    return tuple(sorted(apart.union(filter(None, map(ids_prefix, config.sources)))))


def _engine(spill: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute(f"set temp_directory = {literal(str(spill))}")
    # It makes a join of every list of words, currencies or months that a cell is compared
    # with: two thirds of the work of a small file, a tenth of that of a large one.
    con.execute("set disabled_optimizers = 'in_clause'")
    # With one thread, as on a machine of one core, a table that is written from a reader
    # waits for good for the query that fills the reader.
    if con.execute("select current_setting('threads')").fetchall() == [(1,)]:
        con.execute("set threads = 2")
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
        cards: Mapping[str, frozenset[str]],
        minor: folding.MinorUnits,
    ) -> None:
        self._con, self._change = con, change
        self._now, self._progress = now, progress
        self._statements = Statements(con, now=now)
        self._cards, self._minor = cards, minor
        self._told: list[str] = []
        self._undated = ""
        self._written = ORDERS.table
        self._overriding = Overriding(con, change, now=now)
        self._told_cards = ToldCards(con, change)
        self._repeats = Repeats(con, change)
        con.execute("create temp table touched (customer_id varchar)")
        number = next_number(con, change, now=now)
        self._stamps = {
            ORDERS.table: build_stamps(number, now),
            "subscriptions": build_stay_stamps(number, now),
            "subscription_changes": build_change_stamps(number),
        }

    def run(self, rules: Rules, base: Path) -> list[FileImport]:
        """Import the files of one source, in the order of their names.

        An order that stands in two of them is a correction: the later file counts.
        """
        self._repeats.begin(are_several=_are_several(rules.source, base))
        self._con.execute("drop table if exists contacts")
        self._statements.begin()
        self._overriding.begin(rules.source)
        self._told_cards.begin(rules.source)
        found = []
        for raw in open_source(self._con, rules.source, base):
            try:
                found.append(self._file(raw, rules))
            except duckdb.Error as error:
                raise SourceError(f"{raw.name} cannot be imported: {first_line(error)}") from error
        if told := self._overriding.settle():
            written = self._write_told_anew(*told, rules)
            found[-1] = replace(found[-1], changed=found[-1].changed + written.changed)
        if (given := self._told_cards.release()) is not None:
            written = self._write_told_cards(rules, given)
            found[-1] = replace(found[-1], changed=found[-1].changed + written.changed)
        self._write_cards(rules)
        self._told += self._statements.append(self._change, rules.source.name)
        return found

    def _file(self, raw: Raw, rules: Rules) -> FileImport:
        contract, con = CONTRACTS[rules.source.table], self._con
        self._progress(f"{raw.name}: reading")
        raw = with_made(raw, rules.source.columns.values())
        raw, left_out = without_rows(con, raw, rules.source.skip)
        chosen = resolve_columns(raw, contract, rules.source)
        given = frozenset(chosen)
        states = self._read_states(raw, chosen, rules)
        fills = folding.has_parts(con, raw, contract, chosen)
        query = build_checked(raw, contract, rules, states=states, fills=fills)
        con.execute(f"create or replace temp table checked as {query}")
        read = self._count("checked") + len(raw.rejects)
        if read == 0:
            raise SourceError(f"{raw.name} holds a header but no rows")
        own, is_order = rules.source.name, contract in (ORDERS, ORDER_LINES)
        guests = list(folding.name_guests(con, given)) if is_order else []
        folding.complete(con, self._change, contract, given, source=own, minor=self._minor)
        refusals = RefusedRows(con, raw, contract, given, may_mix=bool(rules.rates))
        has_statements = self._statements.read(self._change, rules, chosen)
        refusals.find(now=self._now)
        if has_statements:
            self._statements.keep(raw.name)
            self._statements.keep_broken(raw, chosen, rules)
        clamp(con, self._change, contract, given, source=rules.source.name, now=self._now)
        anonymous = self._count("checked where customer_id is null") if is_order else 0
        if is_order:
            self._gather_contacts(given)
            refusals.note_two_addresses()
        notes = [
            *raw.notes,
            *left_out,
            *states.notes(),
            *self._rates_used(given, rules),
            *guests,
            *(folding.note_added_up(con) if contract is ORDER_LINES else ()),
            *(self._note_merged(contract) if is_numbered_by_time(contract, given) else ()),
        ]
        self._progress(f"{raw.name}: writing")
        if contract.table not in folding.BILLED:  # these are completed by what others say
            self._repeats.leave_out(contract, raw.name, rules, given)
        written = self._write(contract, rules, given)
        if is_order:
            self._note_refunds(contract, rules, given)
            notes += [self._undated] if self._undated else []
        refusals.write(self._change, rules.source.name)
        reasons = dict(refusals.count())
        result = FileImport(
            source=rules.source.name,
            file=raw.name,
            table=contract.table,
            read=read,
            quarantined=sum(reasons.values()),
            anonymous=anonymous,
            added=written.added,
            changed=written.changed,
            reasons=reasons,
            examples=refusals.examples() if reasons else (),
            notes=tuple(f"{raw.name}: {note}" for note in notes),
        )
        self._remember(result, given)
        return result

    def _note_merged(self, contract: Contract) -> Iterator[str]:
        if count := self._repeats.count_merged(contract):
            yield (
                f"{counted(count, 'order')} without a number at a time when an earlier file has "
                "one of the same customer that comes to something else: this one counts; map "
                "order_id if they are two"
            )

    def _rates_used(self, given: frozenset[str], rules: Rules) -> Iterator[str]:
        """Yield how many rows were taken in other currencies, and at which rates they are read."""
        if not rules.rates or "currency" not in given:
            return
        found = self._con.execute(
            "select upper(currency), count(*) from checked where upper(currency) <> ? "
            "group by 1 order by 2 desc, 1",
            [rules.currency],
        ).fetchall()
        for code, count in found:
            worth = f"{rules.rates[code].normalize():f} {rules.currency}"
            yield f"{counted(count, 'row')} in {code}, of which one is worth {worth}"

    def _read_states(self, raw: Raw, chosen: Mapping[str, str], rules: Rules) -> folding.States:
        if "status" not in chosen:
            return folding.NO_STATES
        return folding.read_states(self._con, raw, chosen["status"], rules.source.states)

    def _write(self, contract: Contract, rules: Rules, given: frozenset[str]) -> Written:
        con, change = self._con, self._change
        if contract is ORDER_LINES:
            are_scattered = self._count("folded where is_scattered") > 0
            orders = self._with_sales(folding.build_orders_from_lines(rules), rules)
            lines = folding.build_lines(rules, are_scattered=are_scattered)
            # The lines of a sale stay, whatever comes back of it in a file of its own.
            lines = f"select * from ({lines}) anti join {folding.GIVEN_BACK} using (order_id)"
            has_lines = ORDER_LINES.table in change.versions
            upsert(con, change, ORDER_LINES, self._overriding.keep_reported(contract, lines))
            if is_reported(rules.source) and has_lines:
                create_view(con, change, ORDERS)
                changed = "(from different union by name from gone)"
                self._overriding.note(rules.source.name, ORDERS.table, changed)
            return self._upsert_orders(self._overriding.keep_reported(ORDERS, orders), rules)
        if contract is ORDERS:
            orders = self._with_sales(folding.build_orders(rules), rules)
            return self._upsert_orders(self._overriding.keep_reported(ORDERS, orders), rules)
        if contract is CUSTOMERS:
            create_view(con, change, CUSTOMERS)
            self._part_strangers("checked", rules)
            self._told_cards.hold(given)
            cards = folding.build_customers(rules, given, now=self._now)
            return self._upsert_cards(cards, is_report=is_reported(rules.source))
        if contract.table == "invoice_lines":
            place = "row_number() over (partition by invoice_id order by line)"
            con.execute(
                f"create or replace temp table checked as select * replace ({place} as line) "
                "from checked"
            )
        own = literal(rules.source.name)
        stamps = self._stamps.get(contract.table, NO_STAMPS)
        names = ", ".join(
            f"{own} as source" if c.name == "source" else quoted(c.name)
            for c in contract.columns
            if c.name not in stamps
        )
        return upsert(con, change, contract, f"select {names} from checked", stamps=stamps)

    def _gather_contacts(self, given: frozenset[str]) -> None:
        if given & set(folding.CARD):
            contacts = folding.build_contacts(given)
            self._con.execute(
                f"create temp table if not exists contacts as select * from ({contacts}) limit 0"
            )
            self._con.execute(f"insert into contacts {contacts}")

    def _write_cards(self, rules: Rules) -> None:
        if self._count("duckdb_tables() where table_name = 'contacts'"):
            create_view(self._con, self._change, CUSTOMERS)
            self._part_strangers("contacts", rules)
            self._upsert_cards(folding.build_cards(rules))
            self._told_cards.renew(folding.build_newest_contacts(), folding.CARD)
            create_view(self._con, self._change, IMPORTS)
            own = literal(rules.source.name)
            if self._count(f"imports where \"table\" = 'customers' and source <> {own}"):
                create_view(self._con, self._change, CUSTOMERS)
                self._upsert_cards(folding.build_filled_cards(rules))

    def _write_told_cards(self, rules: Rules, given: frozenset[str]) -> Written:
        """Write the cards that were reported on, as far as their files say something new."""
        create_view(self._con, self._change, CUSTOMERS)
        written = self._upsert_cards(folding.build_customers(rules, given, now=self._now))
        self._told_cards.renew(folding.build_stated(), folding.columns_told(given))
        return written

    def _part_strangers(self, cards: str, rules: Rules) -> None:
        """Give an id of this source that another source has for somebody else a name apart."""
        con, source = self._con, rules.source
        con.execute(f"alter table {cards} add column given_id varchar")
        if others := self._cards.get(source.name, frozenset()):
            parted = con.execute(folding.build_strangers(cards, source.name, others)).fetchall()
            con.execute(folding.build_parting(cards, source.name, others))
            if parted:
                self._told.append(
                    f"{source.name}: {len(parted):,} customer ids, like {parted[0][0]}, are of "
                    "somebody else in another source, and are kept apart; if no id of this "
                    'source means the same person there, write ids = "own" in its [[sources]]'
                )
        if prefix := ids_prefix(source):
            con.execute(
                f"update {cards} set given_id = substr(customer_id, {len(prefix) + 1}) "
                "where given_id is null"
            )

    def _with_sales(self, orders: str, rules: Rules) -> str:
        """Return SQL for orders of a file, those that only give back a sale of the lake as that."""
        con = self._con
        create_view(con, self._change, ORDERS)
        con.execute(f"create or replace temp table {folding.GIVEN_BACK} as from orders limit 0")
        if ORDERS.table not in self._change.versions:
            return orders
        con.execute(f"create or replace temp table told as {orders}")
        if not self._count("told where kind = 'refund' and gross = 0"):
            return "from told"
        found = folding.find_given_back("told", rules.source.name)
        con.execute(f"insert into {folding.GIVEN_BACK} {found}")
        return folding.give_back("told")

    def _upsert_orders(self, query: str, rules: Rules) -> Written:
        is_first = ORDERS.table not in self._change.versions
        written = upsert(self._con, self._change, ORDERS, query, stamps=self._stamps[ORDERS.table])
        if is_first:
            create_view(self._con, self._change, ORDERS)
        self._written = "orders" if is_first else "different"
        if is_reported(rules.source) and not is_first:
            self._overriding.note(rules.source.name, "held", "known")
        return written

    def _write_told_anew(self, orders: str, lines: str, rules: Rules) -> Written:
        """Write orders that were reported on, and that their files tell otherwise since."""
        if ORDER_LINES.table in self._change.versions:
            upsert(self._con, self._change, ORDER_LINES, lines)
        written = self._upsert_orders(orders, rules)
        self._note_refunds(ORDERS, rules, frozenset())
        return written

    def _note_refunds(self, contract: Contract, rules: Rules, given: frozenset[str]) -> None:
        con, written, now = self._con, self._written, self._now
        write_steps(con, self._change, contract, rules, given=given, written=written, now=now)
        self._undated = count_undated(con, written, now)

    def _upsert_cards(self, query: str, *, is_report: bool = False) -> Written:
        is_first = CUSTOMERS.table not in self._change.versions
        stamps = build_card_stamps(self._now)
        written = upsert(self._con, self._change, CUSTOMERS, query, stamps=stamps)
        if is_first:
            create_view(self._con, self._change, CUSTOMERS)
        elif is_report:
            self._told_cards.note()
        changed = "customers" if is_first else "different"
        self._con.execute(f"insert into touched select customer_id from {changed}")
        return written

    def _remember(self, result: FileImport, given: frozenset[str]) -> None:
        con = self._con
        create_view(con, self._change, IMPORTS)
        counts, file = ("read", "quarantined", "anonymous"), result.file
        taken = {name: getattr(result, name) for name in counts}
        is_same = f"source = {literal(result.source)} and file = {literal(file)}"
        if file.startswith(REPORTED):
            # Reports come in a file of their own each time, and are counted together.
            file = f"{REPORTED}{result.source}-{result.table}"
            is_same = (
                f"source = {literal(result.source)} and starts_with(file, {literal(REPORTED)}) "
                f'and "table" = {literal(result.table)}'
            )
            sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in counts)
            (before,) = con.execute(f"select {sums} from imports where {is_same}").fetchall()
            taken = {name: taken[name] + told for name, told in zip(counts, before, strict=True)}
        rows = con.execute(f"select * from imports where not ({is_same})").to_arrow_table()
        fresh = {
            "source": [result.source],
            "file": [file],
            "table": [result.table],
            **{name: [count] for name, count in taken.items()},
            "columns": [",".join(sorted(given))],
            "said": [self._repeats.said],
        }
        schema = IMPORTS.schema.to_pyarrow()
        added = pa.table({**fresh, "imported_at": [self._now]}, schema=schema)
        self._change.overwrite("imports", pa.concat_tables([shaped(rows, IMPORTS), added]))

    def follow_bills(self) -> Iterator[str]:
        """Write the subscriptions that follow from lines of invoices; yield what is to be told."""
        minor = self._minor
        if not folding.find_stays(self._con, self._change, now=self._now, minor=minor):
            return
        for table, rows in (("subscriptions", "stays"), ("subscription_changes", "stay_changes")):
            contract, stamps = CONTRACTS[table], self._stamps[table]
            told = self._con.execute(f"select * from {rows} limit 0").description
            held = {name for name, *_ in told}
            cells = ", ".join(
                quoted(c.name) if c.name in held else f"null as {quoted(c.name)}"
                for c in contract.columns
                if c.name not in stamps
            )
            query = f"select {cells} from {rows}"
            upsert(self._con, self._change, contract, query, stamps=stamps, is_whole=True)
        upsert(self._con, self._change, CONTRACTS["invoices"], "select * from moved_invoices")
        yield f"{counted(self._count('stays'), 'subscription')} made of lines of invoices"
        if strays := self._count("strays"):
            yield f"{counted(strays, 'line')} of invoices that no source has, left out of them"

    def take_out_old(self) -> Iterator[str]:
        """Take out the rows that are kept no longer; yield what is to be told of them."""
        for contract in CONTRACTS.facts:
            if contract.kept_for is None or contract.table not in self._change.versions:
                continue
            create_view(self._con, self._change, contract)
            oldest = literal((self._now - contract.kept_for).isoformat())
            is_old = f"{contract.known_at} < "
            if count := self._count(f"{contract.table} where {is_old}timestamptz {oldest}"):
                self._change.delete(contract.table, f"{is_old}{oldest}")
                days = contract.kept_for.days
                rows = counted(count, "row")
                yield f"{contract.table}: {rows} older than {days} days taken out"

    def resolve_identities(self, *, is_in_charge: bool) -> tuple[str, ...]:
        """Keep what points at people, and say who is one person; return what is to be told.

        Where a ledger is in charge of persons, it makes of the evidence what it will.
        """
        if "customers" not in self._change.versions:
            return ()
        write_handles(self._con, self._change, now=self._now)
        shared = write_identities(self._con, self._change) if is_in_charge else ()
        return (*self._told, *tell_shared(shared))

    def _count(self, relation: str) -> int:
        return int(self._con.execute(f"select count(*) from {relation}").fetchall()[0][0])
