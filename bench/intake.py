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
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time
from typing import Any

import waitress

from bench.measure import Result, compare
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

Application = Callable[..., Any]


def intake() -> Result:
    """Batches of 100 events into one server process against one that only inserts them."""
    folder = Path(tempfile.mkdtemp())
    numbers = count()
    sets = [_bodies(numbers) for _ in range(2 * ROUNDS + 1)]
    try:
        with _Server(serve_ours, folder / "ours") as ours, _Server(serve_bare, folder) as bare:
            result = compare(
                lambda: ours.take(sets.pop()),
                lambda: bare.take(sets.pop()),
                rounds=ROUNDS,
                limit=2,
                note="",
            )
            busy = (ours.busy_ms(), bare.busy_ms())
    finally:
        shutil.rmtree(folder)
    events = BATCHES * EVENTS_A_BATCH
    note = (
        f"{events:,} events in batches of {EVENTS_A_BATCH} over loopback, SQLite: "
        f"{events / result.ours:,.0f} events/s ÷ a bare server's {events / result.baseline:,.0f}; "
        f"{busy[0]:.1f} ms of processor a batch ÷ {busy[1]:.1f}"
    )
    row = {**result.as_row(), "note": note}
    return Result(**row)  # type: ignore[arg-type]


class _Server:
    """A server in a process of its own, and the way to send it batches."""

    def __init__(self, serve: Callable[[Path, Connection], None], folder: Path) -> None:
        context = get_context("spawn")
        near, far = context.Pipe()
        self._process = context.Process(target=serve, args=(folder, far), daemon=True)
        self._process.start()
        self._pipe = near
        self._port, secret = near.recv()
        self._taken = 0
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{secret}:".encode()).decode(),
        }

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def busy_ms(self) -> float:
        """Return the processor time that the server spent on a batch, in milliseconds."""
        self._pipe.send(None)
        seconds: float = self._pipe.recv()
        return 1000 * seconds / self._taken

    def take(self, bodies: list[bytes]) -> None:
        """Send every body, over a few connections at once."""
        self._taken += len(bodies)
        failures: list[BaseException] = []
        threads = [
            threading.Thread(target=self._send, args=(bodies[place::CONNECTIONS], failures))
            for place in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _send(self, bodies: list[bytes], failures: list[BaseException]) -> None:
        connection = HTTPConnection("127.0.0.1", self._port)
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


def serve_ours(folder: Path, ready: Connection) -> None:
    """Serve the API over a new workspace."""
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC"))
    workspace = Workspace.open(folder, clock=SystemClock())
    now = workspace.clock.now()
    secret = ApiKeys(workspace.ledger).create("bench", source="web", scopes=[Scope.EVENTS], at=now)
    workspace.book.save_people(Person(_known(place)) for place in range(PEOPLE))
    _serve(build_api(LedgerIntake(workspace)), ready, secret)


def serve_bare(folder: Path, ready: Connection) -> None:
    """Serve what only parses a batch and inserts it, kept as safely as ours."""
    numbers = count()
    local = threading.local()
    turn = threading.Lock()

    def insert(calls: list[dict[str, Any]]) -> None:
        if not hasattr(local, "con"):
            local.con = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
            local.con.execute("PRAGMA synchronous=FULL")
        rows = [
            (number + 1, "web", c["messageId"], c["type"], c.get("userId"), json.dumps(c))
            for number, c in enumerate(calls, start=next(numbers) * EVENTS_A_BATCH)
        ]
        marks = ",".join(["(?,?,?,?,?,?)"] * len(rows))
        values = [value for row in rows for value in row]
        with turn:
            local.con.execute(f"INSERT OR IGNORE INTO event VALUES {marks}", values)

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        insert(json.loads(environ["wsgi.input"].read())["batch"])
        body = b'{"success":true}'
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with sqlite3.connect(folder / "bare.sqlite3") as con:
        con.execute("PRAGMA journal_mode=WAL")
        con.execute(
            "CREATE TABLE event (id INTEGER PRIMARY KEY, source TEXT, message_id TEXT, type TEXT, "
            "person TEXT, payload TEXT, UNIQUE (source, message_id))"
        )
    _serve(application, ready, "")


def _serve(application: Application, ready: Connection, secret: str) -> None:
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=THREADS)
    ready.send((server.effective_port, secret))
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


def _call(number: int) -> dict[str, Any]:
    """Return one of a shop's calls: 70 % views, 10 % cards, 15 % other doings, 5 % orders.

    Half are by customers who are known, a quarter by new ones, and a quarter by visitors who
    have not said who they are; these only look around.
    """
    kind = number % 20
    call: dict[str, Any] = {
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
