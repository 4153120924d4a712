"""A report tells of each tested message which variant did better, by the stated measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.experiments import VariantVerdict
from rekindle.insights import JourneyRecord, VariantMessage, VariantTest, report_page, report_tables
from rekindle.insights.report import build_report
from rekindle.journeys import Goal, Journey, Measure, Send, Variant
from rekindle.vocabulary import Answer, Channel, SignalKind

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SEND = Send("hello", Channel("email"), "hello", None, (Variant("warm"), Variant("brief")))
JOURNEY = Journey("lapsed", "tier = 'lapsed'", Goal(SignalKind.ORDER, 30 * DAY), steps=(SEND,))


def message(person: str, variant: str, **changes: Any) -> VariantMessage:
    usual = VariantMessage(person, 0, 1, "hello", variant, START, has_left=True)
    return replace(usual, **changes)


def record(messages: Sequence[VariantMessage], **changes: Any) -> JourneyRecord:
    usual = JourneyRecord(
        JOURNEY,
        started_at=START,
        until=START + 60 * DAY,
        holdout_share=0.0,
        members=(),
        touches={Answer.SEND: len(messages)},
        reasons={},
        sends=(),
        is_replay=False,
        versions={1: JOURNEY},
        variants=messages,
    )
    return replace(usual, **changes)


def measured(measure: Measure) -> dict[int, Journey]:
    return {1: replace(JOURNEY, steps=(replace(SEND, measure=measure),))}


@pytest.fixture
def tests_of(open_shop: Any, order_rows: Any) -> Any:
    def build(record: JourneyRecord, orders: Sequence[Any] = ()) -> tuple[VariantTest, ...]:
        engine = open_shop(orders=order_rows(list(orders)))
        return build_report(record, engine.facts(), engine).tests

    return build


def crowd(count: int) -> list[VariantMessage]:
    return [message(f"p{n}", ("warm", "brief")[n % 2]) for n in range(count)]


def test_people_count_by_what_they_did_within_the_window_of_their_message(tests_of: Any) -> None:
    orders = [
        ("a", "2024-03-01", 5.0),  # at the instant of the message
        ("a", "2024-03-31", 30.0),  # the window's last instant
        ("b", "2024-04-01", 9.0),  # after it
        ("c", "2024-03-05", -4.0),  # a refund is no return
    ]
    messages = [message("a", "warm"), message("b", "warm"), message("c", "brief")]
    (test,) = tests_of(record(messages), orders)
    assert [(one.name, one.given, one.over, one.doers) for one in test.results] == [
        ("warm", 2, 2, 1),
        ("brief", 1, 1, 0),
    ]
    (money,) = tests_of(record(messages, versions=measured(Measure.REVENUE)), orders)
    assert [one.value for one in money.results] == [30.0, -4.0]


def test_clicks_of_people_are_counted_within_the_window(tests_of: Any) -> None:
    messages = [
        message("a", "warm", clicked_at=START + DAY),
        message("b", "warm", clicked_at=START + 31 * DAY),
        message("c", "brief", has_left=False),
    ]
    (test,) = tests_of(record(messages, versions=measured(Measure.CLICKED)))
    assert [(one.left, one.doers) for one in test.results] == [(2, 1), (0, 0)]


def test_whose_time_is_not_over_is_given_and_not_compared(tests_of: Any) -> None:
    late = message("b", "warm", at=START + 40 * DAY)
    (test,) = tests_of(record([message("a", "warm"), late]))
    assert (test.results[0].given, test.results[0].over) == (2, 1)


def test_first_message_of_a_person_counts_and_no_later_one(tests_of: Any) -> None:
    again = message("a", "brief", rotation=1, at=START + 5 * DAY)
    (test,) = tests_of(record([again, message("a", "warm")]))
    assert [one.given for one in test.results] == [1, 0]


def test_people_of_another_list_are_compared_with_nobody_of_this_one(tests_of: Any) -> None:
    wider = replace(SEND, variants=(*SEND.variants, Variant("new")))
    versions = {1: JOURNEY, 2: replace(JOURNEY, steps=(wider,))}
    messages = [message("a", "warm"), message("b", "new", version=2)]
    (test,) = tests_of(record(messages, versions=versions))
    assert [(one.name, one.given) for one in test.results] == [
        ("warm", 0),
        ("brief", 0),
        ("new", 1),
    ]


def test_test_that_the_journey_gave_up_is_shown_as_over(tests_of: Any) -> None:
    plain = replace(JOURNEY, steps=(replace(SEND, variants=()),))
    (test,) = tests_of(record([message("a", "warm")], versions={1: JOURNEY, 2: plain}))
    assert test.is_over
    assert test.results[0].given == 1


def test_winner_is_told_with_its_interval_and_nothing_is_switched(
    open_shop: Any, order_rows: Any
) -> None:
    orders = [(f"p{n}", "2024-03-10", 20.0) for n in range(1, 400, 4)]
    orders += [(f"p{n}", "2024-03-10", 20.0) for n in range(0, 400, 20)]
    engine = open_shop(orders=order_rows(orders))
    report = build_report(record(crowd(400)), engine.facts(), engine)
    tests: Any = report.to_json()["tests"]
    (told,) = tests
    assert (told["verdict"], told["winner"], told["measure"]) == ("winner", "brief", "returned")
    (against,) = told["against_first"]
    assert 0 < against["low"] < against["difference"] < against["high"]
    finding = report.tests[0].finding
    assert finding.startswith("brief did better than warm, over ")
    assert "say so in the journey's file" in finding
    assert any("The variants of hello" in table.title for table in report_tables(report))
    page = report_page(report)
    assert "Which wording did better" in page
    assert "brief did better than warm" in page


def test_too_early_says_how_many_are_missing(tests_of: Any) -> None:
    (test,) = tests_of(record(crowd(10), versions=measured(Measure.CLICKED)))
    assert test.comparison.verdict is VariantVerdict.TOO_EARLY
    assert "waits for 80 people who clicked" in test.finding


def test_replay_draws_variants_and_says_that_they_do_nothing(tests_of: Any) -> None:
    (test,) = tests_of(record(crowd(10), is_replay=True))
    assert "In a replay nobody was contacted" in test.finding
    clicked = record(crowd(10), is_replay=True, versions=measured(Measure.CLICKED))
    (test,) = tests_of(clicked)
    assert test.comparison.verdict is VariantVerdict.NOT_ESTIMABLE
    assert "nobody clicks in it" in test.finding


def test_journey_without_variants_has_no_tests(tests_of: Any) -> None:
    plain = replace(JOURNEY, steps=(replace(SEND, variants=()),))
    assert tests_of(record([], versions={1: plain})) == ()


@pytest.mark.long
def test_a_stay_that_begins_is_a_return_and_brings_what_is_paid_for_it(open_shop: Any) -> None:
    stay = {"source": "billing", "subscription_id": "s", "customer_id": "a"}
    paid = {"started_at": START + 10 * DAY, "mrr": Decimal("30.4375")}
    engine = open_shop(subscriptions=[stay | paid])
    messages = [message("a", "warm"), message("b", "brief")]
    for measure, value in ((Measure.RETURNED, 1), (Measure.REVENUE, 20)):
        told = record(messages, versions=measured(measure))
        (test,) = build_report(told, engine.facts(), engine).tests
        assert [(one.doers, round(one.value, 6)) for one in test.results] == [(1, value), (0, 0)]
