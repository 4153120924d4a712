"""What a journey made happen, counted by hand and as its report has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import hypot
from typing import Any

import pytest

from rekindle.insights import (
    JourneyRecord,
    MeasureTable,
    Membership,
    MessageFate,
    SentMessage,
    build_report,
    gather,
    measure,
    measure_tables,
    write_measures,
)
from rekindle.insights.lifting import Range, tell_earnings
from rekindle.insights.lifting.subgroups import find_cost
from rekindle.insights.measures.comparing import OF_STAYS, TOO_SOON
from rekindle.insights.measures.grouping import NO_HOLDOUT
from rekindle.insights.measures.model import NO_ACQUISITION, MeasuredPeople, Value
from rekindle.journeys import Goal
from rekindle.vocabulary import Arm, SignalKind, Unknown
from tests.insights.measures.conftest import LATER, fate, value
from tests.insights.test_report import JOURNEY, START, member, record

DAYS = timedelta(days=1)


def crowd(arm: Arm, count: int, prefix: str = "", **changes: Any) -> list[Membership]:
    return [member(f"{prefix}{arm.value}{n}", arm, **changes) for n in range(count)]


# Of 100 in each arm 30 and 10 buy for 10 inside the window: 3 less 1 a person, 20 returns more.
PEOPLE = [*crowd(Arm.TREATMENT, 100), *crowd(Arm.HOLDOUT, 100)]
BOUGHT = [
    *((f"treatment{n}", "2024-03-10", 10.0) for n in range(30)),
    *((f"holdout{n}", "2024-03-10", 10.0) for n in range(10)),
]
# Five of the holdout come back by themselves within half a year, and three too late for that.
LATE = [
    *((f"holdout{n}", "2024-06-01", 10.0) for n in range(10, 15)),
    *((f"holdout{n}", "2024-12-01", 10.0) for n in range(20, 23)),
]
# Somebody else, by whom it is known that orders are imported until then.
KNOWN = [("stranger", "2025-04-01", 5.0)]
SENT = [fate(f"treatment{n}") for n in range(100)]  # at .50 each


def sends_of(fates: Sequence[MessageFate]) -> list[SentMessage]:
    return [SentMessage(one.person, one.rotation, one.at, one.cost_micros) for one in fates]


@pytest.mark.long
def test_what_it_made_happen_is_counted_by_hand(gathered: Any) -> None:
    people = replace(gathered(PEOPLE, [*BOUGHT, *LATE], SENT), acquisition=35.0)
    table = measure(people, about="lapsed-buyers")
    revenue = value(table, "incremental_revenue")
    assert revenue.figure == pytest.approx(200.0)
    assert revenue.base == 100
    assert revenue.low is not None
    assert revenue.high is not None
    assert 0 < revenue.low < 200 < revenue.high
    cost = value(table, "cost_per_incremental_return")
    assert cost.figure == pytest.approx(50.0 / 20)
    assert cost.beside == 35.0
    assert value(table, "cost_per_reactivated").figure == pytest.approx(50.0 / 30)
    assert value(table, "cost_per_reactivated").beside == 35.0
    assert value(table, "cost_per_acquisition").figure == 35.0
    saved = value(table, "churn_reduction")
    assert saved.figure == pytest.approx(0.85 - 0.70)
    assert saved.beside == pytest.approx(0.85)
    assert saved.low is not None
    assert saved.high is not None
    assert saved.low < 0.15 < saved.high


@pytest.mark.long
def test_the_report_says_the_same(open_shop: Any, order_rows: Any) -> None:
    engine = open_shop(orders=order_rows(BOUGHT))
    one = record(PEOPLE, fates=SENT, sends=sends_of(SENT), until=LATER)
    earnings = build_report(one, engine.facts(), engine).earnings
    people = gather([one], engine.facts(), engine, until_on=LATER.date())
    table = measure(people, about="x")
    assert earnings is not None
    assert earnings.total == Range(*figures(value(table, "incremental_revenue")))
    assert earnings.per_return == Range(*figures(value(table, "cost_per_incremental_return")))


@pytest.mark.long
def test_messages_weigh_where_the_money_beside_them_is_counted(
    open_shop: Any, order_rows: Any
) -> None:
    """Who enters again after the window has a first entry, one window, and one cost of it."""
    again = timedelta(days=200)
    within = JOURNEY.goal.within
    entered = [*PEOPLE[:-1], replace(PEOPLE[-1], entered_at=START + 2 * DAYS)]
    people = [*entered, *(replace(one, rotation=1, entered_at=START + again) for one in PEOPLE)]
    inside = replace(fate("treatment1"), rotation=1, at=START + within)
    later = [replace(one, rotation=1, at=START + again + DAYS) for one in SENT]
    late = replace(fate("treatment2"), at=START + within + DAYS)  # all of the first
    fates = [*SENT, inside, *later, late]
    engine = open_shop(orders=order_rows(BOUGHT))
    one = record(people, fates=fates, sends=sends_of(fates), until=LATER)
    report = build_report(one, engine.facts(), engine)
    assert report.to_json()["cost"] == 101.0
    assert report.earnings is not None
    assert isinstance(report.earnings.on_spend, Range)
    assert report.earnings.on_spend.value == pytest.approx(200 / 51)
    table = measure(gather([one], engine.facts(), engine, until_on=LATER.date()), about="x")
    assert value(table, "cost_per_incremental_return").figure == pytest.approx(51 / 20)
    assert value(table, "cost_per_reactivated").figure == pytest.approx(51 / 30)
    assert find_cost(one) == 51.0


def test_a_report_has_beside_it_what_a_new_customer_costs(open_shop: Any, order_rows: Any) -> None:
    engine = open_shop(orders=order_rows(BOUGHT))
    one = record(PEOPLE, fates=SENT, sends=sends_of(SENT), until=LATER)
    earnings = build_report(one, engine.facts(), engine).earnings
    assert earnings is not None
    assert earnings.to_json()["cost_per_acquisition"] is None
    dear = replace(earnings, acquisition_cost=35.0)
    assert dear.to_json()["cost_per_acquisition"] == 35.0
    rows = [list(tell_earnings(told, str)) for told in (earnings, dear)]
    assert rows[1] == [*rows[0], ("cost of a new customer, as you say", "35.0", "", "")]


def figures(found: Value) -> tuple[Any, Any, Any]:
    return found.figure, found.low, found.high


@pytest.mark.long
def test_a_journey_that_harms_is_told_so(gathered: Any) -> None:
    other = {"treatment": "holdout", "holdout": "treatment"}
    orders = [
        (who.replace(arm, other[arm]), *rest)
        for who, *rest in BOUGHT
        for arm in other
        if who.startswith(arm)
    ]
    table = measure(gathered(PEOPLE, [*orders, *KNOWN], SENT), about="x")
    assert value(table, "incremental_revenue").figure == pytest.approx(-200.0)
    assert value(table, "churn_reduction").figure == pytest.approx(-0.2)
    assert "no more people returned" in str(value(table, "cost_per_incremental_return").figure)
    told = [row for one in measure_tables(table) for row in one.rows]
    assert any(row[0] == "churn reduction" and row[1] == "−20.0 points" for row in told)


@pytest.mark.long
def test_journeys_are_compared_each_with_its_own_holdout(open_shop: Any, order_rows: Any) -> None:
    """A large holdout of people who hardly buy is none for a journey to people who do."""
    loyal = [*crowd(Arm.TREATMENT, 100, "l"), *crowd(Arm.HOLDOUT, 20, "l")]
    cold = [*crowd(Arm.TREATMENT, 100, "c"), *crowd(Arm.HOLDOUT, 100, "c")]
    orders = [
        *((f"ltreatment{n}", "2024-03-10", 10.0) for n in range(50)),
        *((f"lholdout{n}", "2024-03-10", 10.0) for n in range(10)),
        *((f"ctreatment{n}", "2024-03-10", 10.0) for n in range(10)),
        *((f"choldout{n}", "2024-03-10", 10.0) for n in range(10)),
    ]
    table = _of_two(open_shop(orders=order_rows([*orders, *KNOWN])), loyal, cold)
    assert value(table, "incremental_revenue").figure == pytest.approx(0.0)
    assert value(table, "churn_reduction").figure == pytest.approx(0.0)
    # Pooled, 60 of 200 would stand against 20 of 120, and 13 points would be shown.
    back = value(table, "reactivation_rate")
    assert back.figure == pytest.approx(60 / 200)
    assert back.beside == pytest.approx(60 / 200)


@pytest.mark.long
def test_chance_of_one_journey_says_nothing_of_the_next(open_shop: Any, order_rows: Any) -> None:
    """Each end of a sum lies as far from it as the ends of its parts do, added in squares."""
    bought = [(f"again-{who}", day, paid) for who, day, paid in BOUGHT]
    engine = open_shop(orders=order_rows([*BOUGHT, *bought, *KNOWN]))
    again = [*crowd(Arm.TREATMENT, 100, "again-"), *crowd(Arm.HOLDOUT, 50, "again-")]
    alone = [value(_of_two(engine, one), "incremental_revenue") for one in (PEOPLE, again)]
    both = value(_of_two(engine, PEOPLE, again), "incremental_revenue")
    total = sum(figures(one)[0] for one in alone)
    below = hypot(*(value - low for value, low, _ in map(figures, alone)))
    above = hypot(*(high - value for value, _, high in map(figures, alone)))
    assert figures(both) == pytest.approx((total, total - below, total + above))


@pytest.mark.long
def test_a_journey_without_a_holdout_leaves_nothing_to_stand_beside(
    open_shop: Any, order_rows: Any
) -> None:
    alone = [member(f"alone{n}") for n in range(30)]
    table = _of_two(open_shop(orders=order_rows(BOUGHT)), PEOPLE, alone)
    assert value(table, "reactivation_rate").beside == Unknown(
        "nobody was assigned to the holdout of journey1"
    )


@pytest.mark.long
def test_a_journey_that_cannot_be_compared_is_left_out_and_named(
    open_shop: Any, order_rows: Any
) -> None:
    alone = [member(f"alone{n}") for n in range(30)]
    sent = [*SENT, *(fate(one.person) for one in alone)]
    table = _of_two(open_shop(orders=order_rows(BOUGHT)), PEOPLE, alone, fates=sent)
    assert value(table, "cost_per_incremental_return").figure == pytest.approx(50.0 / 20)
    assert value(table, "incremental_revenue").figure == pytest.approx(200.0)
    assert value(table, "incremental_revenue").base == 100
    note = "incremental revenue: 1 journey cannot be compared and is left out (journey1: nobody"
    assert any(one.startswith(note) for one in table.notes)
    assert "note" in str(write_measures(table)["groups"])


def _of_two(
    engine: Any, *journeys: Sequence[Membership], fates: Sequence[MessageFate] = ()
) -> MeasureTable:
    records = [
        replace(
            _named(f"journey{number}", members),
            holdout_share=0.0,
            fates=[one for one in fates if one.person in {who.person for who in members}],
        )
        for number, members in enumerate(journeys)
    ]
    found = gather(records, engine.facts(), engine, until_on=LATER.date())
    return measure(found, about="every journey")


def _named(name: str, members: Sequence[Membership]) -> JourneyRecord:
    return record(members, journey=replace(JOURNEY, name=name), until=LATER)


@pytest.mark.long
def test_groups_have_wider_intervals_that_hold_together(gathered: Any) -> None:
    members = [
        replace(one, covariates={"tier": "lapsed" if number % 2 else "dormant"})
        for number, one in enumerate(PEOPLE)
    ]
    people = gathered(members, BOUGHT, SENT)
    table = measure(people, about="x", by="tier")
    parts = [value(table, "incremental_revenue", name) for name in ("lapsed", "dormant")]
    assert sum(figures(one)[0] for one in parts) == pytest.approx(200.0)
    alone = measure(
        replace(
            people, subjects=[one for one in people.subjects if one.covariates["tier"] == "lapsed"]
        ),
        about="x",
    )
    whole = value(alone, "incremental_revenue")
    assert figures(parts[0])[2] > figures(whole)[2]
    assert any("hold together" in note for note in table.notes)
    cells = [cell for one in measure_tables(table) for row in one.rows for cell in row]
    assert sum(" – " in cell and cell.endswith(")") for cell in cells) >= 4


@pytest.mark.long
def test_groups_by_message_have_no_holdout_to_compare_with(gathered: Any) -> None:
    table = measure(gathered(PEOPLE, BOUGHT, SENT), about="x", by="channel")
    for name in ("incremental_revenue", "cost_per_incremental_return", "churn_reduction"):
        assert value(table, name, "email").figure == NO_HOLDOUT


@pytest.mark.long
@pytest.mark.parametrize("name", ["incremental_revenue", "cost_per_incremental_return"])
def test_without_a_holdout_nothing_is_said(measured: Any, name: str) -> None:
    table = measured([member("a"), member("b")], [("a", "2024-03-10", 9.0)], [fate("a")])
    assert value(table, name).figure == Unknown("nobody was assigned to the holdout")
    assert value(table, "churn_reduction").figure == TOO_SOON


def test_nobody_is_lost_before_their_time_is_over(gathered: Any) -> None:
    late = [replace(one, entered_at=LATER - 100 * DAYS) for one in PEOPLE]
    table = measure(gathered(late, [*BOUGHT, *KNOWN], SENT), about="x")
    assert value(table, "churn_reduction").figure == TOO_SOON


@pytest.mark.long
def test_nobody_is_lost_because_nothing_was_imported(gathered: Any) -> None:
    table = measure(gathered(PEOPLE, BOUGHT, SENT), about="x")
    assert value(table, "churn_reduction").figure == TOO_SOON
    known = measure(gathered(PEOPLE, [*BOUGHT, *KNOWN], SENT), about="x")
    assert value(known, "churn_reduction").figure == pytest.approx(0.2)


def test_of_subscriptions_days_without_a_purchase_say_nothing(gathered: Any) -> None:
    people: MeasuredPeople = gathered(PEOPLE, [*BOUGHT, *KNOWN], SENT)
    ours = people.journeys[JOURNEY.name]
    stays = replace(ours, outcomes=replace(ours.outcomes, of_subscriptions=True))
    table = measure(replace(people, journeys={JOURNEY.name: stays}), about="x")
    assert value(table, "churn_reduction").figure == OF_STAYS


def test_what_a_new_customer_costs_is_asked_for(measured: Any) -> None:
    table = measured([member("a")])
    assert value(table, "cost_per_acquisition").figure == NO_ACQUISITION
    assert value(table, "cost_per_reactivated").beside == NO_ACQUISITION


def test_nothing_moves_after_a_reading_date(gathered: Any, open_shop: Any, order_rows: Any) -> None:
    short = replace(JOURNEY, goal=Goal(SignalKind.ORDER, timedelta(days=90)))
    later = [(f"holdout{n}", "2024-05-01", 10.0) for n in range(10, 15)]
    engine = open_shop(orders=order_rows([*BOUGHT, *later]))
    after = START + 60 * DAYS
    since = crowd(Arm.TREATMENT, 50, "later-", entered_at=after)
    fates = [*SENT, *(fate(one.person, 61) for one in since)]
    one = record(
        [*PEOPLE, *since],
        journey=short,
        fates=fates,
        until=LATER,
        reads_on=(START + 40 * DAYS).date(),
    )
    table = measure(gather([one], engine.facts(), engine, until_on=LATER.date()), about="x")
    assert value(table, "cost_per_incremental_return").figure == pytest.approx(50.0 / 20)
    # Without it five more of the holdout would have bought, for 50.
    assert value(table, "incremental_revenue").figure == pytest.approx(200.0)
    assert value(table, "returned").figure == 30
