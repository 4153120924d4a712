"""Carries out what subscribers tell their biller, each word once, and again where nobody answered.

A row is written first. Whoever dies after it, or hears no answer, leaves it to the worker, which
looks how things stand and asks again under the same key. What a newer word overtook is not asked.
The biller is asked beside the pass, so that one who answers slowly holds up nothing else: a retry
looks for words that wait before it charges anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.billing import (
    BilledStanding,
    Biller,
    Instruction,
    InstructionKind,
    build_biller_or_tell,
    carry_out,
    is_moot,
    is_so,
)
from rekindle.errors import BillerError, BillerRefusedError
from rekindle.feedback import LEFT, event_of, read_reason
from rekindle.journeys import Signal
from rekindle.journeys.population import PAYMENT_DROPPED
from rekindle.ledger import InstructionEntry, Instructions, ledger_transaction
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.worker.keeping.beside import SideRound

# What is not to be paid any more ends the journeys that ask for the money.
DROPS = frozenset({InstructionKind.CANCEL, InstructionKind.PAUSE})

MOST_UNANSWERED = 3
"""After so many in a row the biller is away, and is left in peace until the next round."""
IF_SILENT, IF_REFUSED = timedelta(minutes=1), timedelta(hours=1)
"""After which time one is asked for again, of which the biller said nothing or would not look."""

logger = logging.getLogger(__name__)


class Carried(StrEnum):
    """What became of an instruction."""

    DONE = "done"
    REFUSED = "refused"  # the biller will not do it
    MOOT = "moot"  # its time had passed, or the subscription ended, before anybody answered
    WAITING = "waiting"  # the biller does not answer; it is asked again


class InstructionKeeper:
    """The instructions of one workspace's subscribers."""

    def __init__(self, workspace: Workspace, biller: Biller | None = None) -> None:
        self._workspace = workspace
        billing = workspace.config.billing
        self._biller = biller or build_biller_or_tell(
            billing, "what subscribers told the biller is not carried out"
        )
        self._instructions = Instructions(workspace.ledger, billing.provider)
        self._round = SideRound(workspace, "instructions", "what subscribers told waits")

    def tell(
        self,
        person: str,
        told: Instruction,
        standing: BilledStanding | None,
        *,
        looked_at: datetime,
        evidence: str,
    ) -> Carried:
        """Write down what a subscriber told, and do it.

        ``standing`` is how the subscription stood at ``looked_at``, None where the biller did not
        answer even that: then it is done later.

        Raises:
            WorkError: it could not be written down, and nothing was asked.
        """
        space = self._workspace
        at, settled = space.clock.now(), space.book.persons.find([person])[person]
        row = InstructionEntry(
            id=0,
            subscription=told.subscription,
            number=0,
            person=settled,
            kind=told.kind.value,
            argument=told.argument,
            reason=told.reason,
            words=told.words,
            state="",
            asked_at=at,
            evidence=evidence,
        )
        entry, is_mine = self._instructions.begin(row, at, looked_at=looked_at)
        if not is_mine:
            return Carried.WAITING if entry.is_waiting else Carried.DONE
        if standing is None:
            self._instructions.put_off(entry, at, IF_SILENT)
            return Carried.WAITING
        return self._ask(entry, standing.customer)

    def look(self, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Ask again for what nobody answered; return how much of it is done."""
        if self._biller is None:
            return 0
        return self._go_round(self._biller, self._find(), is_stopping)

    def look_soon(self, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Find what nobody answered, and ask again in a thread of its own; one at a time."""
        if (biller := self._biller) is None or self._round.is_going:
            return
        if found := self._find():
            self._round.begin(lambda: self._go_beside(biller, found, is_stopping))

    def finish(self) -> None:
        """Wait until what was begun is over."""
        self._round.finish()

    def _find(self) -> Sequence[InstructionEntry]:
        return self._instructions.claim_unanswered(self._workspace.clock.now())

    def _go_beside(
        self, biller: Biller, found: Sequence[InstructionEntry], is_stopping: Callable[[], bool]
    ) -> None:
        if carried := self._go_round(biller, found, is_stopping):
            logger.info("%d instructions of subscribers were carried out", carried)

    def _go_round(
        self, biller: Biller, found: Sequence[InstructionEntry], is_stopping: Callable[[], bool]
    ) -> int:
        count = misses = 0
        for entry in found:
            if is_stopping() or misses >= MOST_UNANSWERED:
                break
            try:
                became = self._ask_again(biller, entry)
            except BillerError as error:
                # That may be the biller's trouble with this one alone, and a refusal surely is.
                is_refused = isinstance(error, BillerRefusedError)
                became = Carried.REFUSED if is_refused else Carried.WAITING
                wait = IF_REFUSED if is_refused else IF_SILENT
                self._instructions.put_off(entry, self._workspace.clock.now(), wait)
                logger.error("%s waits: %s", entry.key, error)
            misses = misses + 1 if became is Carried.WAITING else 0
            count += became is Carried.DONE
        return count

    def _ask_again(self, biller: Biller, entry: InstructionEntry) -> Carried:
        """Look how things stand, and ask again where it is not done.

        Raises:
            BillerError: the biller does not say how things stand.
        """
        now, standing = self._workspace.clock.now(), biller.look(entry.subscription)
        if standing is None or is_moot(read_instruction(entry), standing, now):
            self._instructions.answer(entry, Carried.MOOT, now, trouble="too late")
            logger.error("%s came too late: see the biller", entry.key)
            return Carried.MOOT
        if is_so(read_instruction(entry), standing):
            self._settle(entry, standing.customer)
            return Carried.DONE
        return self._ask(entry, standing.customer)

    def _ask(self, entry: InstructionEntry, customer: str) -> Carried:
        biller = self._biller
        assert biller is not None
        try:
            carry_out(biller, read_instruction(entry), key=entry.key)
        except BillerRefusedError as error:
            now = self._workspace.clock.now()
            self._instructions.answer(entry, Carried.REFUSED, now, trouble=str(error))
            logger.error("%s was refused: %s", entry.key, error)
            return Carried.REFUSED
        except BillerError as error:
            logger.error("%s was not answered, and is asked for again: %s", entry.key, error)
            self._instructions.put_off(entry, self._workspace.clock.now(), IF_SILENT)
            return Carried.WAITING
        self._settle(entry, customer)
        return Carried.DONE

    def _settle(self, entry: InstructionEntry, customer: str) -> None:
        """Write down that it is done, with all that follows from it, or nothing."""
        space, now = self._workspace, self._workspace.clock.now()
        signals = list(self._follows(entry, customer, now))
        is_gone = entry.kind == InstructionKind.CANCEL
        with ledger_transaction(space.ledger):
            self._instructions.answer(entry, Carried.DONE, now)
            if signals:
                space.book.record(signals, now)
            if is_gone and entry.reason:
                detail = {"reason": entry.reason, "words": entry.words, "of": "subscription"}
                space.audit_log.write("portal", LEFT, entry.person, detail, now)

    def _follows(self, entry: InstructionEntry, customer: str, at: datetime) -> list[Signal]:
        """Return what people did by it, as journeys know it."""
        kind, own = InstructionKind(entry.kind), entry.key
        found = []
        if kind in DROPS and not self._is_owing_besides(entry, customer):
            found.append(Signal(entry.person, SignalKind.EVENT, at, own, PAYMENT_DROPPED))
        if kind is InstructionKind.RESUME:
            found.append(Signal(entry.person, SignalKind.RESUME, at, own))
        if kind is InstructionKind.CANCEL and entry.reason:
            word = event_of(read_reason(entry.reason))
            found.append(Signal(entry.person, SignalKind.EVENT, at, f"{own}:why", word))
        return found

    def _is_owing_besides(self, entry: InstructionEntry, customer: str) -> bool:
        """Return whether somebody owes for another subscription, or nobody can say just now."""
        assert self._biller is not None
        try:
            return self._biller.is_owing(customer, besides=entry.subscription)
        except BillerError as error:
            logger.warning("what %s ends is left to the biller's notice: %s", entry.key, error)
            return True


def read_instruction(entry: InstructionEntry) -> Instruction:
    """Return what somebody told, of the row that it is."""
    return Instruction(
        entry.subscription,
        InstructionKind(entry.kind),
        entry.argument,
        entry.reason,
        entry.words,
    )
