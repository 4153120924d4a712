"""The models of buying give the parameters their papers print, and refuse what is no history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import UsageError
from rekindle.predictions import buying
from rekindle.predictions.buying import Fit
from rekindle.vocabulary import Unknown

FIGURES = Path(__file__).with_name("figures")
CDNOW = np.loadtxt(FIGURES / "cdnow_buying.csv", delimiter=",", skiprows=2).T
WORTH = np.loadtxt(FIGURES / "cdnow_worth.csv", delimiter=",", skiprows=2).T
# Gifts of 11,104 donors in six years (Fader, Hardie & Shang, Marketing Science 29(6), 2010).
GIFTS = {
    0: [3464],
    1: [1091, 277, 129, 78, 119, 129],
    2: [613, 255, 155, 173, 234],
    3: [322, 181, 225, 357],
    4: [240, 284, 512],
    5: [335, 728],
    6: [1203],
}
# Renewals of two cohorts (Fader & Hardie, Journal of Interactive Marketing 21(1), 2007).
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]


def donors() -> tuple[list[int], list[int], list[int], list[int]]:
    rows = [
        (gifts, gifts + place, 6, people)
        for gifts, counts in GIFTS.items()
        for place, people in enumerate(counts)
    ]
    x, last, n, people = zip(*rows, strict=True)
    return list(x), list(last), list(n), list(people)


PUBLISHED: dict[str, tuple[Callable[[], Fit | Unknown], list[float], float | None]] = {
    "BG/NBD": (lambda: buying.fit_bg_nbd(*CDNOW), [0.24259, 4.41353, 0.79289, 2.42575], -9582.4256),
    "MBG/NBD": (
        lambda: buying.fit_mbg_nbd(*CDNOW),
        [0.52484, 6.18299, 0.89136, 1.61400],
        -9582.1327,
    ),
    "Pareto/NBD": (
        lambda: buying.fit_pareto_nbd(*CDNOW),
        [0.55328, 10.5776, 0.60621, 11.6679],
        -9594.974,
    ),
    "Gamma-Gamma": (
        lambda: buying.fit_gamma_gamma(*WORTH),
        [6.2488, 3.74459, 15.44775],
        -4055.9232,
    ),
    "BG/BB": (
        lambda: buying.fit_bg_bb(*donors()),
        [1.20352, 0.74972, 0.65672, 2.78344],
        -33225.5813,
    ),
    "sBG, high end": (lambda: buying.fit_sbg(HIGH_END), [0.66809, 3.80609], None),
    "sBG, regular": (lambda: buying.fit_sbg(REGULAR), [0.70408, 1.18204], None),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameters_to_four_digits(name: str) -> None:
    fit, parameters, log_likelihood = PUBLISHED[name]
    found = fit()
    assert isinstance(found, Fit)
    assert list(found.parameters.values()) == pytest.approx(parameters, rel=2e-4)
    if log_likelihood is not None:
        assert found.log_likelihood == pytest.approx(log_likelihood, abs=6e-4)


def test_nobody_who_bought_twice_is_no_model() -> None:
    for fit in (buying.fit_bg_nbd, buying.fit_mbg_nbd, buying.fit_pareto_nbd, buying.fit_bg_bb):
        assert fit([0, 0], [0, 0], [30, 40], [5, 5]) == Unknown("nobody bought twice")


@pytest.mark.parametrize(
    "history",
    [
        ([1], [9], [8], [1]),
        ([1], [0], [8], [1]),
        ([0.5], [2], [8], [1]),
        ([-1], [2], [8], [1]),
        ([1], [float("nan")], [8], [1]),
        ([], [], [], []),
        ([1, 2], [1], [8], [1]),
        ([1], [2], [8], [0]),
    ],
)
def test_figures_that_are_no_history_are_refused(
    history: tuple[list[float], list[float], list[float], list[float]],
) -> None:
    for fit in (buying.fit_bg_nbd, buying.fit_mbg_nbd, buying.fit_pareto_nbd, buying.fit_bg_bb):
        with pytest.raises(UsageError):
            fit(*history)


def test_a_cohort_that_grows_is_refused_and_one_that_stays_says_nothing() -> None:
    with pytest.raises(UsageError, match="never become more"):
        buying.fit_sbg([100, 90, 95])
    assert buying.fit_sbg([100, 100, 100]) == Unknown("nobody left")
