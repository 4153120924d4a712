"""A biller's notice moves the register of belongings at once, and its questions outlive a kill."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekindle.clock import MovableClock
from rekindle.errors import BusyError
from rekindle.ledger import BelongingsRegister, LastStay
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller, sign_notice
from rekindle.worker import BillerNotices, bring_notices
from rekindle.worker.hearing import following
from rekindle.worker.keeping.belongings import BelongingsKeeper, name_question
from tests.runtime.crashing import kill_after, start_worker
from tests.web.api.billers.receiver import SECRET, Receiver, subscriber

KEPT = '[subscriptions.kept]\nwhat = ["Playlists"]\nurl = "{url}"\n'
KILLS, PEOPLE = 8, 20
DAY = timedelta(days=1)


@pytest.fixture
def keeping(space: Workspace, receiver: Receiver) -> Workspace:
    """Return the workspace, which keeps something for who left."""
    path = space.directory / "rekindle.toml"
    path.write_text(path.read_text() + KEPT.format(url=receiver.url))
    receiver.takes = ("kept.ending", "kept.ended", "access.restored")
    return Workspace.open(space.directory, clock=space.clock)


Tell = Callable[[], None]


@pytest.fixture
def tell(keeping: Workspace, fake: FakeBiller) -> Tell:
    """Return what gives the notices that were not given yet, and waits for what they began."""
    notices, given = BillerNotices(keeping), set[str]()

    def all_new() -> None:
        for event in fake.world.events:
            if event["id"] not in given:
                given.add(event["id"])
                headers, body = sign_notice("whsec_test", event, fake.world.clock.now())
                notices.take(headers, body)
        notices.finish()

    return all_new


def states(space: Workspace) -> list[str]:
    today = space.clock.now().date()
    return [one.state(today) for one in BelongingsRegister(space.ledger).all("u1")]


@pytest.mark.long
def test_a_departure_and_a_return_show_at_once(
    fake: FakeBiller, keeping: Workspace, tell: Tell
) -> None:
    sub, _ = subscriber(fake)
    tell()
    assert states(keeping) == []
    fake.world.clock.move(3 * DAY)
    fake.world.end(sub)
    tell()
    assert states(keeping) == ["kept"]
    fake.world.clock.move(DAY)
    world = fake.world
    world.subscribe(world.things[sub]["customer"], world.add_plan()["id"])
    tell()
    (row,) = BelongingsRegister(keeping.ledger).all("u1")
    assert (row.closed, row.found(ZoneInfo("UTC"))) == ("returned", "in_place")


def test_a_renewal_of_somebody_nothing_is_kept_for_asks_the_facts_nothing(
    fake: FakeBiller, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: Any) -> None:
        raise AssertionError("the facts were asked")

    monkeypatch.setattr(following, "bring_notices", never)
    monkeypatch.setattr(following.RegisterFollower, "_follow_soon", never)
    subscriber(fake)
    fake.world.advance(29 * DAY)
    tell()


@pytest.mark.long
def test_where_an_import_is_running_the_next_look_follows(
    fake: FakeBiller, keeping: Workspace, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a process died between the notice and the row."""

    def busy(_: Any) -> None:
        raise BusyError("an import is running")

    monkeypatch.setattr(following, "bring_notices", busy)
    sub, _ = subscriber(fake)
    fake.world.clock.move(3 * DAY)
    fake.world.end(sub)
    fake.world.clock.move(DAY)
    tell()
    assert states(keeping) == []
    bring_notices(keeping)
    BelongingsKeeper(keeping).look(keeping.clock.now())
    assert states(keeping) == ["kept"]


def test_killed_at_any_moment_each_question_is_told_and_decided_once(
    keeping: Workspace, receiver: Receiver
) -> None:
    """The business's system acts once on an id: what it decided then it answers again."""
    decided: dict[str, dict[str, Any]] = {}
    receiver.says = lambda id_: decided.setdefault(id_, _decide(id_))
    register, now = BelongingsRegister(keeping.ledger), keeping.clock.now()
    left_on = now.date() - 80 * DAY
    stays = [LastStay(f"u{n}", 1, True, left_on, None) for n in range(PEOPLE)]
    register.follow(stays, now, today=now.date(), what=("Playlists",), days=90)
    questions = {name_question(one, "ending"): one.person for one in register.all()}
    rng, killed = random.Random(12), 0
    for _ in range(KILLS):
        at = keeping.clock.now().isoformat()
        process = start_worker(_tell, str(keeping.directory), at)
        killed += kill_after(process, lambda: len(receiver.came), more=2, rng=rng)
        assert isinstance(keeping.clock, MovableClock)
        keeping.clock.move(timedelta(minutes=6))
    keeper = BelongingsKeeper(keeping)
    keeper.tell()
    keeper.tell()
    assert killed > 0
    assert decided.keys() == questions.keys()
    for one in register.all():
        said = decided[next(id_ for id_, person in questions.items() if person == one.person)]
        if "deleted" in said:
            assert one.answer == "deleted"
        elif "kept_until" in said:
            assert (one.answer, one.kept_until) == ("kept", date(2029, 1, 1))
        else:
            assert (one.answer, one.told) == ("", "ending")


def _decide(id_: str) -> dict[str, Any]:
    said: list[dict[str, Any]] = [
        {"id": id_, "deleted": True},
        {"id": id_, "kept_until": "2029-01-01"},
        {"ok": True},
    ]
    return said[int(id_[-1], 16) % 3]


def _tell(folder: str, at: str) -> None:
    os.environ["REKINDLE_WEBHOOK_SECRET"] = SECRET
    space = Workspace.open(Path(folder), clock=MovableClock(datetime.fromisoformat(at)))
    BelongingsKeeper(space).tell()
