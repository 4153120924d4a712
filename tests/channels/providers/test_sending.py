"""Every provider is handed what bulk mail needs, and each of its answers means one thing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import unquote_plus

import pytest

from rekindle.channels.email.outlet import OUTLETS
from rekindle.channels.email.providers.composing import key_as_uuid
from rekindle.channels.email.providers.outlet import ProviderOutlet
from rekindle.channels.email.providers.table import PROVIDERS, Provider
from rekindle.channels.email.settings import EmailSettings
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    MalformedAddressError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message
from tests.channels.postbox import build_mail, message_of
from tests.channels.providers.samples import (
    ANSWERS,
    BY_NAME,
    TAKEN,
    outlet_of,
    secrets_of,
    settings_of,
)
from tests.servers.recording import Answer, Fault, RecordingServer

EACH = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
POSTMARK = BY_NAME["postmark"]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def message() -> Message:
    return message_of(build_mail(to_name='Än, "Ann" (x)'))


def refused(outlet: ProviderOutlet, message: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        outlet.send(message)
    return error.value


def test_settings_name_every_outlet() -> None:
    named = get_args(EmailSettings.model_fields["outlet"].annotation)
    assert sorted(named) == sorted(entry.name for entry in OUTLETS)


@EACH
def test_a_provider_is_handed_a_whole_mail(
    provider: Provider, server: RecordingServer, message: Message
) -> None:
    answer, taken_as = TAKEN[provider.name]
    server.answer("/", answer)
    outlet = outlet_of(provider, server)
    receipt = outlet.send(message)
    outlet.close()

    (request,) = server.requests
    said = unquote_plus(request.body.decode()).replace("\\u00f6", "ö").replace("\\u00c4", "Ä")
    for part in ("Schön, dich zu sehen", "<p>Hello</p>", "ann@example.com", "shop@example.com"):
        assert part in said
    assert "https://shop.example.com/u/token" in said
    assert "List-Unsubscribe=One-Click" in said
    assert "<winback.example.com>" in said
    assert (message.key in said) is provider.has_metadata
    everything = f"{request.headers} {said}"
    for name, secret in secrets_of(provider).items():
        if name == "REKINDLE_AMAZON_SES_SECRET_ACCESS_KEY":
            assert secret not in everything  # it signs, and stays here
            continue
        assert secret in everything or "basic" in request.headers["authorization"].casefold()
    assert receipt.provider_id == taken_as or (not taken_as and receipt.provider_id)
    assert ("track" in said.casefold()) is provider.switches_tracking


def test_a_mail_nobody_can_leave_names_no_list(server: RecordingServer) -> None:
    server.answer("/", TAKEN["postmark"][0])
    mail = build_mail(list_id="", unsubscribe_url="")
    outlet_of(POSTMARK, server).send(message_of(mail))
    assert b"List-" not in server.requests[0].body


@pytest.mark.parametrize(("name", "status", "body", "kind"), ANSWERS)
def test_an_answer_means_what_its_provider_says(
    server: RecordingServer,
    message: Message,
    *,
    name: str,
    status: int,
    body: Any,
    kind: type[DeliveryError],
) -> None:
    server.answer("/", Answer(status, body))
    error = refused(outlet_of(BY_NAME[name], server), message)
    assert type(error) is kind, error
    assert "ann@example.com" not in str(error)


@pytest.mark.long
@EACH
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"message": "no"}), OutletFaultError),
        (Answer(402, {"message": "no"}), OutletFaultError),
        (Answer(403, {"message": "no"}), OutletFaultError),
        (Answer(302, "", {"Location": "https://elsewhere.example/"}), OutletFaultError),
        (Answer(413, {"message": "no"}), RefusedContentError),
        (Answer(429, {"message": "no"}, {"Retry-After": "120"}), TemporaryDeliveryError),
        (Answer(500, "<html>"), TemporaryDeliveryError),
        (Answer(503, "<html>"), TemporaryDeliveryError),
        (Answer(502, "<html>"), UnknownFateError),
        (Answer(504, "<html>"), UnknownFateError),
        (Answer(200, "<html>it works</html>"), UnknownFateError),
        (Answer(200, [[[]]]), UnknownFateError),
        (Answer(200, b"\xff\xfe\x00garbage"), UnknownFateError),
        (Answer(200, "{", fault=Fault.STOPS_HALFWAY), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
    ],
    ids=str,
)
def test_every_provider_is_judged_alike_by_what_http_says(
    provider: Provider,
    server: RecordingServer,
    message: Message,
    *,
    answer: Answer,
    kind: type[DeliveryError],
) -> None:
    server.answer("/", answer)
    error = refused(outlet_of(provider, server), message)
    assert type(error) is kind, error
    assert len(server.requests) == 1
    if answer.status == 429:
        assert error.retry_after == timedelta(minutes=2)


def test_an_answer_that_does_not_come_leaves_the_fate_unknown(
    server: RecordingServer, message: Message
) -> None:
    server.answer("/", Answer(fault=Fault.HANGS))
    assert type(refused(outlet_of(POSTMARK, server), message)) is UnknownFateError


def test_an_answer_without_end_is_cut_off(server: RecordingServer, message: Message) -> None:
    server.answer("/", Answer(200, b"x" * 2_000_000))
    assert type(refused(outlet_of(POSTMARK, server), message)) is UnknownFateError


def test_a_provider_that_nobody_reaches_was_handed_nothing(message: Message) -> None:
    with RecordingServer() as server:
        outlet = outlet_of(POSTMARK, server)
    error = refused(outlet, message)  # nobody listens there any more
    assert type(error) is TemporaryDeliveryError
    assert "out of reach" in str(error)


def test_a_provider_that_speaks_no_tls_was_handed_nothing(
    server: RecordingServer, message: Message
) -> None:
    url = server.url.replace("http://", "https://")
    settings = EmailSettings.model_validate(
        {"outlet": POSTMARK.outlet, "postmark": {"api_url": url}}
    )
    error = refused(ProviderOutlet(POSTMARK, settings, secrets_of(POSTMARK)), message)
    assert type(error) is TemporaryDeliveryError
    assert server.requests == []


def test_a_kept_connection_that_was_closed_is_known_to_have_carried_nothing_or_is_unknown(
    server: RecordingServer, message: Message
) -> None:
    """A server may close a connection at any moment; nothing is ever handed over twice."""
    server.answer("/", TAKEN["postmark"][0], Answer(fault=Fault.BREAKS_OFF), TAKEN["postmark"][0])
    outlet = outlet_of(POSTMARK, server)
    outlet.send(message)
    assert type(refused(outlet, replace(message, key="b" * 64))) is UnknownFateError
    outlet.send(replace(message, key="c" * 64))
    assert len(server.requests) == 3


def test_nothing_listening_behind_a_proxy_is_not_taken_for_a_message_lost(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    settings = EmailSettings.model_validate(
        {"outlet": POSTMARK.outlet, "postmark": {"api_url": "https://api.example/"}}
    )
    error = refused(ProviderOutlet(POSTMARK, settings, secrets_of(POSTMARK)), message)
    assert type(error) is TemporaryDeliveryError


def test_a_wish_to_wait_may_be_a_moment(server: RecordingServer, message: Message) -> None:
    dates = {
        "Date": "Mon, 04 May 2026 09:00:00 GMT",
        "Retry-After": "Mon, 04 May 2026 09:05:00 GMT",
    }
    server.answer("/", Answer(503, "", dates))
    error = refused(outlet_of(POSTMARK, server), message)
    # The server names its own date before ours; either way it is a wait or none, never a past.
    assert error.retry_after is None or error.retry_after > timedelta(0)


def test_secrets_and_addresses_stay_out_of_what_is_said(
    server: RecordingServer, message: Message
) -> None:
    secret = secrets_of(POSTMARK)["REKINDLE_POSTMARK_SERVER_TOKEN"]
    server.answer("/", Answer(401, f"the token {secret} of ann@example.com is wrong"))
    said = str(refused(outlet_of(POSTMARK, server), message))
    assert secret not in said
    assert "ann@" not in said


@pytest.mark.parametrize(
    "changes",
    [{"to_address": "a@b@c"}, {"to_address": "ann@example.com\r\nBcc: x@y.example"}],
)
def test_what_is_no_address_is_handed_to_nobody(
    server: RecordingServer, changes: dict[str, str]
) -> None:
    outlet = outlet_of(POSTMARK, server)
    assert isinstance(refused(outlet, message_of(build_mail(**changes))), MalformedAddressError)
    assert server.requests == []


@EACH
@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hi\r\nBcc: eve@evil.example"},
        {"unsubscribe_url": "https://x.example/>\r\nX: y"},
    ],
)
def test_no_header_is_slipped_in(
    provider: Provider, server: RecordingServer, changes: dict[str, str]
) -> None:
    refused(outlet_of(provider, server), message_of(build_mail(**changes)))
    assert server.requests == []


@EACH
def test_a_name_is_one_line_whatever_it_holds(provider: Provider, server: RecordingServer) -> None:
    server.answer("/", TAKEN[provider.name][0])
    name = 'A\r\nBcc: eve@evil.example, "x" <y@z.example>' + "ä" * 300
    outlet_of(provider, server).send(message_of(build_mail(to_name=name)))
    assert b"\\r\\n" not in server.requests[0].body.replace(b"%0D%0A", b"\\r\\n")


def test_a_key_goes_along_where_it_is_known_again(
    server: RecordingServer, message: Message
) -> None:
    server.answer("/emails", TAKEN["resend"][0])
    server.answer("/smtp", TAKEN["brevo"][0])
    outlet_of(BY_NAME["resend"], server).send(message)
    outlet_of(BY_NAME["brevo"], server).send(message)
    resend, brevo = server.requests
    assert resend.headers["idempotency-key"] == message.key
    assert brevo.json()["headers"]["idempotencyKey"] == str(key_as_uuid(message.key))
    assert key_as_uuid(message.key).version == 8


def test_what_brevo_had_before_was_taken_then(server: RecordingServer, message: Message) -> None:
    server.answer("/", Answer(400, {"code": "duplicate_parameter", "message": "x"}))
    assert outlet_of(BY_NAME["brevo"], server).send(message).provider_id == ""


def test_each_thread_keeps_a_connection(server: RecordingServer, message: Message) -> None:
    server.answer("/", TAKEN["postmark"][0])
    outlet = outlet_of(POSTMARK, server)
    both = threading.Barrier(2)

    def send_some(first: int) -> None:
        both.wait()
        for number in range(first, 40, 2):
            outlet.send(replace(message, key=f"{number:064}"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send_some, range(2)))
    outlet.close()
    assert len(server.requests) == 40
    assert server.connections_count == 2
    outlet.send(message)  # it opens again
    outlet.close()
    assert server.connections_count == 3


def test_without_its_key_an_outlet_is_not_built(server: RecordingServer) -> None:
    with pytest.raises(ConfigError, match="REKINDLE_POSTMARK_SERVER_TOKEN"):
        ProviderOutlet(POSTMARK, settings_of(POSTMARK, server), {})
