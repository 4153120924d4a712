"""Wires it all: the workspace, the worker, and every question a team asks."""

from rekindle.runtime.counting import AudienceCount, count_audience
from rekindle.runtime.explaining import MEANINGS, Explanation, explain_customer
from rekindle.runtime.planning import Plan, build_plan, check_journey
from rekindle.runtime.replaying import replay_journey
from rekindle.runtime.reporting import report_journey
from rekindle.runtime.scaffolding import Scaffold, create_workspace, source_path
from rekindle.runtime.starting import start_journey
from rekindle.runtime.subscriptions import LedgerSubscriptions
from rekindle.runtime.ticking import Pass, Worker
from rekindle.runtime.workspace import Workspace, end_of_day

__all__ = [
    "MEANINGS",
    "AudienceCount",
    "Explanation",
    "LedgerSubscriptions",
    "Pass",
    "Plan",
    "Scaffold",
    "Worker",
    "Workspace",
    "build_plan",
    "check_journey",
    "count_audience",
    "create_workspace",
    "end_of_day",
    "explain_customer",
    "replay_journey",
    "report_journey",
    "source_path",
    "start_journey",
]
