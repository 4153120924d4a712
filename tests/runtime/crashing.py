"""Workers as processes of their own, which can be killed at any instant.

They fork from a server that has loaded everything, so one starts in milliseconds and a
test can afford to kill many.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from rekindle.cli import main
from tests.runtime.shops import Team

LOADED = [
    "tests.runtime.crashing",
    "ibis.backends.duckdb",
    "pandas",
    "pyarrow.dataset",
    "pyarrow_hotfix",
]
NAP_SECONDS = 0.002


def start_tick(folder: Path, at: datetime) -> BaseProcess:
    """Return a process that runs ``rekindle tick`` as of ``at``."""
    return _start(_run_command, str(folder), at.isoformat())


def start_pass(folder: Path, at: datetime) -> BaseProcess:
    """Return a process that makes one pass at ``at``, whatever the outlet."""
    return _start(_make_pass, str(folder), at.isoformat())


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
    was_alive = process.is_alive()
    process.kill()
    process.join()
    return was_alive


def _start(target: Callable[[str, str], None], *arguments: str) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _run_command(folder: str, at: str) -> None:
    main(["tick", "-C", folder, "--as-of", at, "--json"])


def _make_pass(folder: str, at: str) -> None:
    Team.at_work(Path(folder), datetime.fromisoformat(at)).tick()
