"""A yes that waits for its confirmation: what becomes of it, and where one has to wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.consent import (
    ConsentRecord,
    PendingConsent,
    PendingState,
    is_about,
    judge_pending,
    needs_confirming,
    write_about,
)
from rekindle.vocabulary import Channel

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL = Channel("email")
PENDING = PendingConsent("ada", EMAIL, AT, "form", "Yes")


def said(granted: bool, days: int, channel: Channel = EMAIL) -> ConsentRecord:
    return ConsentRecord("ada", channel, granted, AT + days * DAY, "form")


@pytest.mark.parametrize(
    ("records", "stops", "after", "state"),
    [
        ([], [], 0 * DAY, PendingState.OPEN),
        ([], [], 7 * DAY - timedelta(seconds=1), PendingState.OPEN),
        ([], [], 7 * DAY, PendingState.OVER),
        ([said(True, -1)], [], DAY, PendingState.OPEN),
        ([said(False, -1)], [], DAY, PendingState.OPEN),
        ([said(False, 0)], [], DAY, PendingState.REFUSED),
        ([said(False, 1)], [], DAY, PendingState.REFUSED),
        ([said(False, 2)], [], DAY, PendingState.OPEN),
        ([said(False, 1, Channel("sms"))], [], DAY, PendingState.OPEN),
        ([said(True, 1)], [], 30 * DAY, PendingState.CONFIRMED),
        ([said(True, 1), said(False, 1)], [], DAY, PendingState.REFUSED),
        ([said(True, 1), said(False, 2)], [], 3 * DAY, PendingState.REFUSED),
        ([], [("opt_out", AT - DAY)], DAY, PendingState.OPEN),
        ([], [("no_response", AT - DAY)], DAY, PendingState.OPEN),
        ([], [("opt_out", AT)], DAY, PendingState.REFUSED),
        ([], [("complaint", AT - DAY)], DAY, PendingState.REFUSED),
        ([], [("bounce", AT - DAY)], DAY, PendingState.REFUSED),
    ],
)
def test_what_became_of_a_yes(
    records: list[ConsentRecord],
    stops: list[tuple[str, datetime]],
    after: timedelta,
    state: PendingState,
) -> None:
    assert judge_pending(PENDING, records, stops, at=AT + after, within=7 * DAY) is state


@pytest.mark.parametrize(
    ("place", "rule", "waits"),
    [
        ("DE", False, False),
        ("DE", frozenset(), False),
        (None, False, False),
        ("GB", True, True),
        (None, True, True),
        ("DE", frozenset({"DE"}), True),
        ("DE-BY", frozenset({"DE"}), True),
        ("GB", frozenset({"DE"}), False),
        (None, frozenset({"DE"}), True),
    ],
)
def test_where_a_yes_waits(place: str | None, rule: bool | frozenset[str], waits: bool) -> None:
    assert needs_confirming(place, rule) is waits


def test_a_link_is_about_one_yes_at_one_address() -> None:
    about = write_about(b"secret", PENDING, "Ada@example.com")
    assert is_about(about, b"secret", PENDING, "ada@example.com")
    assert "example" not in about
    for address in ("eve@example.com", "", None):
        assert not is_about(about, b"secret", PENDING, address)
    later = replace(PENDING, at=AT + DAY)
    assert not is_about(about, b"secret", later, "ada@example.com")
    assert not is_about(about, b"other", PENDING, "ada@example.com")
