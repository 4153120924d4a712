"""Builds a dossier from what is on file about a person; nothing else does.

Both books use it when an enrolment falls due, and the outbox before a message leaves, so
what one of them respects the others respect too. They differ in where they read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rekindle.consent import (
    NO_PREFERENCES,
    ConsentRecord,
    Exclusion,
    Permission,
    Preferences,
    Rule,
    decide_permission,
)
from rekindle.gate.model import BookRules, Deed, Dossier, Enrolment, Sent
from rekindle.gate.zones import resolve_zones
from rekindle.vocabulary import Channel, Purpose, Reason, value_by_the_million


@value_by_the_million(frozen=True, slots=True)
class OnFile:
    """What is on file about a person, as it bears on one channel and purpose.

    ``granted`` is what they last stated about the channel, None for nothing. ``lives`` is
    the time zone, country and phone of their card. ``exclusion`` is one that holds now.
    ``deeds`` are what they did, in the order it happened.
    """

    channel: Channel
    purpose: Purpose
    granted: bool | None
    lives: tuple[str | None, str | None, str | None]
    is_reachable: bool
    is_suppressed: bool
    is_erased: bool = False
    preferences: Preferences = NO_PREFERENCES
    exclusion: Exclusion | None = None
    deeds: Sequence[Deed] = ()


def build_unreadable(enrolment: Enrolment, trouble: str) -> Dossier:
    """Return the dossier of somebody about whom what is on file cannot be read, and why."""
    nothing = Permission(is_granted=False, rule=Rule.NO_RECORD)
    return Dossier(enrolment, nothing, is_reachable=False, is_suppressed=True, exit=None,
                   trouble=trouble)  # fmt: skip


class DossierBuilder:
    """Builds the dossiers of one instant; what is alike is decided once for everybody."""

    def __init__(self, rules: BookRules, at: datetime) -> None:
        self.at = at
        self._rules = rules
        self._since = at - rules.cooling_off
        self._zones: dict[tuple[str | None, ...], tuple[ZoneInfo, ...]] = {}
        self._permissions: dict[tuple[object, ...], Permission] = {}

    def build(
        self,
        enrolment: Enrolment,
        known: OnFile,
        *,
        exit: Reason | None,
        sent: tuple[Sent, ...] = (),
        touched_at: datetime | None = None,
    ) -> Dossier:
        """Return the dossier of an enrolment; ``exit`` is why it is over already, or None."""
        deeds = known.deeds
        return Dossier(
            enrolment,
            self._permission(known, enrolment.last_order_at),
            known.is_reachable,
            known.is_suppressed,
            exit,
            sent,
            self._zones_of(known.lives),
            known.is_erased,
            known.preferences,
            known.exclusion or (self._cooling_off(deeds) if deeds else None),
            tuple(deed for deed in deeds if deed.at > enrolment.entered_at) if deeds else (),
            touched_at,
        )

    def _permission(self, known: OnFile, last_order_at: datetime | None) -> Permission:
        granted, channel, purpose = known.granted, known.channel, known.purpose
        country = known.lives[1]
        # A purchase may speak for a person only as long as they did not.
        bought = (country, last_order_at) if granted is None else None
        needs_consent = self._rules.needs_consent(channel)
        key = (granted, purpose, bought, needs_consent)
        found = self._permissions.get(key)
        if found is None:
            found = self._permissions[key] = decide_permission(
                () if granted is None else (ConsentRecord("", channel, granted, self.at, ""),),
                purpose=purpose,
                country=country,
                last_purchase_at=last_order_at,
                soft_opt_in=self._rules.soft_opt_in,
                at=self.at,
                needs_consent=needs_consent,
            )
        return found

    def _zones_of(self, lives: tuple[str | None, str | None, str | None]) -> tuple[ZoneInfo, ...]:
        found = self._zones.get(lives)
        if found is None:
            found = self._zones[lives] = resolve_zones(*lives, self._rules.zone)
        return found

    def _cooling_off(self, deeds: Sequence[Deed]) -> Exclusion | None:
        """Return the exclusion that follows a bad ending of late, if there was one."""
        bad = self._rules.bad_endings
        is_late = any(one.event in bad and self._since < one.at <= self.at for one in deeds)
        return Exclusion.COOLING_OFF if is_late else None
