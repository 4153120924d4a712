"""Twilio: what it is asked, what its answers mean, and what it reports."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator

from rekindle.channels import build_outlet, find_channel, find_outlet, require_ready
from rekindle.channels.sms.settings import TWILIO_TOKEN, SmsSettings
from rekindle.channels.sms.twilio.reports import TwilioReports
from rekindle.channels.sms.twilio.signing import sign
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    EventError,
    ForgedReportError,
    OptedOutError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import DeliveryKind, Outlet, Surroundings, WebhookRequest
from tests.channels.sms.texting import ACCOUNT, HOUR, NOW, TOKEN, build_text, twilio
from tests.servers.recording import Answer, Fault, RecordingServer

PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
URL = "https://shop.example.com/v1/reports/sms_twilio"
REPORTED = twilio(reports_url=URL, help_text="My shop <3", stopped_text="Bye & good luck")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer(PATH, Answer(201, {"sid": "SM1", "status": "queued"}))
        yield server


@pytest.fixture
def build(server: RecordingServer, tmp_path: Path) -> Iterator[Callable[..., Outlet]]:
    built: list[Outlet] = []

    def build(**changes: object) -> Outlet:
        secrets = {TWILIO_TOKEN: TOKEN}
        settings = twilio(server.url, **changes)
        built.append(build_outlet("sms_twilio", settings, base=tmp_path, secrets=secrets))
        return built[-1]

    yield build
    for outlet in built:
        outlet.close()


def test_a_text_is_one_form_that_says_until_when_it_is_worth_delivering(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    message = build_text()
    assert build(reports_url=URL).send(message).provider_id == "SM1"
    (request,) = server.requests
    assert request.form() == {
        "To": ["+442079460018"],
        "From": ["+15005550006"],
        "Body": ["Ann, your size is back.\nReply STOP to opt out"],
        # Two hours, less the minute by which it may have been written ahead.
        "ValidityPeriod": ["7140"],
        "StatusCallback": [f"{URL}?message={message.key}"],
    }
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("within", "seconds"),
    [(3 * timedelta(days=1), 36_000), (timedelta(seconds=30), 1), (-HOUR, 1)],
)
def test_the_period_stays_within_what_twilio_takes(
    server: RecordingServer, build: Callable[..., Outlet], within: timedelta, seconds: int
) -> None:
    build().send(build_text(leave_by=NOW + within))
    assert server.requests[0].form()["ValidityPeriod"] == [str(seconds)]


def test_a_messaging_service_stands_for_the_number(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    service = "MG" + "a" * 32
    build(messaging_service=service).send(build_text())
    form = server.requests[0].form()
    assert form["MessagingServiceSid"] == [service]
    assert "From" not in form


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, {"code": 21610, "message": "unsubscribed"}), OptedOutError),
        (Answer(400, {"code": 21211, "message": "no number"}), PermanentDeliveryError),
        (Answer(400, {"code": 21614, "message": "a landline"}), PermanentDeliveryError),
        (Answer(401, {"code": 20003, "message": "Authenticate"}), OutletFaultError),
        (Answer(400, {"code": 21606, "message": "not your number"}), OutletFaultError),
        (Answer(400, {"code": 21617, "message": "too long"}), RefusedContentError),
        (Answer(400, {"code": 21408, "message": "no such country"}), RefusedContentError),
        (Answer(400, {"code": 99999, "message": "new"}), RefusedContentError),
        (Answer(429, {"code": 20429, "message": "slowly"}), TemporaryDeliveryError),
        (Answer(503, "away"), TemporaryDeliveryError),
        (Answer(403, "<html>"), OutletFaultError),
        (Answer(302, "", {"Location": "http://elsewhere.example"}), UnknownFateError),
        (Answer(500, "<html>"), UnknownFateError),
        (Answer(201, "<html>"), UnknownFateError),
        (Answer(201, {"status": "queued"}), UnknownFateError),
        (Answer(201, {"sid": "SM1"}, fault=Fault.STOPS_HALFWAY), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
    ],
)
def test_each_answer_is_of_its_kind(
    server: RecordingServer,
    build: Callable[..., Outlet],
    answer: Answer,
    error: type[DeliveryError],
) -> None:
    server.answer(PATH, answer)
    with pytest.raises(DeliveryError) as raised:
        build().send(build_text())
    assert type(raised.value) is error
    assert TOKEN not in str(raised.value)
    assert len(server.requests) == 1


def test_it_comes_back_when_it_is_told_to(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    server.answer(PATH, Answer(429, {"code": 20429}, {"Retry-After": "90"}))
    with pytest.raises(TemporaryDeliveryError) as raised:
        build().send(build_text())
    assert raised.value.retry_after == timedelta(seconds=90)


def test_what_cannot_be_reached_was_told_nothing(tmp_path: Path) -> None:
    outlet = build_outlet("sms_twilio", twilio(), base=tmp_path, secrets={TWILIO_TOKEN: TOKEN})
    with pytest.raises(TemporaryDeliveryError, match="cannot be reached"):
        outlet.send(build_text())


# What is reported.


def report(
    form: dict[str, str], *, query: str = "", token: str = TOKEN, signed_for: str = ""
) -> WebhookRequest:
    """Return a report as Twilio posts it, to a server behind a proxy."""
    tail = f"?{query}" if query else ""
    signature = RequestValidator(token).compute_signature(signed_for or URL + tail, form)
    return WebhookRequest(
        headers={"x-twilio-signature": signature},
        body=urlencode(form).encode(),
        received_at=NOW,
        url=f"http://10.0.0.7:8080/v1/reports/sms_twilio{tail}",
    )


def reports(settings: SmsSettings = REPORTED) -> TwilioReports:
    return TwilioReports(settings, TOKEN)


def test_signatures_are_those_of_twilios_own_library() -> None:
    rolls = random.Random(7)
    letters = "abcXYZ019 &=+%é漢😀"
    for _ in range(300):
        word = ["".join(rolls.choices(letters, k=rolls.randint(0, 9))) for _ in range(8)]
        form = dict(zip(word[:4], word[4:], strict=True))
        url = f"https://shop.example.com/a?b={rolls.randint(0, 99)}"
        assert sign(TOKEN, url, {name: [one] for name, one in form.items()}) == (
            RequestValidator(TOKEN).compute_signature(url, form)
        )


@pytest.mark.parametrize(
    ("signed_for", "is_taken"),
    [
        (URL, True),
        (URL.replace(".com", ".com:443"), True),
        (URL.replace("https", "http"), False),
        ("http://10.0.0.7:8080/v1/reports/sms_twilio", False),
        (URL + "?message=x", False),
    ],
)
def test_only_the_public_address_is_what_was_signed(signed_for: str, is_taken: bool) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    request = report(form, signed_for=signed_for)
    if is_taken:
        assert len(reports().read(request)) == 1
        return
    with pytest.raises(ForgedReportError, match="reports_url"):
        reports().read(request)


def test_what_is_no_form_is_signed_by_its_digest() -> None:
    body = b'{"MessageSid": "SM1"}'
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    headers = {"x-twilio-signature": signature}
    request = WebhookRequest(headers, body, NOW, f"http://10.0.0.7/v1/reports/sms_twilio?{query}")
    with pytest.raises(EventError) as raised:  # signed well, and no report of a text
        reports().read(request)
    assert not isinstance(raised.value, ForgedReportError)
    with pytest.raises(ForgedReportError):
        reports().read(replace(request, body=body + b" "))


@pytest.mark.parametrize(
    "change",
    [{"token": "another"}, {"signed_for": URL + "/"}],
)
def test_a_forged_report_is_refused(change: dict[str, str]) -> None:
    form = {"From": "+442079460018", "Body": "STOP", "MessageSid": "SM2"}
    with pytest.raises(ForgedReportError):
        reports().read(report(form, **change))
    with pytest.raises(ForgedReportError):
        TwilioReports(REPORTED, "").read(report(form, token=""))
    tampered = report(form)
    with pytest.raises(ForgedReportError):
        reports().read(replace(tampered, body=tampered.body + b"&From=%2B15005550001"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("queued", "", None),
        ("sent", "", None),
        ("delivered", "", DeliveryKind.DELIVERED),
        ("undelivered", "30003", DeliveryKind.FAILED),
        ("undelivered", "30005", DeliveryKind.BOUNCED),
        ("undelivered", "30006", DeliveryKind.BOUNCED),
        ("undelivered", "30036", DeliveryKind.FAILED),
        ("failed", "21610", DeliveryKind.UNSUBSCRIBED),
        ("failed", "no number", DeliveryKind.FAILED),
        ("canceled", "", DeliveryKind.FAILED),
    ],
)
def test_what_became_of_a_text(status: str, code: str, kind: DeliveryKind | None) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+442079460018", "ErrorCode": code}
    found = reports().read(report(form, query="message=" + "0f" * 32))
    assert [one.kind for one in found] == ([] if kind is None else [kind])
    for one in found:
        assert (one.provider_id, one.message, one.address) == ("SM1", "0f" * 32, "+442079460018")


@pytest.mark.parametrize(
    ("form", "kind", "text"),
    [
        ({"Body": "STOP"}, DeliveryKind.UNSUBSCRIBED, None),
        ({"Body": "Please leave me alone"}, DeliveryKind.UNSUBSCRIBED, "Bye & good luck"),
        ({"Body": "Hola", "OptOutType": "STOP"}, DeliveryKind.UNSUBSCRIBED, None),
        ({"Body": "start"}, DeliveryKind.RESUBSCRIBED, None),
        ({"Body": "HILFE"}, None, "My shop <3"),
        ({"Body": "HELP", "OptOutType": "HELP"}, None, None),
        ({"Body": "Is the red one back?"}, DeliveryKind.REPLIED, None),
        ({"Body": ""}, DeliveryKind.REPLIED, None),
    ],
)
def test_what_people_write_back_is_heard_and_answered_once(
    form: dict[str, str], kind: DeliveryKind | None, text: str | None
) -> None:
    request = report({"From": "+442079460018", "MessageSid": "SM9", **form})
    assert [one.kind for one in reports().read(request)] == ([] if kind is None else [kind])
    answer = reports().answer(request)
    assert answer is not None
    assert answer.content_type.startswith("text/xml")
    assert ElementTree.fromstring(answer.body).findtext("Message") == text


@pytest.mark.parametrize(
    "form",
    [
        {"MessageStatus": "sent"},
        {"MessageSid": "SM1"},
        {"Body": "hi", "From": "+442079460018"},
        {"Body": "hi", "MessageSid": "SM1"},
    ],
)
def test_what_lacks_a_part_is_said_to(form: dict[str, str]) -> None:
    with pytest.raises(EventError, match="names no"):
        reports().read(report(form))


# What the settings lack.


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TWILIO_TOKEN, TOKEN)


def test_nothing_leaves_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TWILIO_TOKEN, raising=False)
    settings = twilio("https://api.example.com")
    with pytest.raises(ConfigError, match=f"{TWILIO_TOKEN} is empty"):
        require_ready(find_channel("sms"), settings, Surroundings("https://shop.example.com"))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (twilio(account=""), "sms.twilio.account is empty"),
        (twilio(from_number=""), "sms.twilio.from_number is empty"),
        (twilio(stop_text=" "), "has to tell how to stop"),
        (twilio("http://api.example.com"), "is not https"),
        (twilio("https://api.example.com", from_number="MyShop"), "nobody can reply to"),
        (SmsSettings(outlet="sms_gateway"), "sms.gateway.url is empty"),
    ],
)
@pytest.mark.usefixtures("token")
def test_nothing_leaves_while_something_is_missing(settings: SmsSettings, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        require_ready(find_channel("sms"), settings, Surroundings("https://shop.example.com"))


@pytest.mark.usefixtures("token")
def test_what_is_complete_may_leave() -> None:
    assert find_outlet("sms_twilio")[1].webhook is not None
    given = twilio("https://api.example.com", from_number="MyShop", stop_text="Stop: {link}")
    require_ready(find_channel("sms"), given, Surroundings("https://shop.example.com"))


def test_one_connection_carries_many_texts(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    outlet = build()
    for _ in range(5):
        outlet.send(build_text())
    assert (len(server.requests), server.connections_count) == (5, 1)
    outlet.close()
    outlet.send(build_text())  # one that was closed opens again
    assert server.connections_count == 2
