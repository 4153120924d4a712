"""Who is about to lapse, and when the next order comes, is foreseen by what was known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from rekindle.config import LifecycleSettings, ScoresSettings
from rekindle.errors import UsageError
from rekindle.facts import Engine
from rekindle.predictions import LapseRun, estimate_lapses, load_past, score_day
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import Sale, SmallShop
from rekindle.vocabulary import Unknown
from tests.predictions.test_scores import END, START, town

SETTINGS = LifecycleSettings()
CUT = START + timedelta(days=480)


@pytest.fixture(scope="module")
def shop() -> Iterator[Engine]:
    engine = SmallShop(town()).engine()
    yield engine
    engine.close()


def warn(engine: Engine, at: datetime, **more: object) -> LapseRun:
    facts = engine.facts()
    past = load_past(facts, engine.run, as_of=at, **more)  # type: ignore[arg-type]
    found = estimate_lapses(past, facts, engine.run, SETTINGS)
    assert isinstance(found, LapseRun)
    return found


def lines(engine: Engine, at: datetime) -> dict[str, int]:
    """Return by person in how many days they lapse."""
    columns = ("customer_id", "tier", "silence_days", "lapsed_after_days")
    rows = engine.run(build_profiles(engine.facts(), at, SETTINGS, columns=columns)).to_pylist()
    return {
        row["customer_id"]: int(np.ceil(row["lapsed_after_days"])) - row["silence_days"]
        for row in rows
        if row["tier"] in ("new", "active", "at_risk", "returned")
    }


@pytest.mark.long
def test_as_many_lapse_as_foreseen_and_those_first_who_are_at_risk(shop: Engine) -> None:
    left = lines(shop, CUT)
    rows = warn(shop, CUT).rows.to_pylist()
    assert {row["customer_id"] for row in rows} == set(left)
    came: dict[str, date] = {}
    for sale in sorted(town(), key=lambda sale: sale.at):
        if sale.at >= CUT:
            came.setdefault(str(sale.person), sale.at.date())
    lapsed = np.array(
        [
            came.get(row["customer_id"], date.max)
            >= CUT.date() + timedelta(left[row["customer_id"]])
            for row in rows
        ]
    )
    risk = np.array([row["lapse_risk"] for row in rows])
    assert 0.8 < risk.mean() / lapsed.mean() < 1.2
    likely, unlikely = np.array_split(lapsed, 2)
    assert likely.mean() > unlikely.mean() + 0.2
    within = [
        row["next_order_low_on"]
        <= came[row["customer_id"]]
        <= (row["next_order_high_on"] or date.max)
        for row in rows
        if row["customer_id"] in came
    ]
    assert np.mean(within) > 0.75


@pytest.mark.long
def test_nothing_later_is_known(shop: Engine) -> None:
    engine = SmallShop([sale for sale in town() if sale.at < CUT]).engine()
    assert warn(shop, CUT).rows.equals(warn(engine, CUT).rows)
    engine.close()


def test_days_ascend_and_lie_ahead(shop: Engine) -> None:
    for row in warn(shop, END).rows.to_pylist():
        days = [row[f"next_order{end}_on"] or date.max for end in ("_low", "", "_high")]
        assert END.date() <= days[0] <= days[1] <= days[2]
        assert 0 <= row["lapse_risk"] <= 1


def test_who_was_written_to_is_learned_from_and_it_is_said(shop: Engine) -> None:
    people = sorted({str(sale.person) for sale in town()})
    found = warn(shop, END, contacted=people[:100])
    assert found.learned_from == len(people)
    assert f"100 people of {len(people)} were written to" in found.warnings[0]


@pytest.mark.parametrize(
    ("sales", "said"),
    [
        ([], "nothing can be foreseen: nobody has ordered yet"),
        (town(people=2), "50 have to come"),
        (town(days=300), "less than a year"),
    ],
)
def test_a_day_of_which_too_little_is_known_is_refused(sales: list[Sale], said: str) -> None:
    engine = SmallShop(sales).engine()
    with pytest.raises(UsageError, match=said):
        score_day(engine.facts(), engine.run, SETTINGS, ScoresSettings(), as_of=END)
    engine.close()


def test_one_model_that_cannot_be_learned_leaves_the_other(shop: Engine) -> None:
    """Where everybody orders every week nobody is silent for 30 days."""
    sales = [
        Sale(f"p{person}", START + timedelta(days=7 * week + person % 7))
        for person in range(30)
        for week in range(60)
        if (person * week) % 11 or week < 3
    ]
    engine = SmallShop(sales).engine()
    at = START + timedelta(days=425)
    day = score_day(engine.facts(), engine.run, SETTINGS, ScoresSettings(), as_of=at)
    assert isinstance(day.returns, Unknown)
    assert any("no model of returns" in note for note in day.notes)
    assert set(day.rows["return_probability"].to_pylist()) == {None}
    assert min(day.rows["lapse_risk"].to_pylist()) >= 0
    engine.close()
