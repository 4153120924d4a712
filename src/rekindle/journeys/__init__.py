"""What a team wrote, who is in it, and what was decided: the engine and its gate.

Journeys are read from files, run by one engine over any ``Book``, and replayed over
history by the same engine over a book in memory.
"""

from rekindle.journeys.engine import Assign, Engine, TickReport, may_reenter
from rekindle.journeys.gate import (
    REASONS,
    Cap,
    GateContext,
    Policy,
    ReasonNote,
    build_caps,
    decide,
    longest_window,
)
from rekindle.journeys.interfaces import Audience, Book
from rekindle.journeys.loading import load_journey, load_journeys, parse_journey
from rekindle.journeys.memory_book import Course, MemoryBook
from rekindle.journeys.model import (
    Candidate,
    Decision,
    Dossier,
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
    Wait,
)
from rekindle.journeys.replay import Replayed, replay
from rekindle.journeys.schema import journey_schema
from rekindle.journeys.starters import starter_journeys

__all__ = [
    "REASONS",
    "Assign",
    "Audience",
    "Book",
    "Candidate",
    "Cap",
    "Course",
    "Decision",
    "Dossier",
    "Engine",
    "Enrolment",
    "GateContext",
    "Goal",
    "Journey",
    "JourneyVersion",
    "MemoryBook",
    "Move",
    "Past",
    "Person",
    "Policy",
    "ReasonNote",
    "Replayed",
    "Send",
    "Sent",
    "Signal",
    "Step",
    "TickReport",
    "Wait",
    "build_caps",
    "decide",
    "journey_schema",
    "load_journey",
    "load_journeys",
    "longest_window",
    "may_reenter",
    "parse_journey",
    "replay",
    "starter_journeys",
]
