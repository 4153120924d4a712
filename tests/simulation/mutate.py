"""Breaks the code in every way on the list and tells which promise a world saw broken.

``python -m tests.simulation.mutate [WORD]`` works on a copy of the package, in a process
of its own for each way; with a word, only ways that have it in their description.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
ALONE = "--alone"
MOST = {"memory": 1500, "sqlite": 100, "postgresql": 40, "files": 30, "ways": 60, "clubs": 12}
UNSEEN = "nothing"


def main(arguments: list[str]) -> int:
    """Try the mutations and print a row of the table for each; fail if one went unseen."""
    if arguments[:1] == [ALONE]:
        return _look_for_trouble(arguments[1])
    word = arguments[0] if arguments else ""
    unseen = 0
    for mutation in MUTATIONS:
        if word in mutation.what or word == mutation.book:
            caught = _try(mutation)
            unseen += caught.startswith(UNSEEN)
            print(f"| {mutation.what} | {mutation.book} | {caught} |", flush=True)
    return min(unseen, 1)


def _try(mutation: Mutation) -> str:
    """Return what a broken copy of the package was caught at, and after how many worlds."""
    with TemporaryDirectory(prefix="rekindle-") as folder:
        package = Path(folder) / "src" / "rekindle"
        shutil.copytree(ROOT / "src" / "rekindle", package)
        file = package / mutation.file
        text = file.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise SystemExit(f"{mutation.what}: found {text.count(mutation.old)} times")
        file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        paths = os.pathsep.join([str(package.parent), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation.mutate", ALONE, mutation.book],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or f"crash: {done.stderr.strip().splitlines()[-1:]}"


def _look_for_trouble(book: str) -> int:
    """Print the promise that broke, and in which world counted from one."""
    from tests.simulation.journal import BrokenPromiseError

    for seed, world in enumerate(_worlds(book), start=1):
        try:
            world()
        except BrokenPromiseError as error:
            print(f"{str(error).partition(':')[0]} | {seed}")
            return 0
        except Exception as error:
            print(f"{type(error).__name__}: {error} | {seed}")
            return 0
    print(f"{UNSEEN} | {MOST[book]}")
    return 0


def _worlds(book: str) -> Iterator[Callable[[], object]]:
    """Yield what runs each world, from the first seed on."""
    from tests.simulation.clubs.world import ClubWorld
    from tests.simulation.files.world import ShopWorld
    from tests.simulation.opening import opened, opened_ledger
    from tests.simulation.ways.world import SixWays
    from tests.simulation.world import World

    if book in ("files", "clubs"):
        kind = ShopWorld if book == "files" else ClubWorld
        for seed in range(MOST[book]):
            with TemporaryDirectory(prefix="rekindle-", ignore_cleanup_errors=True) as folder:
                yield kind(seed, Path(folder) / "shop").run
        return
    if book == "ways":
        with opened_ledger("sqlite") as alias:
            for seed in range(MOST[book]):
                yield SixWays(seed, alias).run
        return
    with opened(book) as make_keeper:
        for seed in range(MOST[book]):
            yield World(seed, make_keeper).run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
