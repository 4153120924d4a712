"""The one place where messages that have not left are cancelled or taken back.

A purchase, a withdrawal, an erasure, a stop and the last look all come here, so that what
a message had reserved, in the budgets and of an offer, is released whenever it is not sent.
It is here as well that people are asked to be taken off the lists they were put on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from rekindle.ledger import models
from rekindle.ledger.models import MessageState
from rekindle.ledger.offers.giving import take_offers_back
from rekindle.ledger.queries import ledger_transaction, names_of
from rekindle.vocabulary import Reason

WAITING = (MessageState.QUEUED, MessageState.LEASED)
"""The states of what has not left and still may."""

# Numbers a statement may name: SQLite carries at most 32,766 variables.
CHUNK = 10_000
T = TypeVar("T")
FREE: Mapping[str, object] = {"leased_by": "", "lease_until": None}


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Whom a suppression binds, by who they are or by the hash of an address, and how far."""

    person: str
    channel: str | None
    is_marketing_alone: bool
    reason: str
    hash: str = ""


def cancel(alias: str, touches: QuerySet[models.Touch], reason: Reason) -> int:
    """Cancel those of ``touches`` that have not left; return how many did not leave.

    Their budgets are released in the same transaction. A message that is leaving at this
    instant is not among them. What left and waits to be asked for is withdrawn.
    """
    with ledger_transaction(alias):
        waiting = touches.filter(state__in=WAITING)
        gone = give_up(alias, waiting, state=MessageState.CANCELLED, reason=reason)
        withdraw(alias, touches)  # after the messages, as whoever accepts one takes them
        return gone


def withdraw(alias: str, touches: QuerySet[models.Touch]) -> None:
    """Let those of ``touches`` that wait to be asked for be shown no more."""
    kept = models.Kept.objects.using(alias)
    if kept.exists():  # hardly any ledger has some, and everything that is cancelled comes here
        kept.filter(touch__in=touches.order_by().values("pk")).delete()


def cancel_each(alias: str, reasons: Mapping[int, Reason]) -> int:
    """Cancel touches by number, each for its own reason; return how many were waiting."""
    return sum(
        cancel(alias, _touches(alias).filter(pk__in=chunk), reason)
        for reason, chunk in _by_reason(reasons.items())
    )


def cancel_messages_of(alias: str, endings: Iterable[tuple[int, Reason]]) -> int:
    """Cancel what waits of enrolments, each for its own reason; return how many messages."""
    return sum(
        cancel(alias, _touches(alias).filter(enrolment__in=chunk), reason)
        for reason, chunk in _by_reason(endings)
    )


def take_back(alias: str, touches: QuerySet[models.Touch]) -> int:
    """Put what workers hold of ``touches`` and has not left back into the queue."""
    with ledger_transaction(alias):
        numbers = list(_locked(touches.filter(state=MessageState.LEASED)).values_list("pk"))
        return sum(
            _touches(alias).filter(pk__in=chunk).update(state=MessageState.QUEUED, **FREE)
            for chunk in _chunks(number for (number,) in numbers)
        )


def take_back_from(alias: str, people: Collection[str]) -> int:
    """Have the gate asked anew about what waits for ``people`` and who shares their addresses.

    For whatever changes its answer without cancelling by itself: a suppression, a wish.
    """
    found = 0
    for chunk in _chunks(people):
        cards = models.Person.objects.using(alias)
        mine = Q(person__in=chunk)
        for kind in ("address_hash", "phone_hash"):
            hashes = cards.filter(pk__in=chunk).exclude(**{kind: ""}).values(kind)
            same = cards.exclude(**{kind: ""}).filter(**{f"{kind}__in": hashes})
            mine |= Q(person__in=same.values("pk"))
        found += take_back(alias, _touches(alias).filter(mine))
        if has_stays(alias):
            hold_stays(_stays(alias).filter(mine, requested_at=None)).update(judged_at=None)
    return found


def has_stays(alias: str) -> bool:
    """Return whether anybody is on a list, or to be put on one; nearly always nobody is."""
    return _stays(alias).filter(requested_at=None).exists()


def hold_stays(stays: QuerySet[models.Stay]) -> QuerySet[models.Stay]:
    """Hold stays until the commit, in one order everywhere; return exactly these."""
    held = stays.select_for_update(of=("self",), no_key=True).order_by("pk")
    numbers = list(held.values_list("pk", flat=True))
    return models.Stay.objects.using(stays.db).filter(pk__in=numbers)


def end_stays(alias: str, stays: QuerySet[models.Stay], reason: str, at: datetime) -> int:
    """Ask that people be taken off lists, in the caller's transaction; return how many stays.

    Who was not told of yet is off at once. Whoever is known there by the same name goes too,
    but for a stay that has only run its course: a list cannot tell the two apart.
    """
    found = 0
    for chunk in _chunks(stays.filter(requested_at=None).order_by("pk").values_list("pk")):
        numbers = {number for (number,) in chunk}
        if reason != Reason.FINISHED:
            numbers |= _known_alike(alias, numbers)
        mine = hold_stays(_stays(alias).filter(pk__in=numbers, requested_at=None))
        since = Greatest(Value(at, DateTimeField()), F("at"))
        found += mine.update(requested_at=since, reason=reason, not_before=at, attempts=0)
        mine.filter(told_at=None).update(effective_at=F("requested_at"), member="")
    return found


def end_enrolled_stays(alias: str, endings: Iterable[tuple[int, Reason]], at: datetime) -> int:
    """Ask that people be taken off the lists that ended journeys put them on."""
    if not has_stays(alias):
        return 0
    return sum(
        end_stays(alias, _stays_of(alias, _touches(alias).filter(enrolment__in=chunk)), reason, at)
        for reason, chunk in _by_reason(endings)
    )


def end_journey_stays(alias: str, journey: str, reason: Reason, at: datetime) -> int:
    """Ask that everybody be taken off the lists that a journey put them on."""
    touches = _touches(alias).filter(enrolment__journey=journey)
    return end_stays(alias, _stays_of(alias, touches), reason, at) if has_stays(alias) else 0


def end_suppressed_stays(alias: str, suppression: Suppressed, at: datetime) -> int:
    """Ask that whoever a suppression binds be taken off lists, as far as it reaches."""
    cards = models.Person.objects.using(alias)
    mine = Q(pk=suppression.person) if suppression.person else Q(pk__in=())
    for kind in ("address_hash", "phone_hash"):
        own = cards.filter(pk=suppression.person).exclude(**{kind: ""}).values(kind)
        mine |= Q(**{f"{kind}__in": own})
        if suppression.hash:
            mine |= Q(**{kind: suppression.hash})
    stays = _stays(alias).filter(person__in=cards.filter(mine).values("pk"))
    if suppression.channel is not None:
        stays = stays.filter(channel=suppression.channel)
    if suppression.is_marketing_alone:
        stays = stays.filter(touch__in=_touches(alias).filter(is_marketing=True).values("pk"))
    return end_stays(alias, stays, suppression.reason, at)


def _known_alike(alias: str, numbers: Collection[int]) -> set[int]:
    """Return the stays on the same list under the same name as one of these."""
    names = ("outlet", "destination", "member")
    own = set(_stays(alias).filter(pk__in=numbers).values_list(*names))
    alike = _stays(alias).filter(member__in={one[2] for one in own} - {""}, requested_at=None)
    return {number for number, *name in alike.values_list("pk", *names) if tuple(name) in own}


def give_up(
    alias: str,
    touches: QuerySet[models.Touch],
    *,
    state: MessageState,
    reason: Reason,
    error: str | None = None,
) -> int:
    """Write off ``touches`` and release their budgets, inside the caller's transaction.

    One that may have left when it was tried before is of unknown fate, whatever stops it
    now, and stays paid for; it is not counted.
    """
    columns = ("pk", "cost_micros", "budgets", "budget_month", "known_until")
    found = list(_locked(touches).values_list(*columns))
    rows = [row[:4] for row in found if row[4] is None or state is not MessageState.CANCELLED]
    _doubt(alias, [row[0] for row in found if row[4] is not None], state)
    change: dict[str, object] = {**FREE, "state": state, "reason": reason.value}
    if error is not None:
        change["last_error"] = error
    for chunk in _chunks(number for number, *_ in rows):
        _touches(alias).filter(pk__in=chunk).update(**change)
    book_budgets(alias, ((budgets, month, -cost) for _, cost, budgets, month in rows))
    for chunk in _chunks(number for number, *_ in rows):
        take_offers_back(alias, chunk)
    return len(rows)


def _doubt(alias: str, numbers: Sequence[int], state: MessageState) -> None:
    """Leave it to a person, or to a report, what became of messages that were to be cancelled."""
    if numbers and state is MessageState.CANCELLED:
        unknown = {**FREE, "state": MessageState.UNKNOWN, "known_until": None}
        _touches(alias).filter(pk__in=numbers).update(**unknown)


def book_budgets(alias: str, amounts: Iterable[tuple[str, str, int]]) -> None:
    """Add (names between bars, month, micros) to what is reserved, in the caller's transaction.

    Budgets are locked in the order of their names, as everybody does.
    """
    totals: Counter[tuple[str, str]] = Counter()
    for names, month, micros in amounts:
        for name in names_of(names):
            totals[name, month] += micros
    for (name, month), micros in sorted(totals.items()):
        rows = models.Budget.objects.using(alias).filter(name=name, month=month)
        rows.update(reserved_micros=F("reserved_micros") + micros)


def _stays(alias: str) -> QuerySet[models.Stay]:
    return models.Stay.objects.using(alias)


def _stays_of(alias: str, touches: QuerySet[models.Touch]) -> QuerySet[models.Stay]:
    return _stays(alias).filter(touch__in=touches.values("pk"))


def _touches(alias: str) -> QuerySet[models.Touch]:
    return models.Touch.objects.using(alias)


def _locked(touches: QuerySet[models.Touch]) -> QuerySet[models.Touch]:
    """Lock in one order everywhere, so that two transactions wait and never embrace."""
    return touches.select_for_update(of=("self",), no_key=True).order_by("pk")


def _by_reason(pairs: Iterable[tuple[int, Reason]]) -> Iterator[tuple[Reason, list[int]]]:
    groups: defaultdict[Reason, list[int]] = defaultdict(list)
    for number, reason in pairs:
        groups[reason].append(number)
    for reason, numbers in sorted(groups.items()):
        for chunk in _chunks(numbers):
            yield reason, chunk


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
