"""Hands pushes to Firebase: https://firebase.google.com/docs/reference/fcm/rest/v1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.google_account import GoogleAccount
from rekindle.channels.push.settings import ACCOUNT, PushSettings
from rekindle.channels.push.writing import read_payload
from rekindle.errors import (
    AddressGoneError,
    ConfigError,
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message, Receipt

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
LONGEST_SECONDS = 28 * 86_400
# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
GONE = frozenset({"UNREGISTERED"})
OURS = frozenset({"THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED", "PERMISSION_DENIED"})
# Of one token, or of our project: who can say. Where it is the project, the pass ends after a
# few, and the messages and the tokens wait for the right key.
FOREIGN = "SENDER_ID_MISMATCH"
LATER = frozenset({"QUOTA_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED", FOREIGN})


class FirebaseOutlet:
    """Implements ``rekindle.messages.Outlet`` with Firebase."""

    def __init__(self, settings: PushSettings, account: str) -> None:
        self._settings = settings
        self._asker = Asker(settings.timeout_seconds)
        self._account = GoogleAccount(account, scope=SCOPE, name=ACCOUNT, console="Firebase's")
        project = settings.fcm.project or self._account.project
        if not project:
            raise ConfigError(
                f"{ACCOUNT} holds no service account; copy the JSON of its key from Firebase's "
                "console"
            )
        self._url = f"{settings.fcm.api_url.rstrip('/')}/v1/projects/{project}/messages:send"

    def send(self, message: Message) -> Receipt:
        """Hand one push over and return Firebase's name for it."""
        body = json.dumps({"message": _written(message)}).encode()
        answer = self._asker.ask(self._url, data=body, headers=self._account.headers())
        if not answer.is_taken:
            raise _fault_of(answer)
        name = answer.fields().get("name")
        if not isinstance(name, str) or not name:
            raise UnknownFateError(f"it answered {answer.status} and named no message")
        return Receipt(name)

    def try_account(self) -> None:
        """See that Google gives the account a token; nothing is sent.

        Raises:
            OutletFaultError: it takes the account no more.
            TemporaryDeliveryError: no token can be had now.
        """
        self._account.headers()

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()


def _written(message: Message) -> dict[str, Any]:
    said = read_payload(message)
    shown = {name: said[name] for name in ("title", "body") if said[name]}
    within = message.leave_within
    seconds = LONGEST_SECONDS if within is None else int(within.total_seconds())
    apns = {"apns-collapse-id": message.key}
    if message.leave_by is not None:
        apns["apns-expiration"] = str(int(message.leave_by.timestamp()))
    return {
        "token": message.address.value,
        "notification": shown,
        "data": {name: said[name] for name in ("url", "key") if said[name]},
        "android": {
            "ttl": f"{min(seconds, LONGEST_SECONDS)}s",
            "collapse_key": message.key,
            "notification": {"tag": message.key},
        },
        "apns": {"headers": apns},
    }


def _fault_of(answer: Answered) -> DeliveryError:
    """Return what an answer that took nothing means for the message."""
    told = answer.fields().get("error")
    error: Mapping[str, Any] = told if isinstance(told, dict) else {}
    code, is_token = _code(error)
    text = f"{answer.status} {code}: {error.get('message', '')}" if code else answer.word
    if code in GONE or (code == "INVALID_ARGUMENT" and is_token):
        return AddressGoneError(text)
    if code in LATER or answer.status in {429, 503}:
        return TemporaryDeliveryError(text, retry_after=answer.retry_after())
    if code in OURS or answer.status in {401, 403, 404} or 300 <= answer.status < 400:
        return OutletFaultError(text)
    if 400 <= answer.status < 500:
        return RefusedContentError(text)
    return UnknownFateError(text)


def _code(error: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the most exact code of an error, and whether it is about the token."""
    code, is_token = str(error.get("status", "")), False
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict):
            continue
        code = str(detail.get("errorCode") or code)
        fields = detail.get("fieldViolations")
        for one in fields if isinstance(fields, list) else ():
            is_token = is_token or (isinstance(one, dict) and one.get("field") == "message.token")
    words = str(error.get("message", "")).casefold()
    return code, is_token or "registration token is not a valid" in words
