"""The gate asks its rules in the documented order, and holds a capped touch exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.config import CapsSettings
from rekindle.consent import Permission, Rule
from rekindle.journeys.gate import (
    REASONS,
    SEND,
    Cap,
    GateContext,
    Policy,
    build_caps,
    decide,
    longest_window,
)
from rekindle.journeys.model import Decision, Dossier, Enrolment, Send, Sent
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
DAILY = Cap(Channel.EMAIL, 1, DAY)
WEEKLY = Cap(None, 3, 7 * DAY)


def context(
    *sent_ago: timedelta,
    caps: tuple[Cap, ...] = (),
    arm: Arm = Arm.TREATMENT,
    late: timedelta = timedelta(0),
    is_condition_met: bool = True,
    purpose: Purpose = Purpose.MARKETING,
) -> GateContext:
    ready = NOW - late
    enrolment = Enrolment("alice", "lapsed", 1, 0, arm, NOW - 9 * DAY, None, 0, ready, ready)
    sent = tuple(Sent(Channel.EMAIL, NOW - ago) for ago in sent_ago)
    dossier = Dossier(enrolment, Permission(True, Rule.EXPRESS), True, False, None, sent)
    send = Send("0", Channel.EMAIL, "check-in")
    return GateContext(dossier, send, Policy(purpose, 3 * DAY, caps), NOW, is_condition_met)


def test_touch_with_nothing_against_it_is_sent() -> None:
    assert decide(context()) == SEND


def test_first_reason_in_the_documented_order_is_given() -> None:
    refused = context(HOUR, caps=(DAILY,), arm=Arm.HOLDOUT, late=4 * DAY, is_condition_met=False)
    dossier = replace(
        refused.dossier,
        exit=Reason.ORDER,
        is_suppressed=True,
        permission=Permission(False, Rule.NO_RECORD),
        is_reachable=False,
    )
    lifted = {
        Reason.EXIT_REACHED: {"exit": None},
        Reason.SUPPRESSED: {"is_suppressed": False},
        Reason.NO_PERMISSION: {"permission": Permission(True, Rule.EXPRESS)},
        Reason.UNREACHABLE: {"is_reachable": True},
        Reason.STALE: {"enrolment": replace(dossier.enrolment, ready_at=NOW)},
        Reason.CONDITION_NOT_MET: {},
        Reason.CAP: {"sent": ()},
        Reason.HELD_OUT: {},
    }
    given = []
    for reason, change in lifted.items():
        given.append(decide(replace(refused, dossier=dossier)).reason)
        dossier = replace(dossier, **change)  # type: ignore[arg-type]
        if reason is Reason.CONDITION_NOT_MET:
            refused = replace(refused, is_condition_met=True)
    assert given == list(lifted) == list(Reason)[: len(lifted)]


def test_every_reason_is_explained_in_the_order_of_the_vocabulary() -> None:
    assert [note.reason for note in REASONS] == list(Reason)


@pytest.mark.parametrize(
    ("late", "answer"),
    [(3 * DAY, Answer.SEND), (3 * DAY + INSTANT, Answer.SKIP)],
)
def test_touch_is_stale_only_beyond_its_limit(late: timedelta, answer: Answer) -> None:
    assert decide(context(late=late)).answer is answer


@pytest.mark.parametrize(
    ("sent_ago", "caps", "frees_in"),
    [
        ((), (DAILY,), None),
        ((HOUR,), (DAILY,), 23 * HOUR),
        ((timedelta(0),), (DAILY,), DAY),
        ((DAY - INSTANT,), (DAILY,), INSTANT),
        ((DAY,), (DAILY,), None),
        # Four sends under a cap of three: the second oldest has to leave as well.
        ((5 * DAY, 4 * DAY, 3 * DAY, 2 * DAY), (Cap(None, 3, 6 * DAY),), 2 * DAY),
        ((5 * DAY, 4 * DAY, 6 * DAY), (WEEKLY,), DAY),
        ((4 * DAY, 6 * DAY), (WEEKLY,), None),
        # Two caps: the later release counts.
        ((6 * DAY, 5 * DAY, HOUR), (DAILY, WEEKLY), DAY),
        ((6 * DAY + 20 * HOUR, 5 * DAY, HOUR), (DAILY, WEEKLY), 23 * HOUR),
    ],
)
def test_capped_touch_waits_until_enough_sends_left_the_window(
    sent_ago: tuple[timedelta, ...], caps: tuple[Cap, ...], frees_in: timedelta | None
) -> None:
    decision = decide(context(*sent_ago, caps=caps))
    held = frees_in is not None and Decision(Answer.HOLD, Reason.CAP, NOW + frees_in)
    assert decision == (held or SEND)


def test_cap_does_not_hold_a_touch_beyond_its_staleness() -> None:
    capped = context(HOUR, caps=(WEEKLY, Cap(None, 1, 7 * DAY)), late=2 * DAY)
    decision = decide(capped)
    assert decision.until == NOW + DAY + INSTANT
    assert decide(replace(capped, at=decision.until)).reason is Reason.STALE


def test_transactional_touch_is_never_capped() -> None:
    assert decide(context(HOUR, caps=(DAILY,), purpose=Purpose.TRANSACTIONAL)) == SEND


def test_ghost_is_capped_like_a_send() -> None:
    ghost = context(HOUR, caps=(DAILY,), arm=Arm.HOLDOUT)
    assert decide(ghost).reason is Reason.CAP
    assert decide(replace(ghost, at=NOW + DAY)).reason is Reason.HELD_OUT


def test_caps_come_from_the_configuration() -> None:
    caps = build_caps(CapsSettings())
    assert caps == (Cap(Channel.EMAIL, 1, 16 * HOUR), Cap(None, 4, 7 * DAY))
    assert longest_window(caps) == 7 * DAY
    assert longest_window(()) == timedelta(0)
