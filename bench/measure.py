"""Times two functions in turn, so that both see the same noise, and keeps the medians."""

from __future__ import annotations

import gc
import resource
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter

MB = 1024


@dataclass(frozen=True, slots=True)
class Result:
    """Medians of both sides in ``unit``, their ratio and the process's peak memory."""

    ours: float
    baseline: float
    ratio: float
    unit: str
    peak_mb: float
    limit: float
    note: str

    def as_row(self) -> dict[str, object]:
        """Return the result as JSON values."""
        return asdict(self)


def compare(
    ours: Callable[[], object],
    baseline: Callable[[], object],
    *,
    rounds: int,
    limit: float,
    note: str,
) -> Result:
    """Run both in turn ``rounds`` times after one warm-up of the baseline."""
    baseline()
    pairs = [(_seconds(baseline), _seconds(ours)) for _ in range(rounds)]
    base, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(o / b for b, o in pairs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return Result(
        round(own, 3), round(base, 3), round(ratio, 2), "seconds", round(peak), limit, note
    )


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start
