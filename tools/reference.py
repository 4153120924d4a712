"""Write the reference pages and JSON Schemas from the code they describe.

A page written by hand would drift; ``make docs`` writes them and ``make check`` fails
when one differs from what the code says now.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from typing import Any

from tools.command_page import command_page
from tools.engines_page import engines_page
from tools.events_page import events_page
from tools.facts_page import facts_page
from tools.law_page import law_page
from tools.markdown import fill, note, table
from tools.measures_page import measures_page
from tools.settings_page import settings_page
from tools.source_tree import ROOT


@dataclass(frozen=True, slots=True)
class Page:
    """A generated file: where it goes, and what makes it from which name in the code."""

    path: str
    source: str
    render: Callable[[Any], str]


def columns_page(describe_families: Callable[[], str]) -> str:
    """Return the page of profile columns and the families they come from."""
    return (
        note("Profile columns", "What a profile knows of a customer on a given day.")
        + "Predicates of audiences and conditions of journeys speak of these columns.\n\n"
        + describe_families()
    )


def reasons_page(reasons: Any) -> str:
    """Return the page of the reasons for which a touch is held or skipped."""
    return (
        note("Reasons", "Why a touch was held or skipped, or why an enrolment ended.")
        + "The gate asks in this order and gives the first reason that applies.\n\n"
        + table(records(reasons))
    )


def channels_page(describe: Callable[[], str]) -> str:
    """Return the matrix of channels."""
    return note("Channels", "The ways out, and what each can do.") + describe()


def templates_page(describe: Callable[[], Mapping[str, Any]]) -> str:
    """Return the page of what templates may show, and of what is looked at in them."""
    parts = (f"## {title}\n\n{table(list(rows))}" for title, rows in describe().items())
    lead = (
        "What a template may show beside the [profile columns](profile-columns.md), and what "
        "is\nlooked at before anybody is written to. How to write one: "
        "[write a template](../how-to/write-a-template.md)."
    )
    return note("Templates", lead) + "\n".join(parts)


def offers_page(describe_kinds: Callable[[], str]) -> str:
    """Return the page of offers.yaml, which people write, with its tables renewed."""
    return fill(ROOT / OFFERS, describe_kinds())


def billers_page(describe_billers: Callable[[], str]) -> str:
    """Return the page of the way back, which people write, with its table of billers renewed."""
    return fill(ROOT / BILLERS, describe_billers())


def lifecycle_page(describe_presets: Callable[[], str]) -> str:
    """Return the page of tiers, which people write, with its table of presets renewed."""
    return fill(ROOT / LIFECYCLE, describe_presets())


def errors_page(root: type[Exception]) -> str:
    """Return the tree of exceptions with their exit codes."""
    return (
        note("Errors", "What the program raises on purpose, and the exit code a command ends with.")
        + "\n".join(_error_lines(root, 0))
        + "\n"
    )


def schema(model: Any) -> str:
    """Return the JSON Schema that a function returns, or that of the model it does."""
    found = model()
    if hasattr(found, "model_json_schema"):
        found = found.model_json_schema()
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


OFFERS = "docs/reference/offers.md"
LIFECYCLE = "docs/reference/lifecycle.md"
BILLERS = "docs/how-to/run/ways/bring-subscribers-back.md"
PAGES = (
    Page("docs/reference/configuration.md", "rekindle.config:config_model", settings_page),
    Page("docs/reference/cli.md", "rekindle.cli:app", command_page),
    Page("docs/reference/profile-columns.md", "rekindle.profiles:describe_families", columns_page),
    Page("docs/reference/reasons.md", "rekindle.gate:REASONS", reasons_page),
    Page("docs/reference/channels.md", "rekindle.channels:describe_channels", channels_page),
    Page("docs/reference/templates.md", "rekindle.content:describe_content", templates_page),
    Page("docs/reference/law.md", "rekindle.consent:load_law", law_page),
    Page("docs/reference/engines.md", "rekindle.facts:discover_engines", engines_page),
    Page("docs/reference/facts.md", "rekindle.facts:CONTRACTS", facts_page),
    Page(LIFECYCLE, "rekindle.profiles:describe_presets", lifecycle_page),
    Page(BILLERS, "rekindle.billing:describe_billers", billers_page),
    Page(OFFERS, "rekindle.offers:describe_kinds", offers_page),
    Page("docs/how-to/measure/catalogue.md", "rekindle.insights:CATALOGUE", measures_page),
    Page("docs/reference/errors.md", "rekindle.errors:RekindleError", errors_page),
    Page("docs/reference/events.md", "rekindle.intake:MEANINGS", events_page),
    Page("docs/reference/openapi.json", "rekindle.web.api:build_openapi", schema),
    Page("schemas/rekindle.schema.json", "rekindle.config:config_model", schema),
    Page("schemas/journey.schema.json", "rekindle.journeys:journey_schema", schema),
    Page("schemas/offers.schema.json", "rekindle.offers:offers_schema", schema),
)


def records(rows: Any) -> list[dict[str, Any]]:
    """Return the rows of a table, by column, from frozen objects or a mapping of them."""
    if isinstance(rows, Mapping):
        return [{"name": key, **_columns(value)} for key, value in rows.items()]
    return [_columns(row) for row in rows]


def main(arguments: list[str]) -> int:
    """Write every page, or with ``--check`` say which differ; return the exit code."""
    is_check = arguments == ["--check"]
    stale = []
    for page in PAGES:
        text = _render(page)
        path = ROOT / page.path
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(page.path)
        if not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'out of date, run `make docs`' if is_check else 'written'}")
    return int(is_check and bool(stale))


def _render(page: Page) -> str:
    module, name = page.source.split(":")
    return page.render(getattr(import_module(module), name))


def _columns(row: Any) -> dict[str, Any]:
    if is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    return dict(row) if isinstance(row, Mapping) else {"meaning": row}


def _error_lines(error: type[Exception], depth: int) -> list[str]:
    summary = (error.__doc__ or "").strip().splitlines()[0].replace("``", "`")
    code = getattr(error, "exit_code", 1)
    line = f"{'  ' * depth}- `{error.__name__}` (exit code {code}): {summary}"
    children = sorted(error.__subclasses__(), key=lambda child: child.__name__)
    own = [child for child in children if child.__module__ == "rekindle.errors"]
    return [line, *(inner for child in own for inner in _error_lines(child, depth + 1))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
