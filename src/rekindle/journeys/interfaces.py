"""What the engine needs from outside, said in its own words.

``Queue`` is what the engine works from. ``Book`` is the storage behind it, with all that
changes what is due: the database (``LedgerBook``) or memory (``MemoryBook``); one contract
suite runs over both. ``Audience`` answers which people match a predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from rekindle.consent import ConsentRecord, Exclusion, PendingConsent, Preferences
from rekindle.gate import Enrolment, PersonUplift
from rekindle.journeys.model import (
    NOTHING_OBSERVED,
    Batch,
    Candidate,
    Covariates,
    JourneyVersion,
    Move,
    Past,
    Person,
    Signal,
    Trigger,
)
from rekindle.vocabulary import Channel, Purpose

Decide = Callable[[Batch], Sequence[Move]]


class Audience(Protocol):
    """Who matches a predicate, judged only on what was known at ``at``."""

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterable[Candidate]:
        """Return the people who match the journey's audience.

        People who are already in the journey and may not re-enter may be left out.
        """

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` whose profile matches ``predicate``."""

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return a date column of the profile, for those of ``people`` who have one."""

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return a numeric column of the profile, for those of ``people`` who have one."""

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return the newest purchase known, for those of ``people`` who bought."""


@runtime_checkable
class ObservingAudience(Protocol):
    """An audience that says what people are as they enter, to tell them apart afterwards."""

    def covariates(self, at: datetime, people: Collection[str]) -> Mapping[str, Covariates]:
        """Return what is kept of ``people`` in the profile of ``at``, for those it knows."""


@runtime_checkable
class UpliftAudience(Protocol):
    """An audience that knows what was kept of whom a journey moves."""

    def uplifts(
        self, journey: str, scored_at: datetime, at: datetime, people: Collection[str]
    ) -> Mapping[str, PersonUplift]:
        """Return the figures of ``scored_at`` that count at ``at``, for those who have one."""


class UnaskedError(Exception):
    """An audience that answers only what it knows was asked something new: see ``ask``."""

    def __init__(self, ask: Callable[[], object]) -> None:
        super().__init__("ask this before the people are taken")
        self.ask = ask


@runtime_checkable
class SlowAudience(Protocol):
    """An audience whose answers take so long that nobody should be kept waiting for them."""

    def known_only(self) -> AbstractContextManager[None]:
        """Let the audience answer only what it was asked before, while the block lasts.

        Raises:
            UnaskedError: it was asked something new; ``ask`` finds the answer.
        """


class Queue(Protocol):
    """All the engine needs of a book: who runs, who was here, who is due, and to move them.

    Every method is one transaction.
    """

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""

    def past(self, journey: str, people: Collection[str]) -> Mapping[str, Past]:
        """Return each person's latest enrolment in the journey, for those who have one."""

    def triggered(
        self, trigger: Trigger, *, since: datetime, at: datetime
    ) -> Mapping[str, datetime]:
        """Return whom an event lets in: person to the time of the newest such event.

        Counted are events in ``(at - within, at]`` and after ``since``. Whether the
        person may enter (again) is for the engine, which knows their past.
        """

    def enrol(
        self,
        enrolments: Sequence[Enrolment],
        covariates: Mapping[str, Covariates] = NOTHING_OBSERVED,
    ) -> int:
        """Insert enrolments and first-time assignments; return how many were new.

        ``covariates`` are kept with a first assignment, by person. An enrolment
        that exists already (same person, journey and rotation) is left alone, and
        so is one of an erased person. An order recorded before this that would have
        ended one is its ``exit`` when due; so is any other exit after ``entered_at``.
        """

    def take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Let ``decide`` look at up to ``limit`` due people and write what it returns.

        All of it is one transaction. While it runs nobody else is handed these people,
        in any journey, nor the budgets of the batch; so a cap or a budget cannot be
        passed by two workers at once. Returns how many moves applied, or None if nothing
        is due that nobody else holds. If ``decide`` raises, nothing is written.

        A move from an earlier look, whose enrolment stands elsewhere by now, is dropped
        whole. A touch that exists already (same enrolment and step) is not made again: the
        enrolment advances without a message. Messages reserve their cost in the budgets
        they name.
        """


class Book(Queue, Protocol):
    """Storage with promises: every method is one transaction, repeatable without harm."""

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id; a person who was erased stays erased."""

    def told(self) -> Mapping[str, str] | None:
        """Return the digest that ``note_told`` was given last of each person; None if not kept.

        An empty one says that nothing is written of the person any more.
        """

    def note_told(self, digests: Mapping[str, str]) -> None:
        """Remember that all that is known of these people was written, by its digest.

        Forgotten where a card becomes another person's, or one of its own again.
        """

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once.

        A withdrawal cancels the person's marketing messages that have not left on that
        channel, in the same transaction.
        """

    def save_pending(self, told: Iterable[PendingConsent], at: datetime) -> None:
        """Append each yes that waits for its confirmation; one of the same instant is kept once.

        It permits nothing and takes nothing back. A new one lets ``consent_pending`` happen,
        at ``at``, unless it came too late to be confirmed.
        """

    def unconfirmed(
        self, people: Collection[str], at: datetime
    ) -> Mapping[tuple[str, Channel], PendingConsent]:
        """Return the newest yes of each of these people and channel that may be confirmed now."""

    def suppress(
        self,
        person: str,
        channel: Channel | None,
        *,
        reason: str,
        at: datetime,
        purpose: Purpose | None = None,
    ) -> None:
        """Never contact this person, nor anyone at their address, there and for that again.

        None is every channel, or every purpose.
        """

    def save_preferences(self, person: str, preferences: Preferences) -> None:
        """Keep what a person asked for, in place of what they asked before."""

    def exclude(
        self, person: str, exclusion: Exclusion, *, at: datetime, until: datetime | None
    ) -> None:
        """Write no marketing to this person until ``until``, or ever (None)."""

    def include(self, person: str, exclusion: Exclusion) -> None:
        """Take back an exclusion."""

    def erase(self, person: str, at: datetime) -> int:
        """Forget a person's card; return how many enrolments that ended.

        The suppressions of their addresses, the consent records and the log stay, none
        of which holds an address. What was theirs to receive is cancelled, and no later
        card, enrolment or message of this id is kept.
        """

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out.

        A journey that was paused or stopped goes on.
        """

    def pause(self, journey: str, at: datetime) -> None:
        """Hold a journey still: nobody enters, nothing is decided and nothing leaves.

        Signals go on ending enrolments meanwhile.
        """

    def resume(self, journey: str, at: datetime, *, over_seconds: int) -> int:
        """Let a paused journey go on; return how many enrolments had fallen due.

        Those, and messages that have not left, are spread evenly over the next
        ``over_seconds``, but none beyond the first instant at which it is stale.
        """

    def stop(self, journey: str, at: datetime) -> int:
        """End a journey for everyone in it with STOPPED; return how many ended."""

    def transfer(
        self, journey: str, version: int, places: Mapping[int, Mapping[int, int]], at: datetime
    ) -> int:
        """Move open enrolments to ``version``; return how many moved.

        ``places`` maps, for each version left, old positions to new ones; whoever
        stands at another position stays.
        """

    def record(self, signals: Sequence[Signal], at: datetime) -> int:
        """Record what happened and end what it must end; return how many ended.

        In the same transaction, an ORDER newer than the enrolment's ``last_order_at``
        (than ``entered_at`` if that is None) ends the enrolments whose journey names
        it as an exit, and so does any other event newer than ``entered_at``; an
        OPT_OUT, COMPLAINT or BOUNCE ends all of the person's enrolments and suppresses
        the address. Messages of ended enrolments that have not left are cancelled and
        their budgets released. Enrolments that wake on the event fall due at ``at``.
        A signal whose key is known changes nothing; one from after ``at`` neither.
        """

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended."""
