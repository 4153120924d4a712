"""Calls letters back that Lob has not printed: https://docs.lob.com/#tag/Letters (DELETE).

A letter can be called back until its send date, on a plan that allows it, and is not paid for
then. Calling it back twice is as good as once: what Lob says of a letter that is gone tells
whether it was called back or printed.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.letter.settings import LOB_KEY, LetterSettings
from rekindle.errors import OutletFaultError, TemporaryDeliveryError, UnknownFateError
from rekindle.messages import ChangeKind, Effect, ListChange

CALLED_BACK = "called back"
TOO_LATE = "too late: it is printed, or cannot be called back"
NOT_ALLOWED = "not allowed: Lob calls letters back for some plans alone"


class LobRoster:
    """Implements ``rekindle.messages.Roster``: its members are letters, and are called back."""

    batch = 1

    def __init__(self, settings: LetterSettings, key: str) -> None:
        self._key = key
        self._asker = Asker(settings.timeout_seconds, secrets=(key,))
        self._url = f"{settings.lob.api_url.rstrip('/')}/v1/letters"

    def tell(self, change: ListChange) -> str:
        """Call letters back; return what came of it."""
        if change.kind is not ChangeKind.REMOVE:
            return ""
        (name,) = change.members
        answer = self._ask("DELETE", name)
        if answer.is_taken:
            return CALLED_BACK
        if answer.status == 403:
            return NOT_ALLOWED
        if answer.status not in {404, 409, 410, 422}:
            raise _fault_of(answer)
        # An earlier answer may have been lost on its way: then it is gone because we said so.
        known = self._ask("GET", name)
        if not known.is_taken and known.status not in {404, 410}:
            raise _fault_of(known)  # as long as nobody says, it is asked again
        is_gone = known.is_taken and known.fields().get("deleted") is True
        return CALLED_BACK if is_gone else TOO_LATE

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return what came of calling a letter back, which Lob says at once."""
        return Effect.EFFECTIVE if request == CALLED_BACK else Effect.MISSED

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    def _ask(self, method: str, name: str) -> Answered:
        url = f"{self._url}/{quote(name, safe='')}"
        return self._asker.ask(url, user=(self._key, ""), method=method)


def _fault_of(answer: Answered) -> TemporaryDeliveryError | OutletFaultError | UnknownFateError:
    if answer.status == 401:
        return OutletFaultError(f"Lob does not take {LOB_KEY}")
    kind = TemporaryDeliveryError if answer.status in {429, 503} else UnknownFateError
    return kind(f"it answered {answer.word}", retry_after=answer.retry_after())
