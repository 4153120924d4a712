"""``rekindle score``: for a terminal, a script and a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import imported_shop  # noqa: F401 - fixture

ASKED = ("score", "--anyway", "--horizon", "60")


@pytest.mark.long
def test_scores_are_told_and_written(
    imported_shop: Path,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    answer = rekindle(*ASKED, "--json", "-C", imported_shop)
    document = answer.document
    first = document["scores"][0]
    assert sorted(first) == ["customer_id", "expected_return_on", "return_probability"]
    assert document["horizon_days"] == 60
    assert document["model"]["returns"] >= 50
    chances = [one["return_probability"] for one in document["scores"]]
    assert chances == sorted(chances, reverse=True)
    for name in ("scores.csv", "scores.parquet"):
        rekindle(
            "score", "--anyway", "--out", tmp_path / name, "--horizon", "60", "-C", imported_shop
        )
    with (tmp_path / "scores.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["customer_id"] for row in rows] == [
        one["customer_id"] for one in document["scores"]
    ]
    assert pq.read_table(tmp_path / "scores.parquet").num_rows == len(rows)
    told = rekindle("score", "--anyway", "-C", imported_shop)
    assert "silent for 30 days or more" in told.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "scores.txt"), "name a .csv or a .parquet file"),
        (("--as-of", "2001-01-01"), "nobody has ordered yet"),
        (("--as-of", "soon"), "soon"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    imported_shop: Path,  # noqa: F811 - the fixture
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert said in refused("score", *arguments, "-C", imported_shop)
