"""The portal of a workspace, ready to be served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rekindle.desk import LedgerCustomers, LedgerOptOuts, PendingYes
from rekindle.feedback import LeaveReason
from rekindle.runtime import Workspace
from rekindle.web.portal.app import build_app
from rekindle.web.portal.interfaces import Choices, Chosen, OptOuts, Question
from rekindle.web.portal.subscription.serving import build_subscription_routes
from rekindle.worker import Guard, Health, LedgerClicks, LedgerOpens, LedgerWaysBack

PASS_EVERY_SECONDS = 60.0


class GuardedOptOuts:
    """Writes to the newest ledger only, and sets the mark behind what was written."""

    def __init__(self, opt_outs: OptOuts, workspace: Workspace) -> None:
        self._opt_outs, self._workspace = opt_outs, workspace

    def shop_name(self) -> str:
        """Return the name people know the business by."""
        return self._opt_outs.shop_name()

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        """Take the person off the list, unless the ledger is an older copy of itself.

        Raises:
            WorkError: it is, or it is away; the person is told to try again.
        """
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        self._opt_outs.unsubscribe(person, list_id, at_source=at_source, channel=channel)
        guard.note()


class GuardedCustomers:
    """Lets customers act on the newest ledger only, and sets the mark behind what they did.

    Raises:
        WorkError: the ledger is an older copy of itself, or away; they are told to try again.
    """

    def __init__(self, customers: LedgerCustomers, workspace: Workspace) -> None:
        self._customers, self._workspace = customers, workspace

    def now(self) -> datetime:
        """Return the present."""
        return self._customers.now()

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""
        return self._customers.knows(person)

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""
        return self._customers.country_of(person)

    def look(self, person: str) -> Choices | None:
        """Return what somebody gets; None for nobody, and for who was forgotten."""
        found = self._customers.look(person)
        if found is None:
            return None
        return Choices(
            found.channels,
            found.topics,
            found.every_days,
            found.snoozed_until,
            found.country,
            found.zone,
        )

    def choose(self, person: str, wish: Chosen) -> None:
        """Do what somebody chose."""
        with self._guarded():
            self._customers.choose(person, wish.channels, wish.topics, wish.every_days, wish.words)

    def snooze(self, person: str, until: datetime | None) -> None:
        """Write no marketing to somebody until then; None ends a pause."""
        with self._guarded():
            self._customers.snooze(person, until)

    def leave(self, person: str) -> None:
        """Take somebody off every list."""
        with self._guarded():
            self._customers.leave(person)

    def answer(self, person: str, reason: LeaveReason, words: str) -> None:
        """Keep why somebody left."""
        with self._guarded():
            self._customers.answer(person, reason, words)

    def question(self, person: str, about: str) -> Question | None:
        """Return which yes a link is about and what became of it."""
        return _question(self._customers.question(person, about))

    def confirm(self, person: str, about: str, words: str) -> Question | None:
        """Confirm the yes in these words if that is still open."""
        with self._guarded():
            return _question(self._customers.confirm(person, about, words))

    def export(self, person: str) -> str:
        """Return what is on record of somebody, as JSON."""
        with self._guarded():
            return self._customers.export(person)

    def erase(self, person: str) -> None:
        """Forget somebody."""
        with self._guarded():
            self._customers.erase(person)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        yield
        guard.note()


def _question(found: PendingYes | None) -> Question | None:
    if found is None:
        return None
    return Question(found.state, found.channel, found.words, found.country)


def build_portal(
    workspace: Workspace, *, every_seconds: float = PASS_EVERY_SECONDS
) -> Callable[..., object]:
    """Return the portal of ``workspace`` as a WSGI application.

    A worker is expected to pass about every so many seconds.
    """
    workspace.ledger  # noqa: B018 - connect and migrate before the first request
    health = Health(workspace, every_seconds=every_seconds)
    opt_outs = GuardedOptOuts(LedgerOptOuts(workspace), workspace)
    portal = build_app(
        opt_outs,
        workspace.secret,
        find_trouble=health.find_trouble,
        clicks=LedgerClicks(workspace),
        opens=LedgerOpens(workspace),
        ways_back=LedgerWaysBack(workspace),
        customers=GuardedCustomers(LedgerCustomers(workspace), workspace),
    )
    return portal.also(build_subscription_routes(workspace, opt_outs.shop_name))
