"""Who of a journey's people asked to be left alone or cannot be reached any more, and why.

It counts in both arms alike: what the treatment arm has beyond the holdout is what messages cost
in people who may still be written to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from rekindle.feedback import LeaveAnswer, find_themes
from rekindle.insights.record import JourneyRecord, Membership
from rekindle.insights.wire import Json
from rekindle.vocabulary import Arm, SignalKind
from rekindle.wording import counted, numbered

OTHER = "other"
# What the ledger calls it, as a reader would say it.
MEANINGS = {
    "opt_out": "unsubscribed",
    "complaint": "said it was spam",
    "bounce": "a message came back",
    "no_response": "left alone by hygiene, for they did not answer",
    "archived": "archived by hygiene, for they are long gone",
    "erased": "erased",
    OTHER: "by the team or an imported list",
}


@dataclass(frozen=True, slots=True)
class PartingCount:
    """Of how many people in each arm a reason is true; each counts once under it."""

    reason: str
    people: Mapping[Arm, int]

    def to_json(self) -> Json:
        """Return it as JSON values."""
        return {"reason": self.reason} | {arm.value: self.people[arm] for arm in Arm}


@dataclass(frozen=True, slots=True)
class Partings:
    """What people said as they left, by their newest answer, and why they are suppressed.

    Both count from their entry on. ``with_words`` added words; ``said_before`` said why before they
    entered, and ``said_elsewhere`` are not of this journey: these two are in no figure here.
    """

    answers: tuple[PartingCount, ...] = ()
    stops: tuple[PartingCount, ...] = ()
    with_words: int = 0
    said_before: int = 0
    said_elsewhere: int = 0

    @property
    def told_of_answers(self) -> Iterator[str]:
        """Yield what the figures of answers leave out."""
        if self.with_words:
            yield (
                f"{counted(self.with_words, 'person')} added words, which no report repeats; "
                "`rekindle feedback` has them."
            )
        if self.said_elsewhere:
            yield (
                f"{counted(self.said_elsewhere, 'person')} who said why since the journey began "
                f"{numbered(self.said_elsewhere, 'is')} not of it, and in no figure here."
            )
        if self.said_before:
            yield (
                f"{counted(self.said_before, 'person')} of it said why before they entered, and "
                f"{numbered(self.said_before, 'is')} in no figure here."
            )

    @property
    def told_of_stops(self) -> Iterator[str]:
        """Yield what the figures of suppressed people leave out."""
        if self.stops:
            yield (
                "Suppressed are those who are so now, on a channel or on all; who did something "
                "again and is written to again is not counted. One person may have several reasons."
            )

    def to_json(self) -> Json:
        """Return it as JSON values."""
        return {
            "answers": [one.to_json() for one in self.answers],
            "suppressed": [one.to_json() for one in self.stops],
            "with_words": self.with_words,
            "said_before": self.said_before,
            "said_elsewhere": self.said_elsewhere,
        }


@dataclass(frozen=True, slots=True)
class PartedPerson:
    """One person who is suppressed since ``at``, for a reason."""

    person: str
    reason: str
    at: datetime


def find_partings(
    record: JourneyRecord, answers: Iterable[LeaveAnswer], stops: Iterable[PartedPerson]
) -> Partings:
    """Return what came of the people of a journey from their first entry on.

    ``answers`` are those since it began. That a message came back is known by the message, for a
    bounce suppresses an address and names nobody.
    """
    entered = {one.person: one for one in record.assigned}
    arms = {person: one.arm.value for person, one in entered.items()}
    answers = list(answers)
    since = [one for one in answers if _is_since(one, entered)]
    said, people = {one.person for one in since}, {one.person for one in answers}
    themes = find_themes(since, arms)
    return Partings(
        answers=tuple(_count(one.reason.value, one.by_segment) for one in themes),
        stops=_count_stops(
            [one for one in (*stops, *_bounces(record)) if _is_since(one, entered)], arms
        ),
        with_words=sum(len(one.words) for one in themes),
        said_before=len((people & entered.keys()) - said),
        said_elsewhere=len(people - entered.keys()),
    )


def _is_since(one: LeaveAnswer | PartedPerson, entered: Mapping[str, Membership]) -> bool:
    return one.person in entered and one.at >= entered[one.person].entered_at


def _bounces(record: JourneyRecord) -> Iterator[PartedPerson]:
    for one in record.fates:
        if one.has_bounced:
            yield PartedPerson(one.person, SignalKind.BOUNCE.value, one.at)


def _count_stops(
    stops: Iterable[PartedPerson], arms: Mapping[str, str]
) -> tuple[PartingCount, ...]:
    """Return each reason with its people, the most frequent first.

    What a team wrote itself is ``other``: it may name somebody, and a report is passed on.
    """
    pairs = {(one.reason if one.reason in MEANINGS else OTHER, one.person) for one in stops}
    found = [
        _count(reason, Counter(arms[person] for why, person in pairs if why == reason))
        for reason in MEANINGS
    ]
    found = [one for one in found if any(one.people.values())]
    return tuple(sorted(found, key=lambda one: -sum(one.people.values())))


def _count(reason: str, by_arm: Mapping[str, int]) -> PartingCount:
    return PartingCount(reason, {arm: by_arm.get(arm.value, 0) for arm in Arm})
