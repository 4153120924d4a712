"""A broken template stops the steps that use it, nothing else, and is found at ``plan``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.desk import build_plan
from rekindle.errors import TemplateError
from rekindle.ledger import MessageState
from rekindle.vocabulary import Reason
from tests.runtime.shops import NOW, Team

HOUR = timedelta(hours=1)
HALF_WRITTEN = "half written {{ "


def template(team: Team, name: str) -> Path:
    return team.folder / "templates" / f"{name}.mjml"


@pytest.mark.long
def test_half_written_template_that_no_journey_names_is_in_nobodys_way(team: Team) -> None:
    template(team, "draft").write_text(HALF_WRITTEN, encoding="utf-8")
    (team.folder / "templates" / "latin.mjml").write_bytes(b"\xff\xfe")
    assert build_plan(team.workspace, team.workspace.journey("few"), NOW).people
    team.start("few")
    done = team.tick()
    assert not done.sent.trouble
    assert done.sent.accepted == len(team.mails()) >= 5


def test_broken_template_is_found_at_plan_and_at_start(team: Team) -> None:
    template(team, "check-in").write_text(HALF_WRITTEN, encoding="utf-8")
    journey = team.workspace.journey("few")
    with pytest.raises(TemplateError, match=r"check-in\.mjml, line 1"):
        build_plan(team.workspace, journey, NOW)
    with pytest.raises(TemplateError, match=r"check-in\.mjml, line 1"):
        team.start("few")


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize(
    "fault", [HALF_WRITTEN, None, "no link", "no variable"], ids=["broken", "gone", "link", "name"]
)
def test_messages_wait_for_their_template_and_leave_when_it_is_mended(
    team: Team, fault: str | None
) -> None:
    team.start("few")
    path = template(team, "layout" if fault == "no link" else "check-in")
    text = path.read_text(encoding="utf-8")
    broken = {
        "no link": text.replace("unsubscribe_url", "shop.name"),
        "no variable": text.replace("shop.name", "shop.nmae"),
    }
    if fault is None:
        path.unlink()
    else:
        path.write_text(broken.get(fault, fault), encoding="utf-8")
    for _ in range(10):
        done = team.tick(after=2 * HOUR)
    assert "check-in.mjml" in done.sent.trouble
    assert not team.mails()
    messages = team.workspace.history.messages_of("few")
    assert {one.state for one in messages} == {MessageState.QUEUED}
    assert Reason.NOT_READY in team.reasons(messages[0].person)
    path.write_text(text, encoding="utf-8")
    assert team.tick(after=2 * HOUR).sent.accepted == len(team.mails()) == len(messages)
