"""Web push: only the browser reads it, until it is too late, and a dead one is retired."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from py_vapid import Vapid02

from rekindle.channels import build_outlet, find_channel, require_ready
from rekindle.channels.push.settings import VAPID_KEY, PushSettings, WebPushSettings
from rekindle.errors import (
    AddressGoneError,
    ConfigError,
    DeliveryError,
    MalformedAddressError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Outlet, Surroundings
from tests.channels.push.pushing import HOUR, KEY, NOW, Browser, build_push, new_vapid_key
from tests.servers.recording import Answer, Fault, RecordingServer

PRIVATE = new_vapid_key()
CONTACT = "mailto:push@shop.example"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer("/push", Answer(201, "", {"Location": f"{server.url}/m/7"}))
        yield server


@pytest.fixture
def browser(server: RecordingServer) -> Browser:
    return Browser(f"{server.url}/push/abc")


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Outlet]]:
    built: list[Outlet] = []

    def build(*services: str, key: str = PRIVATE) -> Outlet:
        web = WebPushSettings(contact=CONTACT, services=services or ("127.0.0.1",))
        settings = PushSettings(outlet="push_web", web=web, timeout_seconds=5)
        secrets = {VAPID_KEY: key}
        built.append(build_outlet("push_web", settings, base=tmp_path, secrets=secrets))
        return built[-1]

    yield build
    for outlet in built:
        outlet.close()


def claims_of(header: str) -> dict[str, Any]:
    """Return what a VAPID header claims, once its signature is verified."""
    assert Vapid02.verify(header)
    token = header.split("t=")[1].split(",", maxsplit=1)[0]
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


def test_a_push_is_read_by_its_browser_alone(
    server: RecordingServer, build: Callable[..., Outlet], browser: Browser
) -> None:
    assert build().send(build_push(browser.address)).provider_id == "/m/7"
    (request,) = server.requests
    assert browser.read(request.body) == {
        "title": "Your size is back",
        "body": "Ann, schön 😀",
        "url": "https://shop.example/a",
        "key": KEY,
    }
    assert b"size" not in request.body
    with pytest.raises(Exception, match=r"(?i)decrypt"):
        Browser(browser.endpoint).read(request.body)
    told = {name: request.headers[name] for name in ("content-encoding", "ttl", "topic")}
    # Two hours, less the minute by which it may have been written ahead.
    assert told == {"content-encoding": "aes128gcm", "ttl": "7140", "topic": KEY[:32]}
    assert claims_of(request.headers["authorization"]) == {
        "aud": server.url,
        "sub": CONTACT,
        "exp": int((NOW + 12 * HOUR).timestamp()),
    }


def test_one_signature_serves_a_service_for_hours_and_is_renewed_in_time(
    server: RecordingServer, build: Callable[..., Outlet], browser: Browser
) -> None:
    outlet = build()
    for at in (NOW, NOW + 5 * HOUR, NOW + 7 * HOUR):
        outlet.send(build_push(browser.address, at=at))
    first, same, renewed = (one.headers["authorization"] for one in server.requests)
    assert first == same != renewed
    assert claims_of(renewed)["exp"] == int((NOW + 19 * HOUR).timestamp())


@pytest.mark.parametrize(
    ("leave_by", "ttl"), [(None, "2419200"), (NOW + timedelta(days=90), "2419200"), (NOW, "1")]
)
def test_it_is_kept_for_as_long_as_it_may_be_shown(
    server: RecordingServer, build: Callable[..., Outlet], browser: Browser, leave_by: Any, ttl: str
) -> None:
    build().send(build_push(browser.address, leave_by=leave_by))
    assert server.requests[0].headers["ttl"] == ttl


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(404), AddressGoneError),
        (Answer(410, "push subscription has unsubscribed or expired"), AddressGoneError),
        # Perhaps our own key is another: what was made with the right one is not thrown away.
        (Answer(400, '{"reason":"VapidPkHashMismatch"}'), TemporaryDeliveryError),
        (
            Answer(403, "the key in the header do not correspond to the credentials"),
            TemporaryDeliveryError,
        ),
        (Answer(401, "who?"), TemporaryDeliveryError),
        (Answer(429, "", {"Retry-After": "60"}), TemporaryDeliveryError),
        (Answer(503), TemporaryDeliveryError),
        (Answer(413), RefusedContentError),
        (Answer(302, "", {"Location": "http://169.254.169.254/"}), RefusedContentError),
        (Answer(500), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
    ],
)
def test_each_answer_is_of_its_kind(
    server: RecordingServer,
    build: Callable[..., Outlet],
    browser: Browser,
    answer: Answer,
    error: type[DeliveryError],
) -> None:
    server.answer("/push", answer)
    with pytest.raises(DeliveryError) as raised:
        build().send(build_push(browser.address))
    assert type(raised.value) is error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.services.mozilla.com/abc",
        "https://push.services.mozilla.com:8443/abc",
        "https://evilpush.services.mozilla.com.evil.example/abc",
        "https://notpush.apple.com/abc",
        "https://169.254.169.254/latest",
        "https://[::1]/abc",
        "https://evil.example\\@push.services.mozilla.com/abc",
        "https://evil.example@push.services.mozilla.com/abc",
        "https://push.services.mozilla.com@evil.example/abc",
        "http://127.0.0.1:1/abc",
        "file:///etc/passwd",
        "https://push.services.mozilla.com:x/",
    ],
)
def test_nothing_is_asked_but_the_services_of_browsers(
    build: Callable[..., Outlet], endpoint: str
) -> None:
    outlet = build(*PushSettings().web.services)
    with pytest.raises(MalformedAddressError):
        outlet.send(build_push(Browser(endpoint).address))


@pytest.mark.parametrize(
    "change",
    [{"p256dh": "B" * 87}, {"auth": "a"}, {"p256dh": ""}, {"endpoint": None}],
)
def test_what_is_no_subscription_is_nobodys(
    server: RecordingServer, build: Callable[..., Outlet], browser: Browser, change: dict[str, Any]
) -> None:
    given = {**json.loads(browser.address), **change}
    with pytest.raises(MalformedAddressError):
        build().send(build_push(json.dumps(given)))
    with pytest.raises(MalformedAddressError):
        build().send(build_push("no JSON"))
    assert server.requests == []


@pytest.mark.parametrize(
    "parts",
    [{}, {"title": " ", "body": ""}, {"title": "a", "body": "a" * 4000}],
)
def test_a_push_that_says_nothing_or_too_much_is_refused(
    server: RecordingServer, build: Callable[..., Outlet], browser: Browser, parts: dict[str, str]
) -> None:
    with pytest.raises(RefusedContentError):
        build().send(build_push(browser.address, parts=parts))
    assert server.requests == []


def test_a_key_is_one_or_is_said_not_to_be(build: Callable[..., Outlet]) -> None:
    for key in ("", "not a key", "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"):
        with pytest.raises(ConfigError, match=r"REKINDLE_VAPID_KEY .*vapid --gen"):
            build(key=key)
    vapid = Vapid02()
    vapid.generate_keys()
    build(key=vapid.private_pem().decode())


def test_nothing_leaves_without_a_key_and_a_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = PushSettings(outlet="push_web")
    monkeypatch.delenv(VAPID_KEY, raising=False)
    with pytest.raises(ConfigError, match=f"{VAPID_KEY} is empty"):
        require_ready(find_channel("push"), settings, Surroundings("https://shop.example"))
    monkeypatch.setenv(VAPID_KEY, PRIVATE)
    with pytest.raises(ConfigError, match=r"push\.web\.contact is empty"):
        require_ready(find_channel("push"), settings, Surroundings("https://shop.example"))


def test_the_folder_holds_one_file_a_push(tmp_path: Path) -> None:
    outlet = build_outlet("push_folder", PushSettings(), base=tmp_path, secrets={})
    assert outlet.send(build_push("ann")) == outlet.send(build_push("ann"))
    (file,) = (tmp_path / "state" / "push").iterdir()
    written = json.loads(file.read_text(encoding="utf-8"))
    assert (written["person"], written["title"]) == ("ann", "Your size is back")
    assert written["until"] == (NOW + 2 * HOUR).isoformat()
