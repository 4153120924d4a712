"""A version's steps as the engine walks them: numbered nodes, each knowing the next.

A plain wait is nowhere to stand: whoever arrives there is already on the way to the node
behind it. Everything else is a place where an enrolment can rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.audiences import behaviours_in
from rekindle.errors import JourneyError
from rekindle.journeys.model import Branch, End, Journey, Send, Step, Wait, WaitForEvent
from rekindle.offers import Offers
from rekindle.vocabulary import SignalKind

NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Onward:
    """Where someone comes to rest: at ``position`` (None: the end), ``wait`` later."""

    position: int | None
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Node:
    """One step in its place; ``ways`` are a branch's conditions with where they lead."""

    step: Step
    onward: Onward
    ways: tuple[tuple[str | None, Onward], ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """The nodes of one version. ``entry`` is where everyone first comes to rest."""

    nodes: tuple[Node, ...]
    entry: Onward
    places: Mapping[str, int]

    def send(self, key: str) -> Send:
        """Return the send called ``key``.

        Raises:
            JourneyError: the version has none.
        """
        if key in self.places:
            step = self.nodes[self.places[key]].step
            if isinstance(step, Send):
                return step
        raise JourneyError(f"no step {key!r} sends anything in this version of the journey")


def build_route(journey: Journey) -> Route:
    """Return the way through a journey's steps, numbered in the order of the file."""
    steps = journey.all_steps
    places = {step.key: number for number, step in enumerate(steps)}
    nexts: dict[int, int | None] = {}
    _link(journey.steps, None, places, nexts)

    def first_of(inside: Sequence[Step], place: int) -> int | None:
        return places[inside[0].key] if inside else nexts[place]

    nodes = []
    for place, step in enumerate(steps):
        ways = step.ways if isinstance(step, Branch) else ()
        leads = tuple((way.when, _rest(steps, nexts, first_of(way.steps, place))) for way in ways)
        nodes.append(Node(step, _rest(steps, nexts, nexts[place]), leads))
    return Route(tuple(nodes), _rest(steps, nexts, 0 if steps else None), places)


def map_places(old: Route, new: Route) -> dict[int, int | None]:
    """Return where each place of ``old`` is in ``new``; None where the step is gone.

    A step is the same if its key is, and what it does (send, wait, branch) has not
    changed.
    """
    found: dict[int, int | None] = {}
    for place, node in enumerate(old.nodes):
        there = new.places.get(node.step.key)
        is_same = there is not None and type(new.nodes[there].step) is type(node.step)
        found[place] = there if is_same else None
    return found


def events_asked(journey: Journey, offers: Offers) -> frozenset[str]:
    """Return the events a journey asks about after someone entered, and its trigger's.

    Those that what it gives is tied to are among them, unless ``offers`` cannot be used:
    then it gives nothing. Purchases that end it are not among them; a book knows those by
    their time alone.
    """
    events = set(journey.exits) - {SignalKind.ORDER}
    for step in journey.all_steps:
        if isinstance(step, Wait):
            events |= step.shortened_by
        elif isinstance(step, WaitForEvent):
            events |= step.events
    for condition in journey.conditions:
        events |= behaviours_in(condition)
    for send in journey.sends:
        if send.offer is not None and not offers.fault:
            events.update(*(one.events for one in offers.candidates(send.offer)))
    if journey.trigger is not None:
        events.add(journey.trigger.event)
    return frozenset(events)


def arrival(onward: Onward, since: datetime) -> datetime:
    """Return when someone who sets out at ``since`` comes to rest."""
    return since + onward.wait if onward.wait else since


def _link(
    steps: Sequence[Step],
    after: int | None,
    places: Mapping[str, int],
    nexts: dict[int, int | None],
) -> None:
    """Say for each step where it leads; the last of ``steps`` leads to ``after``."""
    for number, step in enumerate(steps):
        is_last = number + 1 == len(steps)
        following = after if is_last else places[steps[number + 1].key]
        nexts[places[step.key]] = following
        for way in step.ways if isinstance(step, Branch) else ():
            _link(way.steps, following, places, nexts)


def _rest(steps: Sequence[Step], nexts: Mapping[int, int | None], position: int | None) -> Onward:
    """Return where someone who arrives at ``position`` comes to rest, and when."""
    wait = NO_WAIT
    while position is not None:
        step = steps[position]
        if isinstance(step, End):
            break
        if not isinstance(step, Wait) or step.shortened_by:
            return Onward(position, wait)
        wait += step.duration
        position = nexts[position]
    return Onward(None, wait)
