"""A browser that can read what is pushed to it, and pushes to send."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from rekindle.messages import Address, AddressKind, Message
from rekindle.vocabulary import Channel

NOW = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "0f" * 32
SECRETS = random.Random(8291)


def text_of(raw: bytes) -> str:
    """Return bytes as URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Browser:
    """A browser with its keys, subscribed at an endpoint."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: SECRETS.randbytes(16))

    @property
    def subscription(self) -> dict[str, Any]:
        """Return what ``PushSubscription.toJSON()`` says in it."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": text_of(point), "auth": text_of(self.secret)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    @property
    def address(self) -> str:
        """Return the subscription as cards keep it."""
        given = self.subscription
        return json.dumps({"endpoint": given["endpoint"], **given["keys"]})

    def read(self, body: bytes) -> dict[str, Any]:
        """Return what was pushed."""
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


def new_vapid_key() -> str:
    """Return a private key as the environment holds it."""
    vapid = Vapid02()
    vapid.generate_keys()
    number = vapid.private_key.private_numbers().private_value
    return text_of(number.to_bytes(32, "big"))


def build_push(address: str, kind: AddressKind = AddressKind.WEB_PUSH, **changes: Any) -> Message:
    """Return a push to an address."""
    parts = {"title": "Your size is back", "body": "Ann, schön 😀", "url": "https://shop.example/a"}
    given: dict[str, Any] = {
        "key": KEY,
        "channel": Channel("push"),
        "person": "ann",
        "address": Address(kind, address),
        "parts": parts,
        "at": NOW,
        "leave_by": NOW + 2 * HOUR,
        **changes,
    }
    return Message(**given)
