"""What a unit of money earned in each place, and when it is said to be moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rekindle.insights import BudgetAdvice, JourneyRecord, Membership, advise
from rekindle.insights.lifting.budgeting import (
    NO_COST,
    NO_MOVE,
    TOO_FEW,
    BudgetMove,
    SpendingPlace,
    UnitEarned,
    find_move,
)
from rekindle.insights.tables import budget_tables
from rekindle.journeys import Goal
from rekindle.vocabulary import Arm, SignalKind, Unknown
from tests.insights.measures.conftest import fate
from tests.insights.test_report import JOURNEY, START, crowd, record
from tests.insights.test_subgroups import a_part, bought


def a_place(name: str, low: float, value: float, high: float, cost: float = 100.0) -> SpendingPlace:
    return SpendingPlace(name, "", 100, cost, UnitEarned(value, low, high))


def people(name: str, count: int = 200) -> list[Membership]:
    return [*crowd(f"{name}-t", Arm.TREATMENT, count), *crowd(f"{name}-h", Arm.HOLDOUT, count)]


def journey(name: str, members: Sequence[Membership], **changes: Any) -> JourneyRecord:
    """Return a journey of which each message cost half a unit of money."""
    fates = [fate(one.person) for one in members if one.arm is Arm.TREATMENT]
    return replace(record(members, fates=fates), journey=replace(JOURNEY, name=name), **changes)


@pytest.fixture
def advised(open_shop: Any, order_rows: Any) -> Any:
    def build(
        orders: list[Any], *records: JourneyRecord, margin: float | None = 0.5, by: str = ""
    ) -> BudgetAdvice:
        engine = open_shop(orders=order_rows(orders))
        until = records[0].until
        return advise(records, engine.facts(), engine, margin=margin, until=until, by=by)

    return build


def test_a_unit_earns_the_lift_of_everybody_treated_as_far_as_it_is_margin(advised: Any) -> None:
    orders = [*bought("a-t", 80), *bought("a-h", 20)]
    (place,) = advised(orders, journey("a", people("a"))).places
    sold = sum(amount for _, _, amount in bought("a-t", 80))
    kept = sum(amount for _, _, amount in bought("a-h", 20))
    assert place.cost == 100.0
    assert place.per_unit.value == pytest.approx((sold - kept) * 0.5 / 100)
    assert place.per_unit.low < place.per_unit.value < place.per_unit.high


def test_money_is_moved_where_the_data_say_so(advised: Any) -> None:
    orders = [*bought("a-t", 100), *bought("a-h", 10), *bought("b-t", 30), *bought("b-h", 30)]
    told = advised(orders, journey("b", people("b")), journey("a", people("a")))
    assert [place.name for place in told.places] == ["a", "b"]
    assert (told.move.source, told.move.target, told.move.amount) == ("b", "a", 10.0)
    assert 0 < told.move.gain.low < told.move.gain.value
    assert told.told[0].startswith("Move 10 % (£10.00) from b to a")
    assert told.to_json()["move"]["to"] == "a"


@pytest.mark.long
def test_nothing_is_moved_by_chance(advised: Any) -> None:
    orders = [*bought("a-t", 22), *bought("a-h", 20), *bought("b-t", 20), *bought("b-h", 20)]
    told = advised(orders, journey("a", people("a")), journey("b", people("b")))
    assert told.move == NO_MOVE
    assert "Nothing is to be moved" in told.told[0]


def test_what_cost_nothing_takes_no_part(advised: Any) -> None:
    free = replace(journey("free", people("b")), fates=())
    told = advised([*bought("a-t", 9)], journey("a", people("a")), free)
    assert told.places[-1].per_unit == NO_COST
    assert told.move == TOO_FEW
    assert told.confidence == 0.95


def test_a_journey_whose_arms_are_not_as_they_were_drawn_is_not_compared(advised: Any) -> None:
    lost = journey("lost", people("b")[:240])
    told = advised([*bought("a-t", 9)], journey("a", people("a")), lost)
    assert isinstance(told.places[-1].per_unit, Unknown)
    assert "no chance" in told.places[-1].per_unit.reason


def test_subgroups_are_places_of_their_own(advised: Any) -> None:
    members = a_part("a", 150, tier="lapsed") + a_part("b", 150, tier="dormant")
    orders = [*bought("a-t", 90), *bought("a-h", 9), *bought("b-t", 20), *bought("b-h", 20)]
    told = advised(orders, journey("j", members), by="tier")
    assert [place.name for place in told.places] == ["j: lapsed", "j: dormant"]
    assert told.move.target == "j: lapsed"


def test_messages_to_who_entered_after_the_reading_date_do_not_count(advised: Any) -> None:
    late = [replace(one, entered_at=START + 40 * (JOURNEY.goal.within / 30)) for one in people("z")]
    goal = Goal(SignalKind.ORDER, JOURNEY.goal.within)
    told = journey("a", [*people("a"), *late])
    told = replace(told, reads_on=(START + JOURNEY.goal.within).date())
    told = replace(told, journey=replace(told.journey, goal=goal))
    (place,) = advised([*bought("a-t", 20)], told).places
    assert (place.treated, place.cost) == (200, 100.0)


def test_a_difference_has_the_interval_its_sides_leave() -> None:
    more = UnitEarned(5.0, 4.0, 7.0).beyond(UnitEarned(2.0, 1.5, 2.75))
    assert (more.value, more.low, more.high) == pytest.approx(
        (3.0, 3.0 - (1 + 0.75**2) ** 0.5, 3.0 + (4 + 0.25) ** 0.5)
    )


def test_the_surest_of_several_moves_is_told() -> None:
    found = find_move(
        [
            a_place("sure", 4.0, 5.0, 6.0),
            a_place("vague", 3.0, 9.0, 15.0),
            a_place("loss", -0.5, 0.0, 0.5),
        ]
    )
    assert isinstance(found, BudgetMove)
    assert (found.source, found.target) == ("loss", "sure")
    assert find_move([a_place("alone", 1.0, 2.0, 3.0)]) == TOO_FEW


@pytest.mark.long
def test_a_loss_is_said_only_where_the_margin_is_known(advised: Any) -> None:
    orders = [*bought("a-t", 10, 0.1), *bought("a-h", 10, 0.1)]
    loss = journey("a", people("a"))
    loss = replace(loss, fates=[replace(one, cost_micros=900_000_000) for one in loss.fates])
    known, unknown = advised(orders, loss), advised(orders, loss, margin=None)
    assert any("earns less than it costs" in note for note in known.told)
    assert not any("earns less than it costs" in note for note in unknown.told)
    assert any("Without `margin`" in note for note in unknown.told)


def test_tables_have_a_cell_for_every_column(advised: Any) -> None:
    told = advised([], journey("a", people("a")), journey("b", people("b")))
    for table in budget_tables(told):
        assert all(len(row) == len(table.headers) for row in table.rows)
