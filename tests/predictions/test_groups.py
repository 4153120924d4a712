"""The share of a group is foreseen by the return model, with how far it was off before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rekindle.config import LifecycleSettings
from rekindle.insights import build_audit
from rekindle.insights.model import DRIFTED
from rekindle.predictions import (
    GroupModels,
    Histories,
    KnownPast,
    Outlook,
    PastCut,
    PastGroup,
    foresee_by_model,
    load_group_models,
)
from rekindle.profiles import build_profiles
from rekindle.testing.small_shop import SmallShop
from rekindle.vocabulary import Unknown
from tests.predictions.test_scores import END, START, town

HORIZON = 60
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history(seed: int) -> Histories:
    """Return the generated shop as arrays, without an engine."""
    days = sorted({(str(one.person), (one.at - EPOCH).days) for one in town(seed=seed)})
    people = sorted({person for person, _ in days})
    place = {person: number for number, person in enumerate(people)}
    return Histories(
        tuple(people),
        np.array([place[person] for person, _ in days]),
        np.array([day for _, day in days]),
        np.ones(len(days)),
        np.zeros(len(days)),
        has_units=False,
    )


def group(whole: Histories, day: int, ago: int) -> PastGroup:
    """Return who had been silent for 40 to 200 days so many days before ``day``."""
    then = day - ago
    known = whole.known(then)
    is_in = (known.count > 0) & (then - known.last >= 40) & (then - known.last <= 200)
    people = pa.array([whole.people[one] for one in np.flatnonzero(is_in)])
    came = int(whole.bought_within(then, HORIZON)[is_in].sum())
    return PastGroup(ago, people, PastCut(EPOCH + timedelta(then), int(is_in.sum()), came))


def models(whole: Histories, day: int, *, learned: Histories | None = None) -> GroupModels:
    known = whole.before(day)
    past = KnownPast(EPOCH + timedelta(day), day, (known,), learned or known, ())
    return GroupModels(past, HORIZON)


def rolling(seed: int) -> list[tuple[Outlook, PastCut]]:
    """Return what was foreseen at past days of a shop, each with what came of it."""
    whole = history(seed)
    first = (START - EPOCH).days
    found = []
    for day in range(first + 400, first + 640, HORIZON // 2):
        now = group(whole, day, 0)
        before = [group(whole, day, ago) for ago in (HORIZON, HORIZON * 3 // 2)]
        outlook = models(whole, day).foresee(now.people, before)
        assert isinstance(outlook, Outlook)
        found.append((outlook, now.cut))
    return found


@pytest.mark.long
def test_at_rolling_cuts_the_ranges_hold_what_came() -> None:
    told = [one for seed in (5, 6) for one in rolling(seed)]
    ranges = [(outlook.of(came.people), came.returned) for outlook, came in told]
    held = [one.low <= came <= one.high for one, came in ranges]
    assert np.mean(held) >= 0.7
    assert 0.85 < sum(one.value for one, _ in ranges) / sum(came for _, came in ranges) < 1.15
    assert all(one.is_modelled and one.moves == 2 for one, _ in told)


def test_nothing_later_is_known() -> None:
    whole, day = history(5), (START - EPOCH).days + 500
    before = [group(whole, day, HORIZON)]
    people = group(whole, day, 0).people
    past = KnownPast(EPOCH + timedelta(day), day, (whole.before(day),), whole.before(day), ())
    told = GroupModels(past, HORIZON).foresee(people, before)
    # A model of a past day learns nothing of what came after it.
    cut = whole.before(day - HORIZON)
    early = KnownPast(EPOCH, day - HORIZON, (cut,), cut, ())
    then = GroupModels(early, HORIZON)._share(before[0].people, 0)
    assert GroupModels(past, HORIZON)._share(before[0].people, HORIZON) == pytest.approx(then)
    assert isinstance(told, Outlook)


def test_a_model_that_was_off_is_less_sure() -> None:
    cut = PastCut(EPOCH, 2_000, 400)
    right, wrong = foresee_by_model(0.2, [(0.2, cut)] * 2), foresee_by_model(0.2, [(0.5, cut)] * 2)
    assert wrong.spread > 2 * right.spread
    assert "2 past cuts of this shop" in right.tell(500, "the 500 held out")


def test_a_group_of_people_who_are_hardly_silent_is_not_foreseen() -> None:
    whole, day = history(5), (START - EPOCH).days + 500
    known = whole.known(day)
    lately = np.flatnonzero((known.count > 0) & (day - known.last < 30))
    people = pa.array([whole.people[one] for one in lately])
    found = models(whole, day).foresee(people, [group(whole, day, HORIZON)])
    assert isinstance(found, Unknown)
    assert "less than 30 days" in found.reason


def test_a_model_that_was_never_judged_says_nothing() -> None:
    whole, day = history(5), (START - EPOCH).days + 500
    assert isinstance(models(whole, day).foresee(group(whole, day, 0).people, []), Unknown)


@pytest.mark.long
def test_an_audit_of_more_than_a_year_is_foreseen_by_the_model() -> None:
    engine = SmallShop(town(people=250)).engine()
    at = START + timedelta(600)
    settings = LifecycleSettings(preset="consumables")
    audit = build_audit(engine.facts(), engine.run, as_of=at, settings=settings)
    outlook = audit.proof.outlook
    assert isinstance(outlook, Outlook)
    assert outlook.is_modelled
    assert audit.proof.holdout.expected_buyers == pytest.approx(
        audit.proof.holdout.share * audit.proof.holdout.people * outlook.share, rel=0.02
    )
    assert "by the return model" in audit.proof.sentence
    drifted = {one.value for one in DRIFTED}
    profiles = build_profiles(engine.facts(), at, settings, columns=("customer_id", "tier"))
    rows = engine.run(profiles).to_pylist()
    people = {row["customer_id"] for row in rows if row["tier"] in drifted}
    sales = (one for one in town(people=250) if at <= one.at < at + timedelta(90))
    came = len({one.person for one in sales} & people)
    found = outlook.of(len(people))
    assert found.low <= came <= found.high
    engine.close()


def test_a_year_has_to_be_known_and_who_was_written_to_is_learned_from() -> None:
    engine = SmallShop(town(people=200)).engine()
    facts, run = engine.facts(), engine.run
    short = load_group_models(facts, run, as_of=END, horizon_days=HORIZON, days_known=364)
    assert isinstance(short, Unknown)
    assert "less than a year" in short.reason
    everybody = {str(one.person) for one in town(people=200)}
    found = load_group_models(
        facts, run, as_of=END, horizon_days=HORIZON, days_known=700, contacted=everybody
    )
    assert isinstance(found, GroupModels)
    alone = load_group_models(facts, run, as_of=END, horizon_days=HORIZON, days_known=700)
    assert isinstance(alone, GroupModels)
    people = pa.array(sorted(everybody))
    assert found.foresee(people, []) == alone.foresee(people, [])
    engine.close()
