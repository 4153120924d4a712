"""What providers say later of messages that left, and what follows from it.

One report is one transaction: it is kept, the people and the message it is about are
found, and what it ends is ended. Told twice, it does nothing the second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rekindle.consent import Whom, suppression_by
from rekindle.gate import BookRules
from rekindle.journeys import Signal
from rekindle.ledger import models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.book.addresses import retire_address
from rekindle.ledger.cancelling import FREE
from rekindle.ledger.hashing import Hashing, touch_key
from rekindle.ledger.models import MAY_HAVE_LEFT, MessageState
from rekindle.ledger.outbox.returning import take_back_stop
from rekindle.ledger.queries import (
    Row,
    fetch,
    instant_or_none,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import hold_people, suppress_people
from rekindle.messages import (
    LISTED,
    Address,
    DeliveryEvent,
    DeliveryKind,
    fingerprint,
    hide_address,
)
from rekindle.vocabulary import STOPS, Reason, SignalKind

REMEMBERED = timedelta(days=90)
"""So long after a message left what a provider says of it finds the message."""

YOUNG = timedelta(seconds=10)
"""An open or a click that comes sooner after the message is a scanner's."""

LONGEST_REASON = 500
ADDRESS = re.compile(r"\S+@\S+")
HIDDEN = "…"

KINDS: Mapping[DeliveryKind, SignalKind] = {
    DeliveryKind.BOUNCED: SignalKind.BOUNCE,
    DeliveryKind.COMPLAINED: SignalKind.COMPLAINT,
    DeliveryKind.UNSUBSCRIBED: SignalKind.OPT_OUT,
    DeliveryKind.OPENED: SignalKind.OPEN,
    DeliveryKind.CLICKED: SignalKind.CLICK,
    DeliveryKind.REPLIED: SignalKind.REPLY,
}
ANSWERS = frozenset({DeliveryKind.OPENED, DeliveryKind.CLICKED, DeliveryKind.REPLIED})
"""What one person does, where several may share an address."""

DONE_WITH = frozenset({DeliveryKind.CLICKED, DeliveryKind.DISMISSED})
"""After what a person did with it a message that is kept is shown no more."""


class _Touch(NamedTuple):
    """A message that a report may be about."""

    number: int
    person: str
    state: str
    provider_id: str
    key: str
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class _About:
    """Whom a report is about, and which of their messages, where that was found.

    ``is_shown`` says that the report shows that the address it names is theirs.
    """

    people: tuple[str, ...]
    touch: _Touch | None
    is_shown: bool = True


class Deliveries:
    """Takes what providers report into one ledger. Raises LedgerError when it refuses."""

    def __init__(self, alias: str, book: LedgerBook, *, secret: bytes, terms: BookRules) -> None:
        self._alias, self._book, self._terms = alias, book, terms
        self._hashing = Hashing(secret)

    def take(self, events: Sequence[DeliveryEvent], at: datetime) -> int:
        """Keep reports and do what they call for; return how many were new."""
        # A transaction a report: people are held in one order in each, and never in a circle.
        return sum(self._take(event, at) for event in events)

    def note_open(self, event: DeliveryEvent, at: datetime) -> bool:
        """Keep an opening where hygiene alone sees it; return whether it was news."""
        with ledger_transaction(self._alias):
            touch = self._find_own(event).touch
            if touch is None:
                return False
            by_machine = event.is_machine or _is_young(event, touch)
            row = (touch.number, by_machine, text_of(at))
            return bool(fetch(self._alias, "note_open", rows_of([row])))

    def _take(self, event: DeliveryEvent, at: datetime) -> bool:
        # What a provider's clock has yet to reach happened when it was told.
        told = replace(_sound(event), at=min(event.at, at), reason=_words(event))
        hashed = ""
        if told.address:
            hashed = self._hashing.of(self._terms.address_kind(told.channel), told.address)
        with ledger_transaction(self._alias):
            about = self._find(told, hashed)
            hold_people(self._alias, about.people)
            if not self._is_asked_for(told) and _is_young(told, about.touch):
                told = replace(told, is_machine=True)
            if not fetch(self._alias, "add_delivery", rows_of([_row(told, about.touch, at)])):
                return False
            if about.touch is not None:
                self._settle(told, about.touch)
            self._act(told, about, at, hashed)
            return True

    def _find(self, event: DeliveryEvent, hashed: str) -> _About:
        """Find who has the address now, and which of their messages it is about."""
        if event.person:
            return self._find_own(event)
        if event.needs_message and not event.message:
            return _About((), None, is_shown=False)
        people = (
            [who for (who,) in fetch(self._alias, "people_at", *[hashed] * 3)] if hashed else []
        )
        since = text_of(event.at - REMEMBERED)
        batch = rows_of((person,) for person in people)
        rows = fetch(self._alias, "touches_to", batch, event.channel.value, since) if people else ()
        touch = _match(event, [_touch_of(*row) for row in rows])
        if touch is None and (event.provider_id or event.message):
            begin = f"<{event.message}>" if event.message else event.provider_id
            named = (event.channel.value, since, event.provider_id, len(begin), begin)
            rows = fetch(self._alias, "touch_named", *named)
            touch = _match(event, [_touch_of(*row) for row in rows])
        if event.needs_message and (touch is None or touch.person not in people):
            return _About((touch.person,) if touch else (), touch, is_shown=False)
        found = {*people, *([touch.person] if touch is not None else [])}
        return _About(tuple(sorted(found)), touch)

    def _find_own(self, event: DeliveryEvent) -> _About:
        """Find the message that one of our own links stands in; nobody without it."""
        person = self._book.persons.find([event.person])[event.person]
        since = text_of(event.at - REMEMBERED)
        rows = fetch(self._alias, "touches_to", rows_of([(person,)]), event.channel.value, since)
        touch = _match(event, [_touch_of(*row) for row in rows])
        return _About((), None) if touch is None else _About((touch.person,), touch)

    def _is_asked_for(self, event: DeliveryEvent) -> bool:
        """Return whether it is of a message that a person had to be there to see."""
        known = self._terms.channels.get(event.channel)
        return known is not None and known.is_asked_for

    def _act(self, event: DeliveryEvent, about: _About, at: datetime, hashed: str) -> None:
        """Record what it tells of people, and end what that ends."""
        if event.kind is DeliveryKind.RESUBSCRIBED:
            take_back_stop(self._alias, self._book, event, about.people, hashed)
            return
        kind = KINDS.get(event.kind)
        if kind is None or (kind is SignalKind.BOUNCE and not event.is_permanent):
            return
        if not about.is_shown:
            # Forwarded, or made up: its reader may complain, and says nothing of that address.
            if kind is SignalKind.BOUNCE:
                return
            event, hashed = replace(event, address=""), ""
        if kind is SignalKind.BOUNCE and self._terms.address_kind(event.channel) in LISTED:
            self._retire(event, about, at)
            return
        people = about.people
        if event.kind in ANSWERS:
            people = (about.touch.person,) if about.touch else people
            if event.is_machine or len(people) != 1:
                return
        signals = [
            Signal(who, kind, event.at, f"{_key(event)}:{who}", "", event.channel, event.address)
            for who in people
        ]
        if signals:
            self._book.record(signals, at)
        elif hashed and kind in STOPS:
            # Nobody has the address any more; whoever gets it is not written to there.
            suppression = replace(suppression_by(kind, event.channel), whom=Whom.ADDRESS)
            suppress_people(self._alias, self._terms, [("", suppression, event.at, hashed)])

    def _retire(self, event: DeliveryEvent, about: _About, at: datetime) -> None:
        """Write down that an address is none any more: of those of a kind, one went, not all.

        Nobody bounced, and nothing of theirs ends; but who gave it again since has it again.
        """
        kind = self._terms.address_kind(event.channel)
        for person in about.people:
            held = models.Address.objects.using(self._alias).filter(person=person, kind=kind)
            older = held.filter(retired_at=None, seen_at__lte=event.at)
            for value, hashed in older.values_list("value", "hash"):
                if value == event.address or fingerprint(Address(kind, value)) == event.fingerprint:
                    retire_address(self._alias, kind, hashed, at, event.reason)

    def _settle(self, event: DeliveryEvent, touch: _Touch) -> None:
        """Write down what became of the message itself."""
        rows = models.Touch.objects.using(self._alias).filter(pk=touch.number)
        unknown = rows.filter(state=MessageState.UNKNOWN)
        if event.kind is DeliveryKind.FAILED:
            left = rows.filter(state__in=MAY_HAVE_LEFT)
            change = {"reason": Reason.REFUSED.value, "last_error": event.reason}
            left.update(**FREE, state=MessageState.FAILED, **change)
        elif event.kind is DeliveryKind.BOUNCED:
            unknown.update(**FREE, state=MessageState.FAILED, reason=Reason.BOUNCE.value)
        else:  # whatever else is said of it, it has left
            unknown.update(
                **FREE,
                state=MessageState.ACCEPTED,
                accepted_at=event.at,
                provider_id=event.provider_id or touch.provider_id,
                reason=None,
            )
        if event.kind in DONE_WITH:
            models.Kept.objects.using(self._alias).filter(touch=touch.number).delete()


def _key(event: DeliveryEvent) -> str:
    return f"delivery:{event.outlet}:{event.id}"


def _sound(event: DeliveryEvent) -> DeliveryEvent:
    """Return a report without what no ledger keeps: it would come again and again, with others."""
    return replace(
        event,
        id=_text(event.id),
        provider_id=_text(event.provider_id),
        message=_text(event.message),
        address=_text(event.address),
    )


def _text(told: str) -> str:
    return told.encode("utf-8", "replace").decode().replace("\x00", "")


def _words(event: DeliveryEvent) -> str:
    """Return a provider's words in one line, without the address."""
    said = _text(event.reason)
    words = hide_address(" ".join(said.split())[:LONGEST_REASON], event.address)
    return ADDRESS.sub(HIDDEN, words)  # of where it was forwarded to, say


def _row(event: DeliveryEvent, touch: _Touch | None, at: datetime) -> Row:
    return (
        _key(event),
        event.channel.value,
        event.outlet,
        event.kind.value,
        text_of(event.at),
        None if touch is None else touch.number,
        event.is_machine,
        event.is_permanent,
        event.reason,
        text_of(at),
    )


def _match(event: DeliveryEvent, touches: Iterable[_Touch]) -> _Touch | None:
    """Return the message that is meant: the one named, or else the newest that had left."""
    for touch in touches:
        if not event.provider_id and not event.message:
            if touch.accepted_at is not None and touch.accepted_at <= event.at:
                return touch
        elif (event.provider_id and touch.provider_id == event.provider_id) or (
            event.message
            and (_is_named(event, touch) or touch.provider_id.startswith(f"<{event.message}>"))
        ):
            return touch
    return None


def _is_named(event: DeliveryEvent, touch: _Touch) -> bool:
    if event.person:  # our own links say how the key begins, which is enough among one's own
        return touch.key.startswith(event.message)
    return touch.key == event.message


def _touch_of(
    number: int, person: str, state: str, provider_id: str, accepted_at: str | None, *identity: Any
) -> _Touch:
    # One that was written under another id keeps the key that is known outside.
    own, journey, version, step, rotation = identity
    key = own or touch_key(person, journey, version, step, rotation)
    return _Touch(number, person, state, provider_id, key, instant_or_none(accepted_at))


def _is_young(event: DeliveryEvent, touch: _Touch | None) -> bool:
    """Tell whether an open or a click came too soon to be a person's."""
    if event.kind not in ANSWERS - {DeliveryKind.REPLIED} or touch is None:
        return False
    if touch.accepted_at is None:  # it is on its way out just now, or nobody knows
        return touch.state == MessageState.SENDING
    return event.at - touch.accepted_at < YOUNG
