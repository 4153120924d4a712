"""Writes who is meant to files that other tools read: an audience, or a journey's arms.

CSV is UTF-8 with a header, Parquet keeps the types; instants are UTC. A file is written
beside its place and takes its name when it is whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from rekindle.audiences import build_condition, parse_predicate
from rekindle.errors import JourneyError, UsageError
from rekindle.ledger import MessageState
from rekindle.profiles import FAMILIES, build_profiles, local_day
from rekindle.runtime import Workspace

LEFT = frozenset({MessageState.ACCEPTED, MessageState.UNKNOWN})
_INSTANT = pa.timestamp("us", "UTC")
ASSIGNMENTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("journey", pa.string()),
        ("version", pa.int32()),
        ("rotation", pa.int32()),
        ("arm", pa.string()),
        ("entered_at", _INSTANT),
        ("last_order_at", _INSTANT),
        ("first_touch_at", _INSTANT),
        ("messages", pa.int32()),
        ("ended_at", _INSTANT),
        ("ended_reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Files:
    """Where to write, in which forms; None for not."""

    csv: Path | None = None
    parquet: Path | None = None

    def __iter__(self) -> Iterator[Path]:
        return (path for path in (self.csv, self.parquet) if path is not None)


def export_audience(workspace: Workspace, predicate: str, at: datetime, files: Files) -> int:
    """Write everyone who matches, with every column of the profile; return how many.

    Raises:
        PredicateError: the predicate is not understood.
        UsageError: a file cannot be written.
    """
    checked = parse_predicate(predicate)
    engine, facts = workspace.reading
    table = build_profiles(facts, at, workspace.config.lifecycle)
    day = local_day(at, workspace.config.workspace.timezone)
    table = table.mutate(as_of_on=ibis.date(day))
    matching = table.filter(build_condition(checked, table)).order_by("customer_id")
    return _write(engine.run(matching.select(*FAMILIES.names)), files)


def export_assignments(workspace: Workspace, journey: str, files: Files) -> int:
    """Write one row for every entry into a journey, with the arm of the person.

    Raises:
        JourneyError: no such journey was ever started here.
        UsageError: a file cannot be written.
    """
    if not workspace.book.versions(journey):
        raise JourneyError(
            f"journey {journey!r} was never started here; `rekindle start {journey}` starts it"
        )
    return _write(pa.Table.from_pylist(_entries(workspace, journey), ASSIGNMENTS), files)


def _entries(workspace: Workspace, journey: str) -> list[dict[str, Any]]:
    history = workspace.history
    arms = history.assigned(journey)
    messages = Counter(
        (one.person, one.rotation) for one in history.messages_of(journey) if one.state in LEFT
    )
    return [
        {
            "customer_id": one.person,
            "journey": journey,
            "version": one.version,
            "rotation": one.rotation,
            "arm": arms.get(one.person, one.arm).value,
            "entered_at": one.entered_at,
            "last_order_at": one.last_order_at,
            "first_touch_at": one.first_touch_at,
            "messages": messages[one.person, one.rotation],
            "ended_at": one.ended_at,
            "ended_reason": one.ended_reason.value if one.ended_reason else None,
        }
        for one in history.enrolments_of(journey)
    ]


def _write(rows: pa.Table, files: Files) -> int:
    from pyarrow import csv, parquet

    for path, save in ((files.csv, csv.write_csv), (files.parquet, parquet.write_table)):
        if path is None:
            continue
        fresh = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save(rows, fresh)
            fresh.replace(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or error})") from error
    return int(rows.num_rows)
