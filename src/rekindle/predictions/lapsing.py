"""Scores of lapses: for everybody who has not lapsed, the risk of it and the next order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.predictions.histories import Days, Histories
from rekindle.predictions.parts import Run
from rekindle.predictions.scoring import KnownPast, write_scores
from rekindle.predictions.warning import NEVER, WarningModel, fit_warning
from rekindle.profiles import build_profiles
from rekindle.vocabulary import Tier, Unknown

BEFORE_LAPSED = (Tier.NEW, Tier.ACTIVE, Tier.AT_RISK, Tier.RETURNED)
NEXT = ("next_order_low_on", "next_order_on", "next_order_high_on")


@dataclass(frozen=True)
class LapseRun:
    """The early warning of a day, and what it was learned from.

    ``rows`` has ``customer_id``, ``lapse_risk`` (0-1, no order before one's own line of
    lapsed), and the days by which one, five and nine in ten such customers have ordered, empty
    beyond two years; the greatest risk first.
    """

    as_of: datetime
    rows: pa.Table
    model: WarningModel
    learned_from: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        return {**self.told(), "scores": [*self.scores()]}

    def told(self) -> dict[str, object]:
        """Return as JSON values what they were learned from, without the scores."""
        return {
            "version": 1,
            "as_of": self.as_of.isoformat(),
            "model": {
                "features": list(self.model.features),
                "people": self.learned_from,
                "landmarks": self.model.landmarks,
                "looks": self.model.rows,
                "orders": self.model.orders,
                "step_days": self.model.step,
            },
            "warnings": list(self.warnings),
        }

    def scores(self) -> Iterator[dict[str, object]]:
        """Yield one person's score after the other as JSON values."""
        return write_scores(self.rows)


def estimate_lapses(
    past: KnownPast, facts: Facts, run: Run, settings: LifecycleSettings
) -> LapseRun | Unknown:
    """Return the early warning of everybody in a tier before lapsed, or why there is none."""
    model = fit_warning(past.learned, past.today)
    if isinstance(model, Unknown):
        return model
    lines = load_lines(past, facts, run, settings)
    found = pa.concat_tables([_estimate_part(model, one, past, lines) for one in past.parts])
    found = found.sort_by([("risk", "descending"), ("customer_id", "ascending")])
    dates = {name: past.dates(found[name].to_numpy()) for name in NEXT}
    risk = np.round(found["risk"].to_numpy(), 6)
    rows = pa.table({"customer_id": found["customer_id"], "lapse_risk": risk, **dates})
    return LapseRun(past.as_of, rows, model, len(past.learned.people), past.warnings)


def _estimate_part(
    model: WarningModel, part: Histories, past: KnownPast, lines: pa.Table
) -> pa.Table:
    """Return the unrounded estimates of those of a part who have not lapsed."""
    left = find_days_left(lines, part)
    foreseen = model.estimate(part.known(past.today + 1), past.today, left)
    asked = np.flatnonzero(np.isfinite(foreseen.risk))
    days = np.where(foreseen.days == NEVER, np.nan, foreseen.days)[asked]
    return pa.table(
        {
            "customer_id": part.ids(asked),
            "risk": foreseen.risk[asked],
            **{name: days[:, place] for place, name in enumerate(NEXT)},
        }
    )


def load_lines(past: KnownPast, facts: Facts, run: Run, settings: LifecycleSettings) -> pa.Table:
    """Return of everybody who has not lapsed the days of silence, and after how many they do."""
    columns = ("customer_id", "tier", "silence_days", "lapsed_after_days")
    table = build_profiles(facts, past.as_of, settings, columns=columns)
    # As a text: an enum's member is none that an engine knows.
    before = table.filter(table.tier.isin([tier.value for tier in BEFORE_LAPSED]))
    return run(before.drop("tier"))


def find_days_left(lines: pa.Table, people: Histories) -> Days:
    """Return how many days are left before they lapse, by ``load_lines``; 0 for who has."""
    place = pc.index_in(pa.array(people.people, pa.string()), value_set=lines["customer_id"])
    silence, line = (
        lines[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("silence_days", "lapsed_after_days")
    )
    left = np.minimum(np.ceil(line) - silence, MOST_AHEAD).astype(np.int64)
    at = place.fill_null(-1).to_numpy()
    return np.where(at >= 0, left[at], 0) if left.size else np.zeros(at.size, dtype=np.int64)


MOST_AHEAD = 36_500
"""A line further off than a hundred years is not waited for."""
