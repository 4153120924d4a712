"""Judges another rule of a ladder by what the ladder gave by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekindle.errors import UsageError
from rekindle.experiments import LoggedChoice, PolicyJudgement, PolicyValue, judge_policy
from rekindle.facts import find_known_until
from rekindle.insights import DrawnPerson, find_net_revenue
from rekindle.ledger import ChosenOffer, load_chosen
from rekindle.runtime import Workspace
from rekindle.vocabulary import MICROS, Arm, Unknown

SCHEMA_VERSION = 1
LEAST, STRONGEST = "least", "strongest"


@dataclass(frozen=True, slots=True)
class RuleJudgement:
    """What a choice of a ladder would be worth under another rule, in margin, major units."""

    ladder: str
    rule: str
    within: timedelta
    currency: str
    found: PolicyJudgement | Unknown

    def to_json(self) -> dict[str, Any]:
        """Return the judgement as documented JSON."""
        head = {
            "version": SCHEMA_VERSION,
            "ladder": self.ladder,
            "rule": self.rule,
            "within_days": self.within / timedelta(days=1),
            "currency": self.currency,
        }
        if isinstance(self.found, Unknown):
            return head | {"unknown": self.found.reason}
        return head | {
            "choices": self.found.choices,
            "as_the_rule": self.found.agreeing,
            "effective": round(self.found.effective, 2),
            "largest_weight": round(self.found.largest_weight, 4),
            "values": [_write(one) for one in (self.found.logged, *self.found.values)],
            "gain": _write(self.found.gain),
        }


def judge_ladder(
    workspace: Workspace, ladder: str, rule: str, *, within: timedelta, at: datetime
) -> RuleJudgement:
    """Return what the choices of a ladder would have been worth had a rule made them.

    ``rule`` is ``least``, ``strongest``, or the name of an offer: that one where it might have
    been given, else the least. A choice is worth the margin of what the person bought within
    ``within`` of it, less what came off or a gift cost.

    Raises:
        UsageError: there is no such ladder or offer, or nobody said what margin is.
    """
    offers = workspace.offers.require_sound()
    if ladder not in offers.ladders:
        known = ", ".join(offers.ladders) or "none"
        raise UsageError(f"offers.yaml has no ladder {ladder!r}; known here: {known}")
    rungs = [rung.offer for rung in offers.ladders[ladder]]
    if rule not in (LEAST, STRONGEST, *rungs):
        raise UsageError(f"--rule {rule}: name {LEAST}, {STRONGEST} or one of {', '.join(rungs)}")
    margin = workspace.config.offers.margin
    if margin is None:
        raise UsageError("set `margin` in [offers] of rekindle.toml: a choice is worth margin")
    until = find_known_until(workspace.reading, at) - within
    chosen = load_chosen(workspace.ledger, ladder, until, within=within)
    people = [DrawnPerson(one.person, Arm.TREATMENT, one.at, 0.0) for one in chosen]
    net = find_net_revenue(people, workspace.reading[::-1], within=within, until=at)
    kept = float(margin)
    log = [
        LoggedChoice(
            one.offer,
            one.options,
            one.propensity,
            worth_of(one, net.get(one.person, 0.0), kept),
        )
        for one in chosen
    ]
    found = judge_policy(log, [_chances(rule, one.options) for one in log])
    return RuleJudgement(ladder, rule, within, workspace.config.workspace.currency, found)


def worth_of(one: ChosenOffer, net: float, margin: float) -> float:
    """Return what a choice left, in major units: the margin of goods at their price, less cost.

    ``net`` is what the person paid: what came off is in it no more, so its margin is added;
    what a gift cost is in neither.
    """
    off, cost = one.off_micros / MICROS, one.cost_micros / MICROS
    return margin * (net + off) - off - cost


def _chances(rule: str, options: Sequence[str]) -> Mapping[str, float]:
    """Return what a rule gives of options, of which the least is the first."""
    if rule == STRONGEST:
        return {options[-1]: 1.0}
    return {rule if rule in options else options[0]: 1.0}


def _write(one: PolicyValue) -> dict[str, Any]:
    figures = {"value": one.value, "low": one.low, "high": one.high}
    return {"method": one.method} | {name: round(figure, 4) for name, figure in figures.items()}
