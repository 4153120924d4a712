"""Posts messages to a system of the user's own."""

from __future__ import annotations

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.webhook.posting.body import build_body
from rekindle.channels.webhook.posting.signing import read_secret, sign
from rekindle.channels.webhook.settings import WebhookSettings
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message, Receipt

LONGEST_ID = 200


class PostingOutlet:
    """Implements ``rekindle.messages.Outlet`` with a signed POST."""

    def __init__(self, settings: WebhookSettings, secret: str) -> None:
        self._url, self._secret = settings.url, read_secret(secret)
        self._asker = Asker(settings.timeout_seconds)

    def send(self, message: Message) -> Receipt:
        """Post one message; return what the system calls it, or our key of it."""
        body, second = build_body(message), int(message.at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": str(second),
            "webhook-signature": sign(self._secret, message.key, second, body),
        }
        answer = self._asker.ask(self._url, data=body, headers=headers)
        if not answer.is_taken:
            raise _fault_of(answer)
        given = answer.fields().get("id")
        is_name = isinstance(given, str) and 0 < len(given) <= LONGEST_ID
        return Receipt(str(given) if is_name else message.key)

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()


def _fault_of(answer: Answered) -> DeliveryError:
    """Return what an answer that took nothing means for the message."""
    if answer.status in {401, 402, 403, 404, 405, 410} or 300 <= answer.status < 400:
        return OutletFaultError(answer.word)
    if answer.status in {408, 425, 429, 503}:
        return TemporaryDeliveryError(answer.word, retry_after=answer.retry_after())
    if 400 <= answer.status < 500:
        return RefusedContentError(answer.word)
    return UnknownFateError(answer.word)
