"""What may happen in a world between two looks of the worker.

Each happening tells the book what a program would tell it, and writes into the journal
what really happened. Bad input is among it: repeated, reordered, late, from the future.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.journeys import Signal, build_route, map_places, order_signal
from rekindle.vocabulary import SignalKind
from tests.simulation.drawing import (
    BAD_ENDING,
    CHANNEL,
    DAY,
    FLAGS,
    HOUR,
    MINUTE,
    TRIGGER,
    draw_date,
    draw_person,
)
from tests.simulation.journal import broken

if TYPE_CHECKING:
    from tests.simulation.world import World

NOBODY = "nobody-knows"
WEBSITE = "website"
KINDS = {"click": SignalKind.CLICK, "visit": SignalKind.VISIT, "login": SignalKind.LOGIN}
AGO = (0 * MINUTE, 10 * MINUTE, 5 * HOUR, DAY)
LONG_AGO = (6 * DAY, 30 * DAY, 300 * DAY)


def _someone(world: World) -> str:
    return world.draw.choice(world.people)


def _somewhen(world: World) -> datetime:
    """Return a moment that has passed, seldom long ago and seldom still to come."""
    chance = world.draw.random()
    if chance < 0.06:
        return world.now + 2 * DAY
    return world.now - world.draw.choice(AGO if chance < 0.8 else LONG_AGO)


def _report(world: World, *signals: Signal) -> None:
    """Report signals, some of them a second time and in another order."""
    told = list(signals)
    if world.reported and world.draw.random() < 0.3:
        again = world.draw.choice(world.reported)
        told += [again] if again.key not in {signal.key for signal in signals} else []
    world.draw.shuffle(told)
    news = {signal.key: signal for signal in signals}
    world.reported = [one for one in world.reported if one.key not in news] + list(signals)
    world.log.extend(("reported", one.person, one.event, one.at, one.key) for one in told)
    before = len(world.journal.open)
    ended = world.book.record(told, world.now)
    world.journal.happened(told, world.now)
    if ended != before - len(world.journal.open):
        raise broken("never after an exit", f"{told} ended {ended}")


def _signal(world: World, kind: SignalKind, name: str = "") -> Signal:
    person = _someone(world) if world.draw.random() < 0.97 else NOBODY
    key = f"signal-{len(world.reported)}-{world.draw.randrange(10**6)}"
    return Signal(person, kind, _somewhen(world), key, name)


def buy(world: World) -> None:
    """Someone buys, or a purchase is imported late."""
    bought = _signal(world, SignalKind.ORDER)
    _report(world, order_signal(bought.person, bought.at, WEBSITE, f"{bought.key}:1"))


def correct(world: World) -> None:
    """An order gets another date or zone, or a draft is found to have become a sale."""
    orders = [one for one in world.reported if one.subject]
    if not orders:
        return
    order = world.draw.choice(orders)
    chance = world.draw.random()
    if chance < 0.4:
        corrected = replace(order, at=_somewhen(world))
    elif chance < 0.6:
        corrected = replace(order, at=order.at + world.draw.choice([-5, 1, 13]) * HOUR)
    else:
        corrected = replace(order, arrived_at=world.now)
    _report(world, corrected)


def do(world: World) -> None:
    """Someone does something that journeys may wait for, begin or end with."""
    count = world.draw.randint(1, 2)
    events = ("click", "visit", "wishlisted", "subscribed", "login", TRIGGER, TRIGGER)
    found = []
    for _ in range(count):
        event = world.draw.choice(events)
        kind = KINDS.get(event, SignalKind.EVENT)
        found.append(_signal(world, kind, event if kind is SignalKind.EVENT else ""))
    _report(world, *found)


def end_badly(world: World) -> None:
    """Someone takes their money back."""
    _report(world, _signal(world, SignalKind.EVENT, BAD_ENDING))


def object_(world: World) -> None:
    """Someone opts out or complains, or their address bounces."""
    kinds = [SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE]
    _report(world, _signal(world, world.draw.choice(kinds)))


def consent(world: World) -> None:
    """Someone says yes or no, now or (as the record has it) at another time."""
    person, at, granted = _someone(world), _somewhen(world), world.draw.random() < 0.6
    world.log.append(("consent", person, granted, at))
    world.book.save_consent([ConsentRecord(person, CHANNEL, granted, at, "form")])
    world.journal.people[person].consents.append((at, granted))


def prefer(world: World) -> None:
    """Someone asks for less, or for all of it again."""
    draw, person = world.draw, _someone(world)
    wish = Preferences(
        snoozed_until=draw.choice([None, world.now + 2 * DAY]),
        muted_topics=frozenset(draw.choice([(), ("news",), ("offers",)])),
        at_most_every=draw.choice([None, 2 * DAY, 12 * DAY]),
    )
    if world.is_smooth:
        wish = replace(wish, at_most_every=None)
    world.log.append(("prefers", person, wish))
    world.book.save_preferences(person, wish)
    world.journal.people[person].preferences = wish


def exclude(world: World) -> None:
    """The business stops writing to someone, or takes that back."""
    draw, person = world.draw, _someone(world)
    exclusion = draw.choice([Exclusion.BAD_ACTOR, Exclusion.POOR_FIT])
    kept = world.journal.people[person].exclusions
    if draw.random() < 0.4:
        world.log.append(("included", person, exclusion))
        world.book.include(person, exclusion)
        kept.pop(exclusion, None)
        return
    until = draw.choice([None, world.now + 3 * DAY])
    world.log.append(("excluded", person, exclusion, until))
    world.book.exclude(person, exclusion, at=world.now, until=until)
    kept[exclusion] = until


def suppress(world: World) -> None:
    """Someone is put on the list by hand."""
    person = _someone(world)
    world.log.append(("suppressed", person))
    world.book.suppress(person, CHANNEL, reason="by hand", at=world.now)
    world.journal.suppress(person)


def erase(world: World) -> None:
    """Someone is forgotten."""
    person = _someone(world)
    world.log.append(("erased", person))
    ended, before = world.book.erase(person, world.now), len(world.journal.open)
    world.journal.erase(person)
    if ended != before - len(world.journal.open):
        raise broken("never to the suppressed", f"erasing {person} ended {ended}")


def move_house(world: World) -> None:
    """Someone's card is written anew, with another zone or address."""
    person = _someone(world)
    number = int(person.rsplit("-", 1)[1])
    card, zones = draw_person(world.draw, number, world.house.terms.zone)
    world.log.append(("card", card))
    world.book.save_people([card])
    world.journal.know(card, zones)


def change(world: World) -> None:
    """Someone's profile changes."""
    person = _someone(world)
    world.journal.people[person].flags ^= {world.draw.choice(tuple(FLAGS.values()))}
    world.refills[person] = draw_date(world.draw, world.now)


def edit(world: World) -> None:
    """A journey is edited, and sometimes people are moved to the new version."""
    name = _journey(world)
    world.log.append(("edited", name))
    world.edit(name)
    if world.draw.random() < 0.7:
        transfer(world, name)


def transfer(world: World, name: str | None = None) -> None:
    """People are moved to the newest version, where it has their step."""
    name = name or _journey(world)
    versions = world.book.versions(name)
    newest = versions[-1]
    there = build_route(newest.journey)
    places = {
        version.version: {
            old: new
            for old, new in map_places(build_route(version.journey), there).items()
            if new is not None
        }
        for version in versions[:-1]
    }
    world.log.append(("moved", name, newest.version))
    moved = world.book.transfer(name, newest.version, places, world.now)
    if (expected := world.journal.transfer(name)) != moved:
        raise broken("nobody is forgotten", f"{moved} were moved in {name}, not {expected}")


def pause(world: World) -> None:
    """A journey is held still."""
    name = _journey(world)
    world.log.append(("paused", name))
    world.book.pause(name, world.now)
    if world.journal.states[name] == "running":
        world.journal.states[name] = "paused"


def resume(world: World) -> None:
    """A journey that was paused, if any, goes on."""
    over = 0 if world.draw.random() < 0.3 or world.is_smooth else 40_000
    paused = sorted(name for name, state in world.journal.states.items() if state == "paused")
    for name in paused:
        world.log.append(("resumed", name, over))
        overdue = _due(world, name)
        world.book.resume(name, world.now, over_seconds=over)
        world.journal.states[name] = "running"
        _see_spread(world, name, overdue, over)


def _due(world: World, name: str) -> set[tuple[str, int]]:
    return {
        (one.person, one.rotation)
        for one in world.book.open_enrolments()
        if one.journey == name and one.due_at <= world.now
    }


def _see_spread(world: World, name: str, overdue: set[tuple[str, int]], over: int) -> None:
    """See that what piled up is spread, and that nothing is put off beyond its time."""
    turns = []
    for one in world.book.open_enrolments():
        if one.journey == name and (one.person, one.rotation) in overdue:
            trail = world.journal.trails[one.person, name, one.rotation]
            latest = one.ready_at + trail.sheet.journey.stale_after
            if not one.due_at <= world.now + timedelta(seconds=over):
                raise broken("never in one burst", f"{trail.key} is put off to {one.due_at}")
            if one.due_at < latest:
                turns.append(one.due_at)
    if over and len(set(turns)) < len(turns):
        raise broken("never in one burst", f"{name}: {sorted(turns)}")


def stop(world: World) -> None:
    """A journey is ended for everyone."""
    name = _journey(world)
    world.log.append(("stopped", name))
    expected = len(world.journal.of_journey(name))
    ended = world.book.stop(name, world.now)
    world.journal.stop(name)
    if ended != expected:
        raise broken("never after an exit", f"stopping {name} ended {ended}, not {expected}")


def start_again(world: World) -> None:
    """A journey that was stopped or paused is started as it was."""
    name = _journey(world)
    world.log.append(("started again", name))
    newest = world.journal.newest(name).version
    world.book.start(newest)
    world.journal.states[name] = "running"


def _journey(world: World) -> str:
    return world.draw.choice(sorted(world.journal.states))


CHANCES: dict[Callable[[World], None], float] = {
    buy: 16,
    correct: 7,
    do: 30,
    end_badly: 2,
    object_: 3,
    consent: 8,
    prefer: 6,
    exclude: 3,
    suppress: 1,
    erase: 1,
    move_house: 4,
    change: 6,
    edit: 8,
    transfer: 3,
    pause: 4,
    resume: 6,
    stop: 1,
    start_again: 3,
}
HAPPENINGS = tuple(CHANCES)
WEIGHTS = tuple(CHANCES.values())
