"""What subscribers told the biller: each is a row before the biller is asked, so none is lost.

Of one subscription the newest word counts: an older one that nobody answered is asked no more.
The number of a row is in the key that the biller gets, so the same word is done once, and the
same word said anew, after another, is another.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from rekindle.ledger import intake_models
from rekindle.ledger.queries import ledger_errors, ledger_transaction

LEASE = timedelta(minutes=5)
FAILED = ("refused", "moot")
ASKED, OVERTAKEN = "asked", "overtaken"
STOPS = ("cancel", "pause")
"""What is not to be paid any more once it is done."""


@dataclass(frozen=True, slots=True)
class InstructionEntry:
    """One instruction. ``state`` is `asked` while nobody answered, or what came of it.

    ``argument`` is until when, which price or which discount; ``evidence`` by which link it was
    told.
    """

    id: int
    subscription: str
    number: int
    person: str
    kind: str
    argument: str
    reason: str
    words: str
    state: str
    asked_at: datetime
    evidence: str = ""
    answered_at: datetime | None = None

    @property
    def key(self) -> str:
        """Return the key under which the biller is asked."""
        return f"instruction:{self.subscription}:{self.number}"

    @property
    def is_waiting(self) -> bool:
        """Return whether nobody answered yet."""
        return self.state == ASKED


class Instructions:
    """The instructions in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, provider: str) -> None:
        self._alias, self._provider = alias, provider

    def begin(
        self, one: InstructionEntry, at: datetime, *, looked_at: datetime
    ) -> tuple[InstructionEntry, bool]:
        """Write down an instruction; return it, and whether it is the caller's to ask for.

        The same one said a moment ago, which was not answered before the caller looked how
        things stand, is that one. Where another is being asked for, this one waits for it: of
        two that arrive at the biller at once nobody knows which is the later.
        """
        with ledger_transaction(self._alias):
            rows = self._of(one.subscription).select_for_update()
            last = rows.order_by("-number").first()
            if last is not None and _is_same(last, one, looked_at):
                return _entry(last), False
            in_flight = self._of(one.subscription).filter(state=ASKED, claimed_until__gt=at)
            waits_until = in_flight.aggregate(last=Max("claimed_until"))["last"]
            row, is_mine = self._rows.get_or_create(
                provider=self._provider,
                subscription=one.subscription,
                number=1 + (last.number if last else 0),
                defaults={
                    "person": one.person,
                    "kind": one.kind,
                    "argument": one.argument,
                    "reason": one.reason,
                    "words": one.words,
                    "evidence": one.evidence,
                    "state": ASKED,
                    "asked_at": at,
                    "claimed_until": waits_until or at + LEASE,
                },
            )
            if is_mine:
                rows.filter(state=ASKED, number__lt=row.number).update(
                    state=OVERTAKEN, answered_at=at
                )
        if not is_mine and not _is_same(row, one, looked_at):
            return self.begin(one, at, looked_at=looked_at)  # another was said at this instant
        return _entry(row), is_mine and waits_until is None

    def claim_unanswered(self, at: datetime, *, most: int = 100) -> list[InstructionEntry]:
        """Return instructions that nobody answered, for this process alone for a while."""
        with ledger_transaction(self._alias):
            rows = self._rows.select_for_update().filter(Q(claimed_until__lte=at), state=ASKED)
            # What was put off comes last, so that it holds up no other.
            found = list(rows.order_by("claimed_until", "id")[:most])
            self._rows.filter(pk__in=[one.pk for one in found]).update(claimed_until=at + LEASE)
        return [_entry(one) for one in found]

    @ledger_errors()
    def answer(self, one: InstructionEntry, state: str, at: datetime, *, trouble: str = "") -> None:
        """Write down what came of an instruction."""
        self._rows.filter(pk=one.id, state=ASKED).update(
            state=state, answered_at=at, trouble=trouble[:300]
        )

    @ledger_errors()
    def put_off(self, one: InstructionEntry, at: datetime, wait: timedelta) -> None:
        """Let an instruction that was not answered be asked for again in a while."""
        # What was sent may arrive still: whatever overtakes it is to come after it.
        self._rows.filter(pk=one.id, state=ASKED).update(claimed_until=at + wait)

    @ledger_errors()
    def call_off(self, subscription: str, at: datetime) -> None:
        """Let what waits for a subscription be asked no more, as something else was done since."""
        waiting = self._of(subscription).filter(state=ASKED)
        waiting.update(state=OVERTAKEN, answered_at=at)

    @ledger_errors()
    def waiting_of(self, subscription: str) -> InstructionEntry | None:
        """Return what waits to be carried out for a subscription, None for nothing."""
        row = self._of(subscription).filter(state=ASKED).order_by("-number").first()
        return None if row is None else _entry(row)

    @ledger_errors()
    def stopping(self, people: Collection[str]) -> frozenset[str]:
        """Return who of ``people`` cancelled or paused something, and nobody answered yet."""
        rows = self._rows.filter(state=ASKED, kind__in=STOPS, person__in=people)
        return frozenset(rows.values_list("person", flat=True))

    @ledger_errors()
    def was_given(self, subscription: str) -> bool:
        """Return whether a subscription was given an offer before, or is to be."""
        rows = self._of(subscription).filter(kind="offer", state__in=[ASKED, "done"])
        return rows.exists()

    @ledger_errors()
    def undone(self, since: datetime) -> Sequence[InstructionEntry]:
        """Return what waits, and what was told since and could not be done, in order."""
        found = self._rows.filter(
            Q(state=ASKED) | Q(state__in=FAILED, asked_at__gte=since)
        ).order_by("id")
        return [_entry(row) for row in found]

    @ledger_errors()
    def of_person(self, person: str) -> Sequence[InstructionEntry]:
        """Return everything somebody told, in order."""
        return [_entry(row) for row in self._rows.filter(person=person).order_by("id")]

    def _of(self, subscription: str) -> QuerySet[intake_models.Instruction]:
        return self._rows.filter(subscription=subscription)

    @property
    def _rows(self) -> QuerySet[intake_models.Instruction]:
        return intake_models.Instruction.objects.using(self._alias).filter(provider=self._provider)


def _is_same(last: intake_models.Instruction, one: InstructionEntry, looked_at: datetime) -> bool:
    """Return whether the newest row says what is said now, and is not answered or was since."""
    if (last.kind, last.argument) != (one.kind, one.argument):
        return False
    if last.state == ASKED:
        return True
    return last.state == "done" and last.answered_at is not None and last.answered_at >= looked_at


def _entry(row: intake_models.Instruction) -> InstructionEntry:
    return InstructionEntry(
        id=row.pk,
        subscription=row.subscription,
        number=row.number,
        person=row.person,
        kind=row.kind,
        argument=row.argument,
        reason=row.reason,
        words=row.words,
        state=row.state,
        asked_at=row.asked_at,
        evidence=row.evidence,
        answered_at=row.answered_at,
    )
