"""What counts as reactivated can be chosen, and two definitions are reconciled by person."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from rekindle.errors import UsageError
from rekindle.insights import (
    REACTIVATIONS,
    find_reactivation,
    measure,
    measure_tables,
    rate_tables,
    reconcile_rates,
    write_measures,
)
from rekindle.insights.measures.catalogue import NO_MESSAGES
from rekindle.insights.measures.definitions import NOT_AFTER, NOT_CLICKED, NOT_INSIDE, NOT_REACHED
from rekindle.vocabulary import Arm, Unknown
from tests.insights.measures.conftest import fate, value
from tests.insights.test_report import member

PEOPLE = [member(name) for name in "abcdef"] + [member("h", Arm.HOLDOUT), member("i", Arm.HOLDOUT)]
FATES = [
    fate("a", 2, clicked=[3]),  # buys on day 5
    fate("b", 2, clicked=[3]),  # buys on day 20
    fate("c", 8),  # bought on day 5
    fate("d", 2),  # buys on day 60
    fate("e", 2, has_bounced=True),  # buys on day 5
    fate("f", 2),
]
ORDERS = [
    ("a", "2024-03-06", 9.0),
    ("b", "2024-03-21", 9.0),
    ("c", "2024-03-06", 9.0),
    ("d", "2024-04-30", 9.0),
    ("e", "2024-03-06", 9.0),
    ("h", "2024-04-30", 9.0),
]


@pytest.mark.long
def test_each_definition_is_counted_by_hand(gathered: Any) -> None:
    people = gathered(PEOPLE, ORDERS, FATES)
    counted = {
        "assigned": (4, 6, 0.0),
        "reached": (2, 5, NO_MESSAGES),
        "clicked": (1, 5, NO_MESSAGES),
        "whenever": (5, 6, 0.5),
    }
    assert counted.keys() == REACTIVATIONS.keys()
    for definition, (back, base, beside) in counted.items():
        table = measure(replace(people, definition=definition), about="j")
        found = value(table, "reactivation_rate")
        assert (found.count, found.base, found.beside) == (back, base, beside)
        assert found.figure == pytest.approx(back / base)
        assert write_measures(table)["definition"] == definition
        told = [note for one in measure_tables(table) for note in one.notes]
        assert any(f"definition '{definition}'" in one for one in told) is (
            definition != "assigned"
        )


@pytest.mark.long
def test_two_definitions_are_reconciled_person_by_person(gathered: Any) -> None:
    found = reconcile_rates(
        gathered(PEOPLE, ORDERS, FATES), about="j", one="assigned", other="reached"
    )
    told = {one.person: (one.one.told, one.other.told, one.because) for one in found.differences}
    assert told == {
        "c": ("back", "not back", NOT_AFTER),
        "e": ("back", "not counted", NOT_REACHED),
    }
    # Every step from one rate to the other is accounted for.
    assert found.counts == {"assigned": (4, 6), "reached": (2, 5)}
    assert found.rate("reached") == pytest.approx(2 / 5)


@pytest.mark.long
def test_who_is_counted_differently_by_time_and_by_click(gathered: Any) -> None:
    found = reconcile_rates(
        gathered(PEOPLE, ORDERS, FATES), about="j", one="clicked", other="whenever"
    )
    told = {one.person: one.because for one in found.differences}
    assert told == {"b": NOT_CLICKED, "c": NOT_CLICKED, "d": NOT_INSIDE, "e": NOT_REACHED}


def test_differences_make_up_the_difference(gathered: Any) -> None:
    people = gathered(PEOPLE, ORDERS, FATES)
    for one, other in product(REACTIVATIONS, repeat=2):
        found = reconcile_rates(people, about="j", one=one, other=other)
        moved = sum(who.one.is_back - who.other.is_back for who in found.differences)
        assert moved == found.counts[one][0] - found.counts[other][0]
        assert all(who.because for who in found.differences)
        assert all(len(row) == len(t.headers) for t in rate_tables(found) for row in t.rows)
        json.dumps(found.to_json())


@pytest.mark.long
def test_without_clicks_the_definition_that_asks_for_them_says_so(gathered: Any) -> None:
    no = Unknown("links are not counted")
    people = gathered(PEOPLE, ORDERS, [fate("a", 2)], clicks=no)
    table = measure(replace(people, definition="clicked"), about="j")
    assert value(table, "reactivation_rate").figure == no
    assert reconcile_rates(people, about="j", one="clicked", other="reached").rate("clicked") == no


def test_a_definition_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'reached'"):
        find_reactivation("reach")
    with pytest.raises(UsageError, match="there are assigned, reached, clicked, whenever"):
        find_reactivation("x")


def test_who_bought_before_a_message_is_not_back_by_it_by_any_definition(gathered: Any) -> None:
    late = [fate("a", 20), fate("f", 20)]
    people = gathered([member("a"), member("f")], [("a", "2024-03-06", 9.0)], late)
    for definition in REACTIVATIONS:
        table = measure(replace(people, definition=definition), about="j", by="channel")
        assert value(table, "reactivation_rate", "email").count == 0
