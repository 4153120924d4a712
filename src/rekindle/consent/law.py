"""The law of countries and states as data: ``law.toml``, checked as it is loaded.

Each row says where, on which channels, from which day and by which source something holds.
What follows from the rows is asked here; nothing else knows a country by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rekindle.consent.model import Rule
from rekindle.countries import country_code
from rekindle.vocabulary import CHANNEL_PATTERN, Channel

ANY = "*"
WHOLE_DAY = 86_400
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUNDS = frozenset({Rule.EXPRESS, Rule.SOFT_OPT_IN, Rule.CHARITY_SOFT_OPT_IN,
                     Rule.IMPLIED_BY_PURCHASE, Rule.IMPLIED_BY_INQUIRY})  # fmt: skip

Place = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
ChannelName = Annotated[str, StringConstraints(pattern=rf"^\*$|{CHANNEL_PATTERN}")]
Deed = Literal["purchase", "inquiry"]
Claim = Literal["soft_opt_in", "charity_soft_opt_in"]


class Row(BaseModel):
    """What every row of the law says: where it holds, since when, and by which source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    places: tuple[Place, ...] = Field(min_length=1)
    channels: tuple[ChannelName, ...] = Field(min_length=1)
    since: date
    until: date | None = None
    source: str = Field(min_length=1)
    url: str = ""
    written: date

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError(f"{self.id} ends on {self.until}, before it begins")
        if unknown := [one for one in self.places if one != ANY and country_code(one) is None]:
            raise ValueError(f"{self.id} names no place of ISO 3166: {', '.join(unknown)}")
        return self

    def holds(self, channel: str, on: date) -> bool:
        """Return whether it is in force on a day, and about a channel."""
        is_in_force = self.since <= on and (self.until is None or on < self.until)
        return is_in_force and (ANY in self.channels or channel in self.channels)


class Ground(Row):
    """What lets marketing go to somebody who stated nothing.

    It is one of the deeds of ``after``, in the last ``months`` if given, where the business
    makes the ``claim``; ``express`` is none, and closes the channel. One that is not
    ``is_retroactive`` needs a deed since it holds.
    """

    rule: Rule
    after: tuple[Deed, ...] = ()
    claim: Claim | None = None
    months: int | None = Field(None, ge=1)
    is_retroactive: bool = True

    @model_validator(mode="after")
    def _check_ground(self) -> Self:
        if self.rule not in GROUNDS or (self.rule is Rule.EXPRESS) != (not self.after):
            raise ValueError(f"{self.id}: {self.rule} is no ground with these deeds")
        return self


class Hours(Row):
    """The local times of day at which marketing may reach somebody, on some days of a week."""

    days: tuple[Day, ...] = DAYS
    opens: time
    closes: time

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"{self.id} closes at {self.closes}, before it opens")
        return self


class StopReach(Row):
    """How far a STOP reaches that is said while the row holds."""

    ends: Literal["everything"]


class AskingRule(Row):
    """Where marketing needs a ground on a channel that elsewhere needs none."""


class TrackingRule(Row):
    """Whether an opened message may be noticed; ``exempt`` says for what it may anyway."""

    opens_need: Literal["consent"]
    exempt: tuple[Literal["deliverability"], ...] = ()


class Duty(Row):
    """What every message there has to carry; the channels see to it, wherever it goes."""

    asks: tuple[Literal["opt_out", "postal_address"], ...] = Field(min_length=1)


class Law(BaseModel):
    """Every row of the law."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ground: tuple[Ground, ...]
    hours: tuple[Hours, ...]
    refusal: tuple[StopReach, ...]
    asking: tuple[AskingRule, ...]
    tracking: tuple[TrackingRule, ...]
    duty: tuple[Duty, ...]

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        ids = [row.id for row in self.rows]
        if twice := {one for one in ids if ids.count(one) > 1}:
            raise ValueError(f"two rows of the law are called {', '.join(sorted(twice))}")
        return self

    @property
    def rows(self) -> Iterator[Row]:
        """Yield every row, kind by kind."""
        for rows in (self.ground, self.hours, self.refusal, self.asking, self.tracking, self.duty):
            yield from rows


@dataclass(frozen=True, slots=True)
class Week:
    """When marketing may reach somebody: for each local weekday (Monday first) from and to.

    Times are seconds of the day, 86,400 its end; where they are the same it is closed all day.
    ``rows`` are the ids of the law.
    """

    days: tuple[tuple[int, int], ...]
    rows: tuple[str, ...]


def parse_law(text: str) -> Law:
    """Return the law that a TOML text states.

    Raises:
        ValueError: it is no TOML, or a row says what makes no sense.
    """
    return Law.model_validate(tomllib.loads(text))


@cache
def load_law() -> Law:
    """Return the law that is shipped."""
    return parse_law(files(__package__).joinpath("law.toml").read_text(encoding="utf-8"))


def source_of(row: str) -> str:
    """Return the source of a row of the law, "" for none of that id."""
    return next((one.source for one in load_law().rows if one.id == row), "")


@lru_cache(maxsize=4096)
def grounds_of(place: str | None, channel: Channel, on: date) -> tuple[Ground, ...]:
    """Return the grounds of a channel where somebody lives, those of the country before any."""
    rows = [row for row in load_law().ground if row.holds(channel, on)]
    own = [row for row in rows if _is_in(row, country_code(place))]
    return tuple(own or (row for row in rows if ANY in row.places))


@lru_cache(maxsize=4096)
def needs_ground(place: str, channel: Channel, on: date) -> bool:
    """Return whether marketing to somebody there needs a ground whatever the channel says."""
    rows = (row for row in load_law().asking if row.holds(channel, on))
    return any(_is_in(row, country_code(place)) for row in rows)


def lasting_months(deed: Deed) -> list[int]:
    """Return after how many months grounds run out that follow from such a deed."""
    rows = load_law().ground
    return sorted({row.months for row in rows if row.months is not None and deed in row.after})


def hours_of(places: Sequence[str], channel: Channel, on: date) -> Week | None:
    """Return the hours of marketing for somebody in one of ``places``, None without a law.

    Hours of every row that may bind hold together: of a country whose state is not known,
    those of all its states.
    """
    rows = [
        row
        for row in load_law().hours
        if row.holds(channel, on) and any(_may_bind(row, place) for place in places)
    ]
    if not rows:
        return None
    days = []
    for day in DAYS:
        times = [(_second(row.opens), _second(row.closes)) for row in rows if day in row.days]
        opens = max((one for one, _ in times), default=0)
        closes = min((one for _, one in times), default=WHOLE_DAY)
        days.append((opens, max(opens, closes)))
    return Week(tuple(days), tuple(row.id for row in rows))


def refusal_of(places: Iterable[str], channel: Channel, on: date) -> StopReach | None:
    """Return the row by which a STOP on a channel ends more than marketing, if one does."""
    found = list(places)
    rows = (row for row in load_law().refusal if row.holds(channel, on))
    return next((row for row in rows if any(_may_bind(row, one) for one in found)), None)


def tracking_of(place: str | None, channel: Channel, on: date) -> TrackingRule | None:
    """Return the row by which noticing that a message was opened needs consent, if one does.

    What it is ``exempt`` for may go on without: ``deliverability`` is how often to write, and
    whether at all.
    """
    rows = (row for row in load_law().tracking if row.holds(channel, on))
    return next((row for row in rows if _is_in(row, country_code(place))), None)


def _second(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _is_in(row: Row, country: str | None) -> bool:
    return country is not None and country in row.places


def _may_bind(row: Row, place: str) -> bool:
    """Return whether a row binds a place, or may where only the country is known."""
    country = country_code(place)
    if place == country:
        return any(one[:2] == country for one in row.places)
    return place in row.places or country in row.places
