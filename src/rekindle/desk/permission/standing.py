"""What bears on a permission of somebody in a workspace, gathered as the gate gathers it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rekindle.consent import Standing, Week, hours_of
from rekindle.gate import resolve_places
from rekindle.journeys import Person
from rekindle.ledger import SignalEntry
from rekindle.messages import AddressKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel


def standing_of(
    workspace: Workspace,
    channel: Channel,
    card: Person | None,
    *,
    bought_at: datetime | None,
    signals: Iterable[SignalEntry],
    at: datetime,
) -> Standing:
    """Return what bears on the permission of somebody on a channel at ``at``, beside records."""
    terms = workspace.terms
    asked = terms.inquiries
    inquired = (one.at for one in signals if one.event in asked and one.at <= at)
    return Standing(
        channel,
        _places(workspace, channel, card),
        bought_at,
        max(inquired, default=None) if asked else None,
        terms.claims,
        terms.needs_consent(channel),
    )


def week_of(
    workspace: Workspace, channel: Channel, card: Person | None, at: datetime
) -> Week | None:
    """Return the hours in which the law lets marketing reach somebody, None without a law."""
    return hours_of(_places(workspace, channel, card), channel, at.date())


def _places(workspace: Workspace, channel: Channel, card: Person | None) -> tuple[str, ...]:
    if card is None:
        return ()
    by_phone = workspace.terms.address_kind(channel) == AddressKind.PHONE
    return resolve_places(card.country, card.phone, by_phone=by_phone)
