"""Whom a message moves: relied on only where the order of people holds out of sample."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from rekindle.predictions import Uplift, build_traits, estimate_uplift
from rekindle.vocabulary import Unknown

CELLS = Path(__file__).parent / "figures" / "hillstrom_cells.csv"
TRAITS = ("quarter", "history", "bought_mens", "bought_womens", "newbie")

Trial = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def people() -> Trial:
    """Return Hillstrom's people as far as the cells tell of them: traits, arm, outcomes."""
    lines = [one for one in CELLS.read_text(encoding="utf-8").splitlines() if one[0] != "#"]
    traits, arms, rows = [], [], []
    for cell in csv.DictReader(lines):
        size, visits = int(cell["people"]), int(cell["visits"])
        spends = [float(one) for one in cell["spends"].split(";") if one]
        assert len(spends) == int(cell["conversions"])
        channel = [float(cell["channel"] == word) for word in ("web", "multichannel")]
        traits += [[float(cell[name]) for name in TRAITS] + channel] * size
        arms += [cell["arm"]] * size
        rows += [(1, 1, one) for one in spends]
        rows += [(1, 0, 0)] * (visits - len(spends)) + [(0, 0, 0)] * (size - visits)
    values = np.array(rows, dtype=np.float64)
    names = ("visit", "conversion", "spend")
    return np.array(traits), np.array(arms), dict(zip(names, values.T, strict=True))


@pytest.mark.draws(3)
@pytest.mark.parametrize(
    ("arm", "outcome", "qini", "may_exclude"),
    [
        ("womens", "visit", 0.0075, True),
        ("womens", "conversion", 0.0007, True),
        ("womens", "spend", None, False),
        ("mens", "visit", None, False),
        ("mens", "spend", None, False),
    ],
)
def test_hillstrom(
    people: Trial, arm: str, outcome: str, qini: float | None, may_exclude: bool
) -> None:
    """The known result: who is to be left out is known of Womens' visits and conversions."""
    traits, arms, outcomes = people
    asked = (arms == arm) | (arms == "control")
    found = estimate_uplift(traits[asked], arms[asked] == arm, outcomes[outcome][asked])
    assert isinstance(found, Uplift)
    assert found.may_exclude is may_exclude
    assert found.low < found.qini < found.high
    if qini is not None:
        assert found.qini == pytest.approx(qini, rel=0.1)
        best, worst = found.parts[0].effect, found.parts[-1].effect
        assert isinstance(best, float)
        assert isinstance(worst, float)
        assert best > worst


def trial(size: int, seed: int, *, moved: float) -> Trial:
    """Return people of two traits, of whom those of the first trait are moved by so much."""
    roll = np.random.default_rng(seed)
    traits = roll.integers(0, 2, (size, 2)).astype(np.float64)
    treated = roll.random(size) < 0.5
    chance = 0.1 + 0.1 * traits[:, 1] + moved * traits[:, 0] * treated
    return traits, treated, {"visit": (roll.random(size) < chance).astype(np.float64)}


@pytest.mark.long
def test_an_order_that_means_something_is_found_with_its_size() -> None:
    """The Qini of a trait that half have and that moves by d, ordered right, is d ÷ 8."""
    held = 0
    for seed in range(12):
        traits, treated, outcomes = trial(4_000, seed, moved=0.1)
        found = estimate_uplift(traits, treated, outcomes["visit"])
        assert isinstance(found, Uplift)
        held += found.low < 0.1 / 8 < found.high
        assert found.scores[traits[:, 0] == 1].mean() > found.scores[traits[:, 0] == 0].mean()
    assert held >= 10


@pytest.mark.long
def test_where_nobody_is_moved_more_than_others_nobody_is_left_out() -> None:
    may = [
        estimate_uplift(traits, treated, outcomes["visit"])
        for traits, treated, outcomes in (trial(4_000, seed, moved=0) for seed in range(12))
    ]
    assert sum(isinstance(one, Uplift) and one.may_exclude for one in may) <= 2


def test_two_runs_agree() -> None:
    traits, treated, outcomes = trial(2_000, 5, moved=0.1)
    one, other = (estimate_uplift(traits, treated, outcomes["visit"]) for _ in range(2))
    assert isinstance(one, Uplift)
    assert isinstance(other, Uplift)
    assert (one.qini, one.low, one.high) == (other.qini, other.low, other.high)


def test_too_little_is_refused_with_its_reason() -> None:
    traits, treated, outcomes = trial(300, 1, moved=0)
    none = np.zeros((300, 0))
    for found, said in (
        (estimate_uplift(none, treated, outcomes["visit"]), "nothing is known of people"),
        (estimate_uplift(traits, treated, outcomes["visit"]), "too few outcomes"),
        (estimate_uplift(traits, treated | True, outcomes["visit"]), "nobody of one of the arms"),
    ):
        assert isinstance(found, Unknown)
        assert said in found.reason


@pytest.mark.parametrize(
    ("column", "columns"),
    [
        (["1", "2", None, "3"], [[1, 2, 2, 3], [0, 0, 1, 0]]),
        (["0", "1000", "0", "1000"], [[0, np.log1p(1000), 0, np.log1p(1000)]]),
        (["web", "web", "shop", None], [[0, 0, 0, 1], [0, 0, 1, 0]]),
        (["5", "5", "5", "5"], []),
        ([None, None, None, None], []),
        (["inf", "1", "2", "3"], [[2, 1, 2, 3], [1, 0, 0, 0]]),
    ],
)
def test_traits_are_numbers(column: list[str | None], columns: list[list[float]]) -> None:
    found = build_traits({"it": pa.chunked_array([pa.array(column, pa.string())])})
    assert found.shape == (4, len(columns))
    assert np.allclose(found, np.array(columns).reshape(-1, 4).T)
