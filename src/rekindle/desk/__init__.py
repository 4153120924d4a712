"""What a team asks for: plan, start, steer, explain, replay, report, and people's wishes.

A name is loaded when it is first asked for, so that a command which counts an audience
does not wait for Django, the templates and the charts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekindle.desk.addresses import Restored, restore_address
    from rekindle.desk.counting import AudienceCount, count_audience
    from rekindle.desk.explaining import MEANINGS, Explanation, explain_customer
    from rekindle.desk.finding import find_people, find_person
    from rekindle.desk.handing.exporting import export_assignments, export_audience
    from rekindle.desk.handing.starters import Starter, TakenStarter, list_starters, take_starter
    from rekindle.desk.handing.tasks import (
        OpenTask,
        find_task,
        finish_task,
        list_tasks,
        postpone_task,
        say_why_not,
        take_task,
    )
    from rekindle.desk.judging import StepVerdict, Verdict
    from rekindle.desk.offers.judging import RuleJudgement, judge_ladder
    from rekindle.desk.offers.reporting import Anyway, OfferReport, report_offers
    from rekindle.desk.offers.standing import (
        OfferStanding,
        add_codes,
        find_offer,
        load_forgotten,
        load_standing,
        require_loaded_codes,
    )
    from rekindle.desk.permission.choosing import LedgerCustomers, PendingYes
    from rekindle.desk.permission.importing import (
        ListDefaults,
        ListImport,
        import_consents,
        import_suppressions,
    )
    from rekindle.desk.permission.leaving import tell_why
    from rekindle.desk.permission.opting_out import LedgerOptOuts
    from rekindle.desk.permission.proving import ConsentProof, prove_consent
    from rekindle.desk.persons import (
        Found,
        join_people,
        list_joins,
        list_people,
        split_people,
        suggest_people,
    )
    from rekindle.desk.planning import Plan, build_plan, check_journey
    from rekindle.desk.replaying import replay_journey
    from rekindle.desk.reporting import (
        advise_budget,
        explain_measure,
        judge_workspace,
        keep_baseline,
        load_targets,
        measure_journeys,
        read_daily,
        reconcile_journeys,
        report_journey,
        report_programme,
    )
    from rekindle.desk.reporting.keeping import (
        KeptReport,
        find_kept_tables,
        report_kept,
        say_belongings,
    )
    from rekindle.desk.retracing import Asked
    from rekindle.desk.sampling import find_sample, write_cards
    from rekindle.desk.scaffolding import Scaffold, create_workspace, source_path
    from rekindle.desk.starting import Start, start_journey
    from rekindle.desk.steering import (
        MovePlan,
        let_stops_hold,
        move_people,
        overrule_stops,
        pause_journey,
        plan_move,
        resume_journey,
        stop_journey,
    )
    from rekindle.desk.wishes import (
        PreferenceChange,
        change_preferences,
        erase_person,
        exclude_person,
        include_person,
    )

_HOMES = {
    "Asked": "retracing",
    "Restored": "addresses",
    "restore_address": "addresses",
    "AudienceCount": "counting",
    "count_audience": "counting",
    "MEANINGS": "explaining",
    "Explanation": "explaining",
    "explain_customer": "explaining",
    "export_assignments": "handing.exporting",
    "export_audience": "handing.exporting",
    "OpenTask": "handing.tasks",
    "find_task": "handing.tasks",
    "finish_task": "handing.tasks",
    "list_tasks": "handing.tasks",
    "postpone_task": "handing.tasks",
    "say_why_not": "handing.tasks",
    "take_task": "handing.tasks",
    "find_people": "finding",
    "find_person": "finding",
    "StepVerdict": "judging",
    "Verdict": "judging",
    "RuleJudgement": "offers.judging",
    "judge_ladder": "offers.judging",
    "Anyway": "offers.reporting",
    "OfferReport": "offers.reporting",
    "report_offers": "offers.reporting",
    "require_loaded_codes": "offers.standing",
    "OfferStanding": "offers.standing",
    "add_codes": "offers.standing",
    "find_offer": "offers.standing",
    "load_forgotten": "offers.standing",
    "load_standing": "offers.standing",
    "Found": "persons",
    "join_people": "persons",
    "list_joins": "persons",
    "list_people": "persons",
    "split_people": "persons",
    "suggest_people": "persons",
    "Plan": "planning",
    "build_plan": "planning",
    "check_journey": "planning",
    "replay_journey": "replaying",
    "KeptReport": "reporting.keeping",
    "find_kept_tables": "reporting.keeping",
    "report_kept": "reporting.keeping",
    "say_belongings": "reporting.keeping",
    "explain_measure": "reporting",
    "judge_workspace": "reporting",
    "keep_baseline": "reporting",
    "load_targets": "reporting",
    "measure_journeys": "reporting",
    "read_daily": "reporting",
    "reconcile_journeys": "reporting",
    "advise_budget": "reporting",
    "report_journey": "reporting",
    "report_programme": "reporting",
    "find_sample": "sampling",
    "write_cards": "sampling",
    "Starter": "handing.starters",
    "TakenStarter": "handing.starters",
    "list_starters": "handing.starters",
    "take_starter": "handing.starters",
    "Scaffold": "scaffolding",
    "create_workspace": "scaffolding",
    "source_path": "scaffolding",
    "Start": "starting",
    "start_journey": "starting",
    "MovePlan": "steering",
    "move_people": "steering",
    "let_stops_hold": "steering",
    "overrule_stops": "steering",
    "pause_journey": "steering",
    "plan_move": "steering",
    "resume_journey": "steering",
    "stop_journey": "steering",
    "LedgerOptOuts": "permission.opting_out",
    "PendingYes": "permission.choosing",
    "LedgerCustomers": "permission.choosing",
    "ListDefaults": "permission.importing",
    "tell_why": "permission.leaving",
    "ListImport": "permission.importing",
    "import_consents": "permission.importing",
    "import_suppressions": "permission.importing",
    "ConsentProof": "permission.proving",
    "prove_consent": "permission.proving",
    "PreferenceChange": "wishes",
    "change_preferences": "wishes",
    "erase_person": "wishes",
    "exclude_person": "wishes",
    "include_person": "wishes",
}
__all__ = [
    "MEANINGS",
    "Anyway",
    "Asked",
    "AudienceCount",
    "ConsentProof",
    "Explanation",
    "Found",
    "KeptReport",
    "LedgerCustomers",
    "LedgerOptOuts",
    "ListDefaults",
    "ListImport",
    "MovePlan",
    "OfferReport",
    "OfferStanding",
    "OpenTask",
    "PendingYes",
    "Plan",
    "PreferenceChange",
    "Restored",
    "RuleJudgement",
    "Scaffold",
    "Start",
    "Starter",
    "StepVerdict",
    "TakenStarter",
    "Verdict",
    "add_codes",
    "advise_budget",
    "build_plan",
    "change_preferences",
    "check_journey",
    "count_audience",
    "create_workspace",
    "erase_person",
    "exclude_person",
    "explain_customer",
    "explain_measure",
    "export_assignments",
    "export_audience",
    "find_kept_tables",
    "find_offer",
    "find_people",
    "find_person",
    "find_sample",
    "find_task",
    "finish_task",
    "import_consents",
    "import_suppressions",
    "include_person",
    "join_people",
    "judge_ladder",
    "judge_workspace",
    "keep_baseline",
    "let_stops_hold",
    "list_joins",
    "list_people",
    "list_starters",
    "list_tasks",
    "load_forgotten",
    "load_standing",
    "load_targets",
    "measure_journeys",
    "move_people",
    "overrule_stops",
    "pause_journey",
    "plan_move",
    "postpone_task",
    "prove_consent",
    "read_daily",
    "reconcile_journeys",
    "replay_journey",
    "report_journey",
    "report_kept",
    "report_offers",
    "report_programme",
    "require_loaded_codes",
    "restore_address",
    "resume_journey",
    "say_belongings",
    "say_why_not",
    "source_path",
    "split_people",
    "start_journey",
    "stop_journey",
    "suggest_people",
    "take_starter",
    "take_task",
    "tell_why",
    "write_cards",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
