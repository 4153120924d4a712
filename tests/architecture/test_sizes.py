"""Nothing grows past the size at which it stops being easy to read.

Complexity and parameters are ruff's (C901, PLR0913); lines, nesting and folders are
measured here. What exceeds a limit is listed in sizes.toml, which only shrinks.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tools.source_tree import CODE_FOLDERS, ROOT, Module, entries, modules

LIMITS = {"function_lines": 60, "nesting": 4, "module_lines": 700, "folder_entries": 20}
ROOT_ENTRIES = 18
APPEND_ONLY = frozenset({"decisions", "migrations"})  # sequences that may only grow
# One entry a room: how many there are is a decision (docs/decisions/0026), and the map in
# the README has to show each of them.
MAPS = frozenset({"src/rekindle", "tests"})
ALLOWED = tomllib.loads((Path(__file__).parent / "sizes.toml").read_text(encoding="utf-8"))
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)
# What a block may lie in; no expression holds one.
AROUND = (ast.stmt, ast.ExceptHandler, ast.match_case)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[tuple[str, Function]]:
    for node in module.nodes:
        if isinstance(node, FUNCTIONS):
            yield f"{module.place}::{node.name}", node


def body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def nesting(node: ast.AST) -> int:
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, AROUND):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        deepest = max(deepest, nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return deepest


def folders() -> Iterator[Path]:
    def below(folder: Path) -> Iterator[Path]:
        yield folder
        for entry in entries(folder):
            if entry.is_dir() and entry.name not in APPEND_ONLY:
                yield from below(entry)

    for name in (*CODE_FOLDERS, "docs"):
        if (ROOT / name).is_dir():
            yield from below(ROOT / name)


@cache
def measured(measure: str) -> Mapping[str, int]:
    match measure:
        case "function_lines":
            return {name: body_lines(f) for m in modules() for name, f in functions(m)}
        case "nesting":
            return {name: nesting(f) for m in modules() for name, f in functions(m)}
        case "module_lines":
            return {module.place: len(module.text.splitlines()) for module in modules()}
        case _:
            counts = {f.relative_to(ROOT).as_posix(): len(entries(f)) for f in folders()}
            return {name: count for name, count in counts.items() if name not in MAPS}


@pytest.mark.parametrize("measure", LIMITS)
def test_nothing_is_larger_than_its_limit_or_its_allowance(measure: str) -> None:
    limit, allowed = LIMITS[measure], ALLOWED[measure]
    assert {
        name: size
        for name, size in measured(measure).items()
        if size > max(limit, allowed.get(name, 0))
    } == {}


@pytest.mark.parametrize("measure", LIMITS)
def test_an_allowance_shrinks_with_what_it_allows(measure: str) -> None:
    sizes = measured(measure)
    assert {name: sizes.get(name) for name in ALLOWED[measure]} == ALLOWED[measure]
    assert all(size > LIMITS[measure] for size in ALLOWED[measure].values())


def test_the_root_stays_a_short_list() -> None:
    assert len(entries(ROOT)) <= ROOT_ENTRIES


def test_the_wiring_is_no_more_than_wiring() -> None:
    runtime = [
        module for module in modules("src") if module.place.startswith("src/rekindle/runtime/")
    ]
    assert 0 < sum(len(module.text.splitlines()) for module in runtime) < 400


def test_size_rules_are_not_silenced() -> None:
    silenced = re.compile(r"#\s*noqa(\s*$|[^\n]*(C901|PLR09))", re.MULTILINE)
    assert [module.place for module in modules() if silenced.search(module.text)] == []


def test_nesting_counts_an_elif_once() -> None:
    source = "def f(a):\n if a:\n  pass\n elif a:\n  for x in a:\n   pass\n else:\n  pass\n"
    assert nesting(ast.parse(source)) == 2
