"""What a team wrote, who is in it, and what was decided: the engine and its gate.

Journeys are read from files, run by one engine over any ``Book``, and replayed over
history by the same engine over a book in memory.
"""

from rekindle.journeys.breaker import Trip, Window, decide_trip
from rekindle.journeys.deciding import build_policy
from rekindle.journeys.engine import Assign, Engine, TickReport, may_begin, may_enter
from rekindle.journeys.exits import exit_reason, is_exit, is_woken
from rekindle.journeys.gate import GateContext, Policy, decide
from rekindle.journeys.interfaces import Audience, Book, Decide
from rekindle.journeys.language import (
    journey_schema,
    load_journey,
    load_journeys,
    parse_journey,
)
from rekindle.journeys.local_time import Calendar, QuietHours, month_of, quiet_until
from rekindle.journeys.memory_book import Course, MemoryBook
from rekindle.journeys.model import (
    Batch,
    Branch,
    Budget,
    Candidate,
    Decision,
    Deed,
    Dossier,
    End,
    Enrolment,
    Goal,
    Journey,
    JourneyVersion,
    Move,
    Past,
    Person,
    Send,
    Sent,
    Signal,
    Step,
    Terms,
    Trigger,
    Wait,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
    Way,
)
from rekindle.journeys.reasons import REASONS, ReasonNote
from rekindle.journeys.replay import Replayed, replay
from rekindle.journeys.route import Route, build_route, events_asked, map_places
from rekindle.journeys.rules import (
    INSTANT,
    Cap,
    HouseRules,
    Worth,
    build_caps,
    build_rules,
    build_terms,
    longest_window,
)
from rekindle.journeys.starters import starter_journeys
from rekindle.journeys.zones import resolve_zones

__all__ = [
    "INSTANT",
    "REASONS",
    "Assign",
    "Audience",
    "Batch",
    "Book",
    "Branch",
    "Budget",
    "Calendar",
    "Candidate",
    "Cap",
    "Course",
    "Decide",
    "Decision",
    "Deed",
    "Dossier",
    "End",
    "Engine",
    "Enrolment",
    "GateContext",
    "Goal",
    "HouseRules",
    "Journey",
    "JourneyVersion",
    "MemoryBook",
    "Move",
    "Past",
    "Person",
    "Policy",
    "QuietHours",
    "ReasonNote",
    "Replayed",
    "Route",
    "Send",
    "Sent",
    "Signal",
    "Step",
    "Terms",
    "TickReport",
    "Trigger",
    "Trip",
    "Wait",
    "WaitForDate",
    "WaitForEvent",
    "WaitForTime",
    "Way",
    "Window",
    "Worth",
    "build_caps",
    "build_policy",
    "build_route",
    "build_rules",
    "build_terms",
    "decide",
    "decide_trip",
    "events_asked",
    "exit_reason",
    "is_exit",
    "is_woken",
    "journey_schema",
    "load_journey",
    "load_journeys",
    "longest_window",
    "map_places",
    "may_begin",
    "may_enter",
    "month_of",
    "parse_journey",
    "quiet_until",
    "replay",
    "resolve_zones",
    "starter_journeys",
]
