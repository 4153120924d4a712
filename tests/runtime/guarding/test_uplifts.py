"""A journey is learned from its own holdout, and single people are left out only by what passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest

from rekindle.desk import explain_customer, report_journey
from rekindle.errors import ConfigError
from rekindle.facts import CONTRACTS
from rekindle.gate import SPARED
from rekindle.ledger import UpliftEntry, load_uplifts, note_uplift
from rekindle.predictions import MOMENT, Uplift, as_shares, uplift
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker.keeping import moving
from rekindle.worker.keeping.moving import find_content, know_uplifts, look_at_uplift
from rekindle.worker.keeping.scores import keep_rows
from tests.runtime.shops import DAY, Team, add_section

SETTINGS = "[stopping]\nby_person = true\n\n[offers]\nmargin = 0.4\n"


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn from a shop of a few dozen people as if its few buyers were enough."""
    monkeypatch.setattr(uplift, "FEWEST", 2)


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the order of so few people for one that held out of sample."""
    monkeypatch.setattr(uplift, "FEWEST", 2)
    monkeypatch.setattr(Uplift, "may_exclude", True)


@pytest.fixture
def team(begun: Team) -> Iterator[Team]:
    """Yield a team that asked for it, 31 days after its first messages."""
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 31 * DAY)
    yield team
    team.leave()


def entry(team: Team) -> UpliftEntry:
    found, _ = load_uplifts(team.workspace.ledger, "calm", 1)
    assert found is not None
    return found


def keep(team: Team, at: datetime, *, high: float, people: list[str]) -> None:
    """Keep such an upper end of people's figures, by a model that passed."""
    space = team.workspace
    version = space.book.versions("calm")[-1]
    scored = at - MOMENT
    schema = CONTRACTS["uplifts"].schema.to_pyarrow()
    rows = pa.table(
        {
            "source": ["rekindle"] * len(people),
            "customer_id": people,
            "journey": ["calm"] * len(people),
            "scored_at": [scored] * len(people),
            "good_until_on": [(at + 7 * DAY).date()] * len(people),
            **{
                f"uplift{end}": as_shares(pa.chunked_array([[high] * len(people)]))
                for end in ("", "_low", "_high")
            },
            "basket": as_shares(pa.chunked_array([[20.0] * len(people)])),
        }
    ).cast(schema)
    keep_rows(space, CONTRACTS["uplifts"], rows, at)
    content = find_content(space, version.journey)
    until = (at + 7 * DAY).date()
    note_uplift(
        space.ledger,
        UpliftEntry("calm", 1, at, content, scored, until, 900, len(people), 1.0, 0.1, 0.05, 0.15),
    )


@pytest.mark.long
@pytest.mark.usefixtures("few_are_enough")
def test_model_that_did_not_pass_leaves_nobody_out_and_says_why(team: Team) -> None:
    at = team.clock.now()
    assert know_uplifts(team.workspace, at) == {}
    assert "did not hold out of sample" in entry(team).trouble
    assert entry(team).qini is not None
    notes = report_journey(team.workspace, "calm").notes
    assert any("Nobody is left out by what is foreseen of them" in one for one in notes)


@pytest.mark.long
@pytest.mark.usefixtures("passed")
def test_everybody_who_ordered_is_scored_once_a_day(team: Team) -> None:
    space, at = team.workspace, team.clock.now()
    rule = know_uplifts(space, at)["calm"]
    found = entry(team)
    assert (rule.version, rule.scored_at, rule.people) == (1, found.scored_at, found.people)
    rows = space.engine.run(space.facts.more["uplifts"])
    assert rows.num_rows == found.scored > 200
    assert {one.as_py() for one in rows["good_until_on"]} == {found.good_until}
    know_uplifts(space, at + DAY / 24)
    assert entry(team) == found
    know_uplifts(space, at + DAY)
    assert entry(team).found_at == at + DAY


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("holdout", "holds nobody out"),
        ("young", "for the goal's time yet"),
        ("old", "over a year ago"),
        ("template", "was changed since"),
    ],
)
@pytest.mark.usefixtures("passed")
def test_what_keeps_it_from_being_learned_is_told(team: Team, change: str, told: str) -> None:
    space, at = team.workspace, team.clock.now()
    (version,) = space.book.versions("calm")
    assert look_at_uplift(space, version, at, is_kept=True).entry.trouble == ""
    if change == "holdout":
        version = replace(version, holdout_share=0.0)
    if change == "template":
        path = team.folder / "templates" / "check-in.mjml"
        path.write_text(path.read_text(encoding="utf-8") + "\n<!-- new -->\n", encoding="utf-8")
        assert know_uplifts(space, at) == {}
    moved = {"young": -20 * DAY, "old": 400 * DAY}.get(change, 0 * DAY)
    assert told in look_at_uplift(space, version, at + moved).entry.trouble


@pytest.mark.long
def test_figures_that_are_too_old_leave_nobody_out(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now())
    keep(team, team.clock.now(), high=-0.01, people=["c001"])
    (version,) = team.workspace.book.versions("calm")
    made = moving._build_rule(entry(team), 0.4, team.clock.now() + 8 * DAY, team.workspace.zone)
    assert made is None
    assert version.version == 1


@pytest.mark.long
def test_people_not_moved_are_held_back_but_for_a_few_and_others_get_theirs(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 4 * DAY)
    people = sorted({one.person for one in team.enrolments("calm")})
    unmoved = people[: len(people) // 2]
    keep(team, team.clock.now(), high=-0.01, people=unmoved)
    team.tick()
    held = {who for who in people if Reason.NOT_WORTH_IT in team.reasons(who)}
    assert held
    assert held < set(unmoved)
    assert len(held) > (1 - 3 * SPARED) * len(unmoved) * 0.5
    saved = report_journey(team.workspace, "calm").held_back
    assert saved is not None
    assert saved.messages > 3
    assert "held back from people whom the journey does not move" in saved.told
    who = next(iter(sorted(held)))
    decisions = explain_customer(team.workspace, who, team.clock.now()).decisions
    assert any("people like this one return as often without it" in one.detail for one in decisions)


@pytest.mark.parametrize(
    "wrong", ["[stopping]\nby_person = true\n", f"{SETTINGS}\n[[worth]]\nmargin = 1\n"]
)
def test_settings_without_margin_or_with_two_words_are_refused(begun: Team, wrong: str) -> None:
    add_section(begun.folder, wrong)
    with pytest.raises(ConfigError):
        Workspace.open(begun.folder)
