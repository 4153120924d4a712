"""Who paid has access at once: the business's own system is told until it took it, by one id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rekindle.ledger import AccessNotes, AccessTimes
from rekindle.ledger.intake_models import AccessNote
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller
from rekindle.web.portal.subscription.serving import WorkspaceSubscribers
from rekindle.worker import AccessKeeper, State, examine
from tests.web.api.billers.conftest import Post
from tests.web.api.billers.receiver import Receiver, subscriber


def paid_again(fake: FakeBiller) -> tuple[str, dict[str, Any]]:
    """Let a payment fail and clear; return the subscription and the event that says so."""
    sub, card = subscriber(fake)
    fake.world._does[card] = "insufficient_funds"
    fake.world.advance(timedelta(days=29))
    fake.world._does[card] = "pays"
    fake.world.advance(timedelta(days=4))
    changes = [one for one in fake.world.events if one["type"] == "customer.subscription.updated"]
    return sub, changes[-1]


def test_a_payment_that_cleared_is_told_at_once_and_once(
    fake: FakeBiller, space: Workspace, post: Post, receiver: Receiver
) -> None:
    sub, event = paid_again(fake)
    for _ in range(2):
        assert post(event)[0] == 200
    assert receiver.heard.wait(30)
    AccessKeeper(space).tell()
    ((_, data),) = receiver.came
    assert (data["customer"], data["subscription"], data["because"]) == ("u1", sub, "paid")


def test_a_payment_that_is_told_after_the_end_restores_nothing(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    sub, event = paid_again(fake)
    fake.world.end(sub)
    ended = fake.world.events[-1]
    assert ended["type"] == "customer.subscription.deleted"
    for one in (ended, event):
        assert post(one)[0] == 200
    assert not AccessNote.objects.using(space.ledger).exists()


def test_a_renewal_and_a_first_payment_restore_nothing(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    subscriber(fake)
    fake.world.advance(timedelta(days=29))
    assert {post(event)[0] for event in fake.world.events} == {200}
    assert not AccessNote.objects.using(space.ledger).exists()


def test_what_is_not_taken_is_told_again_later_and_longer(
    fake: FakeBiller, space: Workspace, receiver: Receiver
) -> None:
    receiver.status = 500
    AccessNotes(space.ledger).add([note(space)], space.clock.now())
    keeper, clock = AccessKeeper(space), fake.world.clock
    assert (keeper.tell(), len(receiver.came)) == (0, 1)
    for seconds, count in ((14, 1), (1, 2), (59, 2), (1, 3)):
        clock.move(timedelta(seconds=seconds))
        assert (keeper.tell(), len(receiver.came)) == (0, count)
    receiver.status = 200
    clock.move(timedelta(seconds=300))
    assert (keeper.tell(), keeper.tell()) == (1, 0)
    assert len({id_ for id_, _ in receiver.came}) == 1


def test_what_a_process_died_over_is_told_by_the_next_one_by_the_same_id(
    fake: FakeBiller, space: Workspace, receiver: Receiver
) -> None:
    keeper, notes = AccessKeeper(space), AccessNotes(space.ledger)
    notes.add([note(space)], space.clock.now())
    held = notes.claim(space.clock.now())  # and dies, before or after it was told
    assert (keeper.tell(), receiver.came) == (0, [])
    fake.world.clock.move(timedelta(minutes=5))
    assert keeper.tell() == 1
    assert held is not None
    assert [id_ for id_, _ in receiver.came] == [held.id]


def test_the_page_and_the_notice_of_one_return_are_one(
    fake: FakeBiller, space: Workspace, post: Post, receiver: Receiver
) -> None:
    sub, _ = subscriber(fake)
    fake.world.end(sub)
    customer, price = fake.world.things[sub]["customer"], fake.world.add_plan()["id"]
    back = fake.world.subscribe(customer, price, metadata={"rekindle_previous": sub})["id"]
    WorkspaceSubscribers(space).came_back("u1", sub, back)
    assert {post(event)[0] for event in fake.world.events} == {200}
    assert receiver.heard.wait(30)
    AccessKeeper(space).tell()
    ((_, data),) = receiver.came
    assert (data["because"], data["subscription"]) == ("came_back", back)


@pytest.mark.long
def test_the_doctor_says_how_long_it_takes_and_that_it_does_not(
    fake: FakeBiller, space: Workspace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> tuple[State, str]:
        (line,) = [one for one in examine(space) if one.about == "access"]
        return line.state, line.words

    assert found()[0] is State.WELL
    AccessNotes(space.ledger).add([note(space)], space.clock.now())
    fake.world.clock.move(timedelta(minutes=11))
    assert found()[0] is State.WARNS
    AccessKeeper(space).tell()
    assert "after 1 payment of the last 30 days: p50 660.0 s, p99 660.0 s" in found()[1]
    monkeypatch.delenv("REKINDLE_WEBHOOK_SECRET")
    assert found()[0] is State.REFUSES


@pytest.mark.parametrize(
    ("count", "half", "most"),
    [(1, 1.0, 1.0), (2, 1.0, 2.0), (100, 50.0, 99.0), (200, 100.0, 198.0)],
)
def test_quantiles_are_times_that_were_met(count: int, half: float, most: float) -> None:
    times = AccessTimes([float(one) for one in range(1, count + 1)], 0, None)
    assert (times.quantile(0.5), times.quantile(0.99)) == (half, most)


def note(space: Workspace) -> Any:
    from rekindle.ledger import AccessNote

    return AccessNote("access_1", "stripe", "sub_1", "u1", "paid", space.clock.now())
