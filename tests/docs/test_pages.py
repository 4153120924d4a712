"""What the pages show as settings, journeys, conditions, code and tests is just that."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from rekindle.audiences import parse_predicate
from rekindle.config import config_model
from rekindle.journeys import parse_journey
from rekindle.offers import parse_offers
from tools.source_tree import ROOT, files, modules

PAGES = [path for path in files(ROOT / "docs") if path.suffix == ".md"]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NAMED_TEST = re.compile(r"`(test_\w+)`")


def blocks(language: str) -> Iterator[Any]:
    for page in PAGES:
        found = (m for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if m[2] == language)
        for number, match in enumerate(found, 1):
            yield pytest.param(textwrap.dedent(match[3]), id=f"{page.name} {number}")


def conditions() -> list[str]:
    page = (ROOT / "docs/reference/predicates.md").read_text(encoding="utf-8")
    table = (ROOT / "docs/how-to/build-an-audience.md").read_text(encoding="utf-8")
    listed = [line for match in BLOCK.finditer(page) for line in match[3].splitlines()]
    rows = re.findall(r"^\| [^|`]+ \| `([^`]+)` \|$", table, re.MULTILINE)
    assert listed
    assert rows
    return [*listed, *rows]


@pytest.mark.parametrize("condition", conditions())
def test_a_condition_that_is_shown_is_understood(condition: str) -> None:
    parse_predicate(condition)


@pytest.mark.parametrize("text", list(blocks("toml")))
def test_settings_that_are_shown_are_accepted(text: str) -> None:
    shown = tomllib.loads(text)
    if "project" not in shown:  # else it is the pyproject.toml of somebody's own package
        config_model().model_validate(shown)


# What a page that shows a ladder alone has declared above it.
SHOWN_OFFERS = """\
offers:
  free-shipping: {kind: free_shipping, costs: 4.50, codes: none}
  ten-percent: {kind: percent_off, percent: 10, codes: none}
  twenty-percent: {kind: percent_off, percent: 20, codes: none}
"""


@pytest.mark.parametrize("text", list(blocks("yaml")))
def test_a_journey_that_is_shown_is_read(text: str) -> None:
    if text.startswith(("offers:", "ladders:")):
        shown = text if text.startswith("offers:") else f"{SHOWN_OFFERS}{text}"
        assert parse_offers(shown).terms
        return
    whole = "journey: shown\nenter: {audience: 'true'}\ngoal: {on: order, within: 30 days}\n"
    parse_journey(text if text.startswith("journey:") else whole + text)


@pytest.mark.parametrize("text", list(blocks("python")))
def test_names_that_are_imported_are_there(text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rekindle"):
            room = import_module(str(node.module))
            assert all(hasattr(room, alias.name) for alias in node.names)


def test_tests_that_are_named_exist() -> None:
    named = {name for page in PAGES for name in NAMED_TEST.findall(page.read_text("utf-8"))}
    known = {
        node.name
        for module in modules("tests", "src")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert named
    assert named - known == set()


def test_every_guide_can_be_found() -> None:
    guides = ROOT / "docs/how-to"
    listed = {
        (guides / link.split("#")[0]).resolve()
        for link in re.findall(r"\]\(([^)]+\.md[^)]*)\)", (guides / "README.md").read_text("utf-8"))
    }
    pages = {path.resolve() for path in guides.rglob("*.md") if path.name != "README.md"}
    assert {path.name for path in pages - listed} == set()
