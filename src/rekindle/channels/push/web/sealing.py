"""Encrypts what only one browser can read, and signs who sends it (RFC 8291 and 8292)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02, VapidException

from rekindle.channels.push.settings import VAPID_KEY
from rekindle.errors import ConfigError, MalformedAddressError, RefusedContentError

# A service takes 4,096 bytes, of which 103 are the header, a key, a tag and the padding's end.
LARGEST = 4096 - 103
LASTS = timedelta(hours=12)
RENEWED_AFTER = timedelta(hours=6)


def encrypt(text: bytes, *, point: str, secret: str) -> bytes:
    """Return a text as the browser that has these keys can read it, and nobody else.

    Raises:
        RefusedContentError: it is too long.
        MalformedAddressError: the keys are none.
    """
    if len(text) > LARGEST:
        raise RefusedContentError(f"the push takes {len(text):,} bytes; {LARGEST:,} are the most")
    try:
        sealed = http_ece.encrypt(
            text,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_bytes(point),
            auth_secret=_bytes(secret),
            version="aes128gcm",
        )
    except (ValueError, http_ece.ECEException) as error:
        raise MalformedAddressError("the keys of the subscription are none") from error
    return bytes(sealed)


class Vapid:
    """Says by a signature who sends; one serves every push to a service for half a day."""

    def __init__(self, key: str, contact: str) -> None:
        self._contact = contact
        self._lock = Lock()
        self._known: dict[str, tuple[datetime, dict[str, str]]] = {}
        try:
            is_pem = "-----BEGIN" in key
            self._key = Vapid02.from_pem(key.encode()) if is_pem else Vapid02.from_string(key)
        except (ValueError, TypeError, VapidException, binascii.Error) as error:
            raise ConfigError(
                f"{VAPID_KEY} holds no private key of P-256; make one with `vapid --gen`"
            ) from error

    def headers(self, endpoint: str, at: datetime) -> dict[str, str]:
        """Return the headers that a push to this endpoint carries."""
        url = urlsplit(endpoint)
        origin = f"{url.scheme}://{url.netloc}"
        with self._lock:
            signed_at, headers = self._known.get(origin, (None, {}))
            if signed_at is None or not timedelta() <= at - signed_at < RENEWED_AFTER:
                claims = {
                    "aud": origin,
                    "sub": self._contact,
                    "exp": int((at + LASTS).timestamp()),
                }
                headers = dict(self._key.sign(claims))
                self._known[origin] = (at, headers)
            return headers


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
