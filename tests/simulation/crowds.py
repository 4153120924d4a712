"""A list that somebody else keeps, and whether those on it may be: what only a ledger can break.

Whoever was written to is put on the list as well. The list takes a change or not as the
world's seed says, hangs, and dies; who is really on it is known here alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from rekindle.clock import MovableClock
from rekindle.errors import OutletFaultError, TemporaryDeliveryError, UnknownFateError
from rekindle.gate import BookRules
from rekindle.ledger import models
from rekindle.messages import ChangeKind, Effect, ListChange, Stay
from rekindle.worker.keeping.lists import ListKeeper
from tests.simulation.journal import BrokenPromiseError, Key, broken
from tests.simulation.keeping import Killed, Watcher

STAY = timedelta(days=9)
LIST = "crowd"
TAKES = timedelta(hours=24)
NEVER_LOST = "nobody is on a list unknown"


class Crowd:
    """Implements ``rekindle.messages.Roster``; ``members`` are who is really on it."""

    batch = 3

    def __init__(self, seed: int, see: Callable[[str], None]) -> None:
        self._seed, self._see, self._asked = seed, see, 0
        self.members: set[str] = set()
        self.broken: BrokenPromiseError | None = None
        self.is_alive = True

    def tell(self, change: ListChange) -> str:
        """Take a change, refuse it in one of the ways there are, or let the worker die."""
        if not self.is_alive:
            raise Killed("was dead already")
        self._asked += 1
        chance = Random(f"{self._seed}/{self._asked}").random()
        if chance < 0.03:
            self._die("before telling")
        if 0.25 <= chance < 0.3:
            raise OutletFaultError("the key was revoked")
        if 0.2 <= chance < 0.25:
            raise TemporaryDeliveryError("too busy")
        if 0.15 <= chance < 0.2:
            raise UnknownFateError("the line went dead before")
        for member in change.members:
            self._change(change.kind, member)
        if chance < 0.06:
            self._die("after telling")
        if chance < 0.15:
            raise UnknownFateError("the line went dead after")
        return f"r-{self._asked}"

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return that it takes a day, and fails now and then."""
        if Random(f"{self._seed}/{request}").random() < 0.1:
            return Effect.FAILED
        return Effect.EFFECTIVE if at - told_at >= TAKES else Effect.PENDING

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _change(self, kind: ChangeKind, member: str) -> None:
        if kind is ChangeKind.REMOVE:
            self.members.discard(member)
            return
        try:
            self._see(member)
        except BrokenPromiseError as error:
            # Whoever tells takes whatever a list raises for the list's own defect.
            self.broken = self.broken or error
        self.members.add(member)

    def _die(self, when: str) -> None:
        self.is_alive = False
        raise Killed(when)


class CrowdKeeper:
    """Keeps the list of a world in a ledger, and sees that it may be as it is."""

    def __init__(self, alias: str, watcher: Watcher, clock: MovableClock) -> None:
        self._alias, self._watcher, self._clock = alias, watcher, clock
        self.crowd = Crowd(watcher.seed, self._added)

    def stay_of(self, person: str, at: datetime) -> Stay:
        """Return the stay of somebody who was written to."""
        return Stay(LIST, person, at + STAY)

    def keep(self, terms: BookRules) -> None:
        """Tell of the list what is to be told, as a worker does."""
        try:
            ListKeeper(self._alias, terms, self._clock, lambda _: self.crowd).run()
        finally:
            if self.crowd.broken is not None:
                raise self.crowd.broken

    def look(self) -> None:
        """See that whoever is on the list may be, or that their removal was asked for."""
        rows = models.Stay.objects.using(self._alias)
        may_be_on = set(rows.filter(effective_at=None).exclude(told_at=None).values_list("member"))
        if lost := {(one,) for one in self.crowd.members} - may_be_on:
            raise broken(NEVER_LOST, sorted(lost))
        for row in rows.filter(requested_at=None):
            self._watcher.listed(*self._key(row), is_new=False)

    def _added(self, member: str) -> None:
        rows = models.Stay.objects.using(self._alias).filter(
            member=member, lease_until__isnull=False
        )
        for row in rows.filter(added_at=None, requested_at=None):
            self._watcher.listed(*self._key(row), is_new=True)

    def _key(self, row: models.Stay) -> tuple[Key, str]:
        touch = (
            models.Touch.objects.using(self._alias).select_related("enrolment").get(pk=row.touch)
        )
        one = touch.enrolment
        return (one.person_id, one.journey, one.rotation), touch.step
