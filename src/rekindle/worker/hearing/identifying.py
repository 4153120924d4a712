"""Who has just said to be reached where somebody else is: perhaps they are one person.

Who is one person follows from the evidence in the lake, by rules with vetoes and a cap, and
there is no second way to decide it. What an identify call says is evidence once it is there;
so a pass brings it at once where it may join two, before anything is decided about either.
"""

from __future__ import annotations

from rekindle.ledger import find_meetings
from rekindle.runtime import Workspace

UNSEEN_YET = 1_000
"""Numbers of events that other transactions may still hold while newer ones are there."""
MOST_REMEMBERED = 100_000


class MeetingWatch:
    """Tells whether what was reported may join two persons; of each two it tells once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._looked_to = 0
        self._met: frozenset[tuple[str, str]] = frozenset()
        self._told: set[tuple[str, str]] = set()

    def is_awaited(self) -> bool:
        """Return whether an import may join two, about whom none was made for that yet."""
        space = self._workspace
        if not space.has_ledger or space.config.facts.warehouse is not None:
            return False
        newest, met = find_meetings(space.ledger, after=self._looked_to - UNSEEN_YET)
        self._met |= met - self._told
        self._looked_to = newest
        return bool(self._met)

    def note(self) -> None:
        """Remember that what was reported is in the lake, and who met by it."""
        if len(self._told) > MOST_REMEMBERED:
            self._told.clear()  # whoever meets again is looked at again
        self._told |= self._met
        self._met = frozenset()
