"""Chooses offers for a batch: asks the profiles once, and keeps count of what is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from rekindle.experiments import draw
from rekindle.gate import Dossier
from rekindle.journeys.asking import Unanswered
from rekindle.journeys.interfaces import Audience
from rekindle.offers import (
    Choice,
    HouseOffers,
    Option,
    Receiver,
    Stock,
    ToGive,
    Wanted,
    choose_offer,
)

BASKET = "average_order_value"
"""The profile column that says what a person usually spends."""

Asked = Iterable[tuple[Wanted, Dossier]]


@dataclass(frozen=True, slots=True)
class Suited:
    """What the profiles say of people who may be given something.

    ``offers`` are those whose conditions a person meets, by what was wanted and person;
    ``baskets`` what they usually spend.
    """

    offers: Mapping[tuple[Wanted, str], Sequence[Option]] = field(default_factory=dict)
    baskets: Mapping[str, float] = field(default_factory=dict)


def find_suited(
    audience: Audience, house: HouseOffers, asked: Asked, at: datetime, unanswered: Unanswered
) -> Suited:
    """Ask the profiles what is needed to choose offers for people; a predicate once."""
    people: defaultdict[Wanted, set[str]] = defaultdict(set)
    for wanted, dossier in asked:
        people[wanted].add(dossier.enrolment.person)
    if not people:
        return Suited()
    offers: defaultdict[tuple[Wanted, str], list[Option]] = defaultdict(list)
    everyone = set().union(*people.values())
    baskets: Mapping[str, float] = {}
    with unanswered.among(everyone):
        baskets = audience.amounts(BASKET, at, everyone)
        for wanted, group in people.items():
            for one in house.offers.candidates(wanted):
                for person in _meeting(audience, one.predicates, at, group):
                    offers[wanted, person].append(one)
    return Suited(offers, baskets)


def choose_for(
    dossier: Dossier,
    wanted: Wanted,
    at: datetime,
    suited: Suited,
    shelf: Shelf,
    house: HouseOffers,
) -> Choice:
    """Return the offer that goes with a message to somebody, or why none does."""
    enrolment = dossier.enrolment
    basket = suited.baskets.get(enrolment.person)
    who = Receiver(
        at=at,
        course=(enrolment.journey, enrolment.rotation),
        zones=dossier.zones,
        basket=None if basket is None else Decimal(str(round(basket, 4))),
        past=dossier.offers,
        had_message=dossier.touched_at is not None,
        done=frozenset(one.event for one in dossier.events),
        luck=_luck(dossier) if house.explore > 0 else 1.0,
    )
    eligible = suited.offers.get((wanted, enrolment.person), ())
    return choose_offer(wanted, eligible, who, house, shelf.left)


def _luck(dossier: Dossier) -> float:
    """Return the draw of this choice: another one after each offer that somebody was given."""
    who = dossier.enrolment
    own = sum(one.course == (who.journey, who.rotation) for one in dossier.offers)
    return draw(who.person, salt=f"{who.journey}/{who.rotation}/{own}/offer")


class Shelf:
    """What is left of the offers while one batch is decided."""

    def __init__(self, stock: Mapping[str, Stock]) -> None:
        self.left = dict(stock)

    def take(self, given: ToGive) -> None:
        """Count an offer as given."""
        left = self.left.get(given.offer, Stock())
        self.left[given.offer] = replace(
            left,
            codes=left.codes - given.takes_code,
            reserved_micros=left.reserved_micros + given.most_micros,
        )


def _meeting(
    audience: Audience, predicates: Sequence[str], at: datetime, people: Collection[str]
) -> set[str]:
    met = set(people)
    for predicate in predicates:
        if met:
            met = audience.matching(predicate, at, met)
    return met
