"""Scores of returns: for everybody silent, the chance of an order, and when to expect it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.errors import UsageError
from rekindle.facts import Facts
from rekindle.predictions.histories import Floats, Histories, join_histories
from rekindle.predictions.parts import HistoryParts, Run
from rekindle.predictions.returns import ReturnModel, fit_returns
from rekindle.predictions.sends import find_sent
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, numbered

YEAR = 365
EPOCH = date(1970, 1, 1)
MOST_LEARNED = 50_000
"""People the model is learned from; more make it no better, only slower."""


@dataclass(frozen=True)
class ScoreRun:
    """The scores of a day, and what they were learned from.

    ``rows`` has ``customer_id``, ``return_probability`` (0-1, an order within ``horizon_days``)
    and ``expected_return_on`` (a date: of those who do return within them), likeliest first.
    ``sent_to`` of the people learned from were written to before.
    """

    as_of: datetime
    horizon_days: int
    rows: pa.Table
    model: ReturnModel
    learned_from: int
    warnings: tuple[str, ...]
    sent_to: int = 0

    def to_json(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        return {**self.told(), "scores": [*self.scores()]}

    def told(self) -> dict[str, object]:
        """Return as JSON values what they were learned from, without the scores."""
        return {
            "version": 1,
            "as_of": self.as_of.isoformat(),
            "horizon_days": self.horizon_days,
            "model": {
                "features": list(self.model.features),
                "people": self.learned_from,
                "sent_to": self.sent_to,
                "landmarks": self.model.landmarks,
                "silences": self.model.rows,
                "returns": self.model.orders,
            },
            "warnings": list(self.warnings),
        }

    def scores(self) -> Iterator[dict[str, object]]:
        """Yield one person's score after the other as JSON values."""
        return write_scores(self.rows)


def write_scores(rows: pa.Table) -> Iterator[dict[str, object]]:
    """Yield rows as JSON values, never many of them at once."""
    for batch in rows.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in row.items()
            }


NO_ORDERS = (
    "nothing can be learned without orders: the models learn the silences between them, and who "
    "subscribes has none. `rekindle plan` foresees who comes back by those who left before, and "
    "`rekindle audit` how long subscribers stay"
)


@dataclass(frozen=True)
class KnownPast:
    """What was known of orders before an instant, and of whom may be learned.

    ``today`` is the local day of ``as_of`` in days since 1970; ``parts`` are everybody's
    histories, some people's at a time. ``learned`` are the histories of those who teach, of whom
    ``sent_to`` were written to before. ``warnings`` say what weakens all that is learned from it.
    """

    as_of: datetime
    today: int
    parts: Iterable[Histories]
    learned: Histories
    warnings: tuple[str, ...]
    sent_to: int = 0

    @cached_property
    def histories(self) -> Histories:
        """Everybody's histories at once, which of a big shop is what takes the memory."""
        return join_histories([*self.parts])

    def dates(self, ahead: Floats) -> pa.Array:
        """Return the dates so many days from the day; none for what is no number."""
        days = np.rint(np.nan_to_num(ahead)).astype("timedelta64[D]")
        on = np.datetime64(EPOCH) + self.today + days
        return pa.array(on, pa.date32(), mask=~np.isfinite(ahead))


def load_past(
    facts: Facts,
    run: Run,
    *,
    as_of: datetime,
    contacted: Collection[str] = (),
    accepts_less: bool = False,
) -> KnownPast:
    """Return the orders known before ``as_of``.

    ``contacted`` are people who were written to before it; other systems may have written to more.
    They are learned from like all others, and it is said: who is written to has been silent for
    long, so that without them a long silence is mostly one that ended (docs/decisions/0092).
    ``run`` executes an expression (``Engine.run``).

    Raises:
        UsageError: the history is shorter than a year, unless ``accepts_less``; or there are
            subscriptions alone.
    """
    parts = HistoryParts(facts, run, as_of)
    people = parts.people
    if not len(people) and facts.has_subscriptions:
        raise UsageError(NO_ORDERS)
    is_ours = _is_in(people, contacted)
    is_written = pc.or_(is_ours, _is_in(people, find_sent(facts, run, as_of)))
    # Every n-th by their ids.
    every = np.arange(0, len(people), max(1, -(-len(people) // MOST_LEARNED)))
    sampled = parts.sample(people.take(every))
    warnings = []
    if sampled.first is not None and sampled.last is not None:
        ends = (sampled.first, sampled.last)
        warnings += _length(facts, run, *ends, accepts_less=accepts_less)
    if written := _count(is_written):
        warnings.append(_tell_written(written, written - _count(is_ours), len(people)))
    today = (as_of.astimezone(ZoneInfo(facts.zone)).date() - EPOCH).days
    sent_to = _count(is_written.take(every))
    return KnownPast(as_of, today, parts, sampled.histories, tuple(warnings), sent_to)


def score_returns(
    facts: Facts,
    run: Run,
    *,
    as_of: datetime,
    horizon_days: int,
    contacted: Collection[str] = (),
    accepts_less: bool = False,
) -> ScoreRun:
    """Return the scores of everybody who has been silent for 30 days or more at ``as_of``.

    Only what was known before ``as_of`` counts; the rest is as with ``load_past``.

    Raises:
        UsageError: too little is known to learn from, or the history is shorter than a year.
    """
    past = load_past(facts, run, as_of=as_of, contacted=contacted, accepts_less=accepts_less)
    found = estimate_returns(past, horizon_days)
    if isinstance(found, Unknown):
        raise UsageError(f"no model of returns can be learned: {found.reason}")
    return found


def estimate_returns(past: KnownPast, horizon_days: int) -> ScoreRun | Unknown:
    """Return the chance of an order within the horizon, or why there is no model."""
    model = fit_returns(past.learned, past.today)
    if isinstance(model, Unknown):
        return model
    found = pa.concat_tables([_estimate_part(model, one, past, horizon_days) for one in past.parts])
    found = found.sort_by([("chance", "descending"), ("customer_id", "ascending")])
    rows = pa.table(
        {
            "customer_id": found["customer_id"],
            "return_probability": np.round(found["chance"].to_numpy(), 6),
            "expected_return_on": past.dates(found["days"].to_numpy()),
        }
    )
    people = len(past.learned.people)
    return ScoreRun(past.as_of, horizon_days, rows, model, people, past.warnings, past.sent_to)


def _estimate_part(
    model: ReturnModel, part: Histories, past: KnownPast, horizon_days: int
) -> pa.Table:
    """Return the unrounded estimates of those of a part who are silent."""
    # What was ordered on that day before the hour is known, and a silence of none.
    chance, days = model.estimate(part.known(past.today + 1), past.today, horizon_days)
    asked = np.flatnonzero(np.isfinite(chance))
    return pa.table({"customer_id": part.ids(asked), "chance": chance[asked], "days": days[asked]})


def _is_in(people: pa.Array, others: Collection[str]) -> pa.Array:
    return pc.is_in(people, value_set=pa.array([*others], pa.string()))


def _count(are: pa.BooleanArray) -> int:
    return int(pc.sum(are).as_py() or 0)


def _tell_written(written: int, by_others: int, people: int) -> str:
    """Return what to say of people who were written to before."""
    others = f" ({by_others:,} by other systems alone, past_sends)" if by_others else ""
    return (
        f"{counted(written, 'person')} of {people:,} {numbered(written, 'was')} written to before "
        f"that day{others}: the model is learned from all of them, and what messages did is in it"
    )


def _length(facts: Facts, run: Run, first: int, last: int, *, accepts_less: bool) -> list[str]:
    """Return what to say of orders from a first to a last day that span no whole year.

    Who asks about a past day can see what became of it; who asks about today would act on it.

    Raises:
        UsageError: the whole history, later orders too, is shorter than a year.
    """
    span = last - first
    if span >= YEAR:
        return []
    newest = run(facts.orders.ordered_on.max().as_table()).column(0)[0].as_py()
    whole = (newest - EPOCH).days - first
    if whole < YEAR and not accepts_less:
        raise UsageError(
            f"orders of less than a year are known ({counted(whole, 'day')}): a model learned from "
            "them knows no season; --anyway goes on"
        )
    return [
        f"{counted(span, 'day')} of orders were known by then: returns of a season that was not "
        "seen yet are in no figure here"
    ]
