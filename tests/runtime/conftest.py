"""Each test gets a copy of one imported shop, so it may change everything in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from rekindle.ledger import disconnect
from tests.runtime.shops import Team, build_shop


@pytest.fixture(scope="session")
def imported_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the shop, imported once; nobody changes this one."""
    folder = tmp_path_factory.mktemp("shop")
    build_shop(folder)
    close_ledgers()
    return folder


@pytest.fixture
def shop(imported_shop: Path, tmp_path: Path) -> Iterator[Path]:
    """Yield a copy of the shop's workspace."""
    folder = tmp_path / "shop"
    shutil.copytree(imported_shop, folder)
    yield folder
    close_ledgers()


@pytest.fixture
def team(shop: Path) -> Team:
    """Return a team at work in a copy of the shop."""
    return Team.at_work(shop)


def close_ledgers() -> None:
    """Close this thread's connections to every ledger."""
    for alias in list(connections.databases):
        if alias.startswith("ledger_"):
            disconnect(alias)
