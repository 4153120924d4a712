"""Mails about mails: what servers send back is read, and believed only with the key."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

import pytest

from rekindle.channels import find_outlet
from rekindle.channels.email.settings import REPORTS_KEY, EmailSettings
from rekindle.errors import EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
SENT = datetime(2026, 5, 4, 8, tzinfo=UTC)
KEY = "a" * 64


def bounce(action: str = "failed", status: str = "5.1.1", code: str = "550 5.1.1 unknown") -> bytes:
    return dedent(f"""\
        From: MAILER-DAEMON@mx.example
        Date: Mon, 04 May 2026 08:00:00 +0000
        Content-Type: multipart/report; report-type=delivery-status; boundary="x"

        --x
        Content-Type: text/plain

        It did not work.
        --x
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example

        Final-Recipient: rfc822; ann@example.com
        Action: {action}
        Status: {status}
        Diagnostic-Code: smtp; {code}

        --x
        Content-Type: text/rfc822-headers

        Message-ID: <{KEY}@example.com>
        Subject: Hello

        --x--
        """).encode()


COMPLAINT = dedent(f"""\
    From: fbl@mail.example
    Date: Mon, 04 May 2026 08:00:00 +0000
    Content-Type: multipart/report; report-type=feedback-report; boundary="x"

    --x
    Content-Type: message/feedback-report

    Feedback-Type: abuse
    Original-Rcpt-To: <ann@example.com>

    --x
    Content-Type: message/rfc822

    Message-ID: <{KEY}@example.com>
    Subject: Hello

    Hello
    --x--
    """).encode()


def read(body: bytes, key: str = "the key", given: str = "Bearer the key") -> list[DeliveryEvent]:
    _, entry = find_outlet("email_smtp")
    assert entry.webhook is not None
    webhook = entry.webhook(EmailSettings(), secrets={REPORTS_KEY: key})
    return list(webhook.read(WebhookRequest({"authorization": given}, body, NOW)))


def test_a_bounce_names_the_address_the_message_and_the_servers_words() -> None:
    (event,) = read(bounce())
    assert (event.kind, event.is_permanent, event.at) == (DeliveryKind.BOUNCED, True, SENT)
    assert (event.address, event.message) == ("ann@example.com", KEY)
    assert event.reason == "5.1.1 550 5.1.1 unknown"
    assert event.needs_message  # the key shows who handed it on, not who wrote it
    assert read(bounce())[0].id == event.id


@pytest.mark.parametrize(
    ("report", "kind", "is_permanent"),
    [
        (bounce(status="4.2.2", code="452 4.2.2 full"), DeliveryKind.BOUNCED, False),
        (bounce(status="5.2.2", code="552 5.2.2 full"), DeliveryKind.BOUNCED, False),
        (bounce(status="5.7.1", code="554 5.7.1 spam"), DeliveryKind.FAILED, True),
        (bounce(action="delivered", status="2.0.0"), DeliveryKind.DELIVERED, True),
        (COMPLAINT, DeliveryKind.COMPLAINED, True),
    ],
)
def test_only_what_is_about_the_address_bounces_it(
    report: bytes, kind: DeliveryKind, is_permanent: bool
) -> None:
    (event,) = read(report)
    assert (event.kind, event.is_permanent, event.needs_message) == (kind, is_permanent, True)
    assert (event.address, event.message) == ("ann@example.com", KEY)


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"Subject: I am away\n\nBack on Monday."])
def test_any_other_mail_says_nothing(body: bytes) -> None:
    assert read(body) == []
    assert read(bounce(action="delayed", status="4.0.0")) == []


@pytest.mark.parametrize(
    ("key", "given"), [("", "Bearer "), ("the key", "Bearer another"), ("the key", "")]
)
def test_nothing_is_believed_without_the_key(key: str, given: str) -> None:
    with pytest.raises(ForgedReportError, match=REPORTS_KEY):
        read(bounce(), key, given)


def test_an_endless_mail_is_refused() -> None:
    with pytest.raises(EventError, match="is no report"):
        read(b"x" * 2_000_000)
