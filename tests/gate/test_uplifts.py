"""What a person's figure means for a message: the most that it may earn, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rekindle.gate import PersonUplift, UpliftRule

RULE = UpliftRule(1, datetime(2026, 5, 1, 23, tzinfo=UTC), 9_000, messages=2.0, margin=0.4)


@pytest.mark.parametrize(
    ("high", "offer", "most"),
    [(0.01, 0, 100_000), (-0.01, 0, -100_000), (0.01, 1_000_000, 500_000)],
)
def test_upper_end_is_margin_of_one_message(high: float, offer: int, most: int) -> None:
    """One in a hundred more, 50 a return, 40 % margin, two messages each: 10 cents."""
    known = PersonUplift(high - 0.02, high - 0.04, high, 50_000_000)
    assert RULE.expect(known, offer) == most


def test_words_name_the_figures_and_of_when_they_are() -> None:
    told = RULE.tell(PersonUplift(0.001, -0.004, 0.006, 50_000_000), 0, 90_000)
    assert "people like this one return as often without it: 0.1 % more (-0.4 to 0.6)" in told
    assert "earns 0.06 of margin at the most and costs 0.09" in told
    assert "9000 people, as of 2026-05-01" in told
