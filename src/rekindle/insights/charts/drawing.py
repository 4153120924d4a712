"""How a chart is drawn: the sheet it stands on, and the few shapes all charts are made of.

Text stays text, so that a page can be searched and scales with the reader's font.
matplotlib is imported when the first chart is drawn: nothing else needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

from rekindle.experiments import Lift

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1b2733", "#5c6b7a", "#dde3e9", "#fffffe"
CALM, WARM, QUIET = "#0f766e", "#c2571a", "#94a3b3"
# What a page calls each colour: drawn by name, a chart follows a reader's dark screen.
NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "line",
    PAPER: "paper",
    CALM: "calm",
    WARM: "warm",
    QUIET: "quiet",
}

# Narrow enough to be read on a telephone, where a page shows it at 0.8 of its size.
WIDTH, HEIGHT = 440, 300
# Under a label, so that a line behind it does not strike it out.
_PAPER = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 13,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.constrained_layout.use": True,
}


class Sheet:
    """A chart being drawn; ``svg`` is what it became."""

    def __init__(self, canvas: Figure) -> None:
        self.canvas = canvas
        self.svg = ""

    def axes(self, columns: int = 1, rows: int = 1, **options: object) -> list[Axes]:
        """Return the panels, row by row."""
        grid = self.canvas.subplots(rows, columns, squeeze=False, **options)  # type: ignore[call-overload]
        return list(grid.flat)


@contextmanager
def open_sheet(name: str, title: str, text: str, *, height: float = HEIGHT) -> Iterator[Sheet]:
    """Yield a sheet; afterwards its ``svg`` carries ``title`` and ``text`` for all readers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**_STYLE, "svg.hashsalt": name}):
        sheet = Sheet(Figure(figsize=(WIDTH / 72, height / 72), dpi=72))
        yield sheet
        written = StringIO()
        unsigned = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        sheet.canvas.savefig(written, format="svg", transparent=True, metadata=unsigned)
    sheet.svg = _embed(written.getvalue(), name, title, text)


def _embed(svg: str, name: str, title: str, text: str) -> str:
    """Return a written file as part of a page: no prolog, no size, no ids but its own."""
    body = svg[svg.index("<svg") :]
    for colour, named in NAMES.items():
        body = body.replace(colour, f"var(--{named}, {colour})")
    body = re.sub(r'(<g) id="[^"]*"', r"\1", body)
    viewbox = re.search(r'viewBox="[^"]*"', body)
    head = (
        f'<svg class="chart" {viewbox[0] if viewbox else ""} role="img" '
        f'aria-labelledby="{name}-title {name}-text" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-text">{escape(text)}</desc>'
    )
    return head + body[body.index(">") + 1 :]


def draw_bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    *,
    say: Callable[[float], str],
) -> None:
    """Draw horizontal bars, the first on top, each with its value beside it."""
    rows = range(len(names))
    axes.barh(rows, values, height=0.66, color=list(colours))
    for row, value in zip(rows, values, strict=True):
        write_beside(axes, say(value), at=(max(value, 0), row))
    name_rows(axes, rows, names)
    axes.set_xlim(min(0, *values), max(*values, 1e-9) * 1.42)


def draw_interval(axes: Axes, lift: Lift, say: Callable[[float], str]) -> None:
    """Draw an interval against 0, grey while it includes 0."""
    colour = QUIET if lift.low <= 0 <= lift.high else CALM if lift.low > 0 else WARM
    axes.plot([lift.low, lift.high], [0, 0], color=colour, linewidth=6, solid_capstyle="round")
    axes.plot([lift.difference], [0], "o", color=INK, markersize=9)
    axes.axvline(0, color=INK, linewidth=1)
    write_beside(axes, "0", at=(0, 0.85))
    for at, side in ((lift.low, "left"), (lift.high, "right")):
        axes.annotate(say(at), (at, -0.4), ha=side, va="top", color=MUTED, bbox=_PAPER)
    told = say(lift.difference)
    axes.annotate(told, (lift.difference, 0.3), ha="center", fontweight="bold", bbox=_PAPER)
    reach = [min(lift.low, 0), max(lift.high, 0)]
    margin = 0.12 * (reach[1] - reach[0])
    axes.set(xlim=(reach[0] - margin, reach[1] + margin), ylim=(-1, 1))
    axes.set_axis_off()


def mark_day(axes: Axes, at: float, label: str, *, level: float) -> None:
    """Draw a labelled vertical line; ``level`` in 0-1 keeps labels apart."""
    from matplotlib.transforms import blended_transform_factory

    axes.axvline(at, color=WARM, linewidth=1.2, linestyle=(0, (4, 3)))
    place = blended_transform_factory(axes.transData, axes.transAxes)
    is_late = at > 0.7 * axes.get_xlim()[1]
    side, text = ("right", f"{label} ") if is_late else ("left", f" {label}")
    axes.text(at, level, text, color=WARM, transform=place, ha=side, va="top", fontsize=12)


def name_rows(axes: Axes, rows: Sequence[float] | range, names: Sequence[str]) -> None:
    """Leave only the names of the bars: the values stand beside them."""
    axes.set_yticks(list(rows), list(names))
    axes.set_ylim(max(rows) + 0.6, -0.6)
    axes.tick_params(left=False, bottom=False, labelbottom=False, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def show_percent(axis: Axis) -> None:
    """Write an axis of shares as percentages."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(lambda share, _: f"{share * 100:g} %")


def write_beside(axes: Axes, text: str, *, at: tuple[float, float]) -> None:
    """Write to the right of a point."""
    axes.annotate(text, at, (5, 0), textcoords="offset points", va="center")
