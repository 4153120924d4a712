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
def team(imported_shop: Path, tmp_path: Path) -> Iterator[Team]:
    """Yield a team at work in a copy of the shop; no journey was started yet."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    team = Team.at_work(folder)
    yield team
    team.leave()


@pytest.fixture(scope="session")
def begun_shop(imported_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the shop after the first pass of the journey ``calm``."""
    folder = tmp_path_factory.mktemp("begun") / "shop"
    Team.copy(imported_shop, folder)
    team = Team.at_work(folder)
    team.start("calm")
    team.tick()
    team.leave()
    return folder


@pytest.fixture
def begun(begun_shop: Path, tmp_path: Path) -> Iterator[Team]:
    """Yield a team whose journey ``calm`` wrote its first messages a moment ago."""
    folder = tmp_path / "begun"
    Team.copy(begun_shop, folder)
    team = Team.at_work(folder)
    yield team
    team.leave()
