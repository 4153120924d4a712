"""Reads one reported call into a sound ``Event``, or says why it cannot be one.

The shape is that of Segment's HTTP tracking API
(https://segment.com/docs/connections/spec/common/), so that its client libraries work
unchanged. What is wrong with one event never touches another of the same batch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from rekindle.errors import EventError
from rekindle.intake.addresses import DEVICE, DEVICE_EVENTS, find_token
from rekindle.intake.cards import read_card
from rekindle.intake.instants import read_instant
from rekindle.intake.meanings import (
    ORDER_EVENTS,
    is_by_machine,
    kind_of,
    order_id_of,
)
from rekindle.intake.model import Card, Event, EventType, GivenAddress, Problem
from rekindle.intake.orders import check_amounts, names_amounts
from rekindle.vocabulary import STOPS
from rekindle.wording import event_name

# https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#errors
LARGEST_EVENT_BYTES = 32 * 1024
CLOCKS_DIFFER_BY = timedelta(minutes=10)
OLDEST = timedelta(days=3653)
LONGEST_INTEGER = 100
DERIVED = "derived-"
NAMED_BY_TYPE = {EventType.PAGE: "page_viewed", EventType.SCREEN: "screen_viewed"}
ABOUT_TRAITS = (EventType.IDENTIFY, EventType.GROUP)
TYPES = {kind.value: kind for kind in EventType}
IDS = ("messageId", "userId", "anonymousId", "previousId")
TEXTS = (*IDS, "type", "event", "timestamp", "originalTimestamp", "sentAt")
OBJECTS = ("properties", "traits", "context")
PLAIN: Mapping[str, type] = {**dict.fromkeys(TEXTS, str), **dict.fromkeys(OBJECTS, dict)}
PLAIN_ID = re.compile("[!-~]{1,200}").fullmatch

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Id = Text | StrictInt
Object = dict[str, Any]


class WireEvent(BaseModel):
    """One call, as it is sent; what it holds beside these fields is kept too."""

    model_config = ConfigDict(extra="ignore", title="Event")

    type: str | None = Field(None, description="identify, track, page, screen, alias or group.")
    message_id: Id | None = Field(
        None, alias="messageId", description="Its key: a repeated one changes nothing."
    )
    user_id: Id | None = Field(None, alias="userId", description="The customer's id.")
    anonymous_id: Id | None = Field(
        None, alias="anonymousId", description="Who it was before they were known."
    )
    previous_id: Id | None = Field(
        None, alias="previousId", description="The id an alias call joins to `userId`."
    )
    event: str | None = Field(None, description="What a track call says was done.")
    timestamp: str | None = Field(None, description="When, ISO 8601; UTC if it names no zone.")
    original_timestamp: str | None = Field(
        None, alias="originalTimestamp", description="When, by a device's own clock."
    )
    sent_at: str | None = Field(
        None, alias="sentAt", description="When it was sent, by that same clock."
    )
    properties: Object | None = Field(None, description="What track, page and screen say more.")
    traits: Object | None = Field(None, description="Who an identify call says it is.")
    context: Object | None = Field(None, description="Where it came from.")


class _Unusable:
    """Stands for a number no database can hold; writing it out again fails."""


def parse_json(text: bytes) -> Any:
    """Return what a body says; a number no database can hold spoils only its own event.

    Raises:
        ValueError: it is no JSON in UTF-8, or is nested too deeply to be read.
    """
    try:
        return json.loads(text, parse_int=_integer, parse_constant=lambda word: _Unusable())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def find_batch(body: Any) -> list[Any] | None:
    """Return the calls a body holds, or None if it holds no list of them."""
    calls = body.get("batch") if isinstance(body, dict) else None
    return calls if isinstance(calls, list) else None


def read_event(
    raw: Any, *, received_at: datetime, sent_at: str | None = None, type_: str | None = None
) -> Event:
    """Return a call as an event.

    ``type_`` is what the address says the call is, ``sent_at`` what its batch says.

    Raises:
        EventError: it cannot be taken; the problem says why.
    """
    if not isinstance(raw, dict):
        raise EventError(Problem.NOT_AN_OBJECT, f"a call is an object, not {type(raw).__name__}")
    payload = _written(raw)
    wire = _fields(raw)
    kind = _type(type_ or wire.get("type"))
    content = wire.get("traits" if kind in ABOUT_TRAITS else "properties") or {}
    name = _name(kind, wire.get("event"))
    user, anonymous = _id(wire.get("userId")), _id(wire.get("anonymousId"))
    previous = _id(wire.get("previousId"))
    _check_ids(kind, user, anonymous, previous)
    context = wire.get("context") or {}
    at, is_clamped = _instant(wire, received_at, sent_at)
    if name in ORDER_EVENTS:
        _check_order(name, content)
    card = _card(kind, name, content, context)
    return Event(
        _id(wire.get("messageId"))
        or _derived_id(raw, wire, received_at, refuses=_refuses(card, name, content)),
        kind,
        name,
        user,
        anonymous,
        at,
        content,
        payload,
        previous,
        is_clamped,
        is_by_machine(content, context),
        card,
    )


def _refuses(card: Card | None, name: str, content: Mapping[str, Any]) -> bool:
    """Return whether an event says no: to a channel, or to everything."""
    is_no = card is not None and any(not one.granted for one in card.statements)
    return is_no or kind_of(name, content) in STOPS


def _card(
    kind: EventType, name: str, content: Mapping[str, Any], context: Mapping[str, Any]
) -> Card | None:
    """Return what a call says of a contact card: an identify call, or an app that was opened."""
    if kind is EventType.IDENTIFY:
        return read_card(content, context)
    token = find_token(context) if name in DEVICE_EVENTS else None
    return None if token is None else Card(addresses=(GivenAddress(DEVICE, token),))


def _integer(text: str) -> object:
    return int(text) if len(text) <= LONGEST_INTEGER else _Unusable()


def _written(raw: Mapping[str, Any]) -> str:
    try:
        payload = to_json(raw)
    except PydanticSerializationError as error:
        is_text = "UnicodeEncodeError" in str(error)
        problem = Problem.BAD_TEXT if is_text else Problem.BAD_VALUE
        raise EventError(problem, f"it cannot be kept: {error}"[:200]) from error
    if len(payload) > LARGEST_EVENT_BYTES:
        raise EventError(
            Problem.TOO_LARGE,
            f"it has {len(payload):,} bytes; {LARGEST_EVENT_BYTES:,} are allowed",
        )
    if rb"\u0000" in payload and _has_nul(raw):
        raise EventError(Problem.BAD_TEXT, "a text holds a NUL character")
    return payload.decode()


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in key or _has_nul(inner) for key, inner in value.items())
    if isinstance(value, list):
        return any(_has_nul(inner) for inner in value)
    return isinstance(value, str) and "\x00" in value


def _fields(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a call, each sound, by the names they are sent under."""
    return raw if _is_plain(raw) else _validated(raw)


def _is_plain(raw: Mapping[str, Any]) -> bool:
    """Return whether a call is as most are: sound at a glance, with nothing to convert."""
    for field, given in raw.items():
        if given is not None and type(given) is not PLAIN.get(field, type(given)):
            return False
    return all(PLAIN_ID(raw[field]) for field in IDS if raw.get(field) is not None)


def _validated(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return WireEvent.model_validate(raw).model_dump(by_alias=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise EventError(Problem.BAD_FIELD, f"{first['loc'][0]}: {first['msg']}") from error


def _type(text: str | None) -> EventType:
    kind = TYPES.get(text or "") or TYPES.get((text or "").lower())
    if kind is None:
        known = ", ".join(EventType)
        raise EventError(Problem.UNKNOWN_TYPE, f"type {text!r:.60} is none of {known}")
    return kind


def _name(kind: EventType, event: str | None) -> str:
    if kind is not EventType.TRACK:
        return NAMED_BY_TYPE.get(kind, kind.value)
    name = event_name(event or "")
    if not name:
        raise EventError(Problem.MISSING_NAME, "give event, like 'Order Completed'")
    return name


def _id(given: str | int | None) -> str | None:
    return None if given is None or given == "" else str(given)


def _check_ids(
    kind: EventType, user: str | None, anonymous: str | None, previous: str | None
) -> None:
    if kind is EventType.ALIAS and not (user and previous):
        raise EventError(Problem.MISSING_ID, "an alias call needs userId and previousId")
    if user is None and anonymous is None:
        raise EventError(Problem.MISSING_ID, "give userId, anonymousId or both")


def _check_order(name: str, content: Mapping[str, Any]) -> None:
    order = order_id_of(name, content)
    if not order or len(order) > 200:
        raise EventError(Problem.MISSING_ORDER_ID, "an order event needs properties.order_id")
    try:
        check_amounts(name, content)
    except ValueError as error:
        raise EventError(Problem.BAD_AMOUNT, str(error)) from error
    if name == "order_completed" and not names_amounts(content):
        raise EventError(
            Problem.MISSING_AMOUNT,
            "an order needs revenue, subtotal, total or products with prices; "
            "write revenue 0 if nothing was paid",
        )


def _instant(
    wire: Mapping[str, Any], received_at: datetime, sent_at: str | None
) -> tuple[datetime, bool]:
    """Return when it happened, and whether it claimed a time well to come.

    Nothing happens after it is received: a clock that is a little fast is no lie.

    A device's own clock is set right by how far it was off when it sent: ``sentAt``
    against the time of receipt (https://segment.com/docs/connections/spec/common/#timestamps).
    """
    try:
        if given := wire.get("timestamp"):
            at = read_instant(given)
        elif given := wire.get("originalTimestamp"):
            sent = wire.get("sentAt") or sent_at
            skew = received_at - read_instant(sent) if sent else timedelta()
            at = read_instant(given) + skew
        else:
            return received_at, False
    except (ValueError, OverflowError) as error:
        raise EventError(Problem.BAD_TIME, f"{given!r:.60} is no ISO 8601 instant") from error
    if at > received_at:
        return received_at, at > received_at + CLOCKS_DIFFER_BY
    if at < received_at - OLDEST:
        raise EventError(Problem.TOO_OLD, f"{at:%Y-%m-%d} is more than ten years ago")
    return at, False


def _derived_id(
    raw: Mapping[str, Any], wire: Mapping[str, Any], received_at: datetime, *, refuses: bool
) -> str:
    """Return an id that a repetition of the same call gets again.

    A call that names no time of its own is told from an equal one of another day. One that
    refuses something is new each time: a yes may have come in between, and a no that is written
    down twice harms nobody.
    """
    said = {key: value for key, value in raw.items() if key not in ("sentAt", "writeKey")}
    if not (wire.get("timestamp") or wire.get("originalTimestamp")):
        said["receivedOn"] = received_at.isoformat() if refuses else f"{received_at:%Y-%m-%d}"
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return DERIVED + hashlib.sha256(canonical.encode()).hexdigest()[:40]
