"""Event intake over one workspace: who may report, and what becomes of it at once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from weakref import finalize

from rekindle.clock import stopwatch
from rekindle.errors import BusyError, WorkError
from rekindle.facts import ids_prefix
from rekindle.intake import (
    Event,
)
from rekindle.ledger import ApiKey, ApiKeys, Inbox, ReadyEvent, let_go, mend, ready_events
from rekindle.runtime import Workspace
from rekindle.worker.guarding import Guard

KEY_IS_TRUSTED_SECONDS = 5.0

_Jobs = SimpleQueue[Callable[[], None] | None]


class LedgerIntake:
    """Takes events into the ledger of one workspace; shared by all threads of a server."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._keys = ApiKeys(workspace.ledger)
        self._prefixes = id_prefixes(workspace)
        self._inbox = Inbox(workspace.ledger, workspace.book)
        self.taken: Counter[str] = Counter()  # events since this process began, by source
        self._known: dict[str, tuple[ApiKey, Callable[[], float]]] = {}
        self._guard = Guard(workspace)  # asked by the one thread that writes
        self._waiting: deque[_Batch] = deque()
        # One thread writes for all: its connection keeps its pages, which every commit of
        # another would make it read again.
        self._jobs: _Jobs = SimpleQueue()
        writing = (self._jobs, workspace.ledger)
        Thread(target=_write, args=writing, name="intake", daemon=True).start()
        # Finalizers run wherever garbage is collected, also while that thread holds a lock:
        # a SimpleQueue can be put to even there, an executor can not.
        finalize(self, self._jobs.put, None)

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return self._workspace.clock.now()

    def key_of(self, secret: str) -> ApiKey | None:
        """Return the key with this secret, as it was at most five seconds ago."""
        key, age = self._known.get(secret, (None, None))
        if key is not None and age is not None and age() < KEY_IS_TRUSTED_SECONDS:
            return key
        with mending(self._workspace.ledger):
            key = self._keys.find(secret, at=self.now())
        if key is None:
            self._known.pop(secret, None)
        else:
            self._known[secret] = (key, stopwatch())
        return key

    def take(self, source: str, events: Sequence[Event], at: datetime) -> frozenset[str]:
        """Keep events and do what they call for; return the ids of those about the erased.

        What comes while an earlier batch is written is written together: one transaction,
        and one commit that all the answers wait for.
        """
        if not events:
            return frozenset()
        if prefix := self._prefixes.get(source, ""):
            events = [_prefixed(prefix, event) for event in events]
        own = _Batch(source, ready_events(self._workspace.ledger, events), at)
        self._waiting.append(own)
        self._jobs.put(self._take_waiting)
        return own.erased.result()

    def _take_waiting(self) -> None:
        """Take all that waits: with the batch of whoever asks for it, those of others."""
        batches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        for source in dict.fromkeys(batch.source for batch in batches):
            self._take_together([batch for batch in batches if batch.source == source])

    def _take_together(self, batches: Sequence[_Batch]) -> None:
        """Take batches as one; if that is refused each alone, so that no other suffers."""
        events = [one for batch in batches for one in batch.events]
        try:
            with mending(self._workspace.ledger):
                self._guard.require_newest()
                at = max(batch.at for batch in batches)
                erased = self._inbox.take(batches[0].source, events, at).erased
                self._guard.note_at_times()
        except BaseException as error:  # raised again in the thread that waits for its batch
            self._refuse(batches, error)
            return
        self.taken[batches[0].source] += len(events)
        for batch in batches:
            own = {one.event.message_id for one in batch.events} if erased else set()
            batch.erased.set_result(erased & own)

    def _refuse(self, batches: Sequence[_Batch], error: BaseException) -> None:
        """Tell who waits what went wrong, once it is clear that it was their own batch."""
        if len(batches) == 1 or isinstance(error, BusyError):
            for batch in batches:
                batch.erased.set_exception(error)
        else:
            for batch in batches:
                self._take_together([batch])


def id_prefixes(workspace: Workspace) -> Mapping[str, str]:
    """Return what stands before the ids of each source, where they are told apart."""
    sources = workspace.config.sources
    return {one.name: ids_prefix(one) for one in sources if one.ids is not None}


def _write(jobs: _Jobs, alias: str) -> None:
    """Do one job after the other until there is none, then let go of the ledger."""
    while (job := jobs.get()) is not None:
        job()
        del job  # it holds the intake, which would then never be let go
    let_go(alias)


def _prefixed(prefix: str, event: Event) -> Event:
    """Return an event with the ids of its source as they are written here."""
    user, previous = event.user_id, event.previous_id
    return replace(
        event,
        user_id=user and prefix + user,
        previous_id=previous and prefix + previous,
    )


@dataclass
class _Batch:
    """What one request brought, and the ids of those about the erased, once it is taken."""

    source: str
    events: Sequence[ReadyEvent]
    at: datetime
    erased: Future[frozenset[str]] = field(default_factory=Future)


@contextmanager
def mending(alias: str) -> Iterator[None]:
    """Let go of a connection that failed, so that the next request opens a new one."""
    try:
        yield
    except WorkError:
        mend(alias)
        raise
