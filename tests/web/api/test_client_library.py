"""Segment's own Python client works unchanged: batches, repetitions, a ledger that is away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from segment.analytics.client import Client

from rekindle.clock import SystemClock
from rekindle.errors import LedgerError
from rekindle.intake import Event
from rekindle.ledger import History
from rekindle.ledger.intake_models import Event as Row
from rekindle.ledger.models import Person
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake
from tests.web.api.caller import serving


class FlakyIntake(LedgerIntake):
    """Fails for the first so many batches: before anything was kept, or after all was."""

    def __init__(self, workspace: Workspace, *, before: int = 0, after: int = 0) -> None:
        super().__init__(workspace)
        self.before, self.after = before, after

    def take(self, source: str, events: Sequence[Event], at: datetime) -> frozenset[str]:
        if self.before:
            self.before -= 1
            raise LedgerError("the ledger is away")
        taken = super().take(source, events, at)
        if self.after:
            self.after -= 1
            raise LedgerError("the answer was lost")
        return taken


@contextmanager
def client(intake: LedgerIntake, secret: str, **settings: Any) -> Iterator[Client]:
    failures: list[Any] = []
    with serving(build_api(intake)) as port:
        host = f"http://127.0.0.1:{port}"
        yield (made := Client(secret, host=host, on_error=failures.append, **settings))
        made.join()
    assert failures == []


@pytest.fixture
def today(space: Workspace) -> Workspace:
    """Return the workspace in the present, in which the client lives."""
    space.clock = SystemClock()
    return space


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_what_the_client_reports_is_kept_and_understood(
    today: Workspace, secret: str, gzip: bool
) -> None:
    with client(LedgerIntake(today), secret, gzip=gzip) as analytics:
        analytics.identify("ada", {"email": "ada@example.com", "firstName": "Ada"})
        analytics.page("ada", name="Home")
        analytics.screen("ada", name="Start")
        analytics.group("ada", "team")
        analytics.alias("visitor", "ada")
        for number in range(250):
            analytics.track("ada", "Product Viewed", {"sku": number})
        analytics.flush()
    rows = Row.objects.using(today.ledger)
    assert rows.count() == 255
    assert rows.filter(name="product_viewed").count() == 250
    assert rows.filter(deed="visit").count() == 2
    assert Person.objects.using(today.ledger).get(pk="ada").address == "ada@example.com"


@pytest.mark.draws(2)
@pytest.mark.parametrize("lost", [{"before": 1}, {"after": 1}], ids=["before", "after"])
def test_a_batch_that_is_sent_again_counts_once(
    today: Workspace, secret: str, lost: dict[str, int]
) -> None:
    with client(FlakyIntake(today, **lost), secret, max_retries=3) as analytics:
        for number in range(20):
            analytics.track("ada", "Product Viewed", {"sku": number})
        analytics.flush()
    assert Row.objects.using(today.ledger).count() == 20
    assert len(History(today.ledger).signals_of("ada")) == 20


def test_a_message_id_that_comes_twice_counts_once(today: Workspace, secret: str) -> None:
    with client(LedgerIntake(today), secret) as analytics:
        for _ in range(3):
            analytics.track("ada", "Cart Abandoned", message_id="m1")
        analytics.flush()
    assert Row.objects.using(today.ledger).count() == 1
