"""Wires it all: the workspace, the worker, and every question a team asks.

A name is loaded when it is first asked for, so that a command which counts an audience
does not wait for Django, the templates and the charts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekindle.runtime.audiences.counting import AudienceCount, count_audience
    from rekindle.runtime.explaining import MEANINGS, Explanation, explain_customer
    from rekindle.runtime.intake import LedgerIntake, import_intake
    from rekindle.runtime.journeys.planning import Plan, build_plan, check_journey
    from rekindle.runtime.journeys.replaying import replay_journey
    from rekindle.runtime.journeys.reporting import report_journey
    from rekindle.runtime.journeys.starting import start_journey
    from rekindle.runtime.journeys.steering import (
        MovePlan,
        move_people,
        pause_journey,
        plan_move,
        resume_journey,
        stop_journey,
    )
    from rekindle.runtime.restoring import Accepted, accept_restored
    from rekindle.runtime.scaffolding import Scaffold, create_workspace, source_path
    from rekindle.runtime.subscriptions import LedgerSubscriptions
    from rekindle.runtime.ticking import Pass, Worker
    from rekindle.runtime.wishes import (
        Wish,
        change_preferences,
        erase_person,
        exclude_person,
        include_person,
    )
    from rekindle.runtime.workspace import Workspace, end_of_day

_HOMES = {
    "Accepted": "restoring",
    "AudienceCount": "audiences.counting",
    "Explanation": "explaining",
    "LedgerIntake": "intake",
    "LedgerSubscriptions": "subscriptions",
    "MEANINGS": "explaining",
    "MovePlan": "journeys.steering",
    "Pass": "ticking",
    "Plan": "journeys.planning",
    "Scaffold": "scaffolding",
    "Wish": "wishes",
    "Worker": "ticking",
    "change_preferences": "wishes",
    "erase_person": "wishes",
    "exclude_person": "wishes",
    "include_person": "wishes",
    "Workspace": "workspace",
    "accept_restored": "restoring",
    "build_plan": "journeys.planning",
    "check_journey": "journeys.planning",
    "count_audience": "audiences.counting",
    "create_workspace": "scaffolding",
    "end_of_day": "workspace",
    "explain_customer": "explaining",
    "import_intake": "intake",
    "move_people": "journeys.steering",
    "pause_journey": "journeys.steering",
    "plan_move": "journeys.steering",
    "replay_journey": "journeys.replaying",
    "report_journey": "journeys.reporting",
    "resume_journey": "journeys.steering",
    "source_path": "scaffolding",
    "start_journey": "journeys.starting",
    "stop_journey": "journeys.steering",
}
__all__ = [
    "MEANINGS",
    "Accepted",
    "AudienceCount",
    "Explanation",
    "LedgerIntake",
    "LedgerSubscriptions",
    "MovePlan",
    "Pass",
    "Plan",
    "Scaffold",
    "Wish",
    "Worker",
    "Workspace",
    "accept_restored",
    "build_plan",
    "change_preferences",
    "check_journey",
    "count_audience",
    "create_workspace",
    "end_of_day",
    "erase_person",
    "exclude_person",
    "explain_customer",
    "import_intake",
    "include_person",
    "move_people",
    "pause_journey",
    "plan_move",
    "replay_journey",
    "report_journey",
    "resume_journey",
    "source_path",
    "start_journey",
    "stop_journey",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
