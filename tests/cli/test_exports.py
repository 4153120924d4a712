"""Files for other tools: an audience with its profile, a journey's people with their arms."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rekindle.profiles import FAMILIES
from tests.cli.commands import rekindle

LAPSED = "tier in ('lapsed', 'dormant')"
AS_OF = ("--as-of", "2024-09-02")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_an_audience_is_written_whole_with_every_column(begun_shop: Path, tmp_path: Path) -> None:
    lines, columns = tmp_path / "deep" / "who.csv", tmp_path / "who.parquet"
    files = ("--csv", lines, "--parquet", columns)
    told = rekindle("audience", LAPSED, *AS_OF, *files, "--json", "-C", begun_shop)
    rows = read(lines)
    assert len(rows) == told.document["customers"] > 10
    assert list(rows[0]) == list(FAMILIES.names)
    assert {row["tier"] for row in rows} == {"lapsed", "dormant"}
    assert [row["customer_id"] for row in rows] == pq.read_table(columns)["customer_id"].to_pylist()


@pytest.mark.long
def test_a_journey_s_people_are_written_with_their_arms(begun_shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "arms.csv"
    told = rekindle("assignments", "calm", "--csv", path, "-C", begun_shop)
    assert "wrote " in told.err
    rows = read(path)
    report = rekindle("report", "calm", "--json", "-C", begun_shop).document
    for arm, count in report["assigned"].items():
        assert sum(row["arm"] == arm for row in rows) == count
    assert sum(int(row["messages"]) for row in rows) == report["touches"]["send"] > 0
    assert all(row["messages"] == "0" for row in rows if row["arm"] == "holdout")


def test_what_cannot_be_written_is_said(begun_shop: Path, tmp_path: Path) -> None:
    here = ("-C", begun_shop)
    for words, told in (
        (("assignments", "calm"), "--csv FILE or --parquet FILE"),
        (("assignments", "nope", "--csv", tmp_path / "x.csv"), "never started here"),
        (("audience", LAPSED, "--csv", "/proc/x.csv"), "name another --csv file"),
    ):
        answer = rekindle(*words, *here)
        assert answer.code in (1, 2)
        assert told in " ".join(answer.err.split())
