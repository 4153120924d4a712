"""Failed payments are tried again once each, whenever a worker dies, and never of who left."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from rekindle.billing import BilledStanding, Charge, pull_facts
from rekindle.clock import MovableClock
from rekindle.errors import BillerError, BillerRefusedError
from rekindle.journeys import Person
from rekindle.ledger import Charges
from rekindle.ledger.intake_models import BillerCharge
from rekindle.runtime import Workspace
from rekindle.subscriptions import DeclineKind, HourChoice, HourReason, OwedPayment
from rekindle.testing.biller import FakeBiller
from rekindle.testing.biller.world import Refusal
from rekindle.worker import examine
from rekindle.worker.keeping import retrying
from rekindle.worker.keeping.owing import find_owed
from rekindle.worker.keeping.retrying import RetryKeeper
from tests.runtime.crashing import kill_after, start_worker
from tests.web.api.billers.receiver import subscriber

SECRETS = {
    "REKINDLE_STRIPE_KEY": "sk_test_fake",
    "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
}
LATER = timedelta(minutes=6)
KILLS = 3
# How it stands is two answers where an invoice is open: the subscription, and the invoice.
AS_IT_STANDS = 2


def owing(
    fake: FakeBiller, space: Workspace, count: int, does: str = "insufficient_funds"
) -> list[str]:
    """Let so many people fail to pay, pull, and move to the first retry; return what they owe."""
    world = fake.world
    world.retries = False
    people = [subscriber(fake, f"u{number}") for number in range(count)]
    for _, card in people:
        world._does[card] = does
    world.advance(timedelta(days=28))
    pull_facts(
        space.config.billing, space.directory, now=space.clock.now(), bring=space.import_from
    )
    path = space.directory / "rekindle.toml"
    if "retries" not in path.read_text():
        text = path.read_text().replace("access_url", 'retries = ["3 days", "5 days"]\naccess_url')
        path.write_text(text)
    world.clock.move(timedelta(days=3))
    world.attempts.clear()
    return [str(world.things[sub]["latest_invoice"]) for sub, _ in people]


def opened(space: Workspace) -> Workspace:
    return Workspace.open(space.directory, clock=space.clock)


@pytest.mark.long
def test_each_is_tried_once_by_the_schedule_and_no_further(
    fake: FakeBiller, space: Workspace
) -> None:
    (invoice,) = owing(fake, space, 1)
    keeper, counts = RetryKeeper(opened(space)), []
    for _ in range(8):
        keeper.look()
        counts.append(len(fake.world.attempts))
        fake.world.clock.move(timedelta(days=1))
    assert counts == [1, 1, 2, 2, 2, 2, 2, 2]
    rows = BillerCharge.objects.using(space.ledger).filter(invoice=invoice).order_by("number")
    assert list(rows.values_list("number", "state")) == [(1, "declined"), (2, "declined")]


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize(
    "does", ["stolen_card", "authentication_required", "insufficient_funds:do_not_try_again"]
)
def test_what_is_hard_or_asks_for_its_owner_is_never_tried(
    fake: FakeBiller, space: Workspace, does: str
) -> None:
    owing(fake, space, 1, does)
    assert RetryKeeper(opened(space)).look() == 0
    assert fake.world.attempts == []


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("what", ["cancel", "end", "pause", "paid", "provider"])
def test_nobody_is_charged_after_they_left_paused_or_paid_whatever_the_facts_say(
    fake: FakeBiller, space: Workspace, what: str
) -> None:
    (invoice,) = owing(fake, space, 1)
    world = fake.world
    sub = world.things[invoice]["parent"]["subscription_details"]["subscription"]
    if what == "cancel":
        world.update_subscription(sub, {"cancel_at_period_end": True})
    elif what == "end":
        world.end(sub)
    elif what == "pause":
        world.update_subscription(sub, {"pause_collection": {"behavior": "void"}})
        world.things[sub]["status"] = "active"
    elif what == "paid":
        card = world.add_card(world.things[sub]["customer"])["id"]
        world.pay(invoice, {"payment_method": card})
        world.attempts.clear()
    else:
        world.things[invoice]["next_payment_attempt"] = 2_000_000_000
    assert RetryKeeper(opened(space)).look() == 0
    assert world.attempts == []


@pytest.mark.long
def test_an_answer_that_got_lost_is_asked_for_again_by_the_same_key(
    fake: FakeBiller, space: Workspace
) -> None:
    (invoice,) = owing(fake, space, 1)
    fake.world._does = dict.fromkeys(fake.world._does, "pays")
    keeper = RetryKeeper(opened(space))
    fake.breaks_after = AS_IT_STANDS  # and nothing of the charge
    keeper.look()
    fake.breaks_after = None
    row = BillerCharge.objects.using(space.ledger).get()
    assert (row.state, row.invoice) == ("asked", invoice)
    fake.world.clock.move(LATER)
    assert keeper.look() == 1
    row.refresh_from_db()
    assert (row.state, fake.world.attempts) == ("paid", [(invoice, "pays")])


def bring(space: Workspace) -> None:
    pull_facts(
        space.config.billing, space.directory, now=space.clock.now(), bring=space.import_from
    )


def owed_of(space: Workspace) -> OwedPayment:
    (owed,) = find_owed(opened(space), Charges(space.ledger, "stripe"), space.clock.now())
    return owed


@pytest.mark.long
@pytest.mark.parametrize("is_answered", [True, False])
def test_our_retry_and_the_billers_record_of_it_are_one_try(
    fake: FakeBiller, space: Workspace, is_answered: bool
) -> None:
    owing(fake, space, 1)
    RetryKeeper(opened(space)).look()
    assert len(fake.world.attempts) == 1
    if not is_answered:  # killed before it was written down
        BillerCharge.objects.using(space.ledger).update(
            state="asked", answered_at=None, payment="", decline_code=""
        )
    assert len(owed_of(space).tries) == 2  # that of the renewal, and ours
    bring(space)  # the biller's record comes late
    assert len(owed_of(space).tries) == 2
    fake.world.clock.move(timedelta(days=2))
    RetryKeeper(opened(space)).look()
    bring(space)
    assert len(owed_of(space).tries) == 1 + len(fake.world.attempts)
    assert BillerCharge.objects.using(space.ledger).filter(payment="").count() == (not is_answered)


@pytest.mark.long
def test_the_newest_decline_holds_whoever_tells_of_it(fake: FakeBiller, space: Workspace) -> None:
    (invoice,) = owing(fake, space, 1)
    RetryKeeper(opened(space)).look()
    fake.world.clock.move(timedelta(hours=30))
    fake.world._does = dict.fromkeys(fake.world._does, "stolen_card")
    with pytest.raises(Refusal):  # as the biller may try it by itself
        fake.world.pay(invoice, {})
    bring(space)
    assert owed_of(space).kind is DeclineKind.HARD


@pytest.mark.long
def test_of_two_that_one_person_owes_one_is_tried_at_a_time(
    fake: FakeBiller, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    owing(fake, space, 1)
    one = owed_of(space)
    two = replace(one, invoice="in_before", failed_at=one.failed_at - timedelta(days=1))
    monkeypatch.setattr(retrying, "find_owed", lambda *given: [one, two])
    keeper = RetryKeeper(opened(space))
    assert [due.invoice for due in keeper._due(space.clock.now())] == ["in_before"]


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("how", ["learnt", "schedule"])
def test_a_retry_waits_for_the_hour_that_was_learnt(
    fake: FakeBiller, space: Workspace, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    owing(fake, space, 1)
    path = space.directory / "rekindle.toml"
    path.write_text(path.read_text().replace("access_url", f'retry_hour = "{how}"\naccess_url', 1))
    choice = HourChoice(HourReason.LEARNT, 900, 20, 20, 0.4, 0.2, 0.1, 0.3)
    monkeypatch.setattr(retrying, "learn_retry_hour", lambda *given, **more: choice)
    keeper, counts = RetryKeeper(opened(space)), []
    for _ in range(12):  # from noon on: the failure was at noon, three days ago
        keeper.look()
        counts.append(len(fake.world.attempts))
        fake.world.clock.move(timedelta(hours=1))
    wanted = 8 if how == "learnt" else 0
    assert counts == [0] * wanted + [1] * (12 - wanted)


@pytest.mark.long
def test_doctor_says_at_which_hour_and_why(fake: FakeBiller, space: Workspace) -> None:
    owing(fake, space, 1)
    space.book.save_people([])  # which makes the ledger
    told = [one.found for one in examine(opened(space)) if one.about == "billing"]
    (line,) = [one for one in told if one.startswith("retries are made")]
    assert line.startswith("retries are made at the schedule's hour: 0 soft declines were tried")


@pytest.mark.long
def test_a_biller_that_hangs_holds_up_no_pass(
    fake: FakeBiller, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (invoice,) = owing(fake, space, 1)
    keeper, asked, goes_on = RetryKeeper(opened(space)), Event(), Event()
    assert keeper._biller is not None
    charge = keeper._biller.charge

    def hang(invoice: str, *, key: str) -> Charge:
        asked.set()
        assert goes_on.wait(60)
        return charge(invoice, key=key)

    monkeypatch.setattr(keeper._biller, "charge", hang)
    keeper.look_soon()
    assert asked.wait(60)
    # The row is there, and others may write: no transaction is open while the biller is asked.
    assert BillerCharge.objects.using(space.ledger).get().state == "asked"
    space.book.save_people([Person("u9")])
    fake.world.clock.move(LATER)
    keeper.look_soon()  # the next pass begins no second one
    goes_on.set()
    keeper.finish()
    assert BillerCharge.objects.using(space.ledger).get().state == "declined"
    assert fake.world.attempts == [(invoice, "insufficient_funds")]


@pytest.mark.long
def test_after_three_without_an_answer_a_round_is_over(
    fake: FakeBiller, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    owing(fake, space, 6)
    keeper, looked = RetryKeeper(opened(space)), list[str]()

    def look(subscription: str) -> None:
        looked.append(subscription)
        raise BillerError("no answer")

    monkeypatch.setattr(keeper._biller, "look", look)
    assert keeper.look() == 0
    assert len(looked) == 3


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("what", ["cancel", "pause"])
def test_what_was_asked_and_not_answered_is_not_asked_again_of_who_stopped_since(
    fake: FakeBiller, space: Workspace, what: str
) -> None:
    (invoice,) = owing(fake, space, 1)
    fake.world._does = dict.fromkeys(fake.world._does, "pays")
    keeper = RetryKeeper(opened(space))
    fake.breaks_after = AS_IT_STANDS
    keeper.look()
    fake.breaks_after = None
    sub = fake.world.things[invoice]["parent"]["subscription_details"]["subscription"]
    if what == "cancel":
        fake.world.update_subscription(sub, {"cancel_at_period_end": True})
    else:
        fake.world.update_subscription(sub, {"pause_collection": {"behavior": "void"}})
        fake.world.things[sub]["status"] = "active"
    fake.world.clock.move(LATER)
    keeper.look()
    assert fake.world.attempts == []
    assert BillerCharge.objects.using(space.ledger).get().state == "unknown"


@pytest.mark.draws(1)
@pytest.mark.parametrize("seed", [59, 61, 67])
def test_killed_at_any_moment_nobody_is_charged_twice(
    fake: FakeBiller, space: Workspace, seed: int
) -> None:
    rng = random.Random(seed)
    invoices = owing(fake, space, 12)
    fake.world._does = dict.fromkeys(fake.world._does, "pays")
    rows = BillerCharge.objects.using(space.ledger)
    killed = 0
    for _ in range(KILLS):
        process = start_worker(_retry, str(space.directory), space.clock.now().isoformat())
        killed += kill_after(process, lambda: len(fake.world.attempts), more=2, rng=rng)
        fake.world.clock.move(LATER)
    RetryKeeper(opened(space)).look()
    assert killed > 0
    assert Counter(invoice for invoice, _ in fake.world.attempts) == Counter(invoices)
    assert set(rows.values_list("state", flat=True)) == {"paid"}


def _retry(folder: str, at: str) -> None:
    os.environ.update(SECRETS)
    space = Workspace.open(Path(folder), clock=MovableClock(datetime.fromisoformat(at)))
    RetryKeeper(space).look()


@pytest.mark.parametrize(
    "error", [BillerRefusedError, pytest.param(BillerError, marks=pytest.mark.long)]
)
def test_those_the_biller_says_nothing_of_hold_up_no_other(
    fake: FakeBiller, space: Workspace, monkeypatch: pytest.MonkeyPatch, error: type[BillerError]
) -> None:
    owing(fake, space, 5)
    team = opened(space)
    owed = find_owed(team, Charges(team.ledger, "stripe"), team.clock.now())
    in_turn = sorted(owed, key=lambda one: (one.failed_at, one.invoice))
    bad = {one.subscription for one in in_turn[:3]}
    keeper = RetryKeeper(team)
    biller = keeper._biller
    assert biller is not None
    look = biller.look

    def look_at(subscription: str) -> BilledStanding | None:
        if subscription in bad:
            raise error("not now")
        return look(subscription)

    monkeypatch.setattr(biller, "look", look_at)
    for _ in range(3):
        keeper.look()
        fake.world.clock.move(timedelta(hours=1))
    assert {invoice for invoice, _ in fake.world.attempts} == {one.invoice for one in in_turn[3:]}
