"""What messages were measured to earn, and of whom."""

from __future__ import annotations

import pytest

from rekindle.gate import ALL_AS_ONE, DeclaredSubgroups, MeasuredWorth


@pytest.mark.parametrize(("again", "most"), [(None, 1_000), (900, 1_000), (1_500, 1_500)])
def test_what_those_written_to_still_earned_may_begin_it_again(
    again: int | None, most: int
) -> None:
    assert MeasuredWorth(0, 0, 1_000, 9, 0.4, 0.1, again=again).expect(0) == most


def test_everybody_is_in_one_of_the_declared_subgroups() -> None:
    declared = DeclaredSubgroups("tier", ("lapsed", "dormant"))
    kept = [{"tier": "dormant"}, {"tier": "new"}, {"country": "GB"}]
    found = [declared.find(one) for one in kept]
    assert found == ["tier = dormant", "tier: all others", "tier: all others"]
    assert set(found) < set(declared.names)


def test_who_entered_before_it_was_kept_is_in_no_subgroup() -> None:
    assert DeclaredSubgroups("tier", ("lapsed",)).find({}) is None
    assert ALL_AS_ONE.find({}) == ""


def test_figure_of_a_subgroup_says_whose_it_is() -> None:
    worth = MeasuredWorth(200, -100, 300, 900, 0.4, 0.1, "tier = lapsed")
    assert worth.tell(1_000).startswith("measured: a message to tier = lapsed earned 0.0002")
