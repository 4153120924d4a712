"""The notebook runs from its first cell to its last over a workspace with a journey at work."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.shops import Team, close_ledgers
from tools.source_tree import ROOT

NOTEBOOK = ROOT / "examples" / "notebooks" / "proof.ipynb"


def cells() -> list[str]:
    """Return the code of each cell."""
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert book["nbformat"] == 4
    return ["".join(one["source"]) for one in book["cells"] if one["cell_type"] == "code"]


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell and return what its last line shows."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)


@pytest.mark.long
def test_every_cell_runs_and_shows_what_it_says(
    begun_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Team.copy(begun_shop, tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [run(code.replace('"lapsed-buyers"', '"calm"'), names) for code in cells()]
    close_ledgers()
    _, audited, tiers, found, planned, lift, measures, _ = shown
    assert audited["drifted away"] > 0
    assert {"lapsed", "dormant"} <= set(tiers.tier)
    assert found[0] > 0
    assert planned[1] > 0
    assert lift
    assert "reactivation_rate" in measures
    assert (tmp_path / "tiers.parquet").exists()


def test_it_is_kept_without_what_a_run_showed() -> None:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert not any(one.get("outputs") for one in book["cells"])
