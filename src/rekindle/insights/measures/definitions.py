"""What counts as reactivated: the definitions people compare their figures with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from types import MappingProxyType

import pyarrow as pa

from rekindle.errors import UsageError
from rekindle.insights.measures.model import ASSIGNED, MeasuredPeople, Subject
from rekindle.insights.tables import TextTable
from rekindle.insights.wire import VERSION, Figure, Json, write_figure
from rekindle.insights.words import say_count, say_share
from rekindle.vocabulary import Arm, Unknown
from rekindle.wording import counted

CLICKED_DAYS = 5
SHOWN = 20
NOT_REACHED = "no message reached them"
NOT_INSIDE = "no purchase inside the goal's time"
NOT_AFTER = "they bought before the first message that reached them"
NOT_CLICKED = f"no click in the {CLICKED_DAYS} days before they bought"
NEVER = "no purchase since they entered"


@dataclass(frozen=True, slots=True)
class Reactivated:
    """How a definition counts a person: among those of whom, and as back; ``reason`` if not."""

    is_counted: bool
    is_back: bool
    reason: str = ""

    @property
    def told(self) -> str:
        """Return it in a word or two."""
        if not self.is_counted:
            return "not counted"
        return "back" if self.is_back else "not back"


@dataclass(frozen=True, slots=True)
class ReactivationDefinition:
    """Who counts as reactivated, and of whom they are a share.

    ``holds`` says that it can be asked of a holdout, which had no messages.
    """

    name: str
    meaning: str
    judge: Callable[[Subject], Reactivated]
    holds: bool
    takes_clicks: bool = False


def _judge_assigned(one: Subject) -> Reactivated:
    is_back = one.returned_at is not None
    return Reactivated(True, is_back, "" if is_back else NOT_INSIDE)


def _judge_reached(one: Subject) -> Reactivated:
    if not one.reached:
        return Reactivated(False, False, NOT_REACHED)
    if one.returned_at is None:
        return Reactivated(True, False, NOT_INSIDE)
    is_back = min(message.at for message in one.reached) < one.returned_at
    return Reactivated(True, is_back, "" if is_back else NOT_AFTER)


def _judge_clicked(one: Subject) -> Reactivated:
    if not one.reached:
        return Reactivated(False, False, NOT_REACHED)
    back = one.returned_at
    if back is None:
        return Reactivated(True, False, NOT_INSIDE)
    is_back = any(at < back <= at + timedelta(days=CLICKED_DAYS) for at in one.clicks)
    return Reactivated(True, is_back, "" if is_back else NOT_CLICKED)


def _judge_whenever(one: Subject) -> Reactivated:
    is_back = one.first_bought_at is not None
    return Reactivated(True, is_back, "" if is_back else NEVER)


REACTIVATIONS: Mapping[str, ReactivationDefinition] = MappingProxyType(
    {
        one.name: one
        for one in (
            ReactivationDefinition(
                ASSIGNED,
                "of everybody assigned to be treated, who bought inside the goal's time from "
                "their first entry; the report's return rate",
                _judge_assigned,
                holds=True,
            ),
            ReactivationDefinition(
                "reached",
                "of those whom a message reached, who bought after the first of them and inside "
                "the goal's time, as mailing systems count",
                _judge_reached,
                holds=False,
            ),
            ReactivationDefinition(
                "clicked",
                "of those whom a message reached, who bought inside the goal's time and within "
                f"{CLICKED_DAYS} days of following a link, as attribution counts",
                _judge_clicked,
                holds=False,
                takes_clicks=True,
            ),
            ReactivationDefinition(
                "whenever",
                "of everybody assigned to be treated, who bought at any time since they entered",
                _judge_whenever,
                holds=True,
            ),
        )
    }
)
"""Every definition by name, the house's first."""


def find_reactivation(name: str) -> ReactivationDefinition:
    """Return the definition of this name.

    Raises:
        UsageError: there is none.
    """
    found = REACTIVATIONS.get(name)
    if found is None:
        near = get_close_matches(name, REACTIVATIONS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(REACTIVATIONS)}"
        raise UsageError(f"no definition of reactivated is called {name!r}; {hint}")
    return found


def count_back(people: Sequence[Subject], name: str) -> tuple[int, int]:
    """Return how many are back by a definition, and how many it counts."""
    judged = [REACTIVATIONS[name].judge(one) for one in people]
    return sum(one.is_back for one in judged), sum(one.is_counted for one in judged)


@dataclass(frozen=True, slots=True)
class DifferentlyCounted:
    """Somebody whom two definitions count differently, and why."""

    journey: str
    person: str
    one: Reactivated
    other: Reactivated

    @property
    def because(self) -> str:
        """Return what one of them asks and the other does not, and they do not meet."""
        both = (self.one, self.other)
        # Of whom one of them does not count, that alone makes the difference.
        told = [one.reason for one in both if not one.is_counted] or [one.reason for one in both]
        return " and ".join(filter(None, told))


@dataclass(frozen=True, slots=True)
class RateReconciliation:
    """Two reactivation rates of the same people, and everybody on whom they differ."""

    about: str
    one: ReactivationDefinition
    other: ReactivationDefinition
    counts: Mapping[str, tuple[int, int]]
    differences: Sequence[DifferentlyCounted]
    trouble: Unknown | None = None

    def rate(self, name: str) -> Figure:
        """Return the rate by a definition, in 0-1."""
        back, base = self.counts[name]
        if self.trouble is not None and REACTIVATIONS[name].takes_clicks:
            return self.trouble
        return back / base if base else Unknown("it counts nobody")

    def to_json(self) -> Json:
        """Return both rates and every difference as JSON values."""
        both = (self.one, self.other)
        return {
            "version": VERSION,
            "about": self.about,
            "definitions": {
                one.name: {
                    "meaning": one.meaning,
                    "back": self.counts[one.name][0],
                    "of": self.counts[one.name][1],
                    "rate": write_figure(self.rate(one.name)),
                }
                for one in both
            },
            "because": dict(Counter(one.because for one in self.differences).most_common()),
            "differences": self.rows().to_pylist(),
        }

    def rows(self) -> pa.Table:
        """Return every difference as a flat row, for a file."""
        names = ["journey", "customer_id", self.one.name, self.other.name, "because"]
        rows = [
            (one.journey, one.person, one.one.told, one.other.told, one.because)
            for one in self.differences
        ]
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def reconcile_rates(
    population: MeasuredPeople, *, about: str, one: str, other: str
) -> RateReconciliation:
    """Return on whom two definitions differ among the treated, and why.

    Raises:
        UsageError: there is no such definition.
    """
    both = find_reactivation(one), find_reactivation(other)
    treated = [person for person in population.subjects if person.arm is Arm.TREATMENT]
    differences = []
    for person in treated:
        mine, theirs = (definition.judge(person) for definition in both)
        if (mine.is_counted, mine.is_back) != (theirs.is_counted, theirs.is_back):
            differences.append(DifferentlyCounted(person.journey, person.person, mine, theirs))
    counts = {definition.name: count_back(treated, definition.name) for definition in both}
    return RateReconciliation(about, *both, counts, differences, population.clicks)


def rate_tables(found: RateReconciliation) -> tuple[TextTable, ...]:
    """Return the two rates, what makes the difference, and the first people it is about."""
    both = (found.one, found.other)
    reasons = Counter(
        (one.because, one.one.told, one.other.told) for one in found.differences
    ).most_common()
    rest = len(found.differences) - SHOWN
    return (
        TextTable(
            f"Reactivation rate of {found.about}, by two definitions",
            ("definition", "rate", "back", "of"),
            tuple(
                (one.name, say_share(found.rate(one.name), digits=1), *map(say_count, counts))
                for one in both
                for counts in [found.counts[one.name]]
            ),
            tuple(f"{one.name}: {one.meaning}." for one in both),
        ),
        TextTable(
            f"They differ on {counted(len(found.differences), 'person')}",
            ("because", found.one.name, found.other.name, "people"),
            tuple((*told, say_count(count)) for told, count in reasons),
            text_columns=3,
        ),
        TextTable(
            "Who they are",
            ("customer", "journey", found.one.name, found.other.name, "because"),
            tuple(
                (one.person, one.journey, one.one.told, one.other.told, one.because)
                for one in found.differences[:SHOWN]
            ),
            (f"The first {SHOWN}; --csv FILE writes {rest:,} more.",) if rest > 0 else (),
            text_columns=5,
        ),
    )
