"""Follows each enrolment from decision to decision, and sees that its story makes sense.

The way from step to step is read off the journey's sheet; what a person did and is comes
from the journal. So a position is believed only if the decisions lead there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rekindle.gate import Dossier, Enrolment
from rekindle.journeys import Branch, Move, Send, Wait, WaitForEvent
from rekindle.vocabulary import Answer, Arm, Reason
from tests.simulation.drawing import CONDITIONS, House
from tests.simulation.journal import HandOver, Journal, Trail, broken
from tests.simulation.promises import check

INSTANT = timedelta(microseconds=1)
FORGOTTEN = "nobody is forgotten"
RECORDED = "every decision is recorded"


class Told(NamedTuple):
    """One move of a story."""

    person: str
    journey: str
    rotation: int
    version: int
    step: str
    answer: str
    reason: Reason | None
    until: datetime | None
    at: datetime
    variant: str
    ended: Reason | None


class Stories:
    """The stories of one world; ``told`` has every move in the order it was made."""

    def __init__(self, journal: Journal, house: House) -> None:
        self.told: list[Told] = []
        self._journal, self._house = journal, house
        self._variants: dict[tuple[str, str, str], str] = {}

    def enter(self, enrolment: Enrolment, *, known_order: datetime | None) -> Trail:
        """Someone new is in a journey; see that they may be."""
        journal, who = self._journal, (enrolment.person, enrolment.journey)
        sheet = journal.newest(enrolment.journey)
        before = journal.trails.get((*who, enrolment.rotation - 1))
        if journal.arms.setdefault(who, enrolment.arm) is not enrolment.arm:
            raise broken("an assignment never changes", who)
        if journal.states[enrolment.journey] != "running":
            raise broken("paused journeys are silent", f"{who} entered")
        if journal.people[enrolment.person].is_erased:
            raise broken("never to the suppressed", f"{who} entered after the erasure")
        if enrolment.version != sheet.version.version:
            raise broken(FORGOTTEN, f"{who} entered version {enrolment.version}")
        if sheet.keys[enrolment.position] != sheet.entry[0]:
            raise broken(FORGOTTEN, f"{who} entered at {enrolment.position}")
        if enrolment.last_order_at != known_order:
            raise broken("never after an exit", f"{who} entered knowing another purchase")
        if enrolment.rotation > 0 and (before is None or not before.ended):
            raise broken("never twice", f"{who} entered while inside")
        return journal.enter(enrolment)

    def follow(self, dossier: Dossier, move: Move) -> None:
        """A move was written; see that it leads on from where the person stood."""
        before, decision = move.before, move.decision
        trail = self._journal.trails[before.person, before.journey, before.rotation]
        self.told.append(_told(move))
        self._see_place(trail, move)
        if dossier.enrolment != before:
            raise broken(RECORDED, f"{trail.key} was decided about another")
        if decision.answer is Answer.HOLD:
            _see_hold(trail, move)
        elif decision.reason is Reason.EXIT_REACHED:
            self._see_exit(trail, move)
        else:
            self._see_step(trail, move)

    def _see_place(self, trail: Trail, move: Move) -> None:
        before = move.before
        if trail.ended:
            raise broken("never after an exit", f"{trail.key} went on after {set(trail.ended)}")
        if self._journal.states[trail.journey] != "running":
            raise broken("paused journeys are silent", f"{trail.key} was decided about")
        if before.version != trail.sheet.version.version or move.step.key != trail.step:
            raise broken(RECORDED, f"{trail.key} is at {move.step.key}, was at {trail.step}")
        if before.ready_at != trail.ready_at:
            raise broken("never stale", f"{trail.key} is ready at another time")
        if before.arm is not trail.arm:
            raise broken("an assignment never changes", trail.key)
        if before.due_at > move.at:
            raise broken(RECORDED, f"{trail.key} was not due")
        if trail.doomed and move.decision.reason is not Reason.EXIT_REACHED:
            raise broken("never after an exit", f"{trail.key} should have left")

    def _see_exit(self, trail: Trail, move: Move) -> None:
        if move.ended not in trail.doomed:
            raise broken(FORGOTTEN, f"{trail.key} left for no reason: {move.ended}")
        self._journal.end(trail, *trail.doomed)

    def _see_step(self, trail: Trail, move: Move) -> None:
        step, decision = move.step, move.decision
        onward = trail.sheet.follows[step.key]
        if isinstance(step, Send):
            self._see_send(trail, step, move)
        elif isinstance(step, Branch):
            onward = trail.sheet.inside(step, self._way(trail, step))
        elif not self._is_over(trail, move):
            raise broken(FORGOTTEN, f"{trail.key} passed {step.key} early: {decision.reason}")
        key, later = trail.sheet.rest(onward)
        if key is None:
            if move.ended is not Reason.FINISHED:
                raise broken(FORGOTTEN, f"{trail.key} is through but {move.ended}")
            self._journal.end(trail, Reason.FINISHED)
            return
        earliest = move.at if isinstance(step, Send) else trail.ready_at
        after = move.next
        if move.ended is not None or trail.sheet.keys[after.position] != key:
            raise broken(FORGOTTEN, f"{trail.key} went to {after.position}, not {key}")
        if not min(earliest, move.at) + later <= after.ready_at <= move.at + later:
            raise broken(FORGOTTEN, f"{trail.key} is ready for {key} at {after.ready_at}")
        trail.step, trail.ready_at = key, after.ready_at

    def _see_send(self, trail: Trail, step: Send, move: Move) -> None:
        decision = move.decision
        is_touch = decision.answer is Answer.SEND or decision.reason is Reason.HELD_OUT
        if is_touch and not self._meets(trail, step.when):
            raise broken(RECORDED, f"{trail.key} does not meet {step.when}")
        if decision.reason is Reason.CONDITION_NOT_MET and self._meets(trail, step.when):
            raise broken(RECORDED, f"{trail.key} meets {step.when}")
        if (decision.reason is Reason.HELD_OUT) is not (is_touch and trail.arm is Arm.HOLDOUT):
            raise broken("the held out receive nothing", f"{trail.key}: {decision}")
        if is_touch:
            self._see_touch(trail, step, move)
        if decision.answer is Answer.SEND:
            drawn = (trail.person, trail.journey, step.key)
            had = self._variants.get(drawn, "")
            if step.variant(had) is not None and had != move.variant:
                raise broken("an assignment never changes", f"{trail.key} {step.key}")
            self._variants[drawn] = move.variant

    def _see_touch(self, trail: Trail, step: Send, move: Move) -> None:
        """Hold a ghost to what a message is held to; remember both."""
        if trail.arm is Arm.HOLDOUT and step.key not in trail.touched:
            ready_at = move.before.ready_at
            ghost = HandOver(trail, step.key, move.at, move.at, ready_at, move.offer)
            check(ghost, self._journal, self._house, is_ghost=True)
            self._journal.ghost(ghost)
        else:
            trail.sent.add(step.key)
        self._journal.touch(trail, step.key, move.at)

    def _way(self, trail: Trail, step: Branch) -> int | None:
        """Return the first way whose condition the person meets."""
        ways = enumerate(step.ways)
        return next((number for number, way in ways if self._meets(trail, way.when)), None)

    def _meets(self, trail: Trail, condition: str | None) -> bool:
        if condition is None:
            return True
        flags = frozenset(self._journal.people[trail.person].flags)
        return CONDITIONS[condition](flags, self._journal.deeds_since(trail))

    def _is_over(self, trail: Trail, move: Move) -> bool:
        """Return whether a wait was really over: by its time, or by what the person did."""
        step = move.step
        if move.decision.reason is Reason.WOKEN:
            assert isinstance(step, Wait | WaitForEvent)
            is_plain = isinstance(step, Wait)
            events = step.shortened_by if isinstance(step, Wait) else step.events
            since = trail.ready_at if is_plain else trail.touched_at or trail.entered_at
            return bool(events & self._journal.deeds_since(trail, since))
        if isinstance(step, Wait):
            return move.at >= trail.ready_at + step.duration
        if isinstance(step, WaitForEvent):
            return move.at >= trail.ready_at + step.at_most
        return move.at >= trail.ready_at

    def see_everyone(self, found: Iterable[Enrolment], now: datetime, *, is_drained: bool) -> None:
        """See that the book holds just those who are on their way, each where they stand."""
        left = dict(self._journal.open)
        for one in found:
            trail = left.pop((one.person, one.journey, one.rotation), None)
            if trail is None:
                raise broken("never after an exit", f"{one} is still open")
            where = (one.version, trail.sheet.keys[one.position], one.ready_at)
            if where != (trail.sheet.version.version, trail.step, trail.ready_at):
                raise broken(FORGOTTEN, f"{trail.key} is at {where}, not {trail.step}")
            is_due = one.due_at <= now and self._journal.states[one.journey] == "running"
            if is_drained and is_due:
                raise broken(FORGOTTEN, f"{trail.key} was due at {one.due_at}, it is {now}")
        if left:
            raise broken(FORGOTTEN, f"{list(left)} are gone")


def _told(move: Move) -> Told:
    before, decision = move.before, move.decision
    return Told(
        before.person,
        before.journey,
        before.rotation,
        before.version,
        move.step.key,
        decision.answer.value,
        decision.reason,
        decision.until,
        move.at,
        move.variant,
        move.ended,
    )


def _see_hold(trail: Trail, move: Move) -> None:
    decision, after = move.decision, move.next
    if decision.until is None or decision.reason is None or decision.until <= move.at:
        raise broken(FORGOTTEN, f"{trail.key} is held without reason or end: {decision}")
    if (after.position, after.ready_at) != (move.before.position, move.before.ready_at):
        raise broken(FORGOTTEN, f"{trail.key} moved while held")
    if after.due_at != decision.until:
        raise broken(FORGOTTEN, f"{trail.key} is held until {decision.until}")
    latest = trail.ready_at + trail.sheet.journey.stale_after + INSTANT
    if isinstance(move.step, Send) and decision.until > max(latest, move.at):
        raise broken("never stale", f"{trail.key} is held beyond its time")


def see_batch(dossiers: Sequence[Dossier]) -> None:
    """See that a batch holds each person once, so that no two decisions overlook a cap."""
    people = [dossier.enrolment.person for dossier in dossiers]
    if len(set(people)) != len(people):
        raise broken("never above a cap", f"a batch holds someone twice: {people}")
