"""The promises hold in worlds of files: several ids a person, corrections, restores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.databases import postgres_ledger
from tests.simulation.files.world import ShopWorld

WORLDS = 20
STEPS = 6


def test_promises_hold_in_the_beginning_of_a_world_of_files(tmp_path: Path) -> None:
    ShopWorld(3, tmp_path / "shop").run(1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(WORLDS))
def test_promises_hold_over_files_in_any_order(seed: int, tmp_path: Path) -> None:
    world = ShopWorld(seed, tmp_path / "shop")
    world.run(STEPS)
    if not world.mails:  # where nobody is written to there is little to judge: another is drawn
        world = ShopWorld(1000 + seed, tmp_path / "other")
        world.run(STEPS)
    assert world.mails


@pytest.mark.long
def test_promises_hold_over_files_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with postgres_ledger(postgres_url) as url:
        world = ShopWorld(100, tmp_path / "shop", ledger=url)
        world.run(STEPS)
    assert world.mails


@pytest.mark.long
def test_a_seed_of_files_tells_the_same_story_twice(tmp_path: Path) -> None:
    stories = []
    for name in ("one", "other"):
        world = ShopWorld(7, tmp_path / name)
        world.run(1)
        stories.append([str(line) for line in world.log])
    assert stories[0] == stories[1]
