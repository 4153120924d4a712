"""Returns are foreseen by what was known, from who came back by themselves, or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from rekindle.config import LifecycleSettings, ScoresSettings
from rekindle.errors import UsageError
from rekindle.facts import Engine
from rekindle.predictions import (
    ScoreRun,
    build_purchase_days,
    read_histories,
    score_day,
    score_returns,
    scoring,
)
from rekindle.predictions.histories import join_histories
from rekindle.predictions.parts import HistoryParts
from rekindle.testing.small_shop import Sale, SmallShop
from tests.conftest import Shop
from tests.predictions.selection import foresee, simulate

LINES = (("mug", None, Decimal(4)), ("cup", None, Decimal(3)))
START = datetime(2023, 1, 1, 12, tzinfo=UTC)
END = START + timedelta(days=730)


def town(days: int = 730, people: int = 400, seed: int = 5) -> list[Sale]:
    """Return the sales of people who buy by a rhythm of their own until they stop."""
    roll = random.Random(seed)
    sales = []
    for number in range(people):
        gap, day = roll.choice([15, 40, 90]), float(roll.randrange(300))
        while day < days and roll.random() > 0.08:
            at = START + timedelta(days=day)
            sales.append(Sale(f"p{number:03}", at, gross=Decimal(roll.randrange(500, 9000)) / 100))
            day += roll.expovariate(1 / gap)
    return sales


@pytest.fixture(scope="module")
def shop() -> Iterator[Engine]:
    engine = SmallShop(town()).engine()
    yield engine
    engine.close()


def scores(engine: Engine, at: datetime, horizon: int = 90, **more: object) -> ScoreRun:
    return score_returns(engine.facts(), engine.run, as_of=at, horizon_days=horizon, **more)  # type: ignore[arg-type]


def test_what_is_foreseen_is_what_comes(shop: Engine) -> None:
    cut = START + timedelta(days=500)
    found = scores(shop, cut)
    came = {sale.person for sale in town() if cut <= sale.at < cut + timedelta(days=90)}
    chance = found.rows["return_probability"].to_numpy()
    is_back = np.array([one in came for one in found.rows["customer_id"].to_pylist()])
    assert found.warnings == ()
    assert 0.8 < chance.mean() / is_back.mean() < 1.25
    likely, unlikely = np.array_split(is_back, 2)
    assert likely.mean() > unlikely.mean() + 0.2


@pytest.mark.long
def test_nothing_later_is_known(shop: Engine) -> None:
    cut = START + timedelta(days=500)
    engine = SmallShop([sale for sale in town() if sale.at < cut]).engine()
    assert scores(shop, cut).rows.equals(scores(engine, cut).rows)
    engine.close()


@pytest.mark.long
def test_a_longer_horizon_is_never_less_likely_and_the_day_lies_within(shop: Engine) -> None:
    runs = {days: scores(shop, END, days).rows.to_pylist() for days in (1, 30, 31, 365)}
    by_id = {d: {row["customer_id"]: row for row in rows} for d, rows in runs.items()}
    for one in by_id[1]:
        chances = [by_id[days][one]["return_probability"] for days in runs]
        assert 0 <= chances[0] <= chances[1] <= chances[2] <= chances[3] <= 1
        for days in runs:
            ahead = by_id[days][one]["expected_return_on"] - END.date()
            assert timedelta(0) <= ahead <= timedelta(days=days)


def test_only_the_silent_are_scored(shop: Engine) -> None:
    last = {sale.person: sale.at for sale in sorted(town(), key=lambda sale: sale.at)}
    silent = {one for one, at in last.items() if (END.date() - at.date()).days >= 30}
    assert set(scores(shop, END).rows["customer_id"].to_pylist()) == silent


def sent_to(people: Iterable[str], **changes: object) -> Engine:
    """Return the town where another system wrote to these people before the end."""
    rows = [
        {"source": "mail", "customer_id": one, "channel": "email", "campaign": "Spring",
         "sent_at": END - timedelta(days=200), **changes}
        for one in people
    ]  # fmt: skip
    return SmallShop(town(), rows={"past_sends": rows}).engine()


@pytest.mark.long
def test_who_was_sent_something_by_another_system_is_learned_from_and_it_is_said() -> None:
    people = sorted({str(sale.person) for sale in town()})
    engine = sent_to(people[:100])
    found = scores(engine, END)
    assert (found.learned_from, found.sent_to) == (len(people), 100)
    assert "(100 by other systems alone, past_sends)" in found.warnings[0]
    assert found.to_json()["model"]["sent_to"] == 100  # type: ignore[index]
    earlier = scores(engine, END - timedelta(days=201))
    assert not earlier.warnings
    both = scores(engine, END, contacted=people[50:120])
    assert both.sent_to == 120
    assert "120 people of" in both.warnings[0]
    assert "(50 by other systems alone" in both.warnings[0]
    engine.close()


@pytest.mark.long
def test_who_was_kept_out_or_not_reached_is_learned_from() -> None:
    people = sorted({str(sale.person) for sale in town()})
    for changes in ({"arm": "control"}, {"bounced": True}):
        engine = sent_to(people[:100], **changes)
        assert (scores(engine, END).learned_from, scores(engine, END).warnings) == (len(people), ())
        engine.close()


def test_who_was_written_to_is_learned_from_and_it_is_said(shop: Engine) -> None:
    people = sorted({str(sale.person) for sale in town()})
    alone, found = scores(shop, END), scores(shop, END, contacted=people[:100])
    assert (found.learned_from, found.sent_to) == (len(people), 100)
    assert f"100 people of {len(people)} were written to before" in found.warnings[0]
    assert found.rows.equals(alone.rows)


@pytest.mark.long
@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_a_journey_that_writes_to_the_silent_does_not_bend_what_is_foreseen(effect: float) -> None:
    """Without whoever it wrote to the model took long silences for such that end: .77, not .51."""
    found = foresee(simulate(writes_after=180, held_out=0.1, effect=effect))
    assert abs(found.everybody - found.came) < 0.1
    assert abs(found.unwritten - found.came) > 0.2


@pytest.mark.parametrize(
    ("sales", "said"),
    [
        ([], "nobody has ordered yet"),
        (town(people=4), "50 have to end"),
        (town(days=300), "orders of less than a year are known (300 days)"),
    ],
)
def test_too_little_is_refused_with_its_reason(sales: list[Sale], said: str) -> None:
    engine = SmallShop(sales).engine()
    with pytest.raises(UsageError) as refusal:
        scores(engine, END)
    assert said in str(refusal.value)
    engine.close()


def test_a_past_day_with_less_than_a_year_is_scored_and_says_so(shop: Engine) -> None:
    found = scores(shop, START + timedelta(days=300))
    assert "of a season that was not seen yet" in found.warnings[0]


@pytest.mark.long
def test_returns_to_a_gift_shop(online_retail: Shop) -> None:
    """Bar: a hazard logistic of four features reached AUC .6616 at this cut."""
    from bench.models.returns import judge_scores

    engine = online_retail.engine
    cut = datetime(2010, 9, 8, 23, tzinfo=UTC)
    found = judge_scores(engine, engine.facts(), cut, silent=60, within=91)
    assert found.auc > 0.6616
    assert found.brier < 0.239


@pytest.mark.long
def test_people_are_scored_alike_however_many_are_held_at_once(
    shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = town()
    # Units are of one person alone, which is of no use to a model.
    lined = [replace(one, lines=LINES) if one.person == "p000" else one for one in sales]
    with_units = SmallShop(lined).engine()
    monkeypatch.setattr(scoring, "MOST_LEARNED", 150)  # every third of 400
    ours = sorted({str(sale.person) for sale in sales})[::7]
    for engine, features in ((shop, 4), (with_units, 6)):
        whole, whole_day = scores(engine, END, contacted=ours), day_of(engine)
        with monkeypatch.context() as patch:
            patch.setattr(scoring, "HistoryParts", partial(HistoryParts, most=61))
            apart, day = scores(engine, END, contacted=ours), day_of(engine)
        assert apart.rows.equals(whole.rows)
        assert day.equals(whole_day)
        assert (apart.learned_from, apart.warnings) == (whole.learned_from, whole.warnings)
        assert whole.learned_from <= 150
        assert len(apart.model.features) == len(whole.model.features) == features
    with_units.close()


def day_of(engine: Engine) -> pa.Table:
    settings = LifecycleSettings(), ScoresSettings()
    return score_day(engine.facts(), engine.run, *settings, as_of=END).rows


@pytest.mark.long
def test_no_part_of_the_people_is_read_twice_or_left_out(shop: Engine) -> None:
    parts = HistoryParts(shop.facts(), shop.run, END, most=61)
    read = [person for one in parts for person in one.people]
    assert read == parts.people.to_pylist()
    assert max(len(one.people) for one in parts) <= 61
    whole = read_histories(shop.run(build_purchase_days(shop.facts(), END)))
    joined = join_histories([*parts])
    assert joined.people == whole.people
    for name in ("person", "day", "worth", "units"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name))
