"""The register of belongings: what is kept for whom, until when, and what became of it.

A row is one departure of one person. It follows what the facts say last of that departure, and
what the business's own system says last of what it keeps; the later of both statements counts.
Whoever tells that system holds the row for a while, so that two do not tell it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Min, Q, QuerySet

from rekindle.ledger import intake_models, models
from rekindle.ledger.outbox.access import LEASE, find_wait
from rekindle.ledger.queries import ledger_errors, ledger_transaction

KEPT, DELETED = "kept", "deleted"
RETURNED, CORRECTED = "returned", "corrected"
ENDING, ENDED = "ending", "ended"
IN_PLACE, GONE, PERHAPS = "in_place", "gone", "perhaps"
CHUNK = 500


@dataclass(frozen=True, slots=True)
class LastStay:
    """How somebody who ever left stands: the departures so far, and the dates of the last stay.

    ``ended_on`` is the day from which on they had no access; ``came_on`` when the stay began that
    runs, or that ended last. Both are None where no departure is left of it.
    """

    person: str
    number: int
    is_gone: bool
    ended_on: date | None
    came_on: date | None


@dataclass(frozen=True, slots=True)
class BelongingsEntry:
    """What is kept for one departure. ``kept_until`` is the last day; ``what`` in order.

    ``answer`` is what the business's own system said last: `kept` (longer), `deleted` or "" where
    it said nothing. ``closed`` is `returned`, `corrected` or "" while they are gone. Who tells of
    it holds it until ``held_until``.
    """

    id: int
    person: str
    number: int
    what: tuple[str, ...]
    ended_on: date
    kept_until: date
    answer: str
    answered_at: datetime | None
    told: str
    told_at: datetime | None
    closed: str
    closed_on: date | None
    failures: int
    held_until: datetime | None = field(default=None, compare=False)

    def state(self, today: date) -> str:
        """Return `kept`, `over` (the business did not say), `deleted`, or how it was closed."""
        if self.closed:
            return self.closed
        if self.answer == DELETED:
            return DELETED
        return "kept" if today <= self.kept_until else "over"

    def found(self, zone: ZoneInfo) -> str:
        """Return what who came back found: `in_place`, `gone`, `perhaps`; "" while they did not.

        On the day on which it was deleted it is taken for gone. Days are those of ``zone``, the
        business's.
        """
        if self.closed != RETURNED or self.closed_on is None:
            return ""
        deleted_at = self.answered_at if self.answer == DELETED else None
        if deleted_at is not None and deleted_at.astimezone(zone).date() <= self.closed_on:
            return GONE
        return IN_PLACE if self.closed_on <= self.kept_until else PERHAPS


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What the business's own system answered: kept until a later day, or deleted."""

    kept_until: date | None = None


class BelongingsRegister:
    """The register of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @ledger_errors()
    def open_people(self) -> tuple[str, ...]:
        """Return for whom a row is open."""
        return tuple(self._open.order_by("person").values_list("person", flat=True).distinct())

    def follow(
        self,
        stays: Iterable[LastStay],
        at: datetime,
        *,
        today: date,
        what: Sequence[str],
        days: int,
        is_newest: Callable[[], bool] = lambda: True,
    ) -> int | None:
        """Let the rows say what is known last of these people's stays; return how many changed.

        What a row promises when it begins, it promises for good: ``what`` and ``days`` are of new
        ones. Nothing begins that would be over, nor for who was erased.

        ``is_newest`` says whether nothing newer is known by now. It is asked while the cards are
        held, so that of two who follow at once the one who knows less does not have the last
        word; it gets None, and what it had done by then the other does again.
        """
        by_person = {one.person: one for one in stays}
        people, changed = sorted(by_person), 0
        for begin in range(0, len(people), CHUNK):
            chunk = people[begin : begin + CHUNK]
            with ledger_transaction(self._alias):
                erased = self._erased(chunk)  # holds their cards first, as everybody does
                if not is_newest():
                    return None
                rows = self._rows_of(chunk)
                for person in chunk:
                    for row in rows[person].values():
                        changed += _follow(row, by_person[person], today, at)
                fresh = (
                    by_person[person]
                    for person in chunk
                    if person not in erased and by_person[person].number not in rows[person]
                )
                changed += self._begin(fresh, at, today, what=what, days=days)
        return changed

    def warn(self, today: date, days: int) -> list[BelongingsEntry]:
        """Return what ends within ``days`` and was not warned of yet, for the caller to hold.

        In the caller's transaction, which has the warnings, too.
        """
        ahead = today + timedelta(days=days)
        due = self._open.select_for_update().filter(kept_until__range=(today, ahead))
        due = due.exclude(answer=DELETED).filter(
            Q(warned_until=None) | ~Q(warned_until=F("kept_until"))
        )
        found = [_entry(row) for row in due.order_by("id")]
        for begin in range(0, len(found), CHUNK):
            some = [one.id for one in found[begin : begin + CHUNK]]
            self._rows.filter(pk__in=some).update(warned_until=F("kept_until"))
        return found

    def claim(self, at: datetime, *, today: date, days: int) -> tuple[BelongingsEntry, str] | None:
        """Return what is to be told now and whether it is `ending` or `ended`; None for nothing."""
        is_over = Q(kept_until__lt=today) & ~Q(told=ENDED)
        ends = Q(kept_until__range=(today, today + timedelta(days=days)), told="")
        with ledger_transaction(self._alias):
            is_free = Q(claimed_until=None) | Q(claimed_until__lte=at)
            due = self._open.select_for_update().exclude(answer=DELETED)
            due = due.filter(is_over | ends).filter(is_free, next_at__lte=at)
            row = due.order_by("next_at", "id").first()
            if row is None:
                return None
            row.claimed_until = at + LEASE
            self._rows.filter(pk=row.pk).update(claimed_until=row.claimed_until)
        return _entry(row), ENDED if row.kept_until < today else ENDING

    @ledger_errors()
    def told(
        self, one: BelongingsEntry, kind: str, answer: KeptAnswer | None, at: datetime
    ) -> None:
        """Write down that the business's system took it, and what it answered.

        Nothing where somebody else holds it by now: who asked last has the newer answer.
        """
        taken = {"told_at": at, "claimed_until": None, "failures": 0, "last_error": ""}
        row = self._held(one)
        if answer is None:  # where the day was corrected meanwhile, that one is told as well
            row.filter(kept_until=one.kept_until).update(told=kind, **taken)
            row.update(claimed_until=None)
        elif answer.kept_until is None:
            row.update(told=kind, answer=DELETED, answered_at=at, **taken)
        else:
            until = answer.kept_until
            row.update(told="", kept_until=until, answer=KEPT, answered_at=at, next_at=at, **taken)

    @ledger_errors()
    def failed(
        self, one: BelongingsEntry, why: str, at: datetime, *, retry_after: timedelta | None
    ) -> None:
        """Write down that it was not taken, and when it is told again."""
        self._held(one).update(
            failures=F("failures") + 1,
            next_at=at + find_wait(one.failures, retry_after),
            claimed_until=None,
            last_error=why[:300],
        )

    @ledger_errors()
    def waiting(self) -> tuple[int, datetime | None, str]:
        """Return how many were told in vain, when the next is told again, and one reason."""
        vain = self._open.filter(failures__gt=0)
        why = vain.order_by("-next_at").values_list("last_error", flat=True).first()
        return vain.count(), vain.aggregate(next=Min("next_at"))["next"], why or ""

    @ledger_errors()
    def newest_of(self, people: Collection[str]) -> Mapping[str, BelongingsEntry]:
        """Return each one's newest row that was not corrected away."""
        rows = self._rows.filter(person__in=people).exclude(closed=CORRECTED).order_by("number")
        return {row.person: _entry(row) for row in rows}

    @ledger_errors()
    def all(self, person: str = "") -> list[BelongingsEntry]:
        """Return every row, or those of one person, in order of departure."""
        rows = self._rows.filter(person=person) if person else self._rows
        return [_entry(row) for row in rows.order_by("ended_on", "id")]

    def _begin(
        self,
        stays: Iterable[LastStay],
        at: datetime,
        today: date,
        *,
        what: Sequence[str],
        days: int,
    ) -> int:
        """Add the rows of those who are gone; return how many."""
        fresh = [
            intake_models.Belongings(
                person=one.person,
                number=one.number,
                what="\n".join(what),
                ended_on=one.ended_on,
                days=days,
                kept_until=one.ended_on + timedelta(days=days),
                noted_at=at,
                next_at=at,
            )
            for one in stays
            if what and one.is_gone and one.ended_on is not None
        ]
        fresh = [one for one in fresh if one.kept_until >= today]
        self._rows.bulk_create(fresh, ignore_conflicts=True)  # another worker may have come first
        return len(fresh)

    def _erased(self, people: Sequence[str]) -> set[str]:
        cards = models.Person.objects.using(self._alias).select_for_update().order_by("pk")
        held = cards.filter(pk__in=people).values_list("pk", "erased_at")
        return {person for person, erased_at in held if erased_at is not None}

    def _rows_of(
        self, people: Sequence[str]
    ) -> defaultdict[str, dict[int, intake_models.Belongings]]:
        found: defaultdict[str, dict[int, intake_models.Belongings]] = defaultdict(dict)
        for row in self._rows.select_for_update().filter(person__in=people).order_by("id"):
            found[row.person][row.number] = row
        return found

    def _held(self, one: BelongingsEntry) -> QuerySet[intake_models.Belongings]:
        """Return the row of an entry, as long as whoever claimed it so holds it."""
        return self._rows.filter(pk=one.id, claimed_until=one.held_until)

    @property
    def _open(self) -> QuerySet[intake_models.Belongings]:
        return self._rows.filter(closed="")

    @property
    def _rows(self) -> QuerySet[intake_models.Belongings]:
        return intake_models.Belongings.objects.using(self._alias)


def _follow(row: intake_models.Belongings, stay: LastStay, today: date, at: datetime) -> bool:
    """Let a row say what is known last of its departure; return whether that is new."""
    was = (row.closed, row.closed_on, row.ended_on)
    if stay.number < row.number:
        row.closed = CORRECTED
        row.closed_on = row.closed_on if was[0] == CORRECTED else today
    elif stay.number > row.number or not stay.is_gone:
        if stay.number == row.number or not row.closed:
            row.closed, row.closed_on = RETURNED, stay.came_on
    else:
        row.closed, row.closed_on = "", None
    if stay.number == row.number and stay.ended_on is not None:
        row.ended_on = stay.ended_on
    if was == (row.closed, row.closed_on, row.ended_on):
        return False
    until = row.ended_on + timedelta(days=row.days)
    if was[2] != row.ended_on and row.answer != KEPT:
        row.kept_until, row.told, row.next_at, row.failures = until, "", at, 0
    row.save()
    return True


def _entry(row: intake_models.Belongings) -> BelongingsEntry:
    return BelongingsEntry(
        id=row.pk,
        person=row.person,
        number=row.number,
        what=tuple(row.what.split("\n")),
        ended_on=row.ended_on,
        kept_until=row.kept_until,
        answer=row.answer,
        answered_at=row.answered_at,
        told=row.told,
        told_at=row.told_at,
        closed=row.closed,
        closed_on=row.closed_on,
        failures=row.failures,
        held_until=row.claimed_until,
    )
