"""The matrix of engines: what each reads, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rekindle.facts import EngineEntry
from tools.markdown import note, table

LEAD = """\
Who runs what is built on the facts. `[facts] engine` names one; without it DuckDB reads the lake,
and a warehouse is asked itself. `[facts.options]` are settings of the engine, by its own names.

All of them give the same numbers. "In parallel" says that the questions of several threads run at
the same time; they may be asked of every engine.
"""


def engines_page(discover: Callable[[], Mapping[str, EngineEntry]]) -> str:
    """Return one row an engine."""
    rows = [
        {
            "engine": f"`{name}`",
            "reads the lake": entry.capabilities.reads_lake,
            "reads a warehouse": entry.capabilities.reads_warehouse,
            "in parallel": entry.capabilities.is_parallel,
            "install": entry.extra or "–",
            "what it is for": entry.summary,
        }
        for name, entry in discover().items()
    ]
    return note("Engines", LEAD.strip()) + table(rows)
