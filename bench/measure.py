"""Times two functions in turn, so that both see the same noise, and keeps the medians."""

from __future__ import annotations

import gc
import resource
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter, process_time
from typing import NamedTuple

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
    by_processor: bool = False,
) -> Result:
    """Run both in turn ``rounds`` times after one warm-up of the baseline.

    With ``by_processor``, for what works in this process alone, the note adds the ratio by
    processor time, which other work on the machine hardly moves.
    """
    baseline()
    timed = [(measure(baseline), measure(ours)) for _ in range(rounds)]
    pairs = [(base.passed, own.passed) for base, own in timed]
    base, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(o / b for b, o in pairs)
    if by_processor:
        note = tell_processor(note, [o.worked / b.worked for b, o in timed])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return Result(
        round(own, 3), round(base, 3), round(ratio, 2), "seconds", round(peak), limit, note
    )


def tell_processor(note: str, ratios: Sequence[float]) -> str:
    """Return a note with the ratio by processor time."""
    return f"{note}; {statistics.median(ratios):.2f} by processor time"


class Seconds(NamedTuple):
    """How long something took by the clock, and how long processors worked on it."""

    passed: float
    worked: float


def measure(work: Callable[[], object]) -> Seconds:
    """Return what ``work`` took."""
    gc.collect()
    start, worked = perf_counter(), process_time()
    work()
    return Seconds(perf_counter() - start, process_time() - worked)
