"""A card per model: what it was learned from, how well it did out of time, what it is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.predictions.judging import Judgement, judge
from rekindle.predictions.lapsing import find_days_left, load_lines
from rekindle.predictions.parts import Run
from rekindle.predictions.returns import STEP, ReturnModel, fit_returns
from rekindle.predictions.scoring import EPOCH, KnownPast, load_past
from rekindle.predictions.warning import WarningModel, fit_warning
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

Kind = Literal["return", "lapse"]
MEANT = {
    "return": (
        "who is likely to order again without being asked, and when: to leave them alone, to time "
        "a message, to foresee how many come",
        "whom a message moves: who is likely to return needs one least. Nor whether somebody is "
        "gone for good, nor of people who were silent for less than 30 days",
    ),
    "lapse": (
        "who is about to lapse, and by when an order is due: to write before the silence is one",
        "whom a message moves, nor why somebody leaves, nor of people who lapsed already",
    ),
}
"""By kind: what a model may be used for, and what it says nothing of."""
TOLD = {
    "return": "ordered within {days} days",
    "lapse": "lapsed before the next order",
}


@dataclass(frozen=True)
class ModelCard:
    """Everything to be known of a model before somebody decides by it.

    ``weights`` are of standardised features: what one standard deviation more adds to the
    log-odds. ``judged`` is how a model learned at ``cut_on`` met what came until ``as_of``.
    ``sent_to`` of its people were written to before.
    """

    kind: Kind
    as_of: datetime
    first_on: date
    last_on: date
    people: int
    rows: int
    horizon_days: int
    weights: Mapping[str, float]
    cut_on: date
    judged: Judgement | Unknown
    warnings: tuple[str, ...]
    sent_to: int = 0

    @property
    def outcome(self) -> str:
        """Return in words what was foreseen."""
        return TOLD[self.kind].format(days=self.horizon_days)

    @property
    def is_for(self) -> str:
        """Return what it may be used for."""
        return MEANT[self.kind][0]

    @property
    def is_not_for(self) -> str:
        """Return what it says nothing of."""
        return MEANT[self.kind][1]

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values."""
        judged = self.judged
        return {
            "version": 1,
            "model": self.kind,
            "as_of": self.as_of.isoformat(),
            "learned_from": {
                "first_on": self.first_on.isoformat(),
                "last_on": self.last_on.isoformat(),
                "people": self.people,
                "sent_to": self.sent_to,
                "rows": self.rows,
            },
            "horizon_days": self.horizon_days,
            "weights": dict(self.weights),
            "cut_on": self.cut_on.isoformat(),
            "judged": {"not_estimable": judged.reason}
            if isinstance(judged, Unknown)
            else judged.to_json(),
            "is_for": self.is_for,
            "is_not_for": self.is_not_for,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class CardQuestion:
    """Of which model a card is asked for, on which day, by which tiers.

    ``contacted`` were written to before ``as_of``.
    """

    kind: Kind
    as_of: datetime
    horizon_days: int
    lifecycle: LifecycleSettings
    contacted: Collection[str] = ()
    accepts_less: bool = False


def build_card(facts: Facts, run: Run, asked: CardQuestion) -> ModelCard | Unknown:
    """Return the card of a model, or why there is no such model.

    It is judged out of time: learned once more of what was known a horizon earlier, and
    compared with what came since. The orders are read twice.

    Raises:
        UsageError: the history is shorter than a year, unless the question accepts less.
    """
    past = load_past(
        facts,
        run,
        as_of=asked.as_of,
        contacted=asked.contacted,
        accepts_less=asked.accepts_less,
    )
    model = _fit(past, asked.kind)
    if isinstance(model, Unknown):
        return model
    cut = asked.as_of - timedelta(days=asked.horizon_days)
    before = load_past(facts, run, as_of=cut, accepts_less=True)
    judged = _judge(before, past, facts, run, asked)
    days = past.histories.day
    return ModelCard(
        asked.kind,
        asked.as_of,
        EPOCH + timedelta(days=int(days.min())),
        EPOCH + timedelta(days=int(days.max())),
        len(past.learned.people),
        model.rows,
        asked.horizon_days,
        dict(zip(model.features, model.weights[1:].tolist(), strict=True)),
        EPOCH + timedelta(days=before.today),
        judged,
        past.warnings,
        past.sent_to,
    )


def _fit(past: KnownPast, kind: Kind) -> ReturnModel | WarningModel | Unknown:
    fit = fit_returns if kind == "return" else fit_warning
    return fit(past.learned, past.today)


def _judge(
    before: KnownPast, after: KnownPast, facts: Facts, run: Run, asked: CardQuestion
) -> Judgement | Unknown:
    """Return how the model of a horizon ago met what came since."""
    model = _fit(before, asked.kind)
    if isinstance(model, Unknown):
        ago = counted(asked.horizon_days, "day")
        return Unknown(f"{ago} earlier there was no model: {model.reason}")
    people = before.histories.people
    today, known = before.today, before.histories.known(before.today + 1)
    place = {person: number for number, person in enumerate(after.histories.people)}
    coming = after.histories.next_order(today + 1)
    # Who is not there any more was merged into somebody else meanwhile.
    next_on = np.array([coming[place[one]] if one in place else 0 for one in people])
    silence = (today - known.last).astype(np.float64)
    if isinstance(model, ReturnModel):
        chance, _ = model.estimate(known, today, asked.horizon_days)
        is_asked = np.isfinite(chance) & (silence >= STEP)
        came, recency = next_on > 0, -silence
    else:
        lines = load_lines(before, facts, run, asked.lifecycle)
        left = find_days_left(lines, before.histories)
        chance = model.estimate(known, today, left).risk
        is_asked = np.isfinite(chance) & (left <= asked.horizon_days)
        came, recency = (next_on == 0) | (next_on >= today + left), silence
    return judge(chance[is_asked], came[is_asked], recency[is_asked])
