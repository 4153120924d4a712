"""Firebase: what it is asked, what its answers mean, and which tokens are gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rekindle.channels import build_outlet, find_outlet
from rekindle.channels.push.settings import ACCOUNT, FirebaseSettings, PushSettings
from rekindle.errors import (
    AddressGoneError,
    ConfigError,
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import AddressKind, Outlet, Severity, Surroundings
from tests.channels.push.pushing import HOUR, KEY, NOW, build_push
from tests.servers.recording import Answer, RecordingServer

SEND = "/v1/projects/shop-7/messages:send"
TOKEN = "a-token-of-a-device"
PRIVATE = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer("/token", Answer(200, {"access_token": "t-1", "expires_in": 3600}))
        server.answer(SEND, Answer(200, {"name": "projects/shop-7/messages/1"}))
        yield server


@pytest.fixture
def build(server: RecordingServer, tmp_path: Path) -> Iterator[Callable[..., Outlet]]:
    built: list[Outlet] = []

    def build() -> Outlet:
        account = {
            "type": "service_account",
            "project_id": "shop-7",
            "private_key": PRIVATE,
            "client_email": "push@shop-7.example",
            "token_uri": f"{server.url}/token",
        }
        settings = PushSettings(
            outlet="push_fcm", fcm=FirebaseSettings(api_url=server.url), timeout_seconds=5
        )
        secrets = {ACCOUNT: json.dumps(account)}
        built.append(build_outlet("push_fcm", settings, base=tmp_path, secrets=secrets))
        return built[-1]

    yield build
    for outlet in built:
        outlet.close()


def push(outlet: Outlet) -> str:
    return outlet.send(build_push(TOKEN, AddressKind.DEVICE)).provider_id


def error(status: int, word: str, code: str = "", **detail: Any) -> Answer:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    told = {"code": status, "status": word, "message": "why", "details": [*details, detail]}
    return Answer(status, {"error": told})


def test_a_push_says_until_when_on_either_kind_of_phone(
    server: RecordingServer, build: Callable[..., Outlet]
) -> None:
    outlet = build()
    assert push(outlet) == push(outlet) == "projects/shop-7/messages/1"
    token, sent, _ = server.requests  # one token serves both
    assert token.form()["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert sent.headers["authorization"] == "Bearer t-1"
    message = sent.json()["message"]
    assert (message["token"], message["data"]) == (
        TOKEN,
        {"url": "https://shop.example/a", "key": KEY},
    )
    assert message["notification"] == {"title": "Your size is back", "body": "Ann, schön 😀"}
    assert (message["android"]["ttl"], message["android"]["collapse_key"]) == ("7140s", KEY)
    assert message["apns"]["headers"] == {
        "apns-collapse-id": KEY,
        "apns-expiration": str(int((NOW + 2 * HOUR).timestamp())),
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(404, "NOT_FOUND", "UNREGISTERED"), AddressGoneError),
        (error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), TemporaryDeliveryError),
        (
            error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.token"}]),
            AddressGoneError,
        ),
        (
            error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.data"}]),
            RefusedContentError,
        ),
        (error(404, "NOT_FOUND"), OutletFaultError),
        (error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), OutletFaultError),
        (error(403, "PERMISSION_DENIED"), OutletFaultError),
        (error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), TemporaryDeliveryError),
        (error(503, "UNAVAILABLE", "UNAVAILABLE"), TemporaryDeliveryError),
        (error(500, "INTERNAL", "INTERNAL"), UnknownFateError),
        (Answer(200, {"error": "?"}), UnknownFateError),
        (Answer(404, "<html>"), OutletFaultError),
        (Answer(400, {"error": "garbage"}), RefusedContentError),
        (Answer(400, {"error": {"details": [7, {"fieldViolations": [7]}]}}), RefusedContentError),
    ],
)
def test_each_answer_is_of_its_kind(
    server: RecordingServer,
    build: Callable[..., Outlet],
    answer: Answer,
    kind: type[DeliveryError],
) -> None:
    server.answer(SEND, answer)
    with pytest.raises(DeliveryError) as raised:
        push(build())
    assert type(raised.value) is kind
    assert "t-1" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, {"error": "invalid_grant", "error_description": "gone"}), OutletFaultError),
        (Answer(503, "away"), TemporaryDeliveryError),
    ],
)
def test_without_a_token_nothing_is_asked(
    server: RecordingServer,
    build: Callable[..., Outlet],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    kind: type[DeliveryError],
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    server.answer("/token", answer)
    with pytest.raises(DeliveryError) as raised:
        push(build())
    assert type(raised.value) is kind
    assert [one.path for one in server.requests if one.path == SEND] == []


@pytest.mark.parametrize("account", ["", "{}", "[]", '{"type": "service_account"}'])
def test_what_is_no_account_is_said_to_be_none(account: str, tmp_path: Path) -> None:
    settings = PushSettings(outlet="push_fcm")
    with pytest.raises(ConfigError, match="REKINDLE_FCM_ACCOUNT holds no service account"):
        build_outlet("push_fcm", settings, base=tmp_path, secrets={ACCOUNT: account})


def test_doctor_asks_for_a_token_and_sends_nothing(server: RecordingServer) -> None:
    settings = PushSettings(outlet="push_fcm", fcm=FirebaseSettings(api_url=server.url))
    account = {
        "type": "service_account",
        "project_id": "shop-7",
        "private_key": PRIVATE,
        "client_email": "push@shop-7.example",
        "token_uri": f"{server.url}/token",
    }
    folder, entry = find_outlet("push_fcm")
    asked = Surroundings("", "", {ACCOUNT: json.dumps(account)})
    assert list(folder.look(settings, entry, asked)) == []
    server.answer("/token", Answer(400, {"error": "invalid_grant", "error_description": "gone"}))
    (found,) = folder.look(settings, entry, asked)
    assert found.severity is Severity.REFUSES
    assert ACCOUNT in found.problem
    assert {one.path for one in server.requests} == {"/token"}
