"""What a check leaves out for a soak run is a part: every module keeps something in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.tiers import spread, take_turns
from tools.source_tree import Module, modules

LEFT_OUT = "pytest.mark.long"


@dataclass(frozen=True)
class Spec:
    id: str


@dataclass(frozen=True)
class Case:
    """What ``tests.tiers`` asks of a test."""

    callspec: Spec


def cases(*ids: str) -> list[Any]:
    return [Case(Spec(one)) for one in ids]


def ids(found: list[Any]) -> list[str]:
    return [case.callspec.id for case in found]


def functions_of(module: Module) -> Iterator[ast.FunctionDef]:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def is_left_out(function: ast.FunctionDef) -> bool:
    return LEFT_OUT in map(ast.unparse, function.decorator_list)


def test_every_module_keeps_a_test_that_a_change_waits_for() -> None:
    tests = {one.place: list(functions_of(one)) for one in modules("tests")}
    found = {place: functions for place, functions in tests.items() if functions}
    assert [place for place, functions in found.items() if all(map(is_left_out, functions))] == []
    assert len(found) > 300


def test_of_two_databases_one_is_taken_and_over_all_tests_both() -> None:
    pairs = cases("sqlite-a", "postgres-a", "sqlite-b", "postgres-b", "c")
    taken = [ids(take_turns(f"test_{number}", pairs)) for number in range(20)]
    assert all(len(one) == 3 and one[-1] == "c" for one in taken)
    databases = {one.partition("-")[0] for told in taken for one in told[:2]}
    assert databases == {"sqlite", "postgres"}


@pytest.mark.parametrize(
    ("count", "places"), [(1, [0]), (2, [0, 5]), (3, [0, 3, 6]), (99, range(10))]
)
def test_draws_are_taken_from_all_over(count: int, places: list[int]) -> None:
    assert spread(range(10), count) == list(places)
