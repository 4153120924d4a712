"""Which variant a message had, and who clicked in it, can be read back."""

from __future__ import annotations

import pytest

from rekindle.ledger import load_click_rate, load_variants, models
from rekindle.vocabulary import Unknown
from tests.ledger.queueing import DAY, HOUR, START, Queue


@pytest.fixture
def queue(alias: str) -> Queue:
    return Queue(alias)


def click(
    queue: Queue, touch: int, *, hours: int, machine: bool = False, kind: str = "clicked"
) -> None:
    queue.add(
        models.Delivery,
        key=f"{touch}-{hours}-{machine}-{kind}",
        channel="email",
        outlet="portal",
        kind=kind,
        at=START + hours * HOUR,
        touch=touch,
        is_machine=machine,
        is_permanent=False,
        recorded_at=START + hours * HOUR,
    )


def test_first_click_of_a_person_is_the_one_that_counts(queue: Queue, alias: str) -> None:
    alice = queue.message("alice", variant="warm", state="accepted", accepted_at=START)
    bob = queue.message("bob", variant="brief", state="cancelled")
    queue.message("carol", variant="", state="accepted", accepted_at=START)
    queue.message("dan", variant="warm", state="ghost")
    click(queue, alice, hours=1, machine=True)
    click(queue, alice, hours=9)
    click(queue, alice, hours=5)
    click(queue, bob, hours=2, kind="opened")
    found = {one.person: one for one in load_variants(alias, "lapsed")}
    assert set(found) == {"alice", "bob"}
    assert (found["alice"].variant, found["alice"].has_left) == ("warm", True)
    assert found["alice"].clicked_at == START + 5 * HOUR
    assert (found["alice"].step, found["alice"].version, found["alice"].at) == (
        "check-in",
        1,
        START,
    )
    assert (found["bob"].has_left, found["bob"].clicked_at) == (False, None)
    assert load_variants(alias, "other") == []


def test_share_of_clicked_messages_is_known_from_a_hundred_on(queue: Queue, alias: str) -> None:
    touches = [queue.message(f"p{n}", state="accepted", accepted_at=START) for n in range(100)]
    for touch in touches[:7]:
        click(queue, touch, hours=1)
    click(queue, touches[8], hours=1, machine=True)
    assert load_click_rate(alias, "email", START + 7 * DAY) == pytest.approx(0.07)
    assert isinstance(load_click_rate(alias, "email", START + 6 * DAY), Unknown)
    assert isinstance(load_click_rate(alias, "sms", START + 9 * DAY), Unknown)
