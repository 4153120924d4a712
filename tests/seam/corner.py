"""A corner shop with two files and an event source, where facts and ledger meet."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rekindle.clock import MovableClock
from rekindle.desk import start_journey
from rekindle.facts import FileImport
from rekindle.intake import read_event
from rekindle.ledger import EnrolmentEntry, Inbox, ready_events
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker import Pass, Worker

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SETTINGS = """
[[sources]]
name = "shop"
table = "orders"
path = "orders.csv"
[sources.columns]
order_id = "id"
customer_id = "who"
ordered_at = "at"
gross = "total"
status = "state"
[[sources]]
name = "crm"
table = "customers"
path = "people.csv"
[sources.columns]
customer_id = "who"
email = "email"
created_at = "since"
email_consent = "ok"
email_consent_at = "ok_at"
[quiet_hours]
start = "08:00"
end = "08:00"
[email]
outlet = "email_folder"
postal_address = "1 Street"
"""
JOURNEY = """\
journey: win
enter: {audience: AUDIENCE}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - wait: 2 hours
  - send: {channel: email, template: check-in}
"""


class Corner:
    """Writes its files, imports and lets a worker pass, on a clock that is moved."""

    def __init__(self, space: Workspace) -> None:
        assert isinstance(space.clock, MovableClock)
        toml = space.directory / "rekindle.toml"
        toml.write_text(toml.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
        self.clock = space.clock
        self.space = Workspace.open(space.directory, clock=space.clock)
        self.worker = Worker(self.space)
        self.people(ann="yes,")
        for folder in ("journeys", "templates"):
            (space.directory / folder).mkdir()
        (space.directory / "templates" / "check-in.mjml").write_text(TEMPLATE, encoding="utf-8")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def ago(self, **span: float) -> datetime:
        """Return an instant before now."""
        return self.now - timedelta(**span)

    def orders(self, *rows: tuple[str, str, datetime, float, str]) -> None:
        """Export orders: id, customer, time, total and state."""
        lines = [f"{i},{who},{at.isoformat()},{total},{state}" for i, who, at, total, state in rows]
        self._write("orders.csv", "id,who,at,total,state", lines)

    def people(self, **said: str) -> None:
        """Export customers; each says consent and its date, and may say when they became known."""
        lines = [
            f"{who},{who}@example.com,{word.partition(';')[2]},{word.partition(';')[0]}"
            for who, word in said.items()
        ]
        self._write("people.csv", "who,email,since,ok,ok_at", lines)

    def import_facts(self) -> list[FileImport]:
        """Import the files and what was reported."""
        return self.space.import_facts()

    def start(self, audience: str = "orders_count >= 1", *, text: str = JOURNEY) -> None:
        """Start the journey for an audience, and let those who match enter."""
        path = self.space.directory / "journeys" / "win.yaml"
        path.write_text(text.replace("AUDIENCE", audience), encoding="utf-8")
        start_journey(self.space, self.space.journey("win"), self.now)
        self.tick()

    def tick(self, *, after: timedelta = timedelta()) -> Pass:
        """Let time pass, then make one pass."""
        self.clock.move(after)
        return self.worker.tick()

    def report(self, event: str, type_: str = "track", **given: Any) -> None:
        """Report an event of ann's, now."""
        call = {"type": type_, "event": event, "userId": "ann", **given}
        reports = ready_events(self.space.ledger, [read_event(call, received_at=self.now)])
        Inbox(self.space.ledger, self.space.book).take("shop", reports, self.now)

    def reopened(self) -> Corner:
        """Return the same shop with the settings that are written now."""
        again = copy(self)
        again.space = Workspace.open(self.space.directory, clock=self.clock)
        again.worker = Worker(again.space)
        return again

    def mails(self) -> int:
        """Return how many messages left."""
        return len(list((self.space.directory / "state" / "outbox").glob("*.eml")))

    def enrolments(self) -> list[EnrolmentEntry]:
        """Return every entry of the journey."""
        return list(self.space.history.enrolments_of("win"))

    def ended(self) -> list[Reason | None]:
        """Return why each entry of the journey ended."""
        return [one.ended_reason for one in self.enrolments()]

    def _write(self, name: str, head: str, lines: list[str]) -> None:
        path = Path(self.space.directory, name)
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


TEMPLATE = """\
---
subject: Hello
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hello. {{ shop.postal_address }}
<a href="{{ unsubscribe_url }}">Leave</a></mj-text></mj-column></mj-section></mj-body></mjml>
"""
