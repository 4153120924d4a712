"""Kept scores are facts: audiences, explain and replays read them, and the worker renews them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.desk import count_audience
from rekindle.facts import Lake, forget_people
from rekindle.runtime import Workspace
from rekindle.worker import keep_scores
from rekindle.worker.keeping.scores import score_daily
from tests.cli.commands import refused, rekindle
from tests.runtime.conftest import imported_shop  # noqa: F401 - fixture
from tests.runtime.shops import NOW, Team, add_section, close_ledgers

KEEP = ("score", "--keep", "--anyway")
DAY = timedelta(days=1)


@pytest.fixture
def folder(
    imported_shop: Path,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> Iterator[Path]:
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    yield folder
    close_ledgers()


def kept(space: Workspace, at: datetime) -> pa.Table:
    scores = space.facts.more["scores"]
    return space.engine.run(scores.filter(scores.scored_at < at).order_by("customer_id"))


@pytest.mark.long
def test_kept_scores_are_in_audiences_and_explain_from_their_day_on(folder: Path) -> None:
    on = (NOW - 2 * DAY).date()
    day = f"{on}"
    asked = ("audience", "return_probability >= 0 or lapse_risk >= 0", "--json", "-C", folder)
    before = rekindle(*asked)
    assert before.document["customers"] == 0
    assert "no scores are kept yet" in before.err
    document = rekindle(*KEEP, "--as-of", day, "--json", "-C", folder).document
    people = document["people"]
    assert people > 50
    assert document["written"] == people
    assert document["good_until_on"] == f"{on + 7 * DAY}"
    counts = {
        ahead: rekindle(*asked, "--as-of", f"{on + ahead * DAY}").document["customers"]
        for ahead in (-1, 0, 7, 8)
    }
    assert counts[0] == people
    assert counts[-1] == counts[8] == 0
    assert 0 < counts[7] <= people
    stale = rekindle(*asked, "--as-of", f"{on + 8 * DAY}").err
    assert f"the newest scores are of {day}" in " ".join(stale.split())
    again = rekindle(*KEEP, "--as-of", day, "-C", folder)
    assert "of them were kept already" in again.out
    active = rekindle("score", "--anyway", "--active", "--as-of", day, "--json", "-C", folder)
    person = active.document["scores"][0]["customer_id"]
    told = rekindle("explain", person, "--as-of", day, "-C", folder).out
    assert "lapse risk" in told
    assert "scored at" in told
    shown = rekindle("score", "--anyway", "--active", "--as-of", day, "-C", folder).out
    assert "not lapsed yet" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keep", "--horizon", "30"), "leave --horizon out"),
        (("--keep", "--out", "x.csv"), "leave --out out"),
        (("--active", "--horizon", "30"), "leave --horizon out"),
        (("--keep", "--as-of", "2001-01-01"), "nobody has ordered yet"),
    ],
)
def test_what_does_not_go_together_is_refused(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused("score", *arguments, "-C", folder)


@pytest.mark.long
def test_old_scores_go_corrected_ones_stay_and_the_erased_are_taken_out(folder: Path) -> None:
    space = Team.at_work(folder).workspace
    for days in (401, 30, 0):
        keep_scores(space, NOW - days * DAY, accepts_less=True)
        assert (
            kept(space, NOW)["scored_at"]
            .to_pylist()
            .count(NOW - days * DAY - timedelta(microseconds=1))
        )
    found = kept(space, NOW)
    instants = set(found["scored_at"].to_pylist())
    assert min(instants) > NOW - 32 * DAY
    assert len(instants) == 2
    person = found["customer_id"][0].as_py()
    lake = Lake.of(space.config.facts, space.directory)
    assert forget_people(lake, [person], (), sources=()) >= 1
    space.forget_facts()
    assert person not in kept(space, NOW)["customer_id"].to_pylist()


@pytest.mark.long
def test_the_worker_scores_once_a_day_and_says_why_not(folder: Path) -> None:
    add_section(folder, "[scores]\ndaily = true\n")
    team = Team.at_work(folder)
    space = team.workspace
    team.clock.move(400 * DAY)
    now = team.clock.now()
    assert "scored" in score_daily(space, now)
    assert score_daily(space, now) == ""
    assert [one.action for one in space.audit_log.entries("scores")] == ["scored"]
    at = now + timedelta(microseconds=1)
    assert count_audience(space, "scored_at is not null", at).customers > 50
    early = datetime(2001, 1, 1, tzinfo=UTC)
    with pytest.raises(Exception, match="nobody has ordered yet"):
        keep_scores(space, early)
    assert kept(space, at)["good_until_on"][0].as_py() >= date(2001, 1, 1)
