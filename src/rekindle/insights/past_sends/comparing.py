"""What people did after a message, and what stands beside it: a holdout, or equally silent people.

Only the first is an experiment. The second is told because everybody asks for it, and never as
what a message did: who was written to was chosen, and by more than silence.
"""

from __future__ import annotations

import numpy as np

from rekindle.experiments import (
    MISMATCH,
    ArmOutcome,
    Lift,
    estimate_lift,
    find_imbalance,
)
from rekindle.insights.past_sends.happenings import DAY, NEVER, Flags, Whole
from rekindle.insights.past_sends.model import (
    BANDS,
    CHOSEN,
    WITHIN_DAYS,
    EquallySilent,
    WhatFollowed,
)
from rekindle.insights.past_sends.reading import SentPast
from rekindle.vocabulary import Unknown

WITHIN = WITHIN_DAYS * DAY
FEWEST_OTHERS = 20
"""With fewer people of a band nothing is told of it."""
MOST_OTHERS = 20_000
"""People who are looked at as equally silent: every n-th of all."""
MOST_MOMENTS = 31
"""Moments of a campaign at which equally silent people are looked for, of all its days."""
PROSPECT = len(BANDS)
"""The kind of people who had never bought, after the bands of silence."""


class FirstSends:
    """The first message of each person, or the moment they were to have it."""

    def __init__(self, past: SentPast, person: Whole, at: Whole) -> None:
        """Take sends in the order of time."""
        people, first = np.unique(person, return_index=True)
        self.person: Whole = people
        self.at: Whole = at[first]
        self._past = past
        last = past.purchases.last_before(self.person, self.at)
        self.silence = np.where(last == NEVER, NEVER, (self.at - last) // DAY)

    def without(self, people: Whole) -> FirstSends:
        """Return those of others."""
        is_other = ~np.isin(self.person, people)
        return FirstSends(self._past, self.person[is_other], self.at[is_other])

    def over(self) -> FirstSends:
        """Return those whose days are over."""
        is_over = self.at + WITHIN <= self._past.as_of
        return FirstSends(self._past, self.person[is_over], self.at[is_over])

    @property
    def kinds(self) -> Whole:
        """Return the band of each one's silence, or that they had never bought."""
        return find_kinds(self.silence)

    @property
    def has_bought(self) -> Flags:
        """Return who bought within the days."""
        found: Flags = self._past.standing.count(self.person, self.at, self.at + WITHIN) > 0
        return found

    def outcomes(self) -> tuple[ArmOutcome, ArmOutcome]:
        """Return them as an arm: who bought, and their net revenue."""
        net = self._past.revenue.total(self.person, self.at, self.at + WITHIN)
        size = len(self.person)
        # Sums that cancel out leave the last bits of a float.
        return (
            ArmOutcome.of_count(size, int(self.has_bought.sum())),
            ArmOutcome(size, tuple(np.round(net, 6))),
        )

    def followed(self) -> WhatFollowed:
        """Return what they did within the days, of those whose days are over."""
        over = self.over()
        bought, net = over.outcomes()
        return WhatFollowed(len(over.person), len(bought.values), net.total)


def find_kinds(silence: Whole) -> Whole:
    """Return the place of each silence among the bands; PROSPECT for who never bought."""
    begins = np.array([band.first for band in BANDS])
    found = np.searchsorted(begins, silence, side="right") - 1
    return np.where(silence == NEVER, PROSPECT, found)


def compare_arms(sent: FirstSends, held: FirstSends) -> tuple[Lift | Unknown, Lift | Unknown]:
    """Return the lifts of buying and of net revenue; people in both arms are in neither."""
    kinds = [np.bincount(one.kinds, minlength=PROSPECT + 1).tolist() for one in (sent, held)]
    chance = find_imbalance(*kinds)
    if isinstance(chance, float) and chance < MISMATCH:
        unlike = Unknown(
            f"the arms were unlike before anything was sent (p = {chance:.2g}, by how long people "
            "had been silent): they were chosen, not drawn by lot"
        )
        return unlike, unlike
    one, other = sent.over(), held.over()
    if not len(one.person) or not len(other.person):
        early = Unknown(f"nobody's {WITHIN_DAYS} days are over in one of the arms")
        return early, early
    pairs = zip(one.outcomes(), other.outcomes(), ("bought", "net revenue"), strict=True)
    lifts = [estimate_lift(a, b, metric=name) for a, b, name in pairs]
    return lifts[0], lifts[1]


def compare_equally_silent(past: SentPast, sent: FirstSends) -> EquallySilent | Unknown:
    """Return those sent to beside as silent people who got nothing in that time, in shares."""
    if not past.is_whole:
        return Unknown("the history is longer than is read to find equally silent people")
    over = sent.over()
    if not len(over.person):
        return Unknown(f"nobody's {WITHIN_DAYS} days are over yet")
    others = _list_others(past, sent)
    seen = np.zeros(len(others), dtype=bool)
    people, bought, beside = 0, 0, 0.0
    for chunk in _at_moments(over):
        moment = int(np.median(over.at[chunk]))
        counts, buyers, is_seen = _look_at_others(past, others, moment)
        seen |= is_seen
        kinds = over.kinds[chunk]
        is_compared = (kinds != PROSPECT) & (counts[kinds] >= FEWEST_OTHERS)
        people += int(is_compared.sum())
        bought += int(over.has_bought[chunk][is_compared].sum())
        beside += float((buyers / np.maximum(counts, 1))[kinds[is_compared]].sum())
    if not people:
        return Unknown(f"fewer than {FEWEST_OTHERS} equally silent people got nothing in that time")
    return EquallySilent(
        people, len(over.person) - people, bought / people, int(seen.sum()), beside / people
    )


NOT_COMPARED = Unknown("some people were kept out by lot, and are what to compare with")
NO_HOLDOUT = Unknown(CHOSEN)


def _list_others(past: SentPast, sent: FirstSends) -> Whole:
    """Return people who were not sent to in the campaign, nor by us; every n-th of many."""
    others = np.setdiff1d(np.flatnonzero(~past.is_ours), sent.person)
    return others[:: max(1, -(-len(others) // MOST_OTHERS))]


def _at_moments(over: FirstSends) -> list[Whole]:
    """Return the places of people by the days of their messages, a few days as one moment."""
    days, place = np.unique(over.at // DAY, return_inverse=True)
    chunk = place * min(len(days), MOST_MOMENTS) // len(days)
    return [np.flatnonzero(chunk == one) for one in np.unique(chunk)]


def _look_at_others(past: SentPast, others: Whole, moment: int) -> tuple[Whole, Whole, Flags]:
    """Return by kind how many others there were at a moment and how many bought, and who."""
    at = np.full(len(others), moment)
    last = past.purchases.last_before(others, at)
    got_nothing = past.sent.count(others, at - DAY, at + WITHIN) == 0
    is_seen = (last != NEVER) & got_nothing
    kinds = find_kinds((at - last) // DAY)[is_seen]
    bought = past.standing.count(others, at, at + WITHIN)[is_seen] > 0
    counts = np.bincount(kinds, minlength=PROSPECT + 1)
    return counts, np.bincount(kinds[bought], minlength=PROSPECT + 1), is_seen
