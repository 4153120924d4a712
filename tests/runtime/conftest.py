"""Each test gets a copy of one imported shop, so it may change everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.shops import Team, build_shop, close_ledgers


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
    Team.copy(imported_shop, folder)
    yield folder
    close_ledgers()


@pytest.fixture
def team(shop: Path) -> Team:
    """Return a team at work in a copy of the shop."""
    return Team.at_work(shop)
