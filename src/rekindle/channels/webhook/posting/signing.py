"""Signs what is posted, and checks what comes back: https://www.standardwebhooks.com.

The signature is of the id, the second and the body, so that nobody can post an old message
again or put another body under a signature they saw.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from rekindle.channels.webhook.settings import SECRET
from rekindle.errors import ConfigError, ForgedReportError

PREFIX = "whsec_"
SHORTEST = 24  # bytes, as the specification asks for
TOLERANCE = timedelta(minutes=5)
VERSION = "v1"


def read_secret(text: str) -> bytes:
    """Return the secret that a text in the environment holds: whsec_ and base64.

    Raises:
        ConfigError: it is none, or too short to keep anybody out.
    """
    try:
        found = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) < SHORTEST:
        raise ConfigError(
            f"{SECRET} holds no secret of {SHORTEST} bytes or more in base64; make one with "
            "`openssl rand -base64 32`"
        )
    return found


def sign(secret: bytes, id_: str, second: int, body: bytes) -> str:
    """Return the signature of a body that is posted under an id at a second."""
    signed = f"{id_}.{second}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def require_signed(
    secret: bytes, headers: Mapping[str, str], body: bytes, received_at: datetime
) -> str:
    """Return the id of a report that is signed, and was just now.

    Raises:
        ForgedReportError: it is not.
    """
    id_, second = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not second.isdecimal() or len(second) > 12:
        raise ForgedReportError("the report has no webhook-id or no webhook-timestamp")
    wanted = sign(secret, id_, int(second), body).encode()
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given):
        raise ForgedReportError(f"the report is not signed with {SECRET}")
    if abs(received_at.timestamp() - int(second)) > TOLERANCE.total_seconds():
        raise ForgedReportError("the report was signed more than five minutes ago, or ahead")
    return id_
