"""The scores of a day as rows of the facts' table ``scores``, to be kept with their instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from rekindle.config import LifecycleSettings, ScoresSettings
from rekindle.errors import UsageError
from rekindle.facts import CONTRACTS, OWN_SCORES, Facts
from rekindle.predictions.lapsing import LapseRun, estimate_lapses
from rekindle.predictions.parts import Run
from rekindle.predictions.scoring import (
    EPOCH,
    ScoreRun,
    estimate_returns,
    load_past,
)
from rekindle.vocabulary import Unknown

MOMENT = timedelta(microseconds=1)
AT_ONCE = 100_000
DIGITS = pa.decimal128(18, 4)


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
    """Return a row for everybody in either; who is in both has one."""
    schema = CONTRACTS["scores"].schema.to_pyarrow()
    found = [one.rows for one in (returns, lapses) if not isinstance(one, Unknown)]
    parts = [found[0]]
    if len(found) == 2:
        first, second = found
        place = pc.index_in(first["customer_id"], value_set=second["customer_id"])
        more = second.drop_columns("customer_id").take(place)
        for name in more.column_names:
            parts[0] = parts[0].append_column(name, more[name])
        is_known = pc.is_in(second["customer_id"], value_set=first["customer_id"])
        parts.append(second.filter(pc.invert(is_known)))
    return pa.concat_tables([_as_contract(one, schema, same) for one in parts])


def _as_contract(rows: pa.Table, schema: pa.Schema, same: Mapping[str, Any]) -> pa.Table:
    """Return the rows with the columns of a schema, of which ``same`` are alike for all."""
    columns = []
    for field in schema:
        if field.name not in rows.column_names:
            columns.append(pa.repeat(pa.scalar(same.get(field.name), field.type), rows.num_rows))
        elif pa.types.is_decimal(field.type):
            columns.append(as_shares(rows[field.name]).cast(field.type))
        else:
            columns.append(rows[field.name].cast(field.type))
    return pa.table(columns, schema=schema)


def as_shares(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return chances as the table holds them, to four digits."""
    # A part at a time: decimals of Python take twenty times the room.
    parts = (values.slice(first, AT_ONCE) for first in range(0, len(values), AT_ONCE))
    return pa.chunked_array(
        [pa.array([_share(o) for o in one.to_pylist()], DIGITS) for one in parts], DIGITS
    )


def _share(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")


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
