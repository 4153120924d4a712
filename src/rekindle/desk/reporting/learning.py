"""Keeps one file a journey of what was expected, how it is measured, and what came of it.

The plan is written as a version starts, before anybody enters; a report writes the result.
What the team decided and learned is theirs to write, and nothing here touches that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rekindle.insights import JourneyReport
from rekindle.journeys import JourneyVersion
from rekindle.runtime import Workspace
from rekindle.vocabulary import Purpose, Unknown
from rekindle.wording import amount, day, percent

FOLDER = "learned"
BEGIN, END = "<!-- {}: written by rekindle -->", "<!-- end of {} -->"
PLANS, RESULT = "plans", "result"
NO_HYPOTHESIS = "none was written (`hypothesis:` in the journey's file)"
_NOT_YET = "Not read yet; `rekindle report {}` writes it."
_FILE = """\
# {name}

What was expected of this journey, how it is measured, and what came of it. Plans and result are
written by Rekindle; the decision is yours.

## Plans

{plans}

## Result

{result}

## Decision

What do you do next, and what did you learn? Write it here.
"""


def note_plan(workspace: Workspace, version: JourneyVersion) -> tuple[str, ...]:
    """Write what a version that starts is expected to do; return what is to be told of it.

    A file that cannot be written keeps no journey from starting.
    """
    name = version.journey.name
    path = _path(workspace, name)
    plan = _plan(workspace, version)
    try:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            earlier = _find(text, PLANS)
            if earlier is None:
                return (f"{path}: the plan of this version is not written, as its marks are gone.",)
            text = _put(text, PLANS, f"{earlier}\n\n{plan}")
        else:
            path.parent.mkdir(exist_ok=True)
            text = _FILE.format(
                name=name,
                plans=_marked(PLANS, plan),
                result=_marked(RESULT, _NOT_YET.format(name)),
            )
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (f"{path} cannot be written ({error}): nothing there says what was expected.",)
    return (f"What is expected of it is written in {path.relative_to(workspace.directory)}.",)


def note_result(workspace: Workspace, report: JourneyReport) -> tuple[str, ...]:
    """Write what came of a journey into its file, where it has one; return what is to be told."""
    path = _path(workspace, report.journey)
    try:
        if not path.is_file():
            return ()
        text = path.read_text(encoding="utf-8")
        if _find(text, RESULT) is None:
            return (f"{path}: the result is not written there, as its marks are gone.",)
        told = _put(text, RESULT, _result(report, workspace))
        if told != text:
            path.write_text(told, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (f"{path} cannot be written ({error}).",)
    return ()


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.directory / FOLDER / f"{name}.md"


def _plan(workspace: Workspace, version: JourneyVersion) -> str:
    journey = version.journey
    goal, days = journey.goal, journey.goal.within.days
    at = day(version.started_at, workspace.zone)
    read = f"on {goal.read_on}" if goal.read_on else "at any time (the interval is open-ended)"
    lines = [
        f"Version {version.version}, started {at}",
        f"- Hypothesis: {_flat(journey.hypothesis) or NO_HYPOTHESIS}",
    ]
    if version.holdout_share:
        lines += [
            f"- Metric: net revenue per assigned customer within {days} days of entering, "
            f"treatment less holdout; beside it the share for whom `{goal.on}` happens",
            f"- Read: {read}",
            f"- Held out: {percent(version.holdout_share)}",
        ]
    else:
        lines.append("- Metric: none, for nobody is held out: it cannot be told what it earns")
    if journey.purpose is not Purpose.MARKETING:
        lines.append(f"- Purpose: {journey.purpose.value}")
    return "\n".join(lines)


def _result(report: JourneyReport, workspace: Workspace) -> str:
    """Return what is known, in words; nothing of it before its time, as in the report."""
    lines = [f"As of {day(report.until, workspace.zone)}, {report.reading.interval.value}:"]
    lines += [f"- {arm.value}: {of.assigned:,} assigned, {of.returned:,} returned"
              for arm, of in report.arms.items()]  # fmt: skip
    lift = report.lift
    if not isinstance(lift, Unknown):
        value, low, high = (
            amount(one, report.currency) for one in (lift.difference, lift.low, lift.high)
        )
        lines.append(f"- Net revenue per assigned customer: {value} ({low} to {high})")
    lines.append(f"- {report.finding}")
    return "\n".join(lines)


def _flat(text: str) -> str:
    """Return text as one line that ends no mark."""
    return " ".join(text.replace("<!--", "").replace("-->", "").split())


def _marked(what: str, text: str) -> str:
    return "\n".join((BEGIN.format(what), text, END.format(what)))


def _pattern(what: str) -> re.Pattern[str]:
    begin, end = re.escape(BEGIN.format(what)), re.escape(END.format(what))
    return re.compile(rf"{begin}\n(.*?)\n{end}", re.DOTALL)


def _find(text: str, what: str) -> str | None:
    found: Sequence[str] = _pattern(what).findall(text)
    return found[0] if len(found) == 1 else None


def _put(text: str, what: str, inside: str) -> str:
    # A function, since a replacement text would read backslashes as groups.
    return _pattern(what).sub(lambda _: _marked(what, inside), text)
