"""Worlds kept in a database: the real ledger, outbox and dispatcher, a false provider.

A worker may die before any statement, and on either side of handing a message over. The
provider takes a message or not as the world's seed and the message's key say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connections

from rekindle.clock import MovableClock
from rekindle.errors import (
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    RekindleError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.gate import BookRules
from rekindle.intake import MEANINGS, Event, read_event
from rekindle.journeys import Batch, Decide, Move, Signal, build_journey_rules
from rekindle.ledger import (
    Inbox,
    KeptMessages,
    LedgerBook,
    Outbox,
    OutboxMessage,
    Stops,
    load_codes,
    ready_events,
)
from rekindle.ledger.book import book as looking
from rekindle.ledger.book import lanes
from rekindle.ledger.intake import inbox
from rekindle.ledger.signals import NOTHING_REPORTED, Reported
from rekindle.messages import Address, AddressKind, Message, Receipt, Stay
from rekindle.vocabulary import Answer, SignalKind
from rekindle.worker.dispatching import Dispatcher, LastLook, Means
from rekindle.worker.dispatching.asking import may_be_shown
from rekindle.worker.dispatching.dispatcher import name_worker
from rekindle.worker.dispatching.stopping import LedgerDoor
from tests.servers.postgres import empty_ledger
from tests.simulation.crowds import CrowdKeeper
from tests.simulation.drawing import CHANNEL
from tests.simulation.happenings import WEBSITE
from tests.simulation.journal import BrokenPromiseError, Key, broken
from tests.simulation.keeping import Killed, MakeKeeper, Watcher, watch_take

SECRET = b"a secret of the tests"
FEW_LANES = 4
FEW_CODES, MANY_CODES = 2, 200
ORDER_CHANGES = ("order_updated", "order_cancelled", "order_refunded")
KEPT_TABLES = frozenset({"ledger_lane"})  # filled once, by the migration
NAMES = {meaning.kind: name for name, meaning in MEANINGS.items() if name not in ORDER_CHANGES}
LEFT = ("accepted", "unknown", "sending")
OUTLET = "a_false_provider"
# Every third world has a list as well, whose keeper takes time of its own.
LISTS_IN = 3
RESUMED = 0.6
SPENT = ("queued", "leased", *LEFT)


class WatchedLedgerBook(LedgerBook):
    """A book in a database that is watched."""

    def __init__(self, alias: str, terms: BookRules, watcher: Watcher) -> None:
        super().__init__(alias, secret=SECRET, terms=terms)
        self._alias = alias
        self._inbox = Inbox(alias, LedgerBook(alias, secret=SECRET, terms=terms))
        self._take_watched = watch_take(super().take_due, watcher)

    def take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Do what the book does, and let the watcher see it."""
        return self._take_watched(at, limit, decide)

    def record(
        self,
        signals: Sequence[Signal],
        at: datetime,
        *,
        reported: Mapping[str, Sequence[Reported]] = NOTHING_REPORTED,
    ) -> int:
        """Report what happened as a shop's website would; what is still to come is not yet.

        Then an import brings the orders, as they are known by now.
        """
        events = [_event(signal, at) for signal in signals if signal.at <= at]
        with patch.object(inbox, "YOUNG", timedelta(0)):  # no scanner follows these links
            ended = self._inbox.take(WEBSITE, ready_events(self._alias, events), at).ended
        return ended + super().record([signal for signal in signals if signal.subject], at)


def _event(signal: Signal, now: datetime) -> Event:
    call = {
        "type": "track",
        "event": NAMES.get(signal.kind, signal.name).replace("email_", f"{CHANNEL}_"),
        "userId": signal.person,
        "messageId": signal.key,
        "timestamp": signal.at.isoformat(),
        "properties": {"order_id": signal.subject or signal.key, "revenue": 1},
    }
    return read_event(call, received_at=now)


class Provider:
    """An outlet whose fates are drawn from the seed; it tells the world what it was handed."""

    name = "a false provider"
    channel = CHANNEL
    is_idempotent = False

    def __init__(
        self,
        tell: Callable[[Message, bool], None],
        seed: int | None,
        stay_of: Callable[[Message], Stay | None],
    ) -> None:
        self._tell, self._seed, self._stay_of = tell, seed, stay_of
        self._tries: dict[str, int] = {}
        self.is_alive = True
        # How many messages it may be handed until it has let one in; None is any number.
        self.room: int | None = None
        self.broken: BrokenPromiseError | None = None

    def send(self, mail: Message) -> Receipt:
        """Take the message, refuse it in one of the ways there are, or let the worker die."""
        if not self.is_alive:
            raise Killed("was dead already")
        if self.room == 0:
            # A dispatcher takes whatever an outlet raises for the outlet's own defect.
            self.broken = broken("nothing by a stopped outlet", f"{mail.key} was handed over")
        self.room = None if self.room is None else max(self.room - 1, 0)
        tries = self._tries[mail.key] = self._tries.get(mail.key, 0) + 1
        chance = 1.0 if self._seed is None else _roll(self._seed, mail.key, tries)
        if chance < 0.02:
            self._die("before handing over")
        is_taken = chance < 0.1 or chance >= 0.27
        self._tell(mail, is_taken)
        if chance < 0.04:
            self._die("after handing over")
        if chance < 0.1:
            raise UnknownFateError("the line went dead")
        if chance < 0.18:
            after = timedelta(hours=5) if chance < 0.14 else None
            raise TemporaryDeliveryError("too busy", retry_after=after)
        if 0.25 <= chance < 0.27:
            self.room = 0
            raise OutletFaultError("the key was revoked")
        self.room = None
        if chance < 0.22:
            raise RefusedContentError("looks like spam")
        if chance < 0.25:
            raise PermanentDeliveryError("no such mailbox")
        return Receipt(f"receipt-{mail.key}", self._stay_of(mail))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _die(self, when: str) -> None:
        self.is_alive = False
        raise Killed(when)


def _roll(seed: int, *what: object) -> float:
    return Random(f"{seed}/{what}").random()


class LedgerKeeper:
    """Keeps a world in a database.

    ``is_smooth`` makes every message leave at once and be taken, and no worker die, so
    that the story is the one a book in memory tells.
    """

    def __init__(self, alias: str, watcher: Watcher, *, is_smooth: bool) -> None:
        empty(alias)
        self._alias, self._watcher, self._is_smooth = alias, watcher, is_smooth
        self._clock = MovableClock(datetime.min.replace(tzinfo=watcher.house.rules.zone, year=2000))
        has_list = not is_smooth and watcher.seed % LISTS_IN == 0
        self._crowd = CrowdKeeper(alias, watcher, self._clock) if has_list else None
        seed = None if is_smooth else watcher.seed
        self._provider = Provider(self._told, seed, self._stay_of)
        self._messages: dict[str, OutboxMessage] = {}
        self._broken: BrokenPromiseError | None = None
        self._decided: dict[tuple[Key, str], tuple[datetime, datetime]] = {}
        self.revive()
        count = MANY_CODES if is_smooth else FEW_CODES
        since = datetime(2026, 1, 1, tzinfo=UTC)
        load_codes(alias, "large", [f"CODE-{n}" for n in range(count)], since)

    def revive(self) -> None:
        """Begin anew, with nothing but what the database holds."""
        terms = self._watcher.house.terms
        self.book = WatchedLedgerBook(self._alias, terms, self._watcher)
        self._outbox = Outbox(self._alias, terms=terms)
        self._provider.is_alive = True
        if self._crowd is not None:
            self._crowd.crowd.is_alive = True

    def written(self, batch: Batch, moves: Sequence[Move]) -> None:
        """Remember when each message was decided; where all is smooth, let it leave."""
        for move in moves:
            if move.decision.answer is Answer.SEND:
                one = move.before
                who = (one.person, one.journey, one.rotation)
                self._decided.setdefault((who, move.step.key), (move.at, one.ready_at))
        if self._is_smooth:
            self._dispatch(moves[0].at)

    def deliver(self, now: datetime) -> None:
        """Send what the outbox holds, as a worker does."""
        self._dispatch(now)
        if self._crowd is not None:
            self._crowd.keep(self._watcher.house.terms)
            if OUTLET not in Stops(self._alias).all():
                self._provider.room = None  # who keeps the list let us in, which is the same

    def _stay_of(self, mail: Message) -> Stay | None:
        return None if self._crowd is None else self._crowd.stay_of(mail.person, self._clock.now())

    def _dispatch(self, now: datetime) -> None:
        self._clock.set(now)
        rules = self._watcher.house.rules
        name, stops = name_worker(), Stops(self._alias)
        stop = stops.all().get(OUTLET)
        if stop is not None and _roll(self._watcher.seed, "resumed", now) < RESUMED:
            stops.resume(OUTLET, now, who="the team")
            self._provider.room = 1
        elif stop is not None:
            self._provider.room = 0 if stop.resumed_at is None else 1
        means = Means(
            self._compose,
            LastLook(self.book, rules, self._watcher),
            self._clock,
            door=LedgerDoor(stops, OUTLET, worker=name),
            outlet=OUTLET,
            keeps=True,  # whatever the provider takes is shown as well, to whoever asks
        )
        try:
            Dispatcher(self._outbox, self._provider, means, worker=name).run()
        finally:
            if found := self._broken or self._provider.broken:
                raise found
            self._learn_bounces(now)

    def _compose(self, messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
        self._messages |= {message.key: message for message in messages}
        return {message.key: _mail(message) for message in messages}

    def _told(self, mail: Message, is_taken: bool) -> None:
        message = self._messages[mail.key]
        one = message.dossier.enrolment
        who = (one.person, one.journey, one.rotation)
        times = (self._clock.now(), *self._decided[who, message.step])
        try:
            code = "" if message.offer is None else message.offer.code
            self._watcher.handed_over(who, message.step, times, is_taken=is_taken, code=code)
        except BrokenPromiseError as error:
            # A dispatcher takes whatever an outlet raises for the outlet's own defect.
            self._broken = self._broken or error
            raise

    def _learn_bounces(self, now: datetime) -> None:
        """Tell the world of the bounces that refusals gave rise to, if written down."""
        rows = self._rows("SELECT person_id, at, key FROM ledger_signal WHERE key LIKE 'bounce:%'")
        found = [Signal(person, SignalKind.BOUNCE, now, key) for person, _, key in rows]
        self._watcher.learned(found)

    # What only a ledger can break

    def look(self, now: datetime) -> None:
        """See that budgets add up, and that every message has its decision and its reason."""
        self._see_budgets()
        self._see_stock()
        self._see_kept(now)
        if self._crowd is not None:
            self._crowd.look()
        ((touches,),) = self._rows("SELECT count(*) FROM ledger_touch")
        if touches != self._watcher.touches:
            raise broken("all or nothing", f"{touches} touches, {self._watcher.touches} decided")
        self._see_nothing("every decision is recorded", """
            SELECT t.id, t.step FROM ledger_touch t WHERE t.state <> 'ghost' AND NOT EXISTS (
                SELECT 1 FROM ledger_decision d WHERE d.enrolment_id = t.enrolment_id
                AND d.step = t.step AND d.answer = 'send')""")  # fmt: skip
        self._see_nothing("nobody is forgotten", """
            SELECT id, state FROM ledger_touch
            WHERE state = 'cancelled' AND reason IS NULL""")  # fmt: skip
        self._see_nothing("an assignment never changes", """
            SELECT e.id FROM ledger_enrolment e JOIN ledger_assignment a
            ON a.person_id = e.person_id AND a.journey = e.journey
            WHERE a.arm <> e.arm""")  # fmt: skip

    def _see_kept(self, now: datetime) -> None:
        """Let everybody for whom something is kept ask for it, and let the world see it."""
        terms, rules = self._watcher.house.terms, self._watcher.house.rules
        kept = KeptMessages(self._alias, terms)
        kept.drop_over(now)
        for (person,) in self._rows("SELECT DISTINCT person_id FROM ledger_kept"):
            for one in kept.of(person, now):
                message, enrolment = one.message, one.message.dossier.enrolment
                versions = self.book.versions(message.journey)
                (version,) = (own for own in versions if own.version == message.version)
                if may_be_shown(message, build_journey_rules(version, rules), now):
                    who = (person, message.journey, enrolment.rotation)
                    times = (now, *self._decided[who, message.step])
                    self._watcher.shown(who, message.step, times)
        self._see_nothing("never after an exit", """
            SELECT k.touch, e.ended_reason FROM ledger_kept k
            JOIN ledger_touch t ON t.id = k.touch
            JOIN ledger_enrolment e ON e.id = t.enrolment_id
            WHERE e.ended_reason <> 'finished'""")  # fmt: skip

    def _see_nothing(self, promise: str, query: str) -> None:
        if rows := self._rows(query):
            raise broken(promise, rows[:5])

    def _see_budgets(self) -> None:
        if not self._watcher.house.terms.budgets:
            return
        spent: dict[tuple[str, str], int] = {}
        for names, month, cost in self._rows(
            "SELECT budgets, budget_month, cost_micros FROM ledger_touch"
            f" WHERE budgets <> '' AND state IN {SPENT}"
        ):
            for name in filter(None, names.split("|")):
                spent[name, month] = spent.get((name, month), 0) + cost
        for name, month, reserved in self._rows(
            "SELECT name, month, reserved_micros FROM ledger_budget"
        ):
            if spent.pop((name, month), 0) != reserved:
                raise broken("never above a budget", f"{name} of {month} has {reserved}")
        if any(spent.values()):
            raise broken("never above a budget", f"nobody reserved {spent}")

    def _see_stock(self) -> None:
        """See that what is set aside is what is open, and that codes are where they were given."""
        sums = "SELECT offer, sum(most_micros) FROM ledger_given_offer WHERE state = 'open'"
        held = {offer: int(micros) for offer, micros in self._rows(f"{sums} GROUP BY offer")}
        for offer, micros in self._rows("SELECT offer, reserved_micros FROM ledger_offer_stock"):
            if held.pop(offer, 0) != micros:
                raise broken("never an offer that costs too much", f"{offer} holds {micros}")
        self._see_nothing("never a code twice", """
            SELECT g.touch, g.code FROM ledger_given_offer g
            WHERE g.state = 'open' AND g.offer = 'large' AND NOT EXISTS (
                SELECT 1 FROM ledger_offer_code c
                WHERE c.touch = g.touch AND c.code = g.code)""")  # fmt: skip
        self._see_nothing("never a code twice", """
            SELECT c.code FROM ledger_offer_code c JOIN ledger_given_offer g ON g.touch = c.touch
            WHERE g.state = 'released' AND NOT g.is_doubtful""")  # fmt: skip

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with connections[self._alias].cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def dying_in(self, statements: int) -> AbstractContextManager[None]:
        """Let the worker die before its statement of that number."""
        return dying_in(self._alias, statements)


@contextmanager
def dying_in(alias: str, statements: int) -> Iterator[None]:
    """Let whoever works in a ledger die before their statement of that number."""
    left = statements

    def count(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed(f"before {str(sql)[:60]!r}")
        return execute(sql, parameters, many, context)

    with connections[alias].execute_wrapper(count):
        yield


@contextmanager
def few_lanes() -> Iterator[None]:
    """Have a dozen people share few lanes, as a million share all of them."""
    with patch.object(lanes, "LANES", FEW_LANES), patch.object(looking, "LANES", FEW_LANES):
        yield


def keep_in(alias: str, *, is_smooth: bool = False) -> MakeKeeper:
    """Return what keeps a world in the database ``alias``, emptied first."""
    return lambda watcher: LedgerKeeper(alias, watcher, is_smooth=is_smooth)


def empty(alias: str) -> None:
    """Forget everything in a ledger."""
    models = apps.get_app_config("ledger").get_models()
    tables = [model._meta.db_table for model in models]
    tables = [table for table in tables if table not in KEPT_TABLES]
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET synchronous_commit = off")  # nobody needs it tomorrow
            empty_ledger(alias, kept=KEPT_TABLES)
            return
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA foreign_keys=OFF")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("PRAGMA foreign_keys=ON")


def _mail(message: OutboxMessage) -> Message:
    return Message(
        key=message.key,
        channel=message.channel,
        person=message.person,
        address=Address(AddressKind.EMAIL, message.address),
        parts={"subject": message.template, "html": "", "text": ""},
        at=message.created_at,
    )
