"""A gateway is asked as the settings say, and its answers are read as they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import build_outlet
from rekindle.channels.sms.gateway.reports import GatewayReports
from rekindle.channels.sms.settings import GATEWAY_KEY, SmsSettings
from rekindle.errors import (
    DeliveryError,
    EventError,
    ForgedReportError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import DeliveryKind, Outlet, WebhookRequest
from tests.channels.sms.texting import NOW, build_text, gateway
from tests.servers.recording import Answer, RecordingServer

SECRET = "s3cret & more"
STOP = "\nReply STOP to opt out"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer("/send", Answer(200, {"id": 17}))
        yield server


@pytest.fixture
def build(server: RecordingServer, tmp_path: Path) -> Iterator[Callable[..., Outlet]]:
    built: list[Outlet] = []

    def build(**given: Any) -> Outlet:
        settings = gateway(**{"url": f"{server.url}/send", **given})
        secrets = {GATEWAY_KEY: SECRET}
        built.append(build_outlet("sms_gateway", settings, base=tmp_path, secrets=secrets))
        return built[-1]

    yield build
    for outlet in built:
        outlet.close()


def test_a_line_of_json_with_a_bearer(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    fields = {"to": "{to}", "body": "{text}", "ref": "{key}", "ttl": "{seconds}", "as": "{from}"}
    outlet = build(fields=fields, headers={"Authorization": "Bearer {secret}"}, from_number="Shop")
    assert outlet.send(build_text('"Hi" {to}')).provider_id == "17"
    (request,) = server.requests
    # A word of a message is not filled in again.
    told = {"to": "+442079460018", "body": '"Hi" {to}' + STOP, "ref": "0f" * 32}
    assert request.json() == {**told, "ttl": "7140", "as": "Shop"}
    assert request.headers["authorization"] == f"Bearer {SECRET}"


def test_a_form(server: RecordingServer, build: Callable[..., Outlet]) -> None:
    build(body="form", method="PUT").send(build_text("a&b=é"))
    (request,) = server.requests
    assert (request.method, request.form()["text"]) == ("PUT", ["a&b=é" + STOP])


def test_a_query_and_a_path(server: RecordingServer, build: Callable[..., Outlet]) -> None:
    build(url=f"{server.url}/send/{{to}}?k={{secret}}", method="GET").send(build_text("a&b"))
    (request,) = server.requests
    assert request.path == "/send/%2B442079460018"
    assert request.query == {"k": [SECRET], "to": ["+442079460018"], "text": ["a&b" + STOP]}


def test_a_line_break_is_no_second_header(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    build(headers={"X-Text": "{text}"}).send(build_text("a\r\nX-Evil: 1"))
    (request,) = server.requests
    assert "x-evil" not in request.headers
    assert request.headers["x-text"].startswith("a X-Evil: 1")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, {"ok": False, "error": "no credit"}), RefusedContentError),
        (Answer(200, {"error": "?"}), UnknownFateError),
        (Answer(200, "<html>"), UnknownFateError),
        (Answer(401, "who?"), OutletFaultError),
        (Answer(402, "pay"), OutletFaultError),
        (Answer(301, "", {"Location": "http://elsewhere.example"}), OutletFaultError),
        (Answer(429, "", {"Retry-After": "5"}), TemporaryDeliveryError),
        (Answer(422, {"error": "no such number"}), RefusedContentError),
        (Answer(502, "bad gateway"), UnknownFateError),
        (Answer(204, ""), UnknownFateError),
    ],
)
def test_each_answer_is_of_its_kind(
    server: RecordingServer,
    build: Callable[..., Outlet],
    answer: Answer,
    error: type[DeliveryError],
) -> None:
    server.answer("/send", answer)
    with pytest.raises(DeliveryError) as raised:
        build(taken_field="ok", taken_values=("true",)).send(build_text())
    assert type(raised.value) is error


def test_a_field_says_that_it_was_taken(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    server.answer("/send", Answer(200, {"ok": True, "ref": "m-1"}))
    outlet = build(taken_field="ok", taken_values=("true",), id_field="ref")
    assert outlet.send(build_text()).provider_id == "m-1"


def read(told: object, key: str = "a key") -> list[DeliveryKind]:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    request = WebhookRequest({"authorization": f"Bearer {key}"}, body, NOW)
    return [one.kind for one in GatewayReports(SmsSettings(), "a key").read(request)]


def test_what_a_gateway_reports() -> None:
    assert read({"id": 1, "message": "m-1", "status": "bounced"}) == [DeliveryKind.BOUNCED]
    assert read({"id": "2", "from": "+442079460018", "text": "Stop"}) == [DeliveryKind.UNSUBSCRIBED]
    assert read({"id": "3", "from": "+442079460018", "text": "info"}) == []
    with pytest.raises(ForgedReportError):
        read({"id": 1, "status": "delivered"}, key="another")
    unreadable: list[object] = [b"[", [], {"status": "delivered"}, {"id": 1, "status": "?"}]
    for broken in [*unreadable, {"id": [1]}]:
        with pytest.raises(EventError):
            read(broken)


@pytest.mark.parametrize("number", ["+442079460018", "442079460018", "0044 20 7946 0018"])
def test_a_number_is_known_however_the_gateway_writes_it(number: str) -> None:
    body = json.dumps({"id": "1", "from": number, "text": "Stop"}).encode()
    request = WebhookRequest({"authorization": "Bearer key"}, body, NOW)
    (event,) = GatewayReports(gateway(), "key").read(request)
    assert event.address == "+442079460018"


def test_a_secret_that_a_gateway_says_back_is_told_to_nobody(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    said = {"error": f"no such key {SECRET} in /send?key=s3cret%20%26%20more&v=s3cret+%26+more"}
    server.answer("/send", Answer(401, said))
    with pytest.raises(OutletFaultError) as raised:
        build(headers={"Authorization": "Bearer {secret}"}).send(build_text())
    assert "s3cret" not in str(raised.value)
    assert "no such key …" in str(raised.value)
