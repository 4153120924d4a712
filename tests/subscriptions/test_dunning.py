"""Whoever owes is written to until the money came, and nobody else, from files to mails."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, erase_person, start_journey
from rekindle.desk.replaying import rehearse
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker import Worker
from tests.runtime.databases import postgres_ledger
from tests.runtime.shops import add_section, close_ledgers, set_key

START = datetime(2025, 6, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = ("pays", "objects", "paused", "cancels", "erased", "new-card", "owes-two")
JOURNEY = """\
journey: dunning
purpose: transactional
enter: {on: payment_failed, within: 3 days}
reenter: after 1 day
goal: {on: payment_cleared, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 3 days
  - send: {channel: email, template: nudge}
"""
COLUMNS = {
    "customers": ("customer_id", "email", "email_consent", "created_at"),
    "subscriptions": ("subscription_id", "customer_id", "started_at", "mrr", "cancelled_at"),
    "pauses": ("subscription_id", "paused_at"),
    "payments": (
        "payment_id", "customer_id", "subscription_id", "invoice_id", "attempted_at", "outcome",
    ),
    "payment_methods": ("payment_method_id", "customer_id", "since", "last_four"),
}  # fmt: skip


class Club:
    """A subscription business whose exports grow day by day."""

    def __init__(self, folder: Path, ledger: str | None) -> None:
        self.folder, self.clock = folder, MovableClock(START)
        sources = tuple(
            SourceSettings.model_validate(
                {"name": t, "table": t, "path": f"{t}.csv", "columns": {c: c for c in columns}}
            )
            for t, columns in COLUMNS.items()
        )
        create_workspace(folder, Scaffold("Club", "GBP", "UTC", sources))
        set_key(folder, "postal_address", '"1 Wick Lane"')
        if ledger is not None:
            add_section(folder, f'[ledger]\nurl = "{ledger}"\n')
        (folder / "journeys" / "dunning.yaml").write_text(JOURNEY, encoding="utf-8")
        for table, columns in COLUMNS.items():
            self._write(table, columns)
        for who in PEOPLE:
            self.add("customers", who, f"{who}@example.com", "no" * (who == "objects"), at(-90))
            self.add("subscriptions", f"s-{who}", who, at(-90), "9", "")
        self.add("pauses", "s-paused", at(-20))
        self.add("payment_methods", "pm-old", "new-card", at(-90), "4242")
        for who in PEOPLE:
            self.tries(who, "failed", 0)
        self.tries("owes-two", "failed", 0, "b")

    def add(self, table: str, *cells: str) -> None:
        self._write(table, cells)

    def tries(self, who: str, outcome: str, day: float, invoice: str = "a") -> None:
        number = f"{who}-{invoice}-{day}"
        self.add("payments", number, who, f"s-{who}", f"{who}-{invoice}", at(day), outcome)

    def cancels(self, who: str, day: float) -> None:
        path = self.folder / "subscriptions.csv"
        row = f"s-{who},{who},{at(-90)},9,"
        path.write_text(path.read_text(encoding="utf-8").replace(row, row + at(day)), "utf-8")

    def _write(self, table: str, cells: tuple[str, ...]) -> None:
        with (self.folder / f"{table}.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(cells)

    def mails(self) -> Mapping[str, int]:
        texts = [one.read_text("utf-8") for one in self.folder.glob("state/outbox/*.eml")]
        return {who: sum(f"{who}@example.com" in text for text in texts) for who in PEOPLE}


def at(day: float) -> str:
    return (START + day * DAY - timedelta(hours=1)).isoformat()


@pytest.fixture(params=["sqlite", "postgresql"])
def club(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Club]:
    if request.param == "sqlite":
        yield Club(tmp_path / "club", None)
    else:
        with postgres_ledger(request.getfixturevalue("postgres_url")) as url:
            yield Club(tmp_path / "club", url)
            close_ledgers()
    close_ledgers()


@pytest.mark.long
def test_a_dunning_run_stops_when_the_money_came_and_for_nobody_else(club: Club) -> None:
    space = Workspace.open(club.folder, clock=club.clock)
    start_journey(space, space.journey("dunning"), START - DAY)
    worker = Worker(space)
    space.import_facts()
    worker.tick()
    first = dict.fromkeys(PEOPLE, 1) | {"paused": 0}
    # A no to marketing does not stop it; a pause does.
    assert club.mails() == first

    club.clock.move(DAY)
    club.tries("pays", "paid", 1)
    club.tries("owes-two", "paid", 1, "b")
    club.add("payment_methods", "pm-new", "new-card", at(1), "1111")
    club.cancels("cancels", 1)
    space.import_facts()
    erase_person(space, "erased", who="test")
    worker.tick()
    assert club.mails() == first

    club.clock.move(3 * DAY)
    worker.tick()
    second = {"objects": 2, "new-card": 2, "owes-two": 2}
    assert club.mails() == first | second

    reasons = {one.person: one.ended_reason for one in space.history.enrolments_of("dunning")}
    assert reasons["pays"] is Reason.EVENT
    assert reasons["cancels"] is Reason.EVENT

    # The next payment that fails begins anew.
    club.clock.move(30 * DAY)
    club.tries("pays", "failed", 34, "later")
    space.import_facts()
    worker.tick()
    assert club.mails() == first | second | {"pays": 2}
    space.forget_facts()


def test_a_replay_tells_the_same_story(tmp_path: Path) -> None:
    club = Club(tmp_path / "club", None)
    club.tries("pays", "paid", 1)
    club.cancels("cancels", 1)
    club.clock.move(10 * DAY)
    space = Workspace.open(club.folder, clock=club.clock)
    space.import_facts()
    found = rehearse(
        space, space.journey("dunning"), first=date(2025, 6, 1), last=date(2025, 6, 10)
    )
    sent = [move.before.person for move in found.replayed.sends]
    assert {who: sent.count(who) for who in PEOPLE} == {
        "pays": 1,
        "objects": 2,
        "paused": 0,
        "cancels": 1,
        "erased": 2,
        "new-card": 2,
        "owes-two": 2,
    }
    space.forget_facts()
    close_ledgers()
