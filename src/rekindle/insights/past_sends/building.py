"""Says what became of what other systems sent before: by channel, by campaign, and its faults."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, time, timedelta

import numpy as np

from rekindle.facts import Facts
from rekindle.gate import HouseRules, QuietHours
from rekindle.insights.model import Audit
from rekindle.insights.past_sends.comparing import (
    NO_HOLDOUT,
    NOT_COMPARED,
    PROSPECT,
    FirstSends,
    compare_arms,
    compare_equally_silent,
)
from rekindle.insights.past_sends.happenings import (
    DAY,
    NEVER,
    Flags,
    Whole,
    to_local,
)
from rekindle.insights.past_sends.model import (
    BANDS,
    JUST_BOUGHT_DAYS,
    ChannelSends,
    SendAudit,
    SendFaults,
    SendGroup,
)
from rekindle.insights.past_sends.reading import NOBODY, Run, Sends, SentPast, read_past
from rekindle.vocabulary import Unknown
from rekindle.wording import counted, numbered

FIRST_DAY = date(1970, 1, 1)


def with_past_sends(
    audit: Audit,
    facts: Facts,
    run: Run,
    *,
    rules: HouseRules,
    contacted: Collection[str] = (),
) -> Audit:
    """Return the audit with what other systems sent before it, where that was imported.

    ``rules`` say in which hours nothing ought to leave; who was ``contacted`` by Rekindle is not
    taken for somebody who got nothing.
    """
    if not facts.has_past_sends or "past_sends" not in facts.more:
        return audit
    past = read_past(facts, run, audit.as_of, contacted)
    if past is None:
        return audit
    found = build_past_sends(
        past, currency=facts.currency, zone=facts.zone, quiet=rules.quiet_hours
    )
    return replace(audit, past_sends=found)


def build_past_sends(
    past: SentPast, *, currency: str, zone: str, quiet: QuietHours | None
) -> SendAudit:
    """Return what became of everything that was sent, by the clock of a zone."""
    sends = past.sends
    has_left = ~sends.is_held_out
    local = to_local(sends.at, zone)
    places = [np.flatnonzero(sends.group == one) for one in range(len(sends.groups))]
    groups = [_group(past, one, local) for one in places]
    strangers = int((has_left & (sends.person == NOBODY)).sum())
    count = int(has_left.sum())
    found = SendAudit(
        currency=currency,
        sends=count,
        strangers=strangers,
        known=count - strangers,
        channels=tuple(_channels(past)),
        groups=tuple(sorted(groups, key=lambda one: (one.last_on, one.campaign), reverse=True)),
        faults=_find_faults(past, local, quiet),
        notes=(),
    )
    return replace(found, notes=tuple(_tell(found)))


def _group(past: SentPast, rows: Whole, local: Whole) -> SendGroup:
    """Return one campaign on one channel; ``rows`` are the places of its sends."""
    sends = past.sends
    channel, campaign = sends.groups[int(sends.group[rows[0]])]
    is_held = sends.is_held_out[rows]
    is_known = sends.person[rows] != NOBODY
    sent, held = (
        FirstSends(past, sends.person[rows][mine], sends.at[rows][mine])
        for mine in (is_known & ~is_held, is_known & is_held)
    )
    both = np.intersect1d(sent.person, held.person)
    alone, kept = sent.without(both), held.without(both)
    left = rows[~is_held]
    has_holdout = len(kept.person) > 0
    lifts = compare_arms(alone, kept) if has_holdout else (NO_HOLDOUT, NO_HOLDOUT)
    kinds = np.bincount(sent.kinds, minlength=PROSPECT + 1)
    silences = sent.silence[sent.silence != NEVER]
    return SendGroup(
        channel=channel,
        campaign=campaign,
        first_on=_day(local[rows].min()),
        last_on=_day(local[rows].max()),
        **_count(sends, left),
        people=len(sent.person),
        held_out=len(kept.person),
        in_both=len(both),
        prospects=int(kinds[PROSPECT]),
        silence_days=float(np.median(silences))
        if len(silences)
        else Unknown("nobody it went to had bought before"),
        silent={band.label: int(count) for band, count in zip(BANDS, kinds, strict=False)},
        followed=alone.followed(),
        holdout=kept.followed(),
        lift=lifts[0],
        revenue_lift=lifts[1],
        beside=NOT_COMPARED if has_holdout else compare_equally_silent(past, alone),
    )


def _count(sends: Sends, left: Whole | Flags) -> dict[str, int]:
    """Return how many sends left, and what is known of them by themselves."""
    return {
        "sends": len(sends.person[left]),
        "strangers": int((sends.person[left] == NOBODY).sum()),
        "bounced": int(sends.is_bounced[left].sum()),
        "opened": int(sends.is_opened[left].sum()),
        "clicked": int(sends.is_clicked[left].sum()),
    }


def _channels(past: SentPast) -> Iterator[ChannelSends]:
    sends = past.sends
    names = sorted({channel for channel, _ in sends.groups})
    of_group = np.array([names.index(channel) for channel, _ in sends.groups])
    channel = of_group[sends.group]
    for number, name in enumerate(names):
        mine = (channel == number) & ~sends.is_held_out
        known = mine & (sends.person != NOBODY)
        first = FirstSends(past, sends.person[known], sends.at[known])
        yield ChannelSends(
            channel=name,
            **_count(sends, mine),
            people=len(first.person),
            followed=first.followed(),
        )


def _find_faults(past: SentPast, local: Whole, quiet: QuietHours | None) -> SendFaults:
    sends = past.sends
    known = np.flatnonzero(~sends.is_held_out & (sends.person != NOBODY))
    person, at, group = sends.person[known], sends.at[known], sends.group[known]
    last = past.purchases.last_before(person, at)
    _, first, place = np.unique(
        np.stack([person, group]), axis=1, return_index=True, return_inverse=True
    )
    begun = at[first][place.reshape(-1)]
    days = np.unique(np.stack([person, local[known] // DAY]), axis=1).shape[1]
    return SendFaults(
        just_bought=int(((last != NEVER) & (at - last <= JUST_BOUGHT_DAYS * DAY)).sum()),
        since_first=int((last > begun).sum()),
        same_day=len(known) - days,
        at_night=int(_is_quiet(local[known], quiet).sum()),
        refused=_count_refused(past, known),
    )


def _is_quiet(local: Whole, quiet: QuietHours | None) -> Flags:
    if quiet is None or quiet.start == quiet.end:
        return np.zeros(len(local), dtype=bool)
    begin, end = _milliseconds(quiet.start), _milliseconds(quiet.end)
    of_day = local % DAY
    if begin < end:
        return (of_day >= begin) & (of_day < end)
    return (of_day >= begin) | (of_day < end)


def _milliseconds(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000


def _count_refused(past: SentPast, known: Whole) -> int:
    sends, count = past.sends, 0
    for channel, words in past.words.items():
        groups = [n for n, (name, _) in enumerate(sends.groups) if name == channel]
        mine = known[np.isin(sends.group[known], groups)]
        count += int(words.is_refused(sends.person[mine], sends.at[mine]).sum())
    return count


def _day(local: int) -> date:
    return FIRST_DAY + timedelta(days=int(local) // DAY)


def _tell(found: SendAudit) -> Iterator[str]:
    """Yield what has to be known to read the figures."""
    if found.strangers:
        yield (
            f"{counted(found.strangers, 'message')} of {found.sends:,} went to nobody known by "
            "then, or to an address of several people: no figure of people counts them."
        )
    if any(one.opened for one in found.groups):
        yield (
            "Opens are as the other system counts them: mail programs and filters that fetch "
            "pictures by themselves are in them."
        )
    tried = [one for one in found.groups if one.is_experiment]
    if tried:
        yield (
            "Who was kept out is taken as drawn by lot, since the file says so. Beside it only "
            "arms that had been silent alike are compared."
        )
    if (both := sum(one.in_both for one in found.groups)) > 0:
        yield (
            f"{counted(both, 'person')} {numbered(both, 'was')} in both arms of a campaign: no "
            "figure of its arms counts them."
        )
    if len(tried) > 1:
        yield (
            f"{len(tried)} campaigns are each read at 95 %: of twenty that moved nobody, one would "
            "show a difference."
        )
