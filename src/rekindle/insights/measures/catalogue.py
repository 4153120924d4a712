"""The catalogue: every measure once, with its formula, window and source.

Whoever adds a measure adds a line here; the terminal, JSON, files and the reference page
follow. Figures that the report states as well are computed where the report has them from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType

from rekindle.insights.measures.comparing import (
    LOST_DAYS,
    average_incremental_cost,
    rate_saved,
    sum_revenue,
)
from rekindle.insights.measures.definitions import (
    REACTIVATIONS,
    ReactivationDefinition,
    count_back,
)
from rekindle.insights.measures.model import (
    ASSIGNED,
    NOBODY_RETURNED,
    RETAINED,
    DeclaredMeasure,
    Group,
    Silence,
    Subject,
    Unit,
    Value,
)
from rekindle.insights.measures.starting import count_completed, count_started
from rekindle.insights.survival import Interval, estimate_survival
from rekindle.insights.wire import Figure
from rekindle.vocabulary import MICROS, Unknown

RETAINED_DAYS = RETAINED.days
LAPSED_DAYS = 180
NOBODY_ENTERED = Unknown("nobody was assigned to be treated")
NOBODY_REACHED = Unknown("no message reached anybody")
NOBODY_CLICKED = Unknown("nobody followed a link")
BACK_BY_STAYS = Unknown(
    "who came back did so by a subscription, and where there are orders, whether people stay is "
    "asked of these; `rekindle audit` tells how many subscribers left a second time"
)
TIME_RUNS = Unknown(f"nobody's {RETAINED_DAYS} days after their return are over")
NO_PEERS = Unknown(
    "nobody who was not in the journey by then bought as they did and had not been away"
)
NO_FIRST_STAYS = Unknown(
    "nobody who was not in the journey by then subscribed for the first time as they came back"
)
NO_MESSAGES = Unknown("the holdout had no messages, which this definition asks for")
NO_COST = Unknown("the messages cost nothing that was recorded")
Test = Callable[[Subject], bool]


def _share(
    count: float, base: int, reason: Unknown, beside: Figure | None = None, low: float | None = None
) -> Value:
    return Value(count / base if base else reason, count, base, beside=beside)


def _returned(people: Sequence[Subject]) -> list[Subject]:
    return [one for one in people if one.returned_at is not None]


def _reached(group: Group) -> list[Subject]:
    return [one for one in group.treated if one.reached]


def _count(group: Group, test: Test) -> Value:
    """Return how many of the treated pass a test, of all of them."""
    base = len(group.treated)
    if not base:
        return Value(NOBODY_ENTERED)
    count = sum(map(test, group.treated))
    return Value(float(count), count, base)


def count_entered(group: Group) -> Value:
    """Return how many people were assigned to be treated."""
    count = len(group.treated)
    return Value(float(count), count, count)


def count_reached(group: Group) -> Value:
    """Return how many had a message that left and did not come back."""
    return _count(group, lambda one: bool(one.reached))


def count_opened(group: Group) -> Value:
    """Return how many opened one, of those reached who let it be noticed."""
    if group.of.openings is not None:
        return Value(group.of.openings)
    noticed = [one for one in _reached(group) if one.is_noticed]
    if not noticed:
        return Value(Unknown("nobody who was reached lets openings be noticed"))
    count = sum(any(message.opened_at for message in one.reached) for one in noticed)
    return Value(float(count), count, len(noticed))


def count_clicked(group: Group) -> Value:
    """Return how many followed a link."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    return _count(group, lambda one: bool(one.clicks))


def count_returned(group: Group) -> Value:
    """Return how many bought inside their window."""
    return _count(group, lambda one: one.returned_at is not None)


def count_retained(group: Group) -> Value:
    """Return how many bought again in time, or stayed, of those whose time for it is over.

    Who did so sooner counts at the end as well: of them alone it is known early.
    """
    if not group.treated:
        return Value(NOBODY_ENTERED)
    back = _returned(group.treated)
    if not back:
        return Value(NOBODY_RETURNED)
    if not find_courses(back, group):
        return Value(BACK_BY_STAYS)
    over = find_courses([one for one in back if _has_had_time(one, group)], group)
    if not over:
        return Value(TIME_RUNS)
    # What ends a stay is a departure, and what ends a silence a purchase.
    ends = sum(ended and days <= RETAINED_DAYS for days, ended in over)
    count = len(over) - ends if group.of.by_stays else ends
    return Value(float(count), count, len(over))


def rate_response(group: Group) -> Value:
    """Return the share of the reached who clicked, or bought after their first message."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    reached = _reached(group)
    count = sum(bool(one.clicks) or _is_after_touch(one) for one in reached)
    return _share(count, len(reached), NOBODY_REACHED)


def rate_click_through(group: Group) -> Value:
    """Return the share of the messages that reached somebody in which a link was followed."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    messages = [message for one in group.treated for message in one.reached]
    return _share(sum(bool(one.clicked_at) for one in messages), len(messages), NOBODY_REACHED)


def rate_reactivation(group: Group) -> Value:
    """Return the share of those a definition counts who are back by it, beside the holdout's."""
    definition = REACTIVATIONS[group.of.definition]
    if definition.takes_clicks and group.of.clicks is not None:
        return Value(group.of.clicks)
    back, base = count_back(group.treated, definition.name)
    nobody = NOBODY_ENTERED if definition.holds else NOBODY_REACHED
    return _share(back, base, nobody, _rate_held(group, definition))


def _rate_held(group: Group, definition: ReactivationDefinition) -> Figure:
    """Return the holdout's rate: of each journey its own, weighed by the people treated there.

    Holdouts of different shares are no one group: pooled, the journey with the largest would
    stand beside people of the others.
    """
    if isinstance(group.holdout, Unknown):
        return group.holdout
    if not definition.holds:
        return NO_MESSAGES
    treated = Counter(one.journey for one in group.treated)
    if not treated:
        return NOBODY_ENTERED
    held: defaultdict[str, list[Subject]] = defaultdict(list)
    for one in group.holdout:
        held[one.journey].append(one)
    if lacking := sorted(treated.keys() - held.keys()):
        of = f" of {', '.join(lacking)}" if len(treated) > 1 else ""
        return Unknown(f"nobody was assigned to the holdout{of}")
    back = {name: count_back(held[name], definition.name) for name in treated}
    expected = sum(count * back[name][0] / back[name][1] for name, count in sorted(treated.items()))
    return expected / treated.total()


def average_revenue(group: Group) -> Value:
    """Return net revenue inside the window per person who returned."""
    back = _returned(group.treated)
    return _share(sum(one.revenue for one in back), len(back), NOBODY_RETURNED)


def average_cost(group: Group) -> Value:
    """Return what the messages of their windows cost per person who returned."""
    beside = group.of.acquisition
    micros = sum(one.cost_micros for one in group.treated)
    if not micros:
        return Value(NO_COST, beside=beside)
    return _share(micros / MICROS, len(_returned(group.treated)), NOBODY_RETURNED, beside)


def tell_acquisition(group: Group) -> Value:
    """Return what winning a new customer costs, as the business says."""
    return Value(group.of.acquisition)


def average_depth(group: Group) -> Value:
    """Return in how many messages those who clicked at all followed a link."""
    if group.of.clicks is not None:
        return Value(group.of.clicks)
    clicked = [one for one in group.treated if one.clicks]
    count = sum(bool(message.clicked_at) for one in clicked for message in one.reached)
    return _share(count, len(clicked), NOBODY_CLICKED)


def average_later_revenue(group: Group) -> Value:
    """Return net revenue of the first days from the return on, per person who returned."""
    back = _returned(group.treated)
    if not back:
        return Value(NOBODY_RETURNED, base=0)
    brought = [one.later_revenue for one in back if one.later_revenue is not None]
    return _share(sum(brought), len(brought), TIME_RUNS)


def rate_retention(group: Group) -> Value:
    """Return the share of those who returned who bought again in time, or stayed."""
    return _survive(group, RETAINED_DAYS, of_ended=not group.of.by_stays)


def rate_second_lapse(group: Group) -> Value:
    """Return the share of those who returned and then fell silent again, or left."""
    return _survive(group, LAPSED_DAYS, of_ended=group.of.by_stays)


def _survive(group: Group, days: int, *, of_ended: bool) -> Value:
    """Return the share whose course ended in time, or did not, beside their peers'."""
    back = _returned(group.treated)
    if not back:
        return Value(NOBODY_RETURNED, base=0)
    courses = find_courses(back, group)
    if not courses:
        return Value(BACK_BY_STAYS, base=0)

    def read(share: float) -> float:
        return share if of_ended else 1 - share

    found = _estimate(courses, days)
    peers = _estimate(group.of.peers, days)
    if not group.of.peers:
        peers = NO_FIRST_STAYS if group.of.by_stays else NO_PEERS
    told = Value(
        found if isinstance(found, Unknown) else read(found.value),
        base=len(courses),
        beside=peers if isinstance(peers, Unknown) else read(peers.value),
        beside_of="first-time subscribers" if group.of.by_stays else "",
    )
    if isinstance(found, Unknown):
        return told
    low, high = sorted((read(found.low), read(found.high)))
    return replace(told, low=low, high=high)


def _estimate(courses: Sequence[Silence], days: int) -> Interval | Unknown:
    lengths, ended = zip(*courses, strict=True) if courses else ((), ())
    return estimate_survival(lengths, ended, [1] * len(courses)).estimate_ended(days)


def find_courses(people: Sequence[Subject], group: Group) -> list[Silence]:
    """Return how long each person who returned was silent after that day, or subscribed."""
    if group.of.by_stays:
        return [one.stay for one in people if one.stay is not None]
    found = []
    for one in people:
        if one.returned_on is None:
            continue
        later = [day for day in one.bought_on if day > one.returned_on]
        until = min(later, default=group.of.until_on)
        found.append(((until - one.returned_on).days, bool(later)))
    return found


def _has_had_time(one: Subject, group: Group) -> bool:
    back = one.returned_on
    return back is not None and (group.of.until_on - back).days >= RETAINED_DAYS


def _is_after_touch(one: Subject) -> bool:
    back = one.returned_at
    return back is not None and any(message.at < back for message in one.reached)


_IN_WINDOW = "the goal's time from a person's first entry"
_AS_REPORTED = f"{_IN_WINDOW}; until the reading date where the journey has one"
_EVER = "from a person's first entry until now"
_MESSAGES = ("fates_of", "heard_of")
_RETURNS = ("returns",)
_PAGE = "how-to/measure/catalogue.md"
_SHIPPED = "ledger_touch, ledger_delivery"
_BOUGHT = "ledger_enrolment and orders"
_EARNED = "orders, or subscriptions"


def _page(name: str) -> str:
    return f"{_PAGE}#{name.replace('_', '-')}"


def _measure(
    name: str,
    unit: Unit,
    formula: str,
    window: str,
    source: str,
    reads: tuple[str, ...],
    compute: Callable[[Group], Value],
) -> DeclaredMeasure:
    beside = {
        "reactivation_rate": "the holdout",
        "subsequent_retention": "never-lapsed peers",
        "second_lapse": "never-lapsed peers",
        "cost_per_reactivated": "a new customer",
        "cost_per_incremental_return": "a new customer",
        "churn_reduction": "lost in the holdout",
    }.get(name, "")
    title = name.replace("_", " ")
    return DeclaredMeasure(
        name, title, unit, formula, window, source, _page(name), reads, compute, beside
    )


_ALL = (
    _measure(
        "entered",
        Unit.PEOPLE,
        "people assigned to be treated, each once however often they entered",
        _EVER,
        "ledger_enrolment, ledger_assignment",
        (),
        count_entered,
    ),
    _measure(
        "reached",
        Unit.PEOPLE,
        "of them, those with a message that left, or may have, and did not bounce for good",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        count_reached,
    ),
    _measure(
        "opened",
        Unit.PEOPLE,
        "of the reached who agreed that openings are noticed, those who opened a message; "
        "machines left out",
        _EVER,
        f"{_SHIPPED}, ledger_consent",
        (*_MESSAGES, "newest_statements"),
        count_opened,
    ),
    _measure(
        "clicked",
        Unit.PEOPLE,
        "people who followed a link in a message; machines left out",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        count_clicked,
    ),
    _measure(
        "started",
        Unit.PEOPLE,
        "of those who clicked since it is reported, those who then filled a basket, looked at it, "
        "went to the checkout, logged in or bought",
        _IN_WINDOW,
        "ledger_delivery, events and orders",
        (*_MESSAGES, "deeds", *_RETURNS),
        count_started,
    ),
    _measure(
        "completed",
        Unit.PEOPLE,
        "people who clicked and then bought",
        _IN_WINDOW,
        "ledger_delivery and orders",
        (*_MESSAGES, *_RETURNS),
        count_completed,
    ),
    _measure(
        "returned",
        Unit.PEOPLE,
        "people who bought, or began a stay, in the window of their revenue",
        _IN_WINDOW,
        _BOUGHT,
        _RETURNS,
        count_returned,
    ),
    _measure(
        "retained",
        Unit.PEOPLE,
        f"of those who returned and whose {RETAINED_DAYS} days are over, those who bought on "
        "another day within them; without orders, those who were subscribed throughout",
        f"{RETAINED_DAYS} days from the return",
        f"{_BOUGHT}, or subscriptions",
        (*_RETURNS, "after"),
        count_retained,
    ),
    _measure(
        "response_rate",
        Unit.SHARE,
        "people who followed a link, or returned after their first message ÷ people reached",
        f"links: {_EVER}; returns: {_IN_WINDOW}",
        f"{_SHIPPED}, orders",
        (*_MESSAGES, *_RETURNS),
        rate_response,
    ),
    _measure(
        "click_through_rate",
        Unit.SHARE,
        "messages in which a person followed a link ÷ messages that left and did not bounce",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        rate_click_through,
    ),
    _measure(
        "reactivation_rate",
        Unit.SHARE,
        "people returned ÷ people assigned; the report's return rate. Beside it, of several "
        "journeys, each holdout's rate counts by the people treated there. `--definition` chooses "
        "another: "
        + "; ".join(
            f"`{one.name}`, {one.meaning}" for one in REACTIVATIONS.values() if one.name != ASSIGNED
        ),
        _IN_WINDOW,
        _BOUGHT,
        _RETURNS,
        rate_reactivation,
    ),
    _measure(
        "revenue_per_reactivated",
        Unit.MONEY,
        "net revenue of the people who returned ÷ people returned",
        _IN_WINDOW,
        _EARNED,
        (*_RETURNS, "revenue"),
        average_revenue,
    ),
    _measure(
        "subsequent_retention",
        Unit.SHARE,
        f"share of those who returned who buy on another day within {RETAINED_DAYS} days, by "
        "Kaplan and Meier, so that silences that still run count for as long as they were seen; "
        "without orders, of those who are still subscribed after them",
        f"{RETAINED_DAYS} days from the return",
        _EARNED,
        (*_RETURNS, "after", "peers"),
        rate_retention,
    ),
    _measure(
        "second_lapse",
        Unit.SHARE,
        f"share of those who returned who are silent for {LAPSED_DAYS} days after it, likewise; "
        "without orders, of those who left within them",
        f"{LAPSED_DAYS} days from the return",
        _EARNED,
        (*_RETURNS, "after", "peers"),
        rate_second_lapse,
    ),
    _measure(
        "subsequent_revenue",
        Unit.MONEY,
        f"net revenue from the return on, with it, within {RETAINED_DAYS} days ÷ people returned "
        "whose days are over; without orders, what their subscriptions brought",
        f"{RETAINED_DAYS} days from the return",
        _EARNED,
        (*_RETURNS, "later_revenue"),
        average_later_revenue,
    ),
    _measure(
        "cost_per_reactivated",
        Unit.MONEY,
        "cost of messages that left, or may have, in the window or of the first entry ÷ people "
        "returned; not the discounts, which "
        "net revenue is already without",
        _IN_WINDOW,
        "ledger_touch, orders",
        ("fates_of", *_RETURNS),
        average_cost,
    ),
    _measure(
        "cost_per_acquisition",
        Unit.MONEY,
        "what winning a new customer costs, as `acquisition_cost` in [shop] says",
        "as it is set today",
        "rekindle.toml",
        (),
        tell_acquisition,
    ),
    _measure(
        "cost_per_incremental_return",
        Unit.MONEY,
        "cost of the same messages ÷ returns that would not have been without them: the return "
        "rate less the holdout's, times the people treated, summed over journeys",
        _AS_REPORTED,
        "ledger_touch, ledger_assignment and orders",
        ("fates_of", *_RETURNS),
        average_incremental_cost,
    ),
    _measure(
        "incremental_revenue",
        Unit.MONEY,
        "net revenue per person treated less that per person held out, times the people treated; "
        "the report's total, summed over journeys; how far the ends of its interval lie from it is "
        "added in squares",
        _AS_REPORTED,
        "ledger_assignment and orders",
        ("revenue",),
        sum_revenue,
    ),
    _measure(
        "churn_reduction",
        Unit.POINTS,
        f"share of the holdout less that of the treated who bought nothing for {LOST_DAYS} days, "
        "of those for whom these were over as the newest order came; its interval is right "
        "whenever it is read",
        f"{LOST_DAYS} days from a person's first entry",
        "ledger_assignment and orders",
        _RETURNS,
        rate_saved,
    ),
    _measure(
        "engagement_depth",
        Unit.NUMBER,
        "messages in which a link was followed ÷ people who followed one",
        _EVER,
        _SHIPPED,
        _MESSAGES,
        average_depth,
    ),
)
CATALOGUE = MappingProxyType({one.name: one for one in _ALL})
"""Every measure by name, in the order in which they are told."""
