"""How long somebody waits who asks what they are to see, among 100,000 for whom something is kept.

``python -m bench.asking`` prints the middle of a thousand questions on each database. It is no
benchmark with a limit: what it measures is a handful of look-ups by index.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.servers import postgresql
from rekindle.clock import MovableClock, stopwatch
from rekindle.desk import create_workspace
from rekindle.desk.scaffolding import Scaffold
from rekindle.journeys import JourneyVersion, parse_journey
from rekindle.ledger import disconnect, models
from rekindle.runtime import Workspace
from rekindle.worker import LedgerShowing

PEOPLE, QUESTIONS, CHUNK = 100_000, 1000, 5000
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
JOURNEY = """\
journey: hello
enter: {audience: orders_count >= 1}
goal: {on: order, within: 60 days}
holdout: none
stale_after: 10 days
steps:
  - send: {channel: inapp, template: hello}
"""


@contextmanager
def shop(url: str | None) -> Iterator[Workspace]:
    """Yield a workspace on a database, with one message kept for everybody."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop"
        path.mkdir()
        create_workspace(path, Scaffold("Shop", "EUR", "Europe/Berlin", ()))
        settings = path / "rekindle.toml"
        text = settings.read_text(encoding="utf-8") + '\n[inapp]\noutlet = "inapp_kept"\n'
        if url is not None:
            text = text.replace("sqlite:///state/ledger.sqlite3", url)
        settings.write_text(text, encoding="utf-8")
        space = Workspace.open(path, clock=MovableClock(NOW))
        journey = parse_journey(JOURNEY)
        space.book.start(JourneyVersion(journey, 1, 0.0, "hello", NOW, NOW))
        for start in range(0, PEOPLE, CHUNK):
            _fill(space.ledger, range(start, start + CHUNK))
        yield space
        disconnect(space.ledger)


def _fill(alias: str, numbers: range) -> None:
    """Keep one message for each of these people."""
    models.Person.objects.using(alias).bulk_create(
        models.Person(id=f"p{n}", address=f"p{n}@example.com", country="DE") for n in numbers
    )
    enrolments = models.Enrolment.objects.using(alias).bulk_create(
        models.Enrolment(
            person_id=f"p{n}",
            journey="hello",
            version=1,
            rotation=0,
            arm="treatment",
            entered_at=NOW,
            ended_at=NOW,
            ended_reason="finished",
        )
        for n in numbers
    )
    until = NOW + timedelta(days=10)
    touches = models.Touch.objects.using(alias).bulk_create(
        models.Touch(
            enrolment=one,
            person_id=one.person_id,
            version=1,
            step="hello",
            channel="inapp",
            template="hello",
            at=NOW,
            state="accepted",
            is_marketing=True,
            not_before=NOW,
            expires_at=until,
            accepted_at=NOW,
        )
        for one in enrolments
    )
    parts = json.dumps({"title": "Hello", "body": "Your size is back.", "url": "/back"})
    models.Kept.objects.using(alias).bulk_create(
        models.Kept(touch=one.pk, person_id=one.person_id, parts=parts, until=until)
        for one in touches
    )


def ask(space: Workspace) -> tuple[float, float]:
    """Return the milliseconds of a question with an answer, and of one without."""
    showing = LedgerShowing(space)
    return _middle(showing, "p"), _middle(showing, "nobody")


def _middle(showing: LedgerShowing, prefix: str) -> float:
    taken = []
    for number in range(QUESTIONS):
        user = f"{prefix}{number * 7919 % PEOPLE}"
        elapsed = stopwatch()
        found = showing.ask(user, "web")
        taken.append(elapsed() * 1000)
        assert (found is not None) is (prefix == "p"), user
    return statistics.median(taken)


def main() -> None:
    """Print both figures for each database."""
    with shop(None) as space:
        print("sqlite: {:.2f} ms, nothing {:.2f} ms".format(*ask(space)))
    with postgresql() as url, shop(url) as space:
        print("postgresql: {:.2f} ms, nothing {:.2f} ms".format(*ask(space)))


if __name__ == "__main__":
    main()
