"""The catalogue of measures as a page: each with its formula, window and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.markdown import note

LEAD = """\
Every figure of `rekindle measures`, by one catalogue. What cannot be measured says why, and is
never 0.

`rekindle measures JOURNEY` tells them of one journey, without a name of all together; `--by`
tells people apart, `--json`, `--out FILE.csv` and `--out FILE.parquet` hand them on, and
`--explain MEASURE` shows the queries behind a figure. Retention and second lapse stand beside
*never-lapsed peers*: customers not in the journey by then who bought on the same days, after a
shorter silence than nine in ten of those who returned, whether they fell silent later or not. In a
business without orders they are asked of subscriptions, and stand beside those who subscribed
for the first time on the same days. How to:
[measure a journey](measure-a-journey.md).
"""


def measures_page(catalogue: Mapping[str, Any]) -> str:
    """Return one section a measure."""
    return note("Measures", LEAD.strip()) + "\n".join(_section(one) for one in catalogue.values())


def _section(one: Any) -> str:
    facts = [
        ("Formula", one.formula),
        ("Window", one.window),
        ("From", one.source),
        ("Unit", one.unit.value),
    ]
    if one.beside:
        facts.append(("Beside it", one.beside))
    lines = "\n".join(f"- {name}: {text}" for name, text in facts)
    return f"## {one.title}\n\n`{one.name}`\n\n{lines}\n"
