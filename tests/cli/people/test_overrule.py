"""``rekindle overrule``: who, why, until when; and what status shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.clock import SystemClock
from rekindle.ledger import load_overrules
from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import begun_shop, imported_shop  # noqa: F401 - fixtures
from tests.runtime.shops import Team, close_ledgers

TO_COME = str((SystemClock().now() + timedelta(days=30)).date())


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
def test_stop_is_overruled_shown_and_ended(folder: Path) -> None:
    asked = ("--until", TO_COME, "--why", "they buy in May", "--message", "nudge", "--by", "ann")
    told = rekindle("overrule", "calm", *asked, "-C", folder)
    assert told.code == 0
    assert "calm sends nudge until" in told.err
    (made,) = load_overrules(Team.at_work(folder).workspace.ledger)
    assert (made.who, made.why, made.step) == ("ann", "they buy in May", "nudge")
    shown = rekindle("status", "-C", folder).out
    assert "Stopped for what they earn" in shown
    assert "by ann: they buy in May" in " ".join(shown.split())
    (stop,) = rekindle("status", "--json", "-C", folder).document["ledger"]["left_out"]
    assert (stop["overruled_by"], stop["is_stopped"]) == ("ann", False)
    ended = rekindle("overrule", "calm", "--end", "--json", "-C", folder).document
    assert ended == {"version": 1, "journey": "calm", "ended": 1}
    assert "Stopped for what they earn" not in rekindle("status", "-C", folder).out


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--until", TO_COME), "give --until a day and --why"),
        (("--why", "so"), "give --until a day and --why"),
        (("--end", "--why", "so"), "--end ends every overrule"),
        (("--until", "soon", "--why", "so"), "is no date"),
        (("--until", "2020-01-01", "--why", "so"), "until a day to come"),
        (("--until", TO_COME, "--why", "so\nand so"), "on one line"),
    ],
)
def test_what_says_too_little_is_refused(folder: Path, asked: tuple[str, ...], told: str) -> None:
    assert told in refused("overrule", "calm", *asked, "-C", folder)
