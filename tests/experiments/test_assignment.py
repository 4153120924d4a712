"""The draw is a hash: the same for ever, uniform, and monotone in the share."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.experiments import assign, assigner, choose, draw
from rekindle.vocabulary import Arm

PEOPLE = [f"customer-{number}" for number in range(50_000)]
SHARES = st.floats(0, 1)


def held_out(salt: str, share: float) -> set[str]:
    arm_of = assigner(salt, share)
    return {person for person in PEOPLE if arm_of(person) is Arm.HOLDOUT}


def test_assignment_is_a_published_hash_and_stays_the_same_for_ever() -> None:
    drawn = blake2b(b"13:lapsed-buyersalice", digest_size=8).digest()
    place = int.from_bytes(drawn) / 2**64
    above, below = place + 1e-9, place - 1e-9
    assert assign("alice", salt="lapsed-buyers", holdout_share=above) is Arm.HOLDOUT
    assert assign("alice", salt="lapsed-buyers", holdout_share=below) is Arm.TREATMENT


@given(st.text(), st.text(), SHARES, SHARES)
@settings(derandomize=True, deadline=None)
def test_widening_the_treatment_never_holds_out_a_treated_person(
    person: str, salt: str, first: float, second: float
) -> None:
    smaller, larger = sorted((first, second))
    if assign(person, salt=salt, holdout_share=larger) is Arm.TREATMENT:
        assert assign(person, salt=salt, holdout_share=smaller) is Arm.TREATMENT


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 0.9])
def test_the_holdout_has_the_share_that_was_asked_for(share: float) -> None:
    error = (share * (1 - share) / len(PEOPLE)) ** 0.5
    assert len(held_out("spring", share)) / len(PEOPLE) == pytest.approx(share, abs=4 * error)


@pytest.mark.long
def test_every_part_of_the_range_is_drawn_equally_often() -> None:
    counts = [len(held_out("spring", step / 20)) for step in range(21)]
    cells = [after - before for before, after in pairwise(counts)]
    expected = len(PEOPLE) / 20
    # 43.82 is the 99.9th percentile of chi-square with 19 degrees of freedom.
    assert sum((cell - expected) ** 2 / expected for cell in cells) < 43.82


@pytest.mark.parametrize(("one", "other"), [("spring", "summer"), ("1", "11"), ("a", "b")])
def test_two_salts_draw_independently(one: str, other: str) -> None:
    both = len(held_out(one, 0.2) & held_out(other, 0.2)) / len(PEOPLE)
    assert both == pytest.approx(0.04, abs=4 * (0.04 * 0.96 / len(PEOPLE)) ** 0.5)


def test_salt_and_person_do_not_run_into_each_other() -> None:
    arms = [
        (
            assign("b" + tail, salt="a", holdout_share=0.5),
            assign(tail, salt="ab", holdout_share=0.5),
        )
        for tail in PEOPLE[:64]
    ]
    assert any(one is not other for one, other in arms)


def test_everyone_or_nobody_can_be_held_out() -> None:
    assert held_out("spring", 0.0) == set()
    assert held_out("spring", 1.0) == set(PEOPLE)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        assign("alice", salt="spring", holdout_share=share)


def test_draw_is_even_sticky_and_below_one() -> None:
    drawn = [draw(f"person-{n}", salt="pilot") for n in range(2000)]
    assert drawn == [draw(f"person-{n}", salt="pilot") for n in range(2000)]
    assert all(0 <= one < 1 for one in drawn)
    assert 0.47 < sum(drawn) / len(drawn) < 0.53
    assert draw("c", salt="ab") != draw("bc", salt="a")


@pytest.mark.long
def test_choice_is_made_as_often_as_the_weights_say() -> None:
    weights = {"a": 1.0, "b": 3.0, "c": 6.0}
    chosen = Counter(choose(person, salt="spring", weights=weights) for person in PEOPLE)
    for name, weight in weights.items():
        share = weight / 10
        error = (share * (1 - share) / len(PEOPLE)) ** 0.5
        assert chosen[name] / len(PEOPLE) == pytest.approx(share, abs=4 * error)


def test_choice_among_more_moves_people_to_the_new_one_alone() -> None:
    people = PEOPLE[:2_000]
    before = {one: choose(one, salt="s", weights={"a": 1, "b": 2}) for one in people}
    after = {one: choose(one, salt="s", weights={"b": 2, "new": 1, "a": 1}) for one in people}
    moved = {after[one] for one in people if after[one] != before[one]}
    assert moved == {"new"}


def test_choice_does_not_depend_on_the_arm() -> None:
    held = held_out("spring", 0.2)
    chosen = Counter(choose(one, salt="spring/hello", weights={"a": 1, "b": 1}) for one in held)
    assert chosen["a"] / len(held) == pytest.approx(0.5, abs=4 * (0.25 / len(held)) ** 0.5)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": -1.0}, {"a": float("nan")}])
def test_choice_among_nothing_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight above 0"):
        choose("alice", salt="s", weights=weights)
