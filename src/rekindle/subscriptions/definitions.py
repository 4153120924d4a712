"""What counts as subscribed, gone and back: the definitions people compare their figures with."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from rekindle.errors import UsageError


class Stride(StrEnum):
    """How often it is looked who is subscribed: movements within one step are one."""

    DAY = "day"
    MONTH = "month"


class Pausing(StrEnum):
    """What a pause is."""

    STAYS = "stays"
    """Nothing: who pauses is subscribed, and what they paid stays in MRR."""
    RESTS = "rests"
    """Who pauses is subscribed, and brings nothing meanwhile: a contraction, an expansion."""
    LEAVES = "leaves"
    """Churn; the end of the pause is a return."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Which subscribers count, when they are gone, and what their return is called.

    ``has_trials``: who tries it out is subscribed, though they pay nothing.
    ``names_returns``: a return is a movement of its own; else it is among the expansions.
    """

    name: str
    meaning: str
    stride: Stride = Stride.DAY
    pausing: Pausing = Pausing.STAYS
    has_trials: bool = False
    names_returns: bool = True


OURS = Definition(
    "ours",
    "Subscribed is who pays or has paused; gone from the end of the last paid period, back with "
    "the first day that is paid for again. A pause brings nothing and is no churn.",
    pausing=Pausing.RESTS,
)
DEFINITIONS = {
    one.name: one
    for one in (
        OURS,
        Definition(
            "chartmogul",
            "Subscribed is who pays; gone when the last paid period ends, back when they pay "
            "again. What changes within a day is one movement.",
        ),
        Definition(
            "recurly-mrr",
            "By calendar month: back is who brought nothing in the month before and something "
            "earlier. A pause is churn.",
            stride=Stride.MONTH,
            pausing=Pausing.LEAVES,
        ),
        Definition(
            "recurly-subscribers",
            "Gone is who was not subscribed for a day, trials count as subscribed. A pause is "
            "churn.",
            pausing=Pausing.LEAVES,
            has_trials=True,
        ),
        Definition(
            "chargebee",
            "As ChartMogul's, but a return is an expansion; who pauses stays in MRR.",
            names_returns=False,
        ),
        Definition("upzelo", "Back is who cancelled and pays again; a pause never counts."),
        Definition(
            "purchasely",
            "As ChartMogul's, but a pause is churn and its end a return.",
            pausing=Pausing.LEAVES,
        ),
    )
}


def find_definition(name: str) -> Definition:
    """Return the definition of this name.

    Raises:
        UsageError: there is none.
    """
    found = DEFINITIONS.get(name)
    if found is None:
        near = get_close_matches(name, DEFINITIONS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(DEFINITIONS)}"
        raise UsageError(f"no definition is called {name!r}; {hint}")
    return found
