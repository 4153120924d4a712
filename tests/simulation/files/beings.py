"""What a world of files keeps of its people, their orders and their subscriptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(slots=True)
class Order:
    """An order as the export has it now; ``was_imported_as`` is how the facts know it.

    ``called_off`` is what the export said of one that the website reported as cancelled since.
    """

    number: str
    customer: str
    at: datetime
    status: str = "completed"
    was_imported_as: tuple[datetime, str] | None = None
    is_only_reported: bool = False
    called_off: tuple[datetime, str] | None = None
    gave_back: bool = False

    @property
    def is_purchase(self) -> bool:
        """Return whether the facts know it as a purchase."""
        return self.was_imported_as is not None and self.was_imported_as[1] == "completed"

    @property
    def name(self) -> str:
        """Return by what it is one purchase, as the facts know it."""
        return self.number

    def see(self) -> None:
        """Note that an import brought it as it is now; what it said before is nothing new."""
        if self.called_off != (self.at, self.status):
            self.was_imported_as, self.called_off = (self.at, self.status), None
        self.is_only_reported = False

    def call_off(self) -> None:
        """Note that the facts were told that it was cancelled."""
        self.called_off, self.was_imported_as = (self.at, self.status), (self.at, "cancelled")


@dataclass(slots=True)
class Stay(Order):
    """A subscription, whose beginning is a purchase; ``ended_at`` while it runs None.

    ``turn`` grows where the number begins anew. ``pauses`` are pairs of instants, the second None
    while it rests for good. ``imported`` is what the facts know of the three.
    """

    ended_at: datetime | None = None
    turn: int = 1
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    imported: tuple[int, datetime | None, tuple[tuple[datetime, datetime | None], ...]] | None = (
        None
    )

    @property
    def name(self) -> str:
        return f"{self.number}@{self.imported[0] if self.imported else self.turn}"

    def see(self) -> None:
        self.was_imported_as = (self.at, self.status)
        self.imported = (self.turn, self.ended_at, tuple(self.pauses))

    @property
    def is_told(self) -> bool:
        """Return whether an import brought its turn, and whether it ended."""
        return self.imported is not None and self.imported[:2] == (self.turn, self.ended_at)

    def is_running(self, at: datetime) -> bool:
        """Return whether the facts have it run at an instant, or rest."""
        if self.imported is None or self.was_imported_as is None:
            return False
        ended_at = self.imported[1]
        return self.was_imported_as[0] < at and (ended_at is None or ended_at >= at)

    def rests(self, at: datetime) -> bool:
        """Return whether the facts have it rest at an instant."""
        pauses = self.imported[2] if self.imported else ()
        return self.is_running(at) and any(
            since < at and (until is None or until >= at) for since, until in pauses
        )


@dataclass(slots=True)
class Entry:
    """What purchases were known as somebody entered, and whether there was another since.

    ``known`` has those that only the website had reported, too; ``imported`` has not.
    """

    known: frozenset[str]
    imported: frozenset[str]
    newest: datetime
    has_bought_since: bool = False


@dataclass(slots=True)
class Being:
    """Somebody, with every id they have; whoever has the same mailbox and name is one."""

    name: str
    mailbox: str
    ids: list[tuple[str, str]] = field(default_factory=list)
    says: str = "yes"
    said_at: str = ""
    has_said_no: bool = False
    quiet_until: datetime = START
    entries: dict[datetime, Entry] = field(default_factory=dict)
    handed: dict[str, datetime] = field(default_factory=dict)
