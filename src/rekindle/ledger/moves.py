"""Writes what the engine decided: advances, decisions, touches and messages at once.

The advance comes first and says which enrolments were still as the engine saw them;
only their decisions and messages are written. Four statements, however many moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rekindle.journeys import Enrolment, Move
from rekindle.ledger.queries import execute, fetch, rows_of, text_of, text_or_none
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Answer, Arm, Purpose, Reason

Identity = tuple[str, str, int]


def save_moves(alias: str, versions: Versions, moves: Sequence[Move]) -> int:
    """Write the moves that still apply, inside the caller's transaction; count them."""
    wanted = {_identity(move.before): move for move in reversed(moves)}
    if not wanted:
        return 0
    advances = rows_of(_advance(move) for move in wanted.values())
    applied = {
        number: wanted[person, journey, rotation]
        for number, person, journey, rotation in fetch(alias, "advance", advances)
    }
    if applied:
        decisions = rows_of(_decision(number, move) for number, move in applied.items())
        execute(alias, "add_decisions", decisions)
        _add_touches(alias, versions, applied)
    return len(applied)


def _add_touches(alias: str, versions: Versions, applied: Mapping[int, Move]) -> None:
    touches = [
        _touch(number, move, versions) for number, move in applied.items() if _is_touch(move)
    ]
    if not touches:
        return
    new = fetch(alias, "add_touches", rows_of(touches))
    messages = [
        _message(touch, applied[number], versions)
        for touch, number, is_ghost in new
        if not is_ghost
    ]
    if messages:
        execute(alias, "add_messages", rows_of(messages))


def _identity(enrolment: Enrolment) -> Identity:
    return enrolment.person, enrolment.journey, enrolment.rotation


def _is_touch(move: Move) -> bool:
    """Tell whether the step reached the person, or would have but for the holdout."""
    return move.decision.answer is Answer.SEND or move.decision.reason is Reason.HELD_OUT


def _advance(move: Move) -> tuple[object, ...]:
    before, after = move.before, move.next
    return (
        *_identity(before),
        before.position,
        text_of(before.due_at),
        after.version,
        after.position,
        text_of(after.ready_at),
        text_of(after.due_at),
        text_of(move.at) if move.ended else None,
        move.ended,
    )


def _decision(number: int, move: Move) -> tuple[object, ...]:
    decision = move.decision
    return (
        number,
        move.step.key,
        text_of(move.at),
        decision.answer,
        decision.reason,
        text_or_none(decision.until),
        move.before.arm is Arm.HOLDOUT,
        move.detail,
    )


def _touch(number: int, move: Move, versions: Versions) -> tuple[object, ...]:
    before = move.before
    journey = versions.find(before.journey, before.version).journey
    return (
        number,
        before.person,
        before.version,
        move.step.key,
        move.step.channel,
        text_of(move.at),
        # Whatever was asked: a held-out person gets a ghost, never a message.
        before.arm is Arm.HOLDOUT or move.decision.answer is not Answer.SEND,
        journey.purpose is Purpose.MARKETING,
    )


def _message(touch: int, move: Move, versions: Versions) -> tuple[object, ...]:
    before = move.before
    journey = versions.find(before.journey, before.version).journey
    return (
        touch,
        move.step.channel,
        move.step.template,
        text_of(move.at),
        text_of(before.ready_at + journey.stale_after),
        move.cost_micros,
    )
