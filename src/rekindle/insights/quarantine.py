"""Pages through the rows that were set aside, sums them up, and says when they are too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import SourceError
from rekindle.facts import Facts

Run = Callable[[Any], pa.Table]
SCHEMA_VERSION = 1
ORDER_TABLES = ("orders", "order_lines")
KEY = ("source", "file", "reason")
SHOWN_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows of a file have one reason, and the first of them."""

    source: str
    file: str
    reason: str
    rows: int
    first_line: int
    example: str


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """All of quarantine by reason, and some of its rows. ``total`` counts the rows asked for."""

    reasons: tuple[ReasonCount, ...]
    total: int
    offset: int
    rows: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the page as documented JSON."""
        return {
            "version": SCHEMA_VERSION,
            "by_reason": [
                {name: getattr(one, name) for name in ReasonCount.__dataclass_fields__}
                for one in self.reasons
            ],
            "total": self.total,
            "offset": self.offset,
            "rows": self.rows,
        }


def read_quarantine(
    facts: Facts,
    run: Run,
    *,
    limit: int,
    offset: int = 0,
    reason: str | None = None,
    file: str | None = None,
) -> QuarantinePage:
    """Return how many rows were set aside and why, and ``limit`` of them from ``offset`` on.

    ``reason`` and ``file`` (a part of its name) choose among the rows.
    """
    books = facts.bookkeeping or {}
    if "quarantine" not in books:
        return QuarantinePage((), 0, offset, [])
    held: ir.Table = books["quarantine"]
    if reason is not None:
        held = held.filter(held.reason == reason)
    if file is not None:
        held = held.filter(held.file.contains(file))
    grouped = held.group_by(list(KEY)).agg(
        rows=held.count(), first_line=held.line.min(), example=held.detail.argmin(held.line)
    )
    grouped = grouped.order_by(ibis.desc("rows"), *KEY)
    reasons = tuple(ReasonCount(**row) for row in run(grouped).to_pylist())
    page = held.order_by("source", "file", "line", "reason").limit(limit, offset=offset)
    rows = list(run(page).to_pylist()) if reasons else []
    return QuarantinePage(reasons, sum(one.rows for one in reasons), offset, rows)


def find_order_files(imports: ir.Table) -> ir.Table:
    """Return the files of orders that the newest import of each source read.

    One that was mended under another name, or that a newer export replaced, is none of them.
    """
    newest = imports.group_by("source").agg(newest_at=imports.imported_at.max())
    newest = newest.rename(of_source="source")
    joined = imports.join(
        newest, [imports.source == newest.of_source, imports.imported_at == newest.newest_at]
    )
    return joined.filter(joined.table.isin(ORDER_TABLES)).select(*imports.columns)


def check_refused(facts: Facts, run: Run, *, most: float) -> str:
    """Return what to say first of figures over facts of which rows were refused; "" if nothing.

    Raises:
        SourceError: of the rows of orders a larger share than ``most`` was refused.
    """
    if "imports" not in (books := facts.bookkeeping or {}):
        return ""
    imports = find_order_files(books["imports"])
    files = run(imports.select("file", "read", "quarantined")).to_pylist()
    read, refused = (sum(row[name] for row in files) for name in ("read", "quarantined"))
    if not read or refused <= SHOWN_SHARE * read:
        return ""
    worst = max(files, key=lambda row: row["quarantined"])
    said = (
        f"{refused:,} of {read:,} rows of orders ({refused / read:.0%}) were refused at import, "
        f"most of them in {worst['file']}"
    )
    if refused > most * read:
        raise SourceError(
            f"{said}: figures over the rest would not be those of the shop. `rekindle quarantine` "
            "says why; mend the source and import again, or take the rest for the whole with "
            f"most_refused = {min(1.0, refused / read + 0.01):.2f} under [facts]"
        )
    return f"{said}: the figures are those of the rest. `rekindle quarantine` says why"
