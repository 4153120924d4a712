"""Hands pushes to the push services of browsers (RFC 8030, 8188, 8291 and 8292)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.push.settings import LOOPBACK, PushSettings
from rekindle.channels.push.web.sealing import Vapid, encrypt
from rekindle.channels.push.writing import read_payload
from rekindle.errors import (
    AddressGoneError,
    DeliveryError,
    MalformedAddressError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message, Receipt

# Four weeks: https://developer.mozilla.org/docs/Web/API/Push_API; services cut what is longer.
LONGEST_SECONDS = 28 * 86_400
# A topic is at most 32 characters of URL-safe base64 (RFC 8030, section 5.4).
TOPIC_LENGTH = 32
# What services say of a subscription that was made with another key than ours.
FOREIGN = ("vapidpkhashmismatch", "do not correspond to the credentials")


class WebPushOutlet:
    """Implements ``rekindle.messages.Outlet`` with web push."""

    def __init__(self, settings: PushSettings, key: str) -> None:
        self._settings = settings
        self._vapid = Vapid(key, settings.web.contact)
        self._asker = Asker(settings.timeout_seconds)

    def send(self, message: Message) -> Receipt:
        """Encrypt one push for its browser and hand it over."""
        subscription = self._subscription(message.address.value)
        endpoint = subscription["endpoint"]
        text = json.dumps(read_payload(message), ensure_ascii=False).encode()
        within = message.leave_within
        seconds = LONGEST_SECONDS if within is None else int(within.total_seconds())
        headers = {
            **self._vapid.headers(endpoint, message.at),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(min(seconds, LONGEST_SECONDS)),
            # A push that was not delivered yet is replaced by one of the same name.
            "Topic": message.key[:TOPIC_LENGTH],
            "Urgency": "normal",
        }
        sealed = encrypt(text, point=subscription["p256dh"], secret=subscription["auth"])
        answer = self._asker.ask(endpoint, data=sealed, headers=headers)
        if not answer.is_taken:
            raise _fault_of(answer)
        return Receipt(urlsplit(answer.headers.get("location", "")).path or message.key)

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    def _subscription(self, value: str) -> Mapping[str, str]:
        """Return the parts of a subscription whose service may be asked.

        What a card says came from outside: without this list it could have us ask any
        address that this machine reaches.
        """
        try:
            given = json.loads(value)
            url = urlsplit(given["endpoint"])
            found = {name: str(given[name]) for name in ("endpoint", "p256dh", "auth")}
            host, is_safe = url.hostname or "", url.scheme == "https" and url.port in (None, 443)
        except (ValueError, TypeError, KeyError) as error:
            raise MalformedAddressError("what the card holds is no push subscription") from error
        services = self._settings.web.services
        # What is read one way here and another way there could lead elsewhere.
        is_plain = url.username is None and "\\" not in found["endpoint"]
        if (
            not is_plain
            or not (is_safe or host in LOOPBACK)
            or not any(host == one or host.endswith(f".{one}") for one in services)
        ):
            raise MalformedAddressError(
                f"push.web.services does not name {host!r}, or it is not asked over https"
            )
        return found


def _fault_of(answer: Answered) -> DeliveryError:
    """Return what an answer that took nothing means for the message."""
    status, word = answer.status, answer.word
    is_foreign = any(one in word.casefold() for one in FOREIGN)
    if status in {404, 410}:
        return AddressGoneError(f"the subscription is gone: {word}")
    if status in {401, 403} or (status == 400 and is_foreign):
        # Of one subscription or of our key: who can say. Where it is the key, the pass ends
        # after a few, and the messages wait.
        return TemporaryDeliveryError(f"the service does not know our key: {word}")
    if status in {429, 503}:
        return TemporaryDeliveryError(word, retry_after=answer.retry_after())
    if 300 <= status < 500:
        return RefusedContentError(word)
    return UnknownFateError(word)
