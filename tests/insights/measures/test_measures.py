from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rekindle.insights import (
    CATALOGUE,
    JourneyRecord,
    build_queries,
    build_report,
    gather,
    list_ways,
    measure,
    measure_tables,
    write_measure_rows,
    write_measures,
)
from rekindle.insights.measures.catalogue import BACK_BY_STAYS
from rekindle.insights.measures.model import Group, MeasuredPeople, Subject
from rekindle.vocabulary import Arm, Unknown
from tests.insights.measures.conftest import DAY, LATER, SMS, event, fate, value
from tests.insights.test_report import JOURNEY, START, member, record


@pytest.mark.long
def test_funnel_counts_people_once_and_leaves_bounces_out(measured: Any) -> None:
    fates = [
        fate("a", clicked=[2, 3]),
        fate("a", 5, step="again", clicked=[6]),
        fate("b", has_bounced=True),
        fate("c"),
    ]
    people = [member(name) for name in "abcd"] + [member("h", Arm.HOLDOUT)]
    table = measured(people, [("a", "2024-03-10", 40.0)], fates)
    told = {
        name: (value(table, name).figure, value(table, name).base)
        for name in ("entered", "reached", "clicked", "returned", "response_rate")
    }
    assert told == {
        "entered": (4.0, 4),
        "reached": (2.0, 4),
        "clicked": (1.0, 4),
        "returned": (1.0, 4),
        "response_rate": (0.5, 2),
    }
    assert value(table, "click_through_rate").figure == pytest.approx(2 / 3)
    assert value(table, "engagement_depth").figure == 2
    assert value(table, "cost_per_reactivated").figure == 2.0  # four messages left
    assert value(table, "revenue_per_reactivated").figure == 40


@pytest.mark.long
def test_report_and_measures_say_the_same(open_shop: Any, order_rows: Any) -> None:
    orders = [("a", "2024-03-10", 40.0), ("b", "2024-05-10", 9.0), ("h", "2024-03-04", 3.0)]
    engine = open_shop(orders=order_rows(orders))
    people = [member("a"), member("b"), member("h", Arm.HOLDOUT), member("i", Arm.HOLDOUT)]
    one = record(people)
    report = build_report(one, engine.facts(), engine)
    found = gather([one], engine.facts(), engine, until_on=one.until.date())
    rate = value(measure(found, about="x"), "reactivation_rate")
    assert rate.figure == report.arms[Arm.TREATMENT].return_rate == 0.5
    assert rate.beside == report.arms[Arm.HOLDOUT].return_rate == 0.5


def test_what_cannot_be_measured_says_why_and_is_no_zero(measured: Any) -> None:
    no = Unknown("openings are off")
    table = measured([member("a")], openings=no, clicks=Unknown("no links are counted"))
    assert value(table, "opened").figure == no
    for name in ("clicked", "click_through_rate", "response_rate", "engagement_depth"):
        assert value(table, name).figure == Unknown("no links are counted")
    for name in ("revenue_per_reactivated", "subsequent_retention", "retained"):
        assert value(table, name).figure == Unknown("nobody has come back yet")
    assert value(table, "cost_per_reactivated").figure == Unknown(
        "the messages cost nothing that was recorded"
    )
    assert value(table, "returned").figure == 0  # that is known
    assert value(table, "reactivation_rate").beside == Unknown("nobody was assigned to the holdout")


def test_clicks_that_were_heard_of_count_whatever_the_settings(measured: Any) -> None:
    table = measured([member("a")], (), [fate("a", clicked=[2])], clicks=Unknown("off"))
    assert value(table, "clicked").figure == 1


def test_opened_is_of_those_who_agreed(measured: Any) -> None:
    seen = fate("a", opened_at=(START + 2 * DAY,))
    people = [member(name) for name in "abc"]
    table = measured(people, (), [seen, fate("b"), fate("c")], agreed={"a", "b"})
    assert (value(table, "opened").figure, value(table, "opened").base) == (1.0, 2)


def test_groups_by_message_count_returns_that_came_after_it(measured: Any) -> None:
    fates = [fate("a", 1), fate("a", 15, channel=SMS), fate("b", 1, channel=SMS)]
    table = measured(
        [member("a"), member("b")],
        [("a", "2024-03-10", 40.0), ("b", "2024-03-20", 5.0)],
        fates,
        by="channel",
    )
    assert value(table, "returned", "email").figure == 1
    assert (value(table, "returned", "sms").figure, value(table, "entered", "sms").base) == (1, 2)
    assert isinstance(value(table, "reactivation_rate", "sms").beside, Unknown)
    assert any("no experiment" in note for note in table.notes)


def test_groups_of_people_add_up_to_everyone(measured: Any) -> None:
    people = [
        member("a", last_order_at=START - 20 * DAY),
        member("b", last_order_at=START - 100 * DAY),
        member("c", last_order_at=None),
        member("d", Arm.HOLDOUT, last_order_at=START - 100 * DAY),
    ]
    table = measured(people, by="silence")
    groups = {name: value(table, "entered", name).figure for name in table.values}
    assert groups == {"all": 3, "0–29 days": 1, "90–179 days": 1, "none known": 1}
    assert value(table, "reactivation_rate", "90–179 days").beside == 0.0


def test_a_group_of_the_holdout_alone_says_so(measured: Any) -> None:
    people = [member("a"), member("b", Arm.HOLDOUT, last_order_at=START - 200 * DAY)]
    table = measured(people, by="silence")
    assert value(table, "entered", "180–364 days").figure == 0
    told = [note for one in measure_tables(table) for note in one.notes]
    assert "Why a figure of a group is unknown is said of each by `--json` and `--out`." in told


def _loyal(name: str) -> list[tuple[str, str, float]]:
    return [(name, (date(2024, 2, 20) + 15 * n * DAY).isoformat(), 10.0) for n in range(12)]


@pytest.mark.long
def test_retention_counts_running_silences_and_stands_beside_never_lapsed_peers(
    measured: Any,
) -> None:
    people = [member(f"p{n}") for n in range(80)]
    back = [(f"p{n}", f"2024-03-{5 + n % 6:02}", 20.0) for n in range(80)]
    again = [(f"p{n}", "2024-04-10", 20.0) for n in range(40)]
    peers = [row for n in range(60) for row in _loyal(f"loyal{n}")]
    stranger = [("old", "2022-01-01", 5.0), ("old", "2024-03-10", 5.0)]  # was away as long
    table = measured(people, [*back, *again, *peers, *stranger])
    kept = value(table, "subsequent_retention")
    assert kept.figure == pytest.approx(0.5)
    assert kept.low is not None
    assert kept.high is not None
    assert kept.low < 0.5 < kept.high
    assert kept.beside == 1.0
    lapsed = value(table, "second_lapse")
    assert lapsed.figure == pytest.approx(0.5)
    assert lapsed.beside == 0.0
    assert (value(table, "retained").figure, value(table, "retained").base) == (40, 80)


def test_who_bought_again_early_is_counted_as_retained_once_the_time_of_all_is_over() -> None:
    def back(name: str, on: date, *again: date) -> Subject:
        at = datetime(on.year, on.month, on.day, tzinfo=UTC)
        return Subject("j", name, Arm.TREATMENT, START, None, at, on, 9.0, bought_on=(on, *again))

    early, late = date(2024, 3, 5), date(2024, 5, 1)
    people = [
        back("stayed", early, date(2024, 4, 1)),
        back("went", early),
        *(back(f"new{n}", late, date(2024, 5, 9)) for n in range(8)),  # of whom more are to come
    ]
    for until, told in ((date(2024, 6, 10), (1, 2)), (date(2024, 7, 30), (9, 10))):
        group = Group("all", people, [], MeasuredPeople(people, until, "GBP", []))
        found = CATALOGUE["retained"].compute(group)
        assert (found.figure, found.base) == told


@pytest.mark.long
def test_peers_who_fall_silent_and_enter_later_are_peers(measured: Any) -> None:
    """Whoever lapsed after the days of comparison enters then: without them peers never lapse."""
    people = [member(f"p{n}") for n in range(40)]
    back = [(f"p{n}", f"2024-03-{5 + n % 6:02}", 20.0) for n in range(40)]
    peers = [row for n in range(30) for row in _loyal(f"loyal{n}")]
    silent = [row for n in range(30) for row in _loyal(f"silent{n}")[:2]]  # until 6 March
    lapsed = [member(f"silent{n}", entered_at=START + 150 * DAY) for n in range(30)]
    table = measured([*people, *lapsed], [*back, *peers, *silent])
    assert value(table, "subsequent_retention").beside == pytest.approx(0.5)
    assert value(table, "second_lapse").beside == pytest.approx(0.5)


@pytest.mark.long
def test_one_who_was_hardly_away_does_not_choose_the_peers(measured: Any) -> None:
    people = [member(f"p{n}") for n in range(40)]
    people.append(member("soon", last_order_at=START - 2 * DAY))
    back = [(f"p{n}", f"2024-03-{5 + n % 6:02}", 20.0) for n in range(40)]
    peers = [row for n in range(30) for row in _loyal(f"loyal{n}")]
    table = measured(people, [*back, ("soon", "2024-03-05", 20.0), *peers])
    assert value(table, "subsequent_retention").beside == 1.0


def test_who_is_back_by_a_subscription_has_no_silences_to_measure() -> None:
    back = Subject("j", "ada", Arm.TREATMENT, START, None, START + DAY, None, 0.0)
    group = Group("all", [back], [], MeasuredPeople([back], START.date(), "GBP", []))
    found = {one.name: one.compute(group).figure for one in CATALOGUE.values()}
    assert found["returned"] == 1
    for name in ("retained", "subsequent_retention", "second_lapse"):
        assert found[name] == BACK_BY_STAYS


def test_what_was_not_imported_is_no_silence(open_shop: Any, order_rows: Any) -> None:
    """They bought again on day 80; the newest file ends on day 60, and nobody knows yet."""
    back = [(f"p{n}", "2024-03-11", 10.0) for n in range(40)]
    engine = open_shop(orders=order_rows(back))
    one = record([member(f"p{n}") for n in range(40)], until=LATER)
    known = (START + 60 * DAY).date()
    table = measure(gather([one], engine.facts(), engine, until_on=known), about="x")
    for name in ("retained", "subsequent_retention", "second_lapse", "subsequent_revenue"):
        assert isinstance(value(table, name).figure, Unknown)


@pytest.mark.long
def test_few_returns_are_no_estimate(measured: Any) -> None:
    table = measured([member("a")], [("a", "2024-03-10", 20.0)])
    assert "30 are needed" in str(value(table, "subsequent_retention").figure)


@pytest.mark.draws(6)
@pytest.mark.parametrize("by", ["", *list_ways()])
def test_every_way_is_told_in_tables_json_and_rows(measured: Any, by: str) -> None:
    fates = [fate("a", variant="asked", offer="ten"), fate("b")]
    table = measured([member("a"), member("b")], (), fates, by=by)
    told = list(measure_tables(table))
    assert all(len(row) == len(one.headers) for one in told for row in one.rows)
    groups = write_measures(table)["groups"]
    assert isinstance(groups, list)
    assert [set(one["measures"]) for one in groups] == [set(CATALOGUE)] * len(table.values)
    rows = write_measure_rows(table).to_pylist()
    assert len(rows) == len(CATALOGUE) * len(table.values)
    assert all((row["value"] is None) == (row["unknown"] is not None) for row in rows)


@pytest.mark.long
def test_the_query_behind_every_figure_can_be_written(open_shop: Any, order_rows: Any) -> None:
    engine = open_shop(
        orders=order_rows([("a", "2024-03-10", 20.0)]), events=[event(1, "a", "login", 2)]
    )
    asked = build_queries(record([member("a")]), engine.facts(), engine)
    known = {"fates_of", "heard_of", "newest_statements", *asked}
    assert {name for one in CATALOGUE.values() for name in one.reads} <= known
    for query in asked.values():
        assert not isinstance(query, Unknown)
        assert "SELECT" in engine.write_query(query)


def test_a_journey_without_anybody_is_measured(measured: Any) -> None:
    table = measured([])
    assert value(table, "reactivation_rate").figure == Unknown("nobody was assigned to be treated")


def test_catalogue_declares_each_measure_whole() -> None:
    for name, one in CATALOGUE.items():
        assert name == one.name
        assert all((one.formula, one.window, one.source, one.page)), name
    assert JOURNEY.goal.within == timedelta(days=30)
    assert isinstance(record([]), JourneyRecord)
    assert datetime(2024, 12, 1, tzinfo=UTC) < LATER
