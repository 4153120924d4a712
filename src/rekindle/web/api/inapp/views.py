"""The two calls of an app or a page: what is this person to see, and what did they do with it.

A server's key asks for anybody. A browser's key asks for the one whom a token of the shop's
server names, and for nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

from rekindle.ledger import ApiKey, Scope
from rekindle.messages import DeliveryKind
from rekindle.vocabulary import is_usable_id
from rekindle.web.access import open_to_keys
from rekindle.web.api.inapp.allowance import WINDOW_SECONDS, Allowance
from rekindle.web.api.inapp.tokens import read_person
from rekindle.web.api.messages import Refused, Request, Response
from rekindle.worker import Showing, Told

ASK = "/v1/inapp"
EVENTS = "/v1/inapp/events"
TOKEN = "Rekindle-Person"
MOST_EVENTS = 50
KEY = re.compile(r"[0-9a-f]{64}")
WORDS = {
    "shown": DeliveryKind.SHOWN,
    "clicked": DeliveryKind.CLICKED,
    "dismissed": DeliveryKind.DISMISSED,
}


class Keeper(Protocol):
    """What waits until its person asks for it, as far as the calls have to know."""

    secret: str

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""

    def ask(self, user: str, source: str) -> Showing | None:
        """Return what somebody is to see now, None for nothing.

        Raises:
            WorkError: nobody can say now.
        """

    def tell(self, user: str, source: str, said: Sequence[tuple[str, DeliveryKind]]) -> Told:
        """Keep what somebody did with messages of theirs, each once.

        Raises:
            WorkError: nothing was kept; the same may be told again.
        """


class InApp:
    """The views. ``origins`` are the web origins whose pages may call."""

    def __init__(
        self, kept: Keeper, origins: Collection[str] = (), allowance: Allowance | None = None
    ) -> None:
        self._kept = kept
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._allowance = allowance or Allowance()

    @open_to_keys(Scope.EVENTS, Scope.BROWSER)
    def ask(self, request: Request, key: ApiKey) -> Response:
        """Return the one message a person is to see now, or null."""
        user = self._who(request, key, _named(request.query), request.header(TOKEN))
        found = self._kept.ask(user, key.source)
        return Response({"success": True, "message": found and _document(found)})

    @open_to_keys(Scope.EVENTS, Scope.BROWSER)
    def report(self, request: Request, key: ApiKey) -> Response:
        """Take what a person did with their messages."""
        body = request.document
        if not isinstance(body, dict) or not isinstance(body.get("events"), list):
            raise Refused(HTTPStatus.BAD_REQUEST, 'the body holds no list "events"')
        token = body.get("token") or request.header(TOKEN)
        user = self._who(request, key, body.get("user"), token)
        events = body["events"]
        if len(events) > MOST_EVENTS:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body holds {len(events):,} events; send at most {MOST_EVENTS}",
            )
        read = [_read(one) for one in events]
        told = self._kept.tell(user, key.source, [one for one in read if one is not None])
        refused = [
            {"index": index, "reason": "unreadable" if one is None else "unknown_message"}
            for index, one in enumerate(read)
            if one is None or one[0] in told.unknown
        ]
        return Response({"success": True, "new": told.new, "refused": refused})

    def _who(self, request: Request, key: ApiKey, user: Any, token: Any) -> str:
        """Return for whom is asked; a browser may ask for the person of its token alone."""
        if key.is_public:
            who = self._who_looks(request, user, token)
        elif isinstance(user, str) and is_usable_id(user):
            who = user
        else:
            raise Refused(HTTPStatus.BAD_REQUEST, "say for whom: user, the customer's id")
        if not self._allowance.take(f"{key.source}\0{who}"):
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "ask less often",
                **{"Retry-After": str(int(WINDOW_SECONDS))},
            )
        return who

    def _who_looks(self, request: Request, user: Any, token: Any) -> str:
        origin = request.header("Origin")
        if origin and origin not in self._origins:
            raise Refused(HTTPStatus.FORBIDDEN, "api.origins does not name the origin of this page")
        if user is not None:
            raise Refused(HTTPStatus.FORBIDDEN, "a browser's key asks by a token, not by a user")
        found = None
        if isinstance(token, str):
            found = read_person(self._kept.secret, token, self._kept.now())
        if found is None:
            raise Refused(HTTPStatus.FORBIDDEN, "the token is missing, over, or not of your server")
        return found


def _named(query: str) -> str | None:
    """Return the user that a query names, None where it names nobody.

    Raises:
        Refused: it names several, or cannot be read.
    """
    try:
        given = parse_qs(query, max_num_fields=10).get("user", [])
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the query cannot be read: {error}") from error
    if len(given) > 1:
        raise Refused(HTTPStatus.BAD_REQUEST, "say for whom once")
    return given[0] if given else None


def _read(raw: Any) -> tuple[str, DeliveryKind] | None:
    """Return which message a report is of, and what was done; None where it cannot be read."""
    if not isinstance(raw, dict):
        return None
    message, kind = raw.get("message"), raw.get("event")
    known = WORDS.get(kind) if isinstance(kind, str) else None
    if known is None or not isinstance(message, str) or not KEY.fullmatch(message):
        return None
    return message, known


def _document(found: Showing) -> dict[str, str]:
    said = {name: found.parts.get(name, "").strip() for name in ("title", "body", "url")}
    return {"id": found.key, **said, "until": found.until.isoformat()}
