"""What a person did: told apart from the profile, and filled in before it is asked."""

from __future__ import annotations

import re

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.audiences import (
    BEHAVIOURS,
    behaviours_in,
    bind_flags,
    build_condition,
    is_never,
    parse_predicate,
)
from rekindle.errors import PredicateError
from rekindle.profiles import FAMILIES
from tests.audiences.test_conditions import PEOPLE

ATOMS = (
    "clicked",
    "opened",
    "did('cart_abandoned')",
    "has_email",
    "true",
    "false",
    "1 = 1",
    "clicked is true",
    "clicked = has_email",
    "opened <> false",
    "coalesce(clicked, has_email)",
    "has_email is null",
    "has_email is not true",
    "tier = 'lapsed'",
    "tier <> 'lapsed'",
    "tier in ('active', 'prospect')",
    "country is null",
    "country = 'DE'",
    "'GB' = country",
    "country not in ('DE', 'GB')",
    "country like 'D%'",
    "orders_count > 1",
    "orders_count <= 1",
    "0 > orders_count",
    "orders_count between 1 and 2",
    "orders_count not between 1 and 2",
    "lifetime_value > -1",
    "last_order_on < '2010-06-01'",
    "last_order_on >= current_date - interval 30 days",
    "last_order_at > timestamp '2010-06-01 00:00:00'",
)
conditions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        inner.map(lambda one: f"(({one}) is true)"),
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
    ),
    max_leaves=6,
)
PATTERN = re.compile(r"\b(clicked|opened|did\('cart_abandoned'\))")
EVENTS = {"clicked": "click", "opened": "open", "did('cart_abandoned')": "cart_abandoned"}


def matching(text: str) -> set[str]:
    con = ibis.duckdb.connect()
    table = con.create_table("people", PEOPLE)
    rows = table.filter(build_condition(parse_predicate(text), table)).to_pyarrow()
    con.disconnect()
    return set(rows.column("customer_id").to_pylist())


@pytest.mark.long
@settings(max_examples=120, deadline=None, derandomize=True)
@given(conditions, st.sets(st.sampled_from(sorted(EVENTS.values()))))
def test_a_bound_condition_picks_whom_the_filled_in_one_does(text: str, done: set[str]) -> None:
    bound = bind_flags(text, {event: event in done for event in EVENTS.values()})
    filled = PATTERN.sub(lambda word: str(EVENTS[word[0]] in done).lower(), text)
    found = {"ann", "bob", "cem"} if bound is True else set()
    assert (found if isinstance(bound, bool) else matching(bound)) == matching(filled)


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True)
@given(conditions, st.sets(st.sampled_from(sorted(EVENTS.values()))))
def test_what_is_never_met_is_met_by_nobody(text: str, done: set[str]) -> None:
    if is_never(text):
        filled = PATTERN.sub(lambda word: str(EVENTS[word[0]] in done).lower(), text)
        assert matching(filled) == set()


@pytest.mark.parametrize(
    ("text", "done", "bound"),
    [
        ("clicked", {"click"}, True),
        ("not clicked", {"click"}, False),
        ("clicked and tier = 'lapsed'", {"click"}, "tier = 'lapsed'"),
        ("clicked and tier = 'lapsed'", set(), False),
        ("opened or clicked or has_email", set(), "has_email"),
        ("did('cart_abandoned') and not logged_in", {"cart_abandoned"}, True),
        ("did('click')", {"click"}, True),
        ("(clicked and opened) is not true", {"click"}, True),
        ("clicked in (true, false)", set(), True),
        ("2 > 1 or has_email", set(), True),
        ("TIER = 'lapsed' or has_email", set(), "TIER = 'lapsed' OR has_email"),
    ],
)
def test_what_was_done_is_filled_in(text: str, done: set[str], bound: str | bool) -> None:
    assert bind_flags(text, dict.fromkeys(done, True)) == bound


def test_the_events_of_a_condition_are_known_by_name() -> None:
    every = " or ".join([*BEHAVIOURS, "did('cart_abandoned')", "tier = 'lapsed'"])
    assert behaviours_in(every) == {*BEHAVIOURS.values(), "cart_abandoned"}
    predicate = parse_predicate(every, allow_behaviours=True)
    assert predicate.columns == {"tier"}
    assert predicate.behaviours == behaviours_in(every)


def test_no_behaviour_is_called_like_a_column() -> None:
    assert not BEHAVIOURS.keys() & set(FAMILIES.names)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("clicked", "clicked is known inside a journey's steps only"),
        ("has_email and did('x')", r"did\('x'\) is known inside a journey's steps only"),
    ],
)
def test_an_audience_knows_of_no_behaviour(text: str, part: str) -> None:
    with pytest.raises(PredicateError, match=part):
        parse_predicate(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("clikked", "did you mean 'clicked'"),
        ("clicked > 3", "different types"),
        ("did(clicked)", "name one event in quotes"),
        ("did('Cart')", "name one event in quotes"),
        ("did('a', 'b')", "name one event in quotes"),
        ("did()", "name one event in quotes"),
        ("made('x')", "not allowed"),
        ("e.clicked", "without 'e'"),
        (" or ".join(["clicked"] + ["tier='gone'"] * 260), "written out"),
    ],
)
def test_a_mistake_with_a_behaviour_is_answered(text: str, part: str) -> None:
    with pytest.raises(PredicateError, match=part):
        parse_predicate(text, allow_behaviours=True)


def test_a_condition_has_to_be_bound_before_it_is_asked() -> None:
    predicate = parse_predicate("clicked", allow_behaviours=True)
    with pytest.raises(PredicateError, match="bind"):
        build_condition(predicate, ibis.memtable(PEOPLE))


def test_a_long_condition_is_bound() -> None:
    text = " or ".join(["1=2"] * 400 + ["clicked"])
    assert bind_flags(text, {"click": True}) is True
