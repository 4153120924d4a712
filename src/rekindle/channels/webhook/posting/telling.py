"""Tells a system of the user's own of something that happened, signed like a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from rekindle.channels.asking import Asker
from rekindle.channels.webhook.posting.signing import read_secret, sign
from rekindle.channels.webhook.settings import LOOPBACK, SECRET
from rekindle.config import load_secrets
from rekindle.errors import ConfigError, TemporaryDeliveryError


class Teller:
    """Posts events to one address. ``id_`` is the same however often one is posted."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        """Take the secret from the environment.

        Raises:
            ConfigError: it is missing or too short, or anybody on the way could read along.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ConfigError(f"{url!r} can be read by anybody on the way; use https")
        self._url, self._secret = url, read_secret(load_secrets((SECRET,))[SECRET])
        self._asker = Asker(timeout_seconds)

    def tell(self, id_: str, kind: str, data: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        """Post one event, signed at this instant; return the fields of the answer, if any.

        Raises:
            DeliveryError: it was not taken, or nobody knows; it may be posted again.
        """
        told = {"type": kind, "timestamp": at.isoformat(), "data": dict(data)}
        body, second = json.dumps(told, ensure_ascii=False).encode(), int(at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(second),
            "webhook-signature": sign(self._secret, id_, second, body),
        }
        answer = self._asker.ask(self._url, data=body, headers=headers)
        if not answer.is_taken:
            raise TemporaryDeliveryError(answer.word, retry_after=answer.retry_after())
        return answer.fields()

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()
