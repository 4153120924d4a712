"""Signs what a link says: the token in an address is the permission to act for one person.

Each purpose has a key of its own, so that a signature made for another one is worth nothing.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

# Half of SHA-256, which RFC 2104 section 5 allows; it keeps the address on one line.
SIGNATURE_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def sign_token(secret: bytes, purpose: str, said: Sequence[object]) -> str:
    """Return the token that says this; safe in a URL path."""
    written = _encode(to_json(said))
    return f"{written}.{_signature(secret, purpose, written)}"


def read_token(secret: bytes, purpose: str, token: str) -> list[Any] | None:
    """Return what a token says, or None if it was not signed with ``secret`` for this purpose."""
    written, _, signature = token.partition(".")
    expected = _signature(secret, purpose, written)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    padding = "=" * (-len(written) % 4)
    said: list[Any] = json.loads(urlsafe_b64decode(written + padding))
    return said


def _signature(secret: bytes, purpose: str, written: str) -> str:
    digest = hmac.digest(_key(secret, purpose), written.encode(), "sha256")
    return _encode(digest[:SIGNATURE_BYTES])


@lru_cache(maxsize=16)  # one secret signs thousands of links, for a handful of purposes
def _key(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"rekindle.web.portal.{purpose}".encode(), "sha256")


def _encode(raw: bytes) -> str:
    # What urlsafe_b64encode does, in one step: every message carries a few of these.
    return b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode()
