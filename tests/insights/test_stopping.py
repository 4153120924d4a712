"""What one message earns, and what stopping it saved and gave up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rekindle.insights import (
    DrawnPerson,
    MessageWorth,
    StoppedPerson,
    StoppingTerms,
    first_of,
    report_stopping,
    weigh_again,
    weigh_messages,
)
from rekindle.vocabulary import Arm, Unknown

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = StoppingTerms(kept_on=0.5, margin=0.4, within=30 * DAY, until=START + 60 * DAY)


def crowd(prefix: str, arm: Arm, count: int) -> list[DrawnPerson]:
    return [DrawnPerson(f"{prefix}{n}", arm, START, 0.5) for n in range(count)]


def bought(prefix: str, count: int) -> list[tuple[str, str, float]]:
    return [(f"{prefix}{n}", "2024-03-10", 20.0 + n) for n in range(count)]


@pytest.fixture
def reading(open_shop: Any, order_rows: Any) -> Any:
    def read(orders: list[Any]) -> Any:
        engine = open_shop(orders=order_rows(orders))
        return engine.facts(), engine

    return read


def test_message_earns_the_margin_of_the_lift_over_the_messages_sent(reading: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    sent = [(f"t{n}", START + at * DAY) for n in range(60) for at in (1, 2)]
    sent += [("t0", START + 31 * DAY), ("stranger", START)]
    orders = bought("t", 40) + bought("h", 20)
    found = weigh_messages(drawn, sent, reading(orders), share=0.5, terms=TERMS)
    assert isinstance(found, MessageWorth)
    assert (found.people, found.messages) == (60, 120)
    more = sum(20.0 + n for n in range(40)) - sum(20.0 + n for n in range(20))
    assert found.value == pytest.approx(more * 0.4 / 120)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("share", "sent", "why"),
    [
        (0.0, [], "holds nobody out"),
        (0.5, [], "no message left"),
        (0.2, [("t1", START)], "which is no chance"),
    ],
)
def test_what_a_message_earned_is_not_told_without_a_reason(
    reading: Any, share: float, sent: list[tuple[str, datetime]], why: str
) -> None:
    drawn = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    orders = bought("t", 40) + bought("h", 20)
    found = weigh_messages(drawn, sent, reading(orders), share=share, terms=TERMS)
    assert isinstance(found, Unknown)
    assert why in found.reason


def test_few_buyers_stop_nothing(reading: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    asked = reading(bought("t", 40) + bought("h", 9))
    found = weigh_messages(drawn, [("t1", START)], asked, share=0.5, terms=TERMS)
    assert found == Unknown("only 9 of an arm came back; 10 are needed to stop by it")


def test_stopping_is_held_against_those_written_to_still(reading: Any) -> None:
    people = [
        StoppedPerson(f"{'k' if kept else 's'}{n}", kept, START)
        for kept in (True, False)
        for n in range(60)
    ]
    asked = reading(bought("k", 30) + bought("s", 30))
    found = report_stopping(people, {"0": 50, "2": 10}, {"0": 0.1, "2": 0.5}, asked, TERMS)
    assert found.messages == 60
    assert found.saved == pytest.approx(10.0)
    told = found.to_json()
    assert (told["kept_on"], told["stopped"]) == (60, 60)
    assert "60 messages stopped for earning less than they cost saved £10.00" in found.told
    assert "they would have earned £0.00 of margin" in found.told


def test_figures_of_a_family_hold_together(reading: Any) -> None:
    drawn = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    asked = reading(bought("t", 40) + bought("h", 20))
    alone, among = (
        weigh_messages(drawn, [("t1", START)], asked, share=0.5, terms=replace(TERMS, family=size))
        for size in (1, 4)
    )
    assert isinstance(alone, MessageWorth)
    assert isinstance(among, MessageWorth)
    assert among.value == alone.value
    assert among.low < alone.low
    assert among.high > alone.high


def test_those_written_to_still_say_what_a_message_earns_by_those_that_came_after(
    reading: Any,
) -> None:
    later = START + 10 * DAY
    people = [StoppedPerson(f"k{n}", True, later) for n in range(60)]
    people += [StoppedPerson(f"s{n}", False, later) for n in range(60)]
    sent = [(f"k{n}", later) for n in range(60)] + [(f"k{n}", START) for n in range(60)]
    orders = [(f"k{n}", "2024-03-20", 20.0) for n in range(40)]
    orders += [(f"s{n}", "2024-03-20", 20.0) for n in range(10)]
    found = weigh_again(first_of(people), sent, reading(orders), TERMS)
    assert isinstance(found, MessageWorth)
    assert found.messages == 60
    assert found.value == pytest.approx(30 * 20 * 0.4 / 60)
    assert found.low > 0


def test_first_decision_about_a_person_says_how_they_were_drawn() -> None:
    first, second = StoppedPerson("a", True, START), StoppedPerson("a", False, START + DAY)
    assert first_of([first, second]) == [first]


def test_what_stopping_gave_up_is_unknown_before_anybodys_time_is_over(reading: Any) -> None:
    young = [StoppedPerson("s", False, START + 59 * DAY)]
    found = report_stopping(young, {"0": 1}, {"0": 0.1}, reading([]), TERMS)
    assert "cannot be told yet" in found.told
