"""Retries of a business that never was, drawn by a seed, with a known best hour or none.

What is known to be so of such data is drawn: each payer has a chance of their own, later tries
go through less often, some codes more often than others, and half of the retries, or as many as
is said, are made at the hour of the first failure, as by a schedule, the others anywhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from rekindle.subscriptions.hours import RetryCount

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
CODES = {"insufficient_funds": 0.35, "generic_decline": 0.25, "do_not_honor": 0.1}
DAYS = (3, 5, 7)
NIGHT = frozenset(range(6))


@dataclass(frozen=True)
class Draw:
    """How retries are drawn: at ``best`` they go through ``lift`` times as often.

    With ``night_code`` what fails at night fails by the code that seldom goes through.
    """

    cases: int = 2_000
    best: int | None = None
    lift: float = 2.0
    has_night_code: bool = False
    by_schedule: float = 0.5
    renews_at: tuple[int, ...] = tuple(range(24))


def draw(plan: Draw, seed: int) -> tuple[list[RetryCount], Counter[int]]:
    """Return the retries, and the hours of the first failures."""
    rng = np.random.default_rng(seed)
    size = plan.cases
    own = rng.choice(plan.renews_at, size)
    code = rng.choice(len(CODES), size, p=(0.5, 0.3, 0.2))
    if plan.has_night_code:
        code = np.where(np.isin(own, list(NIGHT)), 2, np.minimum(code, 1))
    # Half of a payer's chance is theirs: Beta(2, 2) has mean 1/2.
    chance = np.array(list(CODES.values()))[code] * 2 * rng.beta(2, 2, size)
    day = rng.integers(0, 540, size)
    owed, found = np.ones(size, dtype=bool), []
    for number, later in enumerate(DAYS, 1):
        hour = np.where(rng.random(size) < plan.by_schedule, own, rng.integers(0, 24, size))
        lifted = np.where(hour == plan.best, plan.lift, 1.0) if plan.best is not None else 1.0
        paid = owed & (rng.random(size) < np.minimum(chance * 0.8 ** (number - 1) * lifted, 1))
        for case in np.flatnonzero(owed):
            at = BEGAN + timedelta(days=int(day[case]) + later, hours=int(hour[case]))
            said = list(CODES)[code[case]]
            found.append(RetryCount(at, int(hour[case]), number, said, 1, int(paid[case])))
        owed &= ~paid
    return found, Counter(own.tolist())
