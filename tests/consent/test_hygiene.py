"""Who is left alone follows from messages without an answer, their number and their age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rekindle.consent import ANSWERS, Care, Patience, Silence, decide_care
from rekindle.vocabulary import SignalKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE = Patience(5, 90 * DAY)


@pytest.mark.parametrize(
    ("count", "days", "opened", "care"),
    [
        (4, 400, False, Care.NOTHING),
        (5, 89, False, Care.NOTHING),
        (5, 90, False, Care.LEAVE_ALONE),
        (5, 90, True, Care.WRITE_LESS),
        (9, 400, True, Care.WRITE_LESS),
        (10, 400, True, Care.LEAVE_ALONE),
        (10, 89, True, Care.NOTHING),
    ],
)
def test_both_number_and_time_have_to_be_reached(
    count: int, days: int, opened: bool, care: Care
) -> None:
    silence = Silence("ann", "email", count, NOW - days * DAY, opened)
    assert decide_care(silence, PATIENCE, NOW) is care


def test_an_open_a_bounce_and_a_goodbye_are_no_answers() -> None:
    none = {SignalKind.OPEN, SignalKind.BOUNCE, SignalKind.OPT_OUT, SignalKind.COMPLAINT}
    assert none & ANSWERS == set()
    assert {SignalKind.CLICK, SignalKind.REPLY, SignalKind.VISIT, SignalKind.ORDER} <= ANSWERS
