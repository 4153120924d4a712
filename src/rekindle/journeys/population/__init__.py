"""Who the people of a journey are: as they are now, and at every tick of a replay."""

from rekindle.journeys.population.historical import HistoryAudience
from rekindle.journeys.population.interfaces import Population
from rekindle.journeys.population.live import LiveAudience
from rekindle.journeys.population.people import UNDATED, save_people

__all__ = ["UNDATED", "HistoryAudience", "LiveAudience", "Population", "save_people"]
