"""Draws what a world begins with: its people, the rules of the house and its journeys.

Everything comes from the generator it is handed, and nothing from what the engine did,
so the same seed draws the same world whatever book keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from rekindle.config import write_duration
from rekindle.gate import (
    ALL_AS_ONE,
    BookRules,
    Budget,
    Calendar,
    Cap,
    DeclaredSubgroups,
    HouseRules,
    MeasuredWorth,
    Overrule,
    PersonUplift,
    QuietHours,
    UpliftRule,
    Worth,
    longest_window,
)
from rekindle.journeys import (
    Branch,
    End,
    Goal,
    Journey,
    Person,
    Send,
    Step,
    Trigger,
    Variant,
    Wait,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
    Way,
)
from rekindle.messages import AddressKind, Capabilities
from rekindle.offers import HouseOffers, Offers, Wanted, parse_offers
from rekindle.vocabulary import Channel, Purpose

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COST = 1000
SIDES = ("left", "right")
JOURNEYS = ("first", "second", "receipt")
DATE_COLUMN = "refill_due_on"

# Everybody is written to by texts, which the law of some states has hours for; they go to
# addresses here, so that two people may share one.
CHANNEL = Channel("sms")
STARTS = tuple(
    datetime(*day, 9, tzinfo=UTC)
    for day in (
        (2026, 3, 6),  # New York's clocks go forward on the 8th
        (2026, 3, 27),  # London's on the 29th
        (2026, 10, 23),  # London's go back on the 25th
        (2026, 10, 30),  # New York's on 1 November
        (2026, 12, 22),
        (2026, 6, 15),
    )
)

US = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "America/Adak", "Pacific/Honolulu",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Home:
    """Where someone lives: what their card says, and the zones that really follow from it.

    No ``zones`` means the zone of the business.
    """

    timezone: str | None
    country: str | None
    zones: tuple[str, ...]
    phone: str | None = None


HOMES = (
    Home("Asia/Tokyo", "JP", ("Asia/Tokyo",)),
    Home("America/New_York", "US", ("America/New_York",)),
    Home("Asia/Kathmandu", "NP", ("Asia/Kathmandu",)),
    Home("Pacific/Apia", "WS", ("Pacific/Apia",)),
    Home("Europe/London", "GB", ("Europe/London",)),
    Home("America/Toronto", "CA", ("America/Toronto",)),
    Home("Mars/Olympus", "DE", ("Europe/Berlin",)),
    Home(None, "US", US),
    Home("America/Chicago", "US-TX", ("America/Chicago",)),
    Home("America/New_York", "US-FL", ("America/New_York",)),
    Home(None, None, ("Asia/Tokyo",), "+81 3 1234 5678"),
    Home(None, None, ()),
)

# What a profile may be asked here, and the flag that answers it.
FLAGS: Mapping[str, str] = {
    "tier = 'lapsed'": "lapsed",
    "value_band = 'high'": "rich",
    "lifetime_value < 0": "loser",
    "orders_count >= 2": "loyal",
    "subscription_state = 'paused'": "rests",
    "subscription_state in ('subscribed', 'paused')": "rests",
}
Meets = Callable[[frozenset[str], frozenset[str]], bool]
# Conditions of journeys with what they mean, given a person's flags and deeds.
CONDITIONS: Mapping[str, Meets] = {
    "tier = 'lapsed'": lambda flags, did: "lapsed" in flags,
    "orders_count >= 2": lambda flags, did: "loyal" in flags,
    "clicked": lambda flags, did: "click" in did,
    "not visited": lambda flags, did: "visit" not in did,
    "did('wishlisted')": lambda flags, did: "wishlisted" in did,
    "clicked and value_band = 'high'": lambda flags, did: "click" in did and "rich" in flags,
    "visited or tier = 'lapsed'": lambda flags, did: "visit" in did or "lapsed" in flags,
}
BEHAVIOURS = ("click", "visit", "wishlisted")
EXITS = ("order", "login", "subscribed")
TRIGGER = "cart_abandoned"
BAD_ENDING = "chargeback"
TOPICS = ("", "news", "offers")


OFFERS = parse_offers(
    """
offers:
  small: {kind: amount_off, amount: 4, codes: none, lasts: 2 days, budget: 4}
  large: {kind: amount_off, amount: 12, codes: own, lasts: 3 days, budget: 12,
          when: orders_count >= 2}
ladders:
  up: [{offer: small}, {offer: large, when: "value_band = 'high'"}]
"""
)
HOUSE_OFFERS = HouseOffers(OFFERS, Decimal("0.4"), Decimal("0.1"), 9 * DAY)
# What steps of these keys give; no chance is drawn for it, so that the rest stays as it was.
GIVING = {
    "s0": Wanted("small"),
    "s2": Wanted("large", may_be_without=True),
    "s1": Wanted("up", is_ladder=True, may_be_without=True),
    "s3": Wanted("large"),
}
BASKETS = (60.0, 200.0, 12.0, 60.0, None)


def basket_of(person: str) -> float | None:
    """Return what somebody usually spends; of every fifth it is not known."""
    return BASKETS[int(person[-1]) % len(BASKETS)] if person[-1].isdigit() else None


@dataclass(frozen=True, slots=True)
class House:
    """The rules of the house, and what a book has to know of them."""

    rules: HouseRules
    terms: BookRules


def draw_house(draw: Random) -> House:
    """Return rules that bind now and then, or hardly at all."""
    zone = draw.choice(["Europe/London", "America/New_York", "UTC", "Pacific/Apia"])
    caps = draw.choice(
        [
            (Cap(CHANNEL, 1, 16 * HOUR), Cap(None, 3, 7 * DAY)),
            (Cap(CHANNEL, 2, 3 * DAY),),
            (Cap(None, 1, None),),
            (Cap(CHANNEL, 1, 6 * HOUR), Cap(None, 2, None)),
            (),
        ]
    )
    budgets = draw.choice(
        [(), (), (Budget(None, None, 6 * COST),), (Budget("first", CHANNEL, 3 * COST),)]
    )
    worth = (Worth("value_band = 'high'", 2 * COST), Worth("orders_count >= 2", COST // 2))
    rules = HouseRules(
        caps=caps,
        quiet_hours=_draw_quiet_hours(draw),
        calendar=_draw_calendar(draw),
        spread=draw.choice([timedelta(0), 30 * MINUTE]),
        budgets=budgets,
        worth=draw.choice([(), (), worth]),
        excluded_when=draw.choice([None, "lifetime_value < 0"]),
        zone=ZoneInfo(zone),
        offers=HOUSE_OFFERS,
        spares_customers=True,
    )
    terms = BookRules(
        soft_opt_in=draw.random() < 0.9,
        longest_window=longest_window(caps),
        zone=zone,
        budgets=budgets,
        cooling_off=10 * DAY,
        bad_endings=frozenset({BAD_ENDING}),
        offers=OFFERS,
        offer_wait=HOUSE_OFFERS.wait,
        channels={CHANNEL: Capabilities(AddressKind.EMAIL)},
    )
    return House(rules, terms)


def stop_some(house: House, draw: Random, *, in_subgroup: bool) -> House:
    """Return the house in which, one time in three, the messages of a journey do not pay.

    ``in_subgroup`` they do not on one side alone: a book in memory keeps nobody's side.
    """
    if draw.random() > 1 / 3:
        return house
    declared = DeclaredSubgroups("side", SIDES[:1]) if in_subgroup else ALL_AS_ONE
    worth = MeasuredWorth(0, -COST, COST - 1, 900, 0.4, kept_on=0.3)
    measured = {("first", declared.names[0]): worth}
    return House(replace(house.rules, measured=measured), replace(house.terms, subgroups=declared))


def hold_some_back(house: House, draw: Random) -> House:
    """Return the house in which, one time in three, a journey was learned not to move some."""
    if draw.random() > 1 / 3:
        return house
    learned = UpliftRule(draw.choice((1, 1, 2)), STARTS[0], 900, 1.0, 0.4)
    return House(replace(house.rules, uplifts={draw.choice(JOURNEYS): learned}), house.terms)


def overrule_some(house: House, draw: Random, since: datetime) -> House:
    """Return the house in which, one time in three, somebody overruled what stops a journey."""
    if draw.random() > 1 / 3:
        return house
    begins = since + draw.randint(0, 10) * DAY
    made = Overrule(
        draw.choice(JOURNEYS), "ann", "she knows", begins, begins + draw.randint(1, 40) * DAY
    )
    return House(replace(house.rules, overrules=(made,)), house.terms)


def uplift_of(person: str) -> PersonUplift | None:
    """Return what a journey does to a person, for ever; of one in three it is not known."""
    ends = (-0.5, 0.5, None)
    high = ends[sum(map(ord, person)) % 3]
    return None if high is None else PersonUplift(high - 0.2, high - 0.4, high, 1_000_000_000)


def side_of(person: str) -> str:
    """Return on which side a person is, for ever."""
    return SIDES[sum(map(ord, person)) % len(SIDES)]


def without_scarcity(house: House) -> House:
    """Return the house without caps and budgets, of which the first to come takes most."""
    terms = {n: one.model_copy(update={"budget": None}) for n, one in OFFERS.terms.items()}
    offers = Offers(terms, OFFERS.ladders)
    return House(
        replace(house.rules, caps=(), budgets=(), offers=replace(HOUSE_OFFERS, offers=offers)),
        replace(house.terms, longest_window=timedelta(0), budgets=(), offers=offers),
    )


def _draw_quiet_hours(draw: Random) -> QuietHours | None:
    hours = (
        None,
        (time(21), time(8)),
        (time(22, 30), time(6, 15)),
        (time(0), time(9)),
        (time(13), time(14, 30)),
        (time(10), time(4)),
    )
    chosen = draw.choice(hours)
    return None if chosen is None else QuietHours(*chosen)


def _draw_calendar(draw: Random) -> Calendar | None:
    first = draw.choice(STARTS).date() + draw.randint(0, 9) * DAY
    return draw.choice(
        [
            None,
            None,
            Calendar(weekdays=frozenset(range(5))),
            Calendar(((first, first + 3 * DAY),)),
            Calendar((), (((12, 24), (1, 2)),), frozenset({0, 1, 2, 3, 5, 6})),
        ]
    )


def draw_person(draw: Random, number: int, zone: str) -> tuple[Person, tuple[ZoneInfo, ...]]:
    """Return a contact card, and the zones where this person may really be."""
    home = draw.choice(HOMES)
    address: str | None = f"person-{number}@example.com"
    chance = draw.random()
    if chance < 0.1:
        address = None
    elif chance < 0.25:
        address = draw.choice(["Shared@Example.com", "shared@example.com"])
    card = Person(f"person-{number}", address, home.country, home.timezone, {}, home.phone)
    return card, tuple(ZoneInfo(name) for name in home.zones or (zone,))


def draw_journey(draw: Random, name: str, newest: Journey | None = None) -> Journey:
    """Return a journey; one that follows on ``newest`` keeps what no edit changes here.

    Every other edit puts the same steps into another order, so that people who are moved
    come by a step once more.
    """
    trigger = draw.choice([Trigger(TRIGGER, 1, 2 * DAY), Trigger(TRIGGER, 2, 5 * DAY)])
    is_triggered = draw.random() < 0.25 if newest is None else newest.trigger is not None
    if newest is not None and draw.random() < 0.5:
        steps = tuple(draw.sample(newest.steps, len(newest.steps)))
    else:
        steps = _StepDrawer(draw).draw(0)
    if name == "receipt":
        steps = tuple(map(_without_offers, steps))
    if not any(isinstance(step, Send) for step in steps):
        steps = (*steps, Send("last", CHANNEL, "bye"))
    journey = Journey(
        name=name,
        audience=draw.choice(["true", "tier = 'lapsed'"]),
        goal=Goal("order", 30 * DAY),
        steps=steps,
        purpose=Purpose.TRANSACTIONAL if name == "receipt" else Purpose.MARKETING,
        reenter=draw.choice([None, 2 * DAY, 15 * DAY]),
        exits=frozenset(one for one in EXITS if draw.random() < 0.6),
        holdout=0.3,
        stale_after=draw.choice([6 * HOUR, 3 * DAY, 9 * DAY]),
        trigger=trigger if is_triggered else None,
        backfill=timedelta(0) if is_triggered else draw.choice([timedelta(0), None, 5 * DAY]),
        pilot=draw.choice([1.0, 1.0, 0.5]),
        topic=draw.choice(TOPICS),
    )
    return _with_text(journey)


class _StepDrawer:
    """Draws steps whose keys are taken from small pools, so that edits share them."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self._left: dict[str, list[int]] = {}

    def draw(self, depth: int) -> tuple[Step, ...]:
        """Return one to five steps, those of a branch included."""
        return tuple(self._one(depth) for _ in range(self._draw.randint(1, 5 - 2 * depth)))

    def _one(self, depth: int) -> Step:
        chance = self._draw.random()
        if chance < 0.5:
            return self._send()
        if chance < 0.72:
            return self._wait()
        if chance < 0.8:
            return WaitForEvent(self._key("e"), frozenset(self._events()), self._length())
        if chance < 0.86:
            return WaitForTime(self._key("t"), time(self._draw.choice([1, 9, 14])), None)
        if chance < 0.9:
            return WaitForDate(self._key("d"), DATE_COLUMN, 20 * DAY, 2)
        return self._branch(depth) if depth < 2 else self._send()

    def _send(self) -> Send:
        key = self._key("s")
        when = self._draw.choice(tuple(CONDITIONS)) if self._draw.random() < 0.2 else None
        variants = (Variant("warm"), Variant("brief")) if self._draw.random() < 0.2 else ()
        return Send(key, CHANNEL, key, when, variants, GIVING.get(key))

    def _wait(self) -> Wait:
        events = self._events() if self._draw.random() < 0.3 else []
        return Wait(self._key("w"), self._length(), frozenset(events))

    def _branch(self, depth: int) -> Branch:
        key = self._key("b")
        conditions = self._draw.sample(tuple(CONDITIONS), self._draw.randint(1, 2))
        ways = [Way(condition, self.draw(depth + 1)) for condition in conditions]
        if self._draw.random() < 0.3:
            ways[0] = Way(ways[0].when, (*ways[0].steps, End(f"end-{key}")))
        if self._draw.random() < 0.5:
            ways.append(Way(None, self.draw(depth + 1)))
        return Branch(key, tuple(ways))

    def _events(self) -> list[str]:
        return self._draw.sample(BEHAVIOURS, self._draw.randint(1, 2))

    def _length(self) -> timedelta:
        return self._draw.choice([90 * MINUTE, 6 * HOUR, DAY, 2 * DAY, 5 * DAY])

    def _key(self, word: str) -> str:
        if word not in self._left:
            self._left[word] = self._draw.sample(range(5), 5)
        numbers = self._left[word]
        return f"{word}{numbers.pop()}" if numbers else f"{word}{self._draw.randrange(10**9)}"


def _without_offers(step: Step) -> Step:
    """Return a step that gives nothing: an offer is marketing."""
    if isinstance(step, Branch):
        ways = (replace(way, steps=tuple(map(_without_offers, way.steps))) for way in step.ways)
        return replace(step, ways=tuple(ways))
    return replace(step, offer=None) if isinstance(step, Send) else step


def _with_text(journey: Journey) -> Journey:
    """Return the journey with the file it is read from; JSON is YAML too."""
    enter: dict[str, Any] = {"audience": journey.audience}
    if journey.trigger is not None:
        one = journey.trigger
        enter |= {"on": one.event, "times": one.times, "within": write_duration(one.within)}
    file: dict[str, Any] = {
        "journey": journey.name,
        "purpose": journey.purpose.value,
        "enter": enter,
        "start": f"{journey.pilot:.0%}",
        "goal": {"on": journey.goal.on, "within": write_duration(journey.goal.within)},
        "exit": sorted(journey.exits),
        "holdout": journey.holdout,
        "stale_after": write_duration(journey.stale_after),
        "steps": [_step_text(step) for step in journey.steps],
    }
    if journey.topic:
        file["topic"] = journey.topic
    if journey.reenter is not None:
        file["reenter"] = f"after {write_duration(journey.reenter)}"
    if journey.trigger is None:
        file["backfill"] = _backfill_text(journey.backfill)
    return replace(journey, text=json.dumps(file))


def _backfill_text(backfill: timedelta | None) -> str:
    if backfill is None:
        return "none"
    return f"spread over {write_duration(backfill)}" if backfill else "all"


def _step_text(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {"id": step.key}
    if isinstance(step, Send):
        send: dict[str, Any] = {"channel": CHANNEL.value, "template": step.template}
        if step.variants:
            send["variants"] = [one.name for one in step.variants]
        if step.offer is not None:
            send["offer"] = str(step.offer)
        if step.offer is not None and step.offer.may_be_without:
            send["without_offer"] = "send"
        if step.when is not None:
            found["when"] = step.when
        return found | {"send": send}
    if isinstance(step, Branch):
        return found | {"branch": [_way_text(way) for way in step.ways]}
    return found | ({"end": ""} if isinstance(step, End) else {"wait": _wait_text(step)})


def _wait_text(step: Wait | WaitForEvent | WaitForTime | WaitForDate) -> dict[str, Any]:
    if isinstance(step, Wait):
        found: dict[str, Any] = {"for": write_duration(step.duration)}
        return found | ({"or_on": sorted(step.shortened_by)} if step.shortened_by else {})
    if isinstance(step, WaitForEvent):
        return {"until": sorted(step.events), "at_most": write_duration(step.at_most)}
    if isinstance(step, WaitForTime):
        assert step.time_of_day is not None
        return {"until": step.time_of_day.strftime("%H:%M")}
    until = {"date": step.column, "days_before": step.days_before}
    return {"until": until, "at_most": write_duration(step.at_most)}


def _way_text(way: Way) -> dict[str, Any]:
    steps = [_step_text(step) for step in way.steps]
    return {"otherwise": steps} if way.when is None else {"when": way.when, "steps": steps}


def draw_date(draw: Random, now: datetime) -> date | None:
    """Return the refill day of a person's profile, or None."""
    return None if draw.random() < 0.4 else now.date() + draw.randint(-5, 30) * DAY
