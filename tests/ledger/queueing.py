"""Messages put into an outbox row by row, as the engine would have left them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rekindle.gate import BookRules, Budget
from rekindle.ledger import Outbox, OutboxMessage, models
from rekindle.ledger.book import lane_of
from rekindle.vocabulary import Reason

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEASE = timedelta(minutes=5)
STALE_AFTER = timedelta(days=3)
COST = 1000
TERMS = BookRules(longest_window=7 * DAY, budgets=(Budget(None, None, 5 * COST),))
TEXT = """\
journey: {name}
purpose: {purpose}
enter:
  audience: tier = 'lapsed'
goal: {{on: order, within: 30 days}}
exit: [order, cart_abandoned]
holdout: none
stale_after: 3 days
steps:
  - send: {{channel: email, template: check-in}}
  - wait: 5 days
  - send: {{channel: email, template: new-arrivals}}
"""


@dataclass
class Queue:
    """Writes rows into one ledger."""

    alias: str
    journeys: set[str] = field(default_factory=set)
    text: str = TEXT

    def journey(self, name: str, *, purpose: str = "marketing") -> None:
        """Start a journey, once."""
        if name in self.journeys:
            return
        self.journeys.add(name)
        self.add(models.Journey, name=name, state="running", opened_at=START, changed_at=START)
        self.add(
            models.JourneyVersion,
            name=name,
            version=1,
            text=self.text.format(name=name, purpose=purpose),
            holdout_share=0.0,
            salt=name,
            started_at=START,
        )

    def message(self, person: str = "alice", journey: str = "lapsed", **changes: Any) -> int:
        """Queue a message to a person who said yes; return its touch's number.

        ``ended`` is why the enrolment ended; other ``changes`` are the touch's.
        """
        self.journey(journey)
        self.person(person)
        ended: Reason | None = changes.pop("ended", None)
        enrolment = self.add(
            models.Enrolment,
            person_id=person,
            journey=journey,
            version=1,
            rotation=0,
            arm="treatment",
            entered_at=START,
            last_order_at=START - 100 * DAY,
            ended_at=ended and START,
            ended_reason=ended and ended.value,
        )
        given = {
            "step": "check-in",
            "state": "queued",
            "at": START,
            "not_before": START,
            "expires_at": START + STALE_AFTER,
            "is_marketing": True,
            "cost_micros": COST,
            **changes,
        }
        touch = self.add(
            models.Touch,
            enrolment_id=enrolment.pk,
            person_id=person,
            version=1,
            channel="email",
            template="check-in",
            **given,
        )
        return int(touch.pk)

    def stand(self, number: int, at: datetime = START + 5 * DAY) -> None:
        """Let the enrolment of a touch wait for its next step until ``at``."""
        enrolment = self.touch(number).enrolment_id
        person = self.touch(number).person_id
        self.add(
            models.Place,
            enrolment_id=enrolment,
            lane=lane_of(person),
            position=2,
            ready_at=at,
            due_at=at,
        )

    def person(self, person: str) -> None:
        """Make a card with an address and a consent, once."""
        people = models.Person.objects.using(self.alias)
        if people.filter(pk=person).exists():
            return
        people.create(id=person, address=f"{person}@example.com", country="GB")
        self.add(
            models.Consent,
            person_id=person,
            channel="email",
            granted=True,
            at=START - DAY,
            source="test",
        )

    def add(self, model: Any, **values: Any) -> Any:
        """Insert one row."""
        return model.objects.using(self.alias).create(**values)

    def touch(self, number: int) -> models.Touch:
        """Return a touch as it stands."""
        return models.Touch.objects.using(self.alias).get(pk=number)

    def fate(self, number: int) -> tuple[str, str | None]:
        """Return the state and the reason of a touch."""
        touch = self.touch(number)
        return touch.state, touch.reason

    def answers(self) -> list[tuple[str, str | None, datetime | None]]:
        """Return every decision on record: answer, reason and until."""
        rows = models.Decision.objects.using(self.alias).order_by("id")
        return list(rows.values_list("answer", "reason", "until"))


def claim(
    outbox: Outbox, *, at: datetime = START, worker: str = "one", limit: int = 10
) -> list[OutboxMessage]:
    """Claim for five minutes."""
    return outbox.claim(at, worker=worker, lease=LEASE, limit=limit)
