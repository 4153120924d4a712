"""Figures and times read the same wherever they are shown."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from rekindle import wording


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(0, "message", "0 messages"), (1, "message", "1 message"), (2000, "person", "2,000 people")],
)
def test_count_goes_with_its_noun(count: int, noun: str, text: str) -> None:
    assert wording.counted(count, noun) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.5, "50 %"), (0.122, "12.2 %"), (0.0003, "0.03 %"), (1, "100 %")],
)
def test_share_is_a_percentage(share: float, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("factor", "text"), [(2.44, "2.4-fold"), (-0.5, "−0.5-fold"), (-79_128.3, "−79,128-fold")]
)
def test_a_factor_is_told_as_so_many_times(factor: float, text: str) -> None:
    assert wording.times(factor) == text


def test_a_negative_share_has_a_minus_as_amounts_have() -> None:
    assert wording.percent(-0.505) == "−50.5 %"


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (Decimal("2.69"), "EUR", "€2.69"),
        (-30, "GBP", "−£30.00"),
        (-0.001, "GBP", "£0.00"),
        (318.24, "CHF", "CHF 318.24"),
    ],
)
def test_amount_has_the_currencys_mark(value: float, currency: str, text: str) -> None:
    assert wording.amount(value, currency) == text


def test_instant_is_told_by_the_clock_of_the_business() -> None:
    at, zone = datetime(2026, 11, 27, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo")
    assert (wording.moment(at, zone), wording.day(at, zone)) == ("2026-11-28 08:30", "2026-11-28")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("true", "true"),
        ("tier = 'lapsed'", "\"tier = 'lapsed'\""),
        ("$HOME", "'$HOME'"),
        ('say "it"', "'say \"it\"'"),
        ("a'b$c", "'a'\"'\"'b$c'"),
        ("", '""'),
    ],
)
def test_a_shell_reads_a_text_as_one_word(text: str, word: str) -> None:
    assert wording.shell_word(text) == word
    assert shlex.split(word) == [text]
