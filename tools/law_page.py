"""The page of what the law of countries and states says, as far as it is acted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rekindle.consent import Law
from tools.markdown import note, table

LEAD = """\
The rules of countries and states that permission, hours and the reach of a STOP follow from. They
are the rows of `consent/law.toml`; each holds from a day, names its source and the day it
was written, from summaries of that source: compare a row with it before you rely on it. **This is
information, not legal advice.** Whether a ground applies to your business is for you and your
lawyer to say: a ground counts only where `[consent]` claims it.
"""
GROUNDS = """\
What lets marketing go to somebody who stated nothing. The rows of the country count; where none
of them is in force the row of every place does. `express` closes a channel to all but those who
agreed. Of several grounds the one that lasts longest counts; of two places (a card's country and
a phone's) the strictest. What people at the business do (`task`) asks none of them: whether a call
needs consent is for you to know.
"""
HOURS = """\
When marketing may reach somebody, on the clock of where they are or may be. They narrow
`[quiet_hours]` and never widen it. Where only the country is known, the hours of all its states
hold together.
"""
REFUSALS = (
    "How far a STOP reaches that is said while the row holds: receipts through the channel end too."
)
ASKING = """\
Where marketing needs a ground on a channel that needs none elsewhere
([which](channels.md)). What is shown in the shop's own app or pages to somebody
who is there is not sent to them, so Directive 2002/58 (art. 2(h), 13) asks nothing of it; Britain
reads its own law more strictly.
"""
TRACKING = "Whether it may be noticed that a message was opened, and for what without consent."
DUTIES = (
    "What every message there has to carry. Every message of these channels carries it anywhere."
)


def law_page(load: Callable[[], Law]) -> str:
    """Return one table a kind of row."""
    law = load()
    parts: tuple[tuple[str, str, Iterable[Any], Callable[[Any], Mapping[str, Any]]], ...] = (
        ("Grounds", GROUNDS, law.ground, _ground),
        ("Hours", HOURS, law.hours, lambda row: {"opens": f"{row.opens:%H:%M}",
                                                 "closes": f"{row.closes:%H:%M}",
                                                 "days": _days(row.days)}),
        ("Refusals", REFUSALS, law.refusal, lambda row: {"ends": row.ends}),
        ("Asking", ASKING, law.asking, lambda row: {}),
        ("Tracking", TRACKING, law.tracking, lambda row: {"opens need": row.opens_need,
                                                          "exempt": row.exempt}),
        ("Duties", DUTIES, law.duty, lambda row: {"asks": row.asks}),
    )  # fmt: skip
    text = note("Law", LEAD.strip())
    return text + "\n".join(
        f"## {title}\n\n{lead.strip()}\n\n{table(list(_rows(rows, say)))}"
        for title, lead, rows, say in parts
    )


def _rows(rows: Iterable[Any], say: Callable[[Any], Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for row in rows:
        yield {
            "row": row.id,
            "places": ["every place" if one == "*" else one for one in row.places],
            "channels": ["every channel" if one == "*" else one for one in row.channels],
            **say(row),
            "since": None if row.since.year == 1 else row.since,
            "until": row.until,
            "source": f"[{row.source}]({row.url})" if row.url else row.source,
            "written": row.written,
        }


def _ground(row: Any) -> Mapping[str, Any]:
    lasts = f"{row.months} months" if row.months else "until they object"
    since = "" if row.is_retroactive else f" since {row.since}"
    return {
        "rule": f"`{row.rule}`",
        "after": f"{' or '.join(row.after)}{since}" if row.after else None,
        "lasts": lasts if row.after else None,
        "claimed by": f"`{row.claim}`" if row.claim else None,
    }


def _days(days: tuple[str, ...]) -> str:
    whole = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return "every day" if days == whole else f"{days[0]}–{days[-1]}" if len(days) > 1 else days[0]
