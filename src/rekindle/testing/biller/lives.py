"""A year in the life of a club's subscribers, for a biller to try things on."""

from __future__ import annotations

import random
from datetime import timedelta

from rekindle.testing.biller.world import BillerWorld

DAYS = 400
DAY = timedelta(days=1)
PLANS = {"Basic": 900, "Plus": 1900, "Team": 4900}
REASONS = ("too_expensive", "unused", "missing_features", "switched_service", "other")
RETURNING, OWING = 1, 2
"""By number: who cancelled two months ago, and whose payment failed two days ago."""


def name_person(number: int) -> str:
    """Return the business's own id of a person."""
    return f"u{number:04}"


class ClubLives:
    """Lets ``people`` come, pay, leave and come back in the ``DAYS`` before now, by a seed.

    They are in ``people`` by the business's own ids.
    """

    def __init__(self, world: BillerWorld, *, people: int, seed: int = 1) -> None:
        self._world, self._roll = world, random.Random(f"club/{seed}")
        self._plans = [world.add_plan(name, amount=amount) for name, amount in PLANS.items()]
        self._customers: dict[int, str] = {}
        self._stays: dict[int, str] = {}
        self._days: dict[int, list[tuple[str, int]]] = {}
        self.people = [name_person(number) for number in range(1, people + 1)]
        for number in range(1, people + 1):
            self._draw(number)

    def run(self) -> None:
        """Let the days pass, the last one up to now."""
        for day in range(DAYS):
            for what, number in self._days.get(day, ()):
                getattr(self, f"_{what}")(number)
            self._world.advance(DAY)

    def _draw(self, number: int) -> None:
        """Draw when somebody begins, and when they cancel or their card stops paying."""
        plan: tuple[tuple[int, str], ...]
        if number == RETURNING:
            plan = ((DAYS - 300, "begin"), (DAYS - 60, "cancel"))
        elif number == OWING:
            plan = ((DAYS - 185, "begin"), (DAYS - 20, "decline"))
        else:
            begins = self._roll.randrange(DAYS - 10)
            plan = ((begins, "begin"),)
            stays = self._roll.randrange(20, 600)
            if begins + stays < DAYS:
                how = "decline" if self._roll.random() < 0.3 else "cancel"
                plan += ((begins + stays, how),)
                back = begins + stays + self._roll.randrange(60, 200)
                if back < DAYS and self._roll.random() < 0.2:
                    plan += ((back, "begin"),)
        for day, what in plan:
            self._days.setdefault(day, []).append((what, number))

    def _begin(self, number: int) -> None:
        world, person = self._world, name_person(number)
        if number not in self._customers:
            customer = world.add_customer(f"{person}@example.com", user_id=person)
            self._customers[number] = customer["id"]
        world.add_card(self._customers[number])
        plan = self._roll.choice(self._plans)
        self._stays[number] = world.subscribe(self._customers[number], plan["id"])["id"]

    def _cancel(self, number: int) -> None:
        stay = self._world.things[self._stays[number]]
        if stay["status"] == "active":
            said = {"feedback": self._roll.choice(REASONS)}
            wanted = {"cancel_at_period_end": "true", "cancellation_details": said}
            self._world.update_subscription(stay["id"], wanted)

    def _decline(self, number: int) -> None:
        self._world.add_card(self._customers[number], "insufficient_funds")
