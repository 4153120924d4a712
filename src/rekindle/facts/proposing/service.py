"""Looks at a file and proposes what it holds and which column is which.

Header words decide first, values confirm: a date column has to parse, an amount has to
be a number. What stays open is said, and nothing is taken that a person did not see.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.casting import build_text
from rekindle.facts.checks import is_numbered_by_time, missing_columns
from rekindle.facts.contracts import CONTRACTS, MONEY, ORDER_LINES, ORDERS, Contract
from rekindle.facts.proposing.guessing import DateGuess, guess_date, has_decimal_comma
from rekindle.facts.proposing.matching import DATED, choose_by_preset, choose_by_words
from rekindle.facts.proposing.model import Proposal, ProposedColumn, shown
from rekindle.facts.proposing.opt_outs import NO, is_of_opt_outs, tell_consent
from rekindle.facts.sources import (
    Raw,
    SourcePreset,
    find_preset,
    open_file,
    plain,
    with_made,
    without_rows,
)
from rekindle.facts.sql import literal

SAMPLE_ROWS = 5_000
CANCELLED_SHARE = 0.9


def propose_source(path: Path, *, zone: str) -> Proposal:
    """Return what the file at ``path`` seems to hold; ``zone`` is the business's.

    Raises:
        SourceError: it cannot be read, or lacks what every kind of file needs.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    encoding = _guess_encoding(path)
    probe = SourceSettings(name="probe", table="orders", path=str(path), encoding=encoding)
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as con:
        con.execute(f"set temp_directory = {literal(spill)}")
        con.execute("set TimeZone = 'UTC'")
        raw = open_file(con, path, probe, path.parent)
        raw = _made(con, raw)
        samples = _samples(con, raw)
        if not any(samples.values()):
            raise SourceError(f"{path} holds a header but no rows")
        proposal = _propose(raw, samples, zone=zone)
        settings = dict(proposal.settings)
        if encoding != "utf-8":
            settings["encoding"] = encoding
        if prefix := _cancelled_prefix(con, raw, proposal):
            settings["cancelled_prefix"] = prefix
    notes = list(proposal.notes)
    if encoding != "utf-8":
        notes.append(f"the file is not UTF-8; read as {encoding}")
    if prefix:
        notes.append(f"orders that begin with {prefix!r} are taken as cancellations")
    return replace(proposal, settings=settings, notes=tuple(notes))


def _made(con: duckdb.DuckDBPyConnection, raw: Raw) -> Raw:
    """Return the file with what its preset makes of it, or what its name says."""
    if preset := find_preset(raw.columns):
        raw = with_made(raw, preset.words)
        return without_rows(con, raw, preset.settings.get("skip", {}))[0]
    return with_made(raw, [NO] if is_of_opt_outs(raw.name) else [])


def _guess_encoding(path: Path) -> str:
    """Return utf-8, or cp1252 for text that cannot be that; other files are not text."""
    if path.suffix.lower() in (".parquet", ".pq", ".gz"):
        return "utf-8"
    with path.open("rb") as file:
        head = file.read(1 << 20)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8" if error.start > len(head) - 4 else "cp1252"
    return "utf-8"


def _samples(con: duckdb.DuckDBPyConnection, raw: Raw) -> dict[str, list[str]]:
    """Return distinct non-empty values of every column, from the file's first rows."""
    found = {}
    for column in raw.columns:
        text = build_text(raw, column)
        rows = con.execute(
            f"select distinct value from (select {text} as value from ({raw.relation}) "
            f"limit {SAMPLE_ROWS}) where value is not null order by value limit 500"
        ).fetchall()
        found[column] = [value for (value,) in rows]
    return found


def _propose(raw: Raw, samples: Mapping[str, Sequence[str]], *, zone: str) -> Proposal:
    preset = find_preset(samples)
    table, chosen = choose_by_preset(preset, samples) if preset else choose_by_words(samples)
    contract = CONTRACTS[table]
    consent = tell_consent(raw.name, contract, chosen)
    if consent and NO in samples:
        chosen["email_consent"] = NO
    by_address = "customer_id" not in chosen and "email" in chosen
    if by_address:
        chosen = {"customer_id": chosen["email"], **chosen}
    missing = missing_columns(contract, chosen)
    if missing:
        raise SourceError(
            f"{raw.name} has the columns {', '.join(list(raw.columns)[:15])}; none looks like "
            f"{' or '.join(missing)}. Orders need an order id, a date and an amount (or quantity "
            "and price a line); rename the columns, or write the [[sources]] block by hand"
            + (
                "; with a single column, the delimiter is likely not the one that was found"
                if len(raw.columns) == 1
                else ""
            )
        )
    settings, notes = _settings(contract, chosen, samples)
    if preset:
        settings, notes = {**settings, **preset.settings}, [*preset.notes, *notes]
    if is_numbered_by_time(contract, chosen):
        notes.append("no column numbers the orders; they are told apart by customer and time")
    if by_address:
        notes.append("customers have no id of their own; the e-mail address stands for it")
    elif "customer_id" not in chosen and contract in (ORDERS, ORDER_LINES):
        notes.append("no column says who bought: every order will be anonymous")
    notes += [consent] if consent else []
    if "ordered_at" in chosen:
        notes.append(f"dates without an offset are taken as {zone}")
    columns = tuple(
        ProposedColumn(name, column, shown(samples[column]), _why(name, column, preset))
        for name, column in chosen.items()
    )
    return Proposal(table, columns, settings, tuple(notes), preset.name if preset else None)


def _settings(
    contract: Contract, chosen: Mapping[str, str], samples: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Any], list[str]]:
    settings: dict[str, Any] = {}
    notes: list[str] = []
    types = {column.name: column.type for column in contract.inputs}
    for name, column in chosen.items():
        if types[name] in DATED:
            guess = guess_date(samples[column]) or DateGuess(None)
            if guess.format is not None:
                settings["date_format"] = guess.format
            if guess.is_ambiguous:
                notes.append(
                    f"{column!r} could be day/month or month/day; taken as {guess.format}: "
                    "correct date_format in rekindle.toml if that is wrong"
                )
        if types[name] == MONEY and has_decimal_comma(samples[column]):
            settings["decimal_comma"] = True
    return settings, notes


def _cancelled_prefix(con: duckdb.DuckDBPyConnection, raw: Raw, proposal: Proposal) -> str | None:
    """Return the letter that order ids of goods given back begin with, if there is one."""
    chosen = {one.name: one.column for one in proposal.columns}
    amount = chosen.get("quantity") or chosen.get("gross")
    if amount is None or "order_id" not in chosen:
        return None
    order, value = build_text(raw, chosen["order_id"]), build_text(raw, amount)
    rows = con.execute(
        f"""
        select upper(left({order}, 1)) as letter, avg((starts_with({value}, '-'))::int) as negative
        from ({raw.relation}) where regexp_matches({order}, '^[A-Za-z]\\d') group by 1"""
    ).fetchall()
    others = con.execute(
        f"select count(*) from ({raw.relation}) where regexp_matches({order}, '^\\d')"
    ).fetchall()[0][0]
    found = [letter for letter, negative in rows if negative >= CANCELLED_SHARE]
    return str(found[0]) if len(found) == 1 and others else None


def _why(name: str, column: str, preset: SourcePreset | None) -> str:
    if preset:
        return f"as in {preset.name}"
    if plain(name) == plain(column):
        return "same name"
    return (
        "values are addresses"
        if name in ("email", "customer_id") and "mail" in column.lower()
        else "known header"
    )
