"""Amazon SES by its own HTTP interface, as a backend like those django-anymail has.

Anymail's backend speaks through boto3: 34 MB, an HTTP client of its own that asks three times where
an answer is lost, and by that sends a message twice. This one is asked through the same bounded
session as every other provider. The call:
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from anymail.backends.base_requests import AnymailRequestsBackend, RequestsPayload
from anymail.message import AnymailRecipientStatus
from requests import PreparedRequest
from requests.auth import AuthBase

from rekindle.clock import Clock, SystemClock

PATH = "v2/email/outbound-emails"
METADATA = "X-Metadata"
"""Where anymail's reader of reports looks for our key."""

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsKey:
    """The key pair of an IAM user, and the region it is used in."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str


class Signature(AuthBase):
    """Signs a request to SES with Signature Version 4, at the moment it leaves.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """

    def __init__(self, key: AwsKey, clock: Clock | None = None) -> None:
        self._key, self._clock = key, clock or SystemClock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the date and the signature to a request's headers."""
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode()
        signed = self.headers(
            request.method or "GET",
            request.url or "",
            content,
            {"content-type": str(request.headers.get("Content-Type", ""))},
        )
        request.headers.update(signed)
        return request

    def headers(
        self, method: str, url: str, body: bytes, more: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what is to be added to the headers of a request without a query."""
        now, parts = self._clock.now(), urlsplit(url)
        stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
        named = {name: value for name, value in more.items() if value}
        named |= {"host": parts.netloc, "x-amz-date": stamp}
        names = ";".join(sorted(named))
        lines = [f"{name}:{named[name]}" for name in sorted(named)]
        digest = hashlib.sha256(body).hexdigest()
        asked = "\n".join((method, parts.path or "/", "", *lines, "", names, digest))
        scope = f"{day}/{self._key.region}/ses/aws4_request"
        hashed = hashlib.sha256(asked.encode()).hexdigest()
        signature = hmac.new(
            self._derived(day), "\n".join((ALGORITHM, stamp, scope, hashed)).encode(), "sha256"
        ).hexdigest()
        credential = f"{self._key.access_key_id}/{scope}"
        return {
            "X-Amz-Date": stamp,
            "Authorization": f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, "
            f"Signature={signature}",
        }

    def _derived(self, day: str) -> bytes:
        key = f"AWS4{self._key.secret_access_key}".encode()
        for part in (day, self._key.region, "ses", "aws4_request"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        return key


def api_url_of(region: str) -> str:
    """Return where SES is asked in a region.

    https://docs.aws.amazon.com/general/latest/gr/ses.html
    """
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://email.{region}.{end}/"


class EmailBackend(AnymailRequestsBackend):  # type: ignore[misc]  # anymail has no annotations
    """SES v2, ``SendEmail`` with simple content."""

    esp_name = "Amazon SES"

    def __init__(self, **options: Any) -> None:
        region = str(options.pop("region"))
        self.key = AwsKey(options.pop("access_key_id"), options.pop("secret_access_key"), region)
        self.configuration_set = options.pop("configuration_set", None)
        api_url = str(options.pop("api_url", None) or api_url_of(region))
        super().__init__(api_url if api_url.endswith("/") else f"{api_url}/", **options)

    def build_message_payload(self, message: Any, defaults: Any) -> Payload:
        """Return what is to be sent for a message."""
        return Payload(message, defaults, self)

    def parse_recipient_status(self, response: Any, payload: Any, message: Any) -> dict[str, Any]:
        """Return by which name the message was taken."""
        told = self.deserialize_json_response(response, payload, message)
        status = AnymailRecipientStatus(message_id=told["MessageId"], status="queued")
        return dict.fromkeys(payload.addresses, status)


class Payload(RequestsPayload):  # type: ignore[misc]  # anymail has no annotations
    """One message, as ``SendEmail`` takes it."""

    def __init__(self, message: Any, defaults: Any, backend: EmailBackend) -> None:
        headers = {"Content-Type": "application/json"}
        super().__init__(message, defaults, backend, headers=headers, auth=Signature(backend.key))

    def init_payload(self) -> None:
        """Begin with nothing but how it is to be sent."""
        self.addresses: list[str] = []
        self._headers: dict[str, str] = {}
        self._simple: dict[str, Any] = {"Body": {}}
        self.data: dict[str, Any] = {"Content": {"Simple": self._simple}}
        if self.backend.configuration_set:
            self.data["ConfigurationSetName"] = self.backend.configuration_set

    def get_api_endpoint(self) -> str:
        """Return where messages are posted to."""
        return PATH

    def serialize_data(self) -> str:
        """Return the request's body."""
        self._simple["Headers"] = [
            {"Name": name, "Value": value} for name, value in self._headers.items()
        ]
        return json.dumps(self.data)

    def set_from_email(self, email: Any) -> None:
        """Say who writes."""
        self.data["FromEmailAddress"] = self._address(email)

    def set_recipients(self, recipient_type: str, emails: Any) -> None:
        """Say to whom."""
        self.addresses += [one.addr_spec for one in emails]
        if emails:
            key = f"{recipient_type.capitalize()}Addresses"
            self.data.setdefault("Destination", {})[key] = [self._address(one) for one in emails]

    def set_subject(self, subject: str) -> None:
        """Set the subject."""
        self._simple["Subject"] = _text(subject)

    def set_reply_to(self, emails: Any) -> None:
        """Say where answers go."""
        if emails:
            self.data["ReplyToAddresses"] = [self._address(one) for one in emails]

    def set_extra_headers(self, headers: Any) -> None:
        """Add headers, as those of the list."""
        self._headers |= dict(headers)

    def set_text_body(self, body: str) -> None:
        """Set the text part."""
        self._simple["Body"]["Text"] = _text(body)

    def set_html_body(self, body: str) -> None:
        """Set the HTML part."""
        self._simple["Body"]["Html"] = _text(body)

    def set_metadata(self, metadata: Any) -> None:
        """Let our key come back in reports."""
        self._headers[METADATA] = self.serialize_json(metadata)

    def _address(self, email: Any) -> str:
        """Return a mailbox in ASCII, as SES asks for it (RFC 2047, RFC 3492)."""
        return str(email.format(use_rfc2047=True, idna_encode=self.backend.idna_encode))


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
