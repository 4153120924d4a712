"""Reads an experiment's file and says whom each arm moves, and whether that may be relied on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rekindle.experiments import MISMATCH, find_mismatch, presume_shares
from rekindle.facts import TrialQuestion, open_trial
from rekindle.insights.tables import TextTable
from rekindle.insights.words import UNKNOWN
from rekindle.predictions import Uplift, build_traits, estimate_uplift
from rekindle.vocabulary import Unknown
from rekindle.wording import percent

MAY, MAY_NOT = "may", "may not"


@dataclass(frozen=True, slots=True)
class ArmUplift:
    """How well people can be put in order by what an arm did to an outcome of theirs.

    ``rows`` are the places of the people in the file, from 1, as in the order of the scores.
    """

    outcome: str
    arm: str
    uplift: Uplift | Unknown
    rows: Sequence[int]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the people."""
        found: dict[str, Any] = {"outcome": self.outcome, "arm": self.arm}
        if isinstance(self.uplift, Unknown):
            return found | {"may_exclude": False, "not_estimable": self.uplift.reason}
        parts = [
            {
                "people": part.people,
                "effect": None if isinstance(part.effect, Unknown) else part.effect,
            }
            for part in self.uplift.parts
        ]
        return found | {
            "people": self.uplift.people,
            "effect": self.uplift.effect,
            "qini": self.uplift.qini,
            "low": self.uplift.low,
            "high": self.uplift.high,
            "may_exclude": self.uplift.may_exclude,
            "not_moved": self.uplift.not_moved,
            "parts": parts,
        }


@dataclass(frozen=True, slots=True)
class UpliftReport:
    """Whom the arms of a file move. ``by`` are the columns people are told apart by."""

    assigned: Mapping[str, int]
    by: Sequence[str]
    found: Sequence[ArmUplift]

    def to_json(self) -> dict[str, Any]:
        """Return the report as documented JSON."""
        return {
            "version": 1,
            "assigned": dict(self.assigned),
            "by": list(self.by),
            "uplifts": [one.to_json() for one in self.found],
        }

    def rows(self) -> pa.Table:
        """Return a row for each person, outcome and arm with what they are scored."""
        parts = [
            pa.table(
                {
                    "row": pa.array(one.rows, pa.int64()),
                    "outcome": [one.outcome] * len(one.rows),
                    "arm": [one.arm] * len(one.rows),
                    "uplift": one.uplift.scores,
                }
            )
            for one in self.found
            if isinstance(one.uplift, Uplift)
        ]
        kept = ("row", "outcome", "arm", "uplift")
        return pa.concat_tables(parts) if parts else pa.table({name: [] for name in kept})


def measure_uplift(question: TrialQuestion) -> UpliftReport:
    """Return whom the arms of the file in ``question`` move, told apart by its columns ``by``.

    Arms that are not about as large as one another stop it: somebody was lost after the draw.

    Raises:
        SourceError: the file cannot be read as it is.
    """
    with open_trial(question) as reader:
        trial = reader.count()
        mismatch = find_mismatch(trial.assigned, presume_shares(trial.assigned))
        is_uneven = not isinstance(mismatch, Unknown) and mismatch < MISMATCH
        found = []
        for outcome in question.outcomes:
            people = reader.people(outcome)
            found += [
                _measure(people, question, outcome, arm, is_uneven=is_uneven)
                for arm in trial.assigned
                if arm != question.control
            ]
    return UpliftReport(trial.assigned, question.by, found)


def _measure(
    people: pa.Table, question: TrialQuestion, outcome: str, arm: str, *, is_uneven: bool
) -> ArmUplift:
    if is_uneven:
        reason = "the arms are not as large as drawn; find out who was lost before reading on"
        return ArmUplift(outcome, arm, Unknown(reason), ())
    arms = np.array(people["arm"].to_pylist())
    asked = np.flatnonzero((arms == arm) | (arms == question.control))
    kept = people.take(pa.array(asked))
    traits = build_traits({name: kept[f"by_{n}"] for n, name in enumerate(question.by)})
    value = kept["outcome"].to_numpy(zero_copy_only=False).astype(np.float64)
    uplift = estimate_uplift(traits, arms[asked] == arm, value)
    return ArmUplift(outcome, arm, uplift, kept["row"].to_pylist())


def uplift_tables(report: UpliftReport) -> tuple[TextTable, ...]:
    """Return one table an outcome, and the parts of those whose order means something."""
    outcomes = list(dict.fromkeys(one.outcome for one in report.found))
    return tuple(table for outcome in outcomes for table in _tables(report, outcome))


def _tables(report: UpliftReport, outcome: str) -> Iterator[TextTable]:
    found = [one for one in report.found if one.outcome == outcome]
    reasons = [
        f"{one.arm}: {one.uplift.reason}." for one in found if isinstance(one.uplift, Unknown)
    ]
    yield TextTable(
        outcome,
        ("arm", "effect", "Qini", "from", "to", "leave people out on its word"),
        tuple(_row(one) for one in found),
        (
            *reasons,
            "A Qini of 0 says nothing of whom to write to. Each person is scored by models that "
            "did not see them; the interval is 95 %.",
        ),
    )
    for one in found:
        if isinstance(one.uplift, Uplift) and one.uplift.may_exclude:
            yield TextTable(
                f"{outcome}: {one.arm} by tenths of people, those it moves most first",
                ("tenth", "people", "effect"),
                tuple(
                    (f"{place}", f"{part.people:,}", _say(part.effect))
                    for place, part in enumerate(one.uplift.parts, 1)
                ),
                (f"{percent(one.uplift.not_moved)} of the people have a score of 0 or less.",),
            )


def _row(one: ArmUplift) -> tuple[str, ...]:
    if isinstance(one.uplift, Unknown):
        return (one.arm, UNKNOWN, UNKNOWN, "", "", MAY_NOT)
    figures = (one.uplift.effect, one.uplift.qini, one.uplift.low, one.uplift.high)
    return (one.arm, *(_say(n) for n in figures), MAY if one.uplift.may_exclude else MAY_NOT)


def _say(number: float | Unknown) -> str:
    return UNKNOWN if isinstance(number, Unknown) else f"{number:.3g}"
