"""A message leaves once or its fate is unknown; it never leaves after it was stopped."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from rekindle.consent import Exclusion, Rule
from rekindle.errors import UsageError
from rekindle.gate import BookRules, Decision
from rekindle.ledger import (
    MAX_ATTEMPTS,
    AuditLog,
    MessageState,
    Outbox,
    OutboxMessage,
    Recovered,
    cancelling,
    models,
)
from rekindle.vocabulary import Answer, Channel, Reason
from tests.ledger.queueing import (
    COST,
    DAY,
    HOUR,
    LEASE,
    MINUTE,
    STALE_AFTER,
    START,
    TERMS,
    Queue,
    claim,
)

MONTH = {"budgets": "|*/*|", "budget_month": "2026-03"}


@pytest.fixture
def queue(alias: str) -> Queue:
    """Return what fills the outbox."""
    return Queue(alias)


@pytest.fixture
def outbox(alias: str) -> Outbox:
    """Return an outbox that looks back a week and has one budget."""
    return Outbox(alias, terms=TERMS)


def _sending(outbox: Outbox) -> OutboxMessage:
    (message,) = outbox.begin_sending(claim(outbox), START)
    return message


def _reserved(alias: str) -> int:
    return int(models.Budget.objects.using(alias).get(name="*/*").reserved_micros)


# Claims


def test_claimed_message_says_all_a_sender_needs(queue: Queue, outbox: Outbox) -> None:
    queue.message(variant="bestsellers")
    (message,) = claim(outbox)
    assert (message.person, message.address) == ("alice", "alice@example.com")
    assert (message.journey, message.version, message.step) == ("lapsed", 1, "check-in")
    assert (message.template, message.variant) == ("check-in", "bestsellers")
    assert (message.channel, message.cost_micros) == (Channel("email"), COST)
    assert (message.created_at, message.expires_at) == (START, START + STALE_AFTER)
    assert len(message.key) == 64


def test_claimed_message_is_not_claimed_again(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    assert len(claim(outbox)) == 1
    assert claim(outbox, worker="two") == []


def test_ghosts_are_never_claimed(queue: Queue, outbox: Outbox) -> None:
    queue.message(state="ghost")
    assert claim(outbox) == []


def test_message_is_not_claimed_before_its_time(queue: Queue, outbox: Outbox) -> None:
    queue.message(not_before=START + HOUR)
    assert claim(outbox) == []
    assert len(claim(outbox, at=START + HOUR)) == 1


def test_paused_journey_keeps_its_messages(queue: Queue, outbox: Outbox, alias: str) -> None:
    queue.message()
    queue.message("bob", "other")
    models.Journey.objects.using(alias).filter(name="lapsed").update(state="paused")
    assert [message.person for message in claim(outbox)] == ["bob"]


def test_journey_paused_after_the_claim_sends_nothing(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    queue.message()
    claimed = claim(outbox)
    models.Journey.objects.using(alias).update(state="paused")
    assert outbox.begin_sending(claimed, START) == []


# What the gate is shown


def test_ready_at_is_such_that_stale_and_expired_are_one(queue: Queue, outbox: Outbox) -> None:
    queue.message(at=START + DAY)
    (message,) = claim(outbox)
    assert message.dossier.enrolment.ready_at == START
    assert message.dossier.permission.rule is Rule.EXPRESS


@pytest.mark.parametrize(
    ("ended", "exit_"),
    [
        (None, None),
        (Reason.FINISHED, None),
        (Reason.ORDER, Reason.ORDER),
        (Reason.STOPPED, Reason.STOPPED),
    ],
)
def test_a_journey_that_ran_its_course_is_no_exit(
    queue: Queue, outbox: Outbox, ended: Reason | None, exit_: Reason | None
) -> None:
    queue.message(ended=ended)
    (message,) = claim(outbox)
    assert message.dossier.exit is exit_


@pytest.mark.parametrize(
    ("kind", "name", "after", "exit_"),
    [
        ("order", "", timedelta(0), Reason.ORDER),
        ("order", "", -100 * DAY, None),
        ("event", "cart_abandoned", HOUR, Reason.EVENT),
        ("event", "cart_abandoned", -HOUR, None),
        ("event", "something_else", HOUR, None),
        ("login", "", HOUR, None),
        ("order", "", 9 * DAY, None),
    ],
)
def test_events_after_the_entry_are_exits_though_the_journey_is_over(
    queue: Queue, outbox: Outbox, *, kind: str, name: str, after: timedelta, exit_: Reason | None
) -> None:
    queue.message(ended=Reason.FINISHED)
    when = {"at": START + after, "recorded_at": START}
    queue.add(models.Signal, person_id="alice", kind=kind, name=name, key="1", **when)
    (message,) = claim(outbox, at=START + DAY)
    assert message.dossier.exit is exit_


def test_wishes_and_exclusions_are_shown(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    queue.add(
        models.Preference,
        person_id="alice",
        snoozed_until=START + DAY,
        muted_topics="|baskets|",
        at_most_every_seconds=3600,
    )
    queue.add(models.Exclusion, person_id="alice", kind="poor_fit", at=START)
    (message,) = claim(outbox)
    dossier = message.dossier
    assert dossier.preferences.snoozed_until == START + DAY
    assert dossier.preferences.muted_topics == {"baskets"}
    assert dossier.preferences.at_most_every == HOUR
    assert dossier.exclusion is Exclusion.POOR_FIT


@pytest.mark.parametrize(("ago", "exclusion"), [(DAY, Exclusion.COOLING_OFF), (9 * DAY, None)])
def test_bad_ending_excludes_for_a_while(
    queue: Queue, alias: str, ago: timedelta, exclusion: Exclusion | None
) -> None:
    terms = BookRules(cooling_off=7 * DAY, bad_endings=frozenset({"chargeback"}))
    queue.message()
    when = {"at": START - ago, "recorded_at": START}
    queue.add(models.Signal, person_id="alice", kind="event", name="chargeback", key="1", **when)
    (message,) = claim(Outbox(alias, terms=terms))
    assert message.dossier.exclusion is exclusion


def test_exclusion_that_is_over_is_not_shown(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    queue.add(models.Exclusion, person_id="alice", kind="cooling_off", at=START, until=START + DAY)
    (message,) = claim(outbox, at=START + DAY)
    assert message.dossier.exclusion is None


@pytest.mark.parametrize("by", ["person", "address"])
def test_suppression_is_shown(queue: Queue, outbox: Outbox, alias: str, by: str) -> None:
    queue.message()
    models.Person.objects.using(alias).update(address_hash="hash")
    who = {"person_id": "alice"} if by == "person" else {"address_hash": "hash"}
    queue.add(models.Suppression, channel="email", reason="test", at=START, **who)
    (message,) = claim(outbox)
    assert message.dossier.is_suppressed


def test_of_two_that_wait_only_the_later_counts_the_other(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    queue.message(journey="other")
    first, second = claim(outbox)
    assert first.dossier.sent == ()
    assert [sent.at for sent in second.dossier.sent] == [START]


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("accepted", 1),
        ("unknown", 1),
        ("sending", 0),
        ("queued", 0),
        ("failed", 0),
        ("cancelled", 0),
        ("ghost", 0),
    ],
)
def test_of_what_was_decided_later_only_what_may_have_left_counts(
    queue: Queue, outbox: Outbox, state: str, counts: int
) -> None:
    queue.message()
    left = START if state == "accepted" else None
    lease = START + DAY if state == "sending" else None
    queue.message(journey="other", state=state, accepted_at=left, lease_until=lease)
    message = next(one for one in claim(outbox) if one.journey == "lapsed")
    assert len(message.dossier.sent) == counts


def test_window_runs_from_the_acceptance(queue: Queue, outbox: Outbox) -> None:
    queue.message(journey="other", state="accepted", accepted_at=START + HOUR)
    queue.message(not_before=START + 7 * DAY, expires_at=START + 9 * DAY)
    (message,) = claim(outbox, at=START + 7 * DAY)
    assert [sent.at for sent in message.dossier.sent] == [START + HOUR]


# The last look


def test_held_message_waits_and_the_answer_is_written_down(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    (message,) = claim(outbox)
    assert outbox.postpone(message, START + HOUR, Reason.CAP, START)
    assert queue.fate(number) == ("queued", None)
    assert queue.answers() == [("hold", "cap", START + HOUR)]
    assert claim(outbox) == []


def test_hold_never_lasts_beyond_the_first_stale_instant(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    (message,) = claim(outbox)
    outbox.postpone(message, START + 99 * DAY, Reason.BLACKOUT, START)
    late = queue.touch(number).not_before - (START + STALE_AFTER)
    assert timedelta(0) < late < timedelta(milliseconds=1)


def test_refused_message_is_cancelled_and_its_budget_released(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=3 * COST)
    number = queue.message(**MONTH)
    (message,) = claim(outbox)
    outbox.settle([(message, Decision(Answer.SKIP, Reason.STALE))], START)
    assert queue.fate(number) == ("cancelled", "stale")
    assert queue.answers() == [("skip", "stale", None)]
    assert _reserved(alias) == 2 * COST


def test_answer_about_a_message_that_was_taken_away_changes_nothing(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    number = queue.message()
    (message,) = claim(outbox)
    cancelling.cancel(alias, models.Touch.objects.using(alias), Reason.ORDER)
    assert not outbox.postpone(message, START + HOUR, Reason.CAP, START)
    assert queue.fate(number) == ("cancelled", "order")
    assert queue.answers() == []


def test_cancelled_message_does_not_begin_to_leave(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    queue.message()
    queue.message("bob")
    claimed = claim(outbox)
    bobs = models.Touch.objects.using(alias).filter(person="bob")
    cancelling.cancel(alias, bobs, Reason.OPT_OUT)
    assert [one.person for one in outbox.begin_sending(claimed, START)] == ["alice"]


def test_message_taken_back_does_not_begin_to_leave(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    number = queue.message()
    claimed = claim(outbox)
    assert cancelling.take_back(alias, models.Touch.objects.using(alias)) == 1
    assert outbox.begin_sending(claimed, START) == []
    assert queue.fate(number) == ("queued", None)


def test_message_begins_to_leave_once(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    claimed = claim(outbox)
    assert [len(outbox.begin_sending(claimed, START)) for _ in range(2)] == [1, 0]


def test_message_on_its_way_is_not_cancelled(queue: Queue, outbox: Outbox, alias: str) -> None:
    number = queue.message()
    _sending(outbox)
    assert cancelling.cancel(alias, models.Touch.objects.using(alias), Reason.ORDER) == 0
    assert queue.fate(number) == ("sending", None)


def test_released_messages_wait_again(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    outbox.release([_sending(outbox)])
    assert queue.fate(number) == ("queued", None)
    assert queue.touch(number).attempts == 0


# What became of them


def test_accepted_messages_are_done(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    outbox.accept([(_sending(outbox), "provider-1")], START + HOUR)
    touch = queue.touch(number)
    assert (touch.state, touch.accepted_at) == ("accepted", START + HOUR)
    assert touch.provider_id == "provider-1"
    assert outbox.recover(START + DAY) == Recovered(queued=0, unknown=0)


def test_acceptance_that_comes_after_the_worker_was_given_up_still_counts(
    queue: Queue, outbox: Outbox
) -> None:
    number = queue.message()
    message = _sending(outbox)
    outbox.recover(START + LEASE)
    assert queue.fate(number) == ("unknown", None)
    outbox.accept([(message, "")], START + HOUR)
    assert queue.fate(number) == ("accepted", None)


def test_what_left_after_all_is_paid_for(queue: Queue, outbox: Outbox, alias: str) -> None:
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=COST)
    number = queue.message(**MONTH)
    message = _sending(outbox)
    outbox.recover(START + LEASE, is_idempotent=True)
    cancelling.cancel(alias, models.Touch.objects.using(alias), Reason.ORDER)
    assert _reserved(alias) == 0
    outbox.accept([(message, "")], START + HOUR)
    assert queue.fate(number) == ("accepted", None)
    assert _reserved(alias) == COST


def test_worker_lost_before_sending_leaves_the_message_queued(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    claimed = claim(outbox)
    assert outbox.recover(START + LEASE) == Recovered(queued=1, unknown=0)
    assert outbox.begin_sending(claimed, START + LEASE) == []
    assert [one.key for one in claim(outbox, worker="two")] == [claimed[0].key]


def test_worker_lost_while_sending_leaves_the_fate_unknown(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    message = _sending(outbox)
    assert outbox.recover(START + LEASE) == Recovered(queued=0, unknown=1)
    assert claim(outbox, worker="two") == []
    assert [(one.key, one.state) for one in outbox.stuck()] == [(message.key, MessageState.UNKNOWN)]


def test_idempotent_outlet_takes_the_unknown_again(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    _sending(outbox)
    assert outbox.recover(START + LEASE, is_idempotent=True) == Recovered(queued=1, unknown=0)


def test_where_nobody_was_lost_one_question_is_all(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    queue.message()
    outbox.begin_sending(claim(outbox), START)
    with CaptureQueriesContext(connections[alias]) as asked:
        outbox.recover(START + MINUTE, is_idempotent=True, channel=Channel("email"))
    assert len(asked) == 1
    with CaptureQueriesContext(connections[alias]) as asked:
        outbox.recover(START + DAY, is_idempotent=True, channel=Channel("sms"))
    assert len(asked) == 1


def test_running_lease_is_left_alone(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    outbox.begin_sending(claim(outbox), START + 4 * MINUTE)
    assert outbox.recover(START + LEASE) == Recovered(queued=0, unknown=0)


def test_temporary_failure_waits_for_its_next_try(queue: Queue, outbox: Outbox) -> None:
    queue.message()
    message = _sending(outbox)
    outbox.retry_later(message, START + HOUR, error="greylisted")
    assert claim(outbox) == []
    (again,) = claim(outbox, at=START + HOUR)
    assert (again.key, again.attempts) == (message.key, 1)


def test_next_try_is_never_later_than_the_first_stale_instant(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    outbox.retry_later(_sending(outbox), START + 99 * DAY, error="busy")
    assert queue.touch(number).not_before < START + STALE_AFTER + MINUTE


def test_broken_message_is_given_up_in_the_end(queue: Queue, outbox: Outbox, alias: str) -> None:
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=COST)
    number = queue.message(attempts=MAX_ATTEMPTS - 2, **MONTH)
    for state in (MessageState.QUEUED, MessageState.FAILED):
        (message,) = claim(outbox)
        assert outbox.retry_later(message, START, error="no words", is_broken=True) is state
    assert queue.fate(number) == ("failed", "undeliverable")
    assert _reserved(alias) == 0


def test_message_that_waits_for_its_template_says_so_once_and_is_never_given_up(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    number = queue.message()
    for hours in range(2 * MAX_ATTEMPTS):
        at = START + hours * HOUR
        (message,) = claim(outbox, at=at)
        outbox.hold_unready(message, at, until=at + HOUR, error="half written")
    assert queue.fate(number) == ("queued", None)
    (answer,) = models.Decision.objects.using(alias).all()
    assert (answer.answer, answer.reason, answer.detail) == ("hold", "not_ready", "half written")
    (message,) = claim(outbox, at=START + DAY)
    outbox.hold_unready(message, START + DAY, until=START + 99 * DAY, error="gone")
    assert models.Decision.objects.using(alias).count() == 2
    assert queue.touch(number).not_before < START + STALE_AFTER + MINUTE


def test_refused_message_says_nothing_about_its_address(queue: Queue, outbox: Outbox) -> None:
    number = queue.message()
    outbox.fail(_sending(outbox), START, error="554 spam", reason=Reason.REFUSED)
    assert queue.fate(number) == ("failed", "refused")
    queue.message(journey="other")
    (other,) = claim(outbox)
    assert not other.dossier.is_suppressed


# What needs a person


def test_unknown_and_refused_messages_need_a_person_but_bounces_do_not(
    queue: Queue, outbox: Outbox
) -> None:
    queue.message("ann", state="unknown", last_error="lost", attempts=1)
    queue.message("bob", state="failed", reason="refused", last_error="554 spam")
    queue.message("carl", state="failed", reason="bounce", last_error="550 nobody")
    found = outbox.stuck()
    assert [(one.person, one.reason, one.error) for one in found] == [
        ("ann", None, "lost"),
        ("bob", Reason.REFUSED, "554 spam"),
    ]
    assert (found[0].step, found[0].attempts, found[0].at) == ("check-in", 1, START)


def test_unknown_message_is_resolved_as_sent_when_it_was_tried(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    number = queue.message(state="unknown", not_before=START + HOUR)
    (stuck,) = outbox.stuck()
    done = outbox.resolve(stuck.key[:9], sent=True, at=START + DAY, who="ann")
    assert done.state is MessageState.ACCEPTED
    assert queue.touch(number).accepted_at == START + HOUR
    (entry,) = AuditLog(alias).entries(stuck.key[:12])
    assert (entry.who, entry.action, entry.at) == ("ann", "resolved", START + DAY)
    assert (entry.detail["was"], entry.detail["is"]) == ("unknown", "accepted")


def test_unknown_message_is_resolved_as_not_sent_and_waits_again(
    queue: Queue, outbox: Outbox
) -> None:
    number = queue.message(state="unknown", attempts=1)
    (stuck,) = outbox.stuck()
    outbox.resolve(stuck.key, sent=False, at=START + DAY, who="ann")
    assert queue.fate(number) == ("queued", None)
    assert len(claim(outbox, at=START + DAY)) == 1


def test_message_that_is_stale_by_now_is_not_sent_again(
    queue: Queue, outbox: Outbox, alias: str
) -> None:
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=COST)
    number = queue.message(state="unknown", **MONTH)
    (stuck,) = outbox.stuck()
    outbox.resolve(stuck.key, sent=False, at=START + 4 * DAY, who="ann")
    assert queue.fate(number) == ("cancelled", "stale")
    assert _reserved(alias) == 0


@pytest.mark.parametrize(("reserved", "state"), [(4, "queued"), (5, "cancelled")])
def test_message_given_up_is_tried_again_if_a_budget_still_pays_for_it(
    queue: Queue, outbox: Outbox, alias: str, *, reserved: int, state: str
) -> None:
    queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=reserved * COST)
    number = queue.message(state="failed", reason="refused", **MONTH)
    (stuck,) = outbox.stuck()
    outbox.resolve(stuck.key, sent=False, at=START + DAY, who="ann")
    assert queue.fate(number)[0] == state
    assert _reserved(alias) == 5 * COST


def test_refused_message_cannot_count_as_sent(queue: Queue, outbox: Outbox) -> None:
    queue.message(state="failed", reason="refused", last_error="554 spam")
    (stuck,) = outbox.stuck()
    with pytest.raises(UsageError, match="did not leave"):
        outbox.resolve(stuck.key, sent=True, at=START, who="ann")


@pytest.mark.parametrize(("key", "complaint"), [("", "no stuck message"), ("zz", "no stuck")])
def test_key_that_fits_nothing_is_refused(
    queue: Queue, outbox: Outbox, key: str, complaint: str
) -> None:
    queue.message(state="unknown")
    with pytest.raises(UsageError, match=complaint):
        outbox.resolve(key, sent=True, at=START, who="ann")


# Several workers


@pytest.mark.long
def test_workers_at_the_same_time_never_share_a_message(postgres: str) -> None:
    queue = Queue(postgres)
    for number in range(120):
        queue.message(f"person-{number}")
    claimed: dict[str, list[str]] = {"one": [], "two": []}
    together = threading.Barrier(2)

    def work(name: str) -> None:
        together.wait(60)
        while batch := claim(Outbox(postgres), worker=name, limit=7):
            claimed[name] += [message.key for message in batch]
        connections[postgres].close()

    threads = [threading.Thread(target=work, args=(name,)) for name in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = claimed["one"] + claimed["two"]
    assert len(keys) == len(set(keys)) == 120
    assert all(claimed.values())
