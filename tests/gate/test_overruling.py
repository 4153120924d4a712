"""Which messages leave in spite of a stop, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.gate import Overrule, find_overrule, find_overruled_times

AT = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = Overrule("lapsed", "ann", "Christmas is coming", AT, AT + 30 * DAY)
DORMANT = replace(ALL, subgroup="tier = dormant", at=AT + DAY, who="bob")
LETTER = replace(ALL, step="letter", until=AT + 5 * DAY)


@pytest.mark.parametrize(
    ("made", "binds"),
    [
        (ALL, True),
        (DORMANT, True),
        (LETTER, True),
        (replace(ALL, journey="other"), False),
        (replace(DORMANT, subgroup="tier = lapsed"), False),
        (replace(LETTER, step="nudge"), False),
        (replace(ALL, at=AT + 3 * DAY), False),
        (replace(ALL, until=AT + 2 * DAY), False),
    ],
)
def test_what_it_is_of_and_when(made: Overrule, binds: bool) -> None:
    assert made.binds("lapsed", "tier = dormant", "letter", AT + 2 * DAY) is binds


def test_newest_of_several_is_named() -> None:
    asked = ("lapsed", "tier = dormant", "letter", AT + 2 * DAY)
    assert find_overrule((DORMANT, ALL, LETTER), *asked) is DORMANT
    assert find_overrule((), *asked) is None
    assert DORMANT.told == "overruled by bob until 2026-12-01 00:00 UTC: Christmas is coming"


def test_times_of_a_subgroup_are_its_own_and_those_of_all() -> None:
    others = replace(DORMANT, subgroup="tier = lapsed", until=AT + 2 * DAY)
    made = (DORMANT, others, LETTER)
    assert find_overruled_times(made, "tier = dormant") == [
        (DORMANT.at, DORMANT.until),
        (LETTER.at, LETTER.until),
    ]
    assert len(find_overruled_times(made)) == 3
