"""Tells the systems that keep lists whom to put on them and whom to take off.

Providers that keep what they took for a while are told here which messages to call back.

What a return or a no asked for stands in the ledger already; here it is said, and said
again until it is effective. A pass may be cut off anywhere: what nobody answered is told
once more.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from rekindle.channels import find_outlet
from rekindle.clock import Clock
from rekindle.config import load_secrets
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    OutletFaultError,
    UnknownFateError,
)
from rekindle.gate import BookRules, find_withdrawal
from rekindle.ledger import (
    Claimed,
    DoorState,
    OpenRemoval,
    Stays,
    Stops,
    end_each_stay,
    load_stays_to_judge,
    note_judged,
)
from rekindle.messages import ChangeKind, Effect, ListChange, Roster
from rekindle.runtime import Workspace
from rekindle.worker.dispatching.dispatcher import name_worker
from rekindle.worker.dispatching.handing import Fate, Handed
from rekindle.worker.dispatching.stopping import LedgerDoor

# Longer than any one change takes, so that two workers never tell of the same people at once.
LEASE = timedelta(minutes=30)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
LOOKS_EVERY = timedelta(minutes=10)
JUDGED_AT_ONCE = 1000
FAILURES_IN_A_ROW = 3

logger = logging.getLogger(__name__)


class ListKeeper:
    """Keeps the lists of one ledger as they are to be; ``build`` returns those of an outlet."""

    def __init__(
        self, ledger: str, terms: BookRules, clock: Clock, build: Callable[[str], Roster]
    ) -> None:
        self._ledger, self._terms, self._clock, self._build = ledger, terms, clock, build
        self._stays = Stays(ledger)
        self.done: Counter[str] = Counter()
        self.troubles: list[str] = []

    def run(self, *, is_stopping: Callable[[], bool] = lambda: False) -> Counter[str]:
        """Do everything that is due now; return how many were put on lists and taken off."""
        if not self._stays.outlets():
            return self.done
        self._stays.end_overdue(self._clock.now())
        self._judge(is_stopping)
        for outlet in self._stays.outlets():
            if is_stopping():
                break
            try:
                self._keep(outlet, is_stopping)
            except ConfigError as error:
                self.troubles.append(f"{outlet}: {error}")
        return self.done

    def _judge(self, is_stopping: Callable[[], bool]) -> None:
        """Ask the gate once more of whoever is new, was written about, or was not asked today."""
        while not is_stopping():
            at = self._clock.now()
            found = load_stays_to_judge(self._ledger, self._terms, at, limit=JUDGED_AT_ONCE)
            if not found:
                return
            reasons = {
                one.stay: find_withdrawal(one.dossier, purpose=one.purpose, topic=one.topic, at=at)
                for one in found
            }
            over = [(stay, why) for stay, why in reasons.items() if why is not None]
            end_each_stay(self._ledger, over, at)
            note_judged(self._ledger, [stay for stay, why in reasons.items() if why is None], at)
            self.done["withdrawn"] += len(over)

    def _keep(self, outlet: str, is_stopping: Callable[[], bool]) -> None:
        roster = self._build(outlet)
        door = LedgerDoor(Stops(self._ledger), outlet, worker=name_worker())
        teller = _Teller(self._stays, self._clock, outlet, roster, door)
        try:
            teller.take_off(is_stopping)
            teller.put_on(is_stopping)
            teller.look()
        finally:
            roster.close()
        self.done += teller.done
        self.troubles += teller.troubles[:1]


def build_list_keeper(workspace: Workspace) -> ListKeeper:
    """Return what keeps the lists of a workspace, each by the outlet that people were told of."""

    def build(outlet: str) -> Roster:
        folder, entry = find_outlet(outlet)
        if entry.roster is None:
            raise ConfigError(f"{outlet} keeps no lists any more, and people are to leave them")
        settings = workspace.config.channel(folder.channel)
        secrets = load_secrets(entry.secrets)
        return entry.roster(settings, base=workspace.directory, secrets=secrets)

    return ListKeeper(workspace.ledger, workspace.terms, workspace.clock, build)


class _Teller:
    """Tells of the lists of one outlet."""

    def __init__(
        self, stays: Stays, clock: Clock, outlet: str, roster: Roster, door: LedgerDoor
    ) -> None:
        self._stays, self._clock = stays, clock
        self._outlet, self._roster, self._door = outlet, roster, door
        self._in_a_row = 0
        self.done: Counter[str] = Counter()
        self.troubles: list[str] = []

    def take_off(self, is_stopping: Callable[[], bool]) -> None:
        """Tell of every removal. An outlet that is stopped is asked all the same."""
        self._stays.spare(self._outlet, self._now())
        for claimed in self._claimed(ChangeKind.REMOVE, is_stopping):
            if self._tell(claimed):
                self.done["removed"] += len(claimed.stays)

    def put_on(self, is_stopping: Callable[[], bool]) -> None:
        """Tell whom to put on lists, unless the outlet is stopped."""
        try:
            if self._door.ask(self._now()) is DoorState.STOPPED:
                self.troubles += [self._door.why] if self._door.why else []
                return
            for claimed in self._claimed(ChangeKind.ADD, is_stopping):
                if self._tell(claimed):
                    self.done["added"] += len(claimed.stays)
                if self._door.is_shut:
                    return
        finally:
            self._door.leave()

    def look(self) -> None:
        """Ask of the removals that were taken whether they are effective."""
        at = self._now()
        for asked in self._stays.asked(self._outlet, at):
            try:
                effect = self._roster.look(asked.request, asked.taken_at, at)
            except DeliveryError as error:
                self._note(str(error))
                wait = error.retry_after or LOOKS_EVERY
                self._stays.ask_again(asked.stays, at + wait, str(error))
            else:
                self._settle(asked, effect, at)

    def _settle(self, asked: OpenRemoval, effect: Effect, at: datetime) -> None:
        if effect is Effect.EFFECTIVE and asked.is_of_messages:
            self._stays.settle_called_back(asked.stays, at)
            self.done["called back"] += len(asked.stays)
        elif effect in (Effect.EFFECTIVE, Effect.MISSED):
            self._stays.settle(asked.stays, at)
            self.done["off" if effect is Effect.EFFECTIVE else "missed"] += len(asked.stays)
        elif effect is Effect.FAILED:
            error = f"the removal {asked.request} failed, and is asked for again"
            self._note(error)
            self._stays.ask_again(asked.stays, at + FIRST_RETRY, error, is_failed=True)
        else:
            self._stays.ask_again(asked.stays, at + LOOKS_EVERY)

    def _now(self) -> datetime:
        return self._clock.now()

    def _note(self, trouble: str) -> None:
        self.troubles.append(f"{self._outlet}: {trouble}")

    def _claimed(self, kind: ChangeKind, is_stopping: Callable[[], bool]) -> Iterator[Claimed]:
        while not is_stopping() and self._in_a_row < FAILURES_IN_A_ROW:
            claimed = self._stays.claim(
                self._outlet, kind, self._now(), limit=self._roster.batch, lease=LEASE
            )
            if claimed is None:
                return
            yield claimed

    def _tell(self, claimed: Claimed) -> bool:
        change = ListChange(
            claimed.kind,
            claimed.destination,
            claimed.members,
            self._now(),
            lambda: self._stays.everybody(claimed.outlet, claimed.destination),
        )
        try:
            request = self._roster.tell(change)
        except DeliveryError as error:
            self._fail(claimed, error)
            return False
        except Exception as error:
            # A defect of the outlet: nobody can say whether it was told before it.
            logger.exception("the lists of %s failed", self._outlet)
            self._fail(claimed, UnknownFateError(f"{type(error).__name__}: {error}"))
            return False
        self._in_a_row = 0
        self._stays.take(claimed, request, self._now())
        self._door.hear([Handed(Fate.ACCEPTED)], self._now())
        return True

    def _fail(self, claimed: Claimed, error: DeliveryError) -> None:
        self._in_a_row += 1
        self._note(str(error))
        at = self._now()
        wait = error.retry_after or min(FIRST_RETRY * 2 ** min(claimed.attempts, 10), LONGEST_RETRY)
        is_unknown = isinstance(error, UnknownFateError)
        self._stays.fail(claimed, at + wait, str(error), is_unknown=is_unknown)
        if isinstance(error, OutletFaultError):
            self._door.hear([Handed(Fate.FAULT, str(error))], at)
