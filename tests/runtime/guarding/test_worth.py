"""A journey whose messages were measured to earn too little stops, and says what that saved."""

from __future__ import annotations

from datetime import datetime

import pytest

from rekindle.desk import report_journey
from rekindle.errors import ConfigError
from rekindle.ledger import WorthEntry, load_worth, note_worth
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker.keeping.stopping import know_worth
from tests.runtime.shops import DAY, Team, add_section

SETTINGS = "[stopping]\nmeasured = true\n\n[offers]\nmargin = 0.4\n"


def today(team: Team) -> datetime:
    return team.clock.now().astimezone(team.workspace.zone)


def test_worth_is_found_once_a_day_and_only_where_it_may_count(begun: Team) -> None:
    before = know_worth(begun.workspace, begun.workspace.rules, begun.clock.now())
    assert before == begun.workspace.rules
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 31 * DAY)
    space, at = team.workspace, team.clock.now()
    rules = know_worth(space, space.rules, at)
    (found,) = load_worth(space.ledger, today(team).date()).values()
    assert found.trouble == ""
    assert found.people > 9
    assert found.low < found.micros < found.high
    assert rules.measured["calm"].high == found.high
    assert know_worth(space, space.rules, at + DAY / 24).measured == rules.measured


def test_stopped_messages_are_reported_with_what_they_would_have_cost(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now())
    worth = WorthEntry("calm", team.clock.now(), 900, -3, -9, -1)
    for days in (0, 4):
        note_worth(team.workspace.ledger, (today(team) + days * DAY).date(), worth)
    team.tick(after=4 * DAY)
    people = {one.person for one in team.enrolments("calm")}
    assert any(Reason.NOT_WORTH_IT in team.reasons(who) for who in people)
    stopping = report_journey(team.workspace, "calm").stopping
    assert stopping is not None
    assert stopping.messages > 9
    assert "cannot be told yet" in stopping.told


@pytest.mark.parametrize(
    "wrong",
    [
        "[stopping]\nmeasured = true\n",
        f"{SETTINGS}\n[[worth]]\nmargin = 1\n",
        "[stopping]\nkept_on = 0\n",
    ],
)
def test_settings_that_leave_nothing_to_measure_are_refused(begun: Team, wrong: str) -> None:
    add_section(begun.folder, wrong)
    with pytest.raises(ConfigError):
        Workspace.open(begun.folder)
