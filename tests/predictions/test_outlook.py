"""Forecasts of returns with their ranges, over cuts given as counts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from rekindle.predictions import Outlook, PastCut, foresee, past_days, warn_of_season
from rekindle.predictions.outlook import STEPS
from rekindle.vocabulary import Unknown

AT = datetime(2024, 6, 1, tzinfo=UTC)


def outlook(*cuts: tuple[int, int]) -> Outlook:
    found = foresee([PastCut(AT, people, returned) for people, returned in cuts])
    assert isinstance(found, Outlook)
    return found


def test_the_newest_cut_with_an_outcome_is_the_forecast() -> None:
    assert outlook((1_000, 300), (1_000, 100)).share == pytest.approx(0.3, abs=0.001)


def test_a_cut_with_too_few_people_is_passed_over() -> None:
    assert outlook((9, 9), (1_000, 100)).share == pytest.approx(0.1, abs=0.001)
    assert isinstance(foresee([PastCut(AT, 9, 3)]), Unknown)
    assert isinstance(foresee([]), Unknown)


def test_a_shop_whose_share_moves_gets_a_wider_range_than_a_steady_one() -> None:
    steady = outlook(*[(20_000, 6_000)] * 8).share_of(20_000)
    moving = outlook(*[(20_000, 6_000), (20_000, 6_000), (20_000, 1_500), (20_000, 1_500)] * 2)
    wide = moving.share_of(20_000)
    assert (wide.high - wide.low) > 1.5 * (steady.high - steady.low)


def test_a_small_holdout_is_less_sure_than_a_large_one() -> None:
    found = outlook(*[(2_000, 400)] * 8)
    small, large = found.share_of(20), found.share_of(2_000)
    assert small.low < large.low < large.value < large.high < small.high


def test_the_range_holds_four_outcomes_in_five_of_shares_that_move_as_they_did() -> None:
    # 400 shops whose log odds move by .4 (standard deviation) from one horizon to the next.
    draw = np.random.default_rng(20261128)
    held = []
    for _ in range(400):
        odds = -1 + np.cumsum(draw.normal(0, 0.4 / STEPS**0.5, 9))
        came = draw.binomial(500, 1 / (1 + np.exp(-odds)))[::-1].tolist()
        found = outlook(*[(500, one) for one in came[STEPS:]]).of(500)
        held.append(found.low <= came[0] <= found.high)
    assert 0.74 <= np.mean(held) <= 0.86


def test_past_cuts_have_their_outcome_and_some_history_before_them() -> None:
    days = past_days(365, 90)
    assert days[:3] == (90, 135, 180)
    assert max(days) <= 365 - 60
    assert past_days(149, 90) == ()


def test_a_short_history_and_a_peak_behind_are_said_loudly() -> None:
    short, peak = warn_of_season(200, 90, recent=20, before=10)
    assert "LESS THAN A YEAR" in short
    assert "100 % more orders a day" in peak
    assert warn_of_season(800, 90, recent=10, before=10) == []


def test_the_sentence_names_who_is_held_out_and_how_sure_it_is() -> None:
    said = outlook(*[(500, 100)] * 8).tell(200, "the 200 held out")
    assert "about 40 are expected" in said
    assert "at 6 pairs of past cuts of this shop" in said
    assert "too short to have checked any" in outlook((500, 100)).tell(200, "the 200 held out")
