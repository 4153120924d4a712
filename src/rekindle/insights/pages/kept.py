"""What is kept for who left, as a page of its own and as a part of a club's audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rekindle.insights.pages.layout import PageFigure, PageSection, WholePage, render
from rekindle.insights.tables import TextTable

_WORDS = (
    "A row of the register is one departure. What was promised as it began holds: a setting that "
    "is changed later changes no row. On its last day everything is still there."
)


def kept_page(
    tables: Sequence[TextTable],
    figures: Sequence[tuple[str, str, str]],
    *,
    shop: str,
    about: str,
    lead: str,
) -> str:
    """Return the register of belongings as one self-contained HTML page."""
    return render(
        WholePage(
            shop=shop,
            title="What is kept for who left",
            about=about,
            lead=lead,
            figures=tuple(PageFigure(*one) for one in figures),
            sections=tuple(PageSection(one.title, "", "", (one,)) for one in tables),
            notes=(_WORDS,),
        )
    )


def kept_section(tables: Sequence[TextTable]) -> Iterable[PageSection]:
    """Yield what is kept as a section of another page, nothing where there is no register."""
    if tables:
        yield PageSection("What is kept for who left", _WORDS, "", tuple(tables))
