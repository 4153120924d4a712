"""Brings what a biller has into the lake: list, or hear; fold into tables; import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rekindle.billing.discovery import build_biller
from rekindle.billing.folding import SeenFact, fold
from rekindle.billing.gathering import (
    began_at,
    begin_anew,
    gather,
    listed,
    read_kept,
    write_kept,
)
from rekindle.config import BillingSettings, SourceSettings
from rekindle.errors import BusyError, ConfigError
from rekindle.facts import CONTRACTS, FileImport

FOLDER = "state/billing"

Bring = Callable[[tuple[SourceSettings, ...]], list[FileImport]]
Heard = Callable[[datetime], Iterable[Mapping[str, Any]]]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def _nothing(since: datetime) -> Iterable[Mapping[str, Any]]:
    return ()


def pull_facts(
    settings: BillingSettings,
    base: Path,
    *,
    now: datetime,
    bring: Bring,
    heard: Heard = _nothing,
    progress: Callable[[str], None] = lambda text: None,
) -> list[FileImport]:
    """List everything at the biller, import it by ``bring``, and return what each table gave.

    Killed at any moment, the next one goes on from there. Where the business has customer ids
    of its own, people's cards are not taken: the business knows them better. ``heard`` returns
    what notices said since an instant, which may be newer than the listing.

    Raises:
        ConfigError: there is no biller, or a key of it is missing.
        BillerError: it did not answer; what was listed by then is kept.
        BusyError: another process is listing, or importing what notices said.
    """
    biller = build_biller(settings)
    if biller is None:
        raise ConfigError("billing.provider is empty; name who bills your subscriptions")
    with _alone(base, settings) as folder:
        gather(biller, folder, now=now, progress=progress)
        since, kept = began_at(folder, biller.kinds) or now, read_kept(folder)
        over = [SeenFact.read(line) for line in heard(since)]
        tables = fold(listed(folder, biller.kinds), kept, over=over)
        sources = tuple(_sources(settings, base, tables))
        found = bring(sources) if sources else []
        kept.listed_at = since
        write_kept(folder, kept)
        begin_anew(folder, biller.kinds)
    return found


def take_notices(
    settings: BillingSettings, base: Path, lines: Iterable[Mapping[str, Any]], *, bring: Bring
) -> list[FileImport]:
    """Import what notices said, in the order of their instants, and return what each table gave.

    What was seen before the last whole listing began is left out: that knew it newer.

    Raises:
        BusyError: another process is listing, or importing what notices said.
    """
    with _alone(base, settings) as folder:
        kept = read_kept(folder)
        said = [SeenFact.read(line) for line in lines]
        edge = kept.listed_at
        fresh = [one for one in said if edge is None or one.seen >= edge]
        tables = fold(fresh, kept)
        sources = tuple(_sources(settings, base, tables))
        found = bring(sources) if sources else []
        write_kept(folder, kept)
    return found


@contextmanager
def _alone(base: Path, settings: BillingSettings) -> Iterator[Path]:
    """Yield the folder of a biller, which no other process works in meanwhile."""
    folder = base / FOLDER / settings.provider
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            yield folder
    except Timeout as error:
        raise BusyError("another process is importing what the biller has") from error


def _sources(settings: BillingSettings, base: Path, tables: Rows) -> Iterator[SourceSettings]:
    """Write each table to a file; yield it as a source that is called like the provider."""
    provider = settings.provider
    for table, rows in sorted(tables.items()):
        if table not in CONTRACTS or (table == "customers" and settings.customer_key):
            continue
        path = f"{FOLDER}/{provider}/{table}.rows.jsonl"
        with (base / path).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        said = {name for row in rows for name in row}
        columns = {c.name: c.name for c in CONTRACTS[table].inputs if c.name in said}
        yield SourceSettings(name=provider, table=table, path=path, columns=columns, timezone="UTC")
