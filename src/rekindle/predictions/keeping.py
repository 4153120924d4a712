"""The scores of a day as rows of the facts' table ``scores``, to be kept with their instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rekindle.config import LifecycleSettings, ScoresSettings
from rekindle.errors import UsageError
from rekindle.facts import CONTRACTS, OWN_SCORES, Facts
from rekindle.predictions.lapsing import LapseRun, estimate_lapses
from rekindle.predictions.scoring import (
    EPOCH,
    Run,
    ScoreRun,
    estimate_returns,
    load_past,
)
from rekindle.vocabulary import Unknown

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class DayOfScores:
    """Everything foreseen on a day. ``rows`` are those of the table ``scores``.

    A model that could not be learned is an ``Unknown`` with its reason, and its columns are
    empty; one of the two there always is.
    """

    rows: pa.Table
    returns: ScoreRun | Unknown
    lapses: LapseRun | Unknown
    scored_at: datetime
    good_until: date
    warnings: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is to be told of it: what weakens it, and what could not be learned."""
        told = [*self.warnings]
        if isinstance(self.returns, Unknown):
            told.append(f"no model of returns can be learned: {self.returns.reason}")
        if isinstance(self.lapses, Unknown):
            told.append(f"no early warning can be learned: {self.lapses.reason}")
        return tuple(told)


def score_day(
    facts: Facts,
    run: Run,
    lifecycle: LifecycleSettings,
    settings: ScoresSettings,
    *,
    as_of: datetime,
    contacted: Collection[str] = (),
    accepts_less: bool = False,
) -> DayOfScores:
    """Return the scores of ``as_of``, by the tiers of ``lifecycle``.

    ``scored_at`` is the last instant of which anything was known, so that a profile at
    ``as_of`` sees them, and none before.

    Raises:
        UsageError: neither model can be learned, or less than a year of orders is known.
    """
    past = load_past(facts, run, as_of=as_of, contacted=contacted, accepts_less=accepts_less)
    returns = estimate_returns(past, settings.horizon_days)
    lapses = estimate_lapses(past, facts, run, lifecycle)
    if isinstance(returns, Unknown) and isinstance(lapses, Unknown):
        raise UsageError(f"nothing can be foreseen: {returns.reason}; {lapses.reason}")
    same: dict[str, Any] = {
        "source": OWN_SCORES,
        "scored_at": as_of - MOMENT,
        "good_until_on": EPOCH + timedelta(days=past.today + max(1, settings.good_for.days)),
        "horizon_days": settings.horizon_days,
    }
    rows = _rows(returns, lapses, same)
    return DayOfScores(
        rows, returns, lapses, same["scored_at"], same["good_until_on"], past.warnings
    )


def _rows(
    returns: ScoreRun | Unknown, lapses: LapseRun | Unknown, same: Mapping[str, Any]
) -> pa.Table:
    found: dict[str, dict[str, Any]] = {}
    if not isinstance(returns, Unknown):
        for row in returns.rows.to_pylist():
            chance = _share(row["return_probability"])
            found[row["customer_id"]] = {**row, "return_probability": chance}
    if not isinstance(lapses, Unknown):
        for row in lapses.rows.to_pylist():
            risk = _share(row["lapse_risk"])
            found.setdefault(row["customer_id"], {}).update(row, lapse_risk=risk)
    schema = CONTRACTS["scores"].schema.to_pyarrow()
    rows = [{name: {**row, **same}.get(name) for name in schema.names} for row in found.values()]
    return pa.Table.from_pylist(rows, schema=schema)


def _share(value: float) -> Decimal:
    """Return a chance as the table holds it, to four digits."""
    return Decimal(f"{value:.4f}")


def tell_staleness(facts: Facts, run: Run, at: datetime) -> str:
    """Return what is to be said of the scores that profiles of ``at`` show; empty if they count."""
    if not facts.has_scores:
        return "no scores are kept yet; `rekindle score --keep` keeps them"
    scores = facts.cut(at).more["scores"]
    newest = run(scores.agg(at=scores.scored_at.max(), until=scores.good_until_on.max()))
    (row,) = newest.to_pylist()
    if row["at"] is None:
        return "no scores were kept by then"
    zone = ZoneInfo(facts.zone)
    if row["until"] >= at.astimezone(zone).date():
        return ""
    return (
        f"the newest scores are of {row['at'].astimezone(zone).date()} and counted until "
        f"{row['until']}: all that models foresee is blank; `rekindle score --keep` renews it"
    )
