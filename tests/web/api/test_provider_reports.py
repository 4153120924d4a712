"""What a provider posts changes something once, where it is signed, and nothing otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from rekindle.clock import MovableClock
from rekindle.journeys import Person
from rekindle.ledger import models
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake, ProviderReports
from tests.channels.providers.payloads import NOW, REPORTERS
from tests.web.api.caller import serving

WHO = ("mailgun", "postmark", "resend", "sendgrid")


@pytest.fixture
def port(space: Workspace, intake: LedgerIntake, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve a workspace that hears four providers, at the time they speak of."""
    for name, secret in (
        ("MAILGUN_WEBHOOK_SIGNING_KEY", "mailgun"),
        ("POSTMARK_WEBHOOK_SECRET", "postmark"),
        ("RESEND_SIGNING_SECRET", "resend"),
        ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY", "sendgrid"),
    ):
        monkeypatch.setenv(f"REKINDLE_{name}", REPORTERS[secret].secret)
    assert isinstance(space.clock, MovableClock)
    space.clock.set(NOW)
    space.book.save_people([Person("ann", "ann@example.com", "GB")])
    with serving(build_api(intake, reports=ProviderReports(space))) as port:
        yield port


def post(port: int, outlet: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    given = {"Content-Type": "application/json", **headers}
    connection.request("POST", f"/v1/reports/email_{outlet}", body, given)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, json.loads(said)


def kept(space: Workspace) -> tuple[int, int]:
    """Return how many reports and suppressions are on record."""
    alias = space.ledger
    reports = models.Delivery.objects.using(alias).count()
    return reports, models.Suppression.objects.using(alias).count()


@pytest.mark.parametrize("name", WHO)
def test_a_report_counts_once_and_a_forged_one_not_at_all(
    port: int, space: Workspace, name: str
) -> None:
    reporter = REPORTERS[name]
    whole = json.dumps(reporter.events["bounced"]).encode()
    body, headers = reporter.sign(reporter.secret, whole)

    bare = whole if name == "mailgun" else body
    assert post(port, name, bare, {})[0] == 403
    cut, cut_headers = reporter.sign(reporter.secret, whole[: len(whole) // 2])
    assert post(port, name, cut, cut_headers)[0] in {400, 403}
    assert post(port, name, b"x" * 1_100_000, headers)[0] == 413
    assert kept(space) == (0, 0)

    assert post(port, name, body, headers) == (200, {"success": True, "new": 1})
    assert post(port, name, body, headers) == (200, {"success": True, "new": 0})
    assert kept(space) == (1, 1)


def test_what_is_told_out_of_order_of_messages_nobody_knows_ends_the_same(
    port: int, space: Workspace
) -> None:
    reporter = REPORTERS["postmark"]
    for word in ("complained", "opened", "bounced", "delivered"):
        body, headers = reporter.sign(reporter.secret, json.dumps(reporter.events[word]).encode())
        assert post(port, "postmark", body, headers)[1]["new"] == 1
    found = models.Suppression.objects.using(space.ledger).values_list("reason", flat=True)
    assert set(found) == {"complaint", "bounce"}


@pytest.mark.parametrize("word", ["not now", "ours"])
def test_a_full_mailbox_and_a_fault_of_ours_write_nobody_off(
    port: int, space: Workspace, word: str
) -> None:
    reporter = REPORTERS["postmark"]
    body, headers = reporter.sign(reporter.secret, json.dumps(reporter.events[word]).encode())
    assert post(port, "postmark", body, headers)[0] == 200
    assert kept(space) == (1, 0)
    assert not models.Signal.objects.using(space.ledger).exists()


def test_a_provider_without_a_secret_is_heard_nowhere(port: int) -> None:
    assert post(port, "brevo", b"{}", {})[0] == 404
