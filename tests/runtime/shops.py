"""A small shop in a workspace: 300 customers, two years of order lines, cards and consent.

Seeded, so every run sees the same people. Some have drifted away, some never bought, some
have no address or said no, and two customer ids share one e-mail address.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from django.db import connections

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, start_journey
from rekindle.ledger import EnrolmentEntry, MessageState, disconnect
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker import Pass, Worker

SEED = 20_240_901
FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2024, 12, 31, tzinfo=UTC)
NOW = datetime(2024, 9, 2, 8, tzinfo=UTC)  # nine in the morning in London
DAY = timedelta(days=1)
ZONE = "Europe/London"
CATEGORIES = ("candles", "lamps", "mugs")
COUNTRIES = ("GB", "FR", "DE", "CA")
TWINS = ("c007", "c008")
PROSPECTS = 30
CUSTOMERS = 300

ORDER_HEADER = (
    "order_id",
    "customer_id",
    "ordered_at",
    "product_id",
    "category",
    "quantity",
    "unit_price",
)
CARD_HEADER = (
    "customer_id",
    "email",
    "first_name",
    "last_name",
    "country",
    "created_at",
    "email_consent",
    "email_consent_at",
)

Row = dict[str, str]

CALM = """\
journey: calm
enter:
  audience: tier in ('lapsed', 'dormant')
reenter: after 30 days
goal: {on: order, within: 30 days}
holdout: 0.3
steps:
  - send: {channel: email, template: check-in}
  - wait: 4 days
  - send: {channel: email, template: new-arrivals}
  - wait: 4 days
  - when: average_order_value >= 30
    send: {channel: email, template: nudge}
"""
EVERYONE = """\
journey: everyone
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
"""
FEW = EVERYONE.replace("journey: everyone", "journey: few").replace(
    "orders_count >= 1",
    "orders_count >= 1 and (customer_id like 'c00_' or customer_id like 'c01_')",
)


def order_lines(seed: int = SEED) -> list[Row]:
    """Return two years of order lines, by time; one in forty names no customer."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(CUSTOMERS - PROSPECTS):
        rows += _life(rng, f"c{number:03}")
    rows.sort(key=lambda row: (row["ordered_at"], row["order_id"]))
    return rows


def cards(seed: int = SEED) -> list[Row]:
    """Return a card for most customers, and for people who never bought."""
    rng = random.Random(seed + 1)
    drawn = [_card(rng, number) for number in range(CUSTOMERS)]
    return [card for card in drawn if rng.random() < 0.95 or card["customer_id"] in TWINS]


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(header))
        writer.writeheader()
        writer.writerows(rows)


def build_shop(folder: Path) -> None:
    """Make a workspace of the shop in ``folder``, its files imported and ledger migrated."""
    write_csv(folder / "orders.csv", ORDER_HEADER, order_lines())
    write_csv(folder / "customers.csv", CARD_HEADER, cards())
    sources = (
        SourceSettings(
            name="orders",
            table="order_lines",
            path="orders.csv",
            columns={name: name for name in ORDER_HEADER},
        ),
        SourceSettings(
            name="customers",
            table="customers",
            path="customers.csv",
            columns={name: name for name in CARD_HEADER},
        ),
    )
    create_workspace(folder, Scaffold("Wick & Mug", "GBP", ZONE, sources))
    set_key(folder, "postal_address", '"1 Wick Lane, Leeds"')
    # Its people live all over the world; whoever tests nights gives them back.
    set_key(folder, "end", '"21:00"')
    for name, text in (("calm", CALM), ("everyone", EVERYONE), ("few", FEW)):
        (folder / "journeys" / f"{name}.yaml").write_text(text, encoding="utf-8")
    workspace = Workspace.open(folder)
    workspace.import_facts()
    workspace.forget_facts()
    assert workspace.secret
    assert workspace.ledger


def set_key(folder: Path, key: str, value: str) -> None:
    """Set the first ``key`` of ``rekindle.toml``, which the scaffold wrote, to ``value``."""
    path = folder / "rekindle.toml"
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
    assert count == 1, key
    path.write_text(changed, encoding="utf-8")


def add_section(folder: Path, text: str) -> None:
    """Append to ``rekindle.toml``."""
    path = folder / "rekindle.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")


@dataclass
class Team:
    """Runs one workspace on a clock that is moved, as a team would over days."""

    folder: Path
    clock: MovableClock
    workspace: Workspace
    worker: Worker

    @classmethod
    def at_work(cls, folder: Path, at: datetime = NOW) -> Team:
        """Open the workspace in ``folder`` at ``at``."""
        clock = MovableClock(at)
        workspace = Workspace.open(folder, clock=clock)
        return cls(folder, clock, workspace, Worker(workspace))

    @staticmethod
    def copy(source: Path, folder: Path) -> None:
        """Copy a workspace nobody has open."""
        shutil.copytree(source, folder)

    def leave(self) -> None:
        """Let go of the engine and of the ledger's connection."""
        self.workspace.forget_facts()
        close_ledgers()

    def start(self, journey: str) -> None:
        """Start the journey as its file stands."""
        start_journey(self.workspace, self.workspace.journey(journey), self.clock.now())

    def tick(self, *, after: timedelta = timedelta(0)) -> Pass:
        """Let time pass and make one pass of the worker."""
        self.clock.move(after)
        return self.worker.tick()

    def buys(self, person: str, at: datetime, order_id: str = "late-1") -> None:
        """Let an order of ``person`` arrive with the next export of the orders."""
        line = {
            "order_id": order_id,
            "customer_id": person,
            "ordered_at": at.isoformat(),
            "product_id": "p1",
            "category": "mugs",
            "quantity": "1",
            "unit_price": "20.00",
        }
        with (self.folder / "orders.csv").open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, list(ORDER_HEADER)).writerow(line)
        self.import_facts()

    def import_facts(self) -> None:
        """Import the files as they stand, on the machine's own clock."""
        Workspace.open(self.folder).import_facts()

    def save_cards(self, changed: Mapping[str, Mapping[str, str]]) -> None:
        """Export the customers again with some cells changed, and import them now."""
        rows = [{**row, **changed.get(row["customer_id"], {})} for row in cards()]
        write_csv(self.folder / "customers.csv", CARD_HEADER, rows)
        Workspace.open(self.folder, clock=self.clock).import_facts(only=("customers",))

    def enrolments(self, journey: str) -> list[EnrolmentEntry]:
        """Return every enrolment in a journey."""
        return list(self.workspace.history.enrolments_of(journey))

    def enrolment(self, journey: str, person: str) -> EnrolmentEntry:
        """Return a person's only enrolment in a journey."""
        (found,) = (one for one in self.enrolments(journey) if one.person == person)
        return found

    def states(self, person: str) -> list[MessageState]:
        """Return what became of each message to a person."""
        return [one.state for one in self.workspace.history.messages_of_person(person)]

    def someone(self, journey: str) -> str:
        """Return a person in a journey whom a message was written to."""
        messages = self.workspace.history.messages_of(journey)
        touched = {one.person for one in messages if one.state is not MessageState.CANCELLED}
        return next(one.person for one in self.enrolments(journey) if one.person in touched)

    def reasons(self, person: str) -> list[Reason | None]:
        """Return the reason of each decision about a person, None for a message."""
        return [one.reason for one in self.workspace.history.decisions_of(person)]

    def mails(self, to: str = "") -> list[EmailMessage]:
        """Return the messages in the folder, or those to one address."""
        found = [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in sorted(self.outbox.glob("*.eml"))
        ]
        return [mail for mail in found if to in mail["To"]]

    @property
    def outbox(self) -> Path:
        """Return the folder that receives the messages."""
        return self.folder / "state" / "outbox"

    def jam(self) -> None:
        """Put a file where the folder of messages belongs, so that none can leave."""
        self.outbox.write_text("not a folder", encoding="utf-8")

    def clear(self) -> None:
        """Let messages leave again."""
        self.outbox.unlink()


def mornings(first: date, count: int) -> Iterator[datetime]:
    """Yield nine in the morning in London for ``count`` days from ``first``, in summer time."""
    start = datetime(first.year, first.month, first.day, 8, tzinfo=UTC)
    return (start + DAY * number for number in range(count))


def _life(rng: random.Random, person: str) -> list[Row]:
    """Return the lines of one person's orders, until they drift away for good or a while."""
    rows: list[Row] = []
    gap = rng.choice((12, 25, 40, 70))
    at = FIRST_DAY + timedelta(days=rng.uniform(0, 550))
    while at < LAST_DAY:
        # Some buy on the stroke of the hour at which a replay looks.
        sharp = at.replace(hour=8, minute=0, second=0) if rng.random() < 0.2 else at
        rows += _order(rng, person, sharp, f"{person}-{len(rows):03}")
        silent = rng.random() < 0.15
        at += timedelta(days=rng.expovariate(1 / gap) + (rng.uniform(60, 500) if silent else 0.1))
    return rows


def _order(rng: random.Random, person: str, at: datetime, order_id: str) -> list[Row]:
    named = "" if rng.random() < 0.025 else person
    return [
        {
            "order_id": order_id,
            "customer_id": named,
            "ordered_at": at.replace(microsecond=0).isoformat(),
            "product_id": f"p{rng.randrange(20)}",
            "category": rng.choice(CATEGORIES),
            "quantity": "-1" if rng.random() < 0.04 else str(rng.randrange(1, 4)),
            "unit_price": f"{rng.lognormvariate(2.5, 0.7):.2f}",
        }
        for _ in range(rng.randrange(1, 3))
    ]


def _card(rng: random.Random, number: int) -> Row:
    person, sure = f"c{number:03}", rng.random()
    owner = TWINS[0] if person in TWINS else person
    said = "true" if sure < 0.75 or person in TWINS else "false" if sure < 0.85 else ""
    has_email = rng.random() < 0.9 or person in TWINS
    created = FIRST_DAY + timedelta(days=rng.uniform(-300, 0 if number % 3 else 700))
    return {
        "customer_id": person,
        "email": f"{owner}@example.com" if has_email else "",
        "first_name": f"Ada{number}" if number % 4 else "",
        "last_name": f"Byron{number}",
        "country": COUNTRIES[min(number % 7, 3)],
        "created_at": created.isoformat() if number % 5 else "",
        "email_consent": said,
        "email_consent_at": "2023-01-01T00:00:00+00:00" if said and number % 9 else "",
    }


def close_ledgers() -> None:
    """Close this thread's connections to every ledger."""
    for alias in list(connections.databases):
        if alias.startswith("ledger_"):
            disconnect(alias)
