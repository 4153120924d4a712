"""Whom a journey moves, by what its people had ordered before they entered."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.predictions import Histories, MovingModel, Participant, fit_moving
from rekindle.vocabulary import Unknown

ENTRY = 1_000


def shop(size: int, roll: np.random.Generator) -> Histories:
    """Return people with one to five order days, the last of them up to a year before."""
    counts = roll.integers(1, 6, size)
    person = np.repeat(np.arange(size), counts)
    back = np.concatenate([np.arange(count)[::-1] * 30 for count in counts])
    day = ENTRY - np.repeat(roll.integers(40, 365, size), counts) - back
    worth = roll.gamma(2, 20, person.size)
    ids = tuple(f"p{number:05}" for number in range(size))
    return Histories(ids, person, day, worth, np.zeros(person.size), has_units=False)


def draw(histories: Histories, roll: np.random.Generator, *, moved: float) -> list[Participant]:
    """Return them treated or held out; whoever ordered on four days or more is moved by so much."""
    often = histories.known(ENTRY).count >= 4
    treated = roll.random(often.size) < 0.5
    back = roll.random(often.size) < 0.15 + moved * often * treated
    return [
        Participant(person, bool(treated[n]), ENTRY, bool(back[n]))
        for n, person in enumerate(histories.people)
    ]


@pytest.fixture(scope="module")
def learned() -> tuple[Histories, MovingModel]:
    roll = np.random.default_rng(75)
    histories = shop(6_000, roll)
    model = fit_moving(histories, draw(histories, roll, moved=0.15))
    assert isinstance(model, MovingModel)
    return histories, model


def test_whom_it_moves_is_told_from_whom_it_does_not(
    learned: tuple[Histories, MovingModel],
) -> None:
    histories, model = learned
    known = histories.known(ENTRY)
    uplift, low, high = model.estimate(known, ENTRY)
    often = known.count >= 4
    assert model.judged.may_exclude
    assert uplift[often].mean() > 0.09
    assert abs(uplift[~often].mean()) < 0.04
    assert (low < uplift).all()
    assert (uplift < high).all()


@pytest.mark.long
def test_intervals_of_persons_hold_the_truth() -> None:
    missed = []
    for seed in range(8):
        roll = np.random.default_rng((75, seed))
        histories = shop(2_000, roll)
        model = fit_moving(histories, draw(histories, roll, moved=0.0))
        assert isinstance(model, MovingModel)
        _, low, high = model.estimate(histories.known(ENTRY), ENTRY)
        missed.append(((low > 0) | (high < 0)).mean())
    # Those of one draw miss together, so eight draws say little of 5 %.
    assert np.mean(missed) < 0.2


def test_who_is_unlike_those_learned_from_has_a_wider_interval(
    learned: tuple[Histories, MovingModel],
) -> None:
    histories, model = learned
    known = histories.known(ENTRY)
    near, far = (model.estimate(known, ENTRY + days) for days in (0, 3_000))
    assert ((far[2] - far[1]) > (near[2] - near[1])).mean() > 0.95


def test_of_who_never_ordered_nothing_is_said(learned: tuple[Histories, MovingModel]) -> None:
    histories, model = learned
    uplift, _, _ = model.estimate(histories.known(0), ENTRY)
    assert np.isnan(uplift).all()


def test_what_was_ordered_after_the_entry_tells_the_model_nothing() -> None:
    """Orders that follow an entry are its outcome: known before, they would foretell it."""
    roll = np.random.default_rng(7)
    histories = shop(1_000, roll)
    drawn = draw(histories, roll, moved=0.1)
    later = Histories(
        histories.people,
        np.append(histories.person, histories.person[-1]),
        np.append(histories.day, ENTRY + 5),
        np.append(histories.worth, 1e6),
        np.append(histories.units, 0.0),
        has_units=False,
    )
    first, second = fit_moving(histories, drawn), fit_moving(later, drawn)
    assert isinstance(first, MovingModel)
    assert isinstance(second, MovingModel)
    # The shop's mean gap is of all orders that are known today.
    assert second.means[2] == pytest.approx(first.means[2])


@pytest.mark.parametrize("size", [0, 60])
def test_too_few_are_told(size: int) -> None:
    roll = np.random.default_rng(3)
    histories = shop(60, roll)
    found = fit_moving(histories, draw(histories, roll, moved=0.1)[:size])
    assert isinstance(found, Unknown)
