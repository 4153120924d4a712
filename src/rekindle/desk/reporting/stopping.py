"""What stopping messages that earn less than they cost saved, and what it gave up."""

from __future__ import annotations

from collections import Counter

from rekindle.insights import (
    JourneyRecord,
    StoppedPerson,
    StoppingReport,
    StoppingTerms,
    report_stopping,
)
from rekindle.ledger import load_held_out, load_measured
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS


def find_stopping(workspace: Workspace, record: JourneyRecord) -> StoppingReport | None:
    """Return what stopping saved and gave up in a journey; None where nothing was stopped."""
    decisions = load_measured(workspace.ledger, record.journey.name)
    margin = workspace.config.offers.margin
    if margin is None or not any(not one.is_kept_on for one in decisions):
        return None
    withheld = load_held_out(workspace.ledger)
    first: dict[str, StoppedPerson] = {}
    for one in decisions:
        if one.person not in withheld:
            first.setdefault(one.person, StoppedPerson(one.person, one.is_kept_on, one.at))
    stopped = Counter(
        one.step for one in decisions if not one.is_kept_on and one.person not in withheld
    )
    sends = [send for version in record.versions.values() for send in version.sends]
    return report_stopping(
        list(first.values()),
        stopped,
        {send.key: workspace.cost.get(send.channel, 0) / MICROS for send in sends},
        workspace.reading[::-1],
        StoppingTerms(
            workspace.config.stopping.kept_on,
            float(margin),
            record.journey.goal.within,
            record.until,
        ),
    )
