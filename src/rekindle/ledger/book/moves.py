"""Writes what the engine decided: advances, ends, decisions and touches, all at once.

Whoever calls holds the places of these enrolments, and no touch of theirs is made by
anybody else; so everything written here is new and nothing has to be asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rekindle.gate import BookRules, month_of, resolve_zones
from rekindle.journeys import Move, Send
from rekindle.ledger.bulk import Groups, Target, insert_groups, moment_writer, update_groups
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
        ("enrolment_id", "int8"),
        ("position", "int2"),
        ("ready_at", "timestamptz"),
        ("due_at", "timestamptz"),
        ("wakes_on", "text"),
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
        update_groups(alias, "move_places", MOVES, _group_places(going, moment))
        insert_groups(alias, DECISIONS, _group_decisions(steps, moment))
        touching = [step for step in steps if _is_new_touch(step)]
        insert_groups(alias, TOUCHES, self._group_touches(touching, moment))
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

    def _group_touches(self, steps: Iterable[HeldMove], moment: WriteMoment) -> Groups:
        """Return touches by all that is not of one enrolment and person."""
        found: defaultdict[Row, list[Row]] = defaultdict(list)
        firsts: dict[Row, Move] = {}
        for number, move, _ in steps:
            before = move.before
            alike = (
                before.journey,
                before.version,
                move.step.key,
                move.variant,
                move.at,
                before.ready_at,
                _is_ghost(move),
                move.cost_micros,
                move.budgets,
            )
            firsts.setdefault(alike, move)
            found[alike].append((number, before.person))
        return _regroup(found, lambda alike: self._touch(firsts[alike], moment))

    def _touch(self, move: Move, moment: WriteMoment) -> Row:
        before, send = move.before, move.step
        assert isinstance(send, Send)  # nothing else reaches anyone
        purpose, stale_after = self._promise(before.journey, before.version)
        is_ghost, at = _is_ghost(move), moment(move.at)
        return (
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
        cost = 0 if _is_ghost(move) else move.cost_micros
        return barred(move.budgets), month_of(move.at, self._zone), cost

    def _promise(self, journey: str, version: int) -> tuple[Purpose, timedelta]:
        found = self._promises.get((journey, version))
        if found is None:
            known = self._versions.find(journey, version).journey
            found = self._promises[journey, version] = (known.purpose, known.stale_after)
        return found


def _is_ghost(move: Move) -> bool:
    """Tell whether a touch is a ghost: whatever was asked, a held-out person gets no message."""
    return move.before.arm is Arm.HOLDOUT or move.decision.answer is not Answer.SEND


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
    is_ghost = _is_ghost(move)
    course = (before.journey, before.rotation)
    return Giving(number, move.step.key, before.person, course, move.at, given, is_ghost)


def _regroup(found: Groups, write: Callable[[Row], Row]) -> Groups:
    """Return groups by what is written of them, which may be the same of several.

    A message does not say of which journey it is, nor a ghost what it would have cost.
    """
    groups: defaultdict[Row, list[Row]] = defaultdict(list)
    for alike, rows in found.items():
        groups[write(alike)] += rows
    return groups


def _group_places(steps: Iterable[HeldMove], moment: WriteMoment) -> Groups:
    """Return enrolments by where they come to stand."""
    found: defaultdict[Row, list[Row]] = defaultdict(list)
    for number, move, _ in steps:
        after = move.next
        found[after.position, after.ready_at, after.due_at, after.wakes_on].append((number,))
    return _regroup(found, lambda alike: _place(alike, moment))


def _place(alike: Row, moment: WriteMoment) -> Row:
    position, ready_at, due_at, wakes_on = alike
    return position, moment(ready_at), moment(due_at), wakes_on


def _group_decisions(steps: Iterable[HeldMove], moment: WriteMoment) -> Groups:
    """Return enrolments by what was decided about them."""
    found: defaultdict[Row, list[Row]] = defaultdict(list)
    for number, move, _ in steps:
        decision = move.decision
        is_ghost = move.before.arm is Arm.HOLDOUT or decision.reason is Reason.GLOBAL_HOLDOUT
        alike = (
            move.step.key,
            move.at,
            decision.answer,
            decision.reason,
            decision.until,
            is_ghost,
            move.detail,
        )
        found[alike].append((number,))
    return _regroup(found, lambda alike: _decision(alike, moment))


def _decision(alike: Row, moment: WriteMoment) -> Row:
    step, at, answer, reason, until, is_ghost, detail = alike
    return (
        step,
        moment(at),
        answer.value,
        None if reason is None else reason.value,
        None if until is None else moment(until),
        is_ghost,
        detail,
    )
