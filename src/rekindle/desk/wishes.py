"""What people ask for, and whom the business leaves out: kept, logged, and seen by the gate."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rekindle.config import shorten
from rekindle.consent import Exclusion, Preferences
from rekindle.desk.finding import find_person
from rekindle.errors import UsageError
from rekindle.ledger import hold_person, ledger_transaction
from rekindle.runtime import Workspace

# As a journey file names topics, and as the ledger keeps several in one column.
TOPIC_PATTERN = r"(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*"


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """A change to what someone asked for; what is None stays as it was.

    A snooze or a pause of zero takes back what was asked before.
    """

    snooze: timedelta | None = None
    at_most_every: timedelta | None = None
    mute: Collection[str] = ()
    unmute: Collection[str] = ()


def change_preferences(
    workspace: Workspace, person: str, wish: PreferenceChange, *, who: str
) -> Preferences:
    """Do what a person asked for and return what now holds for them.

    Raises:
        UsageError: nobody here goes by this id, or a topic is none.
    """
    at = workspace.clock.now()
    person = _require_person(workspace, person)
    for topic in (*wish.mute, *wish.unmute):
        _require_topic(topic)
    with ledger_transaction(workspace.ledger):
        hold_person(workspace.ledger, person)  # what they choose themselves meanwhile stays
        changed = _changed(workspace.history.preferences_of(person), wish, at)
        workspace.book.save_preferences(person, changed)
        workspace.audit_log.write(who, "preferences", person, _described(changed), at)
    return changed


def _changed(now: Preferences, wish: PreferenceChange, at: datetime) -> Preferences:
    muted = (now.muted_topics | frozenset(wish.mute)) - frozenset(wish.unmute)
    changed = replace(now, muted_topics=muted)
    if wish.snooze is not None:
        changed = replace(changed, snoozed_until=at + wish.snooze if wish.snooze else None)
    if wish.at_most_every is not None:
        changed = replace(changed, at_most_every=wish.at_most_every or None)
    return changed


def exclude_person(
    workspace: Workspace,
    person: str,
    exclusion: Exclusion,
    *,
    who: str,
    lasting: timedelta | None = None,
) -> None:
    """Write no marketing to a person, for good or for a while.

    Raises:
        UsageError: nobody here goes by this id, or it would last no time.
    """
    at = workspace.clock.now()
    if lasting is not None and lasting <= timedelta(0):
        raise UsageError(
            'an exclusion lasts for some time, as `--for "90 days"`, or for good without it; '
            "`rekindle include` takes one back"
        )
    person = _require_person(workspace, person)
    until = None if lasting is None else at + lasting
    with ledger_transaction(workspace.ledger):
        workspace.book.exclude(person, exclusion, at=at, until=until)
        detail = {"why": exclusion.value, "until": until.isoformat() if until else None}
        workspace.audit_log.write(who, "excluded", person, detail, at)


def include_person(workspace: Workspace, person: str, exclusion: Exclusion, *, who: str) -> None:
    """Take back an exclusion that was made by hand.

    Raises:
        UsageError: nobody here goes by this id.
    """
    at = workspace.clock.now()
    person = _require_person(workspace, person)
    with ledger_transaction(workspace.ledger):
        workspace.book.include(person, exclusion)
        workspace.audit_log.write(who, "included", person, {"why": exclusion.value}, at)


def erase_person(workspace: Workspace, person: str, *, who: str) -> int:
    """Forget a person in the ledger; return how many enrolments that ended.

    No later import, event or journey brings them back. What the facts hold of them has
    to be removed where the facts come from.

    Raises:
        UsageError: nobody here goes by this id.
    """
    at = workspace.clock.now()
    person = _require_person(workspace, person)
    with ledger_transaction(workspace.ledger):
        ended = workspace.book.erase(person, at)
        workspace.audit_log.write(who, "erased", person, {"ended": ended}, at)
    return ended


def _require_topic(topic: str) -> None:
    if re.fullmatch(TOPIC_PATTERN, topic) is None:
        raise UsageError(
            f"{shorten(topic)} is no topic; write it as the journey does, in up to 64 small "
            "letters, digits and hyphens"
        )


def _require_person(workspace: Workspace, handle: str) -> str:
    """Return the person a handle points at.

    Raises:
        UsageError: nobody, or several.
    """
    person = find_person(workspace, handle)
    if workspace.history.person(person) is None:
        raise UsageError(
            f"no customer {handle!r} in the ledger; ids are as the sources write them, and "
            "`rekindle tick` brings new ones in"
        )
    return person


def _described(preferences: Preferences) -> dict[str, object]:
    every = preferences.at_most_every
    until = preferences.snoozed_until
    return {
        "snoozed_until": until.isoformat() if until else None,
        "muted_topics": sorted(preferences.muted_topics),
        "at_most_every_days": every / timedelta(days=1) if every else None,
    }
