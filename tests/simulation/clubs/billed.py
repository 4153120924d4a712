"""What a club bills by a provider: trials, coupons, ends, and what each brings from when on.

The provider is the fake one, asked over HTTP by the official library. What happens there is
drawn; what it is worth is worked out here from the story alone, and held against the movements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from rekindle.billing import pull_facts
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements
from rekindle.testing.biller import BillerWorld, FakeBiller
from tests.simulation.journal import broken

DAY = timedelta(days=1)
PRICE = 1000
TRIAL_BRINGS, TAKEN_OFF = "a trial brings nothing", "what is taken off is off on its own days"


@dataclass(slots=True)
class Taken:
    """A coupon on a subscription, and whether it was listed while it was there."""

    id: str
    percent: int
    since: datetime
    until: datetime | None
    is_called_off: bool = False
    is_known: bool = False


@dataclass(slots=True)
class Billed:
    """A subscription at the provider."""

    id: str
    customer: str
    paid_from: datetime
    was_tried: bool = False
    ended_at: datetime | None = None
    taken: Taken | None = None

    @property
    def marks(self) -> list[datetime]:
        """Return the instants at which what it brings may become something else."""
        taken = [self.taken.since, self.taken.until] if self.taken else []
        return [at for at in (self.paid_from, self.ended_at, *taken) if at is not None]

    def brings(self, at: datetime) -> int:
        """Return what it brings a month at an instant, in cents, as far as can be known."""
        if at < self.paid_from or (self.ended_at and self.ended_at <= at):
            return 0
        taken = self.taken
        if taken is None or not taken.is_known or at < taken.since:
            return PRICE
        is_over = taken.until is not None and taken.until <= at
        return PRICE if is_over else PRICE * (100 - taken.percent) // 100


class BilledClub:
    """The provider's side of a club. It moves the club's clock, and tells nothing by itself."""

    def __init__(self, draw: Random, clock: MovableClock, log: list[tuple[object, ...]]) -> None:
        self.draw, self.log = draw, log
        self.fake = FakeBiller(BillerWorld(clock, webhook_secret="whsec_made_up"))
        self.world = self.fake.world
        self.judged: Counter[str] = Counter()
        self._price = self.world.add_plan(amount=PRICE, currency="gbp")["id"]
        self._billed: list[Billed] = []

    # What may happen

    def begin(self) -> None:
        """Somebody subscribes, or tries it out first."""
        customer = self.world.add_customer(f"b{len(self._billed)}@example.com")["id"]
        self.world.add_card(customer)
        tried = self.draw.choice([None, None, 3, 8])
        ends = None if tried is None else self._now + tried * DAY
        more = {} if ends is None else {"trial_end": int(ends.timestamp())}
        made = self.world.subscribe(customer, self._price, **more)
        one = Billed(made["id"], customer, ends or self._now, was_tried=tried is not None)
        self._billed.append(one)
        self.log.append(("billed", self._now, one.id, tried))

    def take_off(self) -> None:
        """A coupon is taken off a subscription, for a month, for ever, or once."""
        if bare := [one for one in self._running if one.taken is None]:
            one = self.draw.choice(bare)
            lasts = self.draw.choice(["month", "month", "forever", "once"])
            percent, months = self.draw.choice([10, 50]), 1 if lasts == "month" else 0
            coupon = self.world.add_coupon(percent, months=months, duration="" if months else lasts)
            made = self.world.take_off(one.id, coupon["id"])
            self.log.append(("taken off", self._now, one.id, percent, lasts))
            if lasts != "once":
                until = datetime.fromtimestamp(made["end"], UTC) if months else None
                one.taken = Taken(made["id"], percent, self._now, until)

    def call_off(self) -> None:
        """A coupon is called off before its end."""
        there = [one for one in self._running if one.taken and self._is_there(one.taken)]
        if there:
            one = self.draw.choice(there)
            assert one.taken is not None
            self.world.call_off(one.id, one.taken.id)
            one.taken.is_called_off = True
            self.log.append(("called off", self._now, one.id))

    def end(self) -> None:
        """A subscription ends at once, maybe in its trial."""
        if running := self._running:
            one = self.draw.choice(running)
            self.world.end(one.id)
            one.ended_at = self._now
            self.log.append(("ended", self._now, one.id))

    @property
    def happenings(self) -> tuple[Callable[[], None], ...]:
        """Return what may happen, each as often as it is likely."""
        return (self.begin, self.begin, *[self.take_off] * 3, self.call_off, self.end)

    # What is looked at

    def pull(self, space: Workspace) -> None:
        """List everything, as it is known from then on."""
        settings = BillingSettings(provider="stripe", url=self.fake.url)
        pull_facts(settings, space.directory, now=self._now, bring=space.import_from)
        for one in self._billed:
            if (taken := one.taken) is None:
                continue
            if taken.id in self.world.things[one.id]["discounts"]:
                taken.is_known = True
            elif taken.is_called_off and (taken.until is None or taken.until > self._now):
                taken.until = self._now  # as it is seen
        self.log.append(("pulled", self._now))

    def judge(self, space: Workspace, day_of: Callable[[datetime], date]) -> None:
        """Hold what moved MRR, a customer and a day, against the story."""
        engine, facts = space.reading
        moved: dict[str, Counter[date]] = {}
        for row in engine.run(build_movements(facts, self._now, OURS)).to_pylist():
            of = moved.setdefault(row["customer_id"], Counter())
            of[row["on"]] += round(row["amount"] * 100)
        for one in self._billed:
            self._judge(one, moved.get(one.customer, Counter()), day_of)

    def _judge(
        self, one: Billed, moved: Mapping[date, int], day_of: Callable[[datetime], date]
    ) -> None:
        marks = [at for at in one.marks if at < self._now]
        for day in sorted({day_of(at) for at in marks} | moved.keys()):
            stands = sum(amount for on, amount in moved.items() if on <= day)
            last = max((at for at in marks if day_of(at) <= day), default=None)
            brings = one.brings(last) if last is not None else 0
            if stands == brings:
                self.judged["trial" if one.was_tried else "paid"] += 1
                self.judged["taken off"] += bool(0 < brings < PRICE)
                continue
            name = TAKEN_OFF if stands and brings else TRIAL_BRINGS if one.was_tried else TAKEN_OFF
            raise broken(name, f"{one} brings {stands} on {day}, not {brings}, as of {self._now}")

    @property
    def _running(self) -> list[Billed]:
        return [one for one in self._billed if one.ended_at is None]

    def _is_there(self, taken: Taken) -> bool:
        is_over = taken.until is not None and taken.until <= self._now
        return not taken.is_called_off and not is_over

    @property
    def _now(self) -> datetime:
        return self.world.clock.now()
