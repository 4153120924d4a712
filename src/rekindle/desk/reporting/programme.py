"""Reads who was drawn for all marketing journeys out of the ledger, and what came of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rekindle.facts import find_known_until
from rekindle.gate import BookRules
from rekindle.insights import (
    DrawnPerson,
    JourneyRecord,
    Programme,
    build_programme,
)
from rekindle.journeys import Withheld
from rekindle.ledger import load_drawn, load_periods, load_withheld
from rekindle.runtime import Workspace
from rekindle.wording import counted, numbered, percent


def report_programme(workspace: Workspace) -> Programme:
    """Return what all marketing journeys earned together so far, as far as that is measured."""
    periods = {one.number: one for one in load_periods(workspace.ledger)}
    engine, facts = workspace.reading
    return build_programme(
        list(periods.values()),
        [
            DrawnPerson(one.person, one.arm, one.at, periods[one.period].share)
            for one in load_drawn(workspace.ledger)
        ],
        facts,
        engine,
        within=workspace.config.holdout.within,
        until=find_known_until(workspace.reading, workspace.clock.now()),
    )


def leave_withheld_out(workspace: Workspace, record: JourneyRecord) -> JourneyRecord:
    """Return a journey's record without those who entered it while nothing could reach them."""
    return leave_out(record, load_withheld(workspace.ledger, record.until))


def leave_out(record: JourneyRecord, withheld: Withheld) -> JourneyRecord:
    """Return a record without those in both arms whom the holdout of all marketing held out.

    They were drawn without regard to the journey's arms, so the arms stay alike without them.
    """
    purpose = record.journey.purpose
    gone = {
        one.person
        for one in record.assigned
        if withheld.keeps_out(one.person, purpose, one.entered_at)
    }
    if not gone:
        return record
    note = (
        f"{counted(len(gone), 'person')} {numbered(len(gone), 'is')} in the holdout of all "
        "marketing journeys and left out of both arms; `rekindle holdout` compares them."
    )
    return replace(
        record,
        members=[one for one in record.members if one.person not in gone],
        sends=[one for one in record.sends if one.person not in gone],
        variants=[one for one in record.variants if one.person not in gone],
        fates=[one for one in record.fates if one.person not in gone],
        notes=(*record.notes, note),
    )


def find_terms(
    workspace: Workspace, first: datetime, last: datetime
) -> tuple[BookRules, tuple[str, ...]]:
    """Return the terms of a past time, with the holdout of all marketing as it was at ``first``.

    Where nothing is on record of it, today's counts. Both are said where they make a difference.
    """
    terms, zone = workspace.terms, workspace.zone
    today = terms.holdout.share
    periods = load_periods(workspace.ledger) if workspace.has_ledger else []
    known = [one for one in periods if one.since <= first]
    share = known[-1].share if known else today
    notes = []
    if share != today:
        notes.append(
            f"The holdout of all marketing journeys is that of {first.astimezone(zone).date()}, "
            f"{percent(share)}; today's is {percent(today)}."
        )
    elif today and not known:
        notes.append(
            f"Of {first.astimezone(zone).date()} no holdout of all marketing journeys is on "
            f"record: today's {percent(today)} is taken."
        )
    if later := [one for one in periods if first < one.since <= last and one.share != share]:
        changed = later[0]
        notes.append(
            f"It was changed to {percent(changed.share)} on "
            f"{changed.since.astimezone(zone).date()}, which is not replayed."
        )
    return replace(terms, holdout=replace(terms.holdout, share=share)), tuple(notes)
