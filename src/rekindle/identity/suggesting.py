"""Who may be one person, for somebody to look at: nothing here joins anybody.

The three rules that were right in 97 to 99 of 100 cases on a generated town of 50,000
people (``make bench ONLY=identity``); a probability was not among them.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

SAME_HOME = "same names and postcode"
NEAR_NAME = "same first name and postcode, family name spelled alike"
NEAR_PHONE = "same family name and initial, telephone number one digit off"
LARGEST_BLOCK = 50
"""People of one postcode and first name beyond which a rule says nothing."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What a suggestion looks at of one customer id, and the person it goes by."""

    customer_id: str
    person: str
    first_name: str = ""
    last_name: str = ""
    postcode: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two persons who may be one, and what speaks for it."""

    one: str
    other: str
    because: str


def suggest_joins(
    people: Iterable[Acquaintance], *, apart: Collection[tuple[str, str]] = ()
) -> list[Suggestion]:
    """Return pairs of persons who may be one, each once, the surest rule first.

    ``apart`` are pairs that somebody said are two.
    """
    known = [plain(one) for one in people]
    unwanted = {frozenset(pair) for pair in apart}
    found: dict[frozenset[str], Suggestion] = {}
    for because, pairs in (
        (SAME_HOME, _same_home(known)),
        (NEAR_NAME, _near_name(known)),
        (NEAR_PHONE, _near_phone(known)),
    ):
        for a, b in pairs:
            pair = frozenset((a.person, b.person))
            if len(pair) == 2 and pair not in unwanted and pair not in found:
                one, other = sorted(pair)
                found[pair] = Suggestion(one, other, because)
    return list(found.values())


def is_within(one: str, other: str, edits: int) -> bool:
    """Return whether so many letters put in, left out or replaced lead from one to other."""
    if abs(len(one) - len(other)) > edits:
        return False
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, other_letter in enumerate(other, 1):
            cost = before + (letter != other_letter)
            before = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
        if min(row) > edits:
            return False
    return row[-1] <= edits


def plain(one: Acquaintance) -> Acquaintance:
    """Return what is known of somebody without case, accents, blanks and signs."""
    return Acquaintance(
        one.customer_id,
        one.person,
        _letters(one.first_name),
        _letters(one.last_name),
        _letters(one.postcode),
        one.phone,
    )


def _letters(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in spread if letter.isalnum())


Pairs = Iterator[tuple[Acquaintance, Acquaintance]]


def _same_home(people: Iterable[Acquaintance]) -> Pairs:
    full = (one for one in people if one.first_name and one.last_name and one.postcode)
    return _pairs(full, lambda one: (one.first_name, one.last_name, one.postcode))


def _near_name(people: Iterable[Acquaintance]) -> Pairs:
    full = (one for one in people if one.first_name and one.last_name and one.postcode)
    for a, b in _pairs(full, lambda one: (one.first_name, one.postcode)):
        if is_within(a.last_name, b.last_name, 2):
            yield a, b


def _near_phone(people: Iterable[Acquaintance]) -> Pairs:
    full = (one for one in people if one.first_name and one.last_name and one.phone)
    for a, b in _pairs(full, lambda one: (one.first_name[0], one.last_name)):
        if is_within(a.phone, b.phone, 1):
            yield a, b


def _pairs(people: Iterable[Acquaintance], key: object) -> Pairs:
    blocks: defaultdict[object, list[Acquaintance]] = defaultdict(list)
    for one in people:
        blocks[key(one)].append(one)  # type: ignore[operator]
    for block in blocks.values():
        if len({one.person for one in block}) <= LARGEST_BLOCK:
            yield from combinations(block, 2)
