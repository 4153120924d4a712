"""A whole shop writes through a provider, is refused for a fault of its own, and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.ledger import Stops, models
from rekindle.messages import WebhookRequest
from rekindle.worker import ProviderReports, load_overview
from tests.channels.providers.payloads import REPORTERS
from tests.runtime.conftest import imported_shop  # noqa: F401 - a fixture
from tests.runtime.shops import Team, add_section, set_key
from tests.servers.recording import Answer, Recorded, RecordingServer

SECRET = REPORTERS["postmark"].secret


def taken(request: Recorded) -> Answer:
    """Take a message as Postmark does, and call it by our key."""
    told = request.json()
    name = told["Metadata"]["touch"][:20]
    return Answer(200, {"To": told["To"], "MessageID": name, "ErrorCode": 0, "Message": "OK"})


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer("/", taken)
        yield server


@pytest.fixture
def team(
    imported_shop: Path,  # noqa: F811
    tmp_path: Path,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Team]:
    """Yield a team whose shop writes to everyone through Postmark."""
    monkeypatch.setenv("REKINDLE_POSTMARK_SERVER_TOKEN", "t0ken")
    monkeypatch.setenv("REKINDLE_POSTMARK_WEBHOOK_SECRET", SECRET)
    Team.copy(imported_shop, tmp_path / "shop")
    set_key(tmp_path / "shop", "outlet", '"email_postmark"')
    add_section(tmp_path / "shop", f'[email.postmark]\napi_url = "{server.url}"\n')
    team = Team.at_work(tmp_path / "shop")
    yield team
    team.leave()


@pytest.mark.long
def test_a_shop_writes_through_a_provider_over_kept_connections(
    team: Team, server: RecordingServer
) -> None:
    team.start("few")
    sent = team.tick().sent.accepted
    assert sent == len(server.requests) > 3
    assert server.connections_count <= 2
    assert len({one.json()["Metadata"]["touch"] for one in server.requests}) == sent
    assert team.tick().sent.outcomes == {}


@pytest.mark.long
def test_a_key_that_was_revoked_stops_the_shop_and_is_mended(
    team: Team, server: RecordingServer
) -> None:
    server.answer("/", Answer(401, {"ErrorCode": 10, "Message": "no valid token"}))
    team.start("few")
    stopped = team.tick().sent
    assert set(stopped.outcomes) == {"ours to mend"}
    assert len(server.requests) <= 2
    assert "t0ken" not in stopped.trouble
    tried = len(server.requests)
    team.leave()
    team = Team.at_work(team.folder, team.clock.now())  # another process, after a restart
    assert team.tick(after=timedelta(minutes=1)).sent.outcomes == {}
    assert len(server.requests) == tried
    problems = [one.found for one in load_overview(team.workspace).problems]
    assert any("email_postmark sends nothing" in one for one in problems)
    assert not models.Suppression.objects.using(team.workspace.ledger).exists()

    server.answer("/", taken)
    stops = Stops(team.workspace.ledger)
    stops.resume("email_postmark", team.clock.now(), who="ann")
    assert team.tick(after=timedelta(minutes=1)).sent.accepted > 3
    assert stops.all() == {}


def test_a_bounce_that_the_provider_reports_is_acted_on_once(
    team: Team, server: RecordingServer
) -> None:
    team.start("few")
    team.tick()
    told = server.requests[0].json()
    key, to = told["Metadata"]["touch"], told["To"]
    bounce = {
        **REPORTERS["postmark"].events["bounced"],
        "MessageID": key[:20],
        "Email": to.rpartition("<")[2].strip(">"),
        "Metadata": {"touch": key},
    }
    reports = ProviderReports(team.workspace)
    assert "email_postmark" in reports.outlets
    assert "email_mailgun" not in reports.outlets, "nobody set its key"
    body, headers = REPORTERS["postmark"].sign(SECRET, json.dumps(bounce).encode())
    request = WebhookRequest(headers, body, team.clock.now(), "https://shop.example/")
    assert [reports.take("email_postmark", request) for _ in range(2)] == [1, 0]
    found = models.Suppression.objects.using(team.workspace.ledger)
    assert [one.reason for one in found] == ["bounce"]
