"""What a join does to journeys: one person is in one arm, goes on once, and gets nothing twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekindle.ledger.book.lanes import lane_of
from rekindle.ledger.book.persons.rows import Pair
from rekindle.ledger.hashing import touch_key
from rekindle.ledger.queries import execute, fetch, instant_of, rows_of, text_of
from rekindle.ledger.signals import end_enrolments
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Reason

WENT_OUT = frozenset({"sending", "accepted", "unknown", "failed"})
"""What reached somebody, or may have: such a step is not taken again."""


@dataclass(frozen=True, slots=True)
class _Past:
    """One enrolment of somebody who is being joined."""

    number: int
    person: str
    journey: str
    version: int
    rotation: int
    arm: str
    entered_at: datetime
    is_open: bool
    touches: int


def follow_journeys(
    alias: str,
    versions: Versions,
    pairs: Sequence[Pair],
    at: datetime,
    moves: dict[str, dict[str, list[Any]]],
) -> None:
    """Let arms, enrolments and touches of each first person be the second's."""
    people = sorted({one for pair in pairs for one in pair})
    batch = rows_of((person,) for person in people)
    owner = dict(pairs)
    arms = _join_arms(alias, owner, batch, moves)
    by_place: defaultdict[tuple[str, str], list[_Past]] = defaultdict(list)
    for row in fetch(alias, "enrolments_to_join", batch):
        number, person, journey, version, rotation, arm, entered, is_open, touches = row
        at_entry = instant_of(entered)
        one = _Past(
            number, person, journey, version, rotation, arm, at_entry, bool(is_open), touches
        )
        by_place[owner.get(one.person, one.person), one.journey].append(one)
    endings: list[tuple[int, Reason]] = []
    stays: dict[int, int] = {}
    rotations: dict[int, int] = {}
    for (kept, journey), entries in by_place.items():
        if all(one.person == kept for one in entries):
            continue
        going = _decide_going(entries, arms.get((kept, journey)), versions)
        for one in entries:
            if one.is_open and one is not going:
                endings.append((one.number, Reason.JOINED))
                if going is not None and going.arm == one.arm:
                    stays[one.number] = going.number
        rotations |= _renumber(kept, entries)
    end_enrolments(alias, endings, at)
    known = {one.number: one for entries in by_place.values() for one in entries}
    _move_touches(alias, known, stays, owner)
    _move_enrolments(alias, [known[number] for number in rotations], rotations, owner)
    for number in rotations:
        one = known[number]
        moves[one.person]["ledger_enrolment"].append([number, one.rotation])


def _decide_going(entries: Sequence[_Past], arm: str | None, versions: Versions) -> _Past | None:
    """Return which open enrolment in one journey goes on, if any does.

    The one of the arm that was drawn first, and of those the one that went furthest. None
    goes on if another has ended that would have kept its person out.
    """
    still = [one for one in entries if one.is_open]
    if not still:
        return None
    going = max(still, key=lambda one: (one.arm == arm, one.touches, -one.entered_at.timestamp()))
    reenter = versions.find(going.journey, going.version).journey.reenter
    ended = [one for one in entries if not one.is_open and one.person != going.person]
    is_barred = any(_bars(one, going, reenter) for one in ended)
    return None if is_barred else going


def _bars(ended: _Past, going: _Past, reenter: timedelta | None) -> bool:
    return reenter is None or going.entered_at < ended.entered_at + reenter


def _renumber(kept: str, entries: Sequence[_Past]) -> dict[int, int]:
    """Return the rotations of what comes to a person: after those they have."""
    after = max((one.rotation for one in entries if one.person == kept), default=-1) + 1
    coming = [one for one in entries if one.person != kept]
    if len({one.person for one in entries}) == 1:
        return {one.number: one.rotation for one in coming}
    return {one.number: after + place for place, one in enumerate(coming)}


def _move_touches(
    alias: str, known: Mapping[int, _Past], stays: Mapping[int, int], owner: Mapping[str, str]
) -> None:
    """Move touches with their enrolments, and what went out to the one that goes on.

    The key that is known outside follows from who it was then, so it is written down.
    """
    concerned = {n for n, one in known.items() if one.person in owner} | {*stays, *stays.values()}
    rows = fetch(alias, "touches_of_enrolments", rows_of((n,) for n in sorted(concerned)))
    taken = {(enrolment, step) for _, enrolment, _, step, _, _ in rows}
    moved = []
    for touch, enrolment, version, step, state, key in rows:
        one, there = known[enrolment], enrolment
        to = stays.get(enrolment)
        if to is not None and state in WENT_OUT and (to, step) not in taken:
            taken.add((to, step))
            there = to
        if there != enrolment or one.person in owner:
            own = touch_key(one.person, one.journey, version, step, one.rotation)
            moved.append((touch, there, owner.get(one.person, one.person), key or own))
    if moved:
        execute(alias, "move_touches", rows_of(moved))


def _move_enrolments(
    alias: str, entries: Sequence[_Past], rotations: Mapping[int, int], owner: Mapping[str, str]
) -> None:
    if entries:
        rows = ((one.number, owner[one.person], rotations[one.number]) for one in entries)
        execute(alias, "move_enrolments", rows_of(rows))
        lanes = ((one.number, lane_of(owner[one.person])) for one in entries if one.is_open)
        execute(alias, "move_lanes", rows_of(lanes))


def _join_arms(
    alias: str,
    owner: Mapping[str, str],
    batch: str,
    moves: dict[str, dict[str, list[Any]]],
) -> dict[tuple[str, str], str]:
    """Let the arm that was drawn first be the person's; the other stays with who is gone.

    Returns the arm of each person in each journey.
    """
    first: dict[tuple[str, str], tuple[Any, ...]] = {}
    held: dict[tuple[str, str], tuple[Any, ...]] = {}
    for number, person, journey, arm, at, version, seen in fetch(alias, "assignments_of", batch):
        # Both databases read JSON their way.
        told = seen if isinstance(seen, str) else json.dumps(seen)
        row = (number, person, arm, text_of(instant_of(at)), version, told)
        place = owner.get(person, person), journey
        first.setdefault(place, row)  # they come in the order they were drawn
        held[person, journey] = row
    changed = []
    for (kept, journey), (number, person, *drawn) in first.items():
        if person == kept:
            continue
        mine = held.get((kept, journey))
        if mine is None:
            changed.append((number, kept, *drawn))
            moves[person]["ledger_assignment"].append(number)
        else:  # the rows change what they say, for a person has one of each journey
            other, _, *own = mine
            changed.append((other, kept, *drawn))
            changed.append((number, person, *own))
    if changed:
        execute(alias, "draw_again", rows_of(changed))
    return {place: row[2] for place, row in first.items()}
