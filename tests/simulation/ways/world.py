"""One world of six ways: time passes, people change, a worker works, and promises are asked.

The seed says everything that happens to people; a worker may die before any statement and on
either side of handing a message over. The ledger, the outbox, the dispatchers and who keeps
the lists are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from rekindle.clock import MovableClock
from rekindle.consent import ConsentRecord
from rekindle.desk.handing.tasks import list_tasks
from rekindle.errors import RekindleError
from rekindle.journeys import (
    Candidate,
    JourneyEngine,
    JourneyVersion,
    Person,
    Signal,
    order_signal,
)
from rekindle.ledger import (
    Deliveries,
    InstructionEntry,
    Instructions,
    LedgerBook,
    Outbox,
    OutboxMessage,
    load_codes,
    models,
)
from rekindle.ledger.book.addresses import Given
from rekindle.messages import Address, DeliveryEvent, DeliveryKind, Message, Roster, fingerprint
from rekindle.vocabulary import Arm, Channel, Reason, SignalKind
from rekindle.worker.dispatching import Dispatcher, LastLook, Means
from rekindle.worker.keeping.lists import ListKeeper
from tests.simulation.crowds import Crowd
from tests.simulation.journal import broken
from tests.simulation.keeping import Killed
from tests.simulation.ledgers import SECRET, dying_in, empty
from tests.simulation.ways.drawing import (
    CAN,
    CLEARED,
    COST,
    DAY,
    DROPPED,
    FAILED,
    HOUR,
    OUTLETS,
    OWN_CODE,
    RULES,
    START,
    TERMS,
    WAYS,
    draw_journeys,
)
from tests.simulation.ways.outlets import PostOffice, WayOut
from tests.simulation.ways.truth import LISTED, Human, Truth

STEPS = 16
HOPS = (10 * timedelta(minutes=1), HOUR, 7 * HOUR, DAY, 2 * DAY)
AGO = (timedelta(0), 10 * timedelta(minutes=1), 5 * HOUR)
OPEN_FOR = timedelta(days=14)
FEW_CODES = 2
AUDIENCE, TASK, LETTER = Channel("audience"), Channel("task"), Channel("letter")
KNOCKED_ON = (Channel("email"), Channel("sms"))


class SixWays:
    """A seeded world in the ledger ``alias``, which is emptied. It is the engine's audience."""

    def __init__(self, seed: int, alias: str) -> None:
        empty(alias)
        self.seed, self.alias, self.draw = seed, alias, Random(f"ways/{seed}")
        self.clock, self.truth = MovableClock(START), Truth()
        self.log: list[tuple[object, ...]] = []
        self.outlets = {way: WayOut(way, seed, self.clock, self._told) for way in WAYS}
        self.crowd = Crowd(seed, lambda member: None)
        self.post = PostOffice(seed, self.clock, self.outlets[LETTER])
        self._messages: dict[str, OutboxMessage] = {}
        self._numbers = 0
        self._begin_work()
        self.journeys = {one.name: one for one in draw_journeys(self.draw)}
        for journey in self.journeys.values():
            version = JourneyVersion(journey, 1, 0.0, f"{journey.name}/{seed}", START, START)
            self.book.start(version)
        load_codes(alias, OWN_CODE, [f"CODE-{n}" for n in range(FEW_CODES)], START)
        for number in range(self.draw.randint(4, 6)):
            self._meet(f"human-{number}")

    @property
    def now(self) -> datetime:
        """Return the time in this world."""
        return self.clock.now()

    def _begin_work(self) -> None:
        """Begin anew, with nothing but what the database holds."""
        self.book = LedgerBook(self.alias, secret=SECRET, terms=TERMS)
        self.outbox = Outbox(self.alias, terms=TERMS)
        self.deliveries = Deliveries(self.alias, self.book, secret=SECRET, terms=TERMS)
        self.engine = JourneyEngine(self.book, self, rules=RULES, cost=COST)
        self.instructions = Instructions(self.alias, "shop")
        self.crowd.is_alive = True
        for outlet in self.outlets.values():
            outlet.is_alive = True

    def _meet(self, person: str) -> None:
        self.truth.people[person] = human = Human()
        self._write_card(person)
        for kind in LISTED:
            if self.draw.random() < 0.8:
                self._see(person, kind, START - self.draw.randint(1, 10**6) * timedelta(seconds=1))
        for way in WAYS:
            if self.draw.random() < 0.75:
                self._say(person, way, granted=True, at=START - DAY)
        human.orders.append(START - 90 * DAY)

    # Time and work

    def run(self, steps: int = STEPS) -> None:
        """Run the story, then let everything settle; raise where a promise breaks."""
        happenings, weights = zip(*CHANCES.items(), strict=True)
        for _ in range(steps):
            self._pass_time()
            for happen in self.draw.choices(happenings, weights, k=self.draw.randint(0, 3)):
                happen(self, self.draw.choice(sorted(self.truth.people)))
            self._work()
        for _ in range(8):
            self.clock.set(self.now + HOUR * 13)
            self._work(is_calm=True)
        self._see_settled()

    def _pass_time(self) -> None:
        ahead = [one.due_at - self.now for one in self.book.open_enrolments()]
        soonest = min((hop for hop in ahead if hop > timedelta(0)), default=DAY)
        hop = min(soonest, 3 * DAY) if self.draw.random() < 0.6 else self.draw.choice(HOPS)
        self.clock.set(self.now + hop)
        self.log.append(("now it is", self.now))

    def _work(self, *, is_calm: bool = False) -> None:
        is_alive = self._survives(self._tick, is_calm)
        self._learn_ways()
        for way in WAYS:
            self._survives(lambda way=way: self._dispatch(way), is_calm)  # type: ignore[misc]
            self._learn_refusals(way)
        self._survives(self._keep_lists, is_calm)
        self._learn_called_back()
        self._look(is_drained=is_alive)

    def _survives(self, work: Callable[[], object], is_calm: bool) -> bool:
        statements = self.draw.randint(1, 60) if self.draw.random() < 0.04 else 0
        try:
            with dying_in(self.alias, 0 if is_calm else statements):
                work()
        except Killed as killed:
            self.log.append(("the worker died", str(killed)))
            self._begin_work()
            return False
        return True

    def _tick(self) -> None:
        self.engine.tick(self.now)

    def _dispatch(self, way: Channel) -> None:
        outlet = self.outlets[way]
        means = Means(
            self._compose,
            LastLook(self.book, RULES, self, leaving=self.instructions.stopping),
            self.clock,
            channel=way,
            idempotent_for=CAN[way].idempotent_for,
            outlet=OUTLETS[way],
        )
        try:
            Dispatcher(self.outbox, outlet, means).run()
        finally:
            if outlet.broken is not None:
                raise outlet.broken

    def _keep_lists(self) -> None:
        rosters: dict[str, Roster] = {OUTLETS[AUDIENCE]: self.crowd, OUTLETS[LETTER]: self.post}
        ListKeeper(self.alias, TERMS, self.clock, rosters.__getitem__).run()

    def _compose(self, messages: Sequence[OutboxMessage]) -> Mapping[str, Message | RekindleError]:
        for way in {one.channel for one in messages}:
            self._learn_refusals(way)  # what is no address any more is followed by the next at once
        self._messages |= {one.key: one for one in messages}
        return {
            one.key: Message(
                one.key,
                one.channel,
                one.person,
                Address(one.address_kind, one.address),
                {"text": one.template, "destination": one.template},
                self.now,
            )
            for one in messages
        }

    def _told(self, message: Message) -> None:
        one = self._messages[message.key]
        who = one.dossier.enrolment
        key = (who.person, who.journey, who.rotation)
        self.log.append(("handed over", *key, one.step, one.channel, one.address, self.now))
        way = self.truth.ways[key]
        self.truth.hand_over(way, one.step, one.channel, message.address.value, one.offer, self.now)

    # What the world learns of the ledger

    def _learn_ways(self) -> None:
        for one in models.Enrolment.objects.using(self.alias).order_by("pk"):
            key = (one.person_id, one.journey, one.rotation)
            if key not in self.truth.ways:
                self.log.append(("entered", *key, one.arm))
                self.truth.enter(cast(Any, _enrolled(one)), self.journeys[one.journey])
            self.truth.ways[key].is_through = one.ended_reason == Reason.FINISHED

    def _learn_refusals(self, way: Channel) -> None:
        """Believe a refusal once the ledger wrote it down: a worker may have died before."""
        pending = []
        kind = CAN[way].address_kind.value
        for message, how in self.outlets[way].refused:
            one = self._messages[message.key]
            touch = models.Touch.objects.using(self.alias).get(pk=one.touch)
            if how == "gone":
                rows = models.Address.objects.using(self.alias)
                if not rows.filter(kind=kind, value=one.address, person=one.person).exists():
                    self.truth.retire(kind, one.address, one.person)
            elif touch.state == "failed":
                if how == "bounced":
                    self.truth.bounce(way, one.person, one.address)
                else:
                    self.truth.opt_out(one.person, way, self.now)
            elif touch.state in ("sending", "leased", "queued"):
                pending.append((message, how))
        self.outlets[way].refused = pending

    def _look(self, *, is_drained: bool) -> None:
        """See that nobody who left is still on the way, on a list, or anybody's task."""
        if is_drained:
            for one in self.book.open_enrolments():
                way = self.truth.ways[one.person, one.journey, one.rotation]
                if way.is_over or (one.due_at <= self.now and self.truth.has_left(way)):
                    raise broken("never after a return", f"{one} goes on")
        for row in models.Stay.objects.using(self.alias).filter(requested_at=None):
            by = AUDIENCE if row.destination else LETTER
            if row.judged_at is not None and not self._may_stay(row.touch, by):
                what = "on no list" if row.destination else "no letter is left to go"
                raise broken(f"{what} after the return", f"{row.person_id} by {by}")
        self._see_letters()
        for task in list_tasks(self._desk()):
            if not task.is_over and not self._may_stay(task.entry.touch, TASK):
                raise broken("no task is open after the return", task.entry)

    def _learn_called_back(self) -> None:
        """Believe that a letter reached nobody once the ledger wrote it down, and see it did."""
        rows = models.Stay.objects.using(self.alias).filter(request="called back")
        numbers = rows.exclude(effective_at=None).values_list("touch", flat=True)
        touches = models.Touch.objects.using(self.alias).select_related("enrolment")
        for touch in touches.filter(pk__in=list(numbers)):
            if touch.state != "cancelled" or touch.provider_id not in self.post.called_back:
                raise broken("a letter called back is so", f"{touch.pk} is {touch.state}")
            one = touch.enrolment
            self.truth.take_back((one.person_id, one.journey, one.rotation), touch.step)

    def _see_letters(self) -> None:
        """See that every letter that is called back, or has left, is known to be."""
        letters = models.Stay.objects.using(self.alias).filter(destination="")
        over = letters.exclude(effective_at=None).exclude(reason="finished")
        if silent := list(over.filter(request="").values_list("member", "reason")):
            raise broken("no letter is left to go after the return", f"nobody asked for {silent}")
        open_ = letters.filter(effective_at=None)
        known = {row.member: row for row in open_}
        for name in self.post.called_back & set(known):
            if known[name].requested_at is None:
                raise broken("a letter called back is so", f"nobody asked for {name}")

    def _see_settled(self) -> None:
        """See that whoever is on the list still is of those who may be."""
        letters = models.Stay.objects.using(self.alias).filter(destination="")
        if left := list(letters.filter(effective_at=None, until__lt=self.now - 2 * DAY)):
            raise broken("a letter called back is so", f"nobody knows of {left}")
        rows = models.Stay.objects.using(self.alias).filter(effective_at=None)
        live = set(rows.values_list("member", flat=True))
        if lost := self.crowd.members - live:
            raise broken("on no list after the return", f"{lost} never left it")

    def _may_stay(self, touch: int, channel: Channel) -> bool:
        row = models.Touch.objects.using(self.alias).select_related("enrolment").get(pk=touch)
        key = (row.enrolment.person_id, row.enrolment.journey, row.enrolment.rotation)
        return self.truth.may_stay(self.truth.ways[key], channel, self.now)

    def _desk(self) -> Any:
        """Return as much of a workspace as whoever lists the tasks asks of one."""
        own = SimpleNamespace(open_for=OPEN_FOR)
        return SimpleNamespace(
            ledger=self.alias,
            clock=self.clock,
            capabilities=CAN,
            outbox=self.outbox,
            rules=RULES,
            config=SimpleNamespace(channel=lambda channel: own),
        )

    # What the engine asks

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        """Return those who have not bought for a month."""
        for person, human in sorted(self.truth.people.items()):
            newest = max(human.orders)
            if newest < at - 30 * DAY:
                yield Candidate(person, newest)

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return everybody: nothing is asked here."""
        return set(people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return nothing."""
        return {}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return what everybody usually spends: enough for every offer."""
        return dict.fromkeys(people, 200.0)

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return the newest purchase of each."""
        known = self.truth.people
        return {one: max(known[one].orders) for one in people if one in known}

    # What happens

    def _key(self, word: str) -> str:
        self._numbers += 1
        return f"{word}-{self.seed}-{self._numbers}"

    def _record(self, signal: Signal) -> None:
        self.log.append(("recorded", signal.person, signal.event, signal.channel, signal.at))
        self.book.record([signal], self.now)

    def buy(self, person: str) -> None:
        """Somebody comes back, now or as is known now."""
        at = self.now - self.draw.choice(AGO)
        self.truth.people[person].orders.append(at)
        self._record(order_signal(person, at, "shop", self._key("order")))

    def pay(self, person: str) -> None:
        """A payment fails, clears, or is not asked for any more: cancelled or paused."""
        event = self.draw.choice([FAILED, FAILED, FAILED, CLEARED, DROPPED])
        at = self.now - self.draw.choice(AGO)
        self.truth.people[person].deeds.append((event, at))
        self._record(Signal(person, SignalKind.EVENT, at, self._key("deed"), event))

    def stop(self, person: str) -> None:
        """Somebody tells the biller to stop, or to pause, which it answers at last."""
        human, at = self.truth.people[person], self.now
        waiting = self.instructions.waiting_of(person)
        if waiting is None:
            kind = self.draw.choice(["cancel", "pause"])
            told = InstructionEntry(0, person, 0, person, kind, "", "", "", "", at)
            entry, _ = self.instructions.begin(told, at, looked_at=at)
            self.instructions.put_off(entry, at, timedelta(minutes=1))
            human.is_stopping = True
            self.log.append(("told to stop", person, kind, at))
            return
        state = self.draw.choice(["done", "refused", "moot"])
        self.instructions.answer(waiting, state, at)
        human.is_stopping = False
        self.log.append(("answered", person, state, at))
        if state == "done":
            human.deeds.append((DROPPED, at))
            self._record(Signal(person, SignalKind.EVENT, at, self._key("deed"), DROPPED))

    def speak(self, person: str) -> None:
        """Somebody says yes or no to one way."""
        self._say(
            person,
            self.draw.choice(WAYS),
            granted=self.draw.random() < 0.6,
            at=self.now - self.draw.choice(AGO),
        )

    def _say(self, person: str, way: Channel, *, granted: bool, at: datetime) -> None:
        self.log.append(("said", person, way, granted, at))
        self.book.save_consent([ConsentRecord(person, way, granted, at, "form")])
        self.truth.people[person].said[way].append((at, granted))

    def object_(self, person: str) -> None:
        """Somebody opts out of one way or of all, or complains."""
        way = self.draw.choice([None, *WAYS])
        kind = self.draw.choice([SignalKind.OPT_OUT, SignalKind.OPT_OUT, SignalKind.COMPLAINT])
        if kind is SignalKind.OPT_OUT:
            self.truth.opt_out(person, way, self.now)
        else:
            self.truth.complain(person)
        self._record(Signal(person, kind, self.now, self._key("no"), channel=way))

    def change_card(self, person: str) -> None:
        """Somebody has another mailbox or phone, or none; some share one."""
        self._write_card(person)

    def _write_card(self, person: str) -> None:
        human, draw = self.truth.people[person], self.draw
        own = person.replace("-", "")
        email = draw.choice(
            [f"{own}@example.com", f"{own}@example.org", "shared@example.com", None]
        )
        number = int(person[-1])
        phone = draw.choice(
            [f"+49 30 90182{number}", f"+49 30 90183{number}", "+49 30 901840", None]
        )
        self.log.append(("card", person, email, phone))
        self.book.save_people([Person(person, email, "DE", "Europe/Berlin", {}, phone)])
        if not human.is_erased:
            human.email, human.phone = email, phone

    def see(self, person: str) -> None:
        """Somebody is seen with a device or at a postal address, maybe another's before."""
        self._numbers += 1  # nobody is seen with two at the same instant
        at = self.now + self._numbers * timedelta(microseconds=1)
        self._see(person, self.draw.choice(LISTED), at)

    def _see(self, person: str, kind: str, at: datetime) -> None:
        value = f"{kind}-{self.draw.randrange(8)}"
        if kind == "postal":
            value = f'{{"street": "{value} Road", "city": "Town", "country": "DE"}}'
        self.log.append(("seen", person, kind, value, at))
        self.book.save_addresses([Given(person, at, kind, value)])
        if not self.truth.people[person].is_erased:
            self.truth.give(kind, value, person, at)

    def bounce(self, person: str) -> None:
        """A provider reports later that an address takes nothing any more."""
        way = self.draw.choice([*KNOCKED_ON, Channel("push"), Channel("letter")])
        kind = CAN[way].address_kind.value
        address = self.truth.address(person, kind)
        touches = models.Touch.objects.using(self.alias)
        left = touches.filter(person=person, channel=way.value, state="accepted").last()
        if not address or left is None:
            return
        self.log.append(("bounced", person, way, address))
        event = DeliveryEvent(
            self._key("bounce"),
            DeliveryKind.BOUNCED,
            way,
            OUTLETS[way],
            self.now,
            provider_id=left.provider_id,
            address=address,
            fingerprint=fingerprint(Address(kind, address)),
        )
        self.deliveries.take([event], self.now)
        if kind in LISTED:
            self.truth.retire(kind, address, person)
            return
        for one, human in self.truth.people.items():
            same = (human.email if kind == "email" else human.phone) or ""
            if same == address and not human.is_erased:
                self.truth.bounce(way, one, address)

    def erase(self, person: str) -> None:
        """Somebody is forgotten."""
        self.log.append(("erased", person))
        self.book.erase(person, self.now)
        self.truth.erase(person)


CHANCES: dict[Callable[[SixWays, str], None], float] = {
    SixWays.buy: 8,
    SixWays.pay: 14,
    SixWays.stop: 6,
    SixWays.speak: 14,
    SixWays.object_: 4,
    SixWays.change_card: 7,
    SixWays.see: 12,
    SixWays.bounce: 7,
    SixWays.erase: 2,
}


def _enrolled(row: models.Enrolment) -> SimpleNamespace:
    return SimpleNamespace(
        person=row.person_id,
        journey=row.journey,
        rotation=row.rotation,
        arm=Arm(row.arm),
        entered_at=row.entered_at,
        last_order_at=row.last_order_at,
    )
