"""Keeps what the measures were at the audit, and says how far they have come to their targets.

The baseline is a file of the workspace, for the team's version control. It is written once; a new
one is taken on request alone and stands beside the old ones; the one taken last counts. The
newest reading is a file of the state, for whoever has no time to measure anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rekindle.desk.reporting.measuring import measure_journeys
from rekindle.errors import RekindleError, WorkspaceError
from rekindle.insights import (
    ASSIGNED,
    CATALOGUE,
    COMPARED,
    EVERYONE,
    TARGETED,
    Audit,
    Baseline,
    MeasureTable,
    MeasureTarget,
    TargetStanding,
    judge_targets,
    measure_audit,
)
from rekindle.profiles import local_day
from rekindle.runtime import Workspace
from rekindle.vocabulary import Unknown
from rekindle.wording import counted

FILE = Path("learned") / "baseline.json"
READING = Path("state") / "measures.json"
VERSION = 1
SUBJECT = "targets"
"""What the log calls a reading of the worker."""
NONE_READ = Unknown("no reading is kept yet; `rekindle measures` takes one")
NONE_TAKEN = Unknown("no baseline was taken yet; `rekindle audit` takes one")
ONLY_NOW = Unknown("journeys are measured as of today, and this is of an earlier day")
NO_JOURNEY = Unknown("no journey was started by then")


def keep_baseline(workspace: Workspace, audit: Audit, *, is_asked: bool) -> str:
    """Write what the measures are as the baseline; return what is to be told, "" for nothing.

    Unless somebody asked for it, it is written only where targets are set and none is there.

    Raises:
        WorkspaceError: the file that is there cannot be read.
    """
    if not is_asked and not workspace.config.targets:
        return ""
    earlier = load_baselines(workspace)
    if earlier and not is_asked:
        return ""
    on = local_day(audit.as_of, audit.zone)
    # Earlier ones stay, for somebody has aimed by them.
    kept = [
        *(one for one in earlier if one.taken_on != on),
        Baseline(on, _measure(workspace, audit)),
    ]
    path = workspace.directory / FILE
    try:
        _write(path, {"version": VERSION, "baselines": [one.to_json() for one in kept]})
    except OSError as error:
        return f"{path} cannot be written ({error}): no baseline is kept."
    return f"The baseline of {on} is kept in {FILE}; commit it with the workspace."


def load_baselines(workspace: Workspace) -> list[Baseline]:
    """Return the baselines that were taken, in the order they were.

    Raises:
        WorkspaceError: the file is damaged, or of a newer version.
    """
    path = workspace.directory / FILE
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["version"] != VERSION:
            raise WorkspaceError(f"{path} has version {held['version']}; upgrade rekindle")
        return [_read(one) for one in held["baselines"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkspaceError(
            f"{path} is no file of baselines: {error}; mend it, or take it away and let "
            "`rekindle audit --baseline` take a new one"
        ) from error


def _read(one: Mapping[str, Any]) -> Baseline:
    return Baseline(
        date.fromisoformat(one["taken_on"]),
        {
            str(name): float(value)
            if isinstance(value, int | float)
            else Unknown(str(value["unknown"]))
            for name, value in one["measures"].items()
        },
    )


def _write(path: Path, told: Mapping[str, Any]) -> None:
    """Write a file of measures, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    # Two that write at once have a file each, and the later one stays whole.
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)


def judge_workspace(
    workspace: Workspace,
    audit: Audit | None = None,
    *,
    measured: MeasureTable | None = None,
    keeps: bool = False,
) -> tuple[TargetStanding, ...]:
    """Return how the targets of the workspace stand.

    ``audit`` and ``measured``, the measures of all journeys, are where somebody has them already.
    With ``keeps`` what was measured is kept for ``load_targets``: for who measures as of now.

    Raises:
        WorkspaceError: the file of baselines cannot be read.
    """
    if not workspace.config.targets:
        return ()
    begun_at = workspace.clock.now()
    at = workspace.latest() if audit is None else audit.as_of
    today = local_day(at, workspace.config.workspace.timezone)
    now = Baseline(today, _measure(workspace, audit, measured))
    if keeps:
        _keep_reading(workspace, now, begun_at)
    return _judge(workspace, now, _newest_baseline(workspace, today))


def read_daily(workspace: Workspace, at: datetime) -> str:
    """Take the reading of a local day once, where there are targets; return what is to be told.

    What stands in the way is told in the log of the day, and tried again the next.
    """
    if not workspace.config.targets:
        return ""
    log, zone = workspace.audit_log, workspace.zone
    last = log.entries(SUBJECT, limit=1)
    if last and last[0].at.astimezone(zone).date() >= at.astimezone(zone).date():
        return ""
    try:
        standings = judge_workspace(workspace, keeps=True)
    except RekindleError as error:
        log.write("worker", "not read", SUBJECT, {"why": str(error)}, at)
        return f"the targets were not read: {error}"
    told = {one.target.measure: one.to_json()["pace"] for one in standings}
    log.write("worker", "read", SUBJECT, told, at)
    return f"{counted(len(standings), 'target')} read"


def load_targets(workspace: Workspace) -> tuple[datetime | None, tuple[TargetStanding, ...]]:
    """Return when the measures were last read, None for never, and how the targets stood then.

    Nothing is measured. ``today`` of a standing is the day that was measured; a damaged file of
    baselines is a baseline that is unknown.
    """
    if not workspace.config.targets:
        return None, ()
    now = workspace.clock.now()
    read_at = None
    today = local_day(now, workspace.config.workspace.timezone)
    read = Baseline(today, dict.fromkeys(TARGETED, NONE_READ))
    held = _load_reading(workspace)
    if held is not None and held[0] <= now:
        read_at, read = held
    try:
        return read_at, _judge(workspace, read, _newest_baseline(workspace, read.taken_on))
    except WorkspaceError as error:
        return read_at, _judge(workspace, read, Unknown(str(error)))


def _judge(
    workspace: Workspace, now: Baseline, baseline: Baseline | Unknown
) -> tuple[TargetStanding, ...]:
    targets = [MeasureTarget(one.measure, one.value, one.by) for one in workspace.config.targets]
    return judge_targets(targets, baseline, now.values, today=now.taken_on)


def _newest_baseline(workspace: Workspace, today: date) -> Baseline | Unknown:
    taken = [one for one in load_baselines(workspace) if one.taken_on <= today]
    return taken[-1] if taken else NONE_TAKEN


def _keep_reading(workspace: Workspace, now: Baseline, begun_at: datetime) -> None:
    held = _load_reading(workspace)
    if held is not None and begun_at < held[0] <= workspace.clock.now():
        return  # somebody else began later and was done before
    told = {"version": VERSION, "read_at": begun_at.isoformat(), **now.to_json()}
    # Who may not write here is told the figures all the same; the reading says its day.
    with suppress(OSError):
        _write(workspace.directory / READING, told)


def _load_reading(workspace: Workspace) -> tuple[datetime, Baseline] | None:
    """Return the newest reading and when it was begun; None without one that can be read.

    It can be taken again, so that a damaged one is as good as none.
    """
    try:
        held = json.loads((workspace.directory / READING).read_text(encoding="utf-8"))
        if held["version"] != VERSION:
            return None
        read_at = datetime.fromisoformat(held["read_at"])
        if read_at.tzinfo is None:
            return None
        return read_at, _read(held)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _measure(
    workspace: Workspace, audit: Audit | None, measured: MeasureTable | None = None
) -> Mapping[str, float | Unknown]:
    """Return what every measure is that a target may be set for."""
    audit = workspace.audit() if audit is None else audit
    found = dict(measure_audit(audit))
    if audit.as_of < workspace.latest():
        return found | dict.fromkeys(CATALOGUE, ONLY_NOW)
    if not workspace.has_ledger or not workspace.history.journeys():
        return found | dict.fromkeys(CATALOGUE, NO_JOURNEY)
    # What is measured and shown to nobody is no look.
    is_look = any(one.measure in COMPARED for one in workspace.config.targets)
    if measured is None or measured.definition != ASSIGNED:
        measured = measure_journeys(workspace, is_look=is_look)
    values = measured.values[EVERYONE]
    return found | {name: values[name].figure for name in TARGETED if name in CATALOGUE}
