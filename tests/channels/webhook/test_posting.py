"""A message is posted once, signed, to where the settings say, and reports are signed too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import build_outlet, find_channel, require_ready
from rekindle.channels.webhook.posting.reports import PostedReports
from rekindle.channels.webhook.posting.signing import sign
from rekindle.channels.webhook.settings import SECRET, WebhookSettings
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    EventError,
    ForgedReportError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import (
    Address,
    AddressKind,
    DeliveryKind,
    Links,
    Message,
    Outlet,
    Surroundings,
    WebhookRequest,
)
from rekindle.vocabulary import Channel
from tests.servers.recording import Answer, Fault, RecordingServer

NOW = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# From the specification's own example: https://www.standardwebhooks.com
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RAW = base64.b64decode(KEY.removeprefix("whsec_"))


def build_message(**changes: Any) -> Message:
    given: dict[str, Any] = {
        "key": "0f" * 32,
        "channel": Channel("webhook"),
        "person": "ann",
        "address": Address(AddressKind.PERSON, "ann"),
        "parts": {"title": "", "text": "Ann, schön 😀\ud800"},
        "at": NOW,
        "links": Links("https://shop.example/u/x"),
        "leave_by": NOW + MINUTE,
        **changes,
    }
    return Message(**given)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer("/take", Answer(202, {}))
        yield server


@pytest.fixture
def outlet(server: RecordingServer, tmp_path: Path) -> Iterator[Outlet]:
    settings = WebhookSettings(outlet="webhook_post", url=f"{server.url}/take", timeout_seconds=5)
    outlet = build_outlet("webhook_post", settings, base=tmp_path, secrets={SECRET: KEY})
    yield outlet
    outlet.close()


def test_the_signature_is_that_of_the_specification() -> None:
    body = b'{"test": 2432232314}'
    signed = sign(RAW, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_posted_whole_and_signed(outlet: Outlet, server: RecordingServer) -> None:
    assert outlet.send(build_message()).provider_id == "0f" * 32
    (request,) = server.requests
    told = request.json()
    assert told["data"]["parts"]["text"] == "Ann, schön 😀?"
    assert (told["data"]["person"], told["data"]["leave_by"]) == (
        "ann",
        (NOW + MINUTE).isoformat(),
    )
    id_, second = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert (id_, second) == ("0f" * 32, str(int(NOW.timestamp())))
    signed = f"{id_}.{second}.".encode() + request.body
    digest = base64.b64encode(hmac.new(RAW, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(410), OutletFaultError),
        (Answer(401), OutletFaultError),
        (Answer(308, "", {"Location": "http://elsewhere.example"}), OutletFaultError),
        (Answer(429, "", {"Retry-After": "7"}), TemporaryDeliveryError),
        (Answer(503), TemporaryDeliveryError),
        (Answer(422, "no such person"), RefusedContentError),
        (Answer(500), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
        (Answer(200, {"id": "x"}, fault=Fault.STOPS_HALFWAY), UnknownFateError),
    ],
)
def test_each_answer_is_of_its_kind(
    outlet: Outlet, server: RecordingServer, answer: Answer, error: type[DeliveryError]
) -> None:
    server.answer("/take", answer)
    with pytest.raises(DeliveryError) as raised:
        outlet.send(build_message())
    assert type(raised.value) is error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("told", "name"), [({"id": "m-7"}, "m-7"), ({"id": ""}, None), ({"id": 7}, None), ([], None)]
)
def test_the_system_may_call_it_something(
    outlet: Outlet, server: RecordingServer, told: object, name: str | None
) -> None:
    server.answer("/take", Answer(200, told))
    assert outlet.send(build_message()).provider_id == (name or "0f" * 32)


@pytest.mark.parametrize("secret", ["", "short", "whsec_" + "a" * 20, "not base64 at all !!!!!!!!"])
def test_a_secret_that_keeps_nobody_out_is_none(tmp_path: Path, secret: str) -> None:
    with pytest.raises(ConfigError, match="openssl rand"):
        build_outlet("webhook_post", WebhookSettings(), base=tmp_path, secrets={SECRET: secret})
    with pytest.raises(ForgedReportError):
        PostedReports(secret).read(WebhookRequest({}, b"{}", NOW))


@pytest.mark.parametrize(
    ("settings", "may"),
    [
        ({"url": "https://own.example/take"}, True),
        ({"url": "http://127.0.0.1:8080/take"}, True),
        ({"url": "http://own.example/take"}, False),
        ({"url": "http://127.0.0.1.own.example/take"}, False),
        ({"url": "http://own.example/take", "allow_http": True}, True),
        ({}, False),
    ],
)
def test_names_and_texts_are_not_posted_for_everybody_to_read(
    settings: dict[str, Any], may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET, KEY)
    given = WebhookSettings(outlet="webhook_post", **settings)
    around = Surroundings("https://shop.example")
    if may:
        require_ready(find_channel("webhook"), given, around)
        return
    with pytest.raises(ConfigError, match=r"webhook\.url"):
        require_ready(find_channel("webhook"), given, around)


def report(told: object, *, second: int = 0, key: bytes = RAW) -> WebhookRequest:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    signed_at = int(NOW.timestamp()) + second
    headers = {
        "webhook-id": "r-1",
        "webhook-timestamp": str(signed_at),
        "webhook-signature": "v1,AAAA " + sign(key, "r-1", signed_at, body),
    }
    return WebhookRequest(headers, body, NOW)


def test_what_comes_back_is_read_once_it_is_known_whose_it_is() -> None:
    reports = PostedReports(KEY)
    good = report({"message": "m-7", "status": "replied", "reason": "call back"})
    (event,) = reports.read(good)
    assert (event.kind, event.provider_id, event.id) == (DeliveryKind.REPLIED, "m-7", "r-1")
    for forged in (
        report({"message": "m-7", "status": "replied"}, key=b"another secret of some length"),
        report({"message": "m-7", "status": "replied"}, second=-301),
        report({"message": "m-7", "status": "replied"}, second=301),
        replace(good, body=good.body.replace(b"replied", b"clicked")),
        replace(good, headers={**good.headers, "webhook-id": "r-2"}),
        replace(good, headers={**good.headers, "webhook-timestamp": "now"}),
        replace(good, headers={}),
    ):
        with pytest.raises(ForgedReportError):
            reports.read(forged)
    unreadable: list[object] = [b"[", [], {"message": "m"}, {"message": "m", "status": "eaten"}]
    for told in [*unreadable, {"message": "m", "status": ["x"]}, b"[" * 100_000]:
        with pytest.raises(EventError) as raised:
            reports.read(report(told))
        assert not isinstance(raised.value, ForgedReportError)
