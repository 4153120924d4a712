"""Workers as processes of their own, which can be killed at any instant.

They fork from a server that has loaded everything, so one starts in milliseconds and a
test can afford to kill many.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.cli import main
from rekindle.messages import Message, Receipt
from tests.runtime.shops import Team

LOADED = [
    "tests.runtime.crashing",
    "tests.runtime.killing",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "ibis.backends.duckdb",
    "pandas",
    "pyarrow.dataset",
    "pyarrow_hotfix",
    "pytest",  # every process imports what the main program imports
]
NAP_SECONDS = 0.002
# A file is written within a fraction of a nap: all would be there before anybody could kill.
FILE_SECONDS = 0.01


def start_tick(folder: Path, at: datetime) -> BaseProcess:
    """Return a process that runs ``rekindle tick`` as of ``at``."""
    return start_worker(_run_command, str(folder), at.isoformat())


def start_pass(folder: Path, at: datetime) -> BaseProcess:
    """Return a process that makes one pass at ``at``, whatever the outlet."""
    return start_worker(_make_pass, str(folder), at.isoformat())


def kill(process: BaseProcess) -> bool:
    """Kill the process; False if it was done before."""
    was_alive = process.is_alive()
    process.kill()
    process.join()
    return was_alive


def kill_after(
    process: BaseProcess, progress: Callable[[], int], *, more: int, rng: random.Random
) -> bool:
    """Kill the process a moment after ``progress`` grew by ``more``; False if it was done.

    One in four is killed earlier, while it looks around and decides.
    """
    if rng.random() < 0.25:
        process.join(rng.uniform(0, 1))
    else:
        start = progress()
        while process.is_alive() and progress() < start + more:
            process.join(NAP_SECONDS)
        process.join(rng.uniform(0, 0.02))
    return kill(process)


def start_worker(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Return a process that runs ``target``, which has to be found by its name."""
    process = _warm_parent().Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


@cache
def _warm_parent() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    # It would not look for modules where this process does (python/cpython#117378).
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    return context


def _run_command(folder: str, at: str) -> None:
    write = FolderOutlet.send

    def write_slowly(outlet: FolderOutlet, message: Message) -> Receipt:
        receipt = write(outlet, message)
        threading.Event().wait(FILE_SECONDS)  # the clock is moved in tests, never read
        return receipt

    FolderOutlet.send = write_slowly  # type: ignore[assignment, method-assign]
    main(["tick", "-C", folder, "--as-of", at, "--json"])


def _make_pass(folder: str, at: str) -> None:
    Team.at_work(Path(folder), datetime.fromisoformat(at)).tick()
