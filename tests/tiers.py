"""Which tests a change waits for, and which `make soak` runs.

`make check` is to end in minutes, so it runs every statement once where one is enough:

- of a test on two databases the one whose turn it is; the ledger's own and the drawn worlds
  run on both;
- of a test with ``draws(n)`` so many of its cases, spread over them;
- no test that is ``long``: one that takes seconds where others of its room hold the promise.

What is left out is marked ``soak``. Which it is follows from names alone, so that every run
leaves out the same.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import pytest

One = TypeVar("One")
DATABASES = frozenset({"sqlite", "postgres", "postgresql"})
ON_BOTH = frozenset({"ledger", "simulation"})


def leave_for_soak(items: Iterable[pytest.Item]) -> None:
    """Mark what a check leaves out."""
    functions: dict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.soak)
        elif isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            functions[item.nodeid.partition("[")[0]].append(item)
    for name, cases in functions.items():
        taken = cases if ON_BOTH & set(name.split("/")) else take_turns(name, cases)
        if (asked := cases[0].get_closest_marker("draws")) is not None:
            taken = spread(taken, *asked.args)
        for case in set(cases).difference(taken):
            case.add_marker(pytest.mark.soak)


def take_turns(name: str, cases: Iterable[pytest.Function]) -> list[pytest.Function]:
    """Return of each case that runs on two databases the one whose turn it is."""
    alike: dict[str, list[pytest.Function]] = defaultdict(list)
    for case in cases:
        others = [one for one in case.callspec.id.split("-") if one not in DATABASES]
        alike[name + "-".join(others)].append(case)
    return [same[zlib.crc32(told.encode()) % len(same)] for told, same in alike.items()]


def spread(cases: Sequence[One], count: int) -> list[One]:
    """Return so many of the cases, from all over them."""
    count = min(count, len(cases))
    return [cases[place * len(cases) // count] for place in range(count)]
