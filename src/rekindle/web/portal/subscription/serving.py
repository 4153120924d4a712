"""The pages of a workspace's subscriptions, where somebody bills them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from django.urls import URLPattern

from rekindle.billing import BilledStanding, Biller, Instruction, build_biller_or_tell, find_billers
from rekindle.desk import LedgerCustomers
from rekindle.ledger import BelongingsRegister, Instructions
from rekindle.runtime import Workspace
from rekindle.web.portal.subscription.leaving import LeavingPages
from rekindle.web.portal.subscription.pages import SubscriptionPages
from rekindle.web.portal.subscription.telling import KeptThings
from rekindle.worker import AccessKeeper, Carried, Guard, InstructionKeeper, read_instruction


class WorkspaceSubscribers:
    """Who the people of one workspace are, as far as the pages have to know, and what they tell."""

    def __init__(self, workspace: Workspace, biller: Biller | None = None) -> None:
        self._workspace, self._customers = workspace, LedgerCustomers(workspace)
        self._access = AccessKeeper(workspace)
        self._register = BelongingsRegister(workspace.ledger)
        self._keeper = InstructionKeeper(workspace, biller)
        self._told = Instructions(workspace.ledger, workspace.config.billing.provider)

    def now(self) -> datetime:
        """Return the present."""
        return self._workspace.clock.now()

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""
        return self._customers.knows(person)

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""
        return self._customers.country_of(person)

    def kept(self, person: str) -> KeptThings | None:
        """Return what is or was kept for somebody who left; None where nothing is on record."""
        settled = self._workspace.book.persons.find([person])[person]
        found = self._register.newest_of([settled]).get(settled)
        if found is None or found.closed:
            return None
        today = self.now().astimezone(self._workspace.zone).date()
        return KeptThings(found.what, found.kept_until, found.state(today))

    def page(self, name: str, token: str) -> str:
        """Return the whole address of a page."""
        return self._workspace.config.portal.page(name, token)

    def tell(
        self,
        person: str,
        told: Instruction,
        standing: BilledStanding | None,
        *,
        looked_at: datetime,
        evidence: str,
    ) -> Carried:
        """Write down what somebody told in the newest ledger only, and do it."""
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        became = self._keeper.tell(person, told, standing, looked_at=looked_at, evidence=evidence)
        guard.note()
        return became

    def call_off(self, subscription: str) -> None:
        """Let nothing that was told of a subscription before wait any more."""
        self._told.call_off(subscription, self.now())

    def came_back(self, person: str, instead_of: str, subscription: str) -> None:
        """Have somebody's access restored, who came back and paid just now."""
        self._access.note_return(person, instead_of, subscription)

    def day_of(self, at: datetime) -> date:
        """Return the day of an instant where the business is."""
        return at.astimezone(self._workspace.zone).date()

    def waiting(self, subscription: str) -> Instruction | None:
        """Return what was told of a subscription and is not done yet."""
        entry = self._told.waiting_of(subscription)
        return None if entry is None else read_instruction(entry)

    def was_given(self, subscription: str) -> bool:
        """Return whether an offer was taken for a subscription before."""
        return self._told.was_given(subscription)


def build_subscription_routes(
    workspace: Workspace, shop_name: Callable[[], str]
) -> tuple[URLPattern, ...]:
    """Return the addresses of the pages, none where nobody bills or his keys are missing."""
    # Everything else of the portal works: people can leave a list whoever bills them.
    billing = workspace.config.billing
    biller = build_biller_or_tell(billing, "the pages of subscriptions are not served")
    if biller is None:
        return ()
    people = WorkspaceSubscribers(workspace, biller)
    can = find_billers()[billing.provider].abilities
    settings = workspace.config.subscriptions.leaving
    if not (can.can_pause and can.pause_spares_paid):
        settings = settings.model_copy(update={"pause_months": ()})
    if not can.can_change:
        settings = settings.model_copy(update={"plans": (), "discount": "", "offer": ""})
    return (
        *SubscriptionPages(biller, people, workspace.secret, shop_name).routes(),
        *LeavingPages(biller, people, workspace.secret, shop_name, settings).routes(),
    )
