"""False providers for the six ways: what each does follows from the seed and the message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from rekindle.clock import MovableClock
from rekindle.errors import (
    AddressGoneError,
    OptedOutError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import LISTED, ChangeKind, Effect, ListChange, Message, Receipt, Stay
from rekindle.vocabulary import Channel
from tests.simulation.journal import BrokenPromiseError
from tests.simulation.keeping import Killed
from tests.simulation.ways.drawing import CAN

STAY = timedelta(days=9)
KEPT_FOR = (2, 5, 30, 60)
Tell = Callable[[Message], None]


class WayOut:
    """One provider. It knows a message by its key for as long as the real one says it does.

    ``refused`` are what it refused for good: the channel, the person, the address and how.
    """

    def __init__(self, channel: Channel, seed: int, clock: MovableClock, tell: Tell) -> None:
        self.channel, self.refused = channel, list[tuple[Message, str]]()
        self._seed, self._clock, self._tell = seed, clock, tell
        self._tries: dict[str, int] = {}
        self._taken: dict[str, datetime] = {}
        self.leaves: dict[str, datetime] = {}
        self.is_alive = True
        self.broken: BrokenPromiseError | None = None

    def send(self, message: Message) -> Receipt:
        """Take a message, refuse it in one of the ways there are, or let the worker die."""
        if not self.is_alive:
            raise Killed("was dead already")
        tries = self._tries[message.key] = self._tries.get(message.key, 0) + 1
        chance = Random(f"{self._seed}/{self.channel}/{message.key}/{tries}").random()
        if chance < 0.02:
            self._die("before handing over")
        if 0.10 <= chance < 0.18:
            raise TemporaryDeliveryError("too busy")
        if 0.18 <= chance < 0.24:
            self._refuse(message, chance)
        self._take(message)
        if chance < 0.04:
            self._die("after handing over")
        if chance < 0.10:
            raise UnknownFateError("the line went dead")
        return Receipt(f"id-{message.key}", self._stay_of(message))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _take(self, message: Message) -> None:
        """Take a message, but for one that is known: that is the same one."""
        within, now = CAN[self.channel].idempotent_for, self._clock.now()
        taken_at = self._taken.get(message.key)
        if taken_at is not None and within is not None and now - taken_at <= within:
            return
        self._taken[message.key] = now
        try:
            self._tell(message)
        except BrokenPromiseError as error:
            # A dispatcher takes whatever an outlet raises for the outlet's own defect.
            self.broken = self.broken or error
            raise

    def _refuse(self, message: Message, chance: float) -> None:
        kind = CAN[self.channel].address_kind
        if kind in LISTED:
            self.refused.append((message, "gone"))
            raise AddressGoneError("no such address any more")
        if chance < 0.20 and kind == "phone":
            self.refused.append((message, "opted out"))
            raise OptedOutError("they wrote STOP")
        if chance < 0.22 and kind in ("email", "phone"):
            self.refused.append((message, "bounced"))
            raise PermanentDeliveryError("no such mailbox")
        raise RefusedContentError("looks like spam")

    def _stay_of(self, message: Message) -> Stay | None:
        can = CAN[self.channel]
        if can.can_be_called_back:
            hours = Random(f"{self._seed}/{message.key}/kept").choice(KEPT_FOR)
            until = self._taken[message.key] + timedelta(hours=hours)
            self.leaves[f"id-{message.key}"] = until
            return Stay("", f"id-{message.key}", until)
        if not can.can_be_withdrawn:
            return None
        return Stay("crowd", message.address.value.lower(), message.at + STAY)

    def _die(self, when: str) -> None:
        self.is_alive = False
        raise Killed(when)


class PostOffice:
    """Implements ``rekindle.messages.Roster``: letters are called back until they leave.

    It answers or not as the seed says, and dies before and after it let a letter go.
    """

    batch = 1

    def __init__(self, seed: int, clock: MovableClock, outlet: WayOut) -> None:
        self._seed, self._clock, self._outlet, self._asked = seed, clock, outlet, 0
        self.called_back: set[str] = set()

    def tell(self, change: ListChange) -> str:
        """Let a letter go, if it is still here."""
        if not self._outlet.is_alive:
            raise Killed("was dead already")
        assert change.kind is ChangeKind.REMOVE, "nobody is put on a list by a letter"
        self._asked += 1
        chance = Random(f"{self._seed}/post/{self._asked}").random()
        if chance < 0.1:
            raise TemporaryDeliveryError("too busy")
        if chance < 0.2:
            raise UnknownFateError("the line went dead before")
        (name,) = change.members
        if name in self.called_back or self._clock.now() < self._outlet.leaves[name]:
            self.called_back.add(name)
        if chance < 0.3:
            raise UnknownFateError("the line went dead after")
        if chance < 0.35:
            self._outlet.is_alive = False
            raise Killed("after calling back")
        return "called back" if name in self.called_back else "too late"

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return what came of it, which was known at once."""
        return Effect.EFFECTIVE if request == "called back" else Effect.MISSED

    def close(self) -> None:
        """Do nothing: nothing is open."""
