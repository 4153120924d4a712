"""A message is held back from single people, and from nobody of whom too little is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from rekindle.experiments import draw
from rekindle.gate import SPARED, HouseRules, MeasuredWorth, Overrule, PersonUplift, UpliftRule
from rekindle.journeys import Goal, Journey, JourneyVersion, Send
from rekindle.journeys.weighing import ToWeigh, find_uplifts, weigh
from rekindle.testing.audiences import FixedAudience
from rekindle.vocabulary import Channel, SignalKind
from tests.journeys.test_engine import DAY, START, World

SCORED = datetime(2026, 3, 1, tzinfo=UTC)
RULE = UpliftRule(1, SCORED, 9_000, messages=1.0, margin=0.4)
UNMOVED = PersonUplift(-0.001, -0.002, 0.0001, 20_000_000)  # 800 micros at the most, of 1,000
MOVED = PersonUplift(0.03, 0.01, 0.05, 20_000_000)
PEOPLE = tuple(f"p{number}" for number in range(80))
TO_LEARN = {who for who in PEOPLE if draw(who, salt="lapsed/sent to learn") < SPARED}
JOURNEY = Journey(
    "lapsed", "true", Goal(SignalKind.ORDER, 30 * DAY), (Send("0", Channel("email"), "hello"),)
)
VERSION = JourneyVersion(JOURNEY, 1, 0.1, "lapsed", START)


class KnowingAudience(FixedAudience):
    """An audience that knows what was kept of people."""

    def __init__(self, known: Mapping[str, PersonUplift]) -> None:
        super().__init__()
        self.known = known
        self.asked: list[tuple[str, datetime, frozenset[str]]] = []

    def uplifts(
        self, journey: str, scored_at: datetime, at: datetime, people: Collection[str]
    ) -> Mapping[str, PersonUplift]:
        self.asked.append((journey, scored_at, frozenset(people)))
        return {one: self.known[one] for one in people if one in self.known}


def ask(person: str, **changes: object) -> ToWeigh:
    return replace(ToWeigh(person, VERSION, "0", START, "", 1_000, 0, None), **changes)  # type: ignore[arg-type]


def held(person: str = "p0") -> str:
    """Return somebody who is not of those written to all the same."""
    return next(who for who in (person, *PEOPLE) if who not in TO_LEARN)


def test_who_is_not_moved_is_held_back_but_for_some() -> None:
    assert 0 < len(TO_LEARN) < 15
    rules = HouseRules(uplifts={"lapsed": RULE})
    for who in PEOPLE:
        found = weigh(ask(who), rules, {(who, "lapsed"): UNMOVED})
        assert found.expected == (None if who in TO_LEARN else 800)
        begins = "sent to learn whether" if who in TO_LEARN else "held back: people like this one"
        assert found.told.startswith(begins)


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        (RULE, MOVED),
        (RULE, replace(UNMOVED, high=0.000125)),  # exactly its cost
        (RULE, None),
        (None, UNMOVED),
    ],
)
def test_nobody_is_held_back_who_may_be_moved_or_of_whom_nothing_is_known(
    rule: UpliftRule | None, known: PersonUplift | None
) -> None:
    rules = HouseRules(uplifts={"lapsed": rule} if rule else {})
    found = weigh(ask(held()), rules, {(held(), "lapsed"): known} if known else {})
    assert (found.expected, found.told) == (None, "")


def test_offer_is_part_of_what_it_costs() -> None:
    rules = HouseRules(uplifts={"lapsed": RULE})
    known = {(held(), "lapsed"): replace(UNMOVED, high=0.0002)}  # 1,600: the message alone pays
    assert weigh(ask(held()), rules, known).told == ""
    with_offer = weigh(ask(held(), offer=2_000), rules, known)
    assert with_offer.expected == 1_600 + 800
    assert "costs 0.003" in with_offer.told


def test_what_was_measured_of_all_comes_first() -> None:
    """Who is kept on, to measure a stop of all, is no less written to for their own figure."""
    worth = MeasuredWorth(0, 0, 500, 900, 0.4, kept_on=0.5)
    rules = HouseRules(measured={("lapsed", ""): worth}, uplifts={"lapsed": RULE})
    told = {weigh(ask(who), rules, {(who, "lapsed"): UNMOVED}).told[:7] for who in PEOPLE}
    assert told == {"measure", "kept on"}


def test_message_that_pays_on_the_whole_is_still_held_back_from_one() -> None:
    worth = MeasuredWorth(9_000, 8_000, 9_500, 900, 0.4, kept_on=0.5)
    rules = HouseRules(measured={("lapsed", ""): worth}, uplifts={"lapsed": RULE})
    assert weigh(ask(held()), rules, {(held(), "lapsed"): UNMOVED}).expected == 800


def test_what_is_overruled_leaves_to_everybody_and_nobody_is_drawn() -> None:
    made = Overrule("lapsed", "ann", "they buy in May", START, START + DAY)
    worth = MeasuredWorth(0, 0, 500, 900, 0.4, kept_on=0.5)
    stopped = HouseRules(measured={("lapsed", ""): worth}, overrules=(made,))
    held_back = HouseRules(uplifts={"lapsed": RULE}, overrules=(made,))
    for who, rules in product(PEOPLE, (stopped, held_back)):
        found = weigh(ask(who), rules, {(who, "lapsed"): UNMOVED})
        assert (found.expected, found.is_sent_still) == (None, True)
        assert found.told.startswith("overruled by ann until 2026-03-03 09:00 UTC: they buy in ")
        later = weigh(ask(who, at=START + DAY), rules, {(who, "lapsed"): UNMOVED})
        assert "overruled" not in later.told


def test_what_pays_is_not_said_to_be_overruled() -> None:
    made = Overrule("lapsed", "ann", "they buy in May", START, START + DAY)
    rules = HouseRules(uplifts={"lapsed": RULE}, overrules=(made,))
    assert weigh(ask("p0"), rules, {("p0", "lapsed"): MOVED}).told == ""


def test_only_people_of_the_version_learned_from_are_asked_about() -> None:
    audience = KnowingAudience({"a": UNMOVED, "b": UNMOVED})
    rules = HouseRules(uplifts={"lapsed": RULE})
    asked = [("a", VERSION), ("b", replace(VERSION, version=2))]
    assert find_uplifts(audience, rules, asked, START) == {("a", "lapsed"): UNMOVED}
    assert audience.asked == [("lapsed", SCORED, frozenset({"a"}))]
    assert find_uplifts(FixedAudience(), rules, asked, START) == {}
    assert find_uplifts(audience, HouseRules(), asked, START) == {}


def test_engine_holds_back_and_lets_the_held_out_walk_the_same_way() -> None:
    who = [one for one in PEOPLE if one not in TO_LEARN][:3]
    world = World(*who, held_out=who[1], rules=HouseRules(uplifts={"lapsed": RULE}))
    audience = KnowingAudience(dict.fromkeys(who[:2], UNMOVED))
    world.audience.uplifts = audience.uplifts  # type: ignore[attr-defined]
    world.start()
    world.engine.tick(START)
    reasons = [world.told(one)[0][2] for one in who]
    assert [reason and reason.value for reason in reasons] == ["not_worth_it", "not_worth_it", None]
    assert world.moves(who[0])[0].detail.startswith("held back: ")
