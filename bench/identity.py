"""How well ids are put together: a generated town, and who in it is found to be one person.

50,000 people leave some 87,000 records at a store, a till, an app and the support desk.
Every seventh shares family name and home with another; of those a fifth the telephone
and a tenth the mailbox. Records have typing errors, initials, nicknames and second
addresses. The town is ours, so compare ways with each other, not with the world.
"""

from __future__ import annotations

import random
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import comb
from time import perf_counter

from bench.measure import Result
from rekindle.identity import (
    Acquaintance,
    Evidence,
    Handle,
    HandleKind,
    Name,
    find_groups,
    is_nobody,
    normalise_address,
    normalise_phone,
    suggest_by_model,
    suggest_joins,
)

PEOPLE = 50_000
SHARES = {"store": 0.7, "till": 0.45, "app": 0.4, "support": 0.2}
FIRST_NAMES = (
    "Ada Adam Agnes Albert Alice Amir Anna Arthur Beatrice Ben Carla Carol Charles Chloe Clara "
    "Daniel David Edith Edward Ella Emil Emma Eric Eva Fatima Felix Fiona Frank Freya George "
    "Grace Hannah Harold Henry Hugo Ida Irene Isaac Ivan James Jane John Joseph Julia Karl Kate "
    "Laura Leo Lily Louis Lucy Marco Maria Mark Martha Mary Max Mia Michael Mina Nadia Nora Oliver "
    "Oscar Paul Peter Rachel Ralph Rosa Ruth Samuel Sarah Sofia Stella Susan Theo Thomas Tom Vera "
    "Victor Violet Walter William Yusuf Zoe"
)
NICK = {"William": "Bill", "Thomas": "Tom", "Edward": "Ned", "Michael": "Mike", "Samuel": "Sam"}
SYLLABLES = "ar bel cor den el fo gar hol is jen kel lor man nor os pen ri sten tor ul van wick"


@dataclass(frozen=True, slots=True)
class Record:
    """One customer id at one place, and who it really is."""

    id: str
    person: int
    first: str
    last: str
    postcode: str
    email: str
    phone: str
    loyalty: str


def identity() -> Result:
    """Precision and recall of the rules against joining by the same address only."""
    rng = random.Random(20_261_127)
    records = [record for person in _people(rng) for record in _records(person, rng)]
    names = {one.id: Name(one.first, one.last) for one in records}
    by_address = _pairs_of(_claims(records, _address))
    began = perf_counter()
    every = _claims(records, _address, _phone, _loyalty)
    found = find_groups(Evidence(every, names))
    took = perf_counter() - began
    truth = {one.id: one.person for one in records}
    ours, theirs = _score(found.groups, truth), _score(by_address, truth)
    told = _judge_suggestions(records, found.groups, truth)
    note = (
        f"{len(records):,} records of {PEOPLE:,} people in {took:.1f} s: precision {ours[0]:.4f}, "
        f"recall {ours[1]:.4f}; by address only {theirs[0]:.4f} and {theirs[1]:.4f}. "
        f"Suggestions that are right: {told}. The ratio is of wrong joins in a hundred"
    )
    wrong, wrong_before = 1 - ours[0], 1 - theirs[0]
    return Result(
        round(100 * wrong, 2),
        round(100 * wrong_before, 2),
        round(wrong / wrong_before, 2),
        "wrong joins in a hundred",
        0,
        0.5,
        note,
    )


def _people(rng: random.Random) -> list[Record]:
    people: list[Record] = []
    for number in range(PEOPLE):
        last = "".join(rng.choices(SYLLABLES.split(), k=rng.choice((2, 2, 3)))).title()
        first = rng.choice(FIRST_NAMES.split())
        person = Record(
            str(number),
            number,
            first,
            last,
            f"{''.join(rng.choices(string.ascii_uppercase, k=2))}{rng.randrange(1, 30)}",
            f"{first}.{last}{rng.randrange(1000)}@mail{rng.randrange(9)}.example".lower(),
            f"+4420{rng.randrange(70_000_000, 89_999_999)}",
            f"L{number:06}" if rng.random() < 0.3 else "",
        )
        if people and rng.random() < 1 / 7:
            home = people[rng.randrange(len(people))]
            person = replace(person, last=home.last, postcode=home.postcode)
            if rng.random() < 0.2:
                person = replace(person, phone=home.phone)
            if rng.random() < 0.1:
                person = replace(person, email=home.email)
        people.append(person)
    return people


def _records(person: Record, rng: random.Random) -> Iterable[Record]:
    places = [place for place, share in SHARES.items() if rng.random() < share]
    for place in places or ["store"]:
        first = person.first
        if (roll := rng.random()) < 0.05:
            first = first[0] + "."
        elif roll < 0.15:
            first = NICK.get(first, first)
        elif roll < 0.2:
            first = ""
        email = person.email if rng.random() < 0.75 else ""
        if rng.random() < 0.12:
            email = f"{person.first[0]}{person.last}{rng.randrange(9999)}@other.example".lower()
        yield Record(
            f"{place}:{person.id}",
            person.person,
            first,
            _misspelt(person.last, rng, 0.04),
            person.postcode if rng.random() < 0.9 else "",
            _misspelt(email, rng, 0.01),
            _misdialled(person.phone, rng) if rng.random() < 0.4 else "",
            person.loyalty if place in ("till", "app") else "",
        )


def _misspelt(text: str, rng: random.Random, share: float) -> str:
    if len(text) < 4 or rng.random() >= share:
        return text
    at = rng.randrange(1, len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _misdialled(phone: str, rng: random.Random) -> str:
    if rng.random() >= 0.02:
        return phone
    at = rng.randrange(5, len(phone))
    return phone[:at] + rng.choice(string.digits) + phone[at + 1 :]


def _address(one: Record) -> Handle:
    return Handle(HandleKind.EMAIL, normalise_address(one.email))


def _phone(one: Record) -> Handle:
    return Handle(HandleKind.PHONE, normalise_phone(one.phone, "GB"))


def _loyalty(one: Record) -> Handle:
    return Handle(HandleKind.LOYALTY, one.loyalty)


def _claims(
    records: Iterable[Record], *kinds: Callable[[Record], Handle]
) -> dict[Handle, list[str]]:
    found: defaultdict[Handle, list[str]] = defaultdict(list)
    for one in records:
        for handle in (kind(one) for kind in kinds):
            if handle.value and not is_nobody(handle):
                found[handle].append(one.id)
    return found


def _pairs_of(claims: dict[Handle, list[str]]) -> list[list[str]]:
    return [ids for ids in claims.values() if len(ids) > 1]


def _score(groups: Iterable[Sequence[str]], truth: dict[str, int]) -> tuple[float, float]:
    """Return the shares of joined pairs that are right, and of right pairs that are joined."""
    joined = right = 0
    for group in groups:
        joined += comb(len(group), 2)
        right += sum(comb(n, 2) for n in Counter(truth[id_] for id_ in group).values())
    whole = sum(comb(n, 2) for n in Counter(truth.values()).values())
    return right / joined, right / whole


def _judge_suggestions(
    records: Sequence[Record], groups: Iterable[Sequence[str]], truth: dict[str, int]
) -> str:
    person = {id_: group[0] for group in groups for id_ in group}
    known = [
        Acquaintance(
            one.id, person.get(one.id, one.id), one.first, one.last, one.postcode, one.phone
        )
        for one in records
    ]
    told: defaultdict[str, list[bool]] = defaultdict(list)
    ruled = suggest_joins(known)
    for one in ruled:
        told[one.because].append(truth[one.one] == truth[one.other])
    if find_spec("splink") is not None:
        for one in suggest_by_model(known, suggested=ruled):
            told["beside these, by a model"].append(truth[one.one] == truth[one.other])
    return "; ".join(
        f"{sum(right) / len(right):.3f} of {len(right):,} ({because})"
        for because, right in told.items()
    )
