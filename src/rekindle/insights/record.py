"""What a report is about: a journey's members and sends, wherever they were kept.

The ledger's history and a replay are both written down as a ``JourneyRecord``, so that
one report measures what was done and what would have been done by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from rekindle.journeys import Covariates, Journey
from rekindle.vocabulary import Answer, Arm, Channel, Reason

NOT_KEPT, NONE_OF_THEM = "not known", "none"


@dataclass(frozen=True, slots=True)
class Membership:
    """One person in the journey once. ``first_touch_at`` counts a ghost's touch as well.

    ``ended_at`` is when the book learned of what ended it, or None. ``covariates`` are what
    the profile said of them as they first entered, empty where it was not kept.
    """

    person: str
    arm: Arm
    rotation: int
    entered_at: datetime
    last_order_at: datetime | None
    first_touch_at: datetime | None
    ended: Reason | None
    ended_at: datetime | None = None
    covariates: Covariates = field(default_factory=dict)

    @property
    def entry(self) -> tuple[datetime, int]:
        """Return by what a person's entries are in order."""
        return self.entered_at, self.rotation

    @property
    def known_at(self) -> datetime:
        """Return the instant that a purchase must be newer than to be a return."""
        return self.last_order_at or self.entered_at


def name_subgroup(covariates: Covariates, by: str) -> str:
    """Return the part of people that somebody is in ``by`` a covariate."""
    return covariates.get(by, NONE_OF_THEM) if covariates else NOT_KEPT


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that left, or may have left, for a person in a rotation."""

    person: str
    rotation: int
    at: datetime
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class VariantMessage:
    """One message in a variant, decided at ``at``; ``clicked_at`` is a person's first click."""

    person: str
    rotation: int
    version: int
    step: str
    variant: str
    at: datetime
    has_left: bool
    clicked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageFate:
    """One message that left at ``at``, or may have, and what its person did with it.

    ``clicked_at`` and ``opened_at`` are what people did, machines left out, the oldest first;
    openings are there only where they may be noticed. ``has_bounced`` says that it never came;
    ``is_measured`` whether the window of its person answers for it.
    """

    person: str
    rotation: int
    step: str
    channel: Channel
    variant: str
    offer: str
    at: datetime
    cost_micros: int
    clicked_at: tuple[datetime, ...] = ()
    opened_at: tuple[datetime, ...] = ()
    has_bounced: bool = False
    is_measured: bool = True


Message = TypeVar("Message", SentMessage, MessageFate)


@dataclass(frozen=True, slots=True)
class JourneyRecord:
    """What a journey did from ``started_at`` until ``until``.

    ``touches`` and ``reasons`` count decisions, ghosts included; ``notes`` are what a reader
    has to know about the record.
    ``nobody`` says why no message left, where none did.
    ``versions`` are all there were, by number, and ``variants`` the messages that had some.
    ``seen`` says when a pass first looked at the facts of each import, by its number.
    ``reads_on`` is the declared reading date; ``looks`` are when the figures were looked at
    on earlier days. ``fates`` are of the messages in ``sends``, where they really left.
    ``known_until`` says until when it is known who bought, where that is before ``until``: a
    window that ends later is open.
    """

    journey: Journey
    started_at: datetime
    until: datetime
    holdout_share: float
    members: Sequence[Membership]
    touches: Mapping[Answer, int]
    reasons: Mapping[Reason, int]
    sends: Sequence[SentMessage]
    is_replay: bool
    notes: tuple[str, ...] = ()
    seen: Sequence[tuple[int, datetime]] = ()
    nobody: str = ""
    versions: Mapping[int, Journey] = field(default_factory=dict)
    variants: Sequence[VariantMessage] = ()
    reads_on: date | None = None
    looks: Sequence[datetime] = ()
    fates: Sequence[MessageFate] = ()
    known_until: datetime | None = None

    @property
    def settled_until(self) -> datetime:
        """Return until when windows that are over can be told from open ones."""
        return self.until if self.known_until is None else min(self.until, self.known_until)

    @property
    def cost_micros(self) -> int:
        """Return what all messages that left cost."""
        return sum(one.cost_micros for one in self.sends)

    @property
    def assigned(self) -> Sequence[Membership]:
        """Return each person's first entry, with which their one window begins.

        Of two ids that became one, one's entries are counted on from the other's, whenever
        they were.
        """
        first: dict[str, Membership] = {}
        for one in self.members:
            known = first.get(one.person)
            if known is None or one.entry < known.entry:
                first[one.person] = one
        return list(first.values())

    def pick_measured(self, messages: Iterable[Message]) -> list[Message]:
        """Return those messages to members that the one window of their person answers for.

        What left in it counts, and all of the first entry. What a later entry sent after the
        window had no part in what is counted there.
        """
        first = {one.person: one for one in self.assigned}
        found = []
        for message in messages:
            one = first.get(message.person)
            if one is None or message.at > self.until:
                continue
            is_inside = message.at <= one.entered_at + self.journey.goal.within
            if is_inside or message.rotation == one.rotation:
                found.append(message)
        return found
