"""Keeps audiences by Google's Data Manager API: ingest, remove, and ask later what became of it.

https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.audience.settings import GOOGLE_ACCOUNT, AudienceSettings
from rekindle.channels.google_account import GoogleAccount
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import ChangeKind, Effect, ListChange

SCOPE = "https://www.googleapis.com/auth/datamanager"
VERBS = {ChangeKind.ADD: "ingest", ChangeKind.REMOVE: "remove"}
AN_HOUR = timedelta(hours=1)
# https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
DONE = frozenset({"SUCCESS", "PARTIAL_SUCCESS"})
# https://cloud.google.com/apis/design/errors
LATER = frozenset({"RESOURCE_EXHAUSTED", "UNAVAILABLE", "ABORTED"})
OURS = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})


class GoogleRoster:
    """Implements ``rekindle.messages.Roster`` with the Data Manager API."""

    batch = 10_000

    def __init__(self, settings: AudienceSettings, account: str) -> None:
        self._settings = settings.google
        self._asker = Asker(settings.timeout_seconds)
        self._account = GoogleAccount(account, scope=SCOPE, name=GOOGLE_ACCOUNT, console="Google's")

    def tell(self, change: ListChange) -> str:
        """Ingest people into an audience or remove them; return the id of the request."""
        return self._ask(change, validate_only=False)

    def validate(self, change: ListChange) -> None:
        """Have a change looked at and nothing done.

        Raises:
            DeliveryError: it would not be taken.
        """
        self._ask(change, validate_only=True)

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return what Google says became of a request."""
        url = f"{self._base}/requestStatus:retrieve?requestId={quote(request, safe='')}"
        answer = self._asker.ask(url, headers=self._account.headers(), method="GET")
        if not answer.is_taken:
            raise _fault_of(answer)
        told = answer.fields().get("requestStatusPerDestination")
        each = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        states = {str(one.get("requestStatus", "")) for one in each}
        if "FAILED" in states:
            return Effect.FAILED
        # Of a removal that was done in part, the rest was on no list of theirs.
        return Effect.EFFECTIVE if states and states <= DONE else Effect.PENDING

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    @property
    def _base(self) -> str:
        return f"{self._settings.api_url.rstrip('/')}/v1"

    def _ask(self, change: ListChange, *, validate_only: bool) -> str:
        body = json.dumps(self._body(change, validate_only=validate_only)).encode()
        url = f"{self._base}/audienceMembers:{VERBS[change.kind]}"
        answer = self._asker.ask(url, data=body, headers=self._account.headers())
        if not answer.is_taken:
            raise _fault_of(answer)
        request = answer.fields().get("requestId")
        if validate_only:
            return ""
        if not isinstance(request, str) or not request:
            raise UnknownFateError(f"it answered {answer.status} and named no request")
        return request

    def _body(self, change: ListChange, *, validate_only: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "destinations": [self._destination(change.destination)],
            "audienceMembers": [
                {"userData": {"userIdentifiers": [{"emailAddress": member}]}}
                for member in change.members
            ],
            "encoding": "HEX",
            "validateOnly": validate_only,
        }
        if change.kind is ChangeKind.ADD:
            # Nobody is put on a list without a yes to ads, which the gate saw to.
            personal = "GRANTED" if self._settings.personalization else "DENIED"
            body["consent"] = {
                "adUserData": "CONSENT_GRANTED",
                "adPersonalization": f"CONSENT_{personal}",
            }
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        return body

    def _destination(self, name: str) -> dict[str, Any]:
        settings, number = self._settings, self._settings.audiences.get(name)
        if number is None:
            raise TemporaryDeliveryError(
                f"audience.google.audiences names no {name!r}", retry_after=AN_HOUR
            )
        found: dict[str, Any] = {
            "operatingAccount": _account(settings.account_type, settings.account),
            "productDestinationId": number,
        }
        if settings.login_account:
            found["loginAccount"] = _account(settings.account_type, settings.login_account)
        return found


def _account(kind: str, number: str) -> dict[str, str]:
    return {"accountType": kind, "accountId": number.replace("-", "")}


def _fault_of(answer: Answered) -> DeliveryError:
    """Return what a refusal means for a change, and for the outlet."""
    told = answer.fields().get("error")
    error: Mapping[str, Any] = told if isinstance(told, dict) else {}
    status = str(error.get("status", ""))
    text = f"{answer.status} {status}: {error.get('message', '')}" if error else answer.word
    if status in OURS or answer.status in {401, 403}:
        return OutletFaultError(f"{text}; look at {GOOGLE_ACCOUNT}")
    if status in LATER or answer.status in {429, 503}:
        return TemporaryDeliveryError(text, retry_after=answer.retry_after())
    if answer.status >= 500 or answer.status < 400:
        return UnknownFateError(text)
    # Something of this list: its id, its account. The others go on.
    return TemporaryDeliveryError(text, retry_after=AN_HOUR)
