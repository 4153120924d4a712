"""People in a journey, what they did, and what the measures say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from rekindle.insights import (
    MeasuredPeople,
    MeasureTable,
    Membership,
    MessageFate,
    gather,
    measure,
)
from rekindle.insights.measures.model import Value
from rekindle.vocabulary import Channel
from tests.insights.test_report import START, record

DAY = timedelta(days=1)
LATER = START + 400 * DAY
EMAIL, SMS = Channel("email"), Channel("sms")


def fate(person: str, day: float = 1, **changes: Any) -> MessageFate:
    given = {"step": "check-in", "channel": EMAIL, "variant": "", "offer": "", **changes}
    clicked = tuple(START + n * DAY for n in given.pop("clicked", ()))
    return MessageFate(
        person, 0, at=START + day * DAY, cost_micros=500_000, clicked_at=clicked, **given
    )


def event(number: int, who: str, what: str, day: float) -> dict[str, Any]:
    at = START + day * DAY
    told = {"event_id": str(number), "customer_id": who, "event": what, "occurred_at": at}
    return {"source": "shop", **told}


@pytest.fixture
def gathered(open_shop: Any, order_rows: Any) -> Any:
    """Return the function that writes down what people did; ``events`` are (who, what, day)."""

    def build(
        members: Sequence[Membership],
        orders: Sequence[Any] = (),
        fates: Sequence[MessageFate] = (),
        events: Sequence[tuple[str, str, float]] = (),
        **options: Any,
    ) -> MeasuredPeople:
        rows = [event(number, *one) for number, one in enumerate(events)]
        engine = open_shop(orders=order_rows(list(orders)), events=rows)
        one = record(members, fates=fates, until=LATER)
        return gather([one], engine.facts(), engine, until_on=LATER.date(), **options)

    return build


@pytest.fixture
def measured(gathered: Any) -> Any:
    def build(*told: Any, by: str = "", **options: Any) -> MeasureTable:
        return measure(gathered(*told, **options), about="lapsed-buyers", by=by)

    return build


def value(table: MeasureTable, name: str, group: str = "all") -> Value:
    return table.values[group][name]
