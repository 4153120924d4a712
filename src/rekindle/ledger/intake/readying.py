"""An event made ready: all that can be said of it before the ledger is asked.

One thread writes for every request, so what needs no database is done here, by the
threads of the requests, while that one writes what came before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rekindle.intake import Event, KeptEvent, channel_of, kind_of, order_id_of, signal_kind
from rekindle.journeys import Signal, order_signal
from rekindle.ledger.bulk import Target, moment_writer
from rekindle.ledger.queries import Row
from rekindle.vocabulary import STOPS, SignalKind

EVENTS = Target(
    "ledger_event",
    (
        ("message_id", "text"),
        ("type", "text"),
        ("name", "text"),
        ("subject", "text"),
        ("anonymous_id", "text"),
        ("is_clamped", "bool"),
        ("payload", "text"),
        ("at", "timestamptz"),
        ("source", "text"),
        ("person", "text"),
        ("is_machine", "bool"),
        ("deed", "text"),
        ("given", "text"),
        ("received_at", "timestamptz"),
    ),
)
KINDS = frozenset(kind.value for kind in SignalKind)
SIGNALS = STOPS | {SignalKind.ORDER}
"""What is recorded beside its event: a purchase goes by its order, a stop changes more."""


@dataclass(slots=True)
class ReadyEvent:
    """An event on its way into the ledger, what it is taken for, and the first columns of its row.

    ``person`` is whose it is, once that is known; ``given`` the id it came under, where that
    stands for the person.
    """

    event: Event
    kind: SignalKind | None
    columns: Row
    is_machine: bool
    person: str | None = None
    given: str | None = None

    @property
    def deed(self) -> str | None:
        """Return what the person did, as a journey says it; None if it is a signal or nothing.

        An event of the shop's own that is called like a kind is a signal too: a row says
        one word, and must not say ``order`` of what is none.
        """
        if self.kind is None or self.person is None or self.kind in SIGNALS:
            return None
        if self.kind is not SignalKind.EVENT:
            return self.kind.value
        return None if self.event.name in KINDS else self.event.name

    def row(self, source: str, received_at: object) -> Row:
        """Return the row of ``EVENTS``."""
        return (
            *self.columns,
            source,
            self.person,
            self.is_machine,
            self.deed,
            self.given,
            received_at,
        )

    def signal(self, source: str, person: str) -> Signal:
        """Return the signal; a purchase goes by its order, as the one an import brings."""
        event, kind = self.event, self.kind or SignalKind.EVENT
        if kind is SignalKind.ORDER:
            order_id = order_id_of(event.name, event.content)
            return order_signal(person, event.at, source, order_id)
        key = _key_of(source, event.message_id, person)
        channel = channel_of(event.name, event.content) if kind in STOPS else None
        return Signal(person, kind, event.at, key, self._said, channel)

    def reported(self, person: str) -> Signal:
        """Return the signal of what its row keeps, so that it needs no key of its own."""
        event, kind = self.event, self.kind or SignalKind.EVENT
        return Signal(person, kind, event.at, event.message_id, self._said)

    @property
    def _said(self) -> str:
        return self.event.name if self.kind is SignalKind.EVENT else ""


def ready_events(alias: str, events: Iterable[Event]) -> list[ReadyEvent]:
    """Return events as this ledger keeps them; it is not asked."""
    moment = moment_writer(alias, is_fresh=True)
    return [_ready(event, moment(event.at)) for event in events]


def refused_signal(event: KeptEvent) -> Signal:
    """Return the signal of a no that is on record, as of the person it is known to be of now."""
    kind, channel = kind_of(event.name, event.content), channel_of(event.name, event.content)
    person = str(event.person)
    key = _key_of(event.source, event.message_id, person)
    return Signal(person, kind, event.at, key, channel=channel)


def _key_of(source: str, message_id: str, person: str) -> str:
    # As JSON, because ids may hold whatever would stand between them.
    return "event:" + json.dumps([source, message_id, person], ensure_ascii=False)


def _ready(event: Event, at: object) -> ReadyEvent:
    columns = (
        event.message_id,
        event.type.value,
        event.name,
        order_id_of(event.name, event.content),
        event.anonymous_id,
        event.is_clamped,
        event.payload,
        at,
    )
    return ReadyEvent(event, signal_kind(event), columns, event.is_machine)
