"""Each test that changes something does so in a copy of one imported shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.shops import Team, build_shop, close_ledgers


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of the shop, imported once; nobody changes this one."""
    folder = tmp_path_factory.mktemp("shop")
    build_shop(folder)
    close_ledgers()
    yield folder
    close_ledgers()


@pytest.fixture
def copy(shop: Path, tmp_path: Path) -> Iterator[Path]:
    """Yield a copy of the shop's workspace."""
    folder = tmp_path / "shop"
    Team.copy(shop, folder)
    yield folder
    close_ledgers()


@pytest.fixture(scope="session")
def begun_shop(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the shop after the first pass of the journey ``calm``."""
    folder = tmp_path_factory.mktemp("begun") / "shop"
    Team.copy(shop, folder)
    team = Team.at_work(folder)
    team.start("calm")
    team.tick()
    team.leave()
    return folder
