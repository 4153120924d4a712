"""A card tells what a model was learned from, how it did out of time, and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import numpy as np
import pytest

from rekindle.config import LifecycleSettings
from rekindle.facts import Engine
from rekindle.insights import card_markdown, card_page
from rekindle.predictions import CardQuestion, Judgement, ModelCard, build_card, judge
from rekindle.testing.small_shop import SmallShop
from rekindle.vocabulary import Unknown
from tests.predictions.test_scores import END, START, town


@pytest.fixture(scope="module")
def shop() -> Iterator[Engine]:
    engine = SmallShop(town()).engine()
    yield engine
    engine.close()


def card(engine: Engine, kind: Literal["return", "lapse"], days: int = 730) -> ModelCard:
    at = START + timedelta(days=days)
    asked = CardQuestion(kind, at, 90, LifecycleSettings(), accepts_less=True)
    found = build_card(engine.facts(), engine.run, asked)
    assert isinstance(found, ModelCard)
    return found


@pytest.mark.long
@pytest.mark.parametrize("kind", ["return", "lapse"])
def test_a_card_judges_out_of_time(shop: Engine, kind: Literal["return", "lapse"]) -> None:
    found = card(shop, kind, days=600)
    assert isinstance(found.judged, Judgement)
    assert found.judged.auc > 0.6
    assert 0.6 < found.judged.ratio < 1.7
    assert found.cut_on == (START + timedelta(days=510)).date()
    page, text = card_page(found, "Wick & Mug"), card_markdown(found)
    assert page.count("<svg") == 1
    assert "by recency alone" in page
    assert "by recency alone" in text
    assert found.is_not_for in text


def test_what_cannot_be_judged_says_why(shop: Engine) -> None:
    found = card(shop, "return", days=150)
    assert isinstance(found.judged, Unknown)
    assert "90 days earlier there was no model" in card_markdown(found)
    assert "<svg" not in card_page(found)
    assert found.to_json()["judged"] == {"not_estimable": found.judged.reason}


def test_of_nobody_there_is_no_model() -> None:
    engine = SmallShop([]).engine()
    asked = CardQuestion("lapse", END, 90, LifecycleSettings())
    assert isinstance(build_card(engine.facts(), engine.run, asked), Unknown)
    engine.close()


def test_figures_of_a_known_case() -> None:
    """Forty people, the likelier half of whom came but for one pair that changed places."""
    chance = np.repeat([0.2, 0.8], 20)
    came = np.repeat([False, True], 20)
    came[[0, 39]] = [True, False]
    found = judge(chance, came, np.arange(40.0))
    assert isinstance(found, Judgement)
    assert (found.came, found.base_brier) == (0.5, 0.25)
    assert found.ratio == pytest.approx(1)
    assert found.brier == pytest.approx((38 * 0.04 + 2 * 0.64) / 40)
    # Of 400 pairs 361 are right, 38 tied and one is wrong.
    assert found.auc == pytest.approx((361 + 38 / 2) / 400)
    assert isinstance(judge(chance, chance > 2, chance), Unknown)
