"""Reads what Amazon SNS posts, and believes what SNS signed for one topic of ours.

Anymail does not check the signature. Anybody may have SNS sign what they publish to a topic of
their own, so the topic has to be the one that is known, too.
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import hmac
import json
import re
import warnings
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from rekindle.channels.email.providers.reports import LARGEST, SignedReports
from rekindle.channels.email.providers.table import Provider
from rekindle.errors import ConfigError, EventError, ForgedReportError, WorkError
from rekindle.messages import DeliveryEvent, WebhookRequest

NOTICE = "Notification"
OFFER = "SubscriptionConfirmation"
CONFIRMATIONS = frozenset({OFFER, "UnsubscribeConfirmation"})
SIGNED: Mapping[bool, tuple[str, ...]] = {
    False: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    True: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""What is signed, in this order: of a notice, and of a confirmation."""

READ = {*SIGNED[False], *SIGNED[True], "Signature", "SignatureVersion", "SigningCertURL"}
TOPIC = re.compile(r"arn:aws(?:-[a-z]+)*:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}")
LARGEST_CERTIFICATE = 20_000
SECONDS = 5.0

Fetch = Callable[[str], bytes]


class SnsReports(SignedReports):
    """Implements ``rekindle.messages.Webhook`` for what SES reports by a topic of SNS.

    Raises:
        ConfigError: the topic is none, or what checks signatures is not installed.
    """

    def __init__(self, provider: Provider, topic: str, fetch: Fetch | None = None) -> None:
        require_topic(topic)
        if find_spec("cryptography") is None:
            raise ConfigError("reports of Amazon SES need the extra `reports`")
        self._fetch = fetch_from if fetch is None else fetch
        self._certificate = _kept if fetch is None else lru_cache(fetch)
        super().__init__(provider, topic)

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what a notice says of messages; take the subscription that another offers."""
        if len(request.body) > LARGEST:
            raise EventError("too_large", f"a body of {len(request.body)} bytes is no report")
        told = require_sns(self._secret, request, self._certificate)
        if told["Type"] == NOTICE:
            return super().read(request)
        if told["Type"] == OFFER:
            self._fetch(_of_sns(told["SubscribeURL"], self._secret))
        return []

    def _require_signed(self, view: Any, asked: Any, request: WebhookRequest) -> None:
        """Ask nothing: it is known already whose notice it is."""

    def _built(self, url: str) -> Any:
        """Return anymail's view, which would ask for boto3 to take a subscription."""
        from anymail.webhooks.base import AnymailBaseWebhookView

        view = self._view.__new__(self._view)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            AnymailBaseWebhookView.__init__(view)
        return view


def require_topic(topic: str) -> str:
    """Return the region of a topic.

    Raises:
        ConfigError: it is none.
    """
    found = TOPIC.fullmatch(topic)
    if found is None:
        raise ConfigError(f"{topic!r} is no topic of SNS, like arn:aws:sns:REGION:ACCOUNT:NAME")
    return found[1]


def require_sns(topic: str, request: WebhookRequest, fetch: Fetch) -> Mapping[str, Any]:
    """Return what SNS posted about a topic; it signed it, whoever brought it here.

    Raises:
        ForgedReportError: it did not, or it is of another topic.
        EventError: it is nothing that SNS posts.
    """
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ForgedReportError("the report is no notice of Amazon SNS") from error
    if not isinstance(told, dict) or not all(isinstance(told.get(one, ""), str) for one in READ):
        raise ForgedReportError("the report is no notice of Amazon SNS")
    if not hmac.compare_digest(_bytes(told.get("TopicArn", "")), _bytes(topic)):
        raise ForgedReportError("the notice is of another topic")
    is_confirmation = told.get("Type") in CONFIRMATIONS
    if not is_confirmation and told.get("Type") != NOTICE:
        raise EventError("unreadable", "Amazon SNS posts no such notice")
    certificate = fetch(_of_sns(told.get("SigningCertURL", ""), topic, ".pem"))
    names = [name for name in SIGNED[is_confirmation] if name in told]
    signed = _bytes("".join(f"{name}\n{told[name]}\n" for name in names))
    _require_signed(certificate, told, signed)
    return told


def _bytes(text: str) -> bytes:
    """Return a text as it was signed; what JSON can say and UTF-8 cannot is signed by nobody."""
    return text.encode("utf-8", "surrogatepass")


def _of_sns(url: str, topic: str, ending: str = "") -> str:
    """Return an address that is of SNS itself, in the region of the topic.

    Raises:
        ForgedReportError: it is anybody else's.
    """
    region = require_topic(topic)
    end = ".cn" if region.startswith("cn-") else ""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ForgedReportError("the notice names an address that is none") from error
    is_ours = parts.scheme == "https" and parts.netloc == f"sns.{region}.amazonaws.com{end}"
    if not is_ours or not parts.path.endswith(ending):
        raise ForgedReportError("the notice names an address that is not of Amazon SNS")
    return url


def _require_signed(certificate: bytes, told: Mapping[str, Any], signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.x509 import load_pem_x509_certificate

    kinds: dict[str, hashes.HashAlgorithm] = {
        "1": hashes.SHA1(),
        "2": hashes.SHA256(),
    }
    try:
        kind = kinds[told.get("SignatureVersion", "")]
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("no RSA key")
        key.verify(
            b64decode(told.get("Signature", ""), validate=True), signed, padding.PKCS1v15(), kind
        )
    except (InvalidSignature, LookupError, ValueError) as error:
        raise ForgedReportError("the notice is not signed by Amazon SNS") from error


def fetch_from(url: str) -> bytes:
    """Return what is at an address of SNS.

    Raises:
        WorkError: it cannot be had now; SNS posts the notice again.
    """
    import requests

    try:
        with requests.get(url, timeout=SECONDS, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            return bytes(answer.raw.read(LARGEST_CERTIFICATE, decode_content=True))
    except (requests.RequestException, HTTPError) as error:
        raise WorkError(f"Amazon SNS cannot be asked: {type(error).__name__}") from error


# What is at the address of a certificate does not change; each has its own.
_kept = lru_cache(maxsize=8)(fetch_from)
