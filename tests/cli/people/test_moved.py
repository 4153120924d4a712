"""``rekindle moved``: whom a journey moves, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.ledger import load_uplifts
from rekindle.predictions import Uplift, uplift
from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import begun_shop, imported_shop  # noqa: F401 - fixtures
from tests.runtime.shops import Team, add_section, close_ledgers

DAY = ("--as-of", "2024-10-04")
MARGIN = "[offers]\nmargin = 0.4\n"


@pytest.fixture
def folder(
    begun_shop: Path,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> Iterator[Path]:
    folder = tmp_path / "shop"
    Team.copy(begun_shop, folder)
    yield folder
    close_ledgers()


@pytest.mark.long
def test_journey_of_which_too_little_is_known_excludes_nobody(folder: Path) -> None:
    add_section(folder, MARGIN)
    told = rekindle("moved", "calm", *DAY, "--keep", "--json", "-C", folder).document
    assert told["may_exclude"] is False
    assert "are needed" in told["trouble"]
    assert told["held_back"] == {}
    assert "Nobody is left out on its word" in rekindle("moved", "calm", *DAY, "-C", folder).out


@pytest.mark.long
def test_model_that_passed_is_shown_and_kept_only_when_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_section(folder, MARGIN)
    monkeypatch.setattr(uplift, "FEWEST", 2)
    monkeypatch.setattr(Uplift, "may_exclude", True)
    told = rekindle("moved", "calm", *DAY, "--json", "-C", folder).document
    assert told["may_exclude"] is True
    assert 0 <= min(told["held_back"].values()) <= max(told["held_back"].values()) < told["scored"]
    space = Team.at_work(folder).workspace
    assert load_uplifts(space.ledger, "calm", 1) == (None, "")
    kept = rekindle("moved", "calm", *DAY, "--keep", "-C", folder).out
    assert "are kept, and count until" in kept
    assert "`by_person` in [stopping] lets the worker go by them" in " ".join(kept.split())
    assert load_uplifts(space.ledger, "calm", 1)[0] is not None


@pytest.mark.parametrize(
    ("settings", "journey", "told"),
    [("", "calm", "margin"), (MARGIN, "nothing", "no journey 'nothing' has started")],
)
def test_what_cannot_be_asked_is_refused(
    folder: Path, settings: str, journey: str, told: str
) -> None:
    add_section(folder, settings)
    assert told in refused("moved", journey, "-C", folder)
