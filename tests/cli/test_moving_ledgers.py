"""A shop at work moves its ledger to PostgreSQL and goes on as if nothing had happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rekindle.ledger import MessageState
from rekindle.runtime import Workspace
from tests.cli.commands import rekindle
from tests.runtime.databases import postgres_ledger
from tests.runtime.shops import NOW, Team, add_section, close_ledgers


def accepted(team: Team) -> int:
    messages = team.workspace.history.messages_of("calm")
    return sum(message.state is MessageState.ACCEPTED for message in messages)


def test_a_journey_goes_on_after_the_move(
    begun_shop: Path, tmp_path: Path, postgres_url: str
) -> None:
    moved, stayed = tmp_path / "moved", tmp_path / "stayed"
    for folder in (moved, stayed):
        Team.copy(begun_shop, folder)
    with postgres_ledger(postgres_url) as url:
        answer = rekindle("move-ledger", url, "-C", moved)
        assert answer.code == 0, answer
        assert f'url = "{url.replace(":@", "@")}"' in answer.out
        refused = rekindle("tick", "-C", moved)
        assert (refused.code, "was moved to postgresql" in refused.err) == (1, True)
        text = (moved / "rekindle.toml").read_text(encoding="utf-8")
        assert "[ledger]" not in text
        add_section(moved, f'[ledger]\nurl = "{url}"\n')
        assert Workspace.open(moved).config.ledger.url == url
        passes = []
        for folder in (moved, stayed):
            team = Team.at_work(folder, NOW)
            again = team.tick(after=timedelta(hours=1))
            later = team.tick(after=timedelta(days=4))
            passes.append((again.sent, later.sent, accepted(team)))
            team.leave()
        close_ledgers()
    assert passes[0] == passes[1]
    assert passes[0][0].accepted == 0
    assert passes[0][1].accepted > 0
