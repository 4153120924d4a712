"""A team holds people out of all of its marketing, changes its mind, and reads what it earned."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.desk import (
    build_plan,
    explain_customer,
    report_journey,
    report_programme,
)
from rekindle.desk.replaying import rehearse
from rekindle.desk.reporting import find_terms
from rekindle.ledger import ledger_transaction, load_drawn
from rekindle.ledger.book.withholding import open_period
from rekindle.vocabulary import Arm, Channel, Reason
from rekindle.worker.keeping.stopping import find_drawn
from tests.runtime.shops import DAY, EVERYONE, NOW, Team, add_section


@pytest.fixture
def held(imported_shop: Path, tmp_path: Path) -> Team:
    """A team that holds out 30 % and has written to everyone else."""
    folder = tmp_path / "held"
    Team.copy(imported_shop, folder)
    add_section(folder, '[holdout]\nshare = 0.3\nwithin = "20 days"\n')
    team = Team.at_work(folder)
    team.start("everyone")
    team.tick()
    return team


def drawn(team: Team, arm: Arm) -> set[str]:
    """Return sixty people's part in an arm, as the ledger has it."""
    people = sorted({one.person for one in team.enrolments("everyone")})[:60]
    return {
        one.person
        for one in load_drawn(team.workspace.ledger)
        if one.person in people and one.arm is arm
    }


@pytest.mark.long
def test_withheld_people_get_nothing_and_it_is_said_everywhere(held: Team) -> None:
    withheld, others = drawn(held, Arm.HOLDOUT), drawn(held, Arm.TREATMENT)
    assert len(withheld) > 9
    assert len(others) > 30
    assert not any(held.mails(f"{who}@example.com") for who in withheld)
    assert {Reason.GLOBAL_HOLDOUT} == {
        reason
        for who in withheld
        for reason in held.reasons(who)
        if reason not in (Reason.NO_PERMISSION, Reason.UNREACHABLE, Reason.FINISHED)
    }
    assert not any(Reason.GLOBAL_HOLDOUT in held.reasons(who) for who in others)
    someone = next(who for who in sorted(withheld) if Reason.GLOBAL_HOLDOUT in held.reasons(who))
    told, other = (
        explain_customer(held.workspace, who, held.clock.now()) for who in (someone, min(others))
    )
    assert told.drawn is not None
    assert other.drawn is not None
    assert (told.drawn.arm, other.drawn.arm) == (Arm.HOLDOUT, Arm.TREATMENT)
    (mail,) = (one for one in told.verdicts if one.channel == Channel("email"))
    assert mail.decision.reason is Reason.GLOBAL_HOLDOUT
    space = held.workspace
    plan = build_plan(space, space.journey("calm"), held.clock.now())
    assert plan.reasons[Reason.GLOBAL_HOLDOUT] > 0
    assert any("get nothing from any" in note for note in plan.notes)


def test_programme_is_measured_and_journeys_without_its_holdout(held: Team) -> None:
    held.clock.move(30 * DAY)
    (part,) = report_programme(held.workspace).parts
    assert part.over == part.drawn
    assert all(part.drawn.values())
    report = report_journey(held.workspace, "everyone")
    assert report.arms[Arm.TREATMENT].assigned == part.drawn[Arm.TREATMENT]
    assert any("holdout of all marketing" in note for note in report.notes)


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("days", "share", "said"),
    [
        (range(1, 2), 0.3, "30 %; today's is 0 %"),
        (range(1, 12), 0.3, "changed to 10 % on"),
        (range(11, 12), 0.1, "10 %; today's is 0 %"),
        (range(-9, -8), 0.0, ""),
    ],
)
def test_past_time_has_the_holdout_it_had(held: Team, days: range, share: float, said: str) -> None:
    with ledger_transaction(held.workspace.ledger):
        open_period(held.workspace.ledger, 0.1, NOW + 10 * DAY)
    path = held.folder / "rekindle.toml"
    path.write_text(path.read_text().replace("share = 0.3", "share = 0.0"))
    later = Team.at_work(held.folder, NOW + 20 * DAY)
    terms, notes = find_terms(later.workspace, NOW + days[0] * DAY, NOW + days[-1] * DAY)
    assert terms.holdout.share == share
    assert said in " ".join(notes)
    assert bool(notes) is bool(said)


@pytest.mark.long
def test_replay_of_a_time_without_a_record_of_its_holdout_says_so(held: Team) -> None:
    space, day = held.workspace, (NOW - 30 * DAY).date()
    ran = rehearse(space, space.journey("calm"), first=day, last=day)
    (note,) = [one for one in ran.notes if "on record" in one]
    assert "today's 30 % is taken" in note


@pytest.mark.long
def test_ended_holdout_is_told_and_lets_everybody_be_written_to(held: Team) -> None:
    withheld = drawn(held, Arm.HOLDOUT)
    path = held.folder / "rekindle.toml"
    path.write_text(path.read_text().replace("share = 0.3", "share = 0.0"))
    after = Team.at_work(held.folder, held.clock.now() + DAY)
    again = EVERYONE.replace("journey: everyone", "journey: again")
    (after.folder / "journeys" / "again.yaml").write_text(again)
    after.start("again")
    after.tick()
    assert any(after.mails(f"{who}@example.com") for who in withheld)
    space = after.workspace
    for name in ("everyone", "again"):
        (version,) = space.book.versions(name)
        reported = sum(arm.assigned for arm in report_journey(space, name).arms.values())
        assert len(find_drawn(space, version)) == reported
    after.clock.move(20 * DAY)
    found = report_programme(space)
    assert [one.share for one in found.shares] == [0.3, 0.0]
    assert [part.left_out for part in found.parts] == [sum(found.parts[0].drawn.values())]
    assert any(
        one.subject == "*" and one.detail == {"share": 0.0} for one in space.audit_log.entries()
    )
