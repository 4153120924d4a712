"""What a page is made of: a lead, headline figures, then sections of words, a chart and numbers.

No script, nothing fetched, fit to forward. How it looks is in ``page.html``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.resources import files

from rekindle.content import render_page
from rekindle.insights.tables import TextTable


@dataclass(frozen=True, slots=True)
class PageFigure:
    """A headline: what it is, the figure, and how to take it."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True, slots=True)
class PageSection:
    """Words, then a chart (empty text for none) beside tables."""

    title: str
    words: str
    chart: str
    tables: tuple[TextTable, ...]


@dataclass(frozen=True, slots=True)
class WholePage:
    """Everything a page shows."""

    shop: str
    title: str
    about: str
    lead: str
    figures: tuple[PageFigure, ...]
    sections: tuple[PageSection, ...]
    notes: tuple[str, ...]


def render(page: WholePage) -> str:
    """Return a page as HTML."""
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return render_page(template, asdict(page))
