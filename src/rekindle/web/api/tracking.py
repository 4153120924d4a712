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
    Refusal,
    find_batch,
    is_behaviour,
    read_event,
)
from rekindle.ledger import ApiKey, Scope, without_collector
from rekindle.web.access import open_to_keys
from rekindle.web.api.interfaces import Intake
from rekindle.web.api.messages import MOST_EVENTS, Answer, Refused, Request

Handler = Callable[[Request, ApiKey], Answer]


@dataclass
class _Reading:
    """A batch while it is read: what is sound, what is not, and what was left out."""

    events: list[Event] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


class Tracking:
    """The views of event intake."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @open_to_keys(Scope.EVENTS, Scope.BEHAVIOUR)
    def batch(self, request: Request, key: ApiKey) -> Answer:
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

    @open_to_keys(Scope.EVENTS)
    def person(self, request: Request, key: ApiKey) -> Answer:
        """Take one identify, alias or group call."""
        return self._take([request.document], key, type_=TYPES[request.path.rpartition("/")[2]])

    @open_to_keys(Scope.EVENTS, Scope.BEHAVIOUR)
    def behaviour(self, request: Request, key: ApiKey) -> Answer:
        """Take one track, page or screen call."""
        return self._take([request.document], key, type_=TYPES[request.path.rpartition("/")[2]])

    def _take(
        self, calls: Sequence[Any], key: ApiKey, *, type_: str | None = None, sent_at: Any = None
    ) -> Answer:
        if type_ is not None and not isinstance(calls[0], dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is no event: it is no JSON object")
        with without_collector():
            return Answer(_summary(self._taken(calls, key, type_, sent_at), len(calls)))

    def _taken(
        self, calls: Sequence[Any], key: ApiKey, type_: str | None, sent_at: Any
    ) -> _Reading:
        now = self._intake.now()
        reading = _Reading()
        sent = sent_at if isinstance(sent_at, str) else None
        for index, raw in enumerate(calls):
            try:
                # Of calls that name no time the later one counts as the later.
                received_at = now - timedelta(microseconds=len(calls) - 1 - index)
                event = read_event(raw, received_at=received_at, sent_at=sent, type_=type_)
                _check_allowed(event, key)
            except EventError as error:
                reading.refusals.append(_refusal(index, raw, error))
                continue
            reading.events.append(event)
            reading.places[event.message_id] = index
            if event.card is not None and event.card.notes:
                reading.notes += _notes(index, event.message_id, event.card)
        erased = self._intake.take(key.source, reading.events, now)
        reading.refusals += [_erased(reading.places[id_], id_) for id_ in erased]
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
    if Scope.EVENTS not in key.scopes and not is_behaviour(event):
        raise EventError(
            Problem.NOT_ALLOWED,
            f"the key {key.name!r} has the scope behaviour; send {event.name} from a server",
        )


def _refusal(index: int, raw: Any, error: EventError) -> Refusal:
    given = raw.get("messageId") if isinstance(raw, dict) else None
    message_id = given[:200] if isinstance(given, str) else None
    return Refusal(index, message_id, Problem(error.problem), str(error))


def _erased(index: int, message_id: str) -> Refusal:
    return Refusal(index, message_id, Problem.ERASED, "the person asked to be forgotten")


def _notes(index: int, message_id: str, card: Card) -> list[dict[str, Any]]:
    return [{"index": index, "messageId": message_id, "note": note} for note in card.notes]


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
                "detail": refusal.detail.encode("utf-8", "replace").decode(),
            }
            for refusal in sorted(reading.refusals, key=lambda one: one.index)
        ]
    if reading.notes:
        summary["notes"] = reading.notes
    return summary
