"""Every promise holds in thousands of drawn worlds, over each of the three books.

A failure names its seed; ``make soak SEED=7 BOOK=memory`` tells that world's story.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rekindle.vocabulary import Reason
from tests.simulation.keeping import MakeKeeper, MemoryKeeper
from tests.simulation.world import World

WORLDS_A_TEST = 50
IN_MEMORY = 1800
IN_SQLITE = 150
IN_POSTGRESQL = 60


def seeds(first: int, worlds: int, each: int = WORLDS_A_TEST) -> list[range]:
    """Return the seeds of each test."""
    return [range(start, start + each) for start in range(first, first + worlds, each)]


def run_worlds(numbers: Iterable[int], book: str, make_keeper: MakeKeeper) -> None:
    for seed in numbers:
        try:
            World(seed, make_keeper).run()
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}; see make soak SEED={seed} BOOK={book}")


@pytest.mark.parametrize("numbers", seeds(0, IN_MEMORY), ids=str)
def test_promises_hold_in_a_random_world(numbers: range) -> None:
    run_worlds(numbers, "memory", MemoryKeeper)


def test_a_seed_tells_the_same_story_twice() -> None:
    stories = []
    for _ in range(2):
        world = World(7, MemoryKeeper)
        world.run()
        stories.append((world.log, world.stories.told))
    assert stories[0] == stories[1]


def test_random_worlds_reach_every_reason() -> None:
    answers: set[Reason | None] = set()
    ends: set[Reason] = set()
    for seed in range(60):
        world = World(seed, MemoryKeeper)
        world.run()
        answers.update(told.reason for told in world.stories.told)
        ends.update(reason for trail in world.journal.trails.values() for reason in trail.ended)
    reasons = list(Reason)
    of_engine = set(reasons[: reasons.index(Reason.UNDELIVERABLE)])
    assert of_engine - answers == {Reason.ERASED}  # erasing ends it before anyone asks
    exits = {Reason.ORDER, Reason.EVENT, Reason.OPT_OUT, Reason.COMPLAINT, Reason.BOUNCE}
    assert ends == {Reason.FINISHED, Reason.STOPPED, Reason.ERASED, *exits}
