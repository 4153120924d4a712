"""Tries failed payments again by the schedule in the settings, and never twice.

A retry is written down before the biller is asked, under a key that names the invoice and the
number of the retry. Whoever dies in between leaves a row without an answer, which is asked again
with that key: the biller answers as before. Just before each, the biller is asked how the
subscription stands, so that nobody is charged after a cancel, a pause or a payment.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

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
    build_failures,
    decide_retry,
    judge_decline,
)

EVERY = timedelta(minutes=5)
COUNTED = timedelta(days=30)
MOST_AT_ONCE = 200
PREFIX = "invoice:"

logger = logging.getLogger(__name__)


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
        self._told = Instructions(workspace.ledger, billing.provider)
        self._looked_at: datetime | None = None
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
        space, biller = self._workspace, self._biller
        now = space.clock.now()
        is_early = self._looked_at is not None and timedelta() <= now - self._looked_at < EVERY
        if biller is None or is_early or not space.has_facts:
            return 0
        self._looked_at = now
        charges = Charges(space.ledger, space.config.billing.provider)
        count = sum(self._ask_again(biller, charges, one) for one in charges.claim_unanswered(now))
        for owed in self._due(charges, now):
            if is_stopping():
                break
            if (done := self._try(biller, charges, owed)) is None:
                break
            count += done
        return count

    def _try(self, biller: Biller, charges: Charges, owed: OwedPayment) -> bool | None:
        """Try one payment if it still may be; None where the rest is not to be tried either."""
        now, number = self._workspace.clock.now(), owed.retries + 1
        if self._told.waiting_of(owed.subscription) is not None:
            return False  # the biller does not know yet that they cancelled, or paused
        try:
            standing = biller.look(owed.subscription)
        except BillerError as error:
            logger.error("retries wait: %s", error)
            return None
        why = find_reason_against(standing, owed.invoice)
        if why == "provider_retries":
            logger.warning("retries of ours are off: the biller retries %s itself", owed.invoice)
            return None
        entry = charges.begin(owed.invoice, number, now, skipped=why)
        return entry is not None and not why and self._ask(biller, charges, entry)

    def _ask_again(self, biller: Biller, charges: Charges, entry: ChargeEntry) -> bool:
        """Ask for the answer that nobody wrote down, while its key is known to the biller."""
        now = self._workspace.clock.now()
        if now - entry.asked_at < self._keys_live:
            try:
                has_stopped = self._has_stopped(biller, entry.invoice)
            except BillerError as error:
                logger.error("retries wait: %s", error)
                return False
            if not has_stopped:
                return self._ask(biller, charges, entry)
        # With the key forgotten, or by who stopped since, it would be another try where the first
        # was none. What came of that the facts will say.
        charges.answer(entry, "unknown", now, ("", "", ""))
        logger.error("what came of %s is not known; see the biller", entry.key)
        return False

    def _has_stopped(self, biller: Biller, invoice: str) -> bool:
        """Return whether whoever owes an invoice has cancelled, paused or told so since."""
        engine, facts = self._workspace.reading
        rows = facts.more["invoices"]
        named = rows.filter(rows.invoice_id == invoice).select("subscription_id").limit(1)
        found = [one["subscription_id"] for one in engine.run(named).to_pylist()]
        if not found or found[0] is None:
            return False
        if self._told.waiting_of(str(found[0])) is not None:
            return True
        standing = biller.look(str(found[0]))
        if standing is None or standing.leaves_at is not None:
            return True
        return standing.state in {SubscriptionState.PAUSED, SubscriptionState.ENDED}

    def _ask(self, biller: Biller, charges: Charges, entry: ChargeEntry) -> bool:
        now = self._workspace.clock.now
        try:
            became = biller.charge(entry.invoice, key=entry.key)
        except BillerRefusedError as error:
            charges.answer(entry, "refused", now(), (str(error)[:100], "", ""))
            return False
        except BillerError as error:
            logger.error("%s was not answered, and is asked for again: %s", entry.key, error)
            return False
        charges.answer(entry, became.outcome.value, now(), _codes(became))
        return True

    def _due(self, charges: Charges, now: datetime) -> Iterator[OwedPayment]:
        """Yield the payments that are to be tried now, those that failed first first."""
        owed = self._owed(charges, now)
        due = [
            one
            for one in owed
            if isinstance(at := decide_retry(one, self._schedule), datetime) and at <= now
        ]
        yield from sorted(due, key=lambda one: (one.failed_at, one.invoice))[:MOST_AT_ONCE]

    def _owed(self, charges: Charges, now: datetime) -> Sequence[OwedPayment]:
        """Return what failed and is owed, by the facts and by what was tried since."""
        engine, facts = self._workspace.reading
        provider = self._workspace.config.billing.provider
        cases = build_failures(facts, now)
        cases = cases.filter(cases.is_owed & cases.ended_at.isnull() & (cases.source == provider))
        rows = [one for one in engine.run(cases).to_pylist() if one["subscription_id"]]
        found = {one["case"].removeprefix(PREFIX): one for one in rows if _has_invoice(one)}
        tried = self._tries(now, {one["customer_id"] for one in found.values()})
        own: dict[str, list[ChargeEntry]] = defaultdict(list)
        for entry in charges.of_invoices(found):
            own[entry.invoice].append(entry)
        return [
            _owed_payment(invoice, case, tried[case["customer_id"]], own[invoice], now)
            for invoice, case in found.items()
        ]

    def _tries(self, now: datetime, people: set[Any]) -> Mapping[str, list[Mapping[str, Any]]]:
        """Return every try of these people within the days that networks count, oldest first."""
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        if not people:
            return found
        engine, facts = self._workspace.reading
        owing = pa.table({"customer_id": pa.array(sorted(people), pa.string())})
        rows = facts.more["payments"].semi_join(engine.bring("people_owing", owing), "customer_id")
        rows = rows.filter((rows.attempted_at > now - COUNTED) & (rows.attempted_at <= now))
        rows = rows.select(
            "customer_id",
            "invoice_id",
            "attempted_at",
            "network",
            "decline_code",
            "advice_code",
            "network_advice_code",
        )
        for one in engine.run(rows.order_by("attempted_at")).to_pylist():
            found[one["customer_id"]].append(one)
        return found


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


def _owed_payment(
    invoice: str,
    case: Mapping[str, Any],
    tried: Sequence[Mapping[str, Any]],
    own: Sequence[ChargeEntry],
    now: datetime,
) -> OwedPayment:
    """Return one payment. A try of ours that the facts have too counts twice: the stricter."""
    kind = DeclineKind(case["kind"])
    said = [one for one in tried if one["invoice_id"] == invoice and one["decline_code"]]
    if said:
        codes = said[-1]
        kind = judge_decline(
            codes["decline_code"], codes["advice_code"], codes["network_advice_code"]
        )
    answered = [one for one in own if one.state in {"declined", "authenticate"}]
    if answered:
        last = answered[-1]
        kind = judge_decline(last.decline_code, last.advice_code, last.network_advice_code)
    made = [one.asked_at for one in own if one.state != "skipped" and one.asked_at > now - COUNTED]
    return OwedPayment(
        invoice=invoice,
        subscription=str(case["subscription_id"]),
        customer=str(case["customer_id"]),
        failed_at=case["failed_at"],
        kind=kind,
        network=next((str(one["network"]) for one in reversed(said) if one["network"]), ""),
        tries=sorted([*(one["attempted_at"] for one in tried), *made]),
        retries=len(own),
    )


def _has_invoice(case: Mapping[str, Any]) -> bool:
    return str(case["case"]).startswith(PREFIX)


def _codes(became: Charge) -> tuple[str, str, str]:
    return became.decline_code, became.advice_code, became.network_advice_code
