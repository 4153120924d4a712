"""Finds the message that a link back to the shop stands in, and what became of it since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rekindle.ledger import models
from rekindle.ledger.hashing import key_of_touch
from rekindle.ledger.offers.reading import OfferEntry, load_offer_of
from rekindle.ledger.queries import ledger_errors
from rekindle.vocabulary import Channel, Reason, SignalKind


@dataclass(frozen=True, slots=True)
class LinkedMessage:
    """A message whose link was followed: to whom, by which channel, with which offer.

    ``person`` is whoever its reader is known as by now; ``at`` is when it was decided, and
    ``has_returned`` says that the ledger knows of a purchase since.
    """

    person: str
    at: datetime
    channel: Channel
    country: str | None
    offer: OfferEntry | None
    has_returned: bool


@ledger_errors()
def find_linked_message(alias: str, touch: int, key: str, at: datetime) -> LinkedMessage | None:
    """Return a message by its number and how its key begins.

    None if there is none, or its reader was forgotten. A ledger that was restored gives numbers
    out again, so the message of a link from before may be somebody else's by now.
    """
    rows = models.Touch.objects.using(alias).select_related("enrolment", "person")
    found = rows.filter(pk=touch).first()
    if found is None or found.person.erased_at is not None:
        return None
    if not key or not key_of_touch(found).startswith(key):
        return None
    bought = models.Signal.objects.using(alias).filter(
        person=found.person_id, kind=SignalKind.ORDER, is_void=False, at__gte=found.at
    )
    ended = found.enrolment.ended_reason
    return LinkedMessage(
        person=found.person_id,
        at=found.at,
        channel=Channel(found.channel),
        country=found.person.country,
        offer=load_offer_of(alias, touch, at),
        has_returned=ended == Reason.ORDER or bought.exists(),
    )
