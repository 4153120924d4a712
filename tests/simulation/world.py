"""One world: time passes, things happen, a worker works, and every promise is checked.

The seed says everything that happens. What the engine makes of it says nothing about
what happens next, so a seed tells the same story over any book.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random

from rekindle.gate import Enrolment, PersonUplift
from rekindle.journeys import (
    Batch,
    Book,
    Candidate,
    JourneyEngine,
    JourneyVersion,
    Move,
    Person,
    Signal,
)
from rekindle.offers import ToGive
from rekindle.vocabulary import Answer, Reason
from tests.simulation.drawing import (
    CHANNEL,
    COST,
    DATE_COLUMN,
    DAY,
    FLAGS,
    HOUR,
    JOURNEYS,
    MINUTE,
    STARTS,
    basket_of,
    draw_date,
    draw_house,
    draw_journey,
    draw_person,
    hold_some_back,
    overrule_some,
    side_of,
    stop_some,
    uplift_of,
    without_scarcity,
)
from tests.simulation.happenings import HAPPENINGS, NOBODY, WEIGHTS
from tests.simulation.journal import HandOver, Journal, Key, Trail, broken
from tests.simulation.keeping import Killed, MakeKeeper, MemoryKeeper, Times
from tests.simulation.promises import check, check_listed, check_shown, see_left_out
from tests.simulation.stories import FORGOTTEN, RECORDED, Stories, see_batch

STEPS = 20
ENDLESS = 300  # batches in one tick of a dozen people
HOPS = (10 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR, 13 * HOUR, DAY)
LEAPS = (2 * DAY, 5 * DAY)
BACK = (-timedelta(seconds=2), -90 * MINUTE / 60)
OUTAGE, YEAR = 21 * DAY, 400 * DAY


class World:
    """A seeded world. It is the engine's audience, and watches the book from outside.

    In a smooth one nobody dies and nothing is scarce: it matters to no one who of those
    that fall due at the same instant is looked at first, so every book tells one story.
    """

    def __init__(self, seed: int, make_keeper: MakeKeeper, *, is_smooth: bool = False) -> None:
        self.seed = seed
        self.draw = Random(seed)
        self.is_smooth = is_smooth
        self.journal = Journal()
        self.house = draw_house(self.draw)
        if is_smooth:
            self.house = without_scarcity(self.house)
        in_subgroup = not is_smooth and make_keeper is not MemoryKeeper
        self.house = stop_some(self.house, Random(f"{seed}/stop"), in_subgroup=in_subgroup)
        self.house = hold_some_back(self.house, Random(f"{seed}/hold back"))
        self.now = self.draw.choice(STARTS)
        self.house = overrule_some(self.house, Random(f"{seed}/overrule"), self.now)
        self.stories = Stories(self.journal, self.house)
        self.log: list[tuple[object, ...]] = []
        self.reported: list[Signal] = []
        self.refills: dict[str, date | None] = {}
        self.keeper = make_keeper(self)
        self._kill_in = self._batches = 0
        self._known_orders: dict[str, datetime | None] = {}
        self._eligible: dict[str, list[str]] = {}
        self._given: dict[tuple[Key, str], ToGive] = {}
        self._begin()

    @property
    def book(self) -> Book:
        """Return the book that keeps this world."""
        return self.keeper.book

    @property
    def people(self) -> list[str]:
        """Return the ids of those with a card."""
        return [person for person in self.journal.people if person != NOBODY]

    def _begin(self) -> None:
        for number in range(self.draw.randint(5, 10)):
            card, zones = draw_person(self.draw, number, self.house.terms.zone)
            self.journal.know(card, zones)
            self.book.save_people([card])
            self.refills[card.id] = draw_date(self.draw, self.now)
            standing = self.journal.people[card.id]
            standing.flags |= {flag for flag in FLAGS.values() if self.draw.random() < 0.4}
            if number % 3:  # most begin to rest in the middle of it, if at all
                standing.flags.discard("rests")
            if self.draw.random() < 0.9:
                bought_at = self.now - self.draw.choice([40, 200, 700]) * DAY
                standing.orders.append(bought_at)
        self.journal.know(Person(NOBODY), (self.house.rules.zone,))
        for name in JOURNEYS:
            self.edit(name)
        self._engine = self._build_engine()

    def covariates(self, at: datetime, people: Collection[str]) -> dict[str, dict[str, str]]:
        """Return on which side people are as they enter."""
        return {person: {"side": side_of(person)} for person in people}

    def edit(self, name: str) -> None:
        """Start a journey, or its next version."""
        sheets = self.journal.sheets[name]
        first = sheets[1].version if sheets else None
        newest = sheets[len(sheets)].journey if sheets else None
        journey = draw_journey(self.draw, name, newest)
        version = JourneyVersion(
            journey,
            len(sheets) + 1,
            0.3,
            f"{name}-{self.seed}",
            self.now,
            first.started_at if first else self.now,
        )
        self.book.start(version)
        self.journal.start(version)

    def _build_engine(self) -> JourneyEngine:
        cost = {CHANNEL: COST}
        return JourneyEngine(self.book, self, rules=self.house.rules, cost=cost)

    # Time and work

    def run(self, steps: int = STEPS) -> None:
        """Run the whole story; raise ``BrokenPromiseError`` where a promise breaks."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """Let time pass and things happen, let a worker work, and check every promise."""
        draw = self.draw
        self._pass_time()
        if is_lagging := draw.random() < 0.1:
            self._look_at_facts()
        for happen in draw.choices(HAPPENINGS, WEIGHTS, k=draw.randint(0, 3)):
            happen(self)
        if not is_lagging:
            self._look_at_facts()
        for name in JOURNEYS:
            self._eligible[name] = draw.sample(self.people, draw.randint(0, len(self.people)))
        batch = draw.choice([2, 1000, 1000])
        self._work(batch)

    def _pass_time(self) -> None:
        chance = self.draw.random()
        if chance < 0.35:
            hop = self._until_next() or DAY
        elif chance < 0.75:
            hop = self.draw.choice(HOPS)
        elif chance < 0.9:
            hop = self.draw.choice(LEAPS)
        elif chance < 0.96:
            hop = self.draw.choice(BACK)
        else:
            hop = OUTAGE if chance < 0.993 else YEAR
        self.now += hop
        self.log.append(("now it is", self.now))

    def _until_next(self) -> timedelta | None:
        """Return how long it is until the next enrolment falls due, unless very long."""
        ahead = [one.due_at - self.now for one in self.book.open_enrolments()]
        soonest = min((hop for hop in ahead if hop > timedelta(0)), default=None)
        return soonest if soonest is not None and soonest < 30 * DAY else None

    def _look_at_facts(self) -> None:
        self._known_orders = {
            person: max(standing.orders, default=None)
            for person, standing in self.journal.people.items()
        }

    def _work(self, batch: int) -> None:
        is_drained = self._survives(lambda: self._engine.tick(self.now, batch=batch))
        self._batches = 0
        self._learn()
        self._survives(lambda: self.keeper.deliver(self.now))
        found = self._learn()
        self.stories.see_everyone(found, self.now, is_drained=is_drained)
        self.keeper.look(self.now)

    def _survives(self, work: Callable[[], object]) -> bool:
        """Let a worker do its work; return whether it lived, and begin anew if not."""
        is_deadly = self.draw.random() < 0.1
        statements, decisions = self.draw.randint(1, 40), self.draw.randint(1, 3)
        self._kill_in = decisions if is_deadly and statements > 25 else 0
        if self.is_smooth or not is_deadly:
            statements = self._kill_in = 0
        try:
            with self.keeper.dying_in(statements):
                work()
        except Killed as killed:
            self.log.append(("the worker died", str(killed)))
            self.keeper.revive()
            self._engine = self._build_engine()
            return False
        return True

    def _learn(self) -> list[Enrolment]:
        """Return who is in a journey, those who entered just now among them."""
        found = list(self.book.open_enrolments())
        for one in found:
            self._trail(one)
        return found

    # What the engine asks

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        """Return those who match now; a fifth of all matched from the beginning."""
        for person in self._eligible[version.journey.name]:
            ordered_at = self._known_orders[person]
            is_idle = ordered_at is None or ordered_at <= version.since
            was_matching = is_idle and int(person[-1]) % 5 == 0
            yield Candidate(person, ordered_at, None, was_matching)

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` who have the flag that the predicate asks for."""
        flag, standings = FLAGS[predicate], self.journal.people
        return {one for one in people if one in standings and flag in standings[one].flags}

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return the refill days of those of ``people`` who have one."""
        assert column == DATE_COLUMN
        return {one: day for one in people if (day := self.refills.get(one)) is not None}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return what those of ``people`` usually spend of whom it is known."""
        return {one: spent for one in people if (spent := basket_of(one)) is not None}

    def uplifts(
        self, journey: str, scored_at: datetime, at: datetime, people: Collection[str]
    ) -> Mapping[str, PersonUplift]:
        """Return what is known of whom a journey moves."""
        return {one: known for one in people if (known := uplift_of(one)) is not None}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return the newest purchases the facts know of."""
        known = self._known_orders
        return {one: known_at for one in people if (known_at := known.get(one)) is not None}

    # What the book lets us see

    @property
    def touches(self) -> int:
        """Return how many touches and ghosts were written."""
        return sum(len(trail.touched) for trail in self.journal.trails.values())

    def deciding(self) -> None:
        """Die here, if it is time."""
        self._kill_in -= 1
        if self._kill_in == 0:
            raise Killed("while deciding")

    def decided(self, batch: Batch, moves: Sequence[Move], applied: int) -> None:
        """See that what was written makes sense, and let it leave."""
        self._batches += 1
        if self._batches > ENDLESS:
            raise broken(FORGOTTEN, "the same people are due for ever")
        see_batch(batch.dossiers)
        if applied != len(moves) or len(moves) != len(batch.dossiers):
            raise broken(RECORDED, f"of {len(moves)} moves {applied} were written")
        for dossier, move in zip(batch.dossiers, moves, strict=True):
            trail = self._trail(dossier.enrolment)
            if move.decision.answer is Answer.SEND:
                trail.decide(move.step.key)
            if move.decision.reason is Reason.NOT_WORTH_IT:
                see_left_out(trail, self.journal, self.house, move.at)
            self.stories.follow(dossier, move)
            one = move.before
            if move.offer is not None:
                who = (one.person, one.journey, one.rotation)
                self._given.setdefault((who, move.step.key), move.offer)
        self.keeper.written(batch, moves)

    def handed_over(
        self, who: Key, step: str, times: Times, *, is_taken: bool, code: str = ""
    ) -> None:
        """A provider is handed a message: judge it, then remember it."""
        given = self._given.get((who, step))
        own = code if given is not None and given.takes_code else ""
        message = HandOver(self.journal.trails[who], step, *times, given, own)
        self.log.append(("handed over" if is_taken else "offered", *who, step, times[0]))
        check(message, self.journal, self.house)
        if is_taken:
            self.journal.hand_over(message)

    def shown(self, who: Key, step: str, times: Times) -> None:
        """A person is shown a message that was kept: judge it."""
        message = HandOver(self.journal.trails[who], step, *times)
        check_shown(message, self.journal, self.house)

    def listed(self, who: Key, step: str, *, is_new: bool) -> None:
        """A person is put on a list by a message, or left on it: judge it."""
        message = HandOver(self.journal.trails[who], step, self.now, self.now, self.now)
        check_listed(message, self.journal, self.house, is_new=is_new)

    def learned(self, signals: Sequence[Signal]) -> None:
        """The ledger recorded something by itself."""
        self.journal.happened(signals, self.now)

    def _trail(self, enrolment: Enrolment) -> Trail:
        key = (enrolment.person, enrolment.journey, enrolment.rotation)
        trail = self.journal.trails.get(key)
        if trail is None:
            self.log.append(("entered", *key, f"version {enrolment.version}", enrolment.arm))
            known = self._known_orders[enrolment.person]
            trail = self.stories.enter(enrolment, known_order=known)
        return trail
