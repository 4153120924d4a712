"""Every promise holds in thousands of drawn worlds, over each of the three books.

A failure names its seed; ``make soak SEED=7 BOOK=memory`` tells that world's story.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import rekindle
from rekindle.vocabulary import Reason
from tests.simulation.keeping import MakeKeeper, MemoryKeeper
from tests.simulation.ledgers import keep_in
from tests.simulation.mutations import MUTATIONS, Mutation
from tests.simulation.world import STEPS, World

IN_MEMORY, IN_SQLITE, IN_POSTGRESQL, TOLD_TWICE = 1800, 150, 60, 20
# A world costs fifteen times more time in a database than in memory.
STEPS_IN_A_LEDGER = 10


def groups(worlds: int, size: int) -> list[range]:
    """Return the seeds of each test."""
    return [range(start, start + size) for start in range(0, worlds, size)]


def run_worlds(seeds: Iterable[int], make_keeper: MakeKeeper, *, book: str, steps: int) -> None:
    for seed in seeds:
        try:
            World(seed, make_keeper).run(steps)
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r}; make soak SEED={seed} BOOK={book} replays it")


@pytest.mark.draws(4)
@pytest.mark.parametrize("seeds", groups(IN_MEMORY, 50), ids=str)
def test_promises_hold_in_a_random_world(seeds: range) -> None:
    run_worlds(seeds, MemoryKeeper, book="memory", steps=STEPS)


@pytest.mark.draws(1)
@pytest.mark.parametrize("seeds", groups(IN_SQLITE, 10), ids=str)
def test_promises_hold_on_sqlite_whenever_a_worker_dies(seeds: range, sqlite_ledger: str) -> None:
    run_worlds(seeds, keep_in(sqlite_ledger), book="sqlite", steps=STEPS_IN_A_LEDGER)


@pytest.mark.draws(1)
@pytest.mark.parametrize("seeds", groups(IN_POSTGRESQL, 10), ids=str)
def test_promises_hold_on_postgresql_whenever_a_worker_dies(
    seeds: range, postgresql_ledger: str
) -> None:
    run_worlds(seeds, keep_in(postgresql_ledger), book="postgresql", steps=STEPS_IN_A_LEDGER)


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("ledger", ["sqlite_ledger", "postgresql_ledger"])
def test_every_book_tells_the_same_story(ledger: str, request: pytest.FixtureRequest) -> None:
    keep_in_ledger = keep_in(request.getfixturevalue(ledger), is_smooth=True)
    for seed in range(TOLD_TWICE):
        worlds = [World(seed, keep, is_smooth=True) for keep in (MemoryKeeper, keep_in_ledger)]
        for world in worlds:
            world.run(STEPS_IN_A_LEDGER)
        memory, database = (sorted(map(str, world.stories.told)) for world in worlds)
        assert memory == database, f"seed {seed}"


def test_a_seed_tells_the_same_story_twice() -> None:
    stories = []
    for _ in range(2):
        world = World(7, MemoryKeeper)
        world.run()
        stories.append((world.log, world.stories.told))
    assert stories[0] == stories[1]


@pytest.mark.long
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
    # Erasing ends it before anyone asks; in memory there are codes enough, and all leaves at once.
    # These worlds hold nobody out of all journeys: the book's contract and one_engine do.
    never = {Reason.ERASED, Reason.NO_CODE, Reason.OFFER_OVER, Reason.GLOBAL_HOLDOUT}
    assert of_engine - answers == never
    exits = {Reason.ORDER, Reason.EVENT, Reason.OPT_OUT, Reason.COMPLAINT, Reason.BOUNCE}
    assert ends == {Reason.FINISHED, Reason.STOPPED, Reason.ERASED, *exits}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_each_way_to_break_a_promise_is_still_in_the_code(mutation: Mutation) -> None:
    file = Path(rekindle.__file__).parent / mutation.file
    assert file.read_text(encoding="utf-8").count(mutation.old) == 1
