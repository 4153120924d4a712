"""The steps between a click and a return, by what people do and not by what nobody reported."""

from __future__ import annotations

from typing import Any

import pytest

from rekindle.insights import measure
from rekindle.insights.measures.model import NO_DEEDS
from rekindle.insights.measures.starting import ALL_BEFORE, is_towards
from rekindle.vocabulary import Arm, Unknown
from tests.insights.measures.conftest import SMS, fate, value
from tests.insights.test_report import member

PEOPLE = [member(name) for name in "abcdef"] + [member("h", Arm.HOLDOUT)]
CLICKED = [fate(name, clicked=[2]) for name in "abcde"]


@pytest.mark.long
def test_the_funnel_from_click_to_return_is_counted_by_hand(measured: Any) -> None:
    events = [
        ("z", "product_added", 0),  # somebody else: from here on it is known
        ("a", "Checkout Started", 3),
        ("b", "product_added", 1),  # before the click
        ("c", "page_viewed", 3),  # where the link led
        ("d", "login", 31),  # outside the window of 30 days
        ("f", "product_added", 3),  # without a click
        ("h", "product_added", 3),
    ]
    orders = [
        ("a", "2024-03-10", 9.0),
        ("e", "2024-03-12", 9.0),  # bought: began, though nobody saw how
        ("f", "2024-03-12", 9.0),  # back without a click
    ]
    table = measured(PEOPLE, orders, CLICKED, events)
    told = {
        name: (value(table, name).figure, value(table, name).base)
        for name in ("clicked", "started", "completed", "returned")
    }
    assert told == {
        "clicked": (5.0, 6),
        "started": (2.0, 5),
        "completed": (2.0, 6),
        "returned": (3.0, 6),
    }


@pytest.mark.long
def test_a_return_before_the_click_completes_nothing(measured: Any) -> None:
    table = measured(PEOPLE, [("a", "2024-03-02", 9.0)], CLICKED, [("z", "login", 0)])
    assert value(table, "returned").figure == 1
    assert value(table, "completed").figure == value(table, "started").figure == 0


@pytest.mark.long
def test_without_such_events_the_step_is_unknown_and_no_zero(measured: Any) -> None:
    for events in ([], [("a", "page_viewed", 3), ("a", "product_viewed", 3)]):
        table = measured(PEOPLE, [], CLICKED, events)
        assert value(table, "started").figure == NO_DEEDS
        assert value(table, "completed").figure == 0


@pytest.mark.long
def test_who_clicked_before_it_was_reported_is_not_said_to_have_stayed_away(
    measured: Any,
) -> None:
    late = fate("f", 20, clicked=[21])
    table = measured(PEOPLE, [], [*CLICKED, late], [("z", "login", 20), ("f", "login", 22)])
    assert (value(table, "started").figure, value(table, "started").base) == (1.0, 1)
    never = measured(PEOPLE, [], CLICKED, [("z", "login", 20)])
    assert value(never, "started").figure == ALL_BEFORE


def test_where_clicks_are_not_counted_nothing_after_them_is(measured: Any) -> None:
    no = Unknown("links are not counted")
    table = measured(PEOPLE, [], [fate("a")], [("a", "login", 3)], clicks=no)
    assert value(table, "started").figure == value(table, "completed").figure == no


@pytest.mark.long
def test_a_start_is_of_the_channel_whose_link_came_before_it(gathered: Any) -> None:
    fates = [fate("a", clicked=[2]), fate("a", 5, channel=SMS, clicked=[6])]
    table = measure(
        gathered([member("a")], [], fates, [("z", "login", 0), ("a", "product_added", 3)]),
        about="j",
        by="channel",
    )
    assert value(table, "started", "email").figure == 1
    assert value(table, "started", "sms").figure == 0


@pytest.mark.parametrize(
    ("written", "is_one"),
    [
        ("Product Added", True),
        ("signed_in", True),
        ("login", True),
        ("checkoutStarted", True),
        ("product_removed", False),
        ("cart_abandoned", False),
        ("page_viewed", False),
        ("", False),
        ("\u2603", False),
    ],
)
def test_what_a_start_is(written: str, is_one: bool) -> None:
    assert is_towards(written) is is_one
