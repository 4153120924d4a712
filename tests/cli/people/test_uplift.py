"""``rekindle uplift`` and the cards of ``rekindle score``: told, written and refused."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import imported_shop  # noqa: F401 - fixture

ASKED = ("--arm", "arm", "--control", "none", "--outcome", "visit")
BY = ("--by", "city", "--by", "orders")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a trial in which a letter moves those of Leeds alone."""
    roll = random.Random(1)
    path = tmp_path_factory.mktemp("uplift") / "trial.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "arm", "city", "orders", "visit", "spend"])
        for number in range(4_000):
            city, arm = roll.choice(["Leeds", "York"]), roll.choice(["letter", "none"])
            is_moved = city == "Leeds" and arm == "letter"
            visit = roll.random() < (0.35 if is_moved else 0.15)
            orders = "" if roll.random() < 0.05 else roll.randrange(1, 9)
            rows.writerow([number, arm, city, orders, int(visit), ""])
    return path


@pytest.mark.long
def test_whom_an_arm_moves_is_told_and_written(file: Path, tmp_path: Path) -> None:
    (found,) = rekindle("uplift", file, *ASKED, *BY, "--json").document["uplifts"]
    assert found["may_exclude"]
    assert found["low"] < found["qini"] < found["high"]
    assert [part["people"] for part in found["parts"]] == [400] * 10
    assert found["parts"][0]["effect"] > found["parts"][-1]["effect"] + 0.05
    told = rekindle("uplift", file, *ASKED, *BY).out
    assert "by tenths of people" in told
    out = tmp_path / "people.csv"
    assert rekindle("uplift", file, *ASKED, *BY, "--out", out).code == 0
    lines = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    cities = [row["city"] for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    by_city: dict[str, list[float]] = {"Leeds": [], "York": []}
    for line in lines:
        by_city[cities[int(line["row"]) - 1]].append(float(line["uplift"]))
    assert min(by_city["Leeds"]) > max(by_city["York"])


@pytest.mark.long
def test_what_says_nothing_leaves_nobody_out(file: Path) -> None:
    (found,) = rekindle("uplift", file, *ASKED, "--by", "orders", "--json").document["uplifts"]
    assert not found["may_exclude"]
    assert "may not" in rekindle("uplift", file, *ASKED, "--by", "orders").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ASKED, "--by", "visit"), "was not known before the draw"),
        ((*ASKED, "--by", "arm"), "was not known before the draw"),
        ((*ASKED, "--by", "town"), "has no column 'town'"),
        (("--arm", "city", "--control", "York", "--outcome", "city", "--by", "id"), "is the arm"),
        ((*ASKED, *BY, "--out", "people.txt"), "name a .csv or a .parquet file"),
        (("--arm", "arm", "--control", "all", "--outcome", "visit", *BY), "is the control"),
    ],
)
def test_what_cannot_be_asked_is_refused(file: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused("uplift", file, *arguments)


def test_an_outcome_that_nobody_has_is_not_estimable(file: Path) -> None:
    asked = ("--arm", "arm", "--control", "none", "--outcome", "spend", *BY)
    (found,) = rekindle("uplift", file, *asked, "--json").document["uplifts"]
    assert "not_estimable" in found
    assert not found["may_exclude"]


@pytest.mark.long
def test_a_card_is_written(imported_shop: Path, tmp_path: Path) -> None:  # noqa: F811 - fixture
    page, text = tmp_path / "card.html", tmp_path / "card.md"
    asked = ("score", "--anyway", "-C", imported_shop, "--horizon", "60")
    document = rekindle(*asked, "--card", page, "--json").document
    assert document["model"] == "return"
    assert "Who comes back unasked" in page.read_text(encoding="utf-8")
    assert rekindle(*asked, "--active", "--card", text).code == 0
    assert text.read_text(encoding="utf-8").startswith("# Who is about to lapse")


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--card", "card.txt"), "name an .html or an .md file"),
        (("--card", "card.md", "--out", "x.csv"), "leave one out"),
        (("--card", "card.md", "--keep"), "leave --card out"),
    ],
)
def test_a_card_that_cannot_be_is_refused(
    imported_shop: Path,  # noqa: F811 - the fixture
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert said in refused("score", *arguments, "-C", imported_shop)
