"""What was refused is summed up and paged; figures over the rest are not the shop's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import rekindle

HEAD = "order_id,customer_id,date,total\n"


def shop(folder: Path, *, bad: int, good: int) -> Path:
    rows = [f"b{n},ann,2024-01-01,lots" for n in range(bad)]
    rows += [f"g{n},bob,2024-01-0{1 + n % 9},5" for n in range(good)]
    (folder / "orders.csv").write_text(HEAD + "\n".join(rows) + "\n")
    space = folder / "shop"
    rekindle("init", space, "--currency", "GBP")
    settings = (space / "rekindle.toml").read_text() + (
        '\n[[sources]]\nname = "orders"\ntable = "orders"\npath = "../orders.csv"\n'
        '[sources.columns]\norder_id = "order_id"\ncustomer_id = "customer_id"\n'
        'ordered_at = "date"\ngross = "total"\n'
    )
    (space / "rekindle.toml").write_text(settings)
    rekindle("import", "-C", space)
    return space


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("spoilt"), bad=30, good=5)


@pytest.mark.long
def test_quarantine_is_summed_up_and_paged(spoilt: Path) -> None:
    answer = rekindle("quarantine", "-C", spoilt)
    assert "30 rows in quarantine" in answer.out
    assert "rows 1 to 20; --offset 20 shows the next" in answer.out
    found = rekindle(
        "quarantine", "-C", spoilt, "--json", "--limit", "3", "--offset", "29"
    ).document
    (reason,) = found["by_reason"]
    assert (reason["reason"], reason["rows"], reason["first_line"]) == ("bad_gross", 30, 2)
    assert (found["total"], [row["line"] for row in found["rows"]]) == (30, [31])
    none = rekindle("quarantine", "-C", spoilt, "--json", "--reason", "not_a_row").document
    assert (none["total"], none["rows"]) == (0, [])


@pytest.mark.parametrize("question", ["audit", "plan lapsed-buyers", "replay lapsed-buyers"])
def test_figures_over_the_rest_are_refused(spoilt: Path, question: str) -> None:
    answer = rekindle(*question.split(), "-C", spoilt)
    assert answer.code == 2
    assert "30 of 35 rows of orders (86%) were refused" in answer.err


@pytest.mark.long
def test_a_few_refused_rows_are_said_first(tmp_path: Path) -> None:
    answer = rekindle("audit", "-C", shop(tmp_path, bad=1, good=9))
    assert answer.code == 0
    assert "1 of 10 rows of orders (10%) were refused" in answer.err
