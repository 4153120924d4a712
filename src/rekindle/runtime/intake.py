"""Event intake over one workspace: who may report, what becomes of it, and the way on.

What is reported reaches the ledger at once and the lake at the next import, as files in
the shape of the contracts, checked and quarantined like any other.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import finalize

from rekindle.clock import stopwatch
from rekindle.config import SourceSettings
from rekindle.errors import BusyError, WorkError
from rekindle.facts import CONTRACTS, FileImport, held_cards
from rekindle.facts.events import (
    HUMAN_KINDS,
    Event,
    EventType,
    OrderEvent,
    fold_order,
    kind_of,
    read_card,
    read_lines,
)
from rekindle.ledger import ApiKey, Inbox, Keys, Report, Spooled, let_go, mend, read_reports
from rekindle.runtime.workspace import Workspace
from rekindle.vocabulary import Channel

KEY_IS_TRUSTED_SECONDS = 5.0
SLICE = 20_000
"""Reports that become facts at a time: enough to be quick, few enough to fit in memory."""

FOLDER = "state/intake"
Row = dict[str, Any]


class LedgerIntake:
    """Takes events into the ledger of one workspace; shared by all threads of a server."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._keys = Keys(workspace.ledger)
        self._inbox = Inbox(workspace.ledger, workspace.book)
        self._known: dict[str, tuple[ApiKey, Callable[[], float]]] = {}
        self._waiting: deque[_Batch] = deque()
        # One thread writes for all: its connection keeps its pages, which every commit of
        # another would make it read again.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="intake")
        finalize(self, _close, self._writer, workspace.ledger).atexit = False

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return self._workspace.clock.now()

    def key_of(self, secret: str) -> ApiKey | None:
        """Return the key with this secret, as it was at most five seconds ago."""
        key, age = self._known.get(secret, (None, None))
        if key is not None and age is not None and age() < KEY_IS_TRUSTED_SECONDS:
            return key
        with _mending(self._workspace.ledger):
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
        own = _Batch(source, read_reports(self._workspace.ledger, events), at)
        self._waiting.append(own)
        self._writer.submit(self._take_waiting)
        return own.erased.result()

    def _take_waiting(self) -> None:
        """Take all that waits: with the batch of whoever asks for it, those of others."""
        batches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        for source in dict.fromkeys(batch.source for batch in batches):
            self._take_together([batch for batch in batches if batch.source == source])

    def _take_together(self, batches: Sequence[_Batch]) -> None:
        """Take batches as one; if that is refused each alone, so that no other suffers."""
        reports = [report for batch in batches for report in batch.reports]
        try:
            with _mending(self._workspace.ledger):
                at = max(batch.at for batch in batches)
                erased = self._inbox.take(batches[0].source, reports, at).erased
        except BaseException as error:  # raised again in the thread that waits for its batch
            self._refuse(batches, error)
            return
        for batch in batches:
            own = {report.event.message_id for report in batch.reports} if erased else set()
            batch.erased.set_result(erased & own)

    def _refuse(self, batches: Sequence[_Batch], error: BaseException) -> None:
        """Tell who waits what went wrong, once it is clear that it was their own batch."""
        if len(batches) == 1 or isinstance(error, BusyError):
            for batch in batches:
                batch.erased.set_exception(error)
        else:
            for batch in batches:
                self._take_together([batch])


def _close(writer: ThreadPoolExecutor, alias: str) -> None:
    writer.submit(let_go, alias)
    writer.shutdown()


@dataclass
class _Batch:
    """What one request brought, and the ids of those about the erased, once it is taken."""

    source: str
    reports: Sequence[Report]
    at: datetime
    erased: Future[frozenset[str]] = field(default_factory=Future)


def import_intake(workspace: Workspace) -> list[FileImport]:
    """Bring everything reported so far into the lake; return what each file gave.

    Killed at any moment, it goes on where it stopped: what is imported twice is there once.

    Raises:
        BusyError: another import is running.
    """
    found: list[FileImport] = []
    if not workspace.has_ledger:
        return found
    while True:
        with spooled_sources(workspace) as sources:
            if not sources:
                return found
            found += workspace.import_from(sources)


@contextmanager
def spooled_sources(workspace: Workspace) -> Iterator[tuple[SourceSettings, ...]]:
    """Yield sources made of the oldest reports in the spool; none if it is empty.

    They leave the spool when the block ends without an error, so only once the lake
    shows them.
    """
    inbox = Inbox(workspace.ledger, workspace.book)
    reports = inbox.spooled(limit=SLICE)
    folder = workspace.directory / FOLDER
    sources = [s for name, own in _by_source(reports) for s in _write(workspace, inbox, name, own)]
    yield tuple(sources)
    inbox.mark_exported(reports, workspace.clock.now())
    for source in sources:
        (workspace.directory / str(source.path)).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _by_source(reports: Iterable[Spooled]) -> Iterator[tuple[str, list[Spooled]]]:
    names = sorted({report.source for report in reports})
    for name in names:
        yield name, [report for report in reports if report.source == name]


def _write(
    workspace: Workspace, inbox: Inbox, name: str, reports: Sequence[Spooled]
) -> Iterator[SourceSettings]:
    """Write the facts of one source's reports; yield the files as sources."""
    orders = _orders(inbox, name, reports)
    tables = {
        "customers": _cards(workspace, reports),
        "order_lines": [line for order in orders for line in order[1]],
        "orders": [order[0] for order in orders],
        "events": [_event(report) for report in reports if _is_event(report)],
    }
    for table, rows in tables.items():
        if rows:
            path = f"{FOLDER}/{name}-{table}-{reports[0].id}-{reports[-1].id}.jsonl"
            _write_lines(workspace.directory / path, rows)
            columns = {c.name: c.name for c in CONTRACTS[table].inputs}
            yield SourceSettings(name=name, table=table, path=path, columns=columns, timezone="UTC")


def _write_lines(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _is_event(report: Spooled) -> bool:
    if report.type not in (EventType.TRACK, EventType.PAGE, EventType.SCREEN) or report.subject:
        return False
    return not (report.is_machine and kind_of(report.name, _content(report)) in HUMAN_KINDS)


def _event(report: Spooled) -> Row:
    return {
        "event_id": report.message_id,
        "customer_id": report.person,
        "event": report.name,
        "occurred_at": report.at.isoformat(),
    }


def _orders(inbox: Inbox, source: str, reports: Iterable[Spooled]) -> list[tuple[Row, list[Row]]]:
    """Return each order that was reported on, with its lines, from all its reports."""
    touched = {report.subject for report in reports if report.subject}
    if not touched:
        return []
    told: dict[str, list[Spooled]] = {order: [] for order in sorted(touched)}
    for report in inbox.of_orders(source, touched):
        told[report.subject].append(report)
    found = []
    for order_id, own in told.items():
        events = [OrderEvent(r.name, r.person, r.at, _content(r)) for r in own]
        row = fold_order(order_id, events)
        if row is not None:
            found.append((row, _lines(row, own)))
    return found


def _lines(row: Row, reports: Iterable[Spooled]) -> list[Row]:
    """Return the products of an order as it was last told."""
    shared = {name: row.get(name) for name in ("order_id", "customer_id", "ordered_at", "currency")}
    placed = [r for r in reports if r.name in ("order_completed", "order_updated")]
    return [{**shared, **line} for line in read_lines(_content(placed[-1]))] if placed else []


def _cards(workspace: Workspace, reports: Iterable[Spooled]) -> list[Row]:
    """Return the cards of people who were identified: what was said over what is held."""
    told = [r for r in reports if r.type is EventType.IDENTIFY and r.person]
    lake = workspace.directory / workspace.config.facts.lake
    cards = {} if not told else held_cards(lake, {str(r.person) for r in told})
    rows: dict[str, Row] = {}
    for report in sorted(told, key=lambda one: (one.at, one.id)):
        person = str(report.person)
        before = rows.get(person) or cards.get(person) or {"created_at": report.at.isoformat()}
        rows[person] = {**before, "customer_id": person, **_said(report)}
    return list(rows.values())


def _said(report: Spooled) -> Row:
    card = read_card(_content(report))
    said: Row = {
        "email": card.email,
        "phone": card.phone,
        "first_name": card.first_name,
        "last_name": card.last_name,
        "country": card.country,
        "timezone": card.timezone,
        "created_at": card.created_at and card.created_at.isoformat(),
    }
    for statement in card.statements:
        if statement.channel is Channel.EMAIL:
            said |= {"email_consent": statement.granted, "email_consent_at": report.at.isoformat()}
    return {name: value for name, value in said.items() if value is not None}


def _content(report: Spooled) -> Mapping[str, Any]:
    name = "traits" if report.type is EventType.IDENTIFY else "properties"
    given = report.payload.get(name)
    return given if isinstance(given, dict) else {}


@contextmanager
def _mending(alias: str) -> Iterator[None]:
    """Let go of a connection that failed, so that the next request opens a new one."""
    try:
        yield
    except WorkError:
        mend(alias)
        raise
