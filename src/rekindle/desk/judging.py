"""Asks the gate about one person, as if a marketing message to them fell due now.

So what ``rekindle explain`` says is what the gate would do, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.audiences import build_condition, parse_predicate
from rekindle.config import LONGEST_DURATION
from rekindle.consent import Exclusion
from rekindle.gate import Decision, Dossier, GateContext, JourneyRules, build_rules, decide
from rekindle.journeys import Asking, Candidate, JourneyVersion, Send
from rekindle.profiles import local_day
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate would answer through one channel. ``detail`` is what stands behind it."""

    channel: Channel
    decision: Decision
    detail: str


def judge(
    workspace: Workspace, person: str, profile: Mapping[str, Any], at: datetime
) -> list[Verdict]:
    """Return the gate's answer at ``at`` for each channel there is.

    A journey's own conditions and the budgets are not part of it.
    """
    rules = build_rules(workspace.config)
    asking = Asking(_OneProfile(workspace, person, at), rules)
    is_excluded = person in asking.excluded({person}, at)
    expected = asking.expected({person}, at).get(person)
    policy = JourneyRules(Purpose.MARKETING, LONGEST_DURATION, rules)
    verdicts = []
    for channel in sorted(workspace.capabilities):
        dossier = workspace.outbox.standing(
            person, channel, at, last_order_at=profile.get("last_order_at")
        )
        decision = decide(
            GateContext(
                dossier,
                Send("", channel, ""),
                policy,
                at,
                cost=workspace.cost.get(channel, 0),
                expected=expected,
                exclusion=Exclusion.NEGATIVE_VALUE if is_excluded else None,
            )
        )
        verdicts.append(Verdict(channel, decision, _detail(decision, dossier)))
    return verdicts


def _detail(decision: Decision, dossier: Dossier) -> str:
    if decision.reason is Reason.EXCLUDED:
        return (dossier.exclusion or Exclusion.NEGATIVE_VALUE).value
    if decision.reason in (None, Reason.NO_PERMISSION):
        return f"rule: {dossier.permission.rule.value}"
    return ""


class _OneProfile:
    """An audience of one person, whose profile alone is computed."""

    def __init__(self, workspace: Workspace, person: str, at: datetime) -> None:
        self._workspace, self._person, self._at = workspace, person, at

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return the person, if the predicate is true of them."""
        space = self._workspace
        table: ir.Table = space.profiles(self._at)
        today = local_day(self._at, space.config.workspace.timezone)
        table = table.filter(table.customer_id == self._person).mutate(as_of_on=ibis.date(today))
        chosen = table.filter(build_condition(parse_predicate(predicate), table))
        found = space.engine.run(chosen.select("customer_id")).column(0).to_pylist()
        return set(found).intersection(people)

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Let nobody enter: nothing but predicates is asked here."""
        return iter(())

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return no dates."""
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return no orders."""
        return {}
