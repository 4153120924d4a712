"""What a team does to a running journey: pause, resume, stop, overrule, move people; all logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rekindle.errors import JourneyError, UsageError
from rekindle.gate import Overrule, build_subgroups
from rekindle.journeys import JourneyVersion, build_route, map_places
from rekindle.ledger import JourneyState, end_overrules, ledger_transaction, note_overrule
from rekindle.runtime import Workspace

LONGEST_OVERRULE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many people stand at one step of one version, and whether it still exists.

    ``to_step`` is the step's name in the version they would move to, None if it is gone.
    """

    version: int
    step: str
    people: int
    to_step: str | None


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What moving everyone to ``version`` would mean, step by step."""

    journey: str
    version: int
    standing: Sequence[Standing]
    places: Mapping[int, Mapping[int, int]]

    @property
    def moving(self) -> int:
        """Return how many people would move."""
        return sum(one.people for one in self.standing if one.to_step is not None)

    @property
    def staying(self) -> int:
        """Return how many stand at a step that no longer exists; they stay."""
        return sum(one.people for one in self.standing if one.to_step is None)


def pause_journey(workspace: Workspace, name: str, *, who: str, why: str = "") -> bool:
    """Hold a journey still until it resumes; return False if it stood still already.

    Raises:
        JourneyError: no journey of that name has started, or it was stopped.
    """
    at = workspace.clock.now()
    with ledger_transaction(workspace.ledger):
        if _require_begun(workspace, name, "pause") is JourneyState.PAUSED:
            return False
        workspace.book.pause(name, at)
        workspace.audit_log.write(who, "paused", name, {"why": why}, at)
    return True


def resume_journey(workspace: Workspace, name: str, *, who: str) -> int | None:
    """Let a paused journey go on; return how many people had fallen due meanwhile.

    What is overdue beyond the journey's ``stale_after`` is skipped with that reason as
    the worker comes to it; the rest is spread over ``pacing.resume_over``. None says that
    it was not paused, so that there was nothing to do.

    Raises:
        JourneyError: no journey of that name has started, or it was stopped.
    """
    at = workspace.clock.now()
    seconds = int(workspace.config.pacing.resume_over.total_seconds())
    with ledger_transaction(workspace.ledger):
        if _require_begun(workspace, name, "resume") is JourneyState.RUNNING:
            return None
        due = workspace.book.resume(name, at, over_seconds=seconds)
        workspace.audit_log.write(who, "resumed", name, {"due": due}, at)
    return due


def stop_journey(workspace: Workspace, name: str, *, who: str, why: str = "") -> int | None:
    """End a journey for everyone in it; return how many that were, or None if it was over.

    Raises:
        JourneyError: no journey of that name has started.
    """
    at = workspace.clock.now()
    _newest(workspace, name)
    with ledger_transaction(workspace.ledger):
        if workspace.book.state(name) is JourneyState.STOPPED:
            return None
        ended = workspace.book.stop(name, at)
        workspace.audit_log.write(who, "stopped", name, {"ended": ended, "why": why}, at)
    return ended


def overrule_stops(workspace: Workspace, made: Overrule) -> None:
    """Let messages leave in spite of what was measured, of everybody alike, until a day.

    Stops that still hold by then come back after it.

    Raises:
        JourneyError: no journey of that name has started, or it was stopped.
        UsageError: it has no such message or subgroup, or the time is over or too long.
    """
    name = made.journey
    sends = {send.key for send in _newest(workspace, name).journey.sends}
    if made.step and made.step not in sends:
        raise UsageError(f"{name} has no message {made.step!r}; it has {', '.join(sorted(sends))}")
    declared = build_subgroups(workspace.config)
    if made.subgroup and made.subgroup not in declared.names:
        told = ", ".join(declared.names) if declared.by else "none; see [stopping] by"
        raise UsageError(f"no subgroup is called {made.subgroup!r}; declared are: {told}")
    if not made.at < made.until <= made.at + LONGEST_OVERRULE:
        days = LONGEST_OVERRULE.days
        raise UsageError(f"a stop is overruled for {days} days at most, and until a day to come")
    detail = {
        "why": made.why,
        "until": made.until.isoformat(),
        "message": made.step,
        "subgroup": made.subgroup,
    }
    with ledger_transaction(workspace.ledger):
        _require_begun(workspace, name, "overrule")
        note_overrule(workspace.ledger, made)
        workspace.audit_log.write(made.who, "overruled", name, detail, made.at)


def let_stops_hold(workspace: Workspace, name: str, *, who: str) -> int:
    """End what overrules the stops of a journey; return how many overrules that were.

    Raises:
        JourneyError: no journey of that name has started.
    """
    at = workspace.clock.now()
    _newest(workspace, name)
    with ledger_transaction(workspace.ledger):
        ended = end_overrules(workspace.ledger, name, at, who)
        if ended:
            workspace.audit_log.write(who, "let stops hold", name, {"overrules": ended}, at)
    return ended


def plan_move(workspace: Workspace, name: str) -> MovePlan:
    """Return who would move to the newest version, and who stands at a step that is gone.

    Raises:
        JourneyError: no journey of that name has started.
    """
    newest = _newest(workspace, name)
    new = build_route(newest.journey)
    earlier = [v for v in workspace.book.versions(name) if v.version != newest.version]
    routes = {version.version: build_route(version.journey) for version in earlier}
    maps = {number: map_places(route, new) for number, route in routes.items()}
    counted = Counter(
        (one.version, one.position)
        for one in workspace.book.open_enrolments()
        if one.journey == name and one.version in routes
    )
    standing = []
    for (version, position), people in sorted(counted.items()):
        there = maps[version][position]
        step = routes[version].nodes[position].step.key
        to_step = None if there is None else new.nodes[there].step.key
        standing.append(Standing(version, step, people, to_step))
    places = {
        version: {old: there for old, there in mapped.items() if there is not None}
        for version, mapped in maps.items()
    }
    return MovePlan(name, newest.version, standing, places)


def move_people(workspace: Workspace, plan: MovePlan, *, who: str) -> int:
    """Do what a move plan says; return how many people moved."""
    at = workspace.clock.now()
    with ledger_transaction(workspace.ledger):
        moved = workspace.book.transfer(plan.journey, plan.version, plan.places, at)
        detail = {"version": plan.version, "moved": moved, "stayed": plan.staying}
        workspace.audit_log.write(who, "moved", plan.journey, detail, at)
    return moved


def _require_begun(workspace: Workspace, name: str, verb: str) -> JourneyState:
    """Return whether a journey runs or is paused.

    Raises:
        JourneyError: it never started, or was stopped.
    """
    _newest(workspace, name)
    state = workspace.book.state(name)
    if state is None or state is JourneyState.STOPPED:
        raise JourneyError(
            f"{name} was stopped and ended for everyone in it, so there is nothing to {verb}; "
            f"`rekindle start {name}` lets people enter it again"
        )
    return state


def _newest(workspace: Workspace, name: str) -> JourneyVersion:
    versions = workspace.book.versions(name)
    if not versions:
        raise JourneyError(f"no journey {name!r} has started; `rekindle start {name}` begins one")
    return versions[-1]
