"""A business whose workers are killed, and the account that is drawn up at the end.

Workers send through a real mail server that counts. While they live and die, people
arrive, buy and leave. What the server took is then held against what the ledger says.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.clock import MovableClock, pause, stopwatch
from rekindle.consent import ConsentRecord
from rekindle.errors import RekindleError
from rekindle.gate import BookRules, Budget, HouseRules
from rekindle.journeys import JourneyEngine, JourneyVersion, Person, Signal, parse_journey
from rekindle.ledger import (
    History,
    LedgerBook,
    MessageEntry,
    MessageState,
    Outbox,
    OutboxMessage,
    connect,
)
from rekindle.ledger.models import Touch
from rekindle.messages import Address, AddressKind, Message
from rekindle.testing.audiences import FixedAudience
from rekindle.testing.smtp_sink import Manners, SmtpSink
from rekindle.vocabulary import Channel, SignalKind
from rekindle.worker.dispatching import Dispatcher, LastLook, Means
from tests.runtime.accounts import JOURNEY, Account, Bookkeeping, Farewell, key_of
from tests.runtime.crashing import NAP_SECONDS, kill, start_worker

BEGIN = datetime(2024, 9, 2, 8, tzinfo=UTC)
# Longer than a lease: what a killed worker held is free in the next round.
ROUND = timedelta(minutes=6)
ROUGH = Manners(
    seed=7, delay_seconds=0.01, busy_share=0.04, nobody_share=0.02, refused_share=0.01,
    lost_share=0.02,
)  # fmt: skip
BUSINESS = Budget(None, Channel("email"), 10**12)
RULES = HouseRules(budgets=(BUSINESS,))
TERMS = BookRules(budgets=(BUSINESS,))
COST = 1_000
PATIENCE_SECONDS = 30
CALL_BACK = """\
journey: call-back
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
exit: [order]
holdout: 0.1
steps:
  - send: {channel: email, template: check-in}
  - wait: 1 hour
  - send: {channel: email, template: new-arrivals}
"""
LEFT = frozenset({MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN})
OPEN = frozenset({MessageState.QUEUED, MessageState.LEASED, MessageState.SENDING})


class Post(NamedTuple):
    """Where a worker is put: its ledger, its mail server, the hour and how many arrived."""

    ledger: str
    folder: str
    port: int
    begins_at: datetime
    arrived: int


class RunningClock:
    """A clock that begins where it is told and goes on with the machine."""

    def __init__(self, begins_at: datetime) -> None:
        self._begins_at, self._elapsed = begins_at, stopwatch()

    def now(self) -> datetime:
        """Return the present instant of this world."""
        return self._begins_at + timedelta(seconds=self._elapsed())


class Desk:
    """Engine and dispatcher over one ledger, as a worker wires them."""

    def __init__(self, post: Post, clock: RunningClock | MovableClock) -> None:
        self.alias = connect(post.ledger, base=Path(post.folder))
        self.book = LedgerBook(self.alias, secret=b"of the tests", terms=TERMS)
        self.outbox = Outbox(self.alias, terms=TERMS)
        self._clock = clock
        everyone = FixedAudience([name_of(number) for number in range(post.arrived)])
        cost = {Channel("email"): COST}
        self._engine = JourneyEngine(self.book, everyone, rules=RULES, cost=cost)
        smtp = SmtpSettings(host="127.0.0.1", port=post.port, security="none")
        settings = EmailSettings(outlet="email_smtp", smtp=smtp)
        outlet = build_outlet("email_smtp", settings, base=Path(post.folder), secrets={})
        means = Means(
            compose, LastLook(self.book, RULES, everyone), clock, connections=smtp.connections
        )
        self._dispatcher = Dispatcher(self.outbox, outlet, means)

    def tick(self) -> None:
        """Decide what is due and send what may leave."""
        self.decide()
        self._dispatcher.run()

    def decide(self) -> None:
        """Let people enter and decide what is due."""
        self._engine.tick(self._clock.now(), batch=20)


def toil(post: Post, begun: Connection) -> None:
    """Say that everything is at hand, then work until killed; a process's target."""
    desk = Desk(post, RunningClock(post.begins_at))
    begun.send(True)
    while True:
        desk.tick()
        pause(0.005)


def compose(messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
    """Return a short mail for each message."""
    return {one.key: _mail(one) for one in messages}


def name_of(number: int) -> str:
    """Return the id of the person who arrived as this number."""
    return f"p{number:05}"


@dataclass
class Siege:
    """One business under fire. ``url`` is its migrated ledger, ``sink`` its mail server."""

    url: str
    folder: Path
    sink: SmtpSink
    seed: int
    is_parallel: bool = True
    arrived: int = 0
    kills: int = 0
    while_handing_over: int = 0
    farewells: list[Farewell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng, self._at = random.Random(self.seed), BEGIN
        self._desk = Desk(self._post(), MovableClock(BEGIN))
        self._history = History(self._desk.alias)
        journey = parse_journey(CALL_BACK, name_hint=JOURNEY)
        version = JourneyVersion(journey, 1, holdout_share=0.1, salt="siege", started_at=BEGIN)
        self._desk.book.start(version)

    def rage(self, kills: int) -> None:
        """Let workers begin and die until so many were killed."""
        while self.kills < kills:
            self._arrive(self._rng.randrange(5, 25))
            crew = 2 if self.is_parallel and self._rng.random() < 0.5 else 1
            crew = min(crew, kills - self.kills)
            workers = [self._hire() for _ in range(crew)]
            for worker, _ in workers:
                self._wait()
                self._part(self._rng.randrange(4))
                self._wait()
                self.kills += kill(worker)
                self.while_handing_over += self._is_leaving()
            self._at += ROUND

    def settle(self) -> Account:
        """Let a last worker run everything out, and draw up the account."""
        clock = MovableClock(self._at)
        desk = Desk(self._post(), clock)
        for _ in range(60):
            desk.tick()
            is_done = not any(desk.book.open_enrolments())
            if is_done and not any(one.state in OPEN for one in self._messages()):
                break
            clock.move(timedelta(minutes=30))
        return self._account()

    def _hire(self) -> tuple[BaseProcess, Connection]:
        """Start a worker, with the line it speaks on; most are let come to their desk."""
        heard, told = Pipe(duplex=False)
        worker = start_worker(toil, self._post(), told)
        if self._rng.random() < 0.8:
            heard.poll(PATIENCE_SECONDS)
        return worker, heard

    def _wait(self) -> None:
        """Wait for a moment: any, or one at which a message is leaving."""
        if self._rng.random() < 0.5:
            elapsed = stopwatch()
            while not self._is_leaving() and elapsed() < 1:
                pause(NAP_SECONDS)
            pause(self._rng.uniform(0, 0.02))
        else:
            pause(self._rng.uniform(0, 0.2))

    def _is_leaving(self) -> bool:
        """Return whether a worker of this round is handing something over."""
        rows = Touch.objects.using(self._desk.alias).filter(lease_until__gt=self._at)
        return rows.filter(state=MessageState.SENDING).exists()

    def _post(self) -> Post:
        return Post(self.url, str(self.folder), self.sink.port, self._at, self.arrived)

    def _arrive(self, count: int) -> None:
        names = [name_of(self.arrived + number) for number in range(count)]
        self._desk.book.save_people(Person(one, f"{one}@example.com", "GB") for one in names)
        self._desk.book.save_consent(
            ConsentRecord(one, Channel("email"), True, self._at, "shop") for one in names
        )
        self.arrived += count

    def _part(self, count: int) -> None:
        """Let some people who are in the journey buy or opt out, each in one transaction."""
        recent = [name_of(number) for number in range(max(self.arrived - 150, 0), self.arrived)]
        inside = sorted(self._desk.book.past(JOURNEY, recent))
        gone = {one.person for one in self.farewells}
        for person in self._rng.sample(inside, min(count, len(inside))):
            if person in gone:
                continue
            kind = self._rng.choice([SignalKind.ORDER, SignalKind.ORDER, SignalKind.OPT_OUT])
            at = self._at + timedelta(minutes=5)
            self._desk.book.record([Signal(person, kind, at, key=f"{kind}:{person}")], at)
            # Read after the commit: whatever is on its way now was before it.
            now = self._history.messages_of_person(person)
            self.farewells.append(
                Farewell(
                    person,
                    frozenset(key_of(one) for one in now if one.state in LEFT),
                    frozenset(key_of(one) for one in now if one.state is MessageState.SENDING),
                )
            )

    def _messages(self) -> Sequence[MessageEntry]:
        return self._history.messages_of(JOURNEY)

    def _account(self) -> Account:
        book = Bookkeeping(self._desk.alias, self.sink, tuple(self.farewells))
        names = [name_of(number) for number in range(self.arrived)]
        return book.draw_up(names, kills=self.kills, while_handing_over=self.while_handing_over)


def _mail(message: OutboxMessage) -> Message:
    return Message(
        key=message.key,
        channel=message.channel,
        person=message.person,
        address=Address(AddressKind.EMAIL, message.address),
        parts={
            "subject": "It has been a while",
            "html": "<p>Come and see.</p>",
            "text": "Come and see.",
        },
        at=message.created_at,
    )
