"""What a team wrote, who is in it, and what was decided: the engine and its gate.

Journeys are read from files, run by one engine over any ``Book``, and replayed over
history by the same engine over a book in memory.
"""

from rekindle.journeys.asking import Asking, Unanswered, find_customers
from rekindle.journeys.breaker import Trip, Window, decide_trip
from rekindle.journeys.deciding import SET_ASIDE_FOR, build_journey_rules
from rekindle.journeys.engine import Assign, JourneyEngine, TickReport, may_begin, may_enter
from rekindle.journeys.exits import exit_reason, is_exit, is_stopped_by, is_woken
from rekindle.journeys.interfaces import (
    Audience,
    Book,
    Decide,
    ObservingAudience,
    Queue,
    SlowAudience,
    UnaskedError,
)
from rekindle.journeys.language import (
    find_journey,
    journey_schema,
    load_journey,
    load_journeys,
    parse_journey,
)
from rekindle.journeys.memory_book import Course, MemoryBook
from rekindle.journeys.model import (
    NOTHING_OBSERVED,
    Batch,
    Branch,
    Candidate,
    Covariates,
    End,
    Goal,
    Journey,
    JourneyVersion,
    Measure,
    Move,
    Past,
    Person,
    Send,
    Signal,
    Step,
    Trigger,
    Variant,
    Wait,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
    Way,
    order_signal,
)
from rekindle.journeys.offering import BASKET
from rekindle.journeys.replay import Replayed, replay
from rekindle.journeys.route import Route, build_route, events_asked, map_places
from rekindle.journeys.standing import standing_of, week_of
from rekindle.journeys.starters import sequence_journeys, starter_journeys
from rekindle.journeys.tokens import Planned, check_drift, read_plan, sign_plan
from rekindle.journeys.withholding import HoldoutPeriod, Withheld, draw_withheld, find_ended

__all__ = [
    "BASKET",
    "NOTHING_OBSERVED",
    "SET_ASIDE_FOR",
    "Asking",
    "Assign",
    "Audience",
    "Batch",
    "Book",
    "Branch",
    "Candidate",
    "Course",
    "Covariates",
    "Decide",
    "End",
    "Goal",
    "HoldoutPeriod",
    "Journey",
    "JourneyEngine",
    "JourneyVersion",
    "Measure",
    "MemoryBook",
    "Move",
    "ObservingAudience",
    "Past",
    "Person",
    "Planned",
    "Queue",
    "Replayed",
    "Route",
    "Send",
    "Signal",
    "SlowAudience",
    "Step",
    "TickReport",
    "Trigger",
    "Trip",
    "Unanswered",
    "UnaskedError",
    "Variant",
    "Wait",
    "WaitForDate",
    "WaitForEvent",
    "WaitForTime",
    "Way",
    "Window",
    "Withheld",
    "build_journey_rules",
    "build_route",
    "check_drift",
    "decide_trip",
    "draw_withheld",
    "events_asked",
    "exit_reason",
    "find_customers",
    "find_ended",
    "find_journey",
    "is_exit",
    "is_stopped_by",
    "is_woken",
    "journey_schema",
    "load_journey",
    "load_journeys",
    "map_places",
    "may_begin",
    "may_enter",
    "order_signal",
    "parse_journey",
    "read_plan",
    "replay",
    "sequence_journeys",
    "sign_plan",
    "standing_of",
    "starter_journeys",
    "week_of",
]
