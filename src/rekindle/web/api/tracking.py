"""The calls of event intake: identify, track, page, screen, alias, group, and batches.

Each event stands for itself: a bad one is refused with its place and reason, the rest is
taken. Anything but a 200 means that nothing was kept and the same may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from rekindle.errors import EventError
from rekindle.intake import (
    Card,
    Event,
    EventType,
    Problem,
    RefusedEvent,
    as_visitor,
    find_batch,
    is_behaviour,
    is_visitors_own,
    read_event,
)
from rekindle.ledger import ApiKey, Scope, without_collector
from rekindle.web.access import open_to_keys
from rekindle.web.api.interfaces import Intake
from rekindle.web.api.messages import MOST_EVENTS, Refused, Request, Response

CLAIMED = (
    "userId is not taken from a page: the event is its visitor's, by anonymousId; say on your "
    "server, in an identify call with both, who that is"
)
Handler = Callable[[Request, ApiKey], Response]


@dataclass
class _Reading:
    """A batch while it is read: what is sound, what is not, and what was left out."""

    events: list[Event] = field(default_factory=list)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    refusals: list[RefusedEvent] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def note(self, index: int, card: Card, event: Event) -> None:
        """Note what of a card was left out."""
        for text in card.notes:
            self._note(index, event, text)

    def of_visitor(self, index: int, event: Event) -> Event:
        """Return an event as a page may report it, and note what of it was left out."""
        if event.user_id is not None:
            self._note(index, event, CLAIMED)
        own, left_out = as_visitor(event)
        for text in left_out:
            self._note(index, event, text)
        return own

    def _note(self, index: int, event: Event, text: str) -> None:
        self.notes.append({"index": index, "messageId": event.message_id, "note": text})


class Tracking:
    """The views of event intake."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @open_to_keys(Scope.EVENTS, Scope.BROWSER, Scope.BEHAVIOUR)
    def batch(self, request: Request, key: ApiKey) -> Response:
        """Take up to 500 events."""
        calls = find_batch(request.document)
        if calls is None:
            raise Refused(HTTPStatus.BAD_REQUEST, 'the body holds no list "batch" of events')
        if len(calls) > MOST_EVENTS:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the batch holds {len(calls):,} events; send at most {MOST_EVENTS}",
            )
        return self._take(calls, key, sent_at=request.document.get("sentAt"))

    @open_to_keys(Scope.EVENTS, Scope.BROWSER)
    def person(self, request: Request, key: ApiKey) -> Response:
        """Take one identify, alias or group call."""
        return self._take([request.document], key, type_=TYPES[request.path.rpartition("/")[2]])

    @open_to_keys(Scope.EVENTS, Scope.BROWSER, Scope.BEHAVIOUR)
    def behaviour(self, request: Request, key: ApiKey) -> Response:
        """Take one track, page or screen call."""
        return self._take([request.document], key, type_=TYPES[request.path.rpartition("/")[2]])

    def _take(
        self, calls: Sequence[Any], key: ApiKey, *, type_: str | None = None, sent_at: Any = None
    ) -> Response:
        if type_ is not None and not isinstance(calls[0], dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is no event: it is no JSON object")
        with without_collector():
            return Response(_summary(self._taken(calls, key, type_, sent_at), len(calls)))

    def _taken(
        self, calls: Sequence[Any], key: ApiKey, type_: str | None, sent_at: Any
    ) -> _Reading:
        now = self._intake.now()
        reading = _Reading()
        is_public = key.is_public
        sent = sent_at if isinstance(sent_at, str) else None
        for index, raw in enumerate(calls):
            try:
                # Of calls that name no time the later one counts as the later.
                received_at = now - timedelta(microseconds=len(calls) - 1 - index)
                event = read_event(raw, received_at=received_at, sent_at=sent, type_=type_)
                if is_public:
                    _check_allowed(event, key)
            except EventError as error:
                reading.refusals.append(_refusal(index, raw, error))
                continue
            if event.card is not None:
                reading.note(index, event.card, event)
            own = reading.of_visitor(index, event) if is_public else event
            reading.events.append(own)
            reading.places[own.message_id] = index, event.message_id
        erased = self._intake.take(key.source, reading.events, now)
        reading.refusals += [_erased(*reading.places[id_]) for id_ in erased]
        return reading


TYPES = {
    **{kind.value: kind.value for kind in EventType},
    # The addresses that Segment's library for browsers uses.
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "a": "alias",
    "g": "group",
}


def _check_allowed(event: Event, key: ApiKey) -> None:
    """Refuse what a key that anybody may read must not say."""
    may = is_visitors_own if Scope.BROWSER in key.scopes else is_behaviour
    if not may(event):
        scopes = " and ".join(sorted(key.scopes))
        what = event.name or event.type.value
        raise EventError(
            Problem.NOT_ALLOWED,
            f"the key {key.name!r} has the scope {scopes}; send {what} from a server",
        )


def _refusal(index: int, raw: Any, error: EventError) -> RefusedEvent:
    given = raw.get("messageId") if isinstance(raw, dict) else None
    message_id = given[:200] if isinstance(given, str) else None
    return RefusedEvent(index, message_id, Problem(error.problem), str(error))


def _erased(index: int, message_id: str) -> RefusedEvent:
    return RefusedEvent(index, message_id, Problem.ERASED, "the person asked to be forgotten")


def _summary(reading: _Reading, count: int) -> dict[str, Any]:
    """Return ``{"success": true}``, all that client libraries look at, and what was amiss."""
    summary: dict[str, Any] = {"success": True}
    if reading.refusals:
        summary["accepted"] = count - len(reading.refusals)
        summary["refused"] = [
            {
                "index": refusal.index,
                "messageId": refusal.message_id,
                "reason": refusal.reason.value,
                "detail": refusal.detail,
            }
            for refusal in sorted(reading.refusals, key=lambda one: one.index)
        ]
    if reading.notes:
        summary["notes"] = reading.notes
    return summary
