"""Starts a journey: checks everything it refers to, sizes the holdout, writes a version.

Nobody is written to here; the next pass of the worker lets people enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rekindle.desk.planning import (
    check_journey,
    count_newcomers,
    expect_returns,
    find_running,
    holdout_notes,
    settle_version,
)
from rekindle.desk.reporting import note_plan
from rekindle.experiments import HoldoutPlan, plan_holdout
from rekindle.journeys import Journey, JourneyVersion, check_drift, read_plan
from rekindle.ledger import ledger_transaction
from rekindle.runtime import Workspace


@dataclass(frozen=True, slots=True)
class Start:
    """The version that takes people now, whether it did before, and what is to be known."""

    version: JourneyVersion
    is_new: bool
    notes: tuple[str, ...] = ()


def start_journey(
    workspace: Workspace,
    journey: Journey,
    at: datetime,
    *,
    who: str = "",
    token: str | None = None,
    drift: float | None = None,
) -> Start:
    """Make ``journey`` the version new people enter and say so; repeatable.

    A file that has not changed since its newest version starts nothing new, but lets a
    journey that was stopped take people again. The holdout and the draw of an earlier
    version stay, so nobody changes arms. With the ``token`` of a plan the people are
    counted again; ``drift`` is the share by which the count may have moved (default
    ``pacing.drift``).

    Raises:
        PredicateError, TemplateError: the file refers to what is not there.
        ConfigError: something every message needs is missing.
        UsageError: the token is not valid any more, or the count moved too far.
    """
    check_journey(workspace, journey)
    for channel in sorted({step.channel for step in journey.sends}):
        workspace.require_ready(channel)
    if (running := find_running(workspace, journey)) is not None:
        return Start(running, is_new=False)
    detail: dict[str, object] = {}
    people: int | None = None
    if token is not None:
        planned = read_plan(workspace.secret, token, journey, at)
        people = count_newcomers(workspace, journey, at)
        limit = workspace.config.pacing.drift if drift is None else drift
        check_drift(planned, people, limit=limit)
        detail = {"planned": planned.people, "people": people}
    holdout = _auto_holdout(workspace, journey, at, people)
    share = journey.holdout or 0.0 if holdout is None else holdout.share
    version = settle_version(workspace, journey, at, holdout_share=share)
    with ledger_transaction(workspace.ledger):
        workspace.book.start(version)
        detail |= {"version": version.version, "holdout": version.holdout_share}
        workspace.audit_log.write(who, "started", journey.name, detail, at)
    why = () if holdout is None else (holdout.sentence,)
    notes = (*why, *holdout_notes(journey, version), *note_plan(workspace, version))
    return Start(version, is_new=True, notes=notes)


def _auto_holdout(
    workspace: Workspace, journey: Journey, at: datetime, people: int | None
) -> HoldoutPlan | None:
    """Return the holdout that suits ``people``, who are counted here where None.

    None where the file or an earlier version decides.
    """
    if journey.holdout is not None or workspace.book.versions(journey.name):
        return None
    share = expect_returns(workspace, journey, at)
    if people is None:
        people = count_newcomers(workspace, journey, at)
    return plan_holdout(people=people, buyers_expected_share=share)
