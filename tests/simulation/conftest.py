"""Ledgers for worlds: one of each kind a session, emptied before every world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.ledger import connect, disconnect, migrate
from tests.simulation.ledgers import few_lanes


@pytest.fixture(scope="session")
def sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the alias of a migrated SQLite ledger."""
    alias = connect("sqlite:///worlds.sqlite3", base=tmp_path_factory.mktemp("worlds"))
    migrate(alias)
    yield alias
    disconnect(alias)


@pytest.fixture(scope="session")
def postgresql_ledger(postgres_url: str) -> Iterator[str]:
    """Yield the alias of a migrated PostgreSQL ledger."""
    alias = connect(postgres_url, base=Path("/"))
    migrate(alias)
    yield alias
    disconnect(alias)


@pytest.fixture(autouse=True)
def lanes_for_a_dozen() -> Iterator[None]:
    """Let the people of a world share few lanes."""
    with few_lanes():
        yield
