from __future__ import annotations

from dataclasses import replace

import pytest

from rekindle.insights import Audit, JourneyReport, TextTable, audit_tables, report_tables
from rekindle.insights.model import TierLine
from rekindle.insights.survival import Interval
from rekindle.insights.words import say_amount, say_points, say_share
from rekindle.vocabulary import Reason, Tier, Unknown


def table_of(tables: tuple[TextTable, ...], title: str) -> TextTable:
    return next(table for table in tables if table.title.startswith(title))


def test_every_row_is_as_wide_as_its_header(audit: Audit, report: JourneyReport) -> None:
    for table in (*audit_tables(audit), *report_tables(report)):
        assert {len(row) for row in table.rows} <= {len(table.headers)}, table.title
        assert table.rows


def test_the_curve_ends_where_it_is_unknown_and_says_why(audit: Audit) -> None:
    table = table_of(audit_tables(audit), "Who still returns")
    assert [row[0] for row in table.rows] == ["0", "30"]
    assert table.notes == ("Beyond that: 29 silences were followed for 150 days.",)


@pytest.mark.parametrize(("low", "is_said"), [(0.51, True), (0.49, False)])
def test_a_lapsed_line_that_comes_too_early_is_said(
    audit: Audit, low: float, is_said: bool
) -> None:
    line = TierLine(25.0, Interval(0.6, low, 0.7))
    lines = {**audit.tier_lines, Tier.LAPSED: line}
    table = table_of(audit_tables(replace(audit, tier_lines=lines)), "Where customers")
    assert any("A later line" in note for note in table.notes) is is_said


def test_many_categories_are_cut_short_and_counted(audit: Audit) -> None:
    many = {f"category {n}": audit.gap_days for n in range(15)}
    table = table_of(audit_tables(replace(audit, gap_days_by_category=many)), "Days between")
    assert len(table.rows) == 1 + 12
    assert table.notes == ("3 more categories are in the JSON.",)


def test_an_unknown_cell_has_its_reason_below(audit: Audit) -> None:
    table = table_of(audit_tables(replace(audit, rows=Unknown("nothing was imported"))), "The hist")
    assert table.rows[0] == ("rows read", "unknown")
    assert table.notes == ("Unknown: nothing was imported.",)


def test_every_reason_has_a_meaning(report: JourneyReport) -> None:
    table = table_of(report_tables(replace(report, reasons=dict.fromkeys(Reason, 1))), "Held and")
    assert len(table.rows) == len(Reason)
    assert all(meaning.endswith(".") for _, meaning, _ in table.rows)


def test_a_lift_that_is_unknown_leaves_no_number(report: JourneyReport) -> None:
    table = table_of(report_tables(report), "Lift")
    assert table.rows[0] == ("net revenue", "£6.25", "−£1.50", "£14.00", "0.090")
    assert table.rows[1] == ("return rate", "unknown", "", "", "")
    assert table.notes[0] == report.finding


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (1234.5, "GBP", "£1,234.50"),
        (-0.25, "EUR", "−€0.25"),
        (-0.001, "USD", "$0.00"),
        (7.0, "SEK", "SEK 7.00"),
        (Unknown("nobody"), "GBP", "unknown"),
    ],
)
def test_an_amount_carries_its_mark_and_sign(
    amount: float | Unknown, currency: str, said: str
) -> None:
    assert say_amount(amount, currency) == said


def test_a_difference_of_shares_is_no_share() -> None:
    assert say_share(0.125, digits=1) == "12.5 %"
    assert say_points(-0.125) == "−12.5 points"


def test_notes_are_sentences(report: JourneyReport) -> None:
    notes = [note for table in report_tables(report) for note in table.notes]
    assert "95 % permutation interval, fixed." in notes
    assert all(len(note) > 1 for note in notes)
