"""Every promise holds where people are written to by six ways, each with its own permission."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.simulation.ways.world import SixWays

IN_SQLITE, IN_POSTGRESQL, GROUP = 16, 8, 4


def groups(worlds: int) -> list[range]:
    """Return the seeds of each test."""
    return [range(start, start + GROUP) for start in range(0, worlds, GROUP)]


def run_worlds(seeds: Iterable[int], alias: str) -> None:
    for seed in seeds:
        try:
            SixWays(seed, alias).run()
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}; make soak SEED={seed} BOOK=ways tells its story")


@pytest.mark.draws(1)
@pytest.mark.parametrize("seeds", groups(IN_SQLITE), ids=str)
def test_promises_hold_by_six_ways_on_sqlite(seeds: range, sqlite_ledger: str) -> None:
    run_worlds(seeds, sqlite_ledger)


@pytest.mark.long
@pytest.mark.parametrize("seeds", groups(IN_POSTGRESQL), ids=str)
def test_promises_hold_by_six_ways_on_postgresql(seeds: range, postgresql_ledger: str) -> None:
    run_worlds(seeds, postgresql_ledger)
