"""Checks of signatures that django-anymail leaves to another library, or to nobody.

Svix signs Resend's reports; its library brings seventeen others along, for this scheme:
https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from rekindle.errors import ForgedReportError
from rekindle.messages import WebhookRequest

TOLERANCE = timedelta(minutes=5)
RETRIED_FOR = timedelta(hours=12)
"""Mailgun reports again for eight hours; what is signed is a moment and a token, no more."""

PREFIX = "whsec_"
UTC_BEGAN = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def require_svix(secret: str, request: WebhookRequest) -> None:
    """Refuse a report that was not signed with ``secret`` within the last minutes.

    Raises:
        ForgedReportError: it was not.
        ValueError: the secret or a header is none.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    name = request.headers.get("svix-id", "")
    stamp = request.headers.get("svix-timestamp", "")
    age = request.received_at - (UTC_BEGAN + timedelta(seconds=int(stamp)))
    if not name or abs(age) > TOLERANCE:
        raise ForgedReportError("the report was signed too long ago, or in the future")
    signed = hmac.new(key, f"{name}.{stamp}.".encode() + request.body, hashlib.sha256).digest()
    expected = base64.b64encode(signed)
    given = request.headers.get("svix-signature", "").split()
    versions = [one.partition(",") for one in given]
    if not any(
        version == "v1" and hmac.compare_digest(expected, word.encode())
        for version, _, word in versions
    ):
        raise ForgedReportError("the report is signed with another secret")


def require_fresh(asked: Any, request: WebhookRequest) -> None:
    """Refuse a report of Mailgun's whose signature is old: it fits any other report as well.

    https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

    Raises:
        ForgedReportError: it is.
        LookupError, ValueError: it says no moment.
    """
    if asked.content_type == "application/json":
        stamp = json.loads(request.body)["signature"]["timestamp"]
    else:
        stamp = asked.POST["timestamp"]
    age = request.received_at - (UTC_BEGAN + timedelta(seconds=float(stamp)))
    if abs(age) > RETRIED_FOR:
        raise ForgedReportError("the report was signed too long ago, or in the future")
