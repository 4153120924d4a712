"""Asks a provider over HTTP, and tells apart what never left from what may have.

It is what every channel but e-mail speaks through. A request that was not answered may have
been acted on, so only what failed before anything was sent may be sent again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus

import requests
from requests import PreparedRequest, Response
from urllib3.exceptions import MaxRetryError

from rekindle.channels.watching import WatchingAdapter, is_unsent
from rekindle.clock import stopwatch
from rekindle.errors import TemporaryDeliveryError, UnknownFateError

LARGEST_ANSWER = 256 * 1024
PIECE = 8 * 1024
LONGEST_WAIT = timedelta(days=1)
LONGEST_WORD = 300
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider answered. Names of ``headers`` are in small letters.

    ``secrets`` are what it was asked with, and may say back.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: Sequence[str] = field(default=(), repr=False)

    @property
    def is_taken(self) -> bool:
        """Return whether the status says that the request was taken."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> dict[str, Any]:
        """Return the body as a JSON object, an empty one where it is none."""
        found = self.json()
        return found if isinstance(found, dict) else {}

    @property
    def word(self) -> str:
        """Return what the answer says in one line, for a person to read."""
        text = self.body[:PIECE].decode("utf-8", "replace")
        for secret in filter(None, self.secrets):
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(spelling, HIDDEN)
        return f"{self.status} {' '.join(text.split())}".strip()[:LONGEST_WORD]

    def retry_after(self) -> timedelta | None:
        """Return for how long not to ask again, if it says so (RFC 9110, section 10.2.3)."""
        given = self.headers.get("retry-after", "").strip()
        if given.isdecimal():
            return min(timedelta(seconds=int(given[:9])), LONGEST_WAIT)
        try:
            # Its own clock says the time as well, so that ours need not be asked.
            until = parsedate_to_datetime(given)
            since = parsedate_to_datetime(self.headers.get("date", ""))
            return max(min(_aware(until) - _aware(since), LONGEST_WAIT), timedelta())
        except (ValueError, TypeError, OverflowError):
            return None


class Asker:
    """Asks one provider; from several threads at once, each over a connection of its own."""

    def __init__(self, timeout_seconds: float, *, secrets: Sequence[str] = ()) -> None:
        self._timeout, self._secrets = timeout_seconds, secrets
        self._own = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    def ask(
        self,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        user: tuple[str, str] | None = None,
        method: str = "POST",
    ) -> Answered:
        """Return the answer to one request; where it leads elsewhere it is not followed.

        Raises:
            TemporaryDeliveryError: nobody was reached.
            UnknownFateError: somebody was, and did not answer.
        """
        try:
            answer = self._session().request(
                method,
                url,
                data=data,
                headers=dict(headers or {}),
                auth=user or _as_it_is,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise _fate(error) from error
        try:
            return Answered(
                answer.status_code,
                {name.casefold(): value for name, value in answer.headers.items()},
                self._read(answer),
                self._secrets,
            )
        finally:
            answer.close()

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
        self._own = threading.local()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            for scheme in ("https://", "http://"):
                session.mount(scheme, WatchingAdapter())
            with self._lock:
                self._sessions.append(session)
        return session

    def _read(self, answer: Response) -> bytes:
        """Return the body within bounds; of a refusal, as much of it as came."""
        elapsed, found = stopwatch(), bytearray()
        try:
            for piece in answer.iter_content(PIECE):
                found += piece
                if len(found) > LARGEST_ANSWER or elapsed() > self._timeout:
                    break
        except requests.RequestException as error:
            if answer.status_code < 300:
                raise UnknownFateError(
                    f"it answered {answer.status_code} and broke off: {type(error).__name__}"
                ) from error
        return bytes(found)


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    """Add no login: requests would look for one in a .netrc of whoever runs the worker."""
    return request


def _fate(error: requests.RequestException) -> TemporaryDeliveryError | UnknownFateError:
    # These say nothing of what was asked: no address, no secret and no text of a message.
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return TemporaryDeliveryError(f"it cannot be asked: {type(error).__name__}")
    if is_unsent(error):
        reason = error.args[0] if error.args else None
        if isinstance(reason, MaxRetryError):
            reason = reason.reason
        return TemporaryDeliveryError(f"it cannot be reached: {type(reason).__name__}")
    return UnknownFateError(f"it did not answer: {type(error).__name__}")


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
