"""Reads a journey's record out of the ledger and asks insights what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from rekindle.desk.permission.leaving import load_answers
from rekindle.desk.reporting.learning import note_result
from rekindle.desk.reporting.programme import leave_withheld_out
from rekindle.desk.reporting.stopping import find_held_back, find_overruling, find_stopping
from rekindle.errors import JourneyError, UsageError
from rekindle.facts import find_known_until
from rekindle.insights import (
    Earnings,
    JourneyRecord,
    JourneyReport,
    Membership,
    MessageFate,
    PartedPerson,
    Partings,
    SentMessage,
    VariantMessage,
    build_report,
    find_partings,
    say_word,
)
from rekindle.journeys import Journey, JourneyVersion
from rekindle.ledger import (
    MAY_HAVE_LEFT,
    History,
    Looks,
    MessageEntry,
    MessageState,
    Observations,
    load_fates,
    load_uplifts,
    load_variants,
    people_suppressed_since,
)
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.vocabulary import TOUCHED, Answer, Reason
from rekindle.wording import counted, numbered

NEVER_LEFT = frozenset({MessageState.CANCELLED, MessageState.FAILED})


def report_journey(workspace: Workspace, name: str, *, by: str = "") -> JourneyReport:
    """Return what a journey did and earned so far, and in each part of its people ``by`` something.

    Raises:
        JourneyError: no such journey was ever started here.
        UsageError: it is not kept what people are by that column as they enter.
    """
    require_covariate(by)
    require_started(workspace, name)
    engine, facts = workspace.reading
    record = load_record(workspace, name)
    report = build_report(record, facts, engine, by=by)
    report = replace(
        report,
        stopping=find_stopping(workspace, record),
        held_back=find_held_back(workspace, record),
        overruling=find_overruling(workspace, record),
        partings=_find_partings(workspace, record),
        earnings=_beside_acquisition(report.earnings, workspace),
    )
    if report.reading.costs_a_look:
        Looks(workspace.ledger).note(name, _today(workspace), record.settled_until)
    told = note_result(workspace, report)
    return replace(report, notes=(*report.notes, *told)) if told else report


def _beside_acquisition(earnings: Earnings | None, workspace: Workspace) -> Earnings | None:
    """Return what was earned with what a new customer costs, where the settings say so."""
    cost = workspace.config.shop.acquisition_cost
    if earnings is None or cost is None:
        return earnings
    return replace(earnings, acquisition_cost=float(cost))


def require_covariate(by: str) -> None:
    """Refuse a column by which nobody can be told apart as they were when they entered.

    Raises:
        UsageError: there is no such column among the covariates.
    """
    if by and by not in FAMILIES.covariates:
        kept = ", ".join(FAMILIES.covariates)
        raise UsageError(f"--by {by}: of people who enter a journey it is kept {kept}")


def require_started(workspace: Workspace, name: str) -> None:
    """Refuse a journey of which there is nothing to tell.

    Raises:
        JourneyError: no such journey was ever started here.
    """
    if not workspace.book.versions(name):
        raise JourneyError(
            f"journey {name!r} was never started here; `rekindle start {name}` starts it, "
            f"`rekindle replay {name}` runs it over history"
        )


def _today(workspace: Workspace) -> date:
    return workspace.clock.now().astimezone(workspace.zone).date()


def require_reading_ahead(
    journey: Journey, versions: Sequence[JourneyVersion], today: date
) -> None:
    """Refuse a new reading date that is over: nobody who enters now would be in its figures.

    One that an earlier version declared stays when it is over, whatever else is edited.

    Raises:
        JourneyError: it is today, or was before.
    """
    day = journey.goal.read_on
    if (
        day is not None
        and day <= today
        and all(one.journey.goal.read_on != day for one in versions)
    ):
        raise JourneyError(
            f"the figures of {journey.name} are to be read on {day}, and it is {today}: choose a "
            "later day for read_on, after the goal's time is over for those who enter"
        )


def _declared(versions: Sequence[JourneyVersion]) -> tuple[date | None, list[str]]:
    """Return the reading date that was declared first, and what to say of another one."""
    days = [
        day
        for one in versions
        if (day := one.journey.goal.read_on) is not None and day >= one.started_at.date()
    ]
    if not days:
        return None, []
    if days[-1] == days[0]:
        return days[0], []
    return days[0], [
        f"The file asks to read the figures on {days[-1]}, but {days[0]} counts: it was declared "
        "first, and a date that moves after a look is none."
    ]


def load_record(workspace: Workspace, name: str) -> JourneyRecord:
    """Return what a journey that was started did until now."""
    history, versions = workspace.history, workspace.book.versions(name)
    answers: Counter[Answer] = Counter()
    reasons: Counter[Reason] = Counter()
    for row in history.decision_counts(name):
        if row.answer is Answer.PASS or row.reason is Reason.WAITING:
            continue  # the way from touch to touch is not a touch
        answers[row.answer] += row.count
        if row.reason is not None:
            reasons[row.reason] += row.count
    messages = history.messages_of(name)
    reads_on, moved = _declared(versions)
    record = JourneyRecord(
        journey=versions[-1].journey,
        started_at=versions[0].started_at,
        until=workspace.clock.now(),
        holdout_share=versions[-1].holdout_share,
        members=_members(history, name),
        touches={answer: answers[answer] for answer in TOUCHED},
        reasons=reasons,
        sends=[
            SentMessage(
                one.person, one.rotation, one.accepted_at or one.created_at, one.cost_micros
            )
            for one in messages
            if one.state in MAY_HAVE_LEFT
        ],
        is_replay=False,
        versions={one.version: one.journey for one in versions},
        variants=[
            VariantMessage(
                one.person,
                one.rotation,
                one.version,
                one.step,
                one.variant,
                one.at,
                one.has_left,
                one.clicked_at,
            )
            for one in load_variants(workspace.ledger, name)
        ],
        reads_on=reads_on,
        looks=Looks(workspace.ledger).before(name, _today(workspace)),
        fates=_fates(workspace, name),
        known_until=find_known_until(workspace.reading, workspace.clock.now())
        if workspace.has_facts
        else None,
        seen=Observations(workspace.ledger).load(workspace.clock.now()).pairs,
        notes=(
            *moved,
            *_tell_uplift(workspace, name),
            *_notes(workspace, messages),
            *_conflicts(history.arm_conflicts(name)),
        ),
    )
    return leave_withheld_out(workspace, record)


def _find_partings(workspace: Workspace, record: JourneyRecord) -> Partings:
    """Return who said why they left since the journey began, and who is suppressed since."""
    return find_partings(
        record,
        load_answers(workspace, record.until, since=record.started_at),
        [
            PartedPerson(person, reason, at)
            for person, reason, at in people_suppressed_since(workspace.ledger, record.started_at)
            if at <= record.until
        ],
    )


def _members(history: History, name: str) -> list[Membership]:
    arms, seen = history.assigned(name), history.covariates(name)
    return [
        Membership(
            person=one.person,
            arm=arms.get(one.person, one.arm),
            rotation=one.rotation,
            entered_at=one.entered_at,
            last_order_at=one.last_order_at,
            first_touch_at=one.first_touch_at,
            ended=one.ended_reason,
            ended_at=one.ended_at,
            covariates=seen.get(one.person, {}),
        )
        for one in history.enrolments_of(name)
    ]


def _fates(workspace: Workspace, name: str) -> list[MessageFate]:
    return [
        MessageFate(
            one.person,
            one.rotation,
            one.step,
            one.channel,
            one.variant,
            one.offer,
            one.at,
            one.cost_micros,
            one.clicked_at,
            one.opened_at,
            one.has_bounced,
        )
        for one in load_fates(workspace.ledger, name)
    ]


def _tell_uplift(workspace: Workspace, name: str) -> Iterator[str]:
    """Yield why nobody is left out by what is foreseen of them, where that is asked for."""
    if not workspace.config.stopping.by_person:
        return
    version = workspace.book.versions(name)[-1].version
    entry, _ = load_uplifts(workspace.ledger, name, version)
    if entry is None:
        yield "Nothing was learned yet of whom the journey moves."
    elif entry.trouble:
        yield f"Nobody is left out by what is foreseen of them: {entry.trouble}."


def _conflicts(people: int) -> list[str]:
    if not people:
        return []
    return [
        f"{counted(people, 'person')} {numbered(people, 'was')} drawn into both arms, as two "
        "ids, before they were found to be one; they count in the arm that was drawn first."
    ]


def _notes(workspace: Workspace, messages: Sequence[MessageEntry]) -> tuple[str, ...]:
    states = Counter(one.state for one in messages)
    waiting = states[MessageState.QUEUED] + states[MessageState.LEASED]
    notes = []
    if waiting:
        notes.append(
            f"{counted(waiting, 'message')} {numbered(waiting, 'was')} decided and "
            f"{numbered(waiting, 'has')} not left yet."
        )
    if lost := [one for one in messages if one.state in NEVER_LEFT]:
        # A ghost cannot find out that nobody is reached, so whom the gate let through is
        # compared, and beside it is said whom a message did reach.
        left = {one.person for one in messages if one.state in MAY_HAVE_LEFT}
        silent = len({one.person for one in lost} - left)
        why = Counter(say_word(one.reason) if one.reason else "failed" for one in lost)
        notes.append(
            f"{counted(len(lost), 'message')} {numbered(len(lost), 'was')} decided and never left: "
            + ", ".join(f"{word} {count:,}" for word, count in why.most_common())
            + f". So {counted(silent, 'person')} of the exposed got none."
        )
    if unknown := states[MessageState.UNKNOWN]:
        notes.append(
            f"{counted(unknown, 'message')} {numbered(unknown, 'is')} of unknown fate after a "
            "crash and counted as sent; none is sent again by itself."
        )
    if workspace.config.worth:
        notes.append(
            "Touches were weighed against the expected margins of [[worth]] in rekindle.toml, "
            "which nobody measured."
        )
    return tuple(notes)
