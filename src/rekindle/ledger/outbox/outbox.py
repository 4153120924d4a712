"""The outbox: what is to leave, who is sending it, and what became of it.

A message is claimed with a lease, looked at once more and marked before the provider is
asked. So a crash leaves a message whose fate is unknown, never one that is sent again by
itself. Whatever stops a message (a purchase, a withdrawal, a pause) cancels it or takes
it back in its own transaction, whoever holds it; so that it is still held is all there
is to check at the last instant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from types import MappingProxyType

from django.db.models import F, Q, QuerySet

from rekindle.consent import Exclusion
from rekindle.gate import INSTANT, BookRules, Decision, Dossier
from rekindle.journeys import Journey, Signal
from rekindle.ledger import models
from rekindle.ledger.book.addresses import retire_address
from rekindle.ledger.book.persons import settled
from rekindle.ledger.bulk import is_postgresql
from rekindle.ledger.cancelling import CHUNK, FREE, book_budgets, cancel, give_up
from rekindle.ledger.models import MessageState
from rekindle.ledger.offers.giving import doubt_offers, keep_after_all
from rekindle.ledger.outbox.keeping import keep
from rekindle.ledger.outbox.leaving import Lease, load_messages
from rekindle.ledger.outbox.model import OutboxMessage, Recovered, StuckMessage
from rekindle.ledger.outbox.paying import release
from rekindle.ledger.outbox.standing import read_standing
from rekindle.ledger.outbox.stays.taking_down import take_down
from rekindle.ledger.outbox.stuck import find_stuck, resolve_stuck
from rekindle.ledger.queries import (
    execute,
    fetch,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
    text_or_none,
)
from rekindle.ledger.signals import EVERY, hold_people, record_signals
from rekindle.ledger.versions import Versions
from rekindle.messages import LISTED, Address, Message, Stay, find_problem
from rekindle.vocabulary import Answer, Channel, Reason, SignalKind

MAX_ATTEMPTS = 8
"""Tries after which a message that is broken in itself is given up."""

MOST_WAITS = MAX_ATTEMPTS - 2
"""Waits for a template that count as tries: the next wait is long, and no try is the last."""

MAX_CLAIM = CHUNK
NO_TERMS = BookRules()
NO_STAYS: Mapping[int, Stay] = MappingProxyType({})
OFFER_REASONS = frozenset({Reason.OFFER_OVER, Reason.OFFER_OPEN})
ENDINGS = {Reason.BOUNCE: SignalKind.BOUNCE, Reason.OPT_OUT: SignalKind.OPT_OUT}
LOST = "the worker was lost while sending"


class Outbox:
    """The messages of one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, *, terms: BookRules = NO_TERMS) -> None:
        self._alias = alias
        self._terms = terms
        self._versions = Versions(alias)

    def claim(
        self,
        at: datetime,
        *,
        worker: str,
        lease: timedelta,
        limit: int,
        channel: Channel | None = None,
    ) -> list[OutboxMessage]:
        """Return up to ``limit`` messages that only this worker may send until the lease ends.

        They are of one ``channel``, or of every one (None).
        What is stale by now is among them, for the gate to refuse. A journey that is
        paused keeps its messages.
        """
        now, until = text_of(at), text_of(at + lease)
        most = min(limit, MAX_CLAIM)
        which = (channel or EVERY, channel or EVERY)
        with ledger_transaction(self._alias):
            rows = fetch(self._alias, "claim_messages", now, *which, now, most, worker, until)
            touches = [touch for (touch,) in rows]
            held = Lease(worker, at, lease)
            return load_messages(self._alias, self._journey, touches, lease=held, terms=self._terms)

    def settle(self, answers: Sequence[tuple[OutboxMessage, Decision]], at: datetime) -> int:
        """Do what the gate answered other than SEND; return how many messages it stopped.

        HOLD puts a message back into the queue, SKIP cancels it; both answers are
        written down. A message this worker does not hold any more is left alone.
        """
        held = [pair for pair in answers if pair[1].answer is Answer.HOLD]
        skipped = [pair for pair in answers if pair[1].answer is Answer.SKIP]
        with ledger_transaction(self._alias):
            settled = self._skip(skipped) | self._postpone(held)
            rows = [_answer_row(*pair, at) for pair in answers if pair[0].touch in settled]
            if rows:
                execute(self._alias, "add_last_answers", rows_of(rows))
        return len(settled)

    def postpone(
        self, message: OutboxMessage, until: datetime, reason: Reason, at: datetime
    ) -> bool:
        """Queue a message again for ``until`` and say why; return whether it was held."""
        return bool(self.settle([(message, Decision(Answer.HOLD, reason, until))], at))

    def release(self, messages: Iterable[OutboxMessage]) -> None:
        """Put messages that this worker holds and did not try back into the queue."""
        with ledger_transaction(self._alias):
            for message in sorted(messages, key=lambda one: one.touch):
                mine = self._held(message, MessageState.LEASED, MessageState.SENDING)
                mine.update(**FREE, state=MessageState.QUEUED, attempts=message.attempts)

    def begin_sending(
        self, messages: Sequence[OutboxMessage], at: datetime, *, outlet: str = ""
    ) -> list[OutboxMessage]:
        """Mark messages as leaving by an outlet; return those that may: held, journey running.

        All were claimed by one worker; what is not returned was stopped meanwhile.
        """
        if not messages:
            return []
        rows = rows_of((message.touch,) for message in messages)
        given = (rows, rows) if is_postgresql(self._alias) else (rows,)
        worker, lease = messages[0].worker, messages[0].lease
        times = (text_of(at + lease), text_of(at))
        # One statement is a transaction by itself: PostgreSQL is asked once instead of three times.
        marked = fetch(self._alias, "begin_sending", *given, worker, *times, outlet)
        leaving = {touch for (touch,) in marked}
        return [message for message in messages if message.touch in leaving]

    def reprice(self, costs: Sequence[tuple[OutboxMessage, int]]) -> None:
        """Let messages this worker holds cost what they cost as written; budgets follow.

        Each comes with its cost in micros, which is never more than was set aside for it.
        """
        with ledger_transaction(self._alias):
            for message, cost in sorted(costs, key=lambda one: one[0].touch):
                mine = self._held(message, MessageState.LEASED)
                for budgets, month in mine.values_list("budgets", "budget_month"):
                    mine.update(cost_micros=cost)
                    book_budgets(self._alias, [(budgets, month, cost - message.cost_micros)])

    def accept(
        self,
        results: Sequence[tuple[OutboxMessage, str]],
        at: datetime,
        *,
        kept: Sequence[tuple[OutboxMessage, Message]] = (),
        stays: Mapping[int, Stay] = NO_STAYS,
    ) -> None:
        """Write down that the provider took messages, whatever was believed before.

        Each comes with the provider's name for it. Those that are ``kept``, as they were
        written, wait from now on until their person asks for them; ``stays`` are, by touch,
        the lists that people are to be put on.
        """
        rows = rows_of((message.touch, provider_id) for message, provider_id in results)
        given = (rows, rows) if is_postgresql(self._alias) else (rows,)
        # One statement is a transaction by itself; what goes with it belongs into one with it.
        together = ledger_transaction(self._alias) if kept or stays else nullcontext()
        with together:
            if execute(self._alias, "accept_messages", text_of(at), *given) < len(results):
                with ledger_transaction(self._alias):
                    self._accept_given_up(results, at)
            if kept:
                keep(self._alias, kept)
            if stays:
                take_down(self._alias, stays, at)

    def retry_later(
        self, message: OutboxMessage, at: datetime, *, error: str, is_broken: bool = False
    ) -> MessageState:
        """Queue a message that did not leave again for ``at``; return what became of it.

        Where that is too late it is looked at as soon as it is stale. One that ``is_broken``
        in itself is given up after ``MAX_ATTEMPTS``.
        """
        tried = message.attempts + 1
        with ledger_transaction(self._alias):
            mine = self._held(message, MessageState.LEASED, MessageState.SENDING)
            if is_broken and tried >= MAX_ATTEMPTS:
                mine.update(attempts=tried)
                self._give_up(mine, Reason.UNDELIVERABLE, error)
                return MessageState.FAILED
            mine.update(
                **FREE,
                state=MessageState.QUEUED,
                attempts=tried,
                last_error=error,
                not_before=min(at, message.expires_at + INSTANT),
            )
            return MessageState.QUEUED

    def hold_unready(
        self, message: OutboxMessage, at: datetime, *, until: datetime, error: str
    ) -> None:
        """Queue a message again that cannot be written as long as its template is broken.

        It is never given up for that: it waits until ``until``, and so on until it is
        stale. Why is written down when it is something new, for it may be so for days.
        """
        reason = Decision(Answer.HOLD, Reason.NOT_READY, until)
        with ledger_transaction(self._alias):
            mine = self._held(message, MessageState.LEASED, MessageState.SENDING)
            if mine.exclude(last_error=error).exists():
                row = (*_answer_row(message, reason, at)[:-1], error)
                execute(self._alias, "add_last_answers", rows_of([row]))
            mine.update(
                **FREE,
                state=MessageState.QUEUED,
                attempts=min(message.attempts + 1, MOST_WAITS),
                last_error=error,
                not_before=min(until, message.expires_at + INSTANT),
            )

    def fail(self, message: OutboxMessage, at: datetime, *, error: str, reason: Reason) -> None:
        """Write down that a message will never be taken.

        With BOUNCE it is the address, and what a bounce ends is ended; with OPT_OUT its owner
        wants no more, told where we did not hear it; with REFUSED it is the message, and the
        person goes on.
        """
        with settled(self._alias, [message.person]) as now:
            person = now[message.person]
            hold_people(self._alias, [person])
            mine = self._held(message, MessageState.SENDING)
            if self._give_up(mine, reason, error) and reason in ENDINGS:
                stop = Signal(
                    person,
                    ENDINGS[reason],
                    at,
                    key=f"{reason.value}:{message.key}",
                    channel=message.channel,
                    # What was written to, which need not be what the card says by now.
                    address=message.address_hash,
                )
                record_signals(self._alias, self._versions, self._terms, [stop], at)

    def mark_unknown(self, message: OutboxMessage, error: str) -> None:
        """Write down that nobody knows whether the message left; it is not sent again."""
        with ledger_transaction(self._alias):
            mine = self._held(message, MessageState.SENDING)
            mine.update(**FREE, state=MessageState.UNKNOWN, last_error=error, known_until=None)

    def try_again_within(
        self, message: OutboxMessage, at: datetime, *, until: datetime | None, error: str
    ) -> bool:
        """Queue a message of unknown fate again for ``at``; return False where that is too late.

        Only for an outlet that recognises it by its key, ``until`` when (None is for ever).
        What was tried before has its end already, which no later try moves.
        """
        with ledger_transaction(self._alias):
            mine = self._held(message, MessageState.SENDING)
            if until is not None:
                mine.filter(known_until=None).update(known_until=until)
            soon = mine.filter(Q(known_until=None) | Q(known_until__gt=at), expires_at__gt=at)
            self._doubt(soon)
            tried = message.attempts + 1
            change = {"attempts": tried, "last_error": error, "not_before": at}
            return bool(soon.update(**FREE, state=MessageState.QUEUED, **change))

    def recover(
        self,
        at: datetime,
        *,
        is_idempotent: bool = False,
        within: timedelta | None = None,
        channel: Channel | None = None,
        outlet: str = "",
    ) -> Recovered:
        """Take back what lost workers held: the unsent is queued, the rest is unknown.

        ``is_idempotent`` says that the ``outlet`` recognises a message by its key, so that
        sending it again is harmless and it is queued as well: for ever, or ``within`` a
        while after it was tried. What another outlet was handed no other one recognises.
        """
        # Asked first, because there is hardly ever anything: to change nothing would read every
        # touch and take SQLite's one lock, for each channel at each pass.
        named = {name for (name,) in fetch(self._alias, "channels_of_lost", text_of(at))}
        if not named or (channel is not None and channel.value not in named):
            return Recovered(0, 0)
        with ledger_transaction(self._alias):
            mine = self._touches
            if channel is not None:
                mine = mine.filter(channel=channel.value)
            lost = mine.filter(lease_until__lte=at)
            queued = lost.filter(state=MessageState.LEASED).update(
                **FREE, state=MessageState.QUEUED
            )
            leaving = lost.filter(state=MessageState.SENDING)
            again = leaving.filter(outlet__in=("", outlet))
            queued += self._queue_again(again, at, within) if is_idempotent else 0
            unknown = leaving.update(**FREE, state=MessageState.UNKNOWN, last_error=LOST)
            # What may have left is known no longer, or never was to the outlet in use now.
            doubted = mine.filter(state=MessageState.QUEUED, known_until__isnull=False)
            if is_idempotent:
                doubted = doubted.filter(Q(known_until__lte=at) | ~Q(outlet__in=("", outlet)))
            unknown += doubted.update(state=MessageState.UNKNOWN, known_until=None)
        return Recovered(queued, unknown)

    def _queue_again(
        self, leaving: QuerySet[models.Touch], at: datetime, within: timedelta | None
    ) -> int:
        """Queue what the outlet would recognise; ``not_before`` is when it was tried."""
        if within is None:
            self._doubt(leaving)
            return leaving.update(**FREE, state=MessageState.QUEUED, last_error=LOST)
        leaving.filter(known_until=None).update(known_until=F("not_before") + within)
        known = leaving.filter(known_until__gt=at)
        self._doubt(known)
        return known.update(**FREE, state=MessageState.QUEUED, last_error=LOST)

    def _doubt(self, again: QuerySet[models.Touch]) -> None:
        """Note of what is tried again, and may have left, that its code stays with it."""
        doubt_offers(self._alias, list(again.values_list("pk", flat=True)))

    def set_aside_unreachable(self, message: OutboxMessage, at: datetime, *, error: str) -> None:
        """Write down that nobody was asked, for what stands as the address is none.

        It is no bounce: whoever's card is corrected can be written to by the next step.
        """
        with ledger_transaction(self._alias):
            mine = self._held(message, MessageState.LEASED, MessageState.SENDING)
            if give_up(
                self._alias,
                mine,
                state=MessageState.CANCELLED,
                reason=Reason.UNREACHABLE,
                error=error,
            ):
                answer = Decision(Answer.SKIP, Reason.UNREACHABLE)
                row = _answer_row(message, answer, at)
                execute(self._alias, "add_last_answers", rows_of([row]))

    def retire_address(self, message: OutboxMessage, at: datetime, *, error: str) -> None:
        """Write down that where a message went is no address any more, and queue it again.

        It goes to the newest that is left, or to nobody. On a card that holds one of a kind
        it has bounced.
        """
        if message.address_kind not in LISTED:
            self.fail(message, at, error=error, reason=Reason.BOUNCE)
            return
        with ledger_transaction(self._alias):
            retire_address(
                self._alias, message.address_kind, message.address_hash, at, reason=error
            )
            self._held(message, MessageState.SENDING).update(
                **FREE,
                state=MessageState.QUEUED,
                attempts=message.attempts,
                last_error=error,
                not_before=at,
            )

    def expire_but(self, channels: Collection[Channel], at: datetime) -> int:
        """Cancel what waits too long for channels other than these; return how many messages.

        Nobody claims the messages of a channel that is not installed any more, so that
        nobody else finds them stale.
        """
        late = self._touches.filter(state=MessageState.QUEUED, expires_at__lt=at)
        with ledger_transaction(self._alias):
            return cancel(self._alias, late.exclude(channel__in=channels), Reason.STALE)

    def stuck(self, key: str = "") -> Sequence[StuckMessage]:
        """Return the messages that need a person, oldest first; of a ``key``'s beginning.

        An address that bounced needs nobody: its message is not among them.
        """
        return [stuck for _, stuck in find_stuck(self._alias, key)]

    def resolve(self, key: str, *, sent: bool, at: datetime, who: str) -> StuckMessage:
        """Decide by hand what became of a stuck message; return it as it stands then.

        ``key`` may be cut short. With ``sent`` one of unknown fate counts as accepted
        when it was tried. Without, any goes back to the queue, where the gate looks at
        it again; one that is stale, or that no budget pays for any more, is cancelled.

        Raises:
            UsageError: the key fits no stuck message, or several, or one that did not leave
                is to count as sent.
        """
        return resolve_stuck(self._alias, key, sent=sent, at=at, who=who, terms=self._terms)

    @ledger_errors()
    def standing(
        self, person: str, channel: Channel, at: datetime, *, last_order_at: datetime | None
    ) -> Dossier:
        """Return what the gate would be told if a marketing message fell due at ``at``."""
        return read_standing(
            self._alias, person, channel, terms=self._terms, at=at, last_order_at=last_order_at
        )

    @property
    def _touches(self) -> QuerySet[models.Touch]:
        return models.Touch.objects.using(self._alias)

    def _journey(self, name: str, version: int) -> Journey:
        return self._versions.find(name, version).journey

    def _held(self, message: OutboxMessage, *states: MessageState) -> QuerySet[models.Touch]:
        """Return the message's row as long as this worker holds it in one of ``states``."""
        return self._touches.filter(pk=message.touch, state__in=states, leased_by=message.worker)

    def _postpone(self, held: Sequence[tuple[OutboxMessage, Decision]]) -> set[int]:
        if not held:
            return set()
        rows = []
        for message, decision in held:
            assert decision.until is not None, "a hold says until when"
            until = min(decision.until, message.expires_at + INSTANT)
            rows.append((message.touch, text_of(until)))
        worker = held[0][0].worker
        found = fetch(self._alias, "postpone_messages", rows_of(sorted(rows)), worker)
        settled = {touch for (touch,) in found}
        unpaid = {one.touch for one, decision in held if decision.reason is Reason.BUDGET}
        release(self._alias, settled & unpaid)
        return settled

    def _skip(self, skipped: Sequence[tuple[OutboxMessage, Decision]]) -> set[int]:
        """Cancel what the gate refused; return what this worker still held of it."""
        if skipped:
            hold_people(self._alias, (message.person for message, _ in skipped))
        settled: set[int] = set()
        for reason in sorted({d.reason for _, d in skipped if d.reason is not None}):
            touches = [message.touch for message, one in skipped if one.reason is reason]
            worker = skipped[0][0].worker
            mine = self._touches.filter(pk__in=touches, state=MessageState.LEASED, leased_by=worker)
            settled |= set(mine.values_list("pk", flat=True))
            cancel(self._alias, mine, reason)
        return settled

    def _give_up(self, mine: QuerySet[models.Touch], reason: Reason, error: str) -> int:
        return give_up(self._alias, mine, state=MessageState.FAILED, reason=reason, error=error)

    def _accept_given_up(self, results: Sequence[tuple[OutboxMessage, str]], at: datetime) -> None:
        """Accept what was cancelled or failed on paper, and pay for it after all."""
        paper = (MessageState.CANCELLED, MessageState.FAILED)
        for message, provider_id in results:
            row = self._touches.select_for_update().filter(pk=message.touch, state__in=paper)
            for budgets, month, cost in row.values_list("budgets", "budget_month", "cost_micros"):
                book_budgets(self._alias, [(budgets, month, cost)])
                keep_after_all(self._alias, message.touch)
                self._touches.filter(pk=message.touch).update(
                    **FREE,
                    state=MessageState.ACCEPTED,
                    accepted_at=at,
                    provider_id=provider_id,
                    reason=None,
                )


def _answer_row(message: OutboxMessage, decision: Decision, at: datetime) -> tuple[object, ...]:
    return (
        message.enrolment,
        message.step,
        text_of(at),
        decision.answer,
        decision.reason,
        text_or_none(decision.until),
        _detail(message, decision),
    )


def _detail(message: OutboxMessage, decision: Decision) -> str:
    """Return what a person needs to know beyond the reason."""
    dossier = message.dossier
    if decision.reason is Reason.EXCLUDED:
        return (dossier.exclusion or Exclusion.NEGATIVE_VALUE).value
    if decision.reason is Reason.EXIT_REACHED and dossier.exit is not None:
        return dossier.exit.value
    if message.offer is not None and decision.reason in OFFER_REASONS:
        return message.offer.offer
    if decision.reason is Reason.UNREACHABLE:
        return find_problem(Address(message.address_kind, message.address))
    return "" if dossier.permission.is_granted else dossier.permission.rule.value
