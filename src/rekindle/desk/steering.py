"""What a team does to a running journey: pause, resume, stop, move people. Each is logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rekindle.errors import JourneyError
from rekindle.journeys import JourneyVersion, build_route, map_places
from rekindle.ledger import ledger_transaction
from rekindle.runtime import Workspace


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


def pause_journey(workspace: Workspace, name: str, *, who: str, why: str = "") -> None:
    """Hold a journey still: nothing is decided or sent until it resumes.

    Raises:
        JourneyError: no journey of that name has started.
    """
    at = workspace.clock.now()
    _newest(workspace, name)
    with ledger_transaction(workspace.ledger):
        workspace.book.pause(name, at)
        workspace.audit_log.write(who, "paused", name, {"why": why}, at)


def resume_journey(workspace: Workspace, name: str, *, who: str) -> int:
    """Let a paused journey go on; return how many people had fallen due meanwhile.

    What is overdue beyond the journey's ``stale_after`` is skipped with that reason as
    the worker comes to it; the rest is spread over ``pacing.resume_over``.

    Raises:
        JourneyError: no journey of that name has started.
    """
    at = workspace.clock.now()
    _newest(workspace, name)
    seconds = int(workspace.config.pacing.resume_over.total_seconds())
    with ledger_transaction(workspace.ledger):
        due = workspace.book.resume(name, at, over_seconds=seconds)
        workspace.audit_log.write(who, "resumed", name, {"due": due}, at)
    return due


def stop_journey(workspace: Workspace, name: str, *, who: str, why: str = "") -> int:
    """End a journey for everyone in it; return how many that were.

    Raises:
        JourneyError: no journey of that name has started.
    """
    at = workspace.clock.now()
    _newest(workspace, name)
    with ledger_transaction(workspace.ledger):
        ended = workspace.book.stop(name, at)
        workspace.audit_log.write(who, "stopped", name, {"ended": ended, "why": why}, at)
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


def _newest(workspace: Workspace, name: str) -> JourneyVersion:
    versions = workspace.book.versions(name)
    if not versions:
        raise JourneyError(f"no journey {name!r} has started; `rekindle start {name}` begins one")
    return versions[-1]
