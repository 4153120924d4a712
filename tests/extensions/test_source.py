"""A preset and a kind of file from outside: found by ``init`` without another edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.config import load_config
from rekindle.errors import ConfigError
from rekindle.facts import CONTRACTS, propose_source
from rekindle.facts.sources import discover_presets
from tests.cli.commands import rekindle
from tests.extensions.conftest import Install, files_of
from tools.facts_page import facts_page

RECEIPTS = """\
Rcpt;Tndr;Mbr;Clsd;St
1;12.50;m1;030224 1005;ok
2;8.00;m2;040224 1610;void
3;9.00;;050224 0900;ok
"""


@pytest.fixture
def receipts(install: Install, tmp_path: Path) -> Path:
    install(files_of("source-preset.md"))
    path = tmp_path / "receipts.csv"
    path.write_text(RECEIPTS, encoding="utf-8")
    return path


def test_init_names_the_preset_and_fills_the_columns(receipts: Path, tmp_path: Path) -> None:
    answer = rekindle("init", tmp_path / "shop", "--orders", receipts, "--yes")
    assert answer.code == 0, answer.err
    assert "receipts.csv looks like Corner till receipts (orders)" in answer.out
    (source,) = load_config(tmp_path / "shop").sources
    assert (source.table, source.date_format) == ("orders", "%d%m%y %H%M")
    assert source.columns == {
        "order_id": "Rcpt",
        "customer_id": "Mbr",
        "ordered_at": "Clsd",
        "gross": "Tndr",
        "status": "St",
    }


def test_a_column_the_file_lacks_is_left_out(receipts: Path) -> None:
    lines = [line.rpartition(";")[0] for line in RECEIPTS.splitlines()]
    receipts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    proposal = propose_source(receipts, zone="UTC")
    assert proposal.preset == "Corner till receipts"
    assert "status" not in {column.name for column in proposal.columns}


def test_a_file_without_the_header_is_guessed_as_before(receipts: Path) -> None:
    receipts.write_text("order_id,date,total\n1,2024-01-01,5\n", encoding="utf-8")
    assert propose_source(receipts, zone="UTC").preset is None


def test_the_longer_header_wins(install: Install, receipts: Path) -> None:
    files = files_of("source-preset.md")
    project = (
        files["pyproject.toml"].replace("corner-till", "longer").replace("corner_till", "longer")
    )
    module = files["corner_till.py"].replace("Corner till receipts", "Longer")
    module = module.replace('"Clsd")', '"Clsd", "St")')
    install({"pyproject.toml": project, "longer.py": module})
    assert propose_source(receipts, zone="UTC").preset == "Longer"


def test_the_reference_page_lists_it(receipts: Path) -> None:
    assert "| `Corner till receipts` | `orders` | `Rcpt`, `Tndr`, `Mbr`, `Clsd` |" in facts_page(
        CONTRACTS
    )


def test_an_entry_point_that_names_no_preset_is_refused(install: Install) -> None:
    install({**files_of("source-preset.md"), "corner_till.py": "PRESET = 3"})
    with pytest.raises(ConfigError, match=r"corner_till:PRESET .* names no SourcePreset"):
        discover_presets()


def test_a_kind_of_file_is_one_file(install: Install, tmp_path: Path) -> None:
    project = '[project]\nname = "pipes"\nversion = "1"\n'
    entry = '[project.entry-points."rekindle.sources"]\npipes = "corner_pipes:FORMAT"\n'
    module = files_of("source-preset.md")["corner_pipes.py"]
    install({"pyproject.toml": project + entry, "corner_pipes.py": module})
    path = tmp_path / "orders.pipes"
    path.write_text("order_id|customer_id|date|total\n1|a|2024-01-01|5\n", encoding="utf-8")
    assert rekindle("init", tmp_path / "shop", "--orders", path, "--yes").code == 0
