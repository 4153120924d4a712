"""Decisions about a million people who are due, the ledger written, against plain tools.

On PostgreSQL the other side is a queue of one job a person, worked through by
procrastinate on the same server; on SQLite it is ``sqlite3`` inserting rows of the size
of a decision. Of ten people eight are written to, one has reached a cap, one never agreed.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter

from django.db import connections, transaction

from bench.measure import MB, Result
from bench.servers import postgresql
from bench.worlds import WORK
from rekindle.gate import BookRules, Cap, HouseRules, QuietHours
from rekindle.journeys import JourneyEngine, JourneyVersion, parse_journey
from rekindle.ledger import LedgerBook, connect, disconnect, migrate
from rekindle.ledger.book import lane_of
from rekindle.ledger.book.book import PLACES
from rekindle.ledger.book.moves import TOUCHES
from rekindle.ledger.bulk import Target, insert_rows, moment_writer
from rekindle.testing.audiences import FixedAudience
from rekindle.vocabulary import Channel

PEOPLE = int(os.environ.get("REKINDLE_BENCH_PEOPLE", "1000000"))
JOBS = max(1000, PEOPLE // 50)
ROWS = PEOPLE
BATCH = 5_000
WORKERS = 2
READY_SECONDS = 120
CONCURRENCY = 10
# As docs/how-to/run advises.
SETTINGS = ("shared_buffers = '2GB'", "max_wal_size = '4GB'", "checkpoint_timeout = '15min'")
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
CAP = Cap(Channel("email"), 1, WEEK)
JOURNEY = """\
journey: lapsed
enter: {audience: tier = 'lapsed'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 5 days
  - send: {channel: email, template: new-arrivals}
"""
PERSONS = Target(
    "ledger_person",
    (
        ("id", "text"),
        ("address", "text"),
        ("address_hash", "text"),
        ("country", "text"),
        ("properties", "jsonb"),
        ("statements", "text"),
        ("stated_at", "timestamptz"),
    ),
)
CONSENTS = Target(
    "ledger_consent",
    (
        ("person_id", "text"),
        ("channel", "text"),
        ("granted", "bool"),
        ("at", "timestamptz"),
        ("source", "text"),
    ),
)
ENROLMENTS = Target(
    "ledger_enrolment",
    (
        ("id", "int8"),
        ("person_id", "text"),
        ("journey", "text"),
        ("version", "int4"),
        ("rotation", "int4"),
        ("arm", "text"),
        ("entered_at", "timestamptz"),
        ("last_order_at", "timestamptz"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Both sides in items a second."""

    ours: float
    baseline: float

    def result(self, limit: float, note: str) -> Result:
        """Return seconds an item, ours against the baseline's."""
        ours, baseline = 1 / self.ours, 1 / self.baseline
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MB  # the larger worker
        note = f"{note} ({self.ours:,.0f}/s against {self.baseline:,.0f}/s)"
        own, base, ratio = (float(f"{x:.3g}") for x in (ours, baseline, ours / baseline))
        return Result(own, base, ratio, "seconds each", round(peak), limit, note)


def decisions_postgresql(people: int = PEOPLE, jobs: int = JOBS) -> Result:
    """A tick over everybody, by two workers, against procrastinate's trivial jobs."""
    with postgresql(*SETTINGS) as url:
        baseline = _queue_rate(url, jobs)
        with _ledger(url, people):
            ours = _decision_rate(url, people, workers=WORKERS)
    note = f"{people:,} decisions on PostgreSQL ÷ {jobs:,} procrastinate jobs"
    return _Rates(ours, baseline).result(0.01, note)


def decisions_sqlite(people: int = PEOPLE, rows: int = ROWS) -> Result:
    """A tick over everybody against plain inserts into a file of the same settings."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        baseline = _insert_rate(Path(folder) / "plain.sqlite3", rows)
        url = f"sqlite:///{folder}/ledger.sqlite3"
        with _ledger(url, people):
            ours = _decision_rate(url, people, workers=1)
    note = f"{people:,} decisions on SQLite ÷ {rows:,} rows inserted by sqlite3"
    # 30,000 decisions a second where sqlite3 inserts 500,000 rows.
    return _Rates(ours, baseline).result(500 / 30, note)


def _decision_rate(url: str, people: int, *, workers: int) -> float:
    """Return decisions a second of one tick shared by so many processes."""
    spawn = get_context("spawn")
    ready, reports = spawn.Barrier(workers + 1), spawn.SimpleQueue()
    processes = [spawn.Process(target=_decide, args=(url, ready, reports)) for _ in range(workers)]
    for process in processes:
        process.start()
    ready.wait(READY_SECONDS)
    start = perf_counter()
    for process in processes:
        process.join()
    seconds = perf_counter() - start
    made = sum(reports.get() for process in processes if process.exitcode == 0)
    if made != people:
        raise RuntimeError(f"{made:,} decisions about {people:,} people")
    return people / seconds


def _decide(url: str, ready: Barrier, reports: SimpleQueue[int]) -> None:
    """Be a worker: tick until nobody is due, and report how many were decided about."""
    engine = _engine(connect(url, base=Path("/")))
    ready.wait(READY_SECONDS)
    reports.put(sum(engine.tick(AT, batch=BATCH).decisions.values()))


def _engine(alias: str) -> JourneyEngine:
    rules = HouseRules(caps=(CAP,), quiet_hours=QuietHours(time(21), time(8)))
    book = LedgerBook(alias, secret=b"bench", terms=BookRules(longest_window=WEEK))
    return JourneyEngine(book, FixedAudience(), rules=rules, cost={Channel("email"): 1000})


@contextmanager
def _ledger(url: str, people: int) -> Iterator[str]:
    """Yield a ledger in which so many people are due at ``AT``."""
    alias = connect(url, base=Path("/"))
    migrate(alias)
    book = LedgerBook(alias, secret=b"bench", terms=BookRules())
    book.start(JourneyVersion(parse_journey(JOURNEY), 1, 0.0, "bench", AT - WEEK))
    _fill(alias, people)
    yield alias
    disconnect(alias)


def _fill(alias: str, people: int) -> None:
    """Write cards, permissions, earlier messages and enrolments, as imports leave them."""
    for first in range(0, people, BATCH):
        numbers = range(first, min(first + BATCH, people))
        with transaction.atomic(using=alias):
            _fill_people(alias, numbers)
            # As ``LedgerBook.enrol`` writes them: neighbours in a lane side by side.
            by_lane = sorted(numbers, key=lambda n: (lane_of(_name(n)), n))
            _fill_enrolments(alias, by_lane, first)
    with connections[alias].cursor() as cursor:
        # As a server has it after a while; else it is done in the middle of the tick.
        cursor.execute("VACUUM ANALYZE" if connections[alias].vendor == "postgresql" else "ANALYZE")


def _fill_people(alias: str, numbers: Iterable[int]) -> None:
    moment = moment_writer(alias)
    agreed, touched = moment(AT - 50 * WEEK), moment(AT - timedelta(days=2))
    cards = [
        (_name(n), f"{_name(n)}@example.com", f"{n:064x}", "GB", "{}")
        + (("email+", agreed) if n % 10 else ("", None))
        for n in numbers
    ]
    insert_rows(alias, PERSONS, cards)
    consents = [(_name(n), "email", True, agreed, "form") for n in numbers if n % 10]
    insert_rows(alias, CONSENTS, consents)
    earlier = [
        (-n - 1, _name(n), 1, "hello", "email", "hello", "", touched, "accepted", True, touched)
        for n in numbers
        if n % 10 == 1
    ]
    insert_rows(alias, TOUCHES, [(*row, touched, 1000, "", "") for row in earlier])


def _fill_enrolments(alias: str, numbers: Iterable[int], first: int) -> None:
    moment = moment_writer(alias)
    entered, bought, due = moment(AT - WEEK), moment(AT - 20 * WEEK), moment(AT)
    placed = [(first + place + 1, n) for place, n in enumerate(numbers)]
    insert_rows(
        alias,
        ENROLMENTS,
        [(i, _name(n), "lapsed", 1, 0, "treatment", entered, bought) for i, n in placed],
    )
    insert_rows(alias, PLACES, [(i, lane_of(_name(n)), 0, due, due, "") for i, n in placed])


def _name(number: int) -> str:
    return f"customer-{number}"


def _queue_rate(url: str, jobs: int) -> float:
    """Return how many trivial jobs a second a procrastinate worker does."""
    return asyncio.run(_work_through(url, jobs))


async def _work_through(url: str, jobs: int) -> float:
    import procrastinate
    from procrastinate.types import JSONDict

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="decide")
    async def decide(person: str) -> None:
        return None

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, 1000):
            numbers = range(first, min(first + 1000, jobs))
            batch: list[JSONDict] = [{"person": _name(n)} for n in numbers]
            await decide.batch_defer_async(*batch)
        start = perf_counter()
        await app.run_worker_async(wait=False, concurrency=CONCURRENCY)
        return jobs / (perf_counter() - start)


def _insert_rate(path: Path, rows: int) -> float:
    """Return rows a second of one ``executemany`` in transactions of ``BATCH``."""
    with sqlite3.connect(path, isolation_level=None) as plain:
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("PRAGMA synchronous=FULL")
        plain.execute(
            "CREATE TABLE decision (id integer PRIMARY KEY, enrolment integer, step text, "
            "at text, answer text, reason text, until text, is_ghost bool, detail text)"
        )
        at, insert = AT.isoformat(" "), "INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        start = perf_counter()
        for first in range(0, rows, BATCH):
            plain.execute("BEGIN IMMEDIATE")
            numbers = range(first, min(first + BATCH, rows))
            plain.executemany(
                insert, ((n, n, "check-in", at, "send", None, None, False, "") for n in numbers)
            )
            plain.execute("COMMIT")
        return rows / (perf_counter() - start)
