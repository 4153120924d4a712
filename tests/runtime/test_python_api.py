"""The Python API does what its page says: its examples run, its names exist."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import ibis.expr.types as ir
import pytest

import rekindle
from rekindle import desk, worker
from rekindle.clock import MovableClock
from rekindle.desk import report_programme
from rekindle.errors import WorkspaceError
from rekindle.facts import find_known_until
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from tests.runtime.shops import NOW, Team

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "python-api.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (`.*?`) \|", re.MULTILINE)


@pytest.mark.long
def test_the_examples_run_one_after_the_other(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(team.folder.parent)
    names: dict[str, object] = {}
    for example in EXAMPLE.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(example, str(PAGE), "exec"), names)
    assert {"rows", "found", "report"} <= names.keys()


def test_what_the_page_lists_exists() -> None:
    listed = re.findall(r"`(\w+)", " ".join(ROW.findall(PAGE.read_text(encoding="utf-8"))))
    known = set(dir(Workspace)) | set(desk.__all__) | set(worker.__all__) | {"config"}
    assert listed
    assert [name for name in listed if name not in known] == []


@pytest.mark.long
def test_profiles_are_an_ibis_table_of_the_documented_columns(imported_shop: Path) -> None:
    profiles = rekindle.open(imported_shop).profiles(as_of=NOW)
    assert isinstance(profiles, ir.Table)
    assert profiles.columns == FAMILIES.names


def test_who_bought_is_known_until_the_newest_order(imported_shop: Path) -> None:
    space, some = Workspace.open(imported_shop, clock=MovableClock(NOW)), timedelta(days=9)
    newest = space.engine.scalar(space.facts.orders.ordered_at.max())
    for now in (newest - some, newest + some):
        assert find_known_until(space.reading, now) == min(now, newest)
    later = Workspace.open(imported_shop, clock=MovableClock(newest + some))
    assert report_programme(later).until == newest


def test_profiles_know_only_what_was_known_then(imported_shop: Path) -> None:
    profiles = rekindle.open(imported_shop).profiles(as_of=NOW)
    assert profiles.last_order_at.max().to_pyarrow().as_py() < NOW


def test_opening_what_is_no_workspace_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="rekindle init"):
        rekindle.open(tmp_path)
