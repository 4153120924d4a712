"""Takes down that somebody is to be on a list, in the transaction that accepts the message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rekindle.ledger import models
from rekindle.messages import Stay


def take_down(alias: str, stays: Mapping[int, Stay], at: datetime) -> None:
    """Write down stays by touch, once each, in the caller's transaction.

    Nobody is told yet: the gate looks at each of them once more before. A message that can be
    called back is with its provider already.
    """
    touches = models.Touch.objects.using(alias).filter(pk__in=stays)
    rows = [
        models.Stay(
            touch=touch.pk,
            person_id=touch.person_id,
            channel=touch.channel,
            outlet=touch.outlet,
            destination=stays[touch.pk].destination,
            member=stays[touch.pk].member,
            at=at,
            until=stays[touch.pk].until,
            not_before=at,
            told_at=None if stays[touch.pk].destination else at,
            added_at=None if stays[touch.pk].destination else at,
        )
        for touch in touches.order_by("pk")
    ]
    models.Stay.objects.using(alias).bulk_create(rows, ignore_conflicts=True)
