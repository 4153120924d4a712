"""Tells the people of a population apart: by journey, by what they had, by how long silent.

People apart by what they had (channel, variant, offer, step) are in every group of which they
had a message, and count as returned in it when that message came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from rekindle.insights.lifting.estimating import CONFIDENCE
from rekindle.insights.measures.comparing import find_lifts
from rekindle.insights.measures.model import Group, MeasuredPeople, Subject
from rekindle.insights.record import MessageFate, name_subgroup
from rekindle.profiles import FAMILIES
from rekindle.vocabulary import Arm, Unknown

T = TypeVar("T")
EVERYONE = "all"
NO_HOLDOUT = Unknown(
    "people are told apart by the messages they had, and the holdout had none; compare arms "
    "over everybody, or variants by their test in the report"
)
OVERLAP = (
    "Who had messages of several of these counts in each, and as returned where that message "
    "came before; the groups are no experiment."
)
TOGETHER = (
    "Intervals of differences between the arms are so wide that those of all groups hold together; "
    "nobody drew the groups, so that one that stands out is a reason for a test of its own."
)
_SILENCES = (30, 90, 180, 365)


def _say_silence(one: Subject) -> str:
    if one.silence_days is None:
        return "none known"
    low = 0
    for high in _SILENCES:
        if one.silence_days < high:
            return f"{low}–{high - 1} days"
        low = high
    return f"{low} days or more"


_PEOPLE: Mapping[str, Callable[[Subject], str]] = {
    "journey": lambda one: one.journey,
    "silence": _say_silence,
    "month": lambda one: f"{one.entered_at:%Y-%m}",
}
_MESSAGES: Mapping[str, Callable[[MessageFate], str]] = {
    "channel": lambda one: one.channel.value,
    "step": lambda one: one.step,
    "variant": lambda one: f"{one.step}: {one.variant}" if one.variant else "",
    "offer": lambda one: one.offer or "no offer",
}
WAYS = MappingProxyType(
    {
        "journey": "the journey they are in",
        "silence": "days since their last purchase when they entered, or since they left",
        "month": "the month in which they entered (UTC)",
        "channel": "the channel of a message they had",
        "step": "the step of a message they had",
        "variant": "the variant of a message they had",
        "offer": "the offer that went with a message they had",
    }
)
"""Every way to tell people apart by the journey itself, and what it means."""


def list_ways() -> Mapping[str, str]:
    """Return every way to tell people apart, and what it means: ``WAYS`` and the covariates."""
    kept = {
        name: f"{meaning.rstrip('.')}; as they entered"
        for name, meaning in FAMILIES.covariates.items()
    }
    return kept | dict(WAYS)


def split(population: MeasuredPeople, by: str) -> Sequence[Group]:
    """Return everyone, and the groups told apart ``by`` one of the ways (empty for none)."""
    everyone = _group(EVERYONE, population.subjects, population)
    if by in _MESSAGES:
        return [everyone, *_split_messages(population, _MESSAGES[by])]
    if not by:
        return [everyone]
    say = _PEOPLE.get(by, lambda one: name_subgroup(one.covariates, by))
    parts = _sort(population.subjects, say)
    compared = sum(len({one.arm for one in people}) == len(Arm) for people in parts.values())
    confidence = 1 - (1 - CONFIDENCE) / max(compared, 1)
    names = _order(parts) if by in _PEOPLE else sorted(parts)
    return [everyone, *(_group(name, parts[name], population, confidence) for name in names)]


def _group(
    name: str, subjects: Sequence[Subject], of: MeasuredPeople, confidence: float = CONFIDENCE
) -> Group:
    arms = {arm: [one for one in subjects if one.arm is arm] for arm in Arm}
    lifts = find_lifts(subjects, of, confidence)
    return Group(name, arms[Arm.TREATMENT], arms[Arm.HOLDOUT], of, lifts, confidence)


def _split_messages(
    population: MeasuredPeople, say: Callable[[MessageFate], str]
) -> Iterable[Group]:
    parts: defaultdict[str, list[Subject]] = defaultdict(list)
    for one in population.subjects:
        if one.arm is Arm.TREATMENT:
            for name, messages in _sort(one.messages, say).items():
                if name:
                    parts[name].append(_as_had(one, messages))
    for name in sorted(parts):
        yield Group(name, parts[name], NO_HOLDOUT, population)


def _as_had(one: Subject, messages: Sequence[MessageFate]) -> Subject:
    """Return somebody as if they had had these messages alone."""
    first = min(message.at for message in messages)
    had = replace(one, messages=tuple(messages))
    if one.first_bought_at is not None and one.first_bought_at <= first:
        had = replace(had, first_bought_at=None)
    if one.returned_at is None or one.returned_at > first:
        return had
    return replace(had, returned_at=None, returned_on=None, revenue=0.0)


def _sort(things: Iterable[T], say: Callable[[T], str]) -> dict[str, list[T]]:
    parts: defaultdict[str, list[T]] = defaultdict(list)
    for one in things:
        parts[say(one)].append(one)
    return parts


def _order(names: Iterable[str]) -> list[str]:
    """Return names sorted, numbers by their size."""
    return sorted(names, key=lambda name: (not name[:1].isdigit(), _number(name), name))


def _number(name: str) -> int:
    head = name.partition("–")[0].partition(" ")[0]
    return int(head) if head.isdigit() else 0
