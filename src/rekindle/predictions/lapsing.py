"""Scores of lapses: for everybody who has not lapsed, the risk of it and the next order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.predictions.histories import Days
from rekindle.predictions.scoring import KnownPast, Run
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
        dates = [
            {name: None if row[name] is None else row[name].isoformat() for name in NEXT}
            for row in self.rows.to_pylist()
        ]
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
            "scores": [{**row, **on} for row, on in zip(self.rows.to_pylist(), dates, strict=True)],
        }


def estimate_lapses(
    past: KnownPast, facts: Facts, run: Run, settings: LifecycleSettings
) -> LapseRun | Unknown:
    """Return the early warning of everybody in a tier before lapsed, or why there is none."""
    model = fit_warning(past.learned, past.today)
    if isinstance(model, Unknown):
        return model
    left = load_days_left(past, facts, run, settings)
    foreseen = model.estimate(past.histories.known(past.today + 1), past.today, left)
    asked = np.flatnonzero(np.isfinite(foreseen.risk))
    asked = asked[np.argsort(-foreseen.risk[asked], kind="stable")]
    days = np.where(foreseen.days == NEVER, np.nan, foreseen.days)[asked]
    dates = {name: past.dates(days[:, place]) for place, name in enumerate(NEXT)}
    risk = np.round(foreseen.risk[asked], 6)
    rows = pa.table({"customer_id": past.ids(asked), "lapse_risk": risk, **dates})
    return LapseRun(past.as_of, rows, model, len(past.learned.people), past.warnings)


def load_days_left(past: KnownPast, facts: Facts, run: Run, settings: LifecycleSettings) -> Days:
    """Return of everybody how many days are left before they lapse; 0 for who has."""
    columns = ("customer_id", "tier", "silence_days", "lapsed_after_days")
    table = build_profiles(facts, past.as_of, settings, columns=columns)
    # As a text: an enum's member is none that an engine knows.
    rows = run(table.filter(table.tier.isin([tier.value for tier in BEFORE_LAPSED])))
    place = {person: number for number, person in enumerate(past.histories.people)}
    left = np.zeros(len(past.histories.people), dtype=np.int64)
    silence, line = (
        rows[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("silence_days", "lapsed_after_days")
    )
    for person, days in zip(rows["customer_id"].to_pylist(), np.ceil(line) - silence, strict=True):
        if (at := place.get(person)) is not None:
            left[at] = int(min(days, MOST_AHEAD))
    return left


MOST_AHEAD = 36_500
"""A line further off than a hundred years is not waited for."""
