"""A look at a journey's figures is kept once a day, and only by its own journey."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from rekindle.ledger import Looks

AT = datetime(2027, 1, 10, 9, tzinfo=UTC)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_second_look_of_a_day_costs_nothing(
    database: str, request: pytest.FixtureRequest
) -> None:
    looks = Looks(request.getfixturevalue(database))
    for hours in (0, 5, 24):
        at = AT + timedelta(hours=hours)
        looks.note("won", at.date(), at)
    looks.note("other", AT.date(), AT)
    assert looks.before("won", date(2027, 1, 12)) == [AT, AT + timedelta(days=1)]
    assert looks.before("won", date(2027, 1, 11)) == [AT]
    assert looks.before("won", date(2027, 1, 10)) == []
