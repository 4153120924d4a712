"""A journey run over history: the real engine and gate, with only the sending replaced.

Before each tick everything that had happened before it is recorded, so purchases end
enrolments as they would have. What came of it is then counted from the history itself.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.gate import Enrolment, HouseRules
from rekindle.journeys.engine import JourneyEngine
from rekindle.journeys.interfaces import Audience
from rekindle.journeys.memory_book import Course, MemoryBook
from rekindle.journeys.model import Journey, JourneyVersion, Move, Send, Signal
from rekindle.vocabulary import GHOSTLY, TOUCHED, Answer, Arm, Channel, Reason, SignalKind

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a journey would have done.

    ``assigned`` and ``returned`` count people, not entries; a return is the goal's
    signal, newer than what was known at entry, within the goal's time of an entry.
    ``returned_before_first_touch`` counts those of them, in both arms, whom no message
    (nor ghost of one) had reached yet. ``touches`` and ``reasons`` count decisions about sends,
    ``ended`` enrolments. ``sent_after_return`` is counted from the signals alone.
    """

    journey: str
    courses: Sequence[Course]
    moves: Sequence[Move]
    assigned: Mapping[Arm, int]
    returned: Mapping[Arm, int]
    returned_before_first_touch: int
    sent_after_return: int
    touches: Mapping[Answer, int]
    reasons: Mapping[Reason, int]
    ended: Mapping[Reason, int]
    cost_micros: int

    @property
    def sends(self) -> Sequence[Move]:
        """Return the messages that would have gone out, in order."""
        return [move for move in self.moves if move.decision.answer is Answer.SEND]


def replay(
    version: JourneyVersion,
    *,
    book: MemoryBook,
    audience: Audience,
    signals: Iterable[Signal],
    ticks: Iterable[datetime],
    rules: HouseRules,
    cost: Mapping[Channel, int],
) -> Replayed:
    """Run ``version`` at each of ``ticks`` and return what it would have done.

    ``signals`` and ``ticks`` are in order of time; signals after the last tick are
    not read. Between two ticks the engine looks again, on the hour, at what has fallen
    due and at events that let people in: a touch held over a night must not wait for the
    next tick, which may be at night again. ``book`` holds the people and their consent.
    Ticks are taken one at a time, so a caller can show progress by wrapping them.
    """
    engine = JourneyEngine(book, audience, rules=rules, cost=cost)
    book.start(version)
    history = _History(signals, version.journey)
    with _collecting_young_only():
        for at, following in _with_next(ticks):
            look: datetime | None = at
            while look is not None:
                book.record(history.until(look), look)
                engine.tick(look)
                look = _next_look(book, history, look, before=following)
            gc.collect(1)
    return _summarize(version.journey, book, history)


def _next_look(
    book: MemoryBook, history: _History, at: datetime, *, before: datetime | None
) -> datetime | None:
    """Return the next full hour at which there is something to do, if it is before then."""
    coming = [one for one in (book.next_due(), history.next_trigger()) if one is not None]
    if before is None or not coming:
        return None
    hours = max(1, -((at - min(coming)) // HOUR))
    look = at + hours * HOUR
    return look if look < before else None


def _with_next(ticks: Iterable[datetime]) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield each tick with the one after it, None after the last."""
    coming = iter(ticks)
    at = next(coming, None)
    while at is not None:
        following = next(coming, None)
        yield at, following
        at = following


@contextmanager
def _collecting_young_only() -> Iterator[None]:
    """Keep Python from searching the growing book for cycles over and over.

    That takes a fifth of a replay; collecting what each tick left behind does not.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _History:
    """The signals, read as time passes and kept to count returns afterwards."""

    def __init__(self, signals: Iterable[Signal], journey: Journey) -> None:
        self._trigger = "" if journey.trigger is None else journey.trigger.event
        self._coming: Iterator[Signal] = iter(signals)
        self._next = next(self._coming, None)
        self._seen: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)

    def until(self, at: datetime) -> list[Signal]:
        """Return what happened since the last call and before ``at``.

        As in a profile: what happens at the very instant of a look is seen by the next.
        """
        signals = []
        while self._next is not None and self._next.at < at:
            signals.append(self._next)
            self._seen[self._next.person, self._next.event].append(self._next.at)
            self._next = next(self._coming, None)
        return signals

    def next_trigger(self) -> datetime | None:
        """Return when the next signal happens, where it may be one that lets people in."""
        return self._next.at if self._trigger and self._next is not None else None

    def first_return(self, enrolment: Enrolment, event: str) -> datetime | None:
        """Return the first such event newer than what was known at entry."""
        times = self._seen.get((enrolment.person, event))
        if times is None:
            return None
        known_at = enrolment.entered_at
        if event == SignalKind.ORDER:
            known_at = enrolment.last_order_at or known_at
        return min((at for at in times if at > known_at), default=None)


def _summarize(journey: Journey, book: MemoryBook, history: _History) -> Replayed:
    courses = [one for one in book.courses() if one.enrolment.journey == journey.name]
    moves = [move for move in book.moves if move.before.journey == journey.name]
    looks = [move for move in moves if isinstance(move.step, Send)]
    returned, untouched = _find_returned(journey, courses, moves, history)
    return Replayed(
        journey=journey.name,
        courses=courses,
        moves=moves,
        assigned=_count_arms({one.enrolment.person: one.enrolment.arm for one in courses}),
        returned=_count_arms(returned),
        returned_before_first_touch=len(untouched),
        sent_after_return=_count_sent_after_return(journey, moves, history),
        touches=_count_touches(looks),
        reasons=Counter(m.decision.reason for m in looks if m.decision.reason is not None),
        ended=Counter(one.ended for one in courses if one.ended is not None),
        cost_micros=sum(move.cost_micros for move in moves),
    )


def _find_returned(
    journey: Journey, courses: Iterable[Course], moves: Iterable[Move], history: _History
) -> tuple[dict[str, Arm], set[str]]:
    """Return who came back, with their arm, and those who did before any touch."""
    returns: dict[tuple[str, int], datetime] = {}
    returned: dict[str, Arm] = {}
    for enrolment in (course.enrolment for course in courses):
        at = history.first_return(enrolment, journey.goal.on)
        if at is not None and at <= enrolment.entered_at + journey.goal.within:
            returns[enrolment.person, enrolment.rotation] = at
            returned[enrolment.person] = enrolment.arm
    touched = {
        who
        for move in moves
        if (who := (move.before.person, move.before.rotation)) in returns
        and move.at < returns[who]
        and (move.decision.answer is Answer.SEND or move.decision.reason in GHOSTLY)
    }
    return returned, {person for person, _ in returns.keys() - touched}


def _count_sent_after_return(journey: Journey, moves: Iterable[Move], history: _History) -> int:
    """Return how many messages followed a signal that should have stopped them."""
    return sum(
        any(
            (at := history.first_return(move.before, event)) is not None and at < move.at
            for event in journey.exits
        )
        for move in moves
        if move.decision.answer is Answer.SEND
    )


def _count_arms(people: Mapping[str, Arm]) -> dict[Arm, int]:
    counted = Counter(people.values())
    return {arm: counted[arm] for arm in Arm}


def _count_touches(moves: Iterable[Move]) -> dict[Answer, int]:
    counted = Counter(move.decision.answer for move in moves)
    return {answer: counted[answer] for answer in TOUCHED}
