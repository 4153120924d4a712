"""Messages that need a person: found, and resolved by hand with an entry in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from rekindle.errors import UsageError
from rekindle.gate import INSTANT, BookRules
from rekindle.ledger import models
from rekindle.ledger.cancelling import FREE, book_budgets
from rekindle.ledger.hashing import key_of_touch
from rekindle.ledger.history.audit import AuditLog
from rekindle.ledger.models import STUCK, MessageState
from rekindle.ledger.offers.giving import doubt_offers, give_again, take_offers_back
from rekindle.ledger.outbox.model import StuckMessage
from rekindle.ledger.queries import ledger_errors, ledger_transaction, names_of
from rekindle.ledger.signals import hold_people
from rekindle.vocabulary import Reason

SHORT = 12
"""So many digits of a key tell messages apart where people read them."""


def find_stuck(alias: str, key: str = "") -> Iterator[tuple[int, StuckMessage]]:
    """Yield the stuck messages whose key begins so, with their touch's number."""
    rows = models.Touch.objects.using(alias).filter(state__in=STUCK)
    rows = rows.exclude(reason=Reason.BOUNCE.value).select_related("enrolment")
    with ledger_errors():
        for row in rows.order_by("at", "id").iterator(chunk_size=1000):
            stuck = _stuck_message(row)
            if stuck.key.startswith(key):
                yield row.pk, stuck


def resolve_stuck(
    alias: str, key: str, *, sent: bool, at: datetime, who: str, terms: BookRules
) -> StuckMessage:
    """Do what ``Outbox.resolve`` says."""
    touch, stuck = _only(alias, key)
    if sent and stuck.state is not MessageState.UNKNOWN:
        raise UsageError(
            f"message {stuck.key[:SHORT]} did not leave ({stuck.error}), so it cannot count as "
            "sent; have it tried again, or leave it"
        )
    with ledger_transaction(alias):
        hold_people(alias, [stuck.person])
        rows = models.Touch.objects.using(alias).select_for_update()
        row = rows.filter(pk=touch, state=stuck.state.value).first()
        if row is None:
            raise UsageError(f"message {stuck.key[:SHORT]} has been resolved meanwhile")
        change = _as_sent(row) if sent else _as_unsent(alias, row, at, terms)
        models.Touch.objects.using(alias).filter(pk=touch).update(**FREE, **change)
        detail = {
            "was": stuck.state.value,
            "is": str(change["state"]),
            "person": stuck.person,
            "journey": stuck.journey,
            "step": stuck.step,
        }
        AuditLog(alias).write(who, "resolved", stuck.key[:SHORT], detail, at)
    reason = change["reason"]
    return replace(
        stuck,
        state=MessageState(change["state"]),
        reason=None if reason is None else Reason(reason),
    )


def _only(alias: str, key: str) -> tuple[int, StuckMessage]:
    found = list(find_stuck(alias, key)) if key else []
    if not found:
        raise UsageError(f"no stuck message {key!r}; `rekindle outbox` lists them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} stuck messages begin with {key!r}; write more of the key")
    return found[0]


def _as_sent(row: models.Touch) -> dict[str, Any]:
    # Its window began when it was tried: that is when it reached the person, if it did.
    return {"state": MessageState.ACCEPTED, "accepted_at": row.not_before, "reason": None}


def _as_unsent(alias: str, row: models.Touch, at: datetime, terms: BookRules) -> dict[str, Any]:
    was_released = row.state == MessageState.FAILED
    missing: Reason | None = None
    if row.expires_at < at:
        reason = Reason.STALE
    elif was_released and (missing := give_again(alias, row.pk, terms.offers)) is not None:
        reason = missing
    elif was_released and not _pays_again(alias, row, terms):
        reason = Reason.BUDGET
        take_offers_back(alias, [row.pk])
    else:
        if not was_released:
            doubt_offers(alias, [row.pk])
        soon = min(at, row.expires_at + INSTANT)
        fresh = {"reason": None, "attempts": 0, "known_until": None}
        return {"state": MessageState.QUEUED, "not_before": soon, **fresh}
    if not was_released:
        book_budgets(alias, [(row.budgets, row.budget_month, -row.cost_micros)])
        doubt_offers(alias, [row.pk])
        take_offers_back(alias, [row.pk])
    return {"state": MessageState.CANCELLED, "reason": reason.value}


def _pays_again(alias: str, row: models.Touch, terms: BookRules) -> bool:
    """Reserve the cost of a message that had been given up, if its budgets still hold it."""
    limits = {one.name: one.limit_micros for one in terms.budgets}
    names = sorted(names_of(row.budgets))
    rows = models.Budget.objects.using(alias).filter(name__in=names, month=row.budget_month)
    for budget in rows.select_for_update().order_by("name"):
        limit = limits.get(budget.name)
        if limit is not None and budget.reserved_micros + row.cost_micros > limit:
            return False
    book_budgets(alias, [(row.budgets, row.budget_month, row.cost_micros)])
    return True


def _stuck_message(row: models.Touch) -> StuckMessage:
    enrolment = row.enrolment
    return StuckMessage(
        key=key_of_touch(row),
        person=row.person_id,
        journey=enrolment.journey,
        version=row.version,
        step=row.step,
        state=MessageState(row.state),
        reason=None if row.reason is None else Reason(row.reason),
        error=row.last_error,
        attempts=row.attempts,
        created_at=row.at,
        at=row.not_before,
    )
