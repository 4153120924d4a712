"""Keeps what the measures were at the audit, and says how far they have come to their targets.

The baseline is a file of the workspace, for the team's version control. It is written once; a new
one is taken on request alone and stands beside the old ones; the one taken last counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rekindle.desk.reporting.measuring import measure_journeys
from rekindle.errors import WorkspaceError
from rekindle.insights import (
    CATALOGUE,
    EVERYONE,
    TARGETED,
    Audit,
    Baseline,
    MeasureTarget,
    TargetStanding,
    judge_targets,
    measure_audit,
)
from rekindle.profiles import local_day
from rekindle.runtime import Workspace
from rekindle.vocabulary import Unknown

FILE = Path("learned") / "baseline.json"
VERSION = 1
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
    told = {"version": VERSION, "baselines": [one.to_json() for one in kept]}
    try:
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(part, path)
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


def judge_workspace(workspace: Workspace, audit: Audit | None = None) -> tuple[TargetStanding, ...]:
    """Return how the targets of the workspace stand; ``audit`` where somebody has it already.

    Raises:
        WorkspaceError: the file of baselines cannot be read.
    """
    settings = workspace.config.targets
    if not settings:
        return ()
    at = workspace.latest() if audit is None else audit.as_of
    today = local_day(at, workspace.config.workspace.timezone)
    taken = [one for one in load_baselines(workspace) if one.taken_on <= today]
    targets = [MeasureTarget(one.measure, one.value, one.by) for one in settings]
    return judge_targets(
        targets, taken[-1] if taken else NONE_TAKEN, _measure(workspace, audit), today=today
    )


def _measure(workspace: Workspace, audit: Audit | None) -> Mapping[str, float | Unknown]:
    """Return what every measure is that a target may be set for."""
    audit = workspace.audit() if audit is None else audit
    found = dict(measure_audit(audit))
    if audit.as_of < workspace.latest():
        return found | dict.fromkeys(CATALOGUE, ONLY_NOW)
    if not workspace.has_ledger or not workspace.history.journeys():
        return found | dict.fromkeys(CATALOGUE, NO_JOURNEY)
    values = measure_journeys(workspace).values[EVERYONE]
    return found | {name: values[name].figure for name in TARGETED if name in CATALOGUE}
