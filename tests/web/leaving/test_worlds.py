"""Drawn lives of one subscriber: the last word holds, and nobody pays for what they cancelled.

Words come by the page and by the link back, the biller goes away before or after it did what it
was asked, answers get lost, workers pass, renewals and retries come due.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from rekindle.billing import pull_facts
from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.desk import start_journey
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.web.portal.subscription.serving import WorkspaceSubscribers
from rekindle.worker import Worker
from rekindle.worker.keeping.instructing import InstructionKeeper
from rekindle.worker.keeping.retrying import RetryKeeper
from tests.web.leaving.conftest import Away, Leaver

WORDS = ("cancel", "cancel", "keep", "pause", "pause", "resume", "resume")
STEPS = 14
UNPAID = """journey: unpaid
purpose: transactional
enter: {on: payment_failed, within: 3 days}
goal: {on: payment_cleared, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: card}
"""
CARD = """---
subject: Your card
---
<mjml><mj-body><mj-section><mj-column><mj-text>Another card, please. {{ shop.postal_address }}
</mj-text></mj-column></mj-section></mj-body></mjml>
"""


class Life:
    """What happens to one subscriber, and what they said last."""

    def __init__(self, leaver: Leaver, away: Away, seed: int) -> None:
        self.leaver, self._away, self._draw = leaver, away, random.Random(seed)
        self.wanted = ""  # what was accepted last, as the page said
        self.taken: list[tuple[datetime, str]] = []  # the words that changed something, and when
        self.late: list[str] = []  # attempts after a cancellation was accepted

    def live(self) -> None:
        for _ in range(STEPS):
            self._draw.choice([self._say, self._say, self._break, self._pass, self._wait])()
            self._check_charges()
        self.leaver.fake.breaks_after = None
        for _ in range(3):
            self._pass()

    def _say(self) -> None:
        do = self._draw.choice(WORDS)
        paid, was_so = len(self.leaver.fake.world.attempts), self._is_so(do)
        by_link_back = do == "resume" and self._draw.random() < 0.5
        answer = self.leaver.go_on() if by_link_back else self.leaver.post(do, value="1")
        assert answer.status in {200, 202, 503}
        assert len(self.leaver.fake.world.attempts) == paid
        is_taken = answer.status == 202 or (answer.status == 200 and self._is_so(do))
        if is_taken and "nothing was done" not in answer.body:
            self.wanted = do
            if answer.status == 202 or not was_so:
                self.taken.append((self.leaver.space.clock.now(), do))

    def overtaken(self) -> list[str]:
        """Return the words that were done after another, newer one had been accepted."""
        done = [row for row in self.leaver.rows if row.state == "done" and row.answered_at]
        return [
            row.kind
            for row in done
            if any(
                row.asked_at < at < (row.answered_at or at) and do != row.kind
                for at, do in self.taken
            )
        ]

    def _is_so(self, do: str) -> bool:
        found = self.leaver.standing
        ends, rests = bool(found["cancel_at_period_end"]), bool(found["paused"])
        return {"cancel": ends, "keep": not ends, "pause": rests, "resume": not rests}[do]

    def _break(self) -> None:
        self.leaver.fake.breaks_after = self._draw.choice([0, 1, 2, None, None])
        if self.leaver.fake.breaks_after == 0:
            self._away()

    def _pass(self) -> None:
        self.leaver.fake.world.clock.move(timedelta(minutes=6))
        space = Workspace.open(self.leaver.space.directory, clock=self.leaver.space.clock)
        InstructionKeeper(space).look()
        RetryKeeper(space).look()

    def _wait(self) -> None:
        self.leaver.fake.world.advance(timedelta(hours=self._draw.choice([1, 30])))

    def _check_charges(self) -> None:
        """Keep what was tried by us while the newest word was to stop."""
        if self.wanted in {"cancel", "pause"}:
            self.late += [
                "retry"
                for method, path, _ in self.leaver.fake.asked
                if method == "POST" and path.endswith("/pay")
            ]
        self.leaver.fake.asked.clear()


@pytest.mark.long
@pytest.mark.draws(5)
@pytest.mark.parametrize("seed", range(25))
def test_the_last_word_holds_whatever_breaks(leaver: Leaver, away: Away, seed: int) -> None:
    life = Life(leaver, away, seed)
    life.live()
    if life.wanted:
        assert life._is_so(life.wanted), [(row.kind, row.state) for row in leaver.rows]
    states = [row.state for row in leaver.rows]
    assert set(states) <= {"done", "overtaken", "refused", "moot"}
    assert life.late == []
    assert life.overtaken() == []


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("seed", range(6))
def test_who_owes_and_stops_is_tried_no_more(leaver: Leaver, away: Away, seed: int) -> None:
    world, space = leaver.fake.world, leaver.space
    world.retries = False
    world.add_card(leaver.customer, "insufficient_funds")
    world.advance(timedelta(days=28))
    pull_facts(
        space.config.billing, space.directory, now=space.clock.now(), bring=space.import_from
    )
    path = space.directory / "rekindle.toml"
    path.write_text(path.read_text().replace("access_url", 'retries = ["1 day"]\naccess_url', 1))
    leaver.fake.breaks_after = seed % 3  # the cancellation is noted, asked for, or answered
    if seed % 3 == 0:
        away()
    assert leaver.post("cancel").status in {200, 202}
    leaver.fake.breaks_after = None if seed < 3 else leaver.fake.breaks_after
    world.clock.move(timedelta(days=2))
    tried = len(world.attempts)
    for _ in range(3):
        RetryKeeper(Workspace.open(space.directory, clock=space.clock)).look()
        world.clock.move(timedelta(minutes=6))
    assert len(world.attempts) == tried


def test_a_cancellation_that_waits_does_not_end_who_came_back_since(
    leaver: Leaver, away: Away
) -> None:
    """They cancelled while the biller was away; it ended elsewhere, and they came back."""
    leaver.fake.breaks_after = 1
    assert leaver.post("cancel").status == 202
    leaver.fake.breaks_after = None
    world = leaver.fake.world
    world.end(leaver.sub)
    until = world.clock.now() + timedelta(days=1)
    link = PersonLink(leaver.person, until, f"{leaver.sub} touch")
    path = f"/s/{sign_link(leaver.space.secret, LinkPurpose.SUBSCRIPTION, link)}"
    answer = leaver.visitor.ask("POST", path, f"do=back&price={leaver.price}".encode())
    assert "You are back." in answer.body
    leaver.pass_over()
    (running,) = [
        one
        for one in world.things.values()
        if one["object"] == "subscription" and one["status"] == "active"
    ]
    assert running["cancel_at_period_end"] is False
    assert leaver.rows[0].state == "overtaken"


def test_who_ends_their_pause_by_a_link_overtakes_a_cancellation_that_waits(
    leaver: Leaver,
) -> None:
    assert leaver.post("pause", value="1").status == 200
    leaver.fake.breaks_after = 1  # it says how things stand, and no more
    assert leaver.post("cancel").status == 202
    leaver.fake.breaks_after = None
    # The biller may be about to do it still: this waits for that, and comes after it.
    assert "We have noted it." in leaver.go_on().body
    leaver.pass_over()
    leaver.pass_over()
    assert [row.state for row in leaver.rows] == ["done", "overtaken", "done"]
    assert (leaver.standing["cancel_at_period_end"], leaver.standing["paused"]) == (False, False)


def test_who_comes_back_leaves_no_word_that_waits(leaver: Leaver) -> None:
    leaver.fake.breaks_after = 1
    assert leaver.post("cancel").status == 202
    leaver.fake.breaks_after = None
    WorkspaceSubscribers(leaver.space).call_off(leaver.sub)
    assert [row.state for row in leaver.rows] == ["overtaken"]
    leaver.pass_over()
    assert leaver.standing["cancel_at_period_end"] is False


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("is_stopping", [True, False])
def test_nobody_is_asked_for_money_while_their_cancellation_waits(
    leaver: Leaver, away: Away, is_stopping: bool
) -> None:
    world, space = leaver.fake.world, leaver.space
    world.add_card(leaver.customer, "insufficient_funds")
    world.advance(timedelta(days=29))
    pull_facts(
        space.config.billing, space.directory, now=space.clock.now(), bring=space.import_from
    )
    toml = space.directory / "rekindle.toml"
    email = '[email]\noutlet = "email_folder"\npostal_address = "1 Street"\n'
    toml.write_text(toml.read_text() + email)
    for name, text in (("journeys/unpaid.yaml", UNPAID), ("templates/card.mjml", CARD)):
        (space.directory / name).parent.mkdir()
        (space.directory / name).write_text(text)
    space = Workspace.open(space.directory, clock=space.clock)
    start_journey(space, space.journey("unpaid"), space.clock.now() - timedelta(days=2))
    worker = Worker(space)

    def mails() -> int:
        return len(list((space.directory / "state" / "outbox").glob("*.eml")))

    if is_stopping:
        away()
        assert leaver.post("cancel").status == 202
    for _ in range(2):
        worker.tick()
        worker.finish()
        assert mails() == (0 if is_stopping else 1)
        world.clock.move(timedelta(minutes=15))
    if not is_stopping:
        return
    (held,) = {one.reason for one in space.history.decisions_of(leaver.person) if one.reason}
    assert held is Reason.LEAVING
    leaver.fake.breaks_after = None
    worker.tick()
    worker.finish()
    worker.tick()
    assert ([row.state for row in leaver.rows], mails()) == (["done"], 0)
