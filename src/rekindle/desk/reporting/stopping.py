"""What stopping messages that earn less than they cost saved, and what it gave up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rekindle.facts import find_known_until
from rekindle.gate import SPARED, build_subgroups, find_overruled_times
from rekindle.insights import (
    OF_PERSONS,
    OF_THE_JOURNEY,
    JourneyRecord,
    Overruling,
    StoppedPerson,
    StoppingReport,
    StoppingTerms,
    first_of,
    report_stopping,
)
from rekindle.ledger import (
    MeasuredDecision,
    count_overruled,
    load_held_back,
    load_measured,
    load_overrules,
    load_withheld,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS


def find_stopping(workspace: Workspace, record: JourneyRecord) -> StoppingReport | None:
    """Return what stopping saved and gave up in a journey; None where nothing was stopped."""
    decisions = load_measured(workspace.ledger, record.journey.name)
    margin = workspace.config.offers.margin
    if margin is None or not any(not one.is_kept_on for one in decisions):
        return None
    decisions = _without_withheld(workspace, record, decisions)
    declared = build_subgroups(workspace.config)
    kept_on, within = workspace.config.stopping.kept_on, record.journey.goal.within
    overrules = load_overrules(workspace.ledger, record.journey.name)
    times = find_overruled_times(overrules)
    until = find_known_until(workspace.reading, record.until)
    terms = StoppingTerms(kept_on, float(margin), within, until, overruled=times)
    whole = _report(workspace, record, decisions, terms)
    if not declared.by:
        return whole
    kept = workspace.history.covariates(record.journey.name)
    apart: defaultdict[str | None, list[MeasuredDecision]] = defaultdict(list)
    for one in decisions:
        apart[declared.find(kept.get(one.person, {}))].append(one)
    terms = replace(terms, family=len(declared.names))
    subgroups = {
        name: _report(
            workspace,
            record,
            apart[name],
            replace(terms, overruled=find_overruled_times(overrules, name)),
        )
        for name in declared.names
        if apart[name]
    }
    return replace(whole, subgroups=subgroups)


def find_held_back(workspace: Workspace, record: JourneyRecord) -> StoppingReport | None:
    """Return what leaving single people out saved and gave up; None where nobody was."""
    decisions = load_held_back(workspace.ledger, record.journey.name)
    decisions = _without_withheld(workspace, record, decisions)
    margin = workspace.config.offers.margin
    if margin is None or all(one.is_kept_on for one in decisions):
        return None
    times = find_overruled_times(load_overrules(workspace.ledger, record.journey.name))
    within = record.journey.goal.within
    until = find_known_until(workspace.reading, record.until)
    terms = StoppingTerms(SPARED, float(margin), within, until, overruled=times)
    return _report(workspace, record, decisions, terms, why=OF_PERSONS)


def find_overruling(workspace: Workspace, record: JourneyRecord) -> Overruling | None:
    """Return who let messages leave in spite of a stop, and what these cost; None for nobody."""
    name = record.journey.name
    made = load_overrules(workspace.ledger, name)
    if not made:
        return None
    count, micros = count_overruled(workspace.ledger, name)
    return Overruling(made, count, micros / MICROS, workspace.config.workspace.currency)


def _without_withheld(
    workspace: Workspace, record: JourneyRecord, decisions: Iterable[MeasuredDecision]
) -> list[MeasuredDecision]:
    """Return decisions but for those about people whom the holdout of all marketing kept out."""
    withheld, purpose = load_withheld(workspace.ledger, record.until), record.journey.purpose
    return [one for one in decisions if not withheld.keeps_out(one.person, purpose, one.at)]


def _cost(workspace: Workspace, record: JourneyRecord) -> dict[str, float]:
    """Return what a message of each step costs."""
    sends = [send for version in record.versions.values() for send in version.sends]
    return {send.key: workspace.cost.get(send.channel, 0) / MICROS for send in sends}


def _report(
    workspace: Workspace,
    record: JourneyRecord,
    decisions: Sequence[MeasuredDecision],
    terms: StoppingTerms,
    *,
    why: str = OF_THE_JOURNEY,
) -> StoppingReport:
    return report_stopping(
        first_of(StoppedPerson(one.person, one.is_kept_on, one.at) for one in decisions),
        Counter(one.step for one in decisions if not one.is_kept_on),
        _cost(workspace, record),
        workspace.reading[::-1],
        terms,
        why=why,
    )
