"""Who the people of a journey are: as they are now, and at every tick of a replay."""

from rekindle.journeys.language.words import PAYMENT_CLEARED, PAYMENT_DROPPED, PAYMENT_EVENTS
from rekindle.journeys.population.historical import HistoryAudience
from rekindle.journeys.population.interfaces import Population
from rekindle.journeys.population.live import LiveAudience
from rekindle.journeys.population.payments import list_payment_signals
from rekindle.journeys.population.people import SAYING_OF_PEOPLE, UNDATED, save_people
from rekindle.journeys.population.reported import list_signals
from rekindle.journeys.population.uplifts import find_person_uplifts

__all__ = [
    "PAYMENT_CLEARED",
    "PAYMENT_DROPPED",
    "PAYMENT_EVENTS",
    "SAYING_OF_PEOPLE",
    "UNDATED",
    "HistoryAudience",
    "LiveAudience",
    "Population",
    "find_person_uplifts",
    "list_payment_signals",
    "list_signals",
    "save_people",
]
