"""From a purchase that the API accepted to the last moment at which a message could leave.

An API server, a dispatcher and a mail server that notes when each message arrives, all at
work at once, with other events coming in all the while. Half of the purchases are made by
people whose message is about to leave.
"""

from __future__ import annotations

import json
import random
import resource
import socket
import statistics
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from aiosmtpd.controller import Controller

from bench.measure import MB, Result
from bench.servers import postgresql
from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.clock import SystemClock
from rekindle.config import LedgerSettings, PortalSettings
from rekindle.consent import ConsentRecord
from rekindle.desk import Scaffold, create_workspace
from rekindle.gate import HouseRules
from rekindle.journeys import JourneyEngine, JourneyVersion, Person, parse_journey
from rekindle.ledger import ApiKeys, OutboxMessage, Scope
from rekindle.messages import Address, AddressKind, Message
from rekindle.runtime import Workspace
from rekindle.testing.audiences import FixedAudience
from rekindle.vocabulary import Channel, Reason
from rekindle.web.serving import build_server
from rekindle.worker.dispatching import Dispatcher, LastLook, Means

PEOPLE = 6_000
PURCHASES = 300
EVENTS_A_SECOND = 200
EVENTS_A_BATCH = 20
NEAR = 60
CONNECTIONS = 2
LIMIT_SECONDS = 1.0
HOST = "127.0.0.1"
JOURNEY = """\
journey: stopping
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
exit: [order]
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 5 days
  - send: {channel: email, template: nudge}
"""


def stopping() -> Result:
    """Return how long after a purchase the last message to that person arrived."""
    with postgresql() as url, tempfile.TemporaryDirectory() as folder:
        space = open_shop(Path(folder) / "shop", url)
        with _mail_server() as arrivals, _at_work(space, arrivals.port) as server:
            queue = [one.person for one in space.history.messages_of("stopping")]
            found = [buy(space, server, who) for who in _buyers(queue, arrivals)]
            sleep(2)
        late = sorted(_lateness(arrivals, one) for one in found)
        asked = sorted(one.answered_at - one.asked_at for one in found)
    if not all(one.has_ended for one in found):
        raise RuntimeError("a purchase was accepted and its enrolment had not ended")
    after = sum(seconds > 0 for seconds in late)
    note = (
        f"{len(found)} purchases under {EVENTS_A_SECOND} events/s, PostgreSQL: the last message "
        f"arrived {_spread(late)} after the API's 200 ({after} arrived after it at all); the "
        f"enrolment had ended by the 200, {_spread(asked)} after the request"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    # The ratio is the worst itself: seconds, against a limit in seconds.
    worst, middle = round(late[-1], 3), round(statistics.median(late), 3)
    return Result(worst, middle, worst, "seconds", round(peak), LIMIT_SECONDS, note)


@dataclass
class Arrivals:
    """A mail server's handler: notes when each address was written to."""

    port: int
    times: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message."""
        self.times[envelope.rcpt_tos[0].partition("@")[0]] = perf_counter()
        return "250 taken"


@dataclass(frozen=True)
class Purchase:
    """One purchase: when it was reported, when the API had answered, and whether it ended."""

    person: str
    asked_at: float
    answered_at: float
    has_ended: bool


class Server:
    """The API, as a shop's site talks to it over one kept connection."""

    def __init__(self, port: int, secret: str) -> None:
        self._port = port
        self._numbers = count()
        word = b64encode(f"{secret}:".encode()).decode()
        self._headers = {"Content-Type": "application/json", "Authorization": f"Basic {word}"}

    @cached_property
    def _connection(self) -> HTTPConnection:
        return HTTPConnection(HOST, self._port, timeout=30)

    def report(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Send a batch and wait for the answer.

        Raises:
            RuntimeError: the API did not take all of it.
        """
        named = [{**call, "messageId": f"{id(self)}-{next(self._numbers)}"} for call in calls]
        body = json.dumps({"batch": named})
        self._connection.request("POST", "/v1/batch", body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b"refused" in text:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")


def name_of(number: int) -> str:
    """Return a person's id."""
    return f"p{number:05}"


def buy(space: Workspace, server: Server, person: str) -> Purchase:
    """Report a purchase of ``person``, and look at once whether it ended the enrolment."""
    properties = {"order_id": f"o-{person}", "revenue": 20}
    call = {"type": "track", "event": "Order Completed", "userId": person}
    asked_at = perf_counter()
    server.report([{**call, "properties": properties}])
    answered_at = perf_counter()
    (entry,) = space.history.enrolments_of_person(person)
    return Purchase(person, asked_at, answered_at, entry.ended_reason is Reason.ORDER)


def open_shop(folder: Path, url: str) -> Workspace:
    """Return a workspace on PostgreSQL in which everybody is about to be written to."""
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC"))
    opened = Workspace.open(folder, clock=SystemClock())
    change = {"ledger": LedgerSettings(url=url), "portal": PortalSettings(listen=f"{HOST}:0")}
    space = Workspace(folder, opened.config.model_copy(update=change), opened.clock)
    at, names = space.clock.now(), [name_of(number) for number in range(PEOPLE)]
    space.book.save_people(Person(one, f"{one}@example.com", "GB") for one in names)
    space.book.save_consent(ConsentRecord(one, Channel("email"), True, at, "b") for one in names)
    journey = parse_journey(JOURNEY, name_hint="stopping")
    space.book.start(JourneyVersion(journey, 1, holdout_share=0.0, salt="bench", started_at=at))
    JourneyEngine(space.book, FixedAudience(names), rules=HouseRules(), cost=space.cost).tick(at)
    return space


def serve_api(space: Workspace, line: Connection) -> None:
    """Serve the API; the target of a process."""
    now = space.clock.now()
    secret = ApiKeys(space.ledger).create("bench", source="web", scopes=[Scope.EVENTS], at=now)
    server = build_server(space)
    line.send((server.effective_port, secret))
    server.run()


def dispatch(space: Workspace, port: int, line: Connection) -> None:
    """Send what waits, again and again, once told to; the target of a process."""
    smtp = SmtpSettings(host=HOST, port=port, security="none", connections=CONNECTIONS)
    settings = EmailSettings(outlet="email_smtp", smtp=smtp)
    outlet = build_outlet("email_smtp", settings, base=space.directory, secrets={})
    look = LastLook(space.book, HouseRules(), FixedAudience())
    means = Means(compose, look, space.clock, connections=CONNECTIONS)
    dispatcher = Dispatcher(space.outbox, outlet, means)
    line.send("ready")
    line.recv()
    while True:
        dispatcher.run()
        sleep(0.05)


PARTS = {
    "subject": "It has been a while",
    "html": "<p>Come and see.</p>",
    "text": "Come and see.",
}


def compose(messages: Sequence[OutboxMessage]) -> dict[str, Any]:
    """Return a short mail for each message."""
    return {
        one.key: Message(
            key=one.key,
            channel=one.channel,
            person=one.person,
            address=Address(AddressKind.EMAIL, one.address),
            parts=PARTS,
            at=one.created_at,
        )
        for one in messages
    }


def load(server: Server, is_over: threading.Event) -> None:
    """Report what other people look at, at a steady rate."""
    start = perf_counter()
    for number in count():
        if is_over.wait(max(number * EVENTS_A_BATCH / EVENTS_A_SECOND - perf_counter() + start, 0)):
            return
        server.report([_view(number * EVENTS_A_BATCH + place) for place in range(EVENTS_A_BATCH)])


def _view(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": f"visitor-{number % 997}",
        "properties": {"product_id": "p1"},
    }


def _buyers(queue: Sequence[str], arrivals: Arrivals) -> Iterator[str]:
    """Yield who buys next, while messages arrive: anyone, or someone close to their turn."""
    rng, bought = random.Random(11), set[str]()
    while len(bought) < PURCHASES and len(arrivals.times) < PEOPLE - PURCHASES - NEAR:
        sleep(rng.uniform(0, 0.03))
        # Those who bought have left the queue; whoever is next stands further back by them.
        turn = len(arrivals.times) + len(bought) // 2
        place = turn + rng.randrange(NEAR) if rng.random() < 0.5 else rng.randrange(PEOPLE)
        if (person := queue[place]) not in bought:
            bought.add(person)
            yield person


def _spread(seconds: Sequence[float]) -> str:
    """Return the middle, the 99th percentile and the worst of sorted ``seconds``."""
    picks = {
        "p50": statistics.median(seconds),
        "p99": seconds[int(len(seconds) * 0.99)],
        "at worst": seconds[-1],
    }
    return ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in picks.items())


def _lateness(arrivals: Arrivals, one: Purchase) -> float:
    return max(arrivals.times.get(one.person, 0.0) - one.answered_at, 0.0)


@contextmanager
def _mail_server() -> Iterator[Arrivals]:
    with socket.socket() as asked:  # the controller cannot choose one by itself
        asked.bind((HOST, 0))
        arrivals = Arrivals(asked.getsockname()[1])
    controller = Controller(arrivals, hostname=HOST, port=arrivals.port)
    controller.start()
    yield arrivals
    controller.stop()


@contextmanager
def _at_work(space: Workspace, port: int) -> Iterator[Server]:
    """Run the API and the dispatcher, each in a process of its own, and the other events."""
    context = get_context("spawn")
    (web_line, web_end), (post_line, post_end) = context.Pipe(), context.Pipe()
    work = [
        context.Process(target=serve_api, args=(_bare(space), web_end), daemon=True),
        context.Process(target=dispatch, args=(_bare(space), port, post_end), daemon=True),
    ]
    for process in work:
        process.start()
    web_port, secret = web_line.recv()
    post_line.recv()
    is_over = threading.Event()
    others = threading.Thread(target=load, args=(Server(web_port, secret), is_over))
    others.start()
    post_line.send("go")
    try:
        yield Server(web_port, secret)
    finally:
        is_over.set()
        others.join()
        for process in work:
            process.kill()
            process.join()


def _bare(space: Workspace) -> Workspace:
    """Return the workspace without what another process opens for itself."""
    return Workspace(space.directory, space.config, space.clock)
