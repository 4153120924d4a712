"""``rekindle demo`` on a few customers: its commands, its folder, and where it comes from."""

from __future__ import annotations

import os
import shlex
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer

from rekindle.cli import app
from rekindle.cli.demo import perform, perform_club
from rekindle.cli.demo.showing import make_folder
from rekindle.desk import find_sample
from rekindle.errors import WorkspaceError
from tests.cli.commands import rekindle
from tests.runtime.shops import close_ledgers
from tools.source_tree import ROOT

BUYERS = range(12346, 12386)


def write_orders(path: Path) -> Path:
    """Write half a year of buyers who came every month, laid out like the sample."""
    rows = []
    for number in BUYERS:
        for month in range(5):
            at = datetime(2010, 1, 4, 12) + timedelta(days=30 * month + number % 7)
            rows.append((f"{number}{month}", "22423", "CAKESTAND", 3, at, 12.75, number))
    names = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price")
    columns = dict(zip((*names, "Customer ID"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({**columns, "Country": ["United Kingdom"] * len(rows)}), path)
    return path


def context() -> typer.Context:
    command = typer.main.get_command(app)
    return typer.Context(command, info_name="rekindle")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_demo_runs_and_what_it_typed_can_be_typed_again(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["rekindle"])
    perform(context(), Path("demo"), write_orders(here / "orders.parquet"))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("$ ")]
    commands = [shlex.split(line.split("rekindle ", 1)[1]) for line in lines]
    assert [words[0] for words in commands] == [
        "init", "audit", "audience", "replay", "start", "tick", "report", "explain",
    ]  # fmt: skip
    assert list((here / "demo/state/outbox").rglob("*.eml"))
    assert {path.name for path in (here / "demo/reports").iterdir()} == {
        "audit.html", "live.html", "replay.html",
    }  # fmt: skip
    for words in (commands[2], commands[-1]):
        assert rekindle(*words).code == 0
    close_ledgers()


@pytest.mark.long
def test_the_club_is_left_asked_and_come_back_to_over_http(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["rekindle"])
    make_folder(Path("demo"))
    before = dict(os.environ)
    perform_club(context(), Path("demo"), people=40)
    assert dict(os.environ) == before
    said = capsys.readouterr().out
    assert "You are back" in said
    assert '"type": "access.restored"' in said
    assert '"because": "came_back"' in said
    lines = [line for line in said.splitlines() if line.startswith("$ rekindle")]
    assert [line.split()[2] for line in lines] == [
        "init", "pull", "audit", "starters", "start", "tick", "starters", "start", "tick", "up",
        "pull", "report",
    ]  # fmt: skip
    mails = [path.read_text() for path in (here / "demo/club/state/outbox").rglob("*.eml")]
    assert any("did not go through" in mail for mail in mails)
    report = rekindle("report", "subscription-back", "-C", "demo/club", "--json").document
    assert sum(report["returned"].values()) == 1
    assert report["sent_after_return"] == 0
    close_ledgers()


def test_a_folder_that_no_demo_made_is_left_alone(here: Path) -> None:
    (here / "demo").mkdir()
    (here / "demo" / "thesis.txt").write_text("three years of work")
    with pytest.raises(WorkspaceError, match="no demo made it"):
        perform(context(), Path("demo"), here / "orders.parquet")
    assert os.listdir(here / "demo") == ["thesis.txt"]


def test_a_folder_that_a_demo_made_is_made_anew_also_from_within(here: Path) -> None:
    (here / ".rekindle-demo").touch()
    (here / "state").mkdir()
    (here / "link").symlink_to(here / "state")
    with pytest.raises(OSError, match="orders"):
        perform(context(), Path(), here / "orders.parquet")
    assert os.listdir(here) == [".rekindle-demo"]


def test_the_wheel_brings_the_sample_and_its_attribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    files = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert find_sample() == ROOT / "examples/online_retail/orders.parquet"
    assert set(files) == {
        "examples/online_retail/README.md",
        "examples/online_retail/orders.parquet",
    }
    assert all(place == f"rekindle/{file}" for file, place in files.items())
    assert "CC BY 4.0" in (ROOT / "examples/online_retail/README.md").read_text(encoding="utf-8")
