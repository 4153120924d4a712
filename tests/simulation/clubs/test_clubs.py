"""What is kept for who left is kept, warned of and given back in drawn clubs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.databases import postgres_ledger
from tests.simulation.clubs.world import ClubWorld

WORLDS = 20
STEPS = 6


def test_promises_hold_in_the_beginning_of_a_world_of_a_club(tmp_path: Path) -> None:
    ClubWorld(0, tmp_path / "club").run(3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(WORLDS))
def test_promises_hold_in_clubs(seed: int, tmp_path: Path) -> None:
    world = ClubWorld(seed, tmp_path / "club")
    world.run(STEPS)
    if not world.begun:  # where nobody left there is little to judge: another is drawn
        world = ClubWorld(1000 + seed, tmp_path / "other")
        world.run(STEPS)
    assert world.begun


@pytest.mark.long
def test_promises_hold_in_clubs_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with postgres_ledger(postgres_url) as url:
        world = ClubWorld(100, tmp_path / "club", ledger=url)
        world.run(STEPS)
    assert world.begun
