"""Finds once a day what the messages of each journey earn, and lets the gate know."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from rekindle.gate import HouseRules, MeasuredWorth
from rekindle.insights import DrawnPerson, StoppingTerms, weigh_messages
from rekindle.journeys import JourneyVersion
from rekindle.ledger import (
    MessageState,
    WorthEntry,
    first_stopped_at,
    load_held_out,
    load_worth,
    note_worth,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS, Purpose, Unknown

LEFT = frozenset({MessageState.ACCEPTED, MessageState.UNKNOWN})

logger = logging.getLogger(__name__)


def know_worth(workspace: Workspace, rules: HouseRules, at: datetime) -> HouseRules:
    """Return the rules of the house with what messages were found to earn, if that is to count.

    Only of journeys of which it is known; it is found anew on every day of the business.
    """
    settings, margin = workspace.config.stopping, workspace.config.offers.margin
    if not settings.measured or margin is None:
        return rules
    on = at.astimezone(workspace.zone).date()
    known = load_worth(workspace.ledger, on)
    for version in workspace.book.running():
        if version.journey.purpose is Purpose.MARKETING and version.journey.name not in known:
            found = _find(workspace, version, float(margin), at)
            note_worth(workspace.ledger, on, found)
            known[found.journey] = found
    return replace(
        rules,
        measured={
            name: MeasuredWorth(
                one.micros, one.low, one.high, one.people, float(margin), settings.kept_on
            )
            for name, one in known.items()
            if not one.trouble
        },
    )


def _find(workspace: Workspace, version: JourneyVersion, margin: float, at: datetime) -> WorthEntry:
    """Return what a message of a version earned, of who entered it before any was stopped.

    Those who entered since got fewer, which says nothing of what a message earns.
    """
    journey, share = version.journey, version.holdout_share
    before = first_stopped_at(workspace.ledger, journey.name, version.version)
    drawn = [
        one
        for one in _drawn(workspace, version)
        if one.at >= version.started_at and (before is None or one.at < before)
    ]
    sent = [
        (one.person, one.accepted_at or one.created_at)
        for one in workspace.history.messages_of(journey.name)
        if one.state in LEFT
    ]
    engine, facts = workspace.reading
    terms = StoppingTerms(workspace.config.stopping.kept_on, margin, journey.goal.within, at)
    found = weigh_messages(drawn, sent, (facts, engine), share=share, terms=terms)
    if isinstance(found, Unknown):
        return WorthEntry(journey.name, at, trouble=found.reason)
    logger.info("a message of %s earned %.4g of margin", journey.name, found.value)
    value, low, high = (round(one * MICROS) for one in (found.value, found.low, found.high))
    return WorthEntry(journey.name, at, found.people, value, low, high)


def _drawn(workspace: Workspace, version: JourneyVersion) -> list[DrawnPerson]:
    """Return the people of a journey with their first entry, but for those nothing may reach."""
    withheld = load_held_out(workspace.ledger)
    name = version.journey.name
    arms = workspace.history.assigned(name)
    first: dict[str, DrawnPerson] = {}
    for one in workspace.history.enrolments_of(name):
        if one.person not in withheld and (
            one.person not in first or one.entered_at < first[one.person].at
        ):
            arm = arms.get(one.person, one.arm)
            first[one.person] = DrawnPerson(one.person, arm, one.entered_at, version.holdout_share)
    return list(first.values())
