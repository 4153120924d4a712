"""What is kept for who left: warned of, asked about, found by who comes back, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.config import load_config
from rekindle.desk import explain_customer, report_kept, take_starter
from rekindle.errors import ConfigError, DeliveryError
from rekindle.ledger import BelongingsRegister
from rekindle.runtime import Workspace
from rekindle.web.portal.subscription.serving import WorkspaceSubscribers
from rekindle.worker.keeping.belongings import read_answer
from tests.runtime.shops import Team
from tests.seam.club import BACK, LEFT, PEOPLE, bring, found_club
from tests.web.api.billers.receiver import SECRET, Receiver, listening

DAY = timedelta(days=1)
# They left on 1 March, and all is kept until 30 May: 16 May is the first day of the warning.
NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)
SETTINGS = """
[subscriptions.kept]
what = ["Playlists", "Team"]
url = "{url}"
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        found.takes = ("kept.ending", "kept.ended")
        yield found


@pytest.fixture
def club(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Three who left a club; one journey warns before what is kept for them ends."""
    monkeypatch.setenv("REKINDLE_WEBHOOK_SECRET", SECRET)
    found_club(tmp_path)
    path = tmp_path / "rekindle.toml"
    path.write_text(path.read_text() + SETTINGS.format(url=receiver.url))
    take_starter(tmp_path, "kept-until")
    journey = tmp_path / "journeys" / "kept-until.yaml"
    journey.write_text(journey.read_text().replace("holdout: auto", "holdout: none"))
    Workspace.open(tmp_path).import_facts()
    team = Team.at_work(tmp_path, NOW)
    team.start("kept-until")
    team.tick()
    yield team
    team.leave()


def rows(club: Team) -> dict[str, str]:
    today = club.clock.now().date()
    found = BelongingsRegister(club.workspace.ledger).all()
    return {one.person: one.state(today) for one in found}


@pytest.mark.long
def test_each_is_warned_once_and_the_businesss_system_asked_once(
    club: Team, receiver: Receiver
) -> None:
    assert (rows(club), receiver.came) == (dict.fromkeys(PEOPLE, "kept"), [])
    club.tick(after=6 * DAY)
    club.tick(after=DAY)
    assert [len(club.states(who)) for who in PEOPLE] == [1, 1, 1]
    assert receiver.kinds == ["kept.ending"] * 3
    id_, told = receiver.came[0]
    assert id_.startswith("kept_")
    assert told == {
        "customer": "ada",
        "what": ["Playlists", "Team"],
        "ended_on": "2026-03-01",
        "kept_until": "2026-05-30",
    }
    club.tick(after=14 * DAY)  # 31 May
    assert receiver.kinds[3:] == ["kept.ended"] * 3
    assert rows(club) == dict.fromkeys(PEOPLE, "over")


@pytest.mark.long
def test_who_came_back_before_the_warning_is_not_warned_nor_asked_about(
    club: Team, receiver: Receiver
) -> None:
    club.clock.move(5 * DAY)
    bring(club, "subscriptions", LEFT + BACK.format("2026-05-15T12:00:00Z"))
    club.tick(after=DAY)
    assert [len(club.states(who)) for who in PEOPLE] == [0, 1, 1]
    assert {told["customer"] for _, told in receiver.came} == {"ben", "cleo"}
    found = report_kept(club.workspace)
    assert found.returns == {"in_place": 1, "perhaps": 0, "gone": 0, "unknown": 0}
    (one,) = explain_customer(club.workspace, "ada", club.clock.now()).to_json()["belongings"]
    assert (one["state"], one["found"], one["closed_on"]) == ("returned", "in_place", "2026-05-15")


@pytest.mark.long
def test_who_came_back_before_the_register_is_counted_as_unknown(club: Team) -> None:
    old = "o-dan,dan,Gold,10,month,2024-01-01,2024-06-01\np-dan,dan,Gold,10,month,2024-08-01,\n"
    bring(club, "subscriptions", LEFT + old)
    club.tick(after=DAY)
    assert report_kept(club.workspace).returns["unknown"] == 1


@pytest.mark.long
def test_an_answer_keeps_it_longer_or_says_that_it_is_deleted(
    club: Team, receiver: Receiver
) -> None:
    def says(id_: str) -> dict[str, Any]:
        whose = next(told["customer"] for one, told in receiver.came if one == id_)
        said: dict[str, dict[str, Any]] = {
            "ada": {"id": id_, "kept_until": "2026-12-31"},
            "ben": {"id": id_, "deleted": True},
            "cleo": {"ok": True},
        }
        return said[whose]

    receiver.says = says
    club.tick(after=6 * DAY)
    assert rows(club) == {"ada": "kept", "ben": "deleted", "cleo": "kept"}
    club.tick(after=30 * DAY)
    assert rows(club) == {"ada": "kept", "ben": "deleted", "cleo": "over"}
    pages = WorkspaceSubscribers(club.workspace)
    found = {who: pages.kept(who) for who in (*PEOPLE, "nobody")}
    assert {who: one and one.state for who, one in found.items()} == {
        "ada": "kept",
        "ben": "deleted",
        "cleo": "over",
        "nobody": None,
    }
    assert found["ada"] is not None
    assert found["ada"].until == date(2026, 12, 31)


@pytest.mark.long
def test_an_answer_about_somebody_else_is_not_taken_and_it_is_asked_again(
    club: Team, receiver: Receiver
) -> None:
    receiver.says = lambda _: {"id": "kept_of_another", "deleted": True}
    club.tick(after=6 * DAY)
    assert rows(club) == dict.fromkeys(PEOPLE, "kept")
    assert report_kept(club.workspace).waiting == 1
    receiver.says = None
    club.tick(after=timedelta(minutes=1))
    assert len(receiver.came) == 4
    assert len({id_ for id_, _ in receiver.came}) == 3
    assert report_kept(club.workspace).waiting == 0


@pytest.mark.parametrize(
    "given",
    [
        {"id": "k", "kept_until": "2026-05-31", "deleted": True},
        {"id": "k", "deleted": "yes"},
        {"id": "k", "deleted": False},
        {"id": "k", "kept_until": "2026-02-30"},
        {"id": "k", "kept_until": 20260531},
        {"id": "k", "kept_until": None},
        {"id": "k", "kept_until": "2026-04-30"},  # past
        {"id": "k", "kept_until": "2999-01-01"},
        {"kept_until": "2026-06-01"},
        {"id": "other", "kept_until": "2026-06-01"},
    ],
)
def test_an_answer_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(DeliveryError):
        read_answer(given, "k", date(2026, 5, 1))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[billing]\nkept = ["Tunes"]', r"\[subscriptions.kept\]"),
        ("[subscriptions.kept]\ndays = 0", "days"),
        ("[subscriptions.kept]\ndays = 99999999", "days"),
        ("[subscriptions.kept]\ndays = 5", "warning_days"),
        ('[subscriptions.kept]\nwhat = ["a\\nb"]', "control character"),
        ('[subscriptions.kept]\nurl = "ftp://x"', "url"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, lines: str, words: str) -> None:
    (tmp_path / "rekindle.toml").write_text(lines + "\n")
    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)
