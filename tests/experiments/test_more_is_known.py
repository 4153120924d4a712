"""Several arms, clusters, figures from before, and arms that are not as planned."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.experiments import (
    Adjustment,
    ArmOutcome,
    ArmSums,
    Cluster,
    PairSums,
    adjust_clusters,
    ask_of_clusters,
    find_adjustment,
    find_mismatch,
    share_level,
    tell,
)
from rekindle.vocabulary import Unknown


def draw_arms(rng: np.random.Generator) -> list[ArmOutcome]:
    """Return a holdout and three arms, all alike."""
    return [
        ArmOutcome(people, tuple(rng.gamma(1.2, 80, rng.binomial(people, 0.02))))
        for people in (500, 1_500, 1_500, 1_500)
    ]


@pytest.mark.parametrize("is_dealt", [True, False])
def test_three_arms_share_their_level(is_dealt: bool) -> None:
    holdout, *arms = draw_arms(np.random.default_rng(3))
    named = {str(number): arm.sums for number, arm in enumerate(arms)}
    values = [x for arm in (holdout, *arms) for x in arm.values] if is_dealt else None
    level = share_level(holdout.sums, named, values)
    # Dunnett's bound lies between one comparison's and Bonferroni's.
    assert 0.95 < level.confidence < 1 - 0.05 / 3
    assert level.adjust(1 - level.confidence) == pytest.approx(0.05, abs=0.002)
    assert level.adjust(0.9) >= 0.9


def pairs(rng: np.random.Generator, people: int, lift: float) -> list[PairSums]:
    halves = []
    for _ in range(2):
        x = rng.gamma(2, 10, people // 2)
        y = lift + 0.8 * x + rng.normal(0, 8, people // 2)
        halves.append(PairSums(x.size, *map(float, (x.sum(), y.sum(), x @ x, x @ y, y @ y))))
    return halves


def test_a_figure_from_before_takes_off_what_it_explains() -> None:
    rng = np.random.default_rng(7)
    found = find_adjustment(pairs(rng, 4_000, 1.0), pairs(rng, 1_000, 0.0), (4_000, 1_000))
    assert isinstance(found, Adjustment)
    # 0.8^2 x 200 of 0.8^2 x 200 + 64 is explained.
    assert found.saving == pytest.approx(128 / 192, abs=0.03)
    assert found.is_used


def test_a_figure_that_explains_nothing_is_not_used() -> None:
    rng = np.random.default_rng(8)
    plain = [PairSums(500, 1_000, 2_000, 4_000 + rng.random(), 4_010, 9_000) for _ in range(2)]
    found = find_adjustment(plain, plain, (1_000, 1_000))
    assert isinstance(found, Adjustment)
    assert not found.is_used


def test_a_figure_that_is_the_same_for_everybody_says_so() -> None:
    same = [PairSums(10, 20.0, 5.0, 40.0, 10.0, 9.0)] * 2
    assert find_adjustment(same, same, (20, 20)) == Unknown(
        "the figure from before is the same for everybody"
    )


def test_households_that_act_as_one_widen_the_interval() -> None:
    rng = np.random.default_rng(9)

    def households(count: int) -> list[Cluster]:
        return [Cluster(3, 3.0 * float(rng.random() < 0.3)) for _ in range(count)]

    def people(clusters: list[Cluster]) -> ArmSums:
        return ArmOutcome.of_count(3 * len(clusters), int(sum(c.total for c in clusters))).sums

    treated, held = households(400), households(200)
    asked = ask_of_clusters(treated, held, (people(treated), people(held)), 0.95)
    assert not isinstance(asked, Unknown)
    question, reach = asked
    # Three people who do the same count as one.
    assert question.factor == pytest.approx(3, rel=0.02)
    lift = tell(question, reach, "visit", "clusters")
    assert lift.low < lift.difference < lift.high


def draw_households(
    rng: np.random.Generator, count: int, lift: float
) -> tuple[list[Cluster], ArmSums]:
    """Return households that spend as they did before, more or less, and their people's sums."""
    clusters, spent = [], []
    for _ in range(count):
        people = int(rng.integers(1, 5))
        taste = rng.gamma(2, 10)
        before = taste + rng.normal(0, 4, people)
        after = np.maximum(lift + taste + rng.normal(0, 8, people), 0.01)
        half = int(rng.random() < 0.5)
        clusters.append(Cluster(people, float(after.sum()), people, float(before.sum()), half))
        spent += after.tolist()
    return clusters, ArmOutcome(len(spent), tuple(spent)).sums


def test_what_households_spent_before_narrows_their_interval() -> None:
    rng = np.random.default_rng(11)
    (treated, mine), (held, theirs) = (draw_households(rng, 300, lift) for lift in (2.0, 0.0))
    adjusted = adjust_clusters(treated, held)
    assert not isinstance(adjusted, Unknown)
    found, (changed, others) = adjusted
    assert found.is_used
    lifts = []
    for clusters in ((treated, held), (changed, others)):
        asked = ask_of_clusters(*clusters, (mine, theirs), 0.95)
        assert not isinstance(asked, Unknown)
        lifts.append(tell(*asked, "spend", "clusters"))
    plain, narrow = lifts
    assert narrow.high - narrow.low < 0.6 * (plain.high - plain.low)
    assert narrow.low < 2.0 < narrow.high
    shift = found.shifts[0] - found.shifts[1]
    assert narrow.difference == pytest.approx(plain.difference + shift)


@pytest.mark.long
def test_adjusted_clusters_miss_the_truth_as_often_as_they_say() -> None:
    rng, missed, worlds = np.random.default_rng(12), 0, 400
    for _ in range(worlds):
        (treated, mine), (held, theirs) = (draw_households(rng, 60, 0.0) for _ in range(2))
        adjusted = adjust_clusters(treated, held)
        assert not isinstance(adjusted, Unknown)
        asked = ask_of_clusters(*adjusted[1], (mine, theirs), 0.9)
        assert not isinstance(asked, Unknown)
        lift = tell(*asked, "spend", "clusters")
        missed += not lift.low <= 0 <= lift.high
    assert 0.07 <= missed / worlds <= 0.13  # of 10 %, two standard errors


def test_clusters_without_the_figure_from_before_are_left_as_they_are() -> None:
    plain = [Cluster(2, 3.0, half=0), Cluster(2, 5.0, half=1)] * 3
    assert adjust_clusters(plain, plain) == Unknown("nobody has the figure from before")


def test_too_few_clusters_say_so() -> None:
    sums = ArmSums(3), ArmSums(3)
    assert isinstance(ask_of_clusters([Cluster(3, 1.0)], [Cluster(3, 0.0)], sums, 0.95), Unknown)


def test_arms_of_the_planned_sizes_pass_and_others_do_not() -> None:
    even = {"a": 1, "b": 1}
    # scipy.stats.chisquare([821, 845]), scipy 1.17.1
    assert find_mismatch({"a": 821, "b": 845}, even) == pytest.approx(0.5565355)
    wrong = find_mismatch({"a": 821, "b": 1_045}, even)
    assert isinstance(wrong, float)
    assert wrong < 1e-6
    assert isinstance(find_mismatch({"a": 1, "b": 2}, {}), Unknown)


@pytest.mark.parametrize(
    ("shares", "words"),
    [({"a": 1}, "no share"), ({"a": 1, "b": 1, "c": 1}, "nobody"), ({"a": 0, "b": 1}, "above 0")],
)
def test_planned_shares_fit_the_arms(shares: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_mismatch({"a": 5, "b": 5}, shares)
