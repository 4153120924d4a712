"""The pages of a workspace's subscriptions, where somebody bills them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.urls import URLPattern

from rekindle.billing import build_biller_or_tell
from rekindle.desk import LedgerCustomers
from rekindle.runtime import Workspace
from rekindle.web.portal.subscription.pages import SubscriptionPages
from rekindle.worker import AccessKeeper


class WorkspaceSubscribers:
    """Who the people of one workspace are, as far as the pages have to know."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._customers = workspace, LedgerCustomers(workspace)
        self._access = AccessKeeper(workspace)

    def now(self) -> datetime:
        """Return the present."""
        return self._workspace.clock.now()

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""
        return self._customers.knows(person)

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""
        return self._customers.country_of(person)

    def kept(self) -> tuple[str, ...]:
        """Return what the business keeps for who left, in its own words."""
        return tuple(self._workspace.config.billing.kept)

    def page(self, name: str, token: str) -> str:
        """Return the whole address of a page."""
        return self._workspace.config.portal.page(name, token)

    def came_back(self, person: str, instead_of: str, subscription: str) -> None:
        """Have somebody's access restored, who came back and paid just now."""
        self._access.note_return(person, instead_of, subscription)


def build_subscription_routes(
    workspace: Workspace, shop_name: Callable[[], str]
) -> tuple[URLPattern, ...]:
    """Return the addresses of the pages, none where nobody bills or his keys are missing."""
    # Everything else of the portal works: people can leave a list whoever bills them.
    billing = workspace.config.billing
    biller = build_biller_or_tell(billing, "the pages of subscriptions are not served")
    if biller is None:
        return ()
    subscribers = WorkspaceSubscribers(workspace)
    return SubscriptionPages(biller, subscribers, workspace.secret, shop_name).routes()
