"""The commands that steer: what a team types, and what it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.intake import read_event
from rekindle.ledger import Inbox, ready_events
from rekindle.runtime import Workspace
from tests.cli.commands import rekindle

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_journey_is_planned_started_held_and_ended(copy: Path) -> None:
    here = ("-C", copy)
    plan = rekindle("plan", "few", "--json", *here).document
    forged = rekindle("start", "few", "--token", "forged", *here)
    assert (forged.code, "no token" in forged.err) == (2, True)
    started = rekindle("start", "few", "--token", plan["token"], "--by", "ann", *here)
    assert (started.code, "takes people" in started.err) == (0, True)
    assert "is paused" in rekindle("pause", "few", "--why", "a typo", *here).err
    assert "goes on" in rekindle("resume", "few", *here).err
    assert rekindle("move", "few", *here).err.endswith("nobody is to be moved\n")
    assert "is stopped" in rekindle("stop", "few", "--yes", *here).err
    entries = rekindle("log", "few", "--json", *here).document["entries"]
    assert [one["action"] for one in reversed(entries)] == [
        "started",
        "paused",
        "resumed",
        "stopped",
    ]
    assert entries[-1]["who"] == "ann"
    assert entries[2]["detail"] == {"why": "a typo"}
    assert "a typo" in rekindle("log", *here).out


@pytest.mark.long
def test_log_tells_what_is_unknown_in_a_word(copy: Path) -> None:
    with (copy / "rekindle.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[targets]]\nmeasure = "drifted_share"\nvalue = 0.1\nby = 2030-01-01\n')
    rekindle("tick", "-C", copy)
    (read,) = rekindle("log", "targets", "--json", "-C", copy).document["entries"]
    assert "no baseline" in read["detail"]["drifted_share"]["unknown"]
    told = rekindle("log", "targets", "-C", copy).out
    assert "drifted_share unknown" in told
    assert "{" not in told


@pytest.mark.long
def test_wishes_are_kept_and_shown(copy: Path) -> None:
    here = ("-C", copy)
    rekindle("start", "few", "--yes", *here)
    rekindle("tick", *here)
    told = rekindle("prefer", "c015", "--snooze", "30 days", "--mute", "offers", *here)
    assert "nothing before" in told.err
    assert "nothing about offers" in told.err
    rekindle("exclude", "c015", "--because", "poor_fit", "--for", "10 days", *here)
    shown = rekindle("explain", "c015", *here).out
    assert "Asked for nothing before" in shown
    assert "poor_fit" in shown
    assert "Quiet hours by the clock of" in shown
    rekindle("include", "c015", "--because", "poor_fit", *here)
    assert rekindle("explain", "c015", "--json", *here).document["exclusions"] == []
    assert "is erased" in rekindle("erase", "c015", "--yes", *here).err


@pytest.mark.long
def test_what_someone_did_is_shown_though_no_facts_are_there_yet(copy: Path) -> None:
    rekindle("tick", "-C", copy)
    space = Workspace.open(copy, clock=MovableClock(NOW))
    call = {"type": "page", "userId": "guest"}
    reports = ready_events(space.ledger, [read_event(call, received_at=NOW)])
    Inbox(space.ledger, space.book).take("web", reports, NOW)
    shown = rekindle("explain", "guest", "-C", copy).out
    assert "guest is in no facts yet" in shown
    assert f"{NOW:%Y-%m-%d %H:%M}  visit" in shown


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("prefer", "c015"), "say what they asked for"),
        (("prefer", "c015", "--snooze", "long"), "is no duration"),
        (("prefer", "nobody", "--snooze", "1 day"), "no customer 'nobody'"),
        (("pause", "few"), "no journey 'few' has started"),
        (("outbox", "retry", "abc"), "no stuck message 'abc'"),
        (("outbox", "sent", ""), "no stuck message"),
    ],
)
def test_what_cannot_be_done_is_refused(copy: Path, command: tuple[str, ...], said: str) -> None:
    refused = rekindle(*command, "-C", copy)
    assert (refused.code, said in refused.err) == (2, True)


def test_nothing_stuck_says_so(copy: Path) -> None:
    assert "Nothing is stuck." in rekindle("outbox", "list", "-C", copy).out
    assert rekindle("outbox", "list", "--json", "-C", copy).document["messages"] == []


@pytest.mark.long
def test_a_plan_of_old_facts_says_that_a_start_counts_today(copy: Path) -> None:
    told = rekindle("plan", "few", "--json", "-C", copy).document
    assert any("people are counted as of the end of that day" in one for one in told["notes"])
    told = rekindle("plan", "few", "--as-of", "2024-09-02", "--json", "-C", copy).document
    assert not any("people are counted as of" in one for one in told["notes"])
