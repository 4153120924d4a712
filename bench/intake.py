"""Event intake over loopback, beside a bare server of the same kind.

The bare one, on the same web server and with the same promises of its database, only
parses the JSON and inserts the batch in one statement. Ours checks each event, knows
repetitions, finds whose it is, keeps cards and permissions, and ends enrolments.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import urlsplit

import psycopg
import waitress

from bench.measure import Result, compare
from bench.servers import postgresql
from bench.worlds import WORK
from rekindle.clock import SystemClock
from rekindle.desk import Scaffold, create_workspace
from rekindle.journeys import Person
from rekindle.ledger import ApiKeys, Scope
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake

EVENTS_A_BATCH = 100
BATCHES = 60
CONNECTIONS = 4
PEOPLE = 2_000
ROUNDS = 3
THREADS = 4
SERVERS = 2  # of those that share one PostgreSQL

BARE = (
    "CREATE TABLE event (id BIGINT PRIMARY KEY, source TEXT, message_id TEXT, type TEXT, "
    "person TEXT, payload TEXT, UNIQUE (source, message_id))"
)

Application = Callable[..., Any]
Call = dict[str, Any]


def intake() -> Result:
    """Batches of 100 events into one server process against one that only inserts them."""
    folder = Path(tempfile.mkdtemp())
    try:
        bare = folder / "bare.sqlite3"
        with sqlite3.connect(bare) as con:
            con.execute("PRAGMA journal_mode=WAL")
            con.execute(BARE)
        return _compare(folder, f"sqlite:///{folder}/ledger.sqlite3", str(bare), servers=1)
    finally:
        shutil.rmtree(folder)


def intake_postgresql() -> Result:
    """The same into two server processes on one PostgreSQL, against two that only insert them."""
    with postgresql() as url, tempfile.TemporaryDirectory(dir=WORK) as folder:
        with psycopg.connect(url, autocommit=True) as con:
            con.execute("CREATE DATABASE bare")
        bare = urlsplit(url)._replace(path="/bare").geturl()
        with psycopg.connect(bare, autocommit=True) as con:
            con.execute(BARE)
        return _compare(Path(folder), url, bare, servers=SERVERS)


def _compare(folder: Path, ledger: str, bare: str, *, servers: int) -> Result:
    numbers = count()
    sets = [_bodies(numbers) for _ in range(2 * ROUNDS + 1)]
    secret = _make_workspace(folder / "ours", ledger)
    with ExitStack() as stack:
        own, plain = (
            _Servers([stack.enter_context(_Server(serve, where)) for _ in range(servers)], secret)
            for serve, where in ((serve_ours, str(folder / "ours")), (serve_bare, bare))
        )
        result = compare(
            lambda: own.take(sets.pop()),
            lambda: plain.take(sets.pop()),
            rounds=ROUNDS,
            limit=2,
            note="",
        )
        busy = (own.busy_ms(), plain.busy_ms())
    events = BATCHES * EVENTS_A_BATCH
    where = "SQLite" if servers == 1 else f"{servers} servers on one PostgreSQL"
    note = (
        f"{events:,} events in batches of {EVENTS_A_BATCH} over loopback, {where}: "
        f"{events / result.ours:,.0f} events/s ÷ a bare server's {events / result.baseline:,.0f}; "
        f"{busy[0]:.1f} ms of processor a batch ÷ {busy[1]:.1f} in the server itself"
    )
    row = {**result.as_row(), "note": note}
    return Result(**row)  # type: ignore[arg-type]


class _Server:
    """A server in a process of its own."""

    def __init__(self, serve: Callable[[str, Connection], None], where: str) -> None:
        context = get_context("spawn")
        near, far = context.Pipe()
        self._process = context.Process(target=serve, args=(where, far), daemon=True)
        self._process.start()
        self._pipe = near
        self.port: int = near.recv()

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def busy_seconds(self) -> float:
        """Return the processor time that it has spent since it was ready."""
        self._pipe.send(None)
        seconds: float = self._pipe.recv()
        return seconds


class _Servers:
    """Servers that share the work, and the way to send them batches."""

    def __init__(self, servers: Sequence[_Server], secret: str) -> None:
        self._servers, self._taken = servers, 0
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{secret}:".encode()).decode(),
        }

    def busy_ms(self) -> float:
        """Return the processor time that they spent on a batch, in milliseconds."""
        return 1000 * sum(one.busy_seconds() for one in self._servers) / self._taken

    def take(self, bodies: list[bytes]) -> None:
        """Send every body, over a few connections at once."""
        self._taken += len(bodies)
        failures: list[BaseException] = []
        threads = [
            threading.Thread(
                target=self._send,
                args=(
                    self._servers[place % len(self._servers)].port,
                    bodies[place::CONNECTIONS],
                    failures,
                ),
            )
            for place in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _send(self, port: int, bodies: list[bytes], failures: list[BaseException]) -> None:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            for body in bodies:
                connection.request("POST", "/v1/batch", body, self._headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200 or b"refused" in text:
                    raise RuntimeError(f"{answer.status}: {text[:500]!r}")
        except (OSError, RuntimeError) as error:
            failures.append(error)
        finally:
            connection.close()


def _make_workspace(folder: Path, ledger: str) -> str:
    """Make a workspace whose people are known; return the secret by which events are taken."""
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC"))
    settings = folder / "rekindle.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'{text}\n[ledger]\nurl = "{ledger}"\n', encoding="utf-8")
    workspace = Workspace.open(folder, clock=SystemClock())
    now = workspace.clock.now()
    secret = ApiKeys(workspace.ledger).create("bench", source="web", scopes=[Scope.EVENTS], at=now)
    workspace.book.save_people(Person(_known(place)) for place in range(PEOPLE))
    return secret


def serve_ours(folder: str, ready: Connection) -> None:
    """Serve the API over a workspace."""
    workspace = Workspace.open(Path(folder), clock=SystemClock())
    _serve(build_api(LedgerIntake(workspace)), ready)


def serve_bare(where: str, ready: Connection) -> None:
    """Serve what only parses a batch and inserts it, kept as safely as ours."""
    insert = _into_postgresql(where) if where.startswith("postgresql") else _into_sqlite(where)

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        insert(json.loads(environ["wsgi.input"].read())["batch"])
        body = b'{"success":true}'
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    _serve(application, ready)


def _into_sqlite(path: str) -> Callable[[list[Call]], None]:
    local, turn = threading.local(), threading.Lock()

    def insert(calls: list[Call]) -> None:
        if not hasattr(local, "con"):
            local.con = sqlite3.connect(path, isolation_level=None)
            local.con.execute("PRAGMA synchronous=FULL")
        marks = ",".join(["(?,?,?,?,?,?)"] * len(calls))
        with turn:
            local.con.execute(f"INSERT OR IGNORE INTO event VALUES {marks}", _values(calls))

    return insert


def _into_postgresql(url: str) -> Callable[[list[Call]], None]:
    local = threading.local()

    def insert(calls: list[Call]) -> None:
        if not hasattr(local, "con"):
            local.con = psycopg.connect(url, autocommit=True)
        marks = ",".join(["(%s,%s,%s,%s,%s,%s)"] * len(calls))
        text = f"INSERT INTO event VALUES {marks} ON CONFLICT DO NOTHING"
        local.con.execute(text, _values(calls))

    return insert


def _values(calls: list[Call]) -> list[object]:
    rows = (
        (_number(c["messageId"]), "web", c["messageId"], c["type"], c.get("userId"), json.dumps(c))
        for c in calls
    )
    return [value for row in rows for value in row]


def _number(message: str) -> int:
    return int(message.rpartition("-")[2])


def _serve(application: Application, ready: Connection) -> None:
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=THREADS)
    ready.send(server.effective_port)
    threading.Thread(target=_tell_busy_seconds, args=(ready, process_time()), daemon=True).start()
    server.run()


def _tell_busy_seconds(asked: Connection, start: float) -> None:
    while True:
        asked.recv()
        asked.send(process_time() - start)


def _bodies(numbers: Iterator[int]) -> list[bytes]:
    return [
        json.dumps({"batch": [_call(next(numbers)) for _ in range(EVENTS_A_BATCH)]}).encode()
        for _ in range(BATCHES)
    ]


def _call(number: int) -> Call:
    """Return one of a shop's calls: 70 % views, 10 % cards, 15 % other doings, 5 % orders.

    Half are by customers who are known, a quarter by new ones, and a quarter by visitors who
    have not said who they are; these only look around.
    """
    kind = number % 20
    call: Call = {
        "messageId": f"3f2b7c1e-0000-4000-8000-{number:012d}",
        **_who(number, is_named=kind < 6),
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
    }
    if kind == 0:
        product = {"product_id": "p1", "price": 12.5, "quantity": 2, "category": "mugs"}
        properties = {"order_id": f"o{number}", "revenue": 25, "products": [product]}
        return {**call, "type": "track", "event": "Order Completed", "properties": properties}
    if kind < 3:
        traits = {"email": f"{call['userId']}@example.com", "firstName": f"Ada {number}"}
        return {**call, "type": "identify", "traits": traits}
    properties = {"product_id": f"p{number % 97}", "category": "mugs", "price": 12.5}
    if kind < 6:
        return {**call, "type": "track", "event": "Product Added", "properties": properties}
    if kind < 13:
        return {**call, "type": "track", "event": "Product Viewed", "properties": properties}
    return {**call, "type": "page", "name": "Home", "properties": {"url": "/", "title": "A"}}


def _who(number: int, *, is_named: bool) -> dict[str, str]:
    share = number * 7919 % 4
    if share < 2:
        return {"userId": _known(number * 7919 // 4 % PEOPLE)}
    if share == 2 or is_named:
        return {"userId": f"new-{number}"}
    return {"anonymousId": f"visitor-{number}"}


def _known(place: int) -> str:
    return f"customer-{place}"


if __name__ == "__main__":
    print(intake(), file=sys.stderr)
