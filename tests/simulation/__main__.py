"""Runs worlds by hand: one seed with its whole story, or fresh seeds for as long as asked.

``python -m tests.simulation --seed 7 --book memory`` replays what a failure printed;
``--minutes 10`` goes on from ``--from`` and stops at the first seed that breaks a promise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import count, cycle, repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from rekindle.clock import stopwatch
from tests.simulation.clubs.world import ClubWorld
from tests.simulation.files.world import ShopWorld
from tests.simulation.opening import BOOKS, opened, opened_ledger
from tests.simulation.ways.world import SixWays
from tests.simulation.world import STEPS, World

FRESH = 1_000_000  # beyond every seed of the test suite


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one and print its story")
    parser.add_argument("--book", choices=BOOKS, help="which book; all in turn if not given")
    parser.add_argument("--minutes", type=float, default=1, help="how long to go on")
    parser.add_argument("--steps", type=int, default=STEPS, help="how long a story is")
    parser.add_argument("--from", type=int, default=FRESH, dest="first", help="the first seed")
    parser.add_argument("--files", action="store_true", help="worlds of files instead")
    parser.add_argument("--clubs", action="store_true", help="worlds of clubs instead")
    parser.add_argument("--ways", action="store_true", help="worlds of six ways instead")
    asked = parser.parse_args(arguments)
    if asked.files or asked.ways or asked.clubs:
        seeds = count(asked.first) if asked.seed is None else [asked.seed]
        is_telling = asked.seed is not None
        if asked.ways:
            return _run_ways(seeds, asked.minutes, is_telling=is_telling)
        kind = ClubWorld if asked.clubs else ShopWorld
        return _run_in_folders(kind, seeds, asked.minutes, is_telling=is_telling)
    if asked.seed is not None:
        return _replay(asked.seed, asked.book or "memory")
    return _soak(asked.first, asked.minutes, repeat(asked.book) if asked.book else _in_turn())


def _in_turn() -> Iterator[str]:
    """Yield the books, memory most often, for it is the quickest."""
    return cycle([*repeat("memory", 20), "sqlite", "sqlite", "postgresql"])


def _replay(seed: int, book: str) -> int:
    with opened(book) as make_keeper:
        world = World(seed, make_keeper)
        try:
            world.run()
        except AssertionError as error:
            _print_story(world)
            print(f"seed {seed} on {book}: {error}")
            return 1
        _print_story(world)
    print(f"seed {seed} on {book}: every promise held")
    return 0


def _run_in_folders(
    kind: type[ShopWorld] | type[ClubWorld],
    seeds: Iterable[int],
    minutes: float,
    *,
    is_telling: bool,
) -> int:
    """Run worlds of files or of clubs until the time is up or a promise breaks."""
    watch, done = stopwatch(), 0
    what = "clubs" if kind is ClubWorld else "files"
    for seed in seeds:
        with TemporaryDirectory(prefix="rekindle-", ignore_cleanup_errors=True) as folder:
            world = kind(seed, Path(folder) / "shop")
            try:
                world.run()
            except AssertionError as error:
                for line in world.log:
                    print(*line)
                print(f"seed {seed} of {what}: {error}")
                return 1
        if is_telling:
            for line in world.log:
                print(*line)
        done += 1
        if watch() > 60 * minutes:
            break
    print(f"{done} worlds of {what} in {watch() / 60:.1f} minutes: every promise held")
    return 0


def _run_ways(seeds: Iterable[int], minutes: float, *, is_telling: bool) -> int:
    """Run worlds of six ways until the time is up or a promise breaks."""
    watch, done = stopwatch(), 0
    with opened_ledger("sqlite") as alias:
        for seed in seeds:
            world = SixWays(seed, alias)
            try:
                world.run()
            except AssertionError as error:
                for line in world.log:
                    print(*line)
                print(f"seed {seed} of six ways: {error}")
                return 1
            for line in world.log if is_telling else ():
                print(*line)
            done += 1
            if watch() > 60 * minutes:
                break
    print(f"{done} worlds of six ways in {watch() / 60:.1f} minutes: every promise held")
    return 0


def _print_story(world: World) -> None:
    print(world.house.rules)
    for line in world.log:
        print(*line)


def _soak(first: int, minutes: float, books: Iterator[str]) -> int:
    watch, done = stopwatch(), 0
    for book in books:
        with opened(book) as make_keeper:
            for seed in range(first + done, first + done + 10):
                try:
                    World(seed, make_keeper).run()
                except Exception as error:
                    print(f"seed {seed} on {book}: {error!r}")
                    print(f"make soak SEED={seed} BOOK={book} tells its story")
                    return 1
                done += 1
        if watch() > 60 * minutes:
            break
    print(f"{done} worlds from seed {first} in {watch() / 60:.1f} minutes: every promise held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
