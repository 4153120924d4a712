"""Brings what a biller has into the lake: list, fold into tables, import, begin anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rekindle.billing.discovery import build_biller
from rekindle.billing.gathering import finish, fold, gather
from rekindle.config import BillingSettings, SourceSettings
from rekindle.errors import BusyError, ConfigError
from rekindle.facts import CONTRACTS, FileImport

FOLDER = "state/billing"

Bring = Callable[[tuple[SourceSettings, ...]], list[FileImport]]


def pull_facts(
    settings: BillingSettings,
    base: Path,
    *,
    now: datetime,
    bring: Bring,
    progress: Callable[[str], None] = lambda text: None,
) -> list[FileImport]:
    """List everything at the biller, import it by ``bring``, and return what each table gave.

    Killed at any moment, the next one goes on from there. Where the business has customer ids
    of its own, people's cards are not taken: the business knows them better.

    Raises:
        ConfigError: there is no biller, or a key of it is missing.
        BillerError: it did not answer; what was listed by then is kept.
        BusyError: another process is listing.
    """
    biller = build_biller(settings)
    if biller is None:
        raise ConfigError("billing.provider is empty; name who bills your subscriptions")
    folder = base / FOLDER / settings.provider
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            gather(biller, folder, progress=progress)
            tables = fold(folder, biller.kinds, now=now)
            taken = {
                table: rows
                for table, rows in tables.items()
                if table in CONTRACTS and not (table == "customers" and settings.customer_key)
            }
            found = bring(tuple(_sources(settings.provider, base, taken)))
            finish(folder, biller.kinds, tables)
    except Timeout as error:
        raise BusyError("another process is listing what the biller has") from error
    return found


def _sources(
    provider: str, base: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[SourceSettings]:
    """Write each table to a file; yield it as a source that is called like the provider."""
    for table, rows in sorted(tables.items()):
        path = f"{FOLDER}/{provider}/{table}.rows.jsonl"
        with (base / path).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        said = {name for row in rows for name in row}
        columns = {c.name: c.name for c in CONTRACTS[table].inputs if c.name in said}
        yield SourceSettings(name=provider, table=table, path=path, columns=columns, timezone="UTC")
