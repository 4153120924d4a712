"""Takes back what a person told a provider to stop, when they tell it to start again.

It takes back that stop and nothing else: what they said on a page, in a mail or to the
business by another way stands, and so does what was imported.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from rekindle.consent import ConsentRecord
from rekindle.ledger import models
from rekindle.ledger.book import LedgerBook
from rekindle.ledger.signals import LIFTED
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.vocabulary import SignalKind

SOURCE = "provider"


def take_back_stop(
    alias: str, book: LedgerBook, event: DeliveryEvent, people: Collection[str], hashed: str
) -> None:
    """Let people who wrote START, from an address of this hash, be written to as before.

    In the caller's transaction, which holds the people.
    """
    if hashed:
        _lift(alias, event, _stops_at(alias, event, hashed), person=None, address_hash=hashed)
    for person in people:
        stops = _stops_of(alias, event, person)
        said = models.Consent.objects.using(alias).filter(person=person, channel=event.channel)
        record = said.order_by("at", "-granted", "id").last()
        if record is None or record.granted or record.at not in stops:
            continue  # there is nothing to take back, or they said no in another way since
        _lift(alias, event, stops, person=person)
        before = said.exclude(at__in=stops).order_by("at", "-granted", "id").last()
        if before is None or before.granted:
            book.save_consent(
                [ConsentRecord(person, event.channel, True, event.at, SOURCE, event.reason)]
            )


def _stops_of(alias: str, event: DeliveryEvent, person: str) -> frozenset[datetime]:
    """Return when a person told this provider to stop, as it reported or answered a message."""
    told = Q(key__startswith=f"delivery:{event.outlet}:") | Q(key__startswith="opt_out:")
    rows = models.Signal.objects.using(alias).filter(
        told, person=person, kind=SignalKind.OPT_OUT.value, at__lt=event.at
    )
    return frozenset(rows.values_list("at", flat=True))


def _stops_at(alias: str, event: DeliveryEvent, hashed: str) -> frozenset[datetime]:
    """Return when the provider told of stops of an address that nobody had then."""
    bound = models.Suppression.objects.using(alias).filter(person=None, address_hash=hashed)
    rows = models.Delivery.objects.using(alias).filter(
        outlet=event.outlet,
        kind=DeliveryKind.UNSUBSCRIBED.value,
        at__in=list(bound.values_list("at", flat=True)),
        at__lt=event.at,
    )
    return frozenset(rows.values_list("at", flat=True))


def _lift(alias: str, event: DeliveryEvent, stops: Collection[datetime], **of: object) -> None:
    """Let the suppressions that came of these stops hold nowhere; their rows stay."""
    rows = models.Suppression.objects.using(alias)
    stopped = rows.filter(
        channel=event.channel.value, reason=SignalKind.OPT_OUT.value, at__in=stops, **of
    )
    for row in stopped.order_by("id"):
        lifted = rows.filter(
            person=row.person_id,
            channel=LIFTED,
            purpose=row.purpose,
            reason=row.reason,
            address_hash=row.address_hash,
        )
        lifted.delete()
        rows.filter(pk=row.pk).update(channel=LIFTED)
