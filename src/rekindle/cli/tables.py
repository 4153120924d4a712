"""How a table fits a terminal: lines break between words, and no figure is ever cut.

A table that fits is shown as it is. One that is too wide gives each column at least its
longest word, or its whole figures; what even so is too wide is shown row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

GAP, NARROW_GAP = 2, 1
# Words up to this long stay whole; longer ones, ids and paths, break behind a separator.
LONGEST_WORD = 16
LONGEST_FIGURE = 24
NOTHING = ("", "–", "unknown")
_PIECE = re.compile(r"[^/\\_@.:,;=&?|-]*[/\\_@.:,;=&?|-]?")
_SPACE = re.compile(r"\s+")

Row = Sequence[str]


def lay_out(headers: Row, rows: Sequence[Row], width: int) -> tuple[list[str], list[str]]:
    """Return the lines of a table's head and of its body, none wider than ``width``.

    Columns after the first that hold figures alone are aligned right.
    """
    cells = [[_SPACE.sub(" ", cell).strip() for cell in row] for row in rows]
    columns = list(zip(*cells, strict=True))
    figures = [all(map(is_figure, column)) for column in columns]
    least = [
        max(_least(header), *(_least(cell, whole=whole) for cell in column))
        for header, column, whole in zip(headers, columns, figures, strict=True)
    ]
    filled = [
        max(pair) for pair in zip(least, (max(map(cell_len, c)) for c in columns), strict=True)
    ]
    natural = [max(pair) for pair in zip(filled, map(cell_len, headers), strict=True)]
    between = len(headers) - 1
    gap = GAP if sum(least) + GAP * between <= width else NARROW_GAP
    if sum(least) + gap * between > width:
        return [], list(_row_by_row(headers, cells, width))
    room = width - gap * between
    # Headers break before cells do.
    widths = _share_out(_share_out(least, filled, room), natural, room)
    rights = [number > 0 and whole for number, whole in enumerate(figures)]

    def lines(row: Row) -> Iterator[str]:
        wrapped = [wrap(cell, room) for cell, room in zip(row, widths, strict=True)]
        for number in range(max(map(len, wrapped))):
            parts = [part[number] if number < len(part) else "" for part in wrapped]
            padded = map(_pad, parts, widths, rights)
            yield (" " * gap).join(padded).rstrip()

    return list(lines(headers)), [line for row in cells for line in lines(row)]


def is_figure(cell: str) -> bool:
    """Return whether a cell is a number, an amount, a date or nothing."""
    return cell in NOTHING or (
        len(cell) <= LONGEST_FIGURE and cell.strip("-–−+£$€%×., ")[:1].isdigit()
    )


def wrap(text: str, width: int) -> list[str]:
    """Return a text as lines of at most ``width`` cells, broken between words if it can be."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _fold(word, width)
        lines += full
    return [*lines, line]


def _least(text: str, *, whole: bool = False) -> int:
    """Return the width a column needs at least for this cell."""
    if whole:
        return cell_len(text)
    return max(cell_len(piece) for word in text.split(" ") for piece in _pieces(word))


def _pieces(word: str) -> list[str]:
    if cell_len(word) <= LONGEST_WORD:
        return [word]
    pieces = [piece for piece in _PIECE.findall(word) if piece]
    return [part for piece in pieces for part in _cut(piece, LONGEST_WORD)]


def _fold(word: str, width: int) -> list[str]:
    """Return a word in pieces that fit, broken behind separators before anywhere else."""
    lines, line = [], ""
    pieces = (part for piece in _pieces(word) for part in _cut(piece, width))
    for piece in pieces:
        if cell_len(line + piece) > width:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line]


def _cut(text: str, width: int) -> Iterator[str]:
    part = ""
    for character in text:
        if cell_len(part + character) > width:
            yield part
            part = ""
        part += character
    yield part


def _share_out(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """Return each column's width: narrow ones get what they want, wide ones share the rest."""
    widths = list(least)
    order = sorted(range(len(least)), key=lambda number: natural[number] - least[number])
    spare = room - sum(least)
    for place, number in enumerate(order):
        more = min(natural[number] - least[number], spare // (len(order) - place))
        widths[number] += more
        spare -= more
    return widths


def _row_by_row(headers: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    named = max(map(cell_len, headers)) + GAP
    if named > width // 2:
        named = GAP
    for number, row in enumerate(rows):
        if number:
            yield ""
        for header, cell in zip(headers, row, strict=True):
            if not cell:
                continue
            if named == GAP:
                yield from wrap(header, width)
                name = ""
            else:
                name = header
            for line in wrap(cell, width - named):
                yield _pad(name, named, is_right=False) + line
                name = ""


def _pad(text: str, width: int, is_right: bool) -> str:
    blank = " " * (width - cell_len(text))
    return blank + text if is_right else text + blank
