"""Reads workbooks: .xlsx, .xls, .xlsb and .ods, every sheet that holds the table.

A sheet may have titles above its header, as text files may. Sheets with the same header
are one table; their rows are counted on, one sheet after the other.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from rekindle.config import SourceSettings
from rekindle.errors import SourceError
from rekindle.facts.sources.headers import (
    HEAD_RECORDS,
    column_names,
    count_words,
    find_header,
    known_words,
    tell_repeated,
)
from rekindle.facts.sources.presets.model import plain
from rekindle.facts.sources.raw import LINE, Format, Raw, tell_number
from rekindle.facts.sql import quoted

ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
MOST_BYTES = 2_000_000_000  # of what a workbook unpacks to
ZIP = b"PK\x03\x04"
OLD_BOOK = b"\xd0\xcf\x11\xe0"


class _Sheet(NamedTuple):
    name: str
    above: int
    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def open_workbook(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, source: SourceSettings
) -> Raw:
    """Return the sheets of a workbook that hold the table, as text cells.

    Raises:
        SourceError: it is no workbook, too large, or none of its sheets holds a table.
    """
    words = frozenset(map(plain, source.columns.values())) or known_words()
    try:
        _check(path)
        book = CalamineWorkbook.from_path(str(path))
        sheets = [_sheet(book, one, words) for one in book.sheet_names]
    except (CalamineError, zipfile.BadZipFile, ValueError) as error:
        raise SourceError(
            f"{path} cannot be read as a workbook: {error}; save it again as .xlsx without a "
            "password, or export it as CSV"
        ) from error
    chosen = _same_table([sheet for sheet in sheets if sheet is not None], words)
    if not chosen:
        raise SourceError(f"{name} holds no header; export it again with a header and rows")
    _fill(con, chosen)
    left = [one for one in book.sheet_names if one not in {sheet.name for sheet in chosen}]
    notes = [f"its sheets {_list(s.name for s in chosen)} are read as one"] * (len(chosen) > 1)
    notes += [
        f"the sheet{'s' * (len(left) > 1)} {_list(left)} {'are' if len(left) > 1 else 'is'} "
        f"left out; {_list([chosen[0].name])} is read"
    ] * bool(left)
    notes += tell_repeated(chosen[0].header)
    columns = dict.fromkeys(column_names(chosen[0].header), "VARCHAR")
    names = ", ".join(map(quoted, columns))
    return Raw(name, f"select {names}, {LINE} from raw_book", columns, notes=tuple(notes))


def _list(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(repr(one) for one in names)


def _check(path: Path) -> None:
    """Refuse what only goes by the name of a workbook, and what unpacks without end."""
    with path.open("rb") as file:
        begins = file.read(4)
    if begins not in (ZIP, OLD_BOOK):
        kind = "a page for a browser" if begins[:1] == b"<" else "text"
        raise SourceError(
            f"{path} is no workbook in spite of its name; if it is {kind}, open it in a "
            "spreadsheet and save it as .xlsx or .csv"
        )
    if begins == ZIP:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > MOST_BYTES:
            raise SourceError(f"{path} unpacks to {size:,} bytes; export it as CSV")


def _sheet(book: CalamineWorkbook, name: str, words: Collection[str]) -> _Sheet | None:
    sheet = book.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    head = [
        (place, [_text(cell) or "" for cell in row])
        for place, row in enumerate(islice(rows, HEAD_RECORDS))
    ]
    filled = [(place, row) for place, row in head if any(row)]
    if not filled:
        return None
    place, header = filled[find_header([row for _, row in filled], words)]
    width = max(number for number, cell in enumerate(header, 1) if cell)
    return _Sheet(name, place + 1, tuple(header[:width]), rows[place + 1 :])


def _same_table(sheets: Sequence[_Sheet], words: Collection[str]) -> list[_Sheet]:
    """Return the sheets whose header holds most of the words, and those equal to the first."""
    if not sheets:
        return []
    best = max(sheets, key=lambda s: (count_words(s.header, words), bool(s.rows), len(s.header)))
    wanted = [plain(word) for word in best.header]
    return [sheet for sheet in sheets if [plain(word) for word in sheet.header] == wanted]


def _fill(con: duckdb.DuckDBPyConnection, sheets: Sequence[_Sheet]) -> None:
    names = column_names(sheets[0].header)
    cells: list[list[str | None]] = [[] for _ in names]
    lines: list[int] = []
    before = 0
    for sheet in sheets:
        for number, row in enumerate(sheet.rows, before + sheet.above + 1):
            texts = [_text(cell) for cell in row[: len(names)]]
            if any(texts):
                lines.append(number)
                for column, text in zip(cells, texts + [None] * len(names), strict=False):
                    column.append(text)
        before += sheet.above + len(sheet.rows)
    table = {n: pa.array(c, pa.string()) for n, c in zip(names, cells, strict=True)}
    con.register("book", pa.table({**table, LINE: pa.array(lines, pa.int64())}))
    con.execute("create or replace temp table raw_book as from book")
    con.unregister("book")


def _text(cell: Any) -> str | None:
    """Return a cell as text: whole numbers without a point, moments as ISO 8601."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        is_whole = cell.is_integer() and abs(cell) < 1e15
        return str(int(cell)) if is_whole else tell_number(repr(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell).strip() or None


FORMAT = Format(ENDINGS, open_workbook)
