"""Leaves alone who does not answer, writes less to who hardly does, and archives the long gone.

It says what it would do before it does it. That somebody is left alone or archived is taken back
by whatever they do: a click, a reply, a visit, a purchase. Less is written until it is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa

from rekindle.consent import (
    ARCHIVED,
    NO_RESPONSE,
    Care,
    Patience,
    Silence,
    decide_care,
)
from rekindle.ledger import (
    active_among,
    end_silence,
    find_silences,
    find_suppressed,
    hold_person,
    leave_alone,
    ledger_transaction,
    left_alone,
)
from rekindle.profiles import LAST_PURCHASE, list_last_purchases, local_day, newest_purchase
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose

EVERY = "*"
GONE = "gone"
"""What ``subscription_state`` says of who subscribes no more."""
SUBJECT = "hygiene"
"""What the log calls a run; of each person there is an entry of their own."""


@dataclass(frozen=True, slots=True)
class Hygiene:
    """What hygiene would do: whom to leave alone on which channel, and the others it touches."""

    leave_alone: Sequence[Silence] = ()
    write_less: Sequence[Silence] = ()
    archive: Sequence[str] = ()
    returned: Sequence[str] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many of each there are."""
        return {
            "leave_alone": len(self.leave_alone),
            "write_less": len(self.write_less),
            "archive": len(self.archive),
            "returned": len(self.returned),
        }


def find_hygiene(workspace: Workspace, at: datetime) -> Hygiene:
    """Return what hygiene would do at ``at``."""
    alias, settings = workspace.ledger, workspace.config.hygiene
    alone = left_alone(alias)
    returned_at = _find_purchases(workspace, set(alone), at)
    returned = sorted(who for who, since in alone.items() if returned_at.get(who, since) > since)
    rules = {name: Patience(one.unanswered, one.over) for name, one in settings.channels.items()}
    usual = Patience(settings.unanswered, settings.over)
    every = [*rules.values(), usual]
    silences = find_silences(
        alias,
        least=min(one.unanswered for one in every),
        since=at - min(one.over for one in every),
        # Nobody answers to being on a list of ads.
        asked_for=[
            one
            for one, can in workspace.capabilities.items()
            if can.is_asked_for or can.can_be_withdrawn
        ],
    )
    people = {one.person for one in silences}
    # A purchase that no journey asked about is known to the facts alone.
    bought = _find_purchases(workspace, people, at)
    silences = [one for one in silences if bought.get(one.person, one.first_at) <= one.first_at]
    terms = workspace.terms
    channels = {name: terms.address_kind(name) for name in terms.channels}
    stopped = find_suppressed(alias, people, channels, Purpose.MARKETING) if people else set()
    found: dict[Care, list[Silence]] = {care: [] for care in Care}
    for one in silences:
        if (one.person, Channel(one.channel)) not in stopped:
            care = decide_care(one, rules.get(one.channel, usual), at)
            found[care].append(one)
    return Hygiene(
        found[Care.LEAVE_ALONE],
        [one for one in found[Care.WRITE_LESS] if _is_often(workspace, one.person)],
        _archived(workspace, at),
        returned,
    )


def apply_hygiene(workspace: Workspace, found: Hygiene, at: datetime, *, who: str) -> None:
    """Do what was found, with an entry in the log for everybody and one for the run."""
    alias, log = workspace.ledger, workspace.audit_log
    with ledger_transaction(alias):
        # What they choose themselves meanwhile stays.
        hold_person(alias, *(one.person for one in found.write_less))
        end_silence(alias, set(found.returned))
        stops = [(one.person, one.channel, NO_RESPONSE) for one in found.leave_alone]
        stops += [(person, EVERY, ARCHIVED) for person in found.archive]
        leave_alone(alias, stops, at)
        for one in found.leave_alone:
            log.write(who, "left alone", one.person, _detail(one), at)
        for person in found.archive:
            log.write(who, "archived", person, {}, at)
        for one in found.write_less:
            wishes = workspace.history.preferences_of(one.person)
            every = workspace.config.hygiene.write_less
            workspace.book.save_preferences(one.person, replace(wishes, at_most_every=every))
            log.write(who, "written to less", one.person, _detail(one), at)
        log.write(who, "hygiene", SUBJECT, dict(found.counts), at)


def keep_clean(workspace: Workspace, at: datetime) -> Hygiene | None:
    """Do it once a local day, where the configuration says so; return what was done."""
    if not workspace.config.hygiene.daily:
        return None
    last = workspace.audit_log.entries(SUBJECT, limit=1)
    today = at.astimezone(workspace.zone).date()
    if last and last[0].at.astimezone(workspace.zone).date() >= today:
        return None
    found = find_hygiene(workspace, at)
    apply_hygiene(workspace, found, at, who="worker")
    return found


def _detail(one: Silence) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "unanswered": one.unanswered_count,
        "since": one.first_at.isoformat(),
        "opened": one.opened,
    }


def _find_purchases(
    workspace: Workspace, people: Collection[str], at: datetime
) -> dict[str, datetime]:
    """Return when each of these people last bought, by the facts."""
    if not workspace.has_facts or not people:
        return {}
    engine = workspace.engine
    table = list_last_purchases(workspace.profiles(at, "customer_id", *LAST_PURCHASE))
    asked = engine.bring(
        "hygiene_people", pa.table({"person": pa.array(sorted(people), pa.string())})
    )
    rows = engine.run(table.semi_join(asked, table.customer_id == asked.person)).to_pylist()
    return {row["customer_id"]: row["bought_at"] for row in rows}


def _archived(workspace: Workspace, at: datetime) -> list[str]:
    """Return who neither bought nor did anything for so long that they are permanently gone.

    Whoever subscribes is here, whenever that began, and was here until it ended.
    """
    after = workspace.config.hygiene.archive_after
    if after is None or not workspace.has_facts:
        return []
    since = at - after
    table = workspace.profiles(
        at, "customer_id", *LAST_PURCHASE, "subscription_state", "churned_on"
    )
    is_gone = table.subscription_state.isnull() | (table.subscription_state == GONE)
    since_on = ibis.literal(local_day(since, str(workspace.zone)))
    was_gone = table.churned_on.isnull() | (table.churned_on < since_on)
    old = table.filter((newest_purchase(table) < ibis.literal(since)) & is_gone & was_gone)
    old = old.select("customer_id")
    gone = set(workspace.engine.run(old).column(0).to_pylist())
    gone &= set(workspace.history.people(gone))
    gone -= set(left_alone(workspace.ledger, reasons=(ARCHIVED,)))
    return sorted(gone - active_among(workspace.ledger, gone, since=since))


def _is_often(workspace: Workspace, person: str) -> bool:
    """Return whether somebody is still written to more often than the lighter touch."""
    every = workspace.history.preferences_of(person).at_most_every
    return every is None or every < workspace.config.hygiene.write_less
