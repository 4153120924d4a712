"""SES is signed for as AWS asks, sent to once, and believed where SNS signed for our topic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from cryptography.hazmat.primitives.asymmetric import rsa
from requests import Request

from rekindle.channels import find_outlet
from rekindle.channels.email.providers import notices
from rekindle.channels.email.providers.amazon_ses import AwsKey, Signature, api_url_of
from rekindle.channels.email.providers.notices import SnsReports
from rekindle.channels.email.settings import EmailSettings, check
from rekindle.channels.email.webhook import build_provider_reports
from rekindle.clock import MovableClock, SystemClock
from rekindle.errors import ConfigError, EventError, ForgedReportError, UnknownFateError, WorkError
from rekindle.messages import DeliveryKind, Severity, Surroundings, WebhookRequest
from tests.channels.postbox import build_mail, message_of
from tests.channels.providers.payloads import (
    CERTIFICATE_URL,
    NOW,
    REPORTERS,
    RSA_KEY,
    TOPIC,
    URL,
    certificate_of,
    post_sns,
)
from tests.channels.providers.samples import BY_NAME, TAKEN, outlet_of
from tests.servers.recording import Answer, Fault, RecordingServer

SES = BY_NAME["amazon_ses"]
CONFIRM_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0"
BOUNCE = {"Type": "Notification", "Message": json.dumps(REPORTERS["amazon_ses"].events["bounced"])}
OFFER = {
    "Type": "SubscriptionConfirmation",
    "Message": "You have chosen to subscribe.",
    "SubscribeURL": CONFIRM_URL,
    "Token": "t0",
}
OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@dataclass
class Sns:
    """What is fetched of SNS: its certificate, and the address of a confirmation."""

    fetched: list[str] = field(default_factory=list)
    is_away: bool = False

    def __call__(self, url: str) -> bytes:
        if self.is_away:
            raise WorkError("away")
        self.fetched.append(url)
        return certificate_of(RSA_KEY) if url == CERTIFICATE_URL else b"<ok/>"


@pytest.fixture
def sns() -> Sns:
    return Sns()


@pytest.fixture
def reports(sns: Sns) -> SnsReports:
    return SnsReports(SES, TOPIC, sns)


def posted(body: bytes) -> WebhookRequest:
    return WebhookRequest({"content-type": "text/plain; charset=UTF-8"}, body, NOW, URL)


@pytest.mark.parametrize("body", [b"", b'{"Content": "\xc3\xa4"}'])
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_signature_is_the_one_of_the_official_library(region: str, body: bytes) -> None:
    now = SystemClock().now().replace(microsecond=0)  # botocore signs for now
    url = f"{api_url_of(region)}v2/email/outbound-emails"
    given = Request("POST", url, data=body, headers={"Content-Type": "application/json"})
    key = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region)
    assert "wJalr" not in repr(key)
    for at in (now, now + timedelta(seconds=1)):
        ours = Signature(key, MovableClock(at))(given.prepare())
        theirs = AWSRequest("POST", url, {"content-type": "application/json"}, body)
        SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "ses", region).add_auth(
            theirs
        )
        if theirs.headers["X-Amz-Date"] == ours.headers["X-Amz-Date"]:
            break
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]


def test_request_is_one_that_the_official_library_would_make(server: RecordingServer) -> None:
    server.answer("/", TAKEN["amazon_ses"][0])
    outlet_of(SES, server).send(message_of(build_mail()))
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v2/email/outbound-emails")
    model = botocore.session.Session().get_service_model("sesv2").operation_model("SendEmail")
    assert not ParamValidator().validate(request.json(), model.input_shape).has_errors()
    assert model.http["requestUri"] == request.path


def test_an_answer_that_is_lost_is_not_asked_for_again(server: RecordingServer) -> None:
    server.answer("/", Answer(fault=Fault.BREAKS_OFF))
    with pytest.raises(UnknownFateError):
        outlet_of(SES, server).send(message_of(build_mail()))
    assert len(server.requests) == 1


@pytest.mark.parametrize("version", ["1", "2"])
def test_notice_that_sns_signed_is_believed(reports: SnsReports, sns: Sns, version: str) -> None:
    for told in (BOUNCE, {**BOUNCE, "Subject": "Amazon SES Email Event Notification"}):
        (event,) = reports.read(posted(post_sns(TOPIC, told, version=version)))
        assert (event.kind, event.is_permanent) == (DeliveryKind.BOUNCED, True)
    assert sns.fetched == [CERTIFICATE_URL]  # once for all of them


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": BOUNCE["Message"].replace("ann", "bob")},
        {"MessageId": "n2"},
        {"Timestamp": "2026-05-04T08:31:00.000Z"},
        {"Subject": "added"},
        {"Signature": "AAAA"},
        {"Signature": "no base64!"},
        {"SignatureVersion": "3"},
        {"TopicArn": TOPIC.replace("ses-events", "evil")},
        {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": CONFIRM_URL},
        {"Message": {"nested": 1}},
        {"Message": "\ud800"},
        {"TopicArn": "\ud800"},
        {"SigningCertURL": CERTIFICATE_URL.replace("https", "http")},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem"},
        {"SigningCertURL": "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/a.html"},
        {"SigningCertURL": "https://["},
        {"SigningCertURL": ""},
    ],
    ids="-".join,
)
def test_notice_that_is_altered_is_forged(
    reports: SnsReports, sns: Sns, changes: dict[str, Any]
) -> None:
    told = json.loads(post_sns(TOPIC, BOUNCE)) | changes
    with pytest.raises(ForgedReportError):
        reports.read(posted(json.dumps(told).encode()))
    assert set(sns.fetched) <= {CERTIFICATE_URL}


def test_notice_that_sns_signed_for_anybody_else_is_forged(reports: SnsReports) -> None:
    theirs = TOPIC.replace("123456789012", "999999999999")
    with pytest.raises(ForgedReportError, match="another topic"):
        reports.read(posted(post_sns(theirs, BOUNCE)))
    with pytest.raises(ForgedReportError, match="not signed"):
        reports.read(posted(post_sns(TOPIC, BOUNCE, key=OTHER_KEY)))


def test_subscription_is_taken_where_sns_signed_for_it(reports: SnsReports, sns: Sns) -> None:
    assert reports.read(posted(post_sns(TOPIC, OFFER))) == []
    assert sns.fetched == [CERTIFICATE_URL, CONFIRM_URL]
    ended = {**OFFER, "Type": "UnsubscribeConfirmation"}
    assert reports.read(posted(post_sns(TOPIC, ended))) == []
    assert sns.fetched == [CERTIFICATE_URL, CONFIRM_URL]


def test_no_address_but_of_sns_is_asked(reports: SnsReports, sns: Sns) -> None:
    elsewhere = {**OFFER, "SubscribeURL": "https://169.254.169.254/latest/meta-data"}
    with pytest.raises(ForgedReportError):
        reports.read(posted(post_sns(TOPIC, elsewhere)))
    with pytest.raises(ForgedReportError):
        reports.read(posted(post_sns(TOPIC, OFFER, key=OTHER_KEY)))
    assert sns.fetched == [CERTIFICATE_URL]


def test_notice_waits_while_sns_cannot_be_asked(reports: SnsReports, sns: Sns) -> None:
    sns.is_away = True
    with pytest.raises(WorkError):  # answered with 503, and SNS posts it again
        reports.read(posted(post_sns(TOPIC, BOUNCE)))
    sns.is_away = False
    assert len(reports.read(posted(post_sns(TOPIC, BOUNCE)))) == 1


def test_unknown_and_large_notices_are_refused(reports: SnsReports) -> None:
    with pytest.raises(EventError):
        reports.read(posted(post_sns(TOPIC, {**BOUNCE, "Type": "Surprise"})))
    with pytest.raises(EventError, match="no report"):
        reports.read(posted(b" " * 6_000_000))


def test_who_is_not_there_is_no_answer() -> None:
    with pytest.raises(WorkError, match="cannot be asked"):
        notices.fetch_from("https://127.0.0.1:9/a.pem")


def test_what_checks_signatures_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="the extra `reports`"):
        SnsReports(SES, TOPIC)


def test_topic_that_is_none_and_a_region_that_lacks_are_said() -> None:
    with pytest.raises(ConfigError, match="no topic"):
        build_provider_reports(SES, {"REKINDLE_AMAZON_SES_TOPIC_ARN": "ses-events"})
    settings = EmailSettings(outlet="email_amazon_ses", postal_address="1 Street")
    _, entry = find_outlet("email_amazon_ses")
    found = list(check(settings, entry, Surroundings("https://shop.test", "", {})))
    refused = [one.problem for one in found if one.severity is Severity.REFUSES]
    assert "email.amazon_ses.region is not set" in refused
