"""Finds once a day what the messages of each journey earn, and lets the gate know."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product

from rekindle.facts import find_known_until
from rekindle.gate import (
    DeclaredSubgroups,
    HouseRules,
    MeasuredWorth,
    Overrule,
    build_subgroups,
    find_overrule,
    find_overruled_times,
)
from rekindle.insights import (
    DrawnPerson,
    MessageWorth,
    StoppedPerson,
    StoppingTerms,
    first_of,
    weigh_again,
    weigh_messages,
)
from rekindle.journeys import Journey, JourneyVersion
from rekindle.ledger import (
    MAY_HAVE_LEFT,
    WorthEntry,
    load_first_stopped,
    load_measured,
    load_overrules,
    load_withheld,
    load_worth,
    note_worth,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS, Purpose, Unknown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MessageStop:
    """A message that is stopped for what it was measured to earn, and who overruled that.

    Empty names are every subgroup and message; where it is not stopped, somebody overruled what
    may come.
    """

    journey: str
    subgroup: str
    step: str
    overrule: Overrule | None
    is_stopped: bool = True


def know_worth(workspace: Workspace, rules: HouseRules, at: datetime) -> HouseRules:
    """Return the rules of the house with what messages were found to earn, if that is to count.

    Only of journeys of which it is known; it is found anew on every day of the business.
    """
    settings, margin = workspace.config.stopping, workspace.config.offers.margin
    if not settings.measured or margin is None:
        return rules
    on = at.astimezone(workspace.zone).date()
    known, declared = load_worth(workspace.ledger, on), build_subgroups(workspace.config)
    for version in workspace.book.running():
        name = version.journey.name
        if version.journey.purpose is not Purpose.MARKETING or all(
            (name, subgroup) in known for subgroup in declared.names
        ):
            continue
        for found in _find(workspace, version, declared, float(margin), at):
            note_worth(workspace.ledger, on, found)
            known[name, found.subgroup] = found
    return replace(rules, measured=_measured(workspace, known))


def list_stops(workspace: Workspace, at: datetime) -> list[MessageStop]:
    """Return the messages that are stopped now, and what is overruled, stopped or not."""
    measured: Mapping[tuple[str, str], MeasuredWorth] = {}
    if workspace.config.stopping.measured and workspace.config.offers.margin is not None:
        on = at.astimezone(workspace.zone).date()
        measured = _measured(workspace, load_worth(workspace.ledger, on))
    overrules = [one for one in load_overrules(workspace.ledger) if one.at <= at < one.until]
    found = []
    for version in workspace.book.running():
        name = version.journey.name
        for send, (of, subgroup) in product(version.journey.sends, measured):
            cost = workspace.cost.get(send.channel, 0)
            if of == name and measured[of, subgroup].expect(0) < cost:
                overrule = find_overrule(overrules, name, subgroup, send.key, at)
                found.append(MessageStop(name, subgroup, send.key, overrule))
    told = {one.overrule for one in found}
    rest = [one for one in overrules if one not in told]
    return found + [
        MessageStop(one.journey, one.subgroup, one.step, one, is_stopped=False) for one in rest
    ]


def _measured(
    workspace: Workspace, known: Mapping[tuple[str, str], WorthEntry]
) -> dict[tuple[str, str], MeasuredWorth]:
    declared, margin = build_subgroups(workspace.config), workspace.config.offers.margin
    return {
        (name, subgroup): MeasuredWorth(
            one.micros,
            one.low,
            one.high,
            one.people,
            float(margin or 0),
            workspace.config.stopping.kept_on,
            subgroup,
            one.again,
        )
        for (name, subgroup), one in known.items()
        if subgroup in declared.names and not one.trouble
    }


def _find(
    workspace: Workspace,
    version: JourneyVersion,
    declared: DeclaredSubgroups,
    margin: float,
    at: datetime,
) -> Iterator[WorthEntry]:
    """Yield what a message of a version earned in each group that is judged, by its own people.

    Of a group those count who entered before a message to any of it was stopped: those who
    entered since got fewer, which says nothing of what a message earns. But for those in whose
    whole window that was overruled.
    """
    journey, share = version.journey, version.holdout_share
    kept = workspace.history.covariates(journey.name)
    entered: defaultdict[str | None, list[DrawnPerson]] = defaultdict(list)
    for one in find_drawn(workspace, version):
        if one.at >= version.started_at:
            entered[declared.find(kept.get(one.person, {}))].append(one)
    stopped: dict[str | None, datetime] = {}
    for who, when in load_first_stopped(workspace.ledger, journey.name, version.version).items():
        group = declared.find(kept.get(who, {}))
        stopped[group] = min(when, stopped.get(group, when))
    sent = find_sent(workspace, journey)
    decided = [
        StoppedPerson(one.person, one.is_kept_on, one.at)
        for one in load_measured(workspace.ledger, journey.name)
    ]
    engine, facts = workspace.reading
    kept_on, within = workspace.config.stopping.kept_on, journey.goal.within
    until = find_known_until(workspace.reading, at)
    terms = StoppingTerms(kept_on, margin, within, until, family=len(declared.names))
    overrules = load_overrules(workspace.ledger, journey.name)
    for group in declared.names:
        wholly = [one for one in overrules if not one.step and one.subgroup in ("", group)]
        terms = replace(terms, overruled=find_overruled_times(overrules, group))
        drawn = [
            one
            for one in entered[group]
            if one.at < stopped.get(group, at) or _was_overruled(one.at, within, wholly)
        ]
        found = weigh_messages(drawn, sent, (facts, engine), share=share, terms=terms)
        entry = _write_down(journey.name, group, found, at)
        if group in stopped:
            own = {one.person for one in entered[group]}
            people = first_of(one for one in decided if one.person in own)
            again = weigh_again(people, sent, (facts, engine), terms)
            if not isinstance(again, Unknown):
                entry = replace(entry, again=round(again.low * MICROS))
        yield entry


def _write_down(
    journey: str, subgroup: str, found: MessageWorth | Unknown, at: datetime
) -> WorthEntry:
    if isinstance(found, Unknown):
        return WorthEntry(journey, at, trouble=found.reason, subgroup=subgroup)
    of = f"{journey} ({subgroup})" if subgroup else journey
    logger.info("a message of %s earned %.4g of margin", of, found.value)
    value, low, high = (round(one * MICROS) for one in (found.value, found.low, found.high))
    return WorthEntry(journey, at, found.people, value, low, high, subgroup=subgroup)


def _was_overruled(at: datetime, within: timedelta, overrules: Iterable[Overrule]) -> bool:
    return any(one.at <= at and at + within <= one.until for one in overrules)


def find_drawn(workspace: Workspace, version: JourneyVersion) -> list[DrawnPerson]:
    """Return the people of a journey with their first entry, but for those nothing could reach."""
    withheld = load_withheld(workspace.ledger, workspace.clock.now())
    name, purpose = version.journey.name, version.journey.purpose
    arms = workspace.history.assigned(name)
    first: dict[str, DrawnPerson] = {}
    for one in workspace.history.enrolments_of(name):
        if one.person not in first or one.entered_at < first[one.person].at:
            arm = arms.get(one.person, one.arm)
            first[one.person] = DrawnPerson(one.person, arm, one.entered_at, version.holdout_share)
    return [one for one in first.values() if not withheld.keeps_out(one.person, purpose, one.at)]


def find_sent(workspace: Workspace, journey: Journey) -> list[tuple[str, datetime]]:
    """Return the messages of a journey that left: to whom, and when."""
    return [
        (one.person, one.accepted_at or one.created_at)
        for one in workspace.history.messages_of(journey.name)
        if one.state in MAY_HAVE_LEFT
    ]
