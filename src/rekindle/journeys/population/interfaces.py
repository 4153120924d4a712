"""What the people of a journey are read from, said in the engine's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from rekindle.config import Config
from rekindle.facts import Reading


class Population(Protocol):
    """The facts of one business, and the engine that holds them; a workspace is one."""

    @property
    def config(self) -> Config:
        """Return what the team decided."""

    @property
    def reading(self) -> Reading:
        """Return the engine that holds the facts, and its tables."""

    def reading_at(self, at: datetime) -> Reading:
        """Return the reading that answers a question of ``at``."""

    def facts_version(self) -> str:
        """Return a word that changes whenever the facts do."""

    def forget_facts(self) -> None:
        """Let the next question see the newest import."""
