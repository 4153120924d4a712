"""A call is read into a sound event, or refused with the reason; nothing in between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rekindle.errors import EventError
from rekindle.intake import Event, Problem, parse_json, read_event
from rekindle.intake.reading import _is_plain, _validated

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(**given: Any) -> Event:
    call = {"type": "track", "userId": "ada", "event": "Cart Abandoned", **given}
    return read_event(call, received_at=NOW)


def problem(raw: Any) -> Problem:
    with pytest.raises(EventError) as refused:
        read_event(raw, received_at=NOW)
    return Problem(refused.value.problem)


def test_a_name_is_one_word_however_it_is_written() -> None:
    names = {
        read(event=text).name for text in ("Cart Abandoned", "cartAbandoned", "cart-abandoned")
    }
    assert names == {"cart_abandoned"}


def test_a_number_is_an_id_too() -> None:
    assert read(userId=4711).user_id == "4711"


@pytest.mark.parametrize(
    ("stated", "read_as"),
    [
        ("2026-03-01T10:00:00Z", NOW - timedelta(hours=2)),
        ("2026-03-01T11:59:59.999999999+00:00", NOW - timedelta(microseconds=1)),
        ("2026-03-01T12:00:00+02:00", NOW - timedelta(hours=2)),
        ("2026-03-01T10:00:00", NOW - timedelta(hours=2)),
    ],
)
def test_a_timestamp_counts_as_it_is_stated(stated: str, read_as: datetime) -> None:
    assert read(timestamp=stated).at == read_as


def test_a_wrong_clock_is_set_right_by_when_it_says_it_sent() -> None:
    # The device is an hour fast: it sends at 13:00 by its clock what it saw at 12:50.
    event = read(originalTimestamp="2026-03-01T12:50:00Z", sentAt="2026-03-01T13:00:00Z")
    assert event.at == NOW - timedelta(minutes=10)


def test_no_time_is_now() -> None:
    assert read().at == NOW


def test_an_event_from_the_future_counts_from_when_it_was_received() -> None:
    event = read(timestamp="2027-01-01T00:00:00Z")
    assert (event.at, event.is_clamped) == (NOW, True)


def test_a_clock_a_few_minutes_fast_is_no_lie() -> None:
    event = read(timestamp="2026-03-01T12:09:00Z")
    assert (event.at, event.is_clamped) == (NOW, False)


def test_the_same_call_without_a_message_id_gets_the_same_one() -> None:
    first, second = read(properties={"a": 1, "b": 2}), read(properties={"b": 2, "a": 1})
    assert first.message_id == second.message_id
    assert first.message_id != read(properties={"a": 2}).message_id


@pytest.mark.parametrize(
    ("call", "is_new"),
    [
        ({"type": "identify", "traits": {"consent": {"email": False}}}, True),
        ({"type": "identify", "traits": {"consent": {"email": True}}}, False),
        ({"event": "Unsubscribed"}, True),
        ({"event": "Product Viewed"}, False),
    ],
)
def test_a_no_without_a_message_id_is_never_a_repetition(
    call: dict[str, Any], is_new: bool
) -> None:
    bare = {"type": "track", "userId": "ada", **call}
    first, second = (
        read_event(bare, received_at=at).message_id for at in (NOW, NOW + timedelta(minutes=1))
    )
    assert (first != second) is is_new


def test_when_it_was_sent_does_not_change_a_derived_id() -> None:
    assert read(sentAt="2026-03-01T10:00:00Z").message_id == read().message_id


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"type": "purchase"}, Problem.UNKNOWN_TYPE),
        ({"type": None}, Problem.UNKNOWN_TYPE),
        ({"type": 7}, Problem.BAD_FIELD),
        ({"userId": None}, Problem.MISSING_ID),
        ({"userId": ""}, Problem.MISSING_ID),
        ({"userId": "x" * 201}, Problem.BAD_FIELD),
        ({"userId": ["ada"]}, Problem.BAD_FIELD),
        ({"userId": True}, Problem.BAD_FIELD),
        ({"userId": "a\x1fb"}, Problem.BAD_FIELD),
        ({"messageId": {"id": 1}}, Problem.BAD_FIELD),
        ({"event": None}, Problem.MISSING_NAME),
        ({"event": "!!!"}, Problem.MISSING_NAME),
        ({"properties": "none"}, Problem.BAD_FIELD),
        ({"timestamp": "yesterday"}, Problem.BAD_TIME),
        ({"timestamp": "9999-12-31T23:59:59-23:00"}, Problem.BAD_TIME),
        ({"timestamp": "2015-01-01T00:00:00Z"}, Problem.TOO_OLD),
        ({"timestamp": 1700000000}, Problem.BAD_FIELD),
        ({"properties": {"text": "a\x00b"}}, Problem.BAD_TEXT),
        ({"properties": {"a\x00b": 1}}, Problem.BAD_TEXT),
        ({"properties": {"text": "\ud800"}}, Problem.BAD_TEXT),
        ({"properties": {"text": "ü" * 17_000}}, Problem.TOO_LARGE),
        ({"event": "Order Completed"}, Problem.MISSING_ORDER_ID),
        ({"event": "Order Completed", "properties": {"order_id": True}}, Problem.MISSING_ORDER_ID),
        (
            {"event": "Order Completed", "properties": {"order_id": 1, "total": "much"}},
            Problem.BAD_AMOUNT,
        ),
        *(
            ({"event": "Order Refunded", "properties": {"order_id": 1, **back}}, Problem.BAD_AMOUNT)
            for back in ({"amount": "12,50"}, {"refund": True}, {"products": [{"price": "much"}]})
        ),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], reason: Problem) -> None:
    assert problem({"type": "track", "userId": "ada", "event": "X", **changed}) is reason


@pytest.mark.parametrize("raw", [None, 7, "track", ["track"], True])
def test_what_is_no_object_is_refused(raw: object) -> None:
    assert problem(raw) is Problem.NOT_AN_OBJECT


def test_an_alias_needs_both_ids() -> None:
    assert problem({"type": "alias", "userId": "ada"}) is Problem.MISSING_ID


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1" * 5000])
def test_a_number_nobody_can_keep_spoils_only_its_own_event(value: str) -> None:
    good = '{"type": "track", "userId": "ada", "event": "X"}'
    bad = good[:-1] + f', "properties": {{"n": {value}}}}}'
    calls = parse_json(f"[{good}, {bad}]".encode())
    assert read_event(calls[0], received_at=NOW).name == "x"
    assert problem(calls[1]) is Problem.BAD_VALUE


def test_deep_nesting_spoils_only_its_own_event() -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"in": deep}
    call = {"type": "track", "userId": "ada", "event": "X", "properties": deep}
    assert problem(json.loads(json.dumps(call))) is Problem.BAD_VALUE


def test_nesting_beyond_reading_is_no_json() -> None:
    with pytest.raises(ValueError, match="deep"):
        parse_json(b"[" * 100_000 + b"]" * 100_000)


def test_what_was_said_is_kept_whole() -> None:
    call = {"type": "track", "userId": "ada", "event": "X", "more": {"ü": ["😀", 1.5, None]}}
    assert json.loads(read_event(call, received_at=NOW).payload) == call


@pytest.mark.parametrize(
    "call",
    [
        {"userId": "ada", "messageId": "m-1", "properties": {"a": 1}},
        {"userId": "~" * 200, "timestamp": "2026-01-01T00:00:00Z", "context": {}},
        {"anonymousId": "!", "type": "page", "traits": None, "event": " "},
    ],
)
def test_a_plain_call_is_read_as_any_other(call: dict[str, Any]) -> None:
    assert _is_plain(call)
    told = {name: value for name, value in _validated(call).items() if value is not None}
    assert told == {name: value for name, value in call.items() if value is not None}


@pytest.mark.parametrize(
    "call",
    [
        {"userId": " ada"},
        {"userId": 7},
        {"userId": "x" * 201},
        {"userId": "a\x00"},
        {"type": 7},
        {"properties": []},
    ],
)
def test_a_call_that_is_not_plain_is_looked_at_closely(call: dict[str, Any]) -> None:
    assert not _is_plain(call)
