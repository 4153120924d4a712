"""What a biller says over HTTP: read by its folder, kept once, and acted on at once.

A payment that cleared, a subscription that was paused or ended, and one that is back end the
journeys about them in the transaction that keeps the notice. All else waits for the import.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from rekindle.billing import (
    BilledFact,
    Biller,
    Notice,
    SubscriptionState,
    build_biller_or_tell,
    write_fact,
)
from rekindle.errors import BusyError, EventError, WorkError
from rekindle.journeys import Signal, order_signal
from rekindle.journeys.population import PAYMENT_CLEARED, PAYMENT_DROPPED
from rekindle.ledger import AccessNote, HeardNotice, KeptNotices, mend
from rekindle.runtime import Workspace
from rekindle.subscriptions import name_start
from rekindle.vocabulary import SignalKind
from rekindle.worker.guarding import Guard
from rekindle.worker.hearing.following import RegisterFollower
from rekindle.worker.keeping.access import AccessKeeper, name_access

A_LITTLE = timedelta(microseconds=1)
PATIENCE_SECONDS = 5.0
"""How long a notice waits for another one to be taken before it is to be sent again."""

logger = logging.getLogger(__name__)


class BillerNotices:
    """Takes the notices of the biller of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._provider = workspace.config.billing.provider
        self._biller = build_biller_or_tell(
            workspace.config.billing, "notices of the biller are not taken"
        )
        self._notices = KeptNotices(workspace.ledger, workspace.book)
        self._access = AccessKeeper(workspace)
        self._register = RegisterFollower(workspace)
        # Providers send what happened in one second at once, in any order. One after the other,
        # the later one finds the earlier, and asks what is so.
        self._one_by_one = Lock()

    @property
    def providers(self) -> frozenset[str]:
        """Return whose notices are taken: the biller's, where its keys are there."""
        return frozenset([self._provider] if self._biller else ())

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Do what a notice calls for; return whether it was new.

        Raises:
            ForgedReportError, EventError: it is not signed, or cannot be read.
            WorkError: nothing was kept; the biller may send the same again.
        """
        assert self._biller is not None
        now = self._workspace.clock.now()
        try:
            notice = self._biller.read_notice(headers, body, now)
        except EventError as error:
            logger.warning("a notice of %s was refused: %s", self._provider, error)
            raise
        if notice is None:
            return False
        if not self._one_by_one.acquire(timeout=PATIENCE_SECONDS):
            raise BusyError("other notices are being taken")
        try:
            return self._take(self._biller, notice, now)
        except WorkError:
            mend(self._workspace.ledger)  # the next request opens a connection of its own
            raise
        finally:
            self._one_by_one.release()

    def _take(self, biller: Biller, notice: Notice, now: datetime) -> bool:
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        if self._notices.is_known(self._provider, notice.id):
            return False
        newest = self._notices.newest_of(self._provider, notice.thing)
        if newest is not None and newest >= notice.at:
            # Late, or of the same second: which of both is so, the biller knows.
            notice = _as_it_is(biller, replace(notice, at=newest + A_LITTLE))
        customer = _customer_of(notice.statements)
        # What is kept of facts may not be ahead of us, whatever the biller's clock says.
        signals = [replace(one, at=min(one.at, now)) for one in self._signals(notice, customer)]
        awaited = self._notices.awaited(customer) if signals else frozenset[str]()
        ending = [one for one in signals if self._ends(biller, notice, one, awaited)]
        heard, accesses = self._as_heard(notice, customer), list(self._accesses(notice, customer))
        taken = self._notices.take(heard, ending, now, accesses=accesses)
        guard.note()
        if taken and accesses:
            self._access.tell_soon()
        if taken:
            self._register.heard(customer, notice.statements, notice.at)
        return taken

    def finish(self) -> None:
        """Wait until what notices began beside is over."""
        self._register.finish()

    def _accesses(self, notice: Notice, customer: str) -> Iterator[AccessNote]:
        """Yield the access that a notice restores, where anybody wants to be told."""
        if not (notice.restored and self._access.is_on):
            return
        # By these names the page on which people come back calls it, too.
        told, back = (notice.instead_of, notice.restored), bool(notice.instead_of)
        yield AccessNote(
            id=name_access(self._provider, *(told if back else (notice.restored, notice.id))),
            provider=self._provider,
            subscription=notice.restored,
            customer=customer,
            because="came_back" if back else "paid",
            paid_at=notice.at,
        )

    def _ends(self, biller: Biller, notice: Notice, one: Signal, awaited: frozenset[str]) -> bool:
        """Return whether somebody waits for it, and owes nothing else where it is of a payment."""
        if one.kind in (SignalKind.RESUME, SignalKind.ORDER):
            return True
        stopped = next((s.key for s in notice.statements if s.table == "subscriptions"), "")
        return one.name in awaited and not biller.is_owing(notice.customer, besides=stopped)

    def _signals(self, notice: Notice, customer: str) -> Iterator[Signal]:
        """Yield what happened to whose it is, as the facts will say it."""
        if not customer:
            return
        provider, kind = self._provider, SignalKind.EVENT
        own = json.dumps(["notice", provider, notice.id], ensure_ascii=False)
        if notice.is_back:
            yield Signal(customer, SignalKind.RESUME, notice.at, own)
        if notice.instead_of:
            yield order_signal(customer, notice.at, provider, own)
        for one in notice.statements:
            row = one.row
            if one.table == "invoices":
                # By the key that an import gives it, so that it is recorded once.
                for name, at in (
                    (PAYMENT_CLEARED, row.get("paid_at")),
                    (PAYMENT_DROPPED, row.get("voided_at") or row.get("given_up_at")),
                ):
                    key = json.dumps([name, provider, f"invoice:{one.key}"], ensure_ascii=False)
                    if at is not None:
                        yield Signal(customer, kind, at, key, name)
            elif _stops(one):
                yield Signal(customer, kind, notice.at, own, PAYMENT_DROPPED)
            elif one.table == "subscriptions" and (began := _start_of(one)) is not None:
                yield order_signal(customer, began, provider, name_start(one.key))

    def _as_heard(self, notice: Notice, customer: str) -> HeardNotice:
        lines = [write_fact(one, notice.at) for one in notice.statements]
        # Facts in a warehouse come there by another way.
        is_ours = self._workspace.config.facts.warehouse is None
        return HeardNotice(
            provider=self._provider,
            event=notice.id,
            kind=notice.kind,
            thing=notice.thing,
            customer=customer,
            at=notice.at,
            statements="\n".join(lines) if is_ours else "",
        )


def _as_it_is(biller: Biller, notice: Notice) -> Notice:
    """Return a late notice by what is so today; nobody is back in what ended or rests since."""
    notice = biller.renew(notice)
    if not (notice.is_back or notice.restored or notice.instead_of):
        return notice
    standing = biller.look(notice.restored or notice.thing)
    if standing is not None and standing.state is SubscriptionState.ACTIVE:
        return notice
    return replace(notice, is_back=False, restored="", instead_of="")


def _stops(one: BilledFact) -> bool:
    """Return whether a subscription is not to be paid any more: it rests, or will end."""
    row = one.row
    if one.table == "subscriptions":
        return row.get("cancelled_at") is not None or row.get("ended_at") is not None
    return one.table == "pauses"


def _start_of(one: BilledFact) -> datetime | None:
    """Return since when a subscription is paid for; None for a trial."""
    began, tried = one.row.get("started_at"), one.row.get("trial_ends_at")
    if not isinstance(began, datetime) or one.row.get("is_trial"):
        return None
    return max(began, tried) if isinstance(tried, datetime) else began


def _customer_of(statements: Iterable[BilledFact]) -> str:
    """Return whom statements are of, as the facts name them; "" where they do not say."""
    said = (one.row.get("customer_id") for one in statements)
    return next((str(one) for one in said if one), "")
