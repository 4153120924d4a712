"""What names mean: the signals that end journeys, and what is no person's doing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rekindle.intake import (
    MEANINGS,
    channel_of,
    is_behaviour,
    read_event,
    signal_kind,
)
from rekindle.intake.meanings import kind_of
from rekindle.vocabulary import SignalKind
from rekindle.wording import event_name

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def kind(event: str, **content: Any) -> SignalKind | None:
    type_ = content.pop("call", "track")
    call = {"type": type_, "userId": "ada", "event": event, "properties": content}
    return signal_kind(read_event(call, received_at=NOW))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("Product Viewed", SignalKind.VIEW),
        ("Unsubscribed", SignalKind.OPT_OUT),
        ("Email Marked as Spam", SignalKind.COMPLAINT),
        ("Email Bounced", SignalKind.BOUNCE),
        ("Email Opened", SignalKind.OPEN),
        ("Email Link Clicked", SignalKind.CLICK),
        ("Signed In", SignalKind.LOGIN),
        ("Coupon Applied", SignalKind.OFFER_USED),
        ("Cart Abandoned", SignalKind.EVENT),
        ("Order Something", SignalKind.EVENT),
    ],
)
def test_a_name_of_the_specification_has_its_meaning(event: str, expected: SignalKind) -> None:
    assert kind(event) is expected


def test_an_order_is_a_purchase_when_something_was_paid() -> None:
    assert kind("Order Completed", order_id="1", revenue=5) is SignalKind.ORDER
    assert kind("Order Completed", order_id="1", revenue=0) is SignalKind.EVENT


def test_a_page_is_a_visit_and_an_identify_nothing() -> None:
    assert kind("", call="page") is SignalKind.VISIT
    assert kind("", call="identify") is None


def test_a_soft_bounce_ends_nothing() -> None:
    assert kind("Email Bounced", bounce_type="Soft") is SignalKind.EVENT


@pytest.mark.parametrize("mark", ["machine", "bot", "prefetch", "is_machine"])
def test_what_a_machine_did_is_no_sign_of_a_person(mark: str) -> None:
    assert kind("Email Opened", **{mark: True}) is None
    assert kind("Unsubscribed", **{mark: True}) is SignalKind.OPT_OUT


@pytest.mark.parametrize(
    ("event", "allowed"),
    [("Product Viewed", True), ("Cart Abandoned", True), ("Unsubscribed", False)],
)
def test_a_public_key_reports_behaviour_only(event: str, allowed: bool) -> None:
    call = {"type": "track", "userId": "ada", "event": event}
    assert is_behaviour(read_event(call, received_at=NOW)) is allowed


def test_every_name_in_the_mapping_is_in_its_own_form() -> None:
    assert [name for name in MEANINGS if event_name(name) != name] == []


@pytest.mark.parametrize(
    ("name", "content", "channel"),
    [
        ("email_bounced", {}, "email"),
        ("unsubscribed", {}, None),
        ("unsubscribed", {"channel": "email"}, "email"),
        ("unsubscribed", {"channel": "web"}, None),
        ("cheque_bounced", {}, None),
    ],
)
def test_a_stop_says_which_channel_it_is_of(
    name: str, content: dict[str, str], channel: str | None
) -> None:
    assert channel_of(name, content) == channel
    is_stop = name != "cheque_bounced"
    assert (kind_of(name, content) is not SignalKind.EVENT) is is_stop
