"""The whole way out, against a loop that does nothing but hand over.

Messages wait in a real ledger; the dispatcher claims them, asks the gate, looks up the
profile, writes the letter from its template, marks, hands over and writes down. What the
engine would have done before is inserted row by row, outside the time that counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bench.dispatch import (
    CONNECTIONS,
    HOST,
    HTML,
    MESSAGES,
    SUBJECT,
    TEXT,
    Prepare,
    measure_against_bare_loop,
)
from bench.measure import Result, compare
from bench.post_office import running_post_office
from bench.servers import postgresql
from bench.worlds import WORK, orders_file
from rekindle.channels.email.settings import (
    EmailSettings,
    HttpSettings,
    PostmarkSettings,
    SmtpSettings,
)
from rekindle.clock import MovableClock
from rekindle.config import Config, SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.journeys import JourneyVersion, parse_journey
from rekindle.journeys.population.live import LiveAudience
from rekindle.ledger import models
from rekindle.messages import Message
from rekindle.runtime import Workspace
from rekindle.worker.composing import Composer
from rekindle.worker.dispatching import build_dispatcher

NOW = datetime(2023, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROUNDS = 3
POSTED = 2000
CUSTOMERS = 20_000
FIRST_NAMES = 400
JOURNEY = """\
journey: bench
enter: {audience: tier = 'lapsed'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: bench}
"""
# The starter's letter, with a sentence that takes a column of the profile.
SENTENCE = "<p>Thank you for {{ orders_count }} orders so far.</p>\n          <p>Warm wishes"


def dispatch_sqlite() -> Result:
    """Dispatch from a ledger in SQLite."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        return _measure(Path(folder), "sqlite:///state/ledger.sqlite3", "SQLite")


def dispatch_postgresql() -> Result:
    """Dispatch from a ledger in PostgreSQL, on this machine as well."""
    with postgresql() as url, tempfile.TemporaryDirectory(dir=WORK) as folder:
        return _measure(Path(folder), url, "PostgreSQL")


def dispatch_http() -> Result:
    """Dispatch from a ledger in SQLite through a provider's HTTP interface."""
    note = f"dispatching {POSTED:,} e-mails from SQLite over HTTP ÷ a bare loop"
    os.environ["REKINDLE_POSTMARK_SERVER_TOKEN"] = "bench"
    with running_post_office() as office, tempfile.TemporaryDirectory(dir=WORK) as folder:
        email = EmailSettings(
            outlet="email_postmark",
            postal_address="1 Bench Street",
            http=HttpSettings(connections=CONNECTIONS),
            postmark=PostmarkSettings(api_url=office.url),
        )
        space = _workspace(Path(folder) / "shop", "sqlite:///state/ledger.sqlite3", email)
        dispatch = _dispatch(space, POSTED)
        result = compare(
            dispatch, lambda: _post_bare(office.url), rounds=ROUNDS, limit=2, note=note
        )
        taken = office.tally()
    del taken[""]
    if len(taken) != taken.total() or len(taken) != ROUNDS * POSTED:
        raise RuntimeError(f"{taken.total()} deliveries of {len(taken)} messages")
    rates = [f"{POSTED / seconds:,.0f}/s" for seconds in (result.ours, result.baseline)]
    return replace(result, note=f"{note} ({rates[0]} against {rates[1]})")


def _post_bare(url: str) -> None:
    """Post one prepared body again and again over as many connections."""
    body = {"To": "a@example.com", "Subject": SUBJECT, "HtmlBody": HTML, "TextBody": TEXT}

    def post(messages: int) -> None:
        with requests.Session() as session:
            for _ in range(messages):
                session.post(f"{url}/email", json=body).json()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for _ in threads.map(post, [POSTED // CONNECTIONS] * CONNECTIONS):
            pass


def _measure(folder: Path, url: str, database: str) -> Result:
    note = f"dispatching {MESSAGES:,} e-mails from {database} over SMTP ÷ a bare loop"
    return measure_against_bare_loop(_prepare(folder / "shop", url), note=note)


def _prepare(folder: Path, url: str) -> Prepare:
    def prepare(port: int) -> tuple[Callable[[], object], Message]:
        smtp = SmtpSettings(host=HOST, port=port, security="none", connections=CONNECTIONS)
        email = EmailSettings(outlet="email_smtp", postal_address="1 Bench Street", smtp=smtp)
        space = _workspace(folder, url, email)
        return _dispatch(space, MESSAGES), _sample(space)

    return prepare


def _dispatch(space: Workspace, messages: int) -> Callable[[], object]:
    """Return what dispatches so many messages at each call."""
    clock = space.clock
    assert isinstance(clock, MovableClock)
    _fill(space, messages)
    audience = LiveAudience(space)
    audience.profiles(NOW)  # the engine's tick has asked it already

    def dispatch() -> None:
        clock.move(HOUR)
        report = build_dispatcher(space, Composer(space, audience).compose, audience).run()
        if report.accepted != messages:
            raise RuntimeError(f"{report}: {messages} were waiting")

    return dispatch


def _sample(space: Workspace) -> Message:
    """Return one of the messages that wait, as it would be handed over."""
    claimed = space.outbox.claim(NOW + HOUR, worker="bench", lease=HOUR, limit=1)
    written = Composer(space, LiveAudience(space)).compose(claimed)[claimed[0].key]
    space.outbox.release(claimed)
    if not isinstance(written, Message):
        raise RuntimeError(f"no message can be written: {written}")
    return written


def _workspace(folder: Path, url: str, email: EmailSettings) -> Workspace:
    orders = orders_file(CUSTOMERS, 10 * CUSTOMERS, days=1095)
    columns = ("order_id", "customer_id", "ordered_at", "gross", "discount", "refund")
    source = SourceSettings(
        name="shop", table="orders", path=str(orders), columns={name: name for name in columns}
    )
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC", sources=(source,)))
    letter = (folder / "templates" / "check-in.mjml").read_text(encoding="utf-8")
    letter = letter.replace("<p>Warm wishes", SENTENCE)
    (folder / "templates" / "bench.mjml").write_text(letter, encoding="utf-8")
    opened = Workspace.open(folder, clock=MovableClock(NOW))
    config: Config = opened.config.model_copy(
        update={"email": email, "ledger": opened.config.ledger.model_copy(update={"url": url})}
    )
    space = Workspace(folder, config, opened.clock)
    space.import_facts()
    return space


def _fill(space: Workspace, messages: int) -> None:
    """Queue ``ROUNDS`` times so many messages, each round an hour after the other."""
    journey = parse_journey(JOURNEY, name_hint="bench")
    space.book.start(JourneyVersion(journey, 1, 0.0, "bench", NOW))
    numbers = range(ROUNDS * messages)
    _insert(space, models.Person, ({
        "id": f"c{number}",
        "address": f"customer{number}@example.com",
        "country": "GB",
        "properties": {"first_name": f"Name{number % FIRST_NAMES}", "last_name": f"No{number}"},
    } for number in numbers))  # fmt: skip
    _insert(space, models.Consent, ({
        "person_id": f"c{number}", "channel": "email", "granted": True, "at": NOW, "source": "b"
    } for number in numbers))  # fmt: skip
    _insert(space, models.Enrolment, ({
        "id": number + 1, "person_id": f"c{number}", "journey": "bench", "version": 1,
        "rotation": 0, "arm": "treatment", "entered_at": NOW, "last_order_at": NOW - 999 * HOUR,
        "ended_at": NOW, "ended_reason": "finished",
    } for number in numbers))  # fmt: skip
    _insert(space, models.Touch, ({
        "enrolment_id": number + 1, "person_id": f"c{number}", "version": 1, "step": "bench",
        "channel": "email", "template": "bench", "at": NOW, "state": "queued",
        "is_marketing": True, "not_before": NOW + HOUR * (1 + number // messages),
        "expires_at": NOW + 72 * HOUR, "cost_micros": 1000,
    } for number in numbers))  # fmt: skip


def _insert(space: Workspace, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    values = (model(**row) for row in rows)
    model.objects.using(space.ledger).bulk_create(values, batch_size=2000)
