"""What the engine needs from outside, said in its own words.

``Book`` is storage: the database (``LedgerBook``) or memory (``MemoryBook``); one
contract suite runs over both. ``Audience`` answers which people match a predicate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rekindle.consent import ConsentRecord
from rekindle.journeys.model import (
    Candidate,
    Dossier,
    Enrolment,
    JourneyVersion,
    Move,
    Past,
    Person,
    Signal,
)
from rekindle.vocabulary import Channel


class Audience(Protocol):
    """Who matches a predicate, judged only on what was known at ``at``."""

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        """Return the people who match the journey's audience.

        People who are already in the journey and may not re-enter may be left out.
        """

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` whose profile matches ``predicate``."""


class Book(Protocol):
    """Storage with promises: every method is one transaction, repeatable without harm."""

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id."""

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once."""

    def suppress(self, person: str, channel: Channel, *, reason: str, at: datetime) -> None:
        """Never contact this person on this channel again, nor anyone at their address."""

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out."""

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""

    def past(self, journey: str, people: Collection[str]) -> Mapping[str, Past]:
        """Return each person's latest enrolment in the journey, for those who have one."""

    def enrol(self, enrolments: Sequence[Enrolment]) -> int:
        """Insert enrolments and first-time assignments; return how many were new.

        One that exists already (same person, journey and rotation) is left alone.
        An order recorded before this that would have ended one is its ``exit`` when due.
        """

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments with ``due_at <= at``, oldest first.

        Permission is judged as of ``at``.
        """

    def save(self, moves: Sequence[Move]) -> int:
        """Write decisions, touches, messages and advances; return how many applied.

        A move whose enrolment is no longer open at ``before.position`` and
        ``before.due_at`` is dropped whole: someone else made it, or an exit came first.
        """

    def record(self, signals: Sequence[Signal], at: datetime) -> int:
        """Record what happened and end what it must end; return how many ended.

        In the same transaction, an ORDER newer than the enrolment's ``last_order_at``
        (than ``entered_at`` if that is None) ends the enrolments whose journey names
        it as an exit; an OPT_OUT, COMPLAINT or BOUNCE ends all of the person's
        enrolments and suppresses the address. Messages of ended enrolments that have
        not left are cancelled. A signal whose key is known changes nothing.
        """

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended."""
