"""Writes what the engine decided: advances, ends, decisions and touches, all at once.

Whoever calls holds the places of these enrolments, and no touch of theirs is made by
anybody else; so everything written here is new and nothing has to be asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rekindle.gate import BookRules, month_of, resolve_zones
from rekindle.journeys import Move, Send
from rekindle.ledger.bulk import Target, insert_rows, moment_writer, update_rows
from rekindle.ledger.cancelling import book_budgets
from rekindle.ledger.models import MessageState
from rekindle.ledger.offers.giving import Giving, give_offers
from rekindle.ledger.queries import Row, barred
from rekindle.ledger.signals import end_enrolments
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import GHOSTLY, Answer, Arm, Purpose, Reason

MOVES = Target(
    "ledger_moves",
    (
        ("position", "int2"),
        ("ready_at", "timestamptz"),
        ("due_at", "timestamptz"),
        ("wakes_on", "text"),
        ("enrolment_id", "int8"),
    ),
)
DECISIONS = Target(
    "ledger_decision",
    (
        ("enrolment_id", "int8"),
        ("step", "text"),
        ("at", "timestamptz"),
        ("answer", "text"),
        ("reason", "text"),
        ("until", "timestamptz"),
        ("is_ghost", "bool"),
        ("detail", "text"),
    ),
)
TOUCHES = Target(
    "ledger_touch",
    (
        ("enrolment_id", "int8"),
        ("person_id", "text"),
        ("version", "int4"),
        ("step", "text"),
        ("channel", "text"),
        ("template", "text"),
        ("variant", "text"),
        ("at", "timestamptz"),
        ("state", "text"),
        ("is_marketing", "bool"),
        ("not_before", "timestamptz"),
        ("expires_at", "timestamptz"),
        ("cost_micros", "int8"),
        ("budgets", "text"),
        ("budget_month", "text"),
    ),
)
QUEUED, GHOST = MessageState.QUEUED.value, MessageState.GHOST.value
WriteMoment = Callable[[datetime], object]

_ANSWERS = {answer: answer.value for answer in Answer}
_REASONS: dict[Reason | None, str | None] = {reason: reason.value for reason in Reason}
_REASONS[None] = None


class HeldMove(NamedTuple):
    """A move to write: the enrolment's number and its steps that are touched already."""

    number: int
    move: Move
    touched: Collection[str]


class MoveWriter:
    """Writes moves into one ledger. Belongs to one book."""

    def __init__(self, alias: str, versions: Versions, terms: BookRules) -> None:
        self._alias = alias
        self._versions = versions
        self._zone = resolve_zones(terms.zone, None, None, "UTC")[0]
        self._promises: dict[tuple[str, int], tuple[Purpose, timedelta]] = {}

    def write(self, steps: Sequence[HeldMove]) -> int:
        """Write moves whose places are held, in the caller's transaction; count them."""
        if not steps:
            return 0
        alias, moment = self._alias, moment_writer(self._alias)
        going = [step for step in steps if step.move.ended is None]
        update_rows(alias, "move_places", MOVES, [_place_row(one, moment) for one in going])
        insert_rows(alias, DECISIONS, [_decision_row(step, moment) for step in steps])
        touching = [step for step in steps if _is_new_touch(step)]
        insert_rows(alias, TOUCHES, [self._touch_row(step, moment) for step in touching])
        book_budgets(alias, (self._amount(step) for step in touching if step.move.budgets))
        give_offers(alias, [giving for step in touching if (giving := _giving(step)) is not None])
        self._end([step for step in steps if step.move.ended is not None])
        return len(steps)

    def _end(self, steps: Sequence[HeldMove]) -> None:
        by_instant: dict[datetime, list[tuple[int, Reason]]] = defaultdict(list)
        for step in steps:
            if (reason := step.move.ended) is not None:
                by_instant[step.move.at].append((step.number, reason))
        for at, endings in sorted(by_instant.items()):
            end_enrolments(self._alias, endings, at)

    def _touch_row(self, step: HeldMove, moment: WriteMoment) -> Row:
        number, move, _ = step
        before, send = move.before, move.step
        assert isinstance(send, Send)  # nothing else reaches anyone
        purpose, stale_after = self._promise(before.journey, before.version)
        # Whatever was asked: a held-out person gets a ghost, never a message.
        is_ghost = before.arm is Arm.HOLDOUT or move.decision.answer is not Answer.SEND
        at = moment(move.at)
        return (
            number,
            before.person,
            before.version,
            send.key,
            send.channel.value,
            send.template_of(move.variant),
            move.variant,
            at,
            GHOST if is_ghost else QUEUED,
            purpose is Purpose.MARKETING,
            at,
            moment(before.ready_at + stale_after),
            0 if is_ghost else move.cost_micros,
            "" if is_ghost else barred(move.budgets),
            "" if is_ghost or not move.budgets else month_of(move.at, self._zone),
        )

    def _amount(self, step: HeldMove) -> tuple[str, str, int]:
        """Return what a message reserves: budgets, month, micros; a ghost nothing."""
        move = step.move
        is_message = move.before.arm is not Arm.HOLDOUT and move.decision.answer is Answer.SEND
        cost = move.cost_micros if is_message else 0
        return barred(move.budgets), month_of(move.at, self._zone), cost

    def _promise(self, journey: str, version: int) -> tuple[Purpose, timedelta]:
        found = self._promises.get((journey, version))
        if found is None:
            known = self._versions.find(journey, version).journey
            found = self._promises[journey, version] = (known.purpose, known.stale_after)
        return found


def _is_new_touch(step: HeldMove) -> bool:
    """Tell whether a step reached the person, or would have but for the holdout, newly."""
    move = step.move
    reaches = move.decision.answer is Answer.SEND or move.decision.reason in GHOSTLY
    return reaches and move.step.key not in step.touched


def _giving(step: HeldMove) -> Giving | None:
    """Return what goes with a new touch; of a held-out person a ghost of it."""
    number, move, _ = step
    before, given = move.before, move.offer
    if given is None:
        return None
    is_ghost = before.arm is Arm.HOLDOUT or move.decision.answer is not Answer.SEND
    course = (before.journey, before.rotation)
    return Giving(number, move.step.key, before.person, course, move.at, given, is_ghost)


def _place_row(step: HeldMove, moment: WriteMoment) -> Row:
    number, move, _ = step
    after = move.next
    return after.position, moment(after.ready_at), moment(after.due_at), after.wakes_on, number


def _decision_row(step: HeldMove, moment: WriteMoment) -> Row:
    number, move, _ = step
    decision = move.decision
    return (
        number,
        move.step.key,
        moment(move.at),
        _ANSWERS[decision.answer],
        _REASONS[decision.reason],
        None if decision.until is None else moment(decision.until),
        move.before.arm is Arm.HOLDOUT or decision.reason is Reason.GLOBAL_HOLDOUT,
        move.detail,
    )
