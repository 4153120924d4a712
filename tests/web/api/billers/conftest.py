"""A biller, a workspace that it bills for on either database, and what posts its notices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from rekindle.clock import MovableClock
from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller, running_biller, sign_notice
from rekindle.web.api import build_api
from rekindle.worker import BillerNotices
from tests.ledger.conftest import postgres, postgres_ledger, sqlite_template  # noqa: F401 - fixtures
from tests.web.api.billers.receiver import SECRET, Receiver, listening
from tests.web.api.caller import serving
from tests.web.api.fake_intake import FakeIntake

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = """[workspace]
currency = "USD"
[ledger]
url = "{url}"
[billing]
provider = "stripe"
url = "{biller}"
customer_key = "user_id"
access_url = "{access}"
"""


@pytest.fixture
def fake() -> Iterator[FakeBiller]:
    with running_biller(MovableClock(NOW)) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Yield the business's own system."""
    with listening() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def space(
    request: pytest.FixtureRequest,
    fake: FakeBiller,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workspace]:
    monkeypatch.setenv("REKINDLE_STRIPE_KEY", "sk_test_fake")
    monkeypatch.setenv("REKINDLE_STRIPE_WEBHOOK_SECRET", "whsec_test")
    monkeypatch.setenv("REKINDLE_WEBHOOK_SECRET", SECRET)
    url = "sqlite:///state/ledger.sqlite3"
    if request.param == "postgres":
        request.getfixturevalue("postgres")
        url = request.getfixturevalue("postgres_url")
    else:
        (tmp_path / "state").mkdir()
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "state" / "ledger.sqlite3")
    (tmp_path / "rekindle.toml").write_text(
        SETTINGS.format(url=url, biller=fake.url, access=receiver.url)
    )
    workspace = Workspace.open(tmp_path, clock=fake.world.clock)
    yield workspace
    if request.param == "sqlite":
        disconnect(workspace.ledger)


Post = Callable[..., tuple[int, Any]]


@pytest.fixture
def post(space: Workspace, fake: FakeBiller) -> Iterator[Post]:
    """Yield what signs an event and posts it, as the biller does."""
    with serving(build_api(FakeIntake(), notices=BillerNotices(space))) as port:

        def send(event: Any, *, secret: str = "whsec_test", body: bytes = b"") -> tuple[int, Any]:
            headers, signed = sign_notice(secret, event, fake.world.clock.now())
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("POST", "/v1/notices/stripe", body or signed, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            connection.close()
            return answer.status, said

        yield send
