"""Reads delimited text: finds the dialect from the first lines, then holds to it.

The engine's own guess may change the quoting or skip rows to make a damaged file fit.
Here a row that does not fit is a row set aside, with the physical line it stands on.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.sources.headers import Layout, column_names, find_layout, tell_repeated
from rekindle.facts.sources.raw import LINE, Format, Raw, Reject
from rekindle.facts.sources.texts import open_text, utf8
from rekindle.facts.sql import first_line, literal, quoted

HEAD_CHARACTERS = 65_536
MOST_COLUMNS = 2_000
LONGEST_LINE = 16_777_216


def open_file(con: duckdb.DuckDBPyConnection, path: Path, name: str, source: SourceSettings) -> Raw:
    """Return a file of delimited text; the source may name its delimiter.

    Raises:
        SourceError: the file holds no header.
    """
    tabs = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else None
    with utf8(path, source.encoding) as text:
        layout = _layout(text, name, source.columns.values(), source.delimiter or tabs)
        with _from_header(text, layout) as table:
            raw = _open(con, table, name, layout)
        above = layout.line - 1 if table != text else 0
        return replace(_moved(raw, above), may_hold_nul=text != path)


def _layout(path: Path, name: str, wanted: Collection[str], mark: str | None) -> Layout:
    with open_text(path, "utf-8-sig") as reader:
        head = reader.read(HEAD_CHARACTERS)
        if "\n" not in head:
            head += reader.read(LONGEST_LINE)
    if not head.strip():
        raise SourceError(f"{name} holds no header; export it again with a header and rows")
    layout = find_layout(head, wanted, mark)
    if len(layout.header) > MOST_COLUMNS:
        raise SourceError(
            f"{name} has {len(layout.header):,} columns; a table of orders has {MOST_COLUMNS:,} at "
            "most: export it with one row an order"
        )
    return layout


@contextmanager
def _from_header(path: Path, layout: Layout) -> Iterator[Path]:
    """Yield a copy without what stands before the header, or the file itself."""
    with open_text(path, "utf-8-sig") as reader:
        above = [reader.readline() for _ in range(layout.line - 1)]
        if not any(line.strip() for line in above):
            yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "table.csv"
            with copy.open("w", encoding="utf-8", newline="") as writer:
                shutil.copyfileobj(reader, writer)
            yield copy


def _moved(raw: Raw, above: int) -> Raw:
    """Return a table with its lines counted from the beginning of its file."""
    if not above:
        return raw
    relation = f"select * replace ({LINE} + {above} as {LINE}) from ({raw.relation})"
    rejects = tuple(one._replace(line=one.line + above) for one in raw.rejects)
    note = f"the header is line {above + 1}; what stands above it is left out"
    return replace(raw, relation=relation, rejects=rejects, notes=(note, *raw.notes))


def _open(con: duckdb.DuckDBPyConnection, path: Path, name: str, layout: Layout) -> Raw:
    """Return a UTF-8 file that begins with its header, blank lines aside."""
    mark = layout.mark
    columns = column_names(layout.header)
    options = {
        "auto_detect": "false",
        "columns": "{" + ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns) + "}",
        "delim": literal(mark),
        "quote": "'\"'",
        "escape": "'\"'",
        "header": "true",
        "skip": str(_blank_lines(path)),
        "max_line_size": str(LONGEST_LINE),
        "store_rejects": "true",
    }
    stated = ", ".join(f"{option} = {value}" for option, value in options.items())
    con.execute(
        "create or replace temp table raw_csv as "
        f"select * from read_csv({literal(str(path))}, {stated})"
    )
    rejects = _rejects(con)
    count = int(con.execute("select count(*) from raw_csv").fetchall()[0][0])
    if not rejects and _line_count(path) == count + 1:
        chosen = ", ".join(quoted(c) for c in columns)
        relation = f"select {chosen}, rowid + 2 as {LINE} from raw_csv"
    else:
        begins = _record_lines(path, mark)
        rejects = tuple(one._replace(line=begins.get(one.line, one.line)) for one in rejects)
        rejects = _whole(path, rejects, sorted(begins.values()))
        relation = _with_lines(con, columns, count=count, lines=begins, rejects=rejects)
    notes = tuple(tell_repeated(layout.header))
    return Raw(name, relation, dict.fromkeys(columns, "VARCHAR"), rejects=rejects, notes=notes)


def _blank_lines(path: Path) -> int:
    """Return how many blank lines stand before the header."""
    with open_text(path, "utf-8-sig") as reader:
        return next(number for number, line in enumerate(reader) if line.strip())


def _rejects(con: duckdb.DuckDBPyConnection) -> tuple[Reject, ...]:
    rows = con.execute(
        "select line, any_value(csv_line), any_value(error_message) from reject_errors "
        "group by line order by line"
    ).fetchall()
    con.execute("drop table reject_errors")
    con.execute("drop table reject_scans")
    return tuple(
        Reject(line, (text or "").strip("\r\n"), first_line(message))
        for line, text, message in rows
    )


def _whole(path: Path, rejects: Sequence[Reject], begins: Sequence[int]) -> tuple[Reject, ...]:
    """Return the rejects with all the lines that a quote took in, where one is not closed."""

    def text_of(reject: Reject) -> str:
        place = bisect_right(begins, reject.line)
        ends = begins[place] - 1 if place < len(begins) else None
        with open_text(path, "utf-8-sig") as lines:
            return "".join(islice(lines, reject.line - 1, ends)).strip("\r\n")

    return tuple(one._replace(text=text_of(one)) if "\n" in one.text else one for one in rejects)


def _with_lines(
    con: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    *,
    count: int,
    lines: Mapping[int, int],
    rejects: Sequence[Reject],
) -> str:
    """Return SQL over the rows with the line each begins on."""
    refused = {reject.line for reject in rejects}
    taken = [line for line in list(lines.values())[1:] if line not in refused]
    if len(taken) != count:  # the two readers disagree about a damaged file: count rows
        taken = list(range(2, count + 2))
    numbers = pa.array(range(count), pa.int64())
    con.register("raw_lines", pa.table({"n": numbers, LINE: pa.array(taken, pa.int64())}))
    own = ", ".join(f"raw_csv.{quoted(c)}" for c in columns)
    return f"select {own}, {LINE} from raw_csv join raw_lines on raw_lines.n = raw_csv.rowid"


def _line_count(path: Path) -> int:
    ends, last = 0, ""
    with open_text(path, "utf-8") as reader:
        for text in iter(lambda: reader.read(1 << 20), ""):
            ends += text.count("\n")
            last = text[-1]
    return ends + (last != "\n")


def _record_lines(path: Path, mark: str) -> dict[int, int]:
    """Return record number → line it begins on, for the header and all that follow.

    Blank lines are counted but left out, as the engine counts the records it rejects.
    """
    found: dict[int, int] = {}
    with open_text(path, "utf-8-sig") as text:
        reader = csv.reader(text, delimiter=mark)
        begins = 1
        try:
            for number, record in enumerate(reader, 1):
                if record:
                    found[number] = begins
                begins = reader.line_num + 1
        except csv.Error:  # a field longer than the reader takes
            return {}
    return found


FORMAT = Format((".csv", ".tsv", ".txt"), open_file)
