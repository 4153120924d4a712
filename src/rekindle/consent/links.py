"""Signed links that say who leaves which list, and nothing else.

A link names person and list (RFC 8058 § 3.1) and has to work without a login for at least
30 days (16 CFR § 316.5); these do not expire. What is signed is the whole content, so a
link cannot be turned into another person's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

PURPOSE = b"rekindle/unsubscribe/1"
SIGNATURE_BYTES = 16
LONGEST = 2_000


def sign_unsubscribe(secret: bytes, person: str, list_id: str) -> str:
    """Return a URL-safe token by which ``person`` can leave ``list_id``."""
    content = json.dumps([person, list_id], ensure_ascii=False, separators=(",", ":")).encode()
    return _encode(_signature(secret, content) + content)


def read_unsubscribe(secret: bytes, token: str) -> tuple[str, str] | None:
    """Return person and list of a genuine token; None for any other text."""
    if len(token) > LONGEST:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    signature, content = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(secret, content)):
        return None
    person, list_id = json.loads(content)
    return str(person), str(list_id)


def _signature(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, PURPOSE + b"\0" + content, hashlib.sha256)[:SIGNATURE_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
