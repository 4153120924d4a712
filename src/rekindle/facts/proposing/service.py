"""Looks at a file and proposes what it holds and which column is which.

The file is read by the import's own readers: values of all its rows confirm what header
words say, sums tell what the amounts are, and at the end every row is checked as an import
would. What stays open is said, and nothing is taken that a person did not see.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from rekindle.config import DEFAULT_CURRENCY, SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.casting import Rules, build_text
from rekindle.facts.checks import (
    build_checked,
    build_refused,
    is_numbered_by_time,
    missing_columns,
)
from rekindle.facts.contracts import CONTRACTS, ORDER_LINES, ORDERS, Contract
from rekindle.facts.folding import has_parts
from rekindle.facts.proposing.adding import Sums
from rekindle.facts.proposing.matching import Match, is_of_people, match_columns
from rekindle.facts.proposing.model import Answers, Proposal, ProposedColumn, shown
from rekindle.facts.proposing.opt_outs import NO, is_of_opt_outs, tell_consent
from rekindle.facts.proposing.survey import Survey, survey
from rekindle.facts.proposing.watching import find_currency, list_left_out, watch, weighty
from rekindle.facts.proposing.writing import Forms
from rekindle.facts.sources import (
    Raw,
    SourcePreset,
    find_preset,
    guess_encoding,
    open_file,
    plain,
    with_made,
    without_rows,
)
from rekindle.facts.sql import first_line, literal

MOST_REASONS = 5
CANCELLED_SHARE = 0.9
TEXT = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
NO_ANSWERS = Answers()


def propose_source(
    path: Path,
    *,
    zone: str,
    currency: str | None = None,
    now: datetime | None = None,
    answers: Answers = NO_ANSWERS,
) -> Proposal:
    """Return what the file at ``path`` seems to hold; ``zone`` is the business's.

    ``currency`` is the business's where it is known. ``answers`` stand against every guess.

    Raises:
        SourceError: it cannot be read, or lacks what every kind of file needs.
    """
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    settings = _opening(path, answers)
    with _engine() as con:
        probe = SourceSettings(name="probe", table="orders", path=str(path), **settings)
        raw, told = _made(con, open_file(con, path, probe, path.parent), answers.table)
        found = survey(con, replace(raw, notes=(*raw.notes, *told)))
        if not found.rows:
            raise SourceError(_nothing(path, raw))
        preset = find_preset(found.values, answers.table)
        table, match = match_columns(found, preset, answers)
        look = _Look(found, CONTRACTS[table], match, preset, answers, zone, currency, now)
        return look.propose(settings)


def _made(
    con: duckdb.DuckDBPyConnection, raw: Raw, table: str | None
) -> tuple[Raw, tuple[str, ...]]:
    """Return the file with what its preset makes of it, or what its name says."""
    if preset := find_preset(raw.columns, table):
        return without_rows(con, with_made(raw, preset.words), preset.settings.get("skip", {}))
    return with_made(raw, [NO] if is_of_opt_outs(raw.name) else []), ()


def _opening(path: Path, answers: Answers) -> dict[str, Any]:
    """Return the settings a file is opened with, where they are not the usual ones."""
    ending = path.name.lower().removesuffix(".gz")
    encoding = answers.encoding
    if encoding is None and ending.endswith(TEXT) and path.stat().st_size:
        try:
            encoding = guess_encoding(path)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{path} cannot be read: {first_line(error)}") from error
    settings: dict[str, Any] = {}
    if encoding not in (None, "utf-8"):
        settings["encoding"] = encoding
    if answers.delimiter:
        settings["delimiter"] = answers.delimiter
    return settings


@contextmanager
def _engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as con:
        con.execute(f"set temp_directory = {literal(spill)}")
        con.execute("set TimeZone = 'UTC'")
        yield con


def _nothing(path: Path, raw: Raw) -> str:
    if raw.rejects:
        first = raw.rejects[0]
        return (
            f"{path}: none of its {len(raw.rejects):,} rows has as many fields as its header; "
            f"line {first.line}: {first.text[:60]!r}"
        )
    return f"{path} holds a header but no rows"


@dataclass
class _Look:
    """One look at a file, from its columns to the proposal."""

    found: Survey
    contract: Contract
    match: Match
    preset: SourcePreset | None
    answers: Answers
    zone: str
    currency: str | None
    now: datetime | None

    def propose(self, settings: dict[str, Any]) -> Proposal:
        """Return what the file seems to hold.

        Raises:
            SourceError: it lacks a column, or no row of it can be read.
        """
        consent = tell_consent(self.found.raw.name, self.contract, self.match.chosen)
        if consent and NO in self.found.values:
            self.match.chosen["email_consent"] = NO
        by_address = self._name_customers()
        self._require()
        doubts = [consent] if consent else []
        preset = dict(self.preset.settings) if self.preset else {}
        sums = self._sums(settings)
        forms = self._forms(preset, self._currency())
        settings = {**settings, **forms.settings, **preset, **_formats(forms, preset)}
        if prefix := _cancelled_prefix(self.found, self.match):
            settings["cancelled_prefix"] = prefix
        money = find_currency(self.found, self.contract, self.match)
        usual = money.most_common(1)[0][0] if money else None
        rules = Rules(self._source(settings), self._currency(), self.zone)
        doubts += [*self.match.doubts, *forms.doubts, *sums.doubts]
        doubts += watch(self.found, self.contract, self.match, rules)
        doubts += self._currencies(money, rules.currency)
        doubts += self._refusals(rules)
        left_out = list_left_out(self.found, self.match)
        doubts += weighty(left_out, self.contract, said=doubts)
        doubts = list(dict.fromkeys(doubts))
        return Proposal(
            self.contract.table,
            self._columns(),
            settings,
            (*doubts, *self._notes(settings, by_address=by_address), *sums.notes),
            self.preset.name if self.preset else None,
            frozenset(doubts),
            left_out,
            usual,
        )

    def _name_customers(self) -> bool:
        """Let the address stand for customers who have no id; return whether it does."""
        chosen = self.match.chosen
        customer = chosen.get("customer_id")
        if (
            customer
            and "email" in chosen
            and "customer_id" not in self.answers.columns
            and is_of_people(customer, self.found.values[customer])
        ):
            self.match.refused[chosen.pop("customer_id")] = "holds names of people"
        if "customer_id" not in chosen and "email" in chosen:
            self.match.chosen = {"customer_id": chosen["email"], **chosen}
            return True
        return False

    def _require(self) -> None:
        missing = missing_columns(self.contract, self.match.chosen)
        if not missing:
            return
        columns = list(self.found.raw.columns)
        refused = "; ".join(f"{c!r} {why}" for c, why in self.match.refused.items())
        raise SourceError(
            f"{self.found.raw.name} has the columns {', '.join(columns[:15])}; none looks like "
            f"{' or '.join(missing)}{f' ({refused})' if refused else ''}. {self._needs()}say which "
            f"is which, like --take {self.answers.prefix}{missing[0]}=COLUMN"
            + (
                "; with a single column, the delimiter is likely not the one that was found"
                if len(columns) == 1
                else ""
            )
        )

    def _needs(self) -> str:
        if self.contract in (ORDERS, ORDER_LINES):
            return "Orders need an order id, a date and an amount (or quantity and price a line); "
        needed = [column.name for column in self.contract.inputs if column.required]
        return f"Rows of {self.contract.table} need {', '.join(needed)}; "

    def _sums(self, settings: dict[str, Any]) -> Sums:
        """Let sums say what the amounts are; a preset knows it already."""
        forms = {} if self.preset else self._forms({}, self._currency()).settings
        source = self._source({**settings, **forms})
        fixed = frozenset(self.answers.columns)
        sums = Sums(self.found, self.contract, self.match, source, fixed)
        if self.preset is None:
            sums.test()
        return sums

    def _currency(self) -> str:
        """Return the business's currency, else that of most rows."""
        named = find_currency(self.found, self.contract, self.match).most_common(1)
        return self.currency or (named[0][0] if named else DEFAULT_CURRENCY)

    def _forms(self, preset: dict[str, Any], currency: str) -> Forms:
        forms = Forms(self.found, self.contract, self.match.chosen, self.zone, self.now, currency)
        forms.settle(self.answers.formats, preset)
        return forms

    def _source(self, settings: dict[str, Any]) -> SourceSettings:
        return SourceSettings(
            name="probe",
            table=self.contract.table,
            path=self.found.raw.name,
            columns=self.match.chosen,
            **settings,
        )

    def _currencies(self, money: dict[str, int], currency: str) -> Iterator[str]:
        named = ", ".join(f"{code} ({count:,})" for code, count in money.items())
        if len(money) > 1:
            yield (
                f"amounts are in {named}; those in another than {currency} are not added to it "
                "until [facts.rates] states what one is worth"
            )
        elif money and currency not in money:
            yield (
                f"the file says its amounts are in {next(iter(money))}, the workspace is in "
                f"{currency}; begin with --currency {next(iter(money))} if that is right"
            )

    def _refusals(self, rules: Rules) -> Iterator[str]:
        """Check every row as the import will, and name what it will set aside."""
        con, raw = self.found.con, self.found.raw
        fills = has_parts(con, raw, self.contract, self.match.chosen)
        refused_rows = build_refused(f"({build_checked(raw, self.contract, rules, fills=fills)})")
        rows = con.execute(
            "select count(*), min(line), min_by(detail, line) "
            f"from ({refused_rows}) group by problem order by 1 desc, 2 limit {MOST_REASONS}"
        ).fetchall()
        refused = sum(count for count, _, _ in rows)
        told = [
            f"{count:,} of {self.found.rows:,} rows will be set aside, the first on line {line}: "
            f"{detail}"
            for count, line, detail in rows
        ]
        if refused >= self.found.rows:
            raise SourceError(f"{self.found.raw.name}: no row can be read. {'; '.join(told)}")
        yield from told
        for one in self.found.raw.rejects[:MOST_REASONS]:
            yield f"line {one.line} is no row and will be set aside: {one.text[:60]!r}"

    def _columns(self) -> tuple[ProposedColumn, ...]:
        return tuple(
            ProposedColumn(
                name,
                column,
                shown(self.found.values[column]),
                self._why(name, column),
            )
            for name, column in self.match.chosen.items()
        )

    def _why(self, name: str, column: str) -> str:
        if name in self.answers.columns:
            return "as answered"
        if self.preset:
            return f"as in {self.preset.name}"
        if plain(name) == plain(column):
            return "same name"
        if name in self.match.by_parts:
            return "a part of its header"
        is_address = name in ("email", "customer_id") and "mail" in column.lower()
        return "values are addresses" if is_address else "known header"

    def _notes(self, settings: dict[str, Any], *, by_address: bool) -> Iterator[str]:
        chosen, raw = self.match.chosen, self.found.raw
        yield from self.preset.notes if self.preset else ()
        if is_numbered_by_time(self.contract, chosen):
            yield "no column numbers the orders; they are told apart by customer and time"
        if by_address:
            yield "customers have no id of their own; the e-mail address stands for it"
        elif "customer_id" not in chosen and self.contract in (ORDERS, ORDER_LINES):
            yield "no column says who bought: every order will be anonymous"
        if {"ordered_at", "started_at", "cancelled_at"} & set(chosen):
            yield f"dates without an offset are taken as {settings.get('timezone', self.zone)}"
        yield from raw.notes
        if "encoding" in settings:
            yield f"the file is not UTF-8; read as {settings['encoding']}"
        if prefix := settings.get("cancelled_prefix"):
            yield f"orders that begin with {prefix!r} are taken as cancellations"


def _formats(forms: Forms, preset: dict[str, Any]) -> dict[str, Any]:
    """Return the forms of single columns, those a preset names beside those found."""
    both = {**preset.get("formats", {}), **forms.settings.get("formats", {})}
    return {"formats": both} if both else {}


def _cancelled_prefix(found: Survey, match: Match) -> str | None:
    """Return the letter that order ids of goods given back begin with, if there is one."""
    chosen = match.chosen
    amount = chosen.get("quantity") or chosen.get("gross")
    if amount is None or "order_id" not in chosen:
        return None
    con, raw = found.con, found.raw
    order, value = build_text(raw, chosen["order_id"]), build_text(raw, amount)
    rows = con.execute(
        f"""
        select upper(left({order}, 1)) as letter, avg((starts_with({value}, '-'))::int) as negative,
            count(*) filter (where regexp_matches({value}, '^[^-]*[1-9]')) as positive
        from ({raw.relation}) where regexp_matches({order}, '^[A-Za-z]\\d') group by 1"""
    ).fetchall()
    others = con.execute(
        f"select count(*) from ({raw.relation}) where regexp_matches({order}, '^\\d')"
    ).fetchall()[0][0]
    letters = [
        letter
        for letter, negative, positive in rows
        if negative >= CANCELLED_SHARE and not positive
    ]
    return str(letters[0]) if len(letters) == 1 and others else None
