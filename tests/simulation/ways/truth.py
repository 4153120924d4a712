"""What really happened in a world of six ways, and the promises asked of it.

It shares no code with the rules it judges: who may be written to by a way is worked out from
what people said, where they were reached and what they did, as simply as can be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rekindle.gate import Enrolment
from rekindle.journeys import Journey
from rekindle.offers import GivenOffer
from rekindle.vocabulary import Arm, Channel, Purpose
from tests.simulation.journal import broken
from tests.simulation.ways.drawing import ASKS, CAN, OWN_CODE

Key = tuple[str, str, int]
MARKETING, ANYTHING = "marketing", "anything"
LISTED = ("device", "postal")


@dataclass(slots=True, eq=False)
class Way:
    """One enrolment: where it leads, and whether something ended it before it was through.

    ``handed`` are the steps that were handed over.
    """

    who: Enrolment
    journey: Journey
    is_over: bool = False
    is_through: bool = False
    handed: set[str] = field(default_factory=set)

    @property
    def is_marketing(self) -> bool:
        """Return whether it needs permission."""
        return self.journey.purpose is Purpose.MARKETING

    @property
    def channels(self) -> frozenset[Channel]:
        """Return the ways it writes by."""
        return frozenset(send.channel for send in self.journey.sends)


@dataclass(slots=True)
class Token:
    """An address of which people have several: whose it was last, and whether it is one still."""

    value: str
    owner: str
    seen_at: datetime
    is_retired: bool = False


@dataclass(slots=True)
class Human:
    """What a person has, said and did; ``is_stopping`` while the biller has not answered them."""

    email: str | None = None
    phone: str | None = None
    said: dict[Channel, list[tuple[datetime, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    refused: set[tuple[Channel | None, str]] = field(default_factory=set)
    orders: list[datetime] = field(default_factory=list)
    deeds: list[tuple[str, datetime]] = field(default_factory=list)
    is_erased: bool = False
    is_stopping: bool = False
    ways: list[Way] = field(default_factory=list)
    offers: dict[tuple[Key, str], GivenOffer] = field(default_factory=dict)


class Truth:
    """Everything that was said, done and handed over."""

    def __init__(self) -> None:
        self.people: dict[str, Human] = {}
        self.tokens: dict[str, list[Token]] = {kind: [] for kind in LISTED}
        self.refused_at: dict[tuple[Channel | None, str], set[str]] = defaultdict(set)
        self.ways: dict[Key, Way] = {}
        self.codes: dict[str, tuple[Key, str]] = {}

    # What people do

    def address(self, person: str, kind: str) -> str:
        """Return where somebody is reached by a kind of address, "" for nowhere."""
        human = self.people[person]
        if kind == "person":
            return person
        if human.is_erased:
            return ""
        if kind not in LISTED:
            return (human.email if kind == "email" else human.phone) or ""
        mine = [one for one in self.tokens[kind] if one.owner == person and not one.is_retired]
        return max(mine, key=lambda one: one.seen_at).value if mine else ""

    def give(self, kind: str, value: str, person: str, at: datetime) -> None:
        """Somebody is seen with an address: of a device it is theirs alone from now on."""
        for one in self.tokens[kind]:
            if one.value == value and (kind == "device" or one.owner == person):
                if at > one.seen_at:
                    one.owner, one.seen_at, one.is_retired = person, at, False
                return
        self.tokens[kind].append(Token(value, person, at))

    def retire(self, kind: str, value: str, person: str) -> None:
        """An address is none any more."""
        for one in self.tokens[kind]:
            if one.value == value and one.owner == person:
                one.is_retired = True

    def opt_out(self, person: str, channel: Channel | None, at: datetime) -> None:
        """Somebody wants nothing more by a way, or (None) by any."""
        self._refuse(person, channel, MARKETING)
        for one in CAN if channel is None else (channel,):
            self.people[person].said[one].append((at, False))

    def complain(self, person: str) -> None:
        """Somebody complained: that ends all marketing, by whatever way."""
        self._refuse(person, None, MARKETING)

    def bounce(self, channel: Channel, person: str, address: str) -> None:
        """An address takes nothing any more, which says nothing of another."""
        self.refused_at[channel, address.lower()].add(ANYTHING)
        for way in self.people[person].ways:
            if way.channels == {channel}:
                way.is_over = True

    def erase(self, person: str) -> None:
        """Somebody is forgotten."""
        self._refuse(person, None, ANYTHING)
        human = self.people[person]
        human.is_erased = True
        for kind in LISTED:
            self.tokens[kind] = [one for one in self.tokens[kind] if one.owner != person]
        for way in human.ways:
            way.is_over = True

    def _refuse(self, person: str, channel: Channel | None, what: str) -> None:
        human = self.people[person]
        human.refused.add((channel, what))
        for kind, value in (("email", human.email), ("phone", human.phone)):
            if value and (channel is None or CAN[channel].address_kind == kind):
                self.refused_at[channel, value.lower()].add(what)
        for way in human.ways:
            reaches = channel is None or channel in way.channels
            is_open = not way.is_through
            way.is_over = way.is_over or (way.is_marketing and reaches and is_open)

    # What the engine did

    def enter(self, who: Enrolment, journey: Journey) -> None:
        """Somebody was found in a journey."""
        key = (who.person, who.journey, who.rotation)
        if key not in self.ways:
            if self.people[who.person].is_erased:
                raise broken("never after erasure", f"{key} entered")
            self.ways[key] = way = Way(who, journey)
            self.people[who.person].ways.append(way)

    def has_left(self, way: Way) -> bool:
        """Return whether somebody did what ends their journey."""
        human, who = self.people[way.who.person], way.who
        known = who.last_order_at or who.entered_at
        if "order" in way.journey.exits and any(at > known for at in human.orders):
            return True
        ends = way.journey.exits
        return any(event in ends and at > who.entered_at for event, at in human.deeds)

    def may(self, way: Way, channel: Channel, at: datetime) -> bool:
        """Return whether somebody agreed to be written to by a way, or nobody has to."""
        if not way.is_marketing:
            return True
        said = [one for one in self.people[way.who.person].said[channel] if one[0] <= at]
        if not said:
            return channel not in ASKS
        newest = max(when for when, _ in said)
        return all(granted for when, granted in said if when == newest)

    def is_refused(self, way: Way, channel: Channel, address: str) -> bool:
        """Return whether somebody, or who has the address, wants nothing of this by this way."""
        human = self.people[way.who.person]
        found = {what for one, what in human.refused if one in (None, channel)}
        if CAN[channel].address_kind in ("email", "phone"):
            for one in (None, channel):
                found |= self.refused_at.get((one, address.lower()), set())
        return ANYTHING in found or (way.is_marketing and MARKETING in found)

    # The promises

    def hand_over(
        self, way: Way, step: str, channel: Channel, to: str, offer: GivenOffer | None, at: datetime
    ) -> None:
        """A provider took a message, or may have: judge it, and remember it.

        Raises:
            BrokenPromiseError: it should not have left.
        """
        key = (way.who.person, way.who.journey, way.who.rotation)
        for name, is_kept in self._promises(way, step, channel, to, at):
            if not is_kept:
                raise broken(name, f"{key} step {step} by {channel} to {to!r} at {at}")
        if offer is not None:
            self._give(key, step, offer, at)
        way.handed.add(step)

    def _promises(
        self, way: Way, step: str, channel: Channel, to: str, at: datetime
    ) -> Iterator[tuple[str, bool]]:
        yield "never twice", step not in way.handed
        yield "the held out receive nothing", way.who.arm is Arm.TREATMENT
        what = "never after a return" if way.is_marketing else "dunning stops on payment"
        is_erased = self.people[way.who.person].is_erased
        yield "never after erasure", not is_erased
        yield what, not way.is_over and not self.has_left(way)
        is_stopping = self.people[way.who.person].is_stopping
        yield "dunning waits for who stops", way.is_marketing or not is_stopping
        yield "never by a suppressed way", not self.is_refused(way, channel, to)
        yield "never without permission", self.may(way, channel, at)
        current = self.address(way.who.person, CAN[channel].address_kind)
        yield "never to an address of nobody", bool(current) and to == current

    def _give(self, key: Key, step: str, offer: GivenOffer, at: datetime) -> None:
        mine = self.people[key[0]].offers
        open_ = [one for one, had in mine.items() if had.ends_at > at and one != (key, step)]
        if open_:
            raise broken("never a stacked offer", f"{key} step {step} beside {open_}")
        mine[key, step] = offer
        if offer.offer != OWN_CODE:
            return
        if not offer.code or self.codes.setdefault(offer.code, (key, step)) != (key, step):
            raise broken("never a code twice", f"{key} step {step} has {offer.code!r}")

    def take_back(self, key: Key, step: str) -> None:
        """A letter was called back before it left: what it brought reached nobody."""
        given = self.people[key[0]].offers.pop((key, step), None)
        if given is not None and self.codes.get(given.code) == (key, step):
            del self.codes[given.code]

    def may_stay(self, way: Way, channel: Channel, at: datetime) -> bool:
        """Return whether somebody may be on a list, or what is open for them may stay open.

        What another person says of an address that passed on to them is not asked of a list.
        """
        return (
            not way.is_over
            and not self.has_left(way)
            and not self.people[way.who.person].is_erased
            and not self.is_refused(way, channel, "")
            and self.may(way, channel, at)
        )
