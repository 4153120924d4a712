"""Asks an ad system whether it would take a change, without making one."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.channels.audience.members import google_member
from rekindle.channels.audience.settings import GOOGLE_ACCOUNT, META_TOKEN, AudienceSettings
from rekindle.clock import SystemClock
from rekindle.messages import ChangeKind, ListChange, OutletEntry

NOBODY = "nobody@example.com"


def try_out(
    settings: AudienceSettings, outlet: OutletEntry, secrets: Mapping[str, str], name: str
) -> str:
    """Return what is wrong with one list, "" for nothing.

    Raises:
        DeliveryError: it was refused, or cannot be asked.
    """
    if outlet.name == "audience_meta":
        from rekindle.channels.audience.meta.roster import MetaRoster

        meta = MetaRoster(settings, secrets.get(META_TOKEN, ""))
        try:
            return meta.standing(name)
        finally:
            meta.close()
    from rekindle.channels.audience.google.roster import GoogleRoster

    google = GoogleRoster(settings, secrets.get(GOOGLE_ACCOUNT, ""))
    try:
        now = SystemClock().now()
        google.validate(ListChange(ChangeKind.ADD, name, [google_member(NOBODY)], now))
    finally:
        google.close()
    return ""
