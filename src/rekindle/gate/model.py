"""The nouns of the gate: the papers of one person, and the answer about one touch.

Frozen values without behaviour that depends on time or storage; the engine and both
books pass them around.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rekindle.consent import (
    CONFIRM_WITHIN,
    NO_PREFERENCES,
    Exclusion,
    Permission,
    Preferences,
    Week,
)
from rekindle.gate.zones import resolve_places
from rekindle.messages import AddressKind, Capabilities
from rekindle.offers import NO_OFFERS, Offers, PastOffer
from rekindle.vocabulary import Answer, Arm, Channel, Reason, value_by_the_million

NO_TIME = timedelta(0)
# How long ago an inquiry may be that still counts: six months at the most (CASL), and a bit.
LONGEST_INQUIRY = timedelta(days=190)
UTC_ZONES = (ZoneInfo("UTC"),)


@value_by_the_million(frozen=True, slots=True)
class Enrolment:
    """One person's way through a journey. ``rotation`` counts entries from 0.

    ``position`` is an index into the version's route. At a send, ``ready_at`` is when
    it became due; at a wait or branch, when the person arrived. ``due_at`` is when to
    look next. ``wakes_on`` names the events that make it due at once, each between bars
    (``|click|visit|``), as they are stored and searched.
    """

    person: str
    journey: str
    version: int
    rotation: int
    arm: Arm
    entered_at: datetime
    last_order_at: datetime | None
    position: int
    ready_at: datetime
    due_at: datetime
    wakes_on: str = ""


@value_by_the_million(frozen=True, slots=True)
class Sent:
    """A counted send (or a ghost of one): what rolling caps look at.

    One that ``is_pending`` has not left yet: it may leave at any moment, so it counts as
    of the moment of the look.
    """

    channel: Channel
    at: datetime
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event as a journey asks of it: that there was one of the name ``event``, and when."""

    event: str
    at: datetime


@value_by_the_million(frozen=True, slots=True)
class Dossier:
    """Everything one decision needs about one due enrolment, read in one go.

    ``exit`` is the reason that already ended it, or None. ``sent`` lists the person's
    marketing sends, across journeys, inside the longest cap window (or the person's own
    ``at_most_every``, if longer); for a held-out enrolment, and for no other, the
    person's ghosts count like sends. ``zones`` are the time zones the person may be in.
    ``events`` (oldest first) and ``touched_at``, the latest touch of this enrolment, are
    given where the journey asks what people do. ``trouble`` says why what is on file about
    the person cannot be read; then nothing else of it counts. ``hours`` are those in which
    the law lets marketing reach them through this channel, None where it has none.
    ``offers`` are those they were given, where the step gives one; of a held-out enrolment,
    and of no other, ghosts too. ``is_withheld`` says that they are in the holdout of all
    marketing journeys; to them ghosts count as to the held out.
    """

    enrolment: Enrolment
    permission: Permission
    is_reachable: bool
    is_suppressed: bool
    exit: Reason | None
    sent: tuple[Sent, ...] = ()
    zones: tuple[ZoneInfo, ...] = UTC_ZONES
    is_erased: bool = False
    preferences: Preferences = NO_PREFERENCES
    exclusion: Exclusion | None = None
    events: tuple[PastEvent, ...] = ()
    touched_at: datetime | None = None
    trouble: str = ""
    hours: Week | None = None
    offers: tuple[PastOffer, ...] = ()
    is_withheld: bool = False


@value_by_the_million(frozen=True, slots=True)
class Decision:
    """An answer. ``until`` is given with HOLD; ``reason`` with all but SEND."""

    answer: Answer
    reason: Reason | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``limit_micros`` a local month; None binds every journey or channel."""

    journey: str | None
    channel: Channel | None
    limit_micros: int

    @property
    def name(self) -> str:
        """Return the budget's name, the same in every process: ``lapsed/email``."""
        return f"{self.journey or '*'}/{self.channel.value if self.channel else '*'}"

    def binds(self, journey: str, channel: Channel) -> bool:
        """Return whether a message of this journey through this channel is paid from it."""
        return self.journey in (None, journey) and self.channel in (None, channel)


@dataclass(frozen=True, slots=True)
class GlobalHoldout:
    """The holdout of all marketing journeys: the share of people, and what draws them.

    A share of 0 is none, and lets those who were drawn be written to again.
    """

    share: float = 0.0
    salt: str = ""


NO_GLOBAL_HOLDOUT = GlobalHoldout()


@dataclass(frozen=True, slots=True)
class DeclaredSubgroups:
    """By which column people are judged apart, and which of its values were declared for it.

    Without a column everybody is one group, whose name is empty.
    """

    by: str = ""
    values: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of every group that is judged: together they are everybody."""
        if not self.by:
            return ("",)
        return (*(f"{self.by} = {value}" for value in self.values), self._others)

    def find(self, covariates: Mapping[str, str]) -> str | None:
        """Return the group of a person; None where it was not kept what they were."""
        if not self.by:
            return ""
        if not covariates:
            return None
        value = covariates.get(self.by)
        return f"{self.by} = {value}" if value in self.values else self._others

    @property
    def _others(self) -> str:
        return f"{self.by}: all others"


ALL_AS_ONE = DeclaredSubgroups()


@dataclass(frozen=True, slots=True)
class BookRules:
    """What a workspace decided once that bears on every dossier and message.

    ``longest_window`` is how far back sends are listed for the caps; ``zone`` the IANA
    zone of the business, where people of unknown whereabouts are taken to be and whose
    months budgets count. One of ``bad_endings`` (events) excludes the person for
    ``cooling_off``; one of ``inquiries`` may be a ground to write to them. ``channels`` are
    those there are, with what each can do. ``offers`` are those that may be given,
    ``offer_wait`` the time between them. A reported yes waits for its confirmation where
    ``double_opt_in`` says so (countries, or everywhere), for ``confirm_within``.
    ``subgroups`` are those in which messages may stop apart.
    """

    soft_opt_in: bool = False
    longest_window: timedelta = NO_TIME
    zone: str = "UTC"
    budgets: tuple[Budget, ...] = ()
    cooling_off: timedelta = NO_TIME
    bad_endings: frozenset[str] = frozenset()
    channels: Mapping[Channel, Capabilities] = field(default_factory=dict)
    charity_soft_opt_in: bool = False
    inquiries: frozenset[str] = frozenset()
    offers: Offers = NO_OFFERS
    offer_wait: timedelta = NO_TIME
    double_opt_in: bool | frozenset[str] = False
    confirm_within: timedelta = CONFIRM_WITHIN
    holdout: GlobalHoldout = NO_GLOBAL_HOLDOUT
    subgroups: DeclaredSubgroups = ALL_AS_ONE

    @property
    def claims(self) -> frozenset[str]:
        """Return the grounds beside consent that the business claims, by their names."""
        claimed = {
            "soft_opt_in": self.soft_opt_in,
            "charity_soft_opt_in": self.charity_soft_opt_in,
        }
        return frozenset(name for name, is_claimed in claimed.items() if is_claimed)

    @property
    def events_asked(self) -> frozenset[str]:
        """Return the events that bear on everybody, whatever a journey asks about."""
        return self.bad_endings | self.inquiries

    @property
    def asked_since(self) -> timedelta:
        """Return how far back those events bear."""
        return max(self.cooling_off, LONGEST_INQUIRY if self.inquiries else NO_TIME)

    @property
    def offers_matter_for(self) -> timedelta:
        """Return how long after it was given an offer may still bear on the next."""
        return self.offers.longest + self.offer_wait + timedelta(days=3)

    def address_kind(self, channel: Channel) -> str:
        """Return the kind of address a channel writes to; its own name if nobody says."""
        known = self.channels.get(channel)
        return channel.value if known is None else known.address_kind.value

    def places_of(
        self, channel: Channel | None, country: str | None, phone: str | None
    ) -> tuple[str, ...]:
        """Return where a person may live, as the law asks it of those whom a channel reaches."""
        by_phone = channel is not None and self.address_kind(channel) == AddressKind.PHONE
        return resolve_places(country, phone, by_phone=by_phone)

    def claims_on(self, channel: Channel) -> frozenset[str]:
        """Return the claims that count on a channel; none where only a yes to it does."""
        known = self.channels.get(channel)
        return self.claims if known is None or not known.needs_own_yes else frozenset()

    def needs_consent(self, channel: Channel) -> bool:
        """Return whether a channel is open only to those who agreed; so it is if nobody says."""
        known = self.channels.get(channel)
        return known is None or known.needs_consent
