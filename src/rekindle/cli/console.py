"""How a terminal shows things: tables, bars, and JSON that is nothing but JSON."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from rekindle.cli.tables import lay_out, wrap
from rekindle.clock import MovableClock
from rekindle.config import EARLIEST, LATEST, shorten
from rekindle.errors import UsageError
from rekindle.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from rekindle.runtime import Workspace

# Whatever moves the cursor, hides text or turns its direction: C0 but for tab and newline,
# DEL, C1, line separators, marks of direction (https://www.unicode.org/reports/tr9/).
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SHOWN = "\N{REPLACEMENT CHARACTER}"


def plain(text: str) -> str:
    """Return a text that does nothing to a terminal but stand there."""
    return CONTROLS.sub(SHOWN, text)


class PlainConsole(Console):
    """A terminal to which no data is a command: names, ids and file names come from outside."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as Rich renders it, its control characters shown and not sent."""
        return super().render_str(plain(text), **options)


output = PlainConsole(highlight=False)
errors = PlainConsole(stderr=True, highlight=False)

Directory = Annotated[
    Path, typer.Option("-C", "--directory", help="The workspace.", show_default="this folder")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Judge as of the end of this day, or of an instant like 2010-12-09T09:00+00:00.",
    ),
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained page.")
]


def name_journeys(context: typer.Context, incomplete: str) -> list[str]:
    """Return the journeys of the workspace whose names a shell may complete."""
    folder = Path(context.params.get("directory") or ".") / "journeys"
    names = {path.stem for path in folder.glob("*.y*ml")}
    return sorted(name for name in names if name.startswith(incomplete))


CsvFile = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write everyone to a CSV file.")
]
ParquetFile = Annotated[
    Path | None,
    typer.Option("--parquet", metavar="FILE", help="Write everyone to a Parquet file."),
]


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command for a function that takes frozen objects: each field is an option."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {n: kind for n, kind in hints.items() if is_dataclass(kind)}

    def command(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{one.name: given.pop(one.name) for one in fields(kind)})
        function(**given)

    options: list[inspect.Parameter] = []
    for one in inspect.signature(function).parameters.values():
        kind = groups.get(one.name)
        if kind is None:
            options.append(one.replace(kind=one.KEYWORD_ONLY, annotation=hints[one.name]))
            continue
        types = get_type_hints(kind, include_extras=True)
        options += [
            inspect.Parameter(
                f.name,
                one.KEYWORD_ONLY,
                default=one.empty if f.default is MISSING else f.default,
                annotation=types[f.name],
            )
            for f in fields(kind)
        ]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__module__ = function.__module__
    command.__annotations__ = {option.name: option.annotation for option in options}
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return command


def show_json(document: Mapping[str, Any]) -> None:
    """Print a document as JSON, alone on standard output."""
    typer.echo(_to_json(document))


def show_json_rows(
    document: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Print a document as ``show_json`` does, whose last key ``name`` holds too many rows."""
    whole = _to_json({**document, name: []})
    begin = whole.removesuffix("[]\n}") + "["
    left = iter(rows)
    while part := list(islice(left, 1000)):
        # JSON has no bare line end within a text.
        texts = (_to_json(row).replace("\n", "\n    ") for row in part)
        typer.echo(begin + "\n    " + ",\n    ".join(texts), nl=False)
        begin = ","
    typer.echo("\n  ]\n}" if begin == "," else whole)


def _to_json(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # JSON escapes what is below a space; the rest of what a terminal obeys is escaped here.
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def show_table(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], *, notes: Sequence[str] = ()
) -> None:
    """Print a table that fits; columns after the first that hold figures are aligned right.

    Of one without rows, only its title is printed, and that there is nothing.
    """
    if not rows:
        output.print(f"[bold]{escape(title)}[/]: none")
    else:
        head, body = lay_out(headers, [list(map(plain, row)) for row in rows], output.width)
        _print_lines([title, *head], style="bold")
        _print_lines(body)
    for note in notes:
        _print_lines(wrap(plain(note), output.width), style="dim")
    output.print()


def show_warning(text: str) -> None:
    """Print on standard error what must not be overlooked."""
    errors.print(text, style="bold yellow", markup=False)


def warn_of_refused(workspace: Workspace) -> None:
    """Say first that figures are not over all rows; refuse where too many are missing.

    Raises:
        SourceError: more rows of orders were refused than the workspace allows.
    """
    from rekindle.insights import check_refused

    engine, facts = workspace.reading
    if said := check_refused(facts, engine.run, most=workspace.config.facts.most_refused):
        show_warning(f"warning: {said}")


def _print_lines(lines: Sequence[str], style: str = "") -> None:
    for line in lines:
        output.print(line, style=style, markup=False, soft_wrap=True)


def check_page(path: Path | None) -> None:
    """Refuse a page that cannot be written before the work for it is done.

    Raises:
        UsageError: as ``write_page``.
    """
    check_writable(path, "--html")


def check_writable(path: Path | None, option: str) -> None:
    """Refuse a file that cannot be written before the work for it is done.

    Raises:
        UsageError: naming the option.
    """
    if path is not None:
        with _writing(path, option) as fresh:
            fresh.touch()
            fresh.unlink()


def write_page(path: Path, html: str) -> None:
    """Write a report page, all or nothing.

    Raises:
        UsageError: it cannot be written there.
    """
    with _writing(path, "--html") as fresh:
        fresh.write_text(html, encoding="utf-8")
        fresh.replace(path)
    errors.print(f"wrote {path}", markup=False)


def write_rows(rows: pa.Table, *, csv: Path | None, parquet: Path | None) -> None:
    """Write rows to the files that were asked for, each all or nothing.

    CSV is UTF-8 with a header, Parquet keeps the types.

    Raises:
        UsageError: one cannot be written there.
    """
    from pyarrow.csv import write_csv
    from pyarrow.parquet import write_table

    for path, option, save in ((csv, "--csv", write_csv), (parquet, "--parquet", write_table)):
        if path is not None:
            with _writing(path, option) as fresh:
                save(rows, fresh)
                fresh.replace(path)
            errors.print(f"wrote {path}: {counted(rows.num_rows, 'row')}", markup=False)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[Path]:
    """Yield where a file is written before it takes its name."""
    if not path.name:
        raise UsageError(f"{str(path)!r} names no file; name one with {option}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path.with_name(path.name + ".new")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); name another {option} file"
        ) from error


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a progress display on standard error that leaves no trace."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        yield bar


def open_at(directory: Path, as_of: str | None) -> Workspace:
    """Return the workspace, its clock set to ``as_of`` if one is given."""
    from rekindle.runtime import Workspace

    workspace = Workspace.open(directory)
    if as_of is None:
        return workspace
    return Workspace.open(directory, clock=MovableClock(parse_as_of(as_of, workspace)))


def parse_as_of(text: str, workspace: Workspace) -> datetime:
    """Return the instant a day (its end, in the business's zone) or an instant names.

    Raises:
        UsageError: it is neither, or before 1970 or after 2199.
    """
    from rekindle.clock import end_of_day

    with suppress(ValueError):  # a day may be written in several ways, an instant is none
        day = date.fromisoformat(text)
        _require_our_times(day)
        midnight = datetime.combine(day, datetime.min.time(), workspace.zone)
        return end_of_day(midnight, workspace.zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{shorten(text)} is no date; write one like 2010-12-09") from error
    _require_our_times(at.date())
    return at.replace(tzinfo=workspace.zone).astimezone(UTC) if at.tzinfo is None else at


def parse_day(text: str) -> date:
    """Return the day ``text`` names.

    Raises:
        UsageError: it names none, or one before 1970 or after 2199.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{shorten(text)} is no day; write one like 2010-12-09") from error
    _require_our_times(day)
    return day


def refuse_nan(number: float | None) -> float | None:
    """Refuse what is no number, which neither the least nor the most of an option does."""
    if number is not None and math.isnan(number):
        raise typer.BadParameter("nan is no number")
    return number


def _require_our_times(day: date) -> None:
    """Refuse days so early or late that what is reckoned from them leaves the calendar."""
    if not EARLIEST <= day <= LATEST:
        raise UsageError(f"{day} is out of range; write a date from {EARLIEST} to {LATEST}")


def kind_of_file(out: Path | None, option: str) -> tuple[Path | None, Path | None]:
    """Return the file as one of CSV, or of Parquet.

    Raises:
        UsageError: its name says neither.
    """
    if out is None:
        return None, None
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"{option}: name a .csv or a .parquet file, not {out.name}")
    return (out, None) if out.suffix.lower() == ".csv" else (None, out)
