"""Lob: what it is asked, what its answers mean, and what it reports."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import build_outlet
from rekindle.channels.letter.lob.reports import LobReports
from rekindle.channels.letter.settings import LOB_KEY
from rekindle.errors import (
    AddressGoneError,
    DeliveryError,
    EventError,
    ForgedReportError,
    MalformedAddressError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import DeliveryKind, Outlet, WebhookRequest, fingerprint
from tests.channels.letter.posting import KEY, NOW, SECRET, build_letter, home, settings
from tests.servers.recording import Answer, Fault, RecordingServer

PATH = "/v1/letters"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        server.answer(PATH, Answer(200, {"id": "ltr_1", "object": "letter"}))
        yield server


@pytest.fixture
def outlet(server: RecordingServer, tmp_path: Path) -> Iterator[Outlet]:
    own = settings("letter_lob", lob={"sender": "adr_1", "api_url": server.url})
    outlet = build_outlet("letter_lob", own, base=tmp_path, secrets={LOB_KEY: KEY})
    yield outlet
    outlet.close()


def refusal(status: int, code: str, message: str = "no") -> Answer:
    return Answer(status, {"error": {"code": code, "message": message, "status_code": status}})


def test_a_letter_is_one_request_that_names_itself(server: RecordingServer, outlet: Outlet) -> None:
    message = build_letter("Dear <b>Ann</b>,\n\nyour size {is} back.", name="Ann <i>Archer</i>")
    assert outlet.send(message).provider_id == "ltr_1"
    (request,) = server.requests
    told = request.json()
    assert request.headers["idempotency-key"] == message.key
    assert told["to"] == {
        "name": "Ann <i>Archer</i>",
        "address_line1": "12 Mill Lane",
        "address_city": "Leeds",
        "address_state": "",
        "address_zip": "LS1 4AB",
        "address_country": "GB",
    }
    assert "<p>Dear &lt;b&gt;Ann&lt;/b&gt;,</p><p>your size {is} back.</p>" in told["file"]
    assert (told["from"], told["use_type"]) == ("adr_1", "marketing")
    assert told["metadata"] == {"message": message.key, "address": fingerprint(home())}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(422, "failed_deliverability_strictness"), AddressGoneError),
        (refusal(422, "address_length_exceeds_limit"), MalformedAddressError),
        (
            refusal(422, "invalid", "to.address_zip must be in a valid format"),
            MalformedAddressError,
        ),
        (refusal(422, "invalid", "from must be an address id"), OutletFaultError),
        (refusal(422, "invalid", "file is too long"), RefusedContentError),
        (refusal(422, "foreign_return_address"), OutletFaultError),
        (refusal(401, "unauthorized"), OutletFaultError),
        (refusal(403, "payment_method_unverified"), OutletFaultError),
        (refusal(409, "conflict"), TemporaryDeliveryError),
        (refusal(429, "rate_limit_exceeded"), TemporaryDeliveryError),
        (Answer(503, "away"), TemporaryDeliveryError),
        (Answer(302, "", {"Location": "http://elsewhere.example"}), OutletFaultError),
        (Answer(500, {"error": "a text"}), UnknownFateError),
        (Answer(200, "<html>"), UnknownFateError),
        (Answer(200, {"error": {"message": "inside"}}), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
    ],
)
def test_each_answer_is_of_its_kind(
    server: RecordingServer, outlet: Outlet, answer: Answer, error: type[DeliveryError]
) -> None:
    server.answer(PATH, answer)
    with pytest.raises(DeliveryError) as raised:
        outlet.send(build_letter())
    assert type(raised.value) is error
    assert KEY not in str(raised.value)


def test_what_lob_would_cut_off_is_not_handed_over(server: RecordingServer, outlet: Outlet) -> None:
    with pytest.raises(RefusedContentError, match="characters"):
        outlet.send(build_letter("<" * 3_000))
    assert not server.requests


def report(type_: str = "letter.returned_to_sender", **changes: Any) -> WebhookRequest:
    told = {
        "id": "evt_1",
        "date_created": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "event_type": {"id": type_, "resource": "letters"},
        "body": {"id": "ltr_1", "metadata": {"message": "m", "address": fingerprint(home())}},
        **changes,
    }
    return signed(json.dumps(told).encode())


def signed(body: bytes, *, stamp: str = "", secret: str = SECRET) -> WebhookRequest:
    stamp = stamp or str(int(NOW.timestamp() * 1000))
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    headers = {"lob-signature": signature, "lob-signature-timestamp": stamp}
    return WebhookRequest(headers, body, NOW)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("letter.mailed", DeliveryKind.ACCEPTED),
        ("letter.delivered", DeliveryKind.DELIVERED),
        ("letter.returned_to_sender", DeliveryKind.BOUNCED),
        ("letter.failed", DeliveryKind.FAILED),
        ("letter.in_transit", None),
    ],
)
def test_each_report_is_of_its_kind(type_: str, kind: DeliveryKind | None) -> None:
    found = LobReports(SECRET).read(report(type_))
    assert [one.kind for one in found] == ([] if kind is None else [kind])
    for one in found:
        assert (one.id, one.provider_id, one.message) == ("evt_1", "ltr_1", "m")
        assert one.at == NOW - timedelta(hours=1)
        assert one.fingerprint == fingerprint(home())


@pytest.mark.parametrize(
    "request_",
    [
        signed(b"{}", secret="another"),
        signed(b"{}", stamp=str(int(NOW.timestamp()) - 301)),
        signed(b"{}", stamp=str(int(NOW.timestamp() * 1000) + 301_000)),
        signed(b"{}", stamp="1" * 40),
        WebhookRequest({}, b"{}", NOW),
        WebhookRequest(signed(b"{}").headers, b"{ }", NOW),
    ],
)
def test_a_forged_altered_or_old_report_is_refused(request_: WebhookRequest) -> None:
    with pytest.raises(ForgedReportError):
        LobReports(SECRET).read(request_)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(ForgedReportError):
        LobReports("").read(signed(b"{}", secret=""))


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 100_000, b'{"event_type": 1}'])
def test_a_signed_report_that_says_nothing_is_unreadable(body: bytes) -> None:
    with pytest.raises(EventError):
        LobReports(SECRET).read(signed(body))
    with pytest.raises(EventError):
        LobReports(SECRET).read(report(body=7))
