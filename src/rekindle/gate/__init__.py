"""May this touch leave now? One pure function, and what it looks at.

Caps, quiet hours, days off, zones, budgets and the papers of one person go in; send,
hold or skip, with a reason, comes out.
"""

from rekindle.gate.dossiers import Bearing, DossierBuilder, OnFile, build_unreadable
from rekindle.gate.gate import GateContext, JourneyRules, decide, find_leave_by, find_withdrawal
from rekindle.gate.house import (
    EVERYTHING,
    INSTANT,
    KEPT_ON,
    MEASURED,
    Cap,
    HouseRules,
    MeasuredWorth,
    Worth,
    build_book_rules,
    build_caps,
    build_rules,
    build_subgroups,
    longest_window,
)
from rekindle.gate.interfaces import Outgoing
from rekindle.gate.local_time import (
    Calendar,
    QuietHours,
    local_day_bounds,
    month_of,
    next_local,
    quiet_until,
)
from rekindle.gate.model import (
    ALL_AS_ONE,
    NO_GLOBAL_HOLDOUT,
    UTC_ZONES,
    BookRules,
    Budget,
    Decision,
    DeclaredSubgroups,
    Dossier,
    Enrolment,
    GlobalHoldout,
    PastEvent,
    Sent,
)
from rekindle.gate.overruling import OVERRULED, Overrule, find_overrule, find_overruled_times
from rekindle.gate.reasons import REASONS, ReasonNote
from rekindle.gate.uplifts import HELD_BACK, SENT_TO_LEARN, SPARED, PersonUplift, UpliftRule
from rekindle.gate.zones import resolve_zones

__all__ = [
    "ALL_AS_ONE",
    "EVERYTHING",
    "HELD_BACK",
    "INSTANT",
    "KEPT_ON",
    "MEASURED",
    "NO_GLOBAL_HOLDOUT",
    "OVERRULED",
    "REASONS",
    "SENT_TO_LEARN",
    "SPARED",
    "UTC_ZONES",
    "Bearing",
    "BookRules",
    "Budget",
    "Calendar",
    "Cap",
    "Decision",
    "DeclaredSubgroups",
    "Dossier",
    "DossierBuilder",
    "Enrolment",
    "GateContext",
    "GlobalHoldout",
    "HouseRules",
    "JourneyRules",
    "MeasuredWorth",
    "OnFile",
    "Outgoing",
    "Overrule",
    "PastEvent",
    "PersonUplift",
    "QuietHours",
    "ReasonNote",
    "Sent",
    "UpliftRule",
    "Worth",
    "build_book_rules",
    "build_caps",
    "build_rules",
    "build_subgroups",
    "build_unreadable",
    "decide",
    "find_leave_by",
    "find_overrule",
    "find_overruled_times",
    "find_withdrawal",
    "local_day_bounds",
    "longest_window",
    "month_of",
    "next_local",
    "quiet_until",
    "resolve_zones",
]
