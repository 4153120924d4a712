"""Sends what the outbox holds: claim, ask the gate again, mark, send, write down.

The order of these steps is the promise. A worker that dies between marking and writing
down leaves messages of unknown fate, which are not sent again unless the outlet
recognises them by their key. They are marked a chunk at a time, and a chunk is as large as
what leaves in ``CHUNK_SECONDS``: so long, at most, may one still leave after a purchase
was recorded.
"""

from __future__ import annotations

import os
import socket
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from rekindle.clock import Clock, stopwatch
from rekindle.errors import BrokenTemplateError, ConfigError, RekindleError
from rekindle.gate import Decision
from rekindle.ledger import DoorState, Outbox, OutboxMessage
from rekindle.messages import FOR_EVER, Message, Outlet
from rekindle.vocabulary import Answer, Channel, Reason
from rekindle.worker.dispatching.handing import Fate, Handed, HandOver
from rekindle.worker.dispatching.metering import Pace, Unmetered
from rekindle.worker.dispatching.stopping import Door, OpenDoor

LEASE = timedelta(minutes=5)
BATCH = 1000
CHUNK_SECONDS = 0.05
LARGEST_CHUNK = 50
# So long what was read of a person is good enough to decide by; then it is read again.
LOOK_LASTS = timedelta(minutes=1)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
# So long a message may be under way between its last look and the provider that knows its key.
ON_THE_WAY = timedelta(minutes=2)
# What keeps every message of a step back is no reason to give one of them up.
NOBODYS_FAULT = (BrokenTemplateError, ConfigError)

Compose = Callable[[Sequence[OutboxMessage]], Mapping[str, Message | RekindleError]]


class Look(Protocol):
    """Asks the gate about messages of a batch that was read before."""

    def read(self, messages: Sequence[OutboxMessage], at: datetime) -> None:
        """Ask what has to be asked once a batch."""

    def __call__(self, message: OutboxMessage, at: datetime) -> Decision:
        """Return the gate's answer at ``at``."""


_dispatchers = count()


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """What one pass sent. ``outcomes`` counts messages by what became of them.

    ``again_in`` is when a throttle grants more, where it ended the pass.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""
    again_in: timedelta | None = None

    @property
    def accepted(self) -> int:
        """Return how many messages the provider took."""
        return self.outcomes.get("accepted", 0)


@dataclass(frozen=True, slots=True)
class Means:
    """What a dispatcher works with beside the outbox and its outlet.

    ``connections`` is how many messages are handed over at the same time. Only messages of
    ``channel`` are sent (None is of every one); ``idempotent_for`` is how long the outlet
    recognises a message by its key, None for not at all. ``door`` knows whether the outlet is
    stopped, and ``outlet`` is its name. Where the outlet ``keeps`` messages, what each says is
    kept in the ledger until its person asks for it.
    """

    compose: Compose
    look: Look
    clock: Clock
    pace: Pace = field(default_factory=Unmetered)
    connections: int = 1
    channel: Channel | None = None
    idempotent_for: timedelta | None = None
    door: Door = field(default_factory=OpenDoor)
    outlet: str = ""
    keeps: bool = False


class Dispatcher:
    """Sends messages through one outlet; nothing else calls an outlet's ``send``.

    The database is used by the calling thread alone; only handing over is done by others.
    """

    def __init__(
        self, outbox: Outbox, outlet: Outlet, means: Means, *, worker: str | None = None
    ) -> None:
        self._outbox, self._outlet, self._means = outbox, outlet, means
        self._worker = worker or name_worker()
        self._hand_over = HandOver(outlet)
        self._chunk = means.connections
        self._outcomes: Counter[str] = Counter()
        self._unwritten: list[tuple[OutboxMessage, Handed]] = []
        self._kept: Mapping[str, Message] = {}
        self._begun_at = means.clock.now()

    def run(self, *, is_stopping: Callable[[], bool] = lambda: False) -> DispatchReport:
        """Send everything that may leave now; stop early when the provider is out of reach.

        Nothing leaves by an outlet that is stopped.
        """
        self._outcomes, again_in = Counter(), None
        self._hand_over = HandOver(self._outlet)
        means, pace = self._means, self._means.pace
        within = means.idempotent_for
        self._outbox.recover(
            self._now(),
            is_idempotent=within is not None,
            within=None if within == FOR_EVER else within,
            channel=means.channel,
            outlet=means.outlet,
        )
        try:
            with ThreadPoolExecutor(self._means.connections) as pool:
                means.door.ask(self._now())
                while not (is_stopping() or self.is_over):
                    granted = pace.take(BATCH, self._now())
                    if not granted:
                        again_in = pace.again_in
                        break
                    claimed = self._claim(granted)
                    if not claimed:
                        break
                    self._send_all(claimed, pool, is_stopping)
        finally:
            means.door.leave()
            self._outlet.close()
        return DispatchReport(self._outcomes, means.door.why or self._hand_over.trouble, again_in)

    @property
    def channel(self) -> Channel | None:
        """Return the channel whose messages it sends, None for every one."""
        return self._means.channel

    @property
    def is_shut(self) -> bool:
        """Return whether its outlet was stopped when it was last asked."""
        return self._means.door.is_shut

    @property
    def is_over(self) -> bool:
        """Return whether trying on is no use: the provider is away, or the outlet is stopped."""
        return self._hand_over.is_out_of_reach or self._means.door.is_shut

    def _now(self) -> datetime:
        return self._means.clock.now()

    def _claim(self, granted: int) -> list[OutboxMessage]:
        claimed = self._outbox.claim(
            self._now(),
            worker=self._worker,
            lease=LEASE,
            limit=granted,
            channel=self._means.channel,
        )
        self._means.pace.give_back(granted - len(claimed))
        return claimed

    def _send_all(
        self,
        claimed: Sequence[OutboxMessage],
        pool: ThreadPoolExecutor,
        is_stopping: Callable[[], bool],
    ) -> None:
        """Send a batch chunk by chunk; what is not tried goes back to the queue."""
        read_at = self._now()
        self._read(claimed, read_at)
        rest = self._ask_gate(claimed)
        mails = self._compose(rest)
        while rest and not (is_stopping() or self.is_over):
            standing = self._means.door.ask(self._now())
            if standing is DoorState.STOPPED:
                break
            is_trying = standing is DoorState.TRYING
            size = 1 if is_trying else self._chunk
            chunk, rest = rest[:size], rest[size:]
            self._send_chunk(chunk, mails, pool, ahead=rest[:size])
            if is_trying:
                self._write_down()
            if self._now() - read_at > LOOK_LASTS:
                break
        self._write_down()
        self._return(rest)

    def _read(self, messages: Sequence[OutboxMessage], at: datetime) -> None:
        try:
            self._means.look.read(messages, at)
        except RekindleError:
            self._return(messages)
            raise

    def _compose(self, messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
        try:
            return self._means.compose(messages) if messages else {}
        except RekindleError:
            self._return(messages)
            raise

    def _send_chunk(
        self,
        chunk: Sequence[OutboxMessage],
        mails: Mapping[str, Message | RekindleError],
        pool: ThreadPoolExecutor,
        *,
        ahead: Sequence[OutboxMessage],
    ) -> None:
        """Mark a chunk, hand it over, and write those ``ahead`` while that goes on."""
        written = self._set_aside_broken(self._ask_gate(chunk), mails)
        costs = [(one, mail.cost_micros) for one, mail in written if mail.cost_micros is not None]
        if changed := [pair for pair in costs if pair[1] != pair[0].cost_micros]:
            self._outbox.reprice(changed)
        elapsed, begun_at = stopwatch(), self._now()
        leaving = self._outbox.begin_sending(
            [one for one, _ in written], begun_at, outlet=self._means.outlet
        )
        self._note("cancelled", len(written) - len(leaving))
        ready = {message.key: mail for message, mail in written}
        # A thread takes its share as a whole: to hand it single messages costs as much again.
        number = self._means.connections
        shares = [leaving[place::number] for place in range(number)]
        handed = pool.map(self._hand_over_all, ([ready[one.key] for one in s] for s in shares))
        self._write_down()  # of the chunk before, while this one is handed over
        for message in ahead:
            mails.get(message.key)  # it is written when it is first looked up
        self._begun_at = begun_at
        self._kept = ready if self._means.keeps else {}
        self._unwritten = [
            pair
            for share, fates in zip(shares, handed, strict=True)
            for pair in zip(share, fates, strict=True)
        ]
        if leaving:
            self._chunk = next_chunk(len(leaving), elapsed(), least=self._means.connections)

    def _hand_over_all(self, mails: Sequence[Message]) -> list[Handed]:
        return [self._hand_over(mail) for mail in mails]

    def _ask_gate(self, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
        """Return the messages that may leave at this instant; the others wait or are over."""
        at = self._now()
        answers = [(message, self._means.look(message, at)) for message in messages]
        stopped = [pair for pair in answers if pair[1].answer is not Answer.SEND]
        if stopped:
            self._outbox.settle(stopped, at)
            held = sum(decision.answer is Answer.HOLD for _, decision in stopped)
            self._note("held", held)
            self._note("cancelled", len(stopped) - held)
        return [message for message, decision in answers if decision.answer is Answer.SEND]

    def _set_aside_broken(
        self,
        messages: Iterable[OutboxMessage],
        mails: Mapping[str, Message | RekindleError],
    ) -> list[tuple[OutboxMessage, Message]]:
        """Return the messages that could be written; put off the others."""
        written = []
        for message in messages:
            mail = mails[message.key]
            if isinstance(mail, Message):
                written.append((message, mail))
                continue
            self._hand_over.note_trouble(str(mail))
            at, error = self._now(), str(mail)
            until = at + backoff(message)
            if isinstance(mail, NOBODYS_FAULT):
                self._outbox.hold_unready(message, at, until=until, error=error)
            else:
                self._outbox.retry_later(message, until, error=error, is_broken=True)
            self._note("not written", 1)
        return written

    def _write_down(self) -> None:
        """Write down what became of the latest chunk."""
        results, self._unwritten = self._unwritten, []
        at = self._now()
        self._means.door.hear([one for _, one in results], at)
        accepted = [(message, one.word) for message, one in results if one.fate is Fate.ACCEPTED]
        if accepted:
            kept = [(one, self._kept[one.key]) for one, _ in accepted if one.key in self._kept]
            pairs = ((message.touch, one.stay) for message, one in results)
            stays = {touch: stay for touch, stay in pairs if stay is not None}
            self._outbox.accept(accepted, at, kept=kept, stays=stays)
            self._outcomes[Fate.ACCEPTED.value] += len(accepted)
        self._return([message for message, one in results if one.fate is Fate.NOT_TRIED])
        for message, one in results:
            if one.fate not in {Fate.ACCEPTED, Fate.NOT_TRIED}:
                self._write_down_failure(message, one, at)

    def _write_down_failure(self, message: OutboxMessage, one: Handed, at: datetime) -> None:
        self._outcomes[one.fate.value] += 1
        if one.fate is Fate.UNKNOWN:
            self._write_down_unknown(message, one, at)
            return  # it may have left, so it stays counted
        if one.fate is Fate.LATER:
            wait = backoff(message, one.retry_after)
            self._outbox.retry_later(message, at + wait, error=one.word)
        elif one.fate is Fate.FAULT:
            self._outbox.release([message])  # as if it had not been tried
        elif one.fate is Fate.MALFORMED:
            self._outbox.set_aside_unreachable(message, at, error=one.word)
        elif one.fate is Fate.OPTED_OUT:
            self._outbox.fail(message, at, error=one.word, reason=Reason.OPT_OUT)
        elif one.fate is Fate.GONE:
            self._outbox.retire_address(message, at, error=one.word)
        else:
            reason = Reason.BOUNCE if one.fate is Fate.BOUNCED else Reason.REFUSED
            self._outbox.fail(message, at, error=one.word, reason=reason)
        self._means.pace.give_back_tried(1)

    def _write_down_unknown(self, message: OutboxMessage, one: Handed, at: datetime) -> None:
        """Ask a provider again that recognises the message, as long as it does."""
        within = self._means.idempotent_for
        if within is not None:
            # It was begun with before it was handed over: its window ends no sooner than this.
            until = None if within == FOR_EVER else self._begun_at + within - ON_THE_WAY
            again = at + backoff(message, one.retry_after)
            if self._outbox.try_again_within(message, again, until=until, error=one.word):
                return
        self._outbox.mark_unknown(message, one.word)

    def _note(self, outcome: str, messages: int) -> None:
        """Count messages that took no place in the provider's traffic."""
        if messages:
            self._outcomes[outcome] += messages
            self._means.pace.give_back(messages)

    def _return(self, messages: Sequence[OutboxMessage]) -> None:
        if messages:
            self._outbox.release(messages)
            self._means.pace.give_back(len(messages))


def name_worker() -> str:
    """Return a name that no other dispatcher has: who holds a message, or tries an outlet out."""
    return f"{socket.gethostname()}:{os.getpid()}:{next(_dispatchers)}"


def backoff(message: OutboxMessage, retry_after: timedelta | None = None) -> timedelta:
    """Return how long a message waits for its next try.

    It is the provider's wish, or twice as long each time; and up to a quarter more, by
    message, so that those that failed together do not come back together.
    """
    wait = retry_after or min(FIRST_RETRY * 2 ** min(message.attempts, 10), LONGEST_RETRY)
    roll = zlib.crc32(f"{message.key}/{message.attempts}".encode()) / 2**32
    return wait * (1 + roll / 4)


def next_chunk(sent: int, seconds: float, *, least: int) -> int:
    """Return how many messages leave in about ``CHUNK_SECONDS`` at this pace."""
    fitting = int(CHUNK_SECONDS * sent / max(seconds, 1e-6))
    return max(min(fitting, 2 * sent, LARGEST_CHUNK), min(least, LARGEST_CHUNK))
