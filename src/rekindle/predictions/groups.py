"""How many of a group will return, by the return model, and how far such forecasts were off.

The model is learned anew at past days, of what was known by then, and its share of the group
as it was on that day is held against who came. So it carries a range of its own (ADR 0055).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.facts import Facts
from rekindle.predictions.histories import Floats
from rekindle.predictions.outlook import (
    FEWEST_PEOPLE,
    STEPS,
    YEAR_DAYS,
    Outlook,
    PastCut,
    foresee_by_model,
)
from rekindle.predictions.parts import Run
from rekindle.predictions.returns import fit_returns
from rekindle.predictions.scoring import KnownPast, load_past
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, percent

LEARNED = 10_000
"""People the model of a group is learned from: a share needs fewer than a score a person."""
COVERED = 0.95
"""The model is of silences of 30 days or more; of a group at most the rest may be others."""
MOST_ORDERS = 3_000_000
"""A longer history is not read into memory for a forecast of groups."""


@dataclass(frozen=True)
class PastGroup:
    """A group as it was so many days ``ago``, and what became of it."""

    ago: int
    people: pa.Array | pa.ChunkedArray
    cut: PastCut


class GroupModels:
    """The return models of today and of past days, each learned when it is first asked."""

    def __init__(self, past: KnownPast, horizon_days: int) -> None:
        self._past = past
        self._horizon = horizon_days
        self._learned = past.learned.without(frozenset(), LEARNED)
        self._people = pa.array(past.histories.people, pa.string())
        self._found: dict[int, Floats | Unknown] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what weakens all that the models say."""
        return self._past.warnings

    def foresee(
        self, people: pa.Array | pa.ChunkedArray, before: Sequence[PastGroup]
    ) -> Outlook | Unknown:
        """Return how many of ``people`` will return, or why the model does not say.

        ``before`` is the same group at past days, newest first, and says how wrong that is.
        """
        share = self._share(people, 0)
        if isinstance(share, Unknown):
            return share
        judged = []
        for group in before[:STEPS]:
            told = self._share(group.people, group.ago)
            if group.cut.people >= FEWEST_PEOPLE and not isinstance(told, Unknown):
                judged.append((told, group.cut))
        if not judged:
            return Unknown("at no past day the model could be held against what came")
        return foresee_by_model(share, judged)

    def _share(self, people: pa.Array | pa.ChunkedArray, ago: int) -> float | Unknown:
        chance = self._chances(ago)
        if isinstance(chance, Unknown):
            return chance
        if not len(people):
            return Unknown("nobody is in the group")
        places = pc.index_in(people.cast(pa.string()), value_set=self._people).drop_null()
        found = chance[places.to_numpy()]
        found = found[np.isfinite(found)]
        if found.size < COVERED * len(people):
            return Unknown(
                f"{percent(1 - found.size / len(people))} of the group have been silent for less "
                "than 30 days, of which the return model says nothing"
            )
        return float(found.mean())

    def _chances(self, ago: int) -> Floats | Unknown:
        if ago not in self._found:
            self._found[ago] = self._learn(ago)
        return self._found[ago]

    def _learn(self, ago: int) -> Floats | Unknown:
        day = self._past.today - ago
        model = fit_returns(self._learned.before(day), day)
        if isinstance(model, Unknown):
            return model
        # Of today what was ordered before the hour is known; of a past day nothing of it.
        known = self._past.histories.known(day if ago else day + 1)
        return model.estimate(known, day, self._horizon)[0]


def load_group_models(
    facts: Facts,
    run: Run,
    *,
    as_of: datetime,
    horizon_days: int,
    days_known: int,
    contacted: Collection[str] = (),
) -> GroupModels | Unknown:
    """Return the models of groups at ``as_of``, or why there are none.

    ``days_known`` is how long the history is, and the ``contacted`` were written to before.
    """
    if days_known < YEAR_DAYS:
        return Unknown(f"less than a year is known ({counted(days_known, 'day')})")
    orders = run(facts.cut(as_of).orders.count().as_table()).column(0)[0].as_py()
    if not orders:
        return Unknown("nobody has ordered yet")
    if orders > MOST_ORDERS:
        return Unknown(f"{orders:,} orders are more than a forecast of groups reads")
    past = load_past(facts, run, as_of=as_of, contacted=contacted, accepts_less=True)
    return GroupModels(past, horizon_days)
