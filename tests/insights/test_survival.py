from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from rekindle.insights.survival import Interval, Survival, estimate_survival
from rekindle.vocabulary import Unknown

FIGURES = Path(__file__).parents[1] / "experiments" / "figures"


def survival_of(file: str, ended: str, lasting: str) -> Survival:
    """Return the curve of a file with a list of counts for each way to stand."""
    figures = tomllib.loads((FIGURES / file).read_text(encoding="utf-8"))
    days = np.arange(len(figures[ended]))
    return estimate_survival(
        np.concatenate((days, days)),
        np.repeat((True, False), days.size),
        figures[ended] + figures[lasting],
    )


def lengths(
    *days: int, ended: bool = True, each: int = 100
) -> tuple[list[int], list[bool], list[int]]:
    return list(days), [ended] * len(days), [each] * len(days)


def interval(survival: Survival, *, after: int, within: int) -> Interval:
    found = survival.estimate_ending(after=after, within=within)
    assert isinstance(found, Interval)
    return found


def test_cdnow_customers_come_back_after_a_median_of_94_days() -> None:
    # Kaplan-Meier over 67,591 purchase days, 44,021 of them followed by another.
    survival = survival_of("cdnow_silences.toml", "ended", "lasting")
    assert survival.at_risk[0] == 67_591
    assert survival.ended.sum() == 44_021
    assert survival.median_days() == 94


@pytest.mark.parametrize(("month", "share"), [(12, 0.8432), (24, 0.7887), (72, 0.5928)])
def test_telephone_customers_stay_as_published(month: int, share: float) -> None:
    # The Kaplan-Meier check that accompanies IBM's telephone sample data.
    survival = survival_of("telco_tenure.toml", "churned", "staying")
    assert survival.share_beyond(month) == pytest.approx(share, abs=5e-5)


def test_greenwood_gives_the_textbook_standard_error() -> None:
    # Remission under 6-MP, Freireich et al., Blood 21 (1963), 699-716: S(10) = .7529, standard
    # error .0963 (Klein & Moeschberger, Survival Analysis, 2nd ed. (2003), § 4.2), ten of
    # each patient here, which leaves S as it is and divides the error by the root of ten.
    ended = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    lasting = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
    survival = estimate_survival(
        [*ended, *lasting],
        [True] * len(ended) + [False] * len(lasting),
        [10 * count for count in (*ended.values(), *lasting.values())],
    )
    found = interval(survival, after=0, within=10)
    assert 1 - found.value == pytest.approx(0.7529, abs=5e-5)
    # On the log-log scale the ends lie at S ** exp(±1.96 × error / (S × |log S|)).
    theta = 1.96 * 0.0963 / np.sqrt(10) / (0.7529 * -np.log(0.7529))
    assert found.high == pytest.approx(1 - 0.7529 ** np.exp(theta), abs=2e-4)
    assert found.low == pytest.approx(1 - 0.7529 ** np.exp(-theta), abs=2e-4)


def test_without_censoring_the_share_is_a_plain_count() -> None:
    survival = estimate_survival(*lengths(10, 20, 30, 40))
    assert interval(survival, after=10, within=20).value == pytest.approx(2 / 3)


def test_a_silence_that_ends_on_the_last_day_of_the_horizon_counts() -> None:
    survival = estimate_survival(*lengths(10, 20))
    assert interval(survival, after=0, within=10).value == pytest.approx(0.5)
    assert interval(survival, after=0, within=9).value == 0


def test_a_silence_that_lasts_still_is_no_return() -> None:
    survival = estimate_survival([10, 50], [True, False], [50, 50])
    assert interval(survival, after=0, within=40).value == pytest.approx(0.5)


def test_too_few_silences_followed_to_the_end_are_unknown() -> None:
    survival = estimate_survival([10, 50], [True, False], [500, 29])
    found = survival.estimate_ending(after=0, within=50)
    assert found == Unknown("29 silences were followed for 50 days; 30 are needed")


def test_nothing_is_known_of_no_silence() -> None:
    survival = estimate_survival([], [], [])
    assert isinstance(survival.median_days(), Unknown)
    assert isinstance(survival.estimate_ending(after=0, within=90), Unknown)
    assert survival.count_beyond(0) == 0


def test_where_none_returned_the_bound_is_exact() -> None:
    # Clopper-Pearson for 0 of 100 at 95 %: 1 - .025 ** (1 / 100) = .0362.
    survival = estimate_survival([50], [False], [100])
    found = interval(survival, after=0, within=40)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.0362, abs=5e-5)


def test_the_order_and_grouping_of_counts_do_not_matter() -> None:
    once = estimate_survival([5, 9], [True, False], [3, 4])
    split = estimate_survival([9, 5, 9, 5], [False, True, False, True], [1, 2, 3, 1])
    for name in ("days", "at_risk", "ended"):
        np.testing.assert_array_equal(getattr(once, name), getattr(split, name))
