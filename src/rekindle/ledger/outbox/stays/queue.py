"""What other systems are to be told of their lists, and what they answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from rekindle.ledger import models
from rekindle.ledger.cancelling import end_stays, give_up, hold_stays
from rekindle.ledger.models import JourneyState, MessageState
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.messages import ChangeKind
from rekindle.vocabulary import Reason

JUDGED_FOR = timedelta(hours=1)
"""So long the gate's word that somebody may be put on a list is good enough."""

LONGEST_ERROR = 300
REASONS = frozenset(one.value for one in Reason)
# A provider may report that it let a message go before we have written down that it did.
LEFT = (MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.FAILED)
SAME_LIST = {"outlet": OuterRef("outlet"), "destination": OuterRef("destination")}


@dataclass(frozen=True, slots=True)
class Claimed:
    """Stays on one list of which one change tells; nobody else tells of them meanwhile.

    ``fresh`` are those of which nobody was told before.
    """

    kind: ChangeKind
    outlet: str
    destination: str
    members: Sequence[str]
    stays: Sequence[int]
    fresh: Sequence[int] = ()
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class OpenRemoval:
    """A removal that was taken, and of which it is not known yet that it is effective.

    One that ``is_of_messages`` calls them back.
    """

    request: str
    taken_at: datetime
    stays: Sequence[int]
    is_of_messages: bool = False


class Stays:
    """The stays of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @property
    def _rows(self) -> QuerySet[models.Stay]:
        return models.Stay.objects.using(self._alias)

    @ledger_errors()
    def outlets(self) -> list[str]:
        """Return the outlets with stays of which something is left to do."""
        open_ = self._rows.filter(effective_at=None)
        return sorted(open_.order_by().values_list("outlet", flat=True).distinct())

    def end_overdue(self, at: datetime) -> int:
        """Ask that those be taken off whose stay has run its course; return how many."""
        with ledger_transaction(self._alias):
            over = self._rows.filter(until__lte=at)
            self._let_go(over.filter(destination="", requested_at=None))
            return end_stays(self._alias, over, Reason.FINISHED, at)

    def _let_go(self, left: QuerySet[models.Stay]) -> None:
        """Let messages go that nobody called back, without a word to their provider."""
        left_at = F("until")
        hold_stays(left).update(
            requested_at=left_at, effective_at=left_at, reason=Reason.FINISHED.value, member=""
        )

    def spare(self, outlet: str, at: datetime) -> int:
        """Let stays end without a word whose person is on the list by another stay as well."""
        with ledger_transaction(self._alias):
            others = self._rows.filter(**SAME_LIST, member=OuterRef("member"), requested_at=None)
            leaving = self._leaving(outlet).filter(Exists(others.filter(told_at__isnull=False)))
            numbers = list(_held(leaving).values_list("pk", flat=True))
            return self._rows.filter(pk__in=numbers).update(effective_at=at, member="")

    def claim(
        self, outlet: str, kind: ChangeKind, at: datetime, *, limit: int, lease: timedelta
    ) -> Claimed | None:
        """Return what is to be told of one list, marked as told; None where nothing is.

        Who is to be put on it waits until an earlier removal of the same member is effective,
        so that the two cannot pass each other.
        """
        with ledger_transaction(self._alias):
            due = self._due(outlet, kind, at)
            first = _held(due).values_list("destination", flat=True).first()
            if first is None:
                return None
            mine = _held(due.filter(destination=first))[:limit]
            found = list(mine.values_list("pk", "member", "told_at", "attempts"))
            numbers = [row[0] for row in found]
            claimed = self._rows.filter(pk__in=numbers)
            claimed.update(lease_until=at + lease)
            if kind is ChangeKind.ADD:
                claimed.filter(told_at=None).update(told_at=at)
        return Claimed(
            kind,
            outlet,
            first,
            list(dict.fromkeys(row[1] for row in found)),
            numbers,
            [row[0] for row in found if row[2] is None],
            max(row[3] for row in found),
        )

    def take(self, claimed: Claimed, request: str, at: datetime) -> None:
        """Write down that a change was taken, to be asked for by ``request``."""
        with ledger_transaction(self._alias):
            mine = hold_stays(self._rows.filter(pk__in=claimed.stays))
            done: dict[str, object] = {"lease_until": None, "last_error": ""}
            if claimed.kind is ChangeKind.ADD:
                mine.update(**done, added_at=at)
                mine.filter(requested_at=None).update(attempts=0)
                return
            mine.filter(effective_at=None).update(
                **done, taken_at=at, request=request, not_before=at, attempts=0
            )

    def fail(self, claimed: Claimed, again_at: datetime, error: str, *, is_unknown: bool) -> None:
        """Tell of a change again at ``again_at``; where it ``is_unknown`` it may be done."""
        with ledger_transaction(self._alias):
            mine = hold_stays(self._rows.filter(pk__in=claimed.stays))
            if not is_unknown:
                fresh = self._rows.filter(pk__in=claimed.fresh)
                fresh.update(told_at=None)
                fresh.filter(requested_at__isnull=False).update(
                    effective_at=F("requested_at"), member=""
                )
            words = " ".join(error.split())[:LONGEST_ERROR]
            mine.update(lease_until=None, last_error=words)
            # Who was asked to be taken off meanwhile does not wait for that.
            kept = mine.filter(requested_at__isnull=claimed.kind is ChangeKind.ADD)
            kept.update(not_before=again_at, attempts=F("attempts") + 1)

    @ledger_errors()
    def asked(self, outlet: str, at: datetime) -> list[OpenRemoval]:
        """Return the removals to be asked about now, by what they are asked for."""
        rows = self._rows.filter(
            outlet=outlet, taken_at__isnull=False, effective_at=None, not_before__lte=at
        )
        found: dict[tuple[str, datetime, bool], list[int]] = {}
        names = ("pk", "request", "taken_at", "destination")
        for number, request, taken, destination in rows.order_by("pk").values_list(*names):
            if taken is not None:
                found.setdefault((request, taken, not destination), []).append(number)
        return [
            OpenRemoval(request, taken, numbers, is_of_messages)
            for (request, taken, is_of_messages), numbers in found.items()
        ]

    def settle(self, stays: Collection[int], at: datetime) -> None:
        """Write down that removals are effective; by what they were known there is forgotten."""
        with ledger_transaction(self._alias):
            mine = hold_stays(self._rows.filter(pk__in=stays, effective_at=None))
            mine.update(effective_at=at, member="", last_error="")

    def settle_called_back(self, stays: Collection[int], at: datetime) -> None:
        """Write down that messages were called back: they cost nothing, and reached nobody.

        What they had reserved is released as if they had been cancelled before they left.
        """
        with ledger_transaction(self._alias):
            known = self._rows.filter(pk__in=stays, effective_at=None)
            for touch, reason in known.order_by("touch").values_list("touch", "reason"):
                mine = models.Touch.objects.using(self._alias).filter(pk=touch, state__in=LEFT)
                why = Reason(reason) if reason in REASONS else Reason.SUPPRESSED
                give_up(self._alias, mine, state=MessageState.CANCELLED, reason=why)
            self.settle(stays, at)

    def ask_again(
        self,
        stays: Collection[int],
        again_at: datetime,
        error: str = "",
        *,
        is_failed: bool = False,
    ) -> None:
        """Ask later what became of removals, or where one ``is_failed`` tell it once more."""
        with ledger_transaction(self._alias):
            mine = hold_stays(self._rows.filter(pk__in=stays, effective_at=None))
            change: dict[str, object] = {"not_before": again_at}
            if error:
                change["last_error"] = " ".join(error.split())[:LONGEST_ERROR]
            if is_failed:
                change |= {"taken_at": None, "request": "", "attempts": F("attempts") + 1}
            mine.update(**change)

    @ledger_errors()
    def everybody(self, outlet: str, destination: str) -> Iterator[str]:
        """Yield who is to be on a list as far as it was told, once each."""
        rows = self._rows.filter(
            outlet=outlet, destination=destination, requested_at=None, told_at__isnull=False
        )
        yield from rows.order_by("member").values_list("member", flat=True).distinct().iterator()

    def _due(self, outlet: str, kind: ChangeKind, at: datetime) -> QuerySet[models.Stay]:
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        if kind is ChangeKind.REMOVE:
            return self._leaving(outlet).filter(free, not_before__lte=at)
        rows = self._rows.filter(
            free,
            outlet=outlet,
            not_before__lte=at,
            requested_at=None,
            added_at=None,
            until__gt=at,
            judged_at__gt=at - JUDGED_FOR,
        )
        before = self._rows.filter(**SAME_LIST, member=OuterRef("member"), effective_at=None)
        rows = rows.exclude(Exists(before.filter(requested_at__isnull=False)))
        paused = models.Journey.objects.using(self._alias).filter(state=JourneyState.PAUSED)
        if still := list(paused.values_list("name", flat=True)):
            touches = models.Touch.objects.using(self._alias).filter(enrolment__journey__in=still)
            rows = rows.exclude(touch__in=touches.values("pk"))
        return rows

    def _leaving(self, outlet: str) -> QuerySet[models.Stay]:
        """Return those who may be on a list and are to be taken off, which nobody was told yet."""
        return self._rows.filter(
            outlet=outlet,
            requested_at__isnull=False,
            told_at__isnull=False,
            taken_at=None,
            effective_at=None,
        )


def _held(rows: QuerySet[models.Stay]) -> QuerySet[models.Stay]:
    """Lock rows in one order; what another worker holds is left to it."""
    return rows.order_by("destination", "pk").select_for_update(
        of=("self",), no_key=True, skip_locked=True
    )


def end_each_stay(alias: str, reasons: Iterable[tuple[int, Reason]], at: datetime) -> None:
    """Ask that stays, by number, be ended, each for its own reason."""
    rows, groups = models.Stay.objects.using(alias), defaultdict[Reason, list[int]](list)
    for number, reason in reasons:
        groups[reason].append(number)
    with ledger_transaction(alias):
        for reason, numbers in sorted(groups.items()):
            end_stays(alias, rows.filter(pk__in=numbers), reason, at)
