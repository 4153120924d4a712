"""The rules of the house: caps, quiet hours, blackouts, budgets and what a touch is worth.

They come from ``rekindle.toml`` and hold for every touch of every journey; the gate
asks them, the engine and both books carry them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from rekindle.config import WEEKDAYS, CalendarSettings, Config, known_channels, parse_span
from rekindle.errors import ConfigError
from rekindle.gate.local_time import Calendar, QuietHours
from rekindle.gate.model import ALL_AS_ONE, BookRules, Budget, DeclaredSubgroups, GlobalHoldout
from rekindle.gate.overruling import Overrule
from rekindle.gate.uplifts import UpliftRule
from rekindle.messages import Capabilities
from rekindle.offers import NO_OFFERS, HouseOffers, Offers, build_house_offers
from rekindle.profiles import FAMILIES
from rekindle.vocabulary import Channel, Money

UTC = ZoneInfo("UTC")
NO_HOUSE_OFFERS = HouseOffers()
# The finest step that every database keeps apart.
INSTANT = timedelta(microseconds=1)
MEASURED, KEPT_ON = "measured", "kept on"
"""How the detail of a decision begins that rests on what was measured, or is in spite of it."""
EVERYTHING = "*"
"""What the experiment of all marketing journeys together is called where theirs are."""
# A calendar day with the daylight change and the largest jump of a zone on record.
LONGEST_DAY = timedelta(hours=50)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``max`` marketing sends in any ``per``; ``channel`` None counts them all.

    ``per`` None is the calendar day where the person is.
    """

    channel: Channel | None
    max: int
    per: timedelta | None

    def binds(self, channel: Channel) -> bool:
        """Return whether a send through ``channel`` counts and is counted."""
        return self.channel in (None, channel)


@dataclass(frozen=True, slots=True)
class Worth:
    """What one more touch earns, in micros, for people who match ``predicate``."""

    predicate: str
    margin_micros: int


@dataclass(frozen=True, slots=True)
class MeasuredWorth:
    """What one message of a journey earned, as its own holdout shows it.

    ``micros`` is margin before the message's cost, ``low`` and ``high`` its ends, on
    ``people`` treated; ``margin`` is the part of a price that is left to the business. Of the
    people it would stop at, the share ``kept_on`` is written to still. ``subgroup`` names the
    part of the journey's people that it was measured of; empty is all of them. ``again`` is
    the least that a message to those written to still was shown to earn, where that is known.
    """

    micros: int
    low: int
    high: int
    people: int
    margin: float
    kept_on: float
    subgroup: str = ""
    again: int | None = None

    def expect(self, offer_micros: int) -> int:
        """Return the most that a message with an offer of such a cost may be expected to earn.

        Net revenue has the discount off already, and margin is a part of net revenue: so of an
        offer's cost, that part is in the figure and would be taken off twice. What those who
        were written to still were shown to earn speaks against having stopped.
        """
        most = self.high if self.again is None else max(self.high, self.again)
        return most + round(self.margin * offer_micros)

    def tell(self, cost_micros: int) -> str:
        """Return what is written down with a decision that rests on it."""
        figures = (one / 1_000_000 for one in (self.micros, self.low, self.high, cost_micros))
        value, low, high, cost = (f"{figure:.4g}" for figure in figures)
        of = f" to {self.subgroup}" if self.subgroup else ""
        return (
            f"{MEASURED}: a message{of} earned {value} ({low} to {high}) of margin and costs "
            f"{cost}; {self.people} people"
        )


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What a workspace decided that holds for every touch of every journey.

    ``excluded_when`` is the predicate of people the business does not write to; ``worth``
    is empty where nothing is known, and then nothing is skipped for it. A message through
    one of the ``quiet`` channels wakes nobody, and leaves at night too. ``measured`` is
    what messages were shown to earn, by journey and subgroup, and counts in place of ``worth``.
    ``uplifts`` are the models that may leave single people out, by journey, and ``overrules``
    what somebody let leave in spite of it.
    ``spares_customers`` leaves subscribers alone whom nobody has to win back.
    """

    caps: tuple[Cap, ...] = ()
    quiet_hours: QuietHours | None = None
    calendar: Calendar | None = None
    spread: timedelta = timedelta(0)
    budgets: tuple[Budget, ...] = ()
    worth: tuple[Worth, ...] = ()
    excluded_when: str | None = None
    zone: ZoneInfo = UTC
    quiet: frozenset[Channel] = frozenset()
    offers: HouseOffers = NO_HOUSE_OFFERS
    measured: Mapping[tuple[str, str], MeasuredWorth] = field(default_factory=dict)
    uplifts: Mapping[str, UpliftRule] = field(default_factory=dict)
    overrules: tuple[Overrule, ...] = ()
    spares_customers: bool = False


def build_rules(
    config: Config,
    channels: Mapping[Channel, Capabilities] | None = None,
    *,
    offers: Offers = NO_OFFERS,
) -> HouseRules:
    """Return the house rules that a configuration states, and the channels call for."""
    hours = config.quiet_hours
    currency = config.workspace.currency
    return HouseRules(
        caps=build_caps(config),
        quiet_hours=None if hours.start == hours.end else QuietHours(hours.start, hours.end),
        calendar=_build_calendar(config.calendar),
        spread=hours.spread,
        budgets=build_budgets(config),
        worth=tuple(
            Worth(_predicate(one.tier, one.value_band), Money(one.margin, currency).micros)
            for one in config.worth
        ),
        excluded_when="lifetime_value < 0" if config.exclusions.negative_value else None,
        zone=ZoneInfo(config.workspace.timezone),
        quiet=frozenset(
            name for name, can in (channels or {}).items() if not can.needs_quiet_hours
        ),
        offers=build_house_offers(config, offers),
        spares_customers=True,
    )


def build_book_rules(
    config: Config,
    channels: Mapping[Channel, Capabilities] | None = None,
    *,
    offers: Offers = NO_OFFERS,
) -> BookRules:
    """Return what a book has to know of a configuration, and of the channels there are."""
    return BookRules(
        soft_opt_in=config.consent.soft_opt_in,
        longest_window=longest_window(build_caps(config)),
        zone=config.workspace.timezone,
        budgets=build_budgets(config),
        cooling_off=config.exclusions.cooling_off,
        bad_endings=frozenset(config.exclusions.bad_endings),
        channels=channels or {},
        charity_soft_opt_in=config.consent.charity_soft_opt_in,
        inquiries=frozenset(config.consent.inquiries),
        offers=offers,
        offer_wait=config.offers.wait,
        double_opt_in=config.consent.asks_again,
        confirm_within=config.consent.confirm_within,
        holdout=GlobalHoldout(config.holdout.share, f"{config.workspace.name}/{EVERYTHING}"),
        subgroups=build_subgroups(config),
    )


def build_subgroups(config: Config) -> DeclaredSubgroups:
    """Return the subgroups in which messages stop apart, where they stop at all.

    Raises:
        ConfigError: of people who enter a journey no such column is kept.
    """
    settings = config.stopping
    if not settings.measured or not settings.by:
        return ALL_AS_ONE
    if settings.by not in FAMILIES.covariates:
        kept = ", ".join(FAMILIES.covariates)
        raise ConfigError(
            f"[stopping] by = {settings.by!r}: of people who enter a journey it is kept {kept}"
        )
    return DeclaredSubgroups(settings.by, settings.subgroups)


def build_budgets(config: Config) -> tuple[Budget, ...]:
    """Return the budgets of the configuration; of two that bind the same, the smaller."""
    currency = config.workspace.currency
    found: dict[str, Budget] = {}
    for one in config.budgets:
        channel = None if one.channel is None else Channel(one.channel)
        budget = Budget(one.journey, channel, Money(one.per_month, currency).micros)
        known = found.get(budget.name)
        if known is None or budget.limit_micros < known.limit_micros:
            found[budget.name] = budget
    return tuple(found.values())


def build_caps(config: Config) -> tuple[Cap, ...]:
    """Return the caps of the configuration: each channel, all of them, and the calendar day."""
    settings = config.caps
    own = ((name, config.cap_of(name)) for name in known_channels())
    caps = (
        *(Cap(Channel(name), cap.max, cap.per) for name, cap in own if cap is not None),
        Cap(None, settings.all.max, settings.all.per),
    )
    return caps if settings.per_day is None else (*caps, Cap(None, settings.per_day, None))


def longest_window(caps: Sequence[Cap]) -> timedelta:
    """Return how far back sends have to be known to judge ``caps``."""
    return max((cap.per or LONGEST_DAY for cap in caps), default=timedelta(0))


def _build_calendar(settings: CalendarSettings) -> Calendar | None:
    blackouts: list[tuple[date, date]] = []
    yearly: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for text in settings.blackout:
        first, last = parse_span(text)
        if isinstance(first, date) and isinstance(last, date):
            blackouts.append((first, last))
        elif isinstance(first, tuple) and isinstance(last, tuple):
            yearly.append((first, last))
    weekdays = frozenset(WEEKDAYS.index(day) for day in settings.weekdays)
    if not blackouts and not yearly and len(weekdays) == len(WEEKDAYS):
        return None
    return Calendar(tuple(blackouts), tuple(yearly), weekdays)


def _predicate(tier: str | None, value_band: str | None) -> str:
    parts = []
    if tier is not None:
        parts.append(f"tier = '{tier}'")
    if value_band is not None:
        parts.append(f"value_band = '{value_band}'")
    return " and ".join(parts) or "true"
