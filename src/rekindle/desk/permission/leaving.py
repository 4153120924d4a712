"""Tells why people left, by what they answered in the portal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from rekindle.errors import UsageError
from rekindle.feedback import LEFT, LeaveAnswer, Theme, find_themes, read_reason
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace


def tell_why(
    workspace: Workspace, at: datetime, *, since: datetime | None = None, by: str = ""
) -> Sequence[Theme]:
    """Return why people left, by reason; ``by`` is a profile column of text to count by.

    The words of who was erased are gone, and their reason still counts. Of joined ids one
    person is made. The column says who they are at ``at``, not who they were when they left.

    Raises:
        UsageError: there is no such column, or it holds no text.
    """
    if by and (by not in FAMILIES.by_column or FAMILIES.by_column[by].type != "text"):
        known = ", ".join(sorted(c.name for c in FAMILIES.columns if c.type == "text"))
        raise UsageError(f"{by!r} is no profile column of text; there are {known}")
    answers = load_answers(workspace, at, since=since)
    people = {one.person for one in answers}
    return find_themes(answers, _segments(workspace, people, by, at) if by else None)


def load_answers(
    workspace: Workspace, at: datetime, *, since: datetime | None = None
) -> Sequence[LeaveAnswer]:
    """Return what people said until ``at`` about why they left, by the ids they have now."""
    entries = [one for one in workspace.audit_log.of_action(LEFT, since=since) if one.at <= at]
    people = workspace.book.persons.find({one.subject for one in entries})
    return [
        LeaveAnswer(
            people.get(one.subject, one.subject),
            read_reason(one.detail.get("reason")),
            one.at,
            str(one.detail.get("words") or ""),
        )
        for one in entries
    ]


def _segments(
    workspace: Workspace, people: Collection[str], column: str, at: datetime
) -> Mapping[str, str]:
    if not people or not workspace.has_facts:
        return {}
    engine, table = workspace.engine, workspace.profiles(at, "customer_id", column)
    asked = engine.bring(
        "people_who_left", pa.table({"customer_id": pa.array(sorted(set(people)), pa.string())})
    )
    rows = engine.run(table.semi_join(asked, "customer_id").select("customer_id", column))
    return {row["customer_id"]: row[column] for row in rows.to_pylist() if row[column]}
