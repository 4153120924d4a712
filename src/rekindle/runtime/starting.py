"""Starts a journey: checks everything it refers to, sizes the holdout, writes a version.

Nobody is written to here; the next pass of the worker lets people enter.
"""

from __future__ import annotations

from datetime import datetime

from rekindle.experiments import plan_holdout
from rekindle.journeys import Journey, JourneyVersion
from rekindle.runtime.audience import LiveAudience
from rekindle.runtime.composing import require_postal_address
from rekindle.runtime.planning import check_journey, measure_base_rate, settle_version
from rekindle.runtime.workspace import Workspace
from rekindle.vocabulary import Unknown


def start_journey(workspace: Workspace, journey: Journey, at: datetime) -> JourneyVersion:
    """Make ``journey`` the version new people enter and return it; repeatable.

    A file that has not changed since its newest version starts nothing new. The holdout
    and the draw of an earlier version stay, so nobody changes arms.

    Raises:
        PredicateError, TemplateError: the file refers to what is not there.
        ConfigError: something every message needs is missing.
    """
    check_journey(workspace, journey)
    require_postal_address(workspace)
    version = settle_version(
        workspace, journey, at, holdout_share=_auto_share(workspace, journey, at)
    )
    workspace.book.start(version)
    return version


def _auto_share(workspace: Workspace, journey: Journey, at: datetime) -> float:
    if journey.holdout is not None or workspace.book.versions(journey.name):
        return journey.holdout or 0.0  # not used: the file or an earlier version decides
    base = measure_base_rate(workspace, journey, at)
    probe = settle_version(workspace, journey, at, holdout_share=0.5)
    people = sum(1 for _ in LiveAudience(workspace).entrants(probe, at))
    share = base if isinstance(base, Unknown) else base.returned_share
    return plan_holdout(people=people, buyers_expected_share=share).share
