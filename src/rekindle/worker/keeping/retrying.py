"""Tries failed payments again by the schedule in the settings, and never twice.

A retry is written down before the biller is asked, under a key that names the invoice and the
number of the retry. Whoever dies in between leaves a row without an answer, which is asked again
with that key: the biller answers as before. Just before each, the biller is asked how the
subscription stands, so that nobody is charged after a cancel, a pause or a payment.

What is due is found by a pass; the biller is asked beside it, so that one who answers slowly
holds up retries alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.billing import (
    BilledStanding,
    Biller,
    Charge,
    SubscriptionState,
    build_biller_or_tell,
    find_billers,
)
from rekindle.errors import BillerError, BillerRefusedError
from rekindle.ledger import ChargeEntry, Charges, Instructions
from rekindle.runtime import Workspace
from rekindle.subscriptions import (
    DeclineKind,
    OwedPayment,
    decide_retry,
    judge_decline,
    learn_retry_hour,
    say_hour,
)
from rekindle.worker.keeping.beside import SideRound
from rekindle.worker.keeping.owing import find_owed, find_subscriptions

EVERY = timedelta(minutes=5)
LEARNT_EVERY = timedelta(days=1)
MOST_AT_ONCE = 200
MOST_UNANSWERED = 3
"""In a row: from there on a round is over. Whoever does not answer three answers none."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryRound:
    """What one pass found: payments to be tried, and retries whose answer nobody wrote down.

    These come with the subscription they are of, "" where the facts do not know it.
    """

    due: Sequence[OwedPayment]
    unanswered: Sequence[tuple[ChargeEntry, str]]


class RetryKeeper:
    """Retries for one workspace; nothing where no schedule is set."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._schedule = workspace.config.billing.retries
        billing = workspace.config.billing
        self._biller = (
            build_biller_or_tell(billing, "failed payments are not tried again")
            if self._schedule
            else None
        )
        self._charges = Charges(workspace.ledger, billing.provider)
        self._told = Instructions(workspace.ledger, billing.provider)
        self._looked_at: datetime | None = None
        self._round = SideRound(workspace, "retries", "retries wait")
        self._learnt: tuple[datetime, int | None] | None = None
        self._misses = 0
        self._missed: set[str] = set()
        # How long the biller knows a key: from there on, the same key would be another try.
        self._keys_live = timedelta()
        if self._biller is not None:
            abilities = find_billers()[billing.provider].abilities
            self._keys_live = abilities.keys_live
            if not abilities.can_charge:
                logger.error(
                    "%s takes no payment when it is asked to: no retries", billing.provider
                )
                self._biller = None

    def look(self, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Try what is due; return how many were answered."""
        found = self._find()
        return 0 if found is None else self._go_round(found, is_stopping)

    def look_soon(self, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Find what is due, and try it in a thread of its own; one at a time."""
        if self._round.is_going:
            return
        if (found := self._find()) is not None:
            self._round.begin(lambda: self._go_beside(found, is_stopping))

    def finish(self) -> None:
        """Wait until what was begun is over."""
        self._round.finish()

    def _find(self) -> RetryRound | None:
        """Return what there is to do, by the facts and the ledger; None for nothing."""
        space, now = self._workspace, self._workspace.clock.now()
        is_early = self._looked_at is not None and timedelta() <= now - self._looked_at < EVERY
        if self._biller is None or is_early or not space.has_facts:
            return None
        self._looked_at = now
        left = self._charges.claim_unanswered(now)
        named = find_subscriptions(space, [one.invoice for one in left])
        unanswered = [(one, named.get(one.invoice, "")) for one in left]
        found = RetryRound(self._due(now), unanswered)
        return found if found.due or found.unanswered else None

    def _due(self, now: datetime) -> Sequence[OwedPayment]:
        """Return the payments that are to be tried now, one a person, the longest owed first."""
        hour = self._hour(now)
        due = [
            one
            for one in find_owed(self._workspace, self._charges, now)
            if isinstance(at := decide_retry(one, self._schedule, hour), datetime) and at <= now
        ]
        due.sort(key=lambda one: (one.failed_at, one.invoice), reverse=True)
        # Of two that one person owes, the second waits as long as it would after any other try.
        first = {one.customer: one for one in due}
        # Those of which the biller said nothing last time come last: they hold up no other.
        self._missed &= {one.invoice for one in due}
        return sorted(
            first.values(),
            key=lambda one: (one.invoice in self._missed, one.failed_at, one.invoice),
        )[:MOST_AT_ONCE]

    def _hour(self, now: datetime) -> int | None:
        """Return the hour at which retries are made, None for the schedule's; learnt daily."""
        space = self._workspace
        if space.config.billing.retry_hour != "learnt":
            return None
        if self._learnt is None or now - self._learnt[0] >= LEARNT_EVERY:
            engine, facts = space.reading
            choice = learn_retry_hour(facts, engine.run, as_of=now)
            self._learnt = now, choice.hour
            logger.info("retries are made %s", say_hour(choice))
        return self._learnt[1]

    def _go_beside(self, found: RetryRound, is_stopping: Callable[[], bool]) -> None:
        if tried := self._go_round(found, is_stopping):
            logger.info("%d failed payments were tried again", tried)

    def _go_round(self, found: RetryRound, is_stopping: Callable[[], bool]) -> int:
        count, biller = 0, self._biller
        assert biller is not None
        self._misses = 0
        for owed in found.due:
            if is_stopping() or self._misses >= MOST_UNANSWERED:
                return count
            if (done := self._try(biller, owed)) is None:
                break
            count += done
        # Last, so that what is never answered holds up nothing.
        for entry, subscription in found.unanswered:
            if is_stopping() or self._misses >= MOST_UNANSWERED:
                return count
            count += self._ask_again(biller, entry, subscription)
        return count

    def _try(self, biller: Biller, owed: OwedPayment) -> bool | None:
        """Try one payment if it still may be; None where the rest is not to be tried either."""
        now, number = self._workspace.clock.now(), owed.retries + 1
        if self._told.waiting_of(owed.subscription) is not None:
            return False  # the biller does not know yet that they cancelled, or paused
        try:
            standing = biller.look(owed.subscription)
        except BillerError as error:
            self._missed.add(owed.invoice)
            self._miss(error, "retries wait: %s", error)
            return False
        self._misses = 0
        self._missed.discard(owed.invoice)
        why = find_reason_against(standing, owed.invoice)
        if why == "provider_retries":
            logger.warning("retries of ours are off: the biller retries %s itself", owed.invoice)
            return None
        entry = self._charges.begin(owed.invoice, number, now, skipped=why)
        return entry is not None and not why and self._ask(biller, entry)

    def _ask_again(self, biller: Biller, entry: ChargeEntry, subscription: str) -> bool:
        """Ask for the answer that nobody wrote down, while its key is known to the biller."""
        now = self._workspace.clock.now()
        if now - entry.asked_at < self._keys_live:
            try:
                has_stopped = self._has_stopped(biller, subscription)
            except BillerError as error:
                self._miss(error, "retries wait: %s", error)
                return False
            if not has_stopped:
                return self._ask(biller, entry)
        # With the key forgotten, or by who stopped since, it would be another try where the first
        # was none. What came of that the facts will say.
        self._charges.answer(entry, "unknown", now)
        logger.error("what came of %s is not known; see the biller", entry.key)
        return False

    def _has_stopped(self, biller: Biller, subscription: str) -> bool:
        """Return whether whoever owes for a subscription has cancelled, paused or told so since."""
        if not subscription:
            return False
        if self._told.waiting_of(subscription) is not None:
            return True
        standing = biller.look(subscription)
        if standing is None or standing.leaves_at is not None:
            return True
        return standing.state in {SubscriptionState.PAUSED, SubscriptionState.ENDED}

    def _ask(self, biller: Biller, entry: ChargeEntry) -> bool:
        now = self._workspace.clock.now
        try:
            became = biller.charge(entry.invoice, key=entry.key)
        except BillerRefusedError as error:
            self._charges.answer(entry, "refused", now(), (str(error)[:100], "", ""))
            return False
        except BillerError as error:
            self._miss(error, "%s was not answered, and is asked for again: %s", entry.key, error)
            return False
        self._misses = 0
        state, codes = became.outcome.value, _codes(became)
        self._charges.answer(entry, state, now(), codes, payment=became.payment)
        return True

    def _miss(self, error: BillerError, text: str, *told: object) -> None:
        """Note that something was not answered; what is refused says nothing of the others."""
        self._misses += not isinstance(error, BillerRefusedError)
        logger.error(text, *told)


def find_reason_against(standing: BilledStanding | None, invoice: str) -> str:
    """Return why an invoice may not be charged as its subscription stands, "" where it may."""
    if standing is None:
        return "gone"
    if standing.state is not SubscriptionState.OWING:
        return standing.state.value
    if standing.leaves_at is not None:
        return "cancelled"
    waiting = standing.open_invoice
    if waiting is None or waiting.id != invoice:
        return "not_open"
    if waiting.retried_at is not None:
        return "provider_retries"
    known = judge_decline(waiting.decline_code, waiting.advice_code, None)
    return "" if known is DeclineKind.SOFT else f"declined_{known.value}"


def _codes(became: Charge) -> tuple[str, str, str]:
    return became.decline_code, became.advice_code, became.network_advice_code
