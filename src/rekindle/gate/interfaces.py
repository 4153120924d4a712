"""What the gate has to know of a step that writes, said in its own words."""

from __future__ import annotations

from typing import Protocol

from rekindle.vocabulary import Channel


class Outgoing(Protocol):
    """A step that writes: ``key`` names it within its journey."""

    @property
    def key(self) -> str:
        """Return the step's name within its journey."""

    @property
    def channel(self) -> Channel:
        """Return the way it would reach the person."""
