"""A world of a club: people subscribe, leave and come back, and what is theirs is kept meanwhile.

One system exports subscriptions as a file. Ends are corrected, taken back or said ahead, imports
come late, workers die and others begin. After every look the register is held against what the
file said, day by day. Beside it payments fail, and each is tried at the hour that was learnt.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.db import connections

from rekindle.clock import MovableClock
from rekindle.ledger import BelongingsEntry, BelongingsRegister, disconnect
from rekindle.ledger.models import Signal
from rekindle.runtime import Workspace
from rekindle.subscriptions import DeclineKind, OwedPayment, decide_retry
from rekindle.testing.biller.server import KEY, serving
from rekindle.worker.keeping.belongings import BelongingsKeeper
from tests.simulation.clubs.billed import BilledClub
from tests.simulation.journal import broken

START = datetime(2026, 3, 20, 9, tzinfo=UTC)  # London's clock changes on the 29th
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOPS = (3 * HOUR, 11 * HOUR, DAY, DAY, 2 * DAY, 5 * DAY)
LONDON = ZoneInfo("Europe/London")
ZONES = (LONDON, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York"))
STEPS = 16
KEPT_DAYS, WARNING_DAYS = 20, 6
LEAST_GAP = timedelta(hours=20)
COLUMNS = ("subscription_id", "customer_id", "amount", "interval", "started_at", "ended_at")
SETTINGS = """\
[workspace]
format = 1
name = "Club"
currency = "GBP"
timezone = "Europe/London"
[subscriptions.kept]
what = ["Shelf"]
days = %d
warning_days = %d
%s
[[sources]]
name = "abos"
table = "subscriptions"
path = "abos.csv"
[sources.columns]
%s
"""
PROMISES = (
    "what is theirs is kept from the departure on", "kept until the return",
    "warned before the end", "no retry before its time",
)  # fmt: skip
KEYS = {"REKINDLE_STRIPE_KEY": KEY, "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_made_up"}


@dataclass(slots=True)
class Paid:
    """A subscription as the export has it now."""

    number: str
    customer: str
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """From which day on somebody was subscribed, and the day they left."""

    came_on: date
    left_on: date | None


class ClubWorld:
    """A seeded world in ``folder``; ``run`` raises ``BrokenPromiseError`` where one breaks."""

    def __init__(self, seed: int, folder: Path, *, ledger: str = "") -> None:
        self.draw = Random(f"club/{seed}")
        self.folder, self.clock = folder, MovableClock(START)
        self.log: list[tuple[object, ...]] = []
        self.begun = 0
        self._paid: list[Paid] = []
        self._known: list[Paid] = []
        self._promised: set[tuple[str, int]] = set()
        folder.mkdir(parents=True)
        lines = "\n".join(f'{name} = "{name}"' for name in COLUMNS)
        url = f'[ledger]\nurl = "{ledger}"' if ledger else ""
        text = SETTINGS % (KEPT_DAYS, WARNING_DAYS, url, lines)
        (folder / "rekindle.toml").write_text(text, encoding="utf-8")
        for number in range(self.draw.randint(3, 5)):
            self._add(f"p{number}", START - self.draw.choice([40, 100, 300]) * DAY)
        self.space = Workspace.open(folder, clock=self.clock)
        self._import()
        self.space.book  # noqa: B018 - the ledger exists from now on
        self._keeper = BelongingsKeeper(self.space)
        self.billed = BilledClub(Random(f"club/billed/{seed}"), self.clock, self.log)

    def run(self, steps: int = STEPS) -> None:
        """Run the whole story."""
        with serving(self.billed.fake), patch.dict(os.environ, KEYS):
            self._run(steps)

    def _run(self, steps: int) -> None:
        try:
            for _ in range(steps):
                self.billed.world.advance(self.draw.choice(HOPS))
                self._bill()
                for happen in self.draw.choices(HAPPENINGS, WEIGHTS, k=self.draw.randint(1, 3)):
                    happen(self)
                if self.draw.random() < 0.8:
                    self._import()
                self._look()
                self._retry()
        finally:
            self.space.forget_facts()
            for alias in [one for one in connections.databases if one.startswith("ledger_")]:
                disconnect(alias)

    def _bill(self) -> None:
        """Let something happen at the provider, and hold what is known of it against that."""
        draw, happenings = self.billed.draw, self.billed.happenings
        for happen in draw.choices(happenings, k=draw.randint(1, 3)):
            happen()
        if draw.random() < 0.5:
            self.billed.pull(self.space)
            self.billed.judge(self.space, _day)

    # What may happen

    def subscribe(self) -> None:
        """Somebody who is gone comes back, or another comes for the first time."""
        who = f"p{self.draw.randrange(7)}"
        if all(one.ended_at and one.ended_at < self._now for one in self._of(who)):
            self._add(who, self._now - self.draw.choice([HOUR, DAY]))

    def leave(self) -> None:
        """A subscription ends, by now or at the end of what is paid."""
        if running := [one for one in self._paid if one.ended_at is None]:
            one = self.draw.choice(running)
            ends_at = self._now + self.draw.choice([-HOUR, -HOUR, -DAY, 3 * DAY])
            one.ended_at = max(one.began_at, ends_at)
            self.log.append(("left", self._now, one))

    def correct(self) -> None:
        """The end of a stay that was the last one is moved, or taken back."""
        if ended := [one for one in self._last_ones() if one.ended_at is not None]:
            one = self.draw.choice(ended)
            assert one.ended_at is not None
            moved = max(one.began_at, one.ended_at - self.draw.choice([2, 4]) * DAY)
            one.ended_at = self.draw.choice([None, moved, moved])
            self.log.append(("corrected", self._now, one))

    def die(self) -> None:
        """The worker dies, and another begins with what was written down."""
        self._keeper = BelongingsKeeper(self.space)
        self.log.append(("died", self._now))

    # What is looked at

    def _look(self) -> None:
        self._keeper.look(self._now)
        found: dict[tuple[str, int], BelongingsEntry] = {
            (one.person, one.number): one
            for one in BelongingsRegister(self.space.ledger).all()
            if one.closed != "corrected"
        }
        for who in sorted({one.customer for one in self._known}):
            if (spells := self._spells(who)) is not None:
                self._judge(who, spells, found)

    def _judge(
        self, who: str, spells: Sequence[Spell], found: Mapping[tuple[str, int], BelongingsEntry]
    ) -> None:
        """Hold somebody's rows against their days."""
        gone = [one for one in spells if one.left_on is not None]
        left_on = spells[-1].left_on if spells else None
        if left_on is not None and left_on + KEPT_DAYS * DAY >= self._today:
            self._promised.add((who, len(gone)))
        for number, spell in enumerate(gone, start=1):
            row = found.get((who, number))
            if row is None:
                if (who, number) in self._promised:
                    raise broken(PROMISES[0], f"{who} left for the {number}. time on {spell}")
                continue
            self.begun += 1
            told = f"{row} of {spell} as of {self._now}"
            if row.ended_on != spell.left_on:
                raise broken(PROMISES[0], f"the end is another: {told}")
            if row.kept_until != row.ended_on + KEPT_DAYS * DAY:
                raise broken(PROMISES[1], f"the last day is another: {told}")
            if (row.closed == "returned") != (number < len(spells)):
                raise broken(PROMISES[1], told)
            if not row.closed and 0 <= (row.kept_until - self._today).days <= WARNING_DAYS:
                self._judge_warning(row)
        if extra := [key for key in found if key[0] == who and key[1] > len(gone)]:
            raise broken(PROMISES[0], f"nobody left so often: {extra} as of {self._now}")

    def _judge_warning(self, row: BelongingsEntry) -> None:
        warnings = Signal.objects.using(self.space.ledger).filter(person=row.person)
        key = f"kept_ending:{row.person}:{row.number}:{row.kept_until}"
        if not warnings.filter(key=key).exists():
            raise broken(PROMISES[2], f"{row} as of {self._now}")

    def _retry(self) -> None:
        """A payment failed some time ago: see when it is tried, with and without an hour."""
        draw = self.draw
        failed_at = self._now - draw.randrange(12) * DAY - draw.randrange(86_400) * timedelta(0, 1)
        schedule = [draw.choice([2, 3]) * DAY, 5 * DAY, 9 * DAY]
        retries = draw.randrange(3)
        tries = [failed_at, *(failed_at + one + 2 * HOUR for one in schedule[:retries])]
        zone, hour = draw.choice(ZONES), draw.randrange(24)
        owed = OwedPayment(
            "in", "sub", "u", failed_at, DeclineKind.SOFT, "visa", tries, retries, zone
        )
        plain, at = decide_retry(owed, schedule), decide_retry(owed, schedule, hour)
        assert isinstance(plain, datetime)
        assert isinstance(at, datetime)
        told = f"{owed} by {schedule} at {hour}: {at}, without an hour {plain}"
        if at < plain or at < tries[-1] + LEAST_GAP or at < failed_at + schedule[retries]:
            raise broken(PROMISES[3], told)
        following = schedule[retries + 1 :]
        ends = failed_at + following[0] if following else plain + DAY
        if at != plain and (at >= ends or at.astimezone(zone).hour != hour):
            raise broken(PROMISES[3], f"at another time: {told}")

    # What is so

    def _spells(self, who: str) -> list[Spell] | None:
        """Return somebody's days by what was imported; None while a day of theirs is today's."""
        found: list[Spell] = []
        for one in sorted(self._known, key=lambda one: one.began_at):
            if one.customer != who or one.began_at >= self._now:
                continue
            ended_at = one.ended_at if one.ended_at and one.ended_at < self._now else None
            came_on, left_on = _day(one.began_at), ended_at and _day(ended_at)
            if self._today in (came_on, left_on):
                return None
            if came_on == left_on:
                continue
            if found and found[-1].left_on == came_on:
                came_on = found.pop().came_on
            found.append(Spell(came_on, left_on))
        return found

    def _import(self) -> None:
        with (self.folder / "abos.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for one in self._paid:
                ended = one.ended_at.isoformat() if one.ended_at else ""
                began = one.began_at.isoformat()
                writer.writerow([one.number, one.customer, "9", "month", began, ended])
        self.space.import_facts()
        self._known = [
            Paid(one.number, one.customer, one.began_at, one.ended_at) for one in self._paid
        ]
        self.log.append(("imported", self._now))

    def _add(self, who: str, at: datetime) -> None:
        self._paid.append(Paid(f"s{len(self._paid)}", who, at))
        self.log.append(("subscribed", at, who))

    def _of(self, who: str) -> list[Paid]:
        return [one for one in self._paid if one.customer == who]

    def _last_ones(self) -> list[Paid]:
        return list({one.customer: one for one in self._paid}.values())

    @property
    def _now(self) -> datetime:
        return self.clock.now()

    @property
    def _today(self) -> date:
        return _day(self._now)


def _day(at: datetime) -> date:
    return at.astimezone(LONDON).date()


CHANCES = {
    ClubWorld.subscribe: 5,
    ClubWorld.leave: 5,
    ClubWorld.correct: 2,
    ClubWorld.die: 2,
}
HAPPENINGS = tuple(CHANCES)
WEIGHTS = tuple(CHANCES.values())
