"""Keeps Custom Audiences: people are added and removed by hash, up to 10,000 at a time.

https://developers.facebook.com/documentation/ads-commerce/marketing-api/reference/custom-audience/users
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zlib import crc32

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.audience.settings import META_TOKEN, AudienceSettings
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import ChangeKind, Effect, ListChange

SCHEMA = "EMAIL_SHA256"
TAKES_EFFECT_IN = timedelta(hours=24)
"""Meta says of no single change when it is done, only that it takes up to a day."""

FLAGGED = 471
FLAGGED_SUBCODE = 1713230
AN_HOUR = timedelta(hours=1)
HALF_A_DAY = timedelta(hours=12)
# https://developers.facebook.com/docs/graph-api/guides/error-handling and .../rate-limiting
TOO_OFTEN = frozenset({4, 17, 32, 341, 613, 80000, 80003, 80004, 80014})
PASSING = frozenset({1, 2})
OURS = frozenset({3, 10, 102, 190, 2635})
PERMISSIONS = range(200, 300)


class MetaRoster:
    """Implements ``rekindle.messages.Roster`` with Meta's Custom Audiences."""

    batch = 10_000

    def __init__(self, settings: AudienceSettings, token: str) -> None:
        self._settings, self._token = settings.meta, token
        self._asker = Asker(settings.timeout_seconds, secrets=(token,))

    def tell(self, change: ListChange) -> str:
        """Add people to an audience or remove them; return Meta's number of the session."""
        rows = [[member] for member in change.members]
        form = {
            "payload": json.dumps({"schema": [SCHEMA], "data": rows}),
            "session": json.dumps(_session(change)),
        }
        method = "POST" if change.kind is ChangeKind.ADD else "DELETE"
        answer = self._asker.ask(
            f"{self._address(change.destination)}/users",
            data=form,
            headers=self._headers,
            method=method,
        )
        told = _taken(answer)
        if told.get("num_received") is None:
            raise UnknownFateError(f"it answered {answer.status} and took nothing down")
        invalid = told.get("num_invalid_entries")
        if isinstance(invalid, int) and invalid >= len(rows):
            raise RefusedContentError("it could read none of the hashes")
        return str(told.get("session_id", ""))

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return that a change is effective once the longest it takes is over."""
        return Effect.EFFECTIVE if at - told_at >= TAKES_EFFECT_IN else Effect.PENDING

    def standing(self, destination: str) -> str:
        """Return what Meta says is wrong with an audience, "" for nothing.

        Raises:
            DeliveryError: it cannot be asked.
        """
        url = f"{self._address(destination)}?fields=name,operation_status"
        status = _taken(self._asker.ask(url, headers=self._headers, method="GET"))
        told = status.get("operation_status")
        code = told.get("code") if isinstance(told, dict) else None
        if code == FLAGGED:
            return f"Meta has flagged the audience: {told.get('description', code)}"  # type: ignore[union-attr]
        return ""

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _address(self, destination: str) -> str:
        number = self._settings.audiences.get(destination)
        if number is None:
            # One list alone; whoever is to leave it is asked for again once it is named.
            raise TemporaryDeliveryError(
                f"audience.meta.audiences names no {destination!r}", retry_after=AN_HOUR
            )
        base = self._settings.api_url.rstrip("/")
        return f"{base}/{self._settings.version}/{quote(number, safe='')}"


def _session(change: ListChange) -> dict[str, Any]:
    """Return the session of a change, which is one batch: a hundred thousand are ten sessions."""
    about = f"{change.kind}/{change.destination}/{change.at.isoformat()}/{change.members[0]}"
    return {
        "session_id": int(change.at.timestamp()) << 20 | crc32(about.encode()) & 0xFFFFF,
        "batch_seq": 1,
        "last_batch_flag": True,
        "estimated_num_total": len(change.members),
    }


def _taken(answer: Answered) -> dict[str, Any]:
    """Return what an answer says; Meta may say 200 and an error."""
    told = answer.fields()
    error = told.get("error")
    if answer.is_taken and not isinstance(error, dict):
        return told
    raise _fault_of(answer, error if isinstance(error, dict) else {})


def _fault_of(answer: Answered, error: Mapping[str, Any]) -> DeliveryError:
    """Return what a refusal means for a change, and for the outlet."""
    code, subcode = error.get("code"), error.get("error_subcode")
    text = f"{answer.status} {code}: {error.get('message', '')}" if error else answer.word
    if subcode == FLAGGED_SUBCODE:
        # Of this audience alone: the others go on.
        return TemporaryDeliveryError(
            f"Meta has blocked the audience until you appeal: {text}", retry_after=HALF_A_DAY
        )
    if code in TOO_OFTEN or answer.status == 429:
        return TemporaryDeliveryError(text, retry_after=answer.retry_after() or AN_HOUR)
    if code in OURS or (isinstance(code, int) and code in PERMISSIONS) or answer.status == 401:
        return OutletFaultError(f"{text}; look at {META_TOKEN}")
    if code in PASSING or error.get("is_transient") is True:
        return TemporaryDeliveryError(text, retry_after=answer.retry_after())
    if answer.status >= 500 or (not error and answer.status < 400):
        return UnknownFateError(text)
    return TemporaryDeliveryError(text, retry_after=AN_HOUR)
