"""The key of every provider is tried by a call that sends nothing, and never said again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rekindle.channels import find_outlet
from rekindle.channels.email.providers.amazon_ses import api_url_of
from rekindle.channels.email.providers.knocking import KNOCKS
from rekindle.channels.email.providers.table import PROVIDERS
from rekindle.channels.email.settings import EmailSettings
from rekindle.channels.letter.settings import LOB_KEY, LetterSettings, LobSettings
from rekindle.channels.sms.settings import (
    TWILIO_TOKEN,
    GatewaySettings,
    SmsSettings,
    TwilioSettings,
)
from rekindle.messages import Finding, Severity, Surroundings
from tests.servers.recording import Answer, RecordingServer

KEY = "k3y-that+nobody/says"
ACCOUNT = "AC" + "0" * 32
# Where each provider is asked, and by which header or login it knows us.
ASKED: Mapping[str, tuple[str, str, str]] = {
    "amazon_ses": ("GET", "/v2/email/account", "authorization"),
    "brevo": ("GET", "/account", "api-key"),
    "mailgun": ("GET", "/v4/domains/shop.test", "authorization"),
    "mandrill": ("POST", "/users/ping2.json", ""),
    "postmark": ("GET", "/server", "x-postmark-server-token"),
    "resend": ("GET", "/domains", "authorization"),
    "sendgrid": ("GET", "/scopes", "authorization"),
}
GOOD = {"sendgrid": {"scopes": ["mail.send"]}, "mandrill": {"PING": "PONG!"}}
# What each answers to a key that is none; mailgun's is that of a key that may only send.
WRONG: Mapping[str, Answer] = {
    "amazon_ses": Answer(403, {"message": f"The security token {KEY} in the request is invalid."}),
    "brevo": Answer(401, {"code": "unauthorized", "message": f"Key not found {KEY}"}),
    "mandrill": Answer(500, {"name": "Invalid_Key", "message": f"Invalid API key {KEY}"}),
    "postmark": Answer(401, {"ErrorCode": 10, "Message": KEY}),
    "resend": Answer(400, {"name": "validation_error", "message": "API key is invalid"}),
    "sendgrid": Answer(401, {"errors": [{"message": KEY}]}),
}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


def look_at_mail(name: str, url: str) -> list[Finding]:
    provider = next(one for one in PROVIDERS if one.name == name)
    folder, entry = find_outlet(provider.outlet)
    settings = EmailSettings(
        outlet=provider.outlet, from_address="a@shop.test", **{name: {"api_url": url}}
    )
    secrets = dict.fromkeys(provider.secrets, KEY)
    return list(folder.look(settings, entry, Surroundings("https://shop.test", "", secrets)))


def look_at(outlet: str, settings: Any, secrets: Mapping[str, str]) -> list[Finding]:
    folder, entry = find_outlet(outlet)
    return list(folder.look(settings, entry, Surroundings("https://shop.test", "", secrets)))


def require_secret(found: list[Finding]) -> None:
    assert KEY not in "".join(f"{one.problem}{one.remedy}" for one in found)


@pytest.mark.parametrize("name", sorted(KNOCKS))
def test_a_key_that_is_taken_is_found_so_by_one_call(name: str, server: RecordingServer) -> None:
    method, path, header = ASKED[name]
    server.answer("/", Answer(200, GOOD.get(name, {})))
    assert look_at_mail(name, server.url) == []
    (request,) = server.requests
    assert (request.method, request.path) == (method, path)
    assert not header or request.headers[header]
    assert header or json.loads(request.body) == {"key": KEY}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_key_that_is_none_is_refused_by_name_and_not_said(
    name: str, server: RecordingServer
) -> None:
    server.answer("/", WRONG[name])
    found = look_at_mail(name, server.url)
    assert [one.severity for one in found] == [Severity.REFUSES]
    assert f"REKINDLE_{name}".upper() in found[0].problem
    require_secret(found)


@pytest.mark.parametrize(
    ("name", "answer", "severity"),
    [
        ("mailgun", Answer(401, {"message": KEY}), Severity.NOTES),
        ("resend", Answer(401, {"name": "restricted_api_key", "message": KEY}), None),
        ("sendgrid", Answer(200, {"scopes": ["stats.read"]}), Severity.REFUSES),
        ("brevo", Answer(503, {"message": KEY}), Severity.NOTES),
        ("postmark", Answer(302, {}), Severity.NOTES),
        ("amazon_ses", Answer(200, {"ProductionAccessEnabled": False}), Severity.REFUSES),
        ("amazon_ses", Answer(200, {"SendingEnabled": False}), Severity.REFUSES),
        (
            "amazon_ses",
            Answer(403, {"message": f"User {KEY} is not authorized to perform: x"}),
            Severity.NOTES,
        ),
    ],
)
def test_an_answer_says_no_more_of_a_key_than_it_means(
    name: str, answer: Answer, severity: Severity | None, server: RecordingServer
) -> None:
    server.answer("/", answer)
    found = look_at_mail(name, server.url)
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    require_secret(found)


def test_who_cannot_be_reached_is_said_to_be_so() -> None:
    (found,) = look_at_mail("postmark", "http://127.0.0.1:9")
    assert found.severity is Severity.WARNS
    assert "cannot be reached" in found.problem
    require_secret([found])


def test_a_provider_without_such_a_call_is_said_to_have_none(server: RecordingServer) -> None:
    silent = [one.name for one in PROVIDERS if one.name not in KNOCKS]
    assert silent
    for name in silent:
        (found,) = look_at_mail(name, server.url)
        assert found.severity is Severity.NOTES
        assert "has no call" in found.problem
    assert not server.requests


def test_each_is_asked_where_its_messages_go() -> None:
    from importlib import import_module
    from inspect import getsource

    for name, build in KNOCKS.items():
        if name == "amazon_ses":
            url = build("NAME", KEY, "shop.test", {"region": "eu-west-1"}).url
            assert url == f"{api_url_of('eu-west-1')}v2/email/account"
            continue
        url = build("NAME", KEY, "shop.test", {}).url
        host = url.split("/")[2]
        assert f"https://{host}/" in getsource(import_module(f"anymail.backends.{name}")) + "/"


@pytest.mark.parametrize(
    ("answer", "severity"),
    [
        (Answer(200, {"status": "active"}), None),
        (Answer(200, {"status": "suspended"}), Severity.REFUSES),
        (Answer(401, {"code": 20003, "message": KEY}), Severity.REFUSES),
        (Answer(404, {"code": 20404}), Severity.REFUSES),
        (Answer(500, {}), Severity.NOTES),
    ],
)
def test_twilio_is_asked_for_the_account(
    answer: Answer, severity: Severity | None, server: RecordingServer
) -> None:
    server.answer("/", answer)
    settings = SmsSettings(
        outlet="sms_twilio", twilio=TwilioSettings(account=ACCOUNT, api_url=server.url)
    )
    found = look_at("sms_twilio", settings, {TWILIO_TOKEN: KEY})
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json")
    require_secret(found)


@pytest.mark.parametrize(
    ("answer", "severity"),
    [
        (Answer(200, {"id": "adr_1"}), None),
        (Answer(401, {"error": {"message": KEY}}), Severity.REFUSES),
        (Answer(404, {"error": {"code": "not_found"}}), Severity.REFUSES),
        (Answer(429, {}), Severity.NOTES),
    ],
)
def test_lob_is_asked_for_the_address_letters_are_from(
    answer: Answer, severity: Severity | None, server: RecordingServer
) -> None:
    server.answer("/", answer)
    lob = LobSettings(sender="adr_1", api_url=server.url)
    found = look_at("letter_lob", LetterSettings(outlet="letter_lob", lob=lob), {LOB_KEY: KEY})
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    assert [(one.method, one.path) for one in server.requests] == [("GET", "/v1/addresses/adr_1")]
    require_secret(found)


def test_a_gateway_is_said_to_have_no_such_call() -> None:
    settings = SmsSettings(outlet="sms_gateway", gateway=GatewaySettings())
    (found,) = look_at("sms_gateway", settings, {})
    assert found.severity is Severity.NOTES
