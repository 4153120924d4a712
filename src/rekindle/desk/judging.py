"""Asks the gate about one person, as if a marketing message to them fell due now.

So what ``rekindle explain`` says is what the gate would do, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.audiences import build_condition, parse_predicate
from rekindle.config import LONGEST_DURATION
from rekindle.consent import Exclusion
from rekindle.errors import RekindleError
from rekindle.gate import (
    Decision,
    Dossier,
    GateContext,
    JourneyRules,
    PastEvent,
    decide,
    month_of,
)
from rekindle.journeys import Asking, Candidate, JourneyVersion, Send
from rekindle.ledger import EnrolmentEntry
from rekindle.profiles import last_purchase_of, local_day
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate would answer through one channel. ``detail`` is what stands behind it."""

    channel: Channel
    decision: Decision
    detail: str


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What a step of a journey asks beside the gate.

    ``is_met`` is its condition's answer now, None where nobody can say; ``left_micros`` the
    least left in a budget that binds it, None without one.
    """

    journey: str
    send: Send
    is_met: bool | None
    left_micros: int | None


def judge(
    workspace: Workspace, person: str, profile: Mapping[str, Any], at: datetime
) -> list[Verdict]:
    """Return the gate's answer at ``at`` for each channel there is.

    Budgets of all journeys count; what one journey asks beside is in ``judge_steps``.
    """
    rules = workspace.rules
    asking = Asking(_OneProfile(workspace, person, at), rules)
    is_excluded = person in asking.excluded({person}, at)
    expected = asking.expected({person}, at).get(person)
    # As a journey sees it that does not say how its people stand as subscribers.
    rests = rules.spares_customers and profile.get("subscription_state") == "paused"
    policy = JourneyRules(Purpose.MARKETING, LONGEST_DURATION, rules)
    verdicts = []
    for channel in sorted(workspace.capabilities):
        dossier = workspace.outbox.standing(
            person, channel, at, last_order_at=last_purchase_of(profile)
        )
        decision = decide(
            GateContext(
                dossier,
                Send("", channel, ""),
                policy,
                at,
                cost=workspace.cost.get(channel, 0),
                budget_left=_left(workspace, None, channel, at),
                expected=expected,
                exclusion=Exclusion.NEGATIVE_VALUE if is_excluded else None,
                is_customer=rests,
            )
        )
        verdicts.append(Verdict(channel, decision, _detail(decision, dossier)))
    return verdicts


def judge_steps(
    workspace: Workspace,
    person: str,
    enrolments: Sequence[EnrolmentEntry],
    profile: Mapping[str, Any],
    at: datetime,
) -> list[StepVerdict]:
    """Return what journeys that a person is in ask beside the gate: conditions and budgets."""
    asking = Asking(_OneProfile(workspace, person, at), workspace.rules)
    found = []
    for one in enrolments:
        versions = () if one.ended_at is not None else workspace.book.versions(one.journey)
        for journey in (v.journey for v in versions if v.version == one.version):
            for send in journey.sends:
                left = _left(workspace, journey.name, send.channel, at)
                is_met = _meets(workspace, asking, person, send, one, profile, at)
                if send.when is not None or left is not None:
                    found.append(StepVerdict(journey.name, send, is_met, left))
    return found


def _meets(
    workspace: Workspace,
    asking: Asking,
    person: str,
    send: Send,
    entry: EnrolmentEntry,
    profile: Mapping[str, Any],
    at: datetime,
) -> bool | None:
    """Return whether the step's condition is met now; None where nobody can say."""
    if send.when is None:
        return True
    dossier = workspace.outbox.standing(
        person, send.channel, at, last_order_at=last_purchase_of(profile)
    )
    done = (s for s in workspace.history.signals_of(person) if s.at >= entry.entered_at)
    events = tuple(PastEvent(s.event or s.kind.value, s.at) for s in done)
    try:
        return person in asking.meeting(send.when, [replace(dossier, events=events)], at)
    except RekindleError:
        return None


def _left(workspace: Workspace, journey: str | None, channel: Channel, at: datetime) -> int | None:
    """Return the least left in a budget that binds a message; None without one."""
    month = month_of(at, workspace.zone)
    reserved = workspace.history.reserved(month)
    budgets = workspace.rules.budgets
    binding = (b for b in budgets if b.binds(journey or "", channel))
    return min((b.limit_micros - reserved.get(b.name, 0) for b in binding), default=None)


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
        asked = parse_predicate(predicate)
        table: ir.Table = space.profiles(self._at, *sorted({"customer_id", *asked.columns}))
        today = local_day(self._at, space.config.workspace.timezone)
        table = table.filter(table.customer_id == self._person).mutate(as_of_on=ibis.date(today))
        chosen = table.filter(build_condition(asked, table))
        found = space.engine.run(chosen.select("customer_id")).column(0).to_pylist()
        return set(found).intersection(people)

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Let nobody enter: nothing but predicates is asked here."""
        return iter(())

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return no dates."""
        return {}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return no amounts."""
        return {}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return no orders."""
        return {}
