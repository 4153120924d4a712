"""What providers report is believed where it is signed, and means the same whoever says it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rekindle.channels.email.outlet import OUTLETS
from rekindle.channels.email.providers.notices import SnsReports
from rekindle.channels.email.providers.reports import SignedReports
from rekindle.channels.email.settings import EmailSettings
from rekindle.errors import ConfigError, EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest
from tests.channels.providers.payloads import (
    KEY,
    NOW,
    REPORTERS,
    RSA_KEY,
    THEN,
    TO,
    URL,
    Reporter,
    certificate_of,
)
from tests.channels.providers.samples import BY_NAME

EACH = pytest.mark.parametrize("name", REPORTERS)
EVENTS = [(name, word) for name, one in REPORTERS.items() for word in one.events]
MEANS: dict[str, tuple[DeliveryKind, bool, bool]] = {
    # what a payload is called: the kind, whether it is final, whether a machine did it
    "delivered": (DeliveryKind.DELIVERED, True, False),
    "bounced": (DeliveryKind.BOUNCED, True, False),
    "not now": (DeliveryKind.BOUNCED, False, False),
    "ours": (DeliveryKind.BOUNCED, False, False),
    "failed": (DeliveryKind.FAILED, True, False),
    "complained": (DeliveryKind.COMPLAINED, True, False),
    "unsubscribed": (DeliveryKind.UNSUBSCRIBED, True, False),
    "opened": (DeliveryKind.OPENED, True, False),
    "clicked": (DeliveryKind.CLICKED, True, False),
}


def reports_of(name: str, secret: str | None = None) -> SignedReports:
    secret = secret or REPORTERS[name].secret
    if name == "amazon_ses":
        return SnsReports(BY_NAME[name], secret, lambda url: certificate_of(RSA_KEY))
    return SignedReports(BY_NAME[name], secret)


def signed(name: str, told: Any, secret: str | None = None) -> WebhookRequest:
    """Return a report as its provider would send it."""
    reporter: Reporter = REPORTERS[name]
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    body, headers = reporter.sign(secret or reporter.secret, body)
    headers.setdefault("content-type", "application/json")
    return WebhookRequest(headers, body, NOW, URL)


def read(name: str, told: Any) -> list[DeliveryEvent]:
    return list(reports_of(name).read(signed(name, told)))


def test_everyone_who_reports_has_a_sample() -> None:
    assert {one.name for one in BY_NAME.values() if one.reports} == set(REPORTERS)


@pytest.mark.parametrize(("name", "word"), EVENTS)
def test_a_report_means_the_same_whoever_says_it(name: str, word: str) -> None:
    reporter = REPORTERS[name]
    (event,) = read(name, reporter.events[word])
    if word == "machine":
        assert event.kind in {DeliveryKind.OPENED, DeliveryKind.CLICKED}
        assert event.is_machine
    elif (name, word) == ("mandrill", "delivered"):
        assert event.kind is DeliveryKind.ACCEPTED  # Mandrill reports no delivery
    else:
        assert (event.kind, event.is_permanent, event.is_machine) == MEANS[word], event
    assert event.outlet == f"email_{name}"
    assert event.provider_id == reporter.provider_id
    assert event.message == (KEY if reporter.knows_key else "")
    assert event.address in {TO, ""}
    if name != "postmark":
        assert event.at.timestamp() == THEN


@EACH
def test_a_report_without_the_right_secret_is_forged(name: str) -> None:
    told = REPORTERS[name].events["bounced"]
    request = signed(name, told)
    bare = {"content-type": "application/json"}
    altered = request.body.replace(b"ann", b"bob").replace(b"ann", b"bob")
    forged = [WebhookRequest(bare, b"{}", NOW, URL), WebhookRequest(bare, b"[1]", NOW, URL)]
    is_in_body = name in {"amazon_ses", "mailgun", "unisender_go"}
    if not is_in_body:
        forged.append(WebhookRequest(bare, request.body, NOW, URL))
    if not (request.headers.get("authorization") or name == "mailgun"):
        forged.append(replace(request, body=altered))
    for one in forged:
        with pytest.raises(ForgedReportError):
            reports_of(name).read(one)


@pytest.mark.parametrize("name", ["brevo", "mailersend", "mailgun", "mandrill", "resend"])
def test_a_report_signed_with_another_secret_is_forged(name: str) -> None:
    other = "whsec_" + "b" * 32 if name == "resend" else "another:secret"
    with pytest.raises(ForgedReportError):
        reports_of(name).read(signed(name, REPORTERS[name].events["bounced"], other))


@EACH
def test_a_report_told_twice_has_one_name(name: str) -> None:
    told = REPORTERS[name].events
    for word in ("bounced", "clicked"):
        first, second = (read(name, told[word])[0] for _ in range(2))
        assert first.id == second.id
    events = [read(name, one)[0] for one in told.values()]
    alike = {(one.kind, one.is_permanent, one.is_machine) for one in events}
    assert len({one.id for one in events}) >= len(alike)


@EACH
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"[1, 2]", b'{"event": {}}', b"\xff\xfe", b"[" * 100_000, b"1e999",
     b'{"events": [null]}', b'[{"event": ["x"], "type": {}}]', b'{"RecordType": "Bounce"}'],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_garbage_is_refused_or_says_nothing(name: str, body: bytes) -> None:
    try:
        found = reports_of(name).read(signed(name, body))
    except EventError:
        return  # forged, or unreadable
    assert not any(one.message or one.address for one in found)


@EACH
def test_a_report_cut_short_changes_nothing(name: str) -> None:
    whole = json.dumps(REPORTERS[name].events["bounced"]).encode()
    with pytest.raises(EventError):
        reports_of(name).read(signed(name, whole[: len(whole) // 2]))


def test_a_huge_report_is_refused() -> None:
    with pytest.raises(EventError, match="no report"):
        reports_of("postmark").read(signed("postmark", b" " * 6_000_000))


def test_events_of_many_messages_come_in_one_report() -> None:
    told = [*REPORTERS["sendgrid"].events["bounced"], *REPORTERS["sendgrid"].events["opened"]]
    assert [one.kind for one in read("sendgrid", told)] == [
        DeliveryKind.BOUNCED,
        DeliveryKind.OPENED,
    ]


@pytest.mark.parametrize("age", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_report_of_resend_that_was_kept_for_later_is_forged(age: timedelta) -> None:
    request = signed("resend", REPORTERS["resend"].events["bounced"])
    with pytest.raises(ForgedReportError):
        reports_of("resend").read(replace(request, received_at=NOW + age))


@pytest.mark.parametrize("age", [timedelta(days=2), -timedelta(days=2)])
def test_a_signature_of_mailgun_is_good_for_a_while(age: timedelta) -> None:
    request = signed("mailgun", REPORTERS["mailgun"].events["bounced"])
    with pytest.raises(ForgedReportError):
        reports_of("mailgun").read(replace(request, received_at=NOW + age))


def test_a_date_that_cannot_be_is_when_it_was_told() -> None:
    for stamp in (0, 4_000_000_000):
        told = REPORTERS["sendgrid"].events["bounced"][0] | {"timestamp": stamp}
        assert read("sendgrid", [told])[0].at == NOW


@EACH
def test_without_a_secret_nothing_is_believed(name: str) -> None:
    entry = next(one for one in OUTLETS if one.name == f"email_{name}")
    assert entry.webhook is not None
    with pytest.raises(ConfigError, match="is not set"):
        entry.webhook(EmailSettings(), secrets={})


@pytest.mark.parametrize("name", ["sendgrid", "postal"])
def test_a_key_that_is_none_is_said(name: str) -> None:
    if name == "sendgrid":
        with pytest.raises(ConfigError, match="VERIFICATION_KEY"):
            reports_of(name, "no key")
    else:
        with pytest.raises(ForgedReportError):
            reports_of(name, "no key").read(signed(name, REPORTERS[name].events["bounced"]))
