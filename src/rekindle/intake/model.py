"""The nouns of event intake: what happened, as reported and as kept, and why it was not taken.

An ``Event`` is sound: its ids, its time and its text were checked when it was read, so
no later room has to doubt them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from rekindle.vocabulary import Channel, value_by_the_million


class EventType(StrEnum):
    """The calls of Segment's tracking API."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    ALIAS = "alias"
    GROUP = "group"


class Problem(StrEnum):
    """Why one event of a batch was refused; the others are taken all the same."""

    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    BAD_TEXT = "bad_text"
    BAD_VALUE = "bad_value"
    UNKNOWN_TYPE = "unknown_type"
    BAD_FIELD = "bad_field"
    MISSING_ID = "missing_id"
    MISSING_NAME = "missing_name"
    BAD_TIME = "bad_time"
    TOO_OLD = "too_old"
    MISSING_ORDER_ID = "missing_order_id"
    BAD_AMOUNT = "bad_amount"
    MISSING_AMOUNT = "missing_amount"
    NOT_ALLOWED = "not_allowed"
    ERASED = "erased"


PROBLEMS: Mapping[Problem, str] = MappingProxyType(
    {
        Problem.NOT_AN_OBJECT: "The event is no JSON object.",
        Problem.TOO_LARGE: "The event is larger than 32 KB.",
        Problem.BAD_TEXT: "A text holds a NUL character or half of a character.",
        Problem.BAD_VALUE: "It holds NaN, Infinity, a number of hundreds of digits, or is nested "
        "too deeply.",
        Problem.UNKNOWN_TYPE: "`type` is none of identify, track, page, screen, alias, group.",
        Problem.BAD_FIELD: "A field has the wrong type, or an id is too long.",
        Problem.MISSING_ID: "Neither `userId` nor `anonymousId` is given (alias: `userId` and "
        "`previousId`).",
        Problem.MISSING_NAME: "A track call names no `event`.",
        Problem.BAD_TIME: "`timestamp` is no ISO 8601 instant.",
        Problem.TOO_OLD: "It happened more than ten years ago.",
        Problem.MISSING_ORDER_ID: "An order event names no `order_id`.",
        Problem.BAD_AMOUNT: "An amount of an order is no number.",
        Problem.MISSING_AMOUNT: "An `Order Completed` says nothing of what it came to: neither "
        "`revenue`, `subtotal` nor `total`, nor products with prices. Where nothing was paid, "
        "write 0.",
        Problem.NOT_ALLOWED: "The key is one of a page: it reports views, carts and its own "
        "visitor. Logins, orders, permissions, aliases and events of your own need a server's.",
        Problem.ERASED: "The person asked to be forgotten; nothing more is kept about them.",
    }
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A person's yes or no to one channel, in their words if they were given.

    ``is_confirmed`` is whether a yes was confirmed, None where that is not said.
    """

    channel: Channel
    granted: bool
    wording: str = ""
    source: str = ""
    is_confirmed: bool | None = None


@dataclass(frozen=True, slots=True)
class GivenAddress:
    """An address of a kind of which people have several (``rekindle.messages.AddressKind``)."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """The part of a contact card that one call gives; None is "nothing said"."""

    email: str | None = None
    email_verified: bool | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None
    created_at: datetime | None = None
    statements: tuple[Statement, ...] = ()
    addresses: tuple[GivenAddress, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)


@value_by_the_million(frozen=True, slots=True)
class Event:
    """One thing that happened, as it was reported. ``name`` is in snake case (``order_completed``).

    ``content`` is what the call is about: properties, or the traits of identify and group.
    ``is_clamped`` says that it claimed a time to come and counts from when it was received;
    ``payload`` is the whole call as JSON text, ``card`` what an identify call says.
    """

    message_id: str
    type: EventType
    name: str
    user_id: str | None
    anonymous_id: str | None
    at: datetime
    content: Mapping[str, Any]
    payload: str
    previous_id: str | None = None
    is_clamped: bool = False
    is_machine: bool = False
    card: Card | None = None


@value_by_the_million(frozen=True, slots=True)
class KeptEvent:
    """An event as the ledger keeps it. ``person`` is None where nobody knows yet who it was.

    ``number`` and ``source`` tell it from all others, ``subject`` is the order it is about.
    """

    name: str
    person: str | None
    at: datetime
    content: Mapping[str, Any]
    message_id: str = ""
    type: EventType = EventType.TRACK
    number: int = 0
    source: str = ""
    subject: str = ""
    is_machine: bool = False


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event that was not taken: its place in the batch, and what was wrong."""

    index: int
    message_id: str | None
    reason: Problem
    detail: str
