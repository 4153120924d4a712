"""``rekindle status`` fits a screen, knows a new workspace, and its exit code tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import rekindle
from tests.runtime.shops import DAY, NOW, Team, close_ledgers, set_key

AS_OF = NOW.isoformat()


@pytest.fixture
def at_work(begun_shop: Path, tmp_path: Path) -> Path:
    """Return a copy of a shop after its first pass."""
    Team.copy(begun_shop, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.mark.long
def test_a_shop_at_work_is_told_in_figures(at_work: Path) -> None:
    told = rekindle("status", "--json", "-C", at_work, "--as-of", AS_OF)
    found = told.document
    assert (told.code, found["state"], found["problems"]) == (0, "well", [])
    (journey,) = found["ledger"]["journeys"]
    assert (journey["name"], journey["state"]) == ("calm", "running")
    assert journey["open"] > journey["due"] == 0
    assert found["ledger"]["messages"] == {
        "ready": 0, "oldest_at": None, "later": 0, "leaving": 0, "unknown": 0, "failed": 0,
    }  # fmt: skip
    people = found["ledger"]["people"]["email"]
    assert 0 < people["agreed"] < people["people"]
    assert found["facts"]["orders"] > 0
    assert found["outlets"]["email"] == "email_folder"


@pytest.mark.long
def test_it_is_one_screen_of_80_columns(at_work: Path) -> None:
    told = rekindle("status", "-C", at_work, "--as-of", AS_OF)
    lines = told.out.splitlines()
    assert told.code == 0
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    assert "All is well." in told.out
    assert "calm" in told.out


@pytest.mark.long
def test_people_who_are_held_are_counted(at_work: Path) -> None:
    team = Team.at_work(at_work)
    set_key(at_work, "end", '"20:59"')  # night nearly always
    team.leave()
    team = Team.at_work(at_work)
    team.start("everyone")
    team.tick()
    team.leave()
    told = rekindle("status", "--json", "-C", at_work, "--as-of", AS_OF).document
    held = {one["name"]: one["held"] for one in told["ledger"]["journeys"]}
    assert held["everyone"] > held["calm"] == 0


@pytest.mark.long
def test_targets_are_told_by_the_reading_that_is_kept(at_work: Path) -> None:
    path = at_work / "rekindle.toml"
    target = '\n[[targets]]\nmeasure = "drifted_share"\nvalue = 0.12\nby = 2099-01-01\n'
    path.write_text(path.read_text(encoding="utf-8") + target, encoding="utf-8")
    (at_work / "learned").mkdir(exist_ok=True)
    day, read_at = f"{NOW - 400 * DAY:%Y-%m-%d}", NOW - 3 * DAY
    baseline = {"taken_on": day, "measures": {"drifted_share": 0.5}}
    told = json.dumps({"version": 1, "baselines": [baseline]})
    (at_work / "learned/baseline.json").write_text(told, encoding="utf-8")
    assert "Targets, never read yet" in rekindle("status", "-C", at_work, "--as-of", AS_OF).out
    reading = {"version": 1, "read_at": read_at.isoformat(), "taken_on": f"{read_at:%Y-%m-%d}"}
    told = json.dumps({**reading, "measures": {"drifted_share": 0.31}})
    (at_work / "state/measures.json").write_text(told, encoding="utf-8")
    lines = rekindle("status", "-C", at_work, "--as-of", AS_OF).out.splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith("Targets, read"))
    assert "3 days ago" in lines[place]
    row = " ".join(lines[place + 2].split())
    assert row == "drifted share 50.0 % 31.0 % 12.0 % 2099-01-01 enough"
    found = rekindle("status", "--json", "-C", at_work, "--as-of", AS_OF).document
    assert found["targets_read_at"] == read_at.isoformat()
    assert found["targets"][0]["now"] == 0.31


@pytest.mark.long
def test_what_is_wrong_comes_with_what_to_do_about_it(at_work: Path) -> None:
    shutil.move(at_work / "state/secret", at_work / "state/kept")
    told = rekindle("status", "--json", "-C", at_work, "--as-of", AS_OF)
    remedies = {one["about"]: one["remedy"] for one in told.document["problems"]}
    assert told.code == 1
    assert "put it back" in remedies["secret"]


def test_a_workspace_without_facts_is_told_to_import(tmp_path: Path) -> None:
    assert rekindle("init", tmp_path / "new").code == 0
    told = rekindle("status", "-C", tmp_path / "new")
    assert told.code == 1  # a marketing message has to carry a postal address
    assert "nothing was imported yet" in told.out
    assert "rekindle import" in told.out
    document = rekindle("status", "--json", "-C", tmp_path / "new").document
    assert (document["facts"], document["ledger"]) == (None, None)
    assert not (tmp_path / "new/state/ledger.sqlite3").exists()
    close_ledgers()
