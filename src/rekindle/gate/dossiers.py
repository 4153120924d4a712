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
    LegalStanding,
    Permission,
    Preferences,
    Rule,
    Week,
    decide_permission,
    hours_of,
)
from rekindle.gate.model import BookRules, Dossier, Enrolment, PastEvent, Sent
from rekindle.gate.zones import resolve_zones
from rekindle.offers import PastOffer
from rekindle.vocabulary import Channel, Purpose, Reason, value_by_the_million

Lives = tuple[str | None, str | None, str | None]
"""The time zone, country and phone of somebody's card."""

_Whereabouts = tuple[tuple[ZoneInfo, ...], tuple[str, ...], Week | None]
"""The zones somebody may be in, the places whose law holds, and the hours it leaves."""


@value_by_the_million(frozen=True, slots=True)
class OnFile:
    """What is on file about a person, as it bears on one channel and purpose.

    ``granted`` is what they last stated about the channel, None for nothing. ``lives`` is
    the time zone, country and phone of their card. ``exclusion`` is one that holds now.
    ``events`` are what they did, in the order it happened. ``is_withheld`` says that they are
    in the holdout of all marketing journeys, and that there is one now.
    """

    channel: Channel
    purpose: Purpose
    granted: bool | None
    lives: Lives
    is_reachable: bool
    is_suppressed: bool
    is_erased: bool = False
    preferences: Preferences = NO_PREFERENCES
    exclusion: Exclusion | None = None
    events: Sequence[PastEvent] = ()
    is_withheld: bool = False


@value_by_the_million(frozen=True, slots=True)
class Bearing:
    """What follows from what is on file, for everyone of whom the same is.

    ``permission`` is None where it rests on what the person did, and so on their enrolment.
    """

    known: OnFile
    zones: tuple[ZoneInfo, ...]
    places: tuple[str, ...]
    hours: Week | None
    permission: Permission | None


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
        self._whereabouts: dict[tuple[Channel, Lives], _Whereabouts] = {}
        self._permissions: dict[tuple[object, ...], Permission] = {}
        self._hours: dict[tuple[object, ...], Week | None] = {}

    def build(
        self,
        enrolment: Enrolment,
        known: OnFile,
        *,
        exit: Reason | None,
        sent: tuple[Sent, ...] = (),
        touched_at: datetime | None = None,
        offers: tuple[PastOffer, ...] = (),
    ) -> Dossier:
        """Return the dossier of an enrolment; ``exit`` is why it is over already, or None."""
        return self.build_on(
            self.bearing_of(known),
            enrolment,
            exit=exit,
            sent=sent,
            touched_at=touched_at,
            offers=offers,
        )

    def bearing_of(self, known: OnFile) -> Bearing:
        """Return what follows from what is on file, for ``build_on``."""
        zones, places, hours = self._whereabouts_of(known.channel, known.lives)
        permission = None if known.granted is None else self._permission(known, places, None)
        return Bearing(known, zones, places, hours, permission)

    def build_on(
        self,
        bearing: Bearing,
        enrolment: Enrolment,
        *,
        exit: Reason | None,
        sent: tuple[Sent, ...] = (),
        touched_at: datetime | None = None,
        offers: tuple[PastOffer, ...] = (),
    ) -> Dossier:
        """Return what ``build`` does, of a bearing."""
        known = bearing.known
        events = known.events
        permission = bearing.permission
        if permission is None:
            permission = self._permission(known, bearing.places, enrolment.last_order_at)
        return Dossier(
            enrolment,
            permission,
            known.is_reachable,
            known.is_suppressed,
            exit,
            sent,
            bearing.zones,
            known.is_erased,
            known.preferences,
            known.exclusion or (self._cooling_off(events) if events else None),
            tuple(one for one in events if one.at > enrolment.entered_at) if events else (),
            touched_at,
            "",
            bearing.hours,
            offers,
            known.is_withheld,
        )

    def _permission(
        self, known: OnFile, places: tuple[str, ...], last_order_at: datetime | None
    ) -> Permission:
        granted, channel, purpose = known.granted, known.channel, known.purpose
        inquired_at = self._inquired_at(known.events) if known.events else None
        # What they did may speak for a person only as long as they did not.
        done = (places, last_order_at, inquired_at) if granted is None else None
        key = (granted, purpose, channel, done)
        found = self._permissions.get(key)
        if found is None:
            found = self._permissions[key] = decide_permission(
                () if granted is None else (ConsentRecord("", channel, granted, self.at, ""),),
                LegalStanding(
                    channel,
                    places,
                    last_order_at,
                    inquired_at,
                    self._rules.claims_on(channel),
                    self._rules.needs_consent(channel),
                ),
                purpose=purpose,
                at=self.at,
            )
        return found

    def _whereabouts_of(self, channel: Channel, lives: Lives) -> _Whereabouts:
        key = (channel, lives)
        found = self._whereabouts.get(key)
        if found is None:
            _, country, phone = lives
            zones = resolve_zones(*lives, self._rules.zone)
            places = self._rules.places_of(channel, country, phone)
            hours = self._hours_of(places, channel) if places else None
            found = self._whereabouts[key] = (zones, places, hours)
        return found

    def _hours_of(self, places: tuple[str, ...], channel: Channel) -> Week | None:
        key = (places, channel)
        if key not in self._hours:
            self._hours[key] = hours_of(places, channel, self.at.date())
        return self._hours[key]

    def _inquired_at(self, events: Sequence[PastEvent]) -> datetime | None:
        """Return when they last inquired, as far as that may be a ground to write to them."""
        asked = self._rules.inquiries
        if not asked:
            return None
        found = (one.at for one in events if one.event in asked and one.at <= self.at)
        return max(found, default=None)

    def _cooling_off(self, events: Sequence[PastEvent]) -> Exclusion | None:
        """Return the exclusion that follows a bad ending of late, if there was one."""
        bad = self._rules.bad_endings
        is_late = any(one.event in bad and self._since < one.at <= self.at for one in events)
        return Exclusion.COOLING_OFF if is_late else None
