"""Reads every marketing journey that was started out of the ledger, and what its money earned."""

from __future__ import annotations

from rekindle.desk.reporting.journeys import load_record, require_covariate
from rekindle.errors import JourneyError
from rekindle.insights import BudgetAdvice, advise
from rekindle.runtime import Workspace
from rekindle.vocabulary import Purpose


def advise_budget(workspace: Workspace, *, by: str = "") -> BudgetAdvice:
    """Return what each unit of money earned, and what to move, where the data say so.

    Raises:
        UsageError: it is not kept what people are by the column ``by`` as they enter.
        JourneyError: no marketing journey was ever started here.
    """
    require_covariate(by)
    records = [load_record(workspace, name) for name in workspace.history.journeys()]
    records = [one for one in records if one.journey.purpose is Purpose.MARKETING]
    if not records:
        raise JourneyError("no marketing journey was ever started here; `rekindle start` does")
    margin = workspace.config.offers.margin
    engine, facts = workspace.reading
    return advise(
        records,
        facts,
        engine,
        margin=None if margin is None else float(margin),
        until=workspace.clock.now(),
        by=by,
    )
