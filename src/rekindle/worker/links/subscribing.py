"""The link in a message that leads to its reader's subscription."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.runtime import Workspace

TABLE = "subscriptions"


def find_subscriptions(
    workspace: Workspace, people: Iterable[str], at: datetime
) -> Mapping[str, str]:
    """Return the newest subscription of each of these people that had begun by then.

    Who has several is led to the one that began last: it is what they left last.
    """
    wanted = sorted(set(people))
    if not wanted or not workspace.has_facts:
        return {}
    engine, facts = workspace.reading
    table = facts.more[TABLE]
    rows = table.filter(table.customer_id.isin(wanted), table.started_at <= at)
    rows = rows.order_by([rows.started_at, rows.subscription_id])
    found = engine.run(rows.select("customer_id", "subscription_id"))
    return {str(one["customer_id"]): str(one["subscription_id"]) for one in found.to_pylist()}


def sign_subscription(
    workspace: Workspace, person: str, subscription: str, touch: str, at: datetime
) -> str:
    """Return the address of the page of somebody's subscription, for a while from ``at``."""
    until = at + timedelta(days=workspace.config.billing.link_days)
    link = PersonLink(person, until, f"{subscription} {touch}")
    token = sign_link(workspace.secret, LinkPurpose.SUBSCRIPTION, link)
    return workspace.config.portal.page("s", token)
