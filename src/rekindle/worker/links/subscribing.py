"""The links that lead to somebody's subscription: in messages, and for the business's own app."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekindle.billing import build_biller_or_tell
from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.facts import Engine, Facts
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_failures
from rekindle.worker.taking import id_prefixes, mending

TABLE = "subscriptions"
NAMES = ("source", "subscription_id")
PAGES = {LinkPurpose.SUBSCRIPTION: "s", LinkPurpose.LEAVE: "leave"}


def find_subscriptions(
    workspace: Workspace, people: Iterable[str], at: datetime
) -> Mapping[str, str]:
    """Return the subscription of each of these people that a page of theirs is about.

    Of several it is the one a payment of which failed and is owed, else the one of those that
    run that began last, else the one that ended last. What the biller told comes first: nothing
    else can be paid, cancelled or brought back there.
    """
    wanted = sorted(set(people))
    if not wanted or not workspace.has_facts:
        return {}
    engine, facts = workspace.reading
    table = facts.more[TABLE]
    rows = table.filter(table.customer_id.isin(wanted), table.started_at <= at)
    rows = rows.select("customer_id", *NAMES, "started_at", "ended_at")
    found = engine.run(rows).to_pylist()
    has_choice = len(found) > len({one["customer_id"] for one in found})
    owing = _find_owing(engine, facts, found, at) if has_choice else frozenset()
    biller = workspace.config.billing.provider

    def rank(one: Mapping[str, Any]) -> tuple[bool, bool, bool, datetime, str]:
        runs = one["ended_at"] is None or one["ended_at"] > at
        last = one["started_at"] if runs else one["ended_at"]
        is_owing = (one["source"], one["subscription_id"]) in owing
        return one["source"] == biller, is_owing, runs, last, str(one["subscription_id"])

    return {str(one["customer_id"]): str(one["subscription_id"]) for one in sorted(found, key=rank)}


def _find_owing(
    engine: Engine, facts: Facts, rows: Iterable[Mapping[str, Any]], at: datetime
) -> Collection[tuple[str, str]]:
    """Return by source and name those of these subscriptions a payment of which is owed."""
    failed = build_failures(facts, at)
    owed = failed.filter(
        failed.ending.isnull() & failed.is_owed,
        failed.subscription_id.isin([one["subscription_id"] for one in rows]),
    )
    found = engine.run(owed.select(*NAMES)).to_pylist()
    return {(one["source"], one["subscription_id"]) for one in found}


def sign_subscription(
    workspace: Workspace,
    person: str,
    subscription: str,
    touch: str,
    at: datetime,
    *,
    purpose: LinkPurpose = LinkPurpose.SUBSCRIPTION,
) -> str:
    """Return the address of a page of somebody's subscription, for a while from ``at``.

    It is the one on which they come back, or with the purpose to leave the one that cancels.
    """
    until = at + timedelta(days=workspace.config.billing.link_days)
    link = PersonLink(person, until, f"{subscription} {touch}")
    token = sign_link(workspace.secret, purpose, link)
    return workspace.config.portal.page(PAGES[purpose], token)


@dataclass(frozen=True, slots=True)
class LeaveLink:
    """The address of the page on which a subscription is cancelled, and until when it works."""

    url: str
    until: datetime


class LedgerLeaveLinks:
    """Makes links to the pages on which the subscribers of one workspace cancel."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        billing = workspace.config.billing
        self._biller = build_biller_or_tell(billing, "no links to cancel are made")
        self._prefixes = id_prefixes(workspace)

    @property
    def is_on(self) -> bool:
        """Return whether anybody bills."""
        return self._biller is not None

    def link(self, user: str, source: str, subscription: str) -> LeaveLink | None:
        """Return the link to a subscription of somebody, by ``find_subscriptions`` where "".

        None where they are not known, or it is not theirs.

        Raises:
            WorkError: the ledger or the biller is away.
        """
        space, at = self._workspace, self._workspace.clock.now()
        known = self._prefixes.get(source, "") + user
        with mending(space.ledger):
            person = space.book.persons.find([known])[known]
            if space.history.person(person) is None or space.history.is_erased(person):
                return None
        found = subscription or find_subscriptions(space, [person], at).get(person, "")
        if not found or (subscription and not self._is_theirs(person, user, subscription)):
            return None
        until = at + timedelta(minutes=space.config.subscriptions.leaving.link_minutes)
        link = PersonLink(person, until, f"{found} app")
        token = sign_link(space.secret, LinkPurpose.LEAVE, link)
        return LeaveLink(space.config.portal.page(PAGES[LinkPurpose.LEAVE], token), until)

    def _is_theirs(self, person: str, user: str, subscription: str) -> bool:
        """Return whether a subscription is somebody's, by the biller: facts may be a day old."""
        assert self._biller is not None
        standing = self._biller.look(subscription)
        if standing is None:
            return False
        # The facts of the biller name people as the business does, or as another id of theirs.
        named = self._workspace.book.persons.find([standing.owner])[standing.owner]
        return standing.owner == user or named == person
